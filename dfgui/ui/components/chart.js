// The charts of one run: the loss, large, and small ones beside it, with one cursor and one zoom for all.
dfgui.chart = (() => {
  const colours = {};
  const charts = new Set(); // those on show, to be repainted when light turns dark
  const css = (name) => (colours[name] ||= getComputedStyle(document.body).getPropertyValue(name).trim());
  const repaint = new MutationObserver(() => {
    for (const name of Object.keys(colours)) delete colours[name];
    for (const chart of charts) chart.redraw();
  });
  repaint.observe(document.body, { attributeFilter: ["class"] }); // Gradio runs this script once the page is there

  const NULLS = [[0, 1, 1, 1, 1], [0, 1]]; // a null of ours is a gap; a step that only the other table has is none

  // 0.713, 1.10, 2e-4: three digits always, so that a number does not change its width; an axis wants them `short`.
  function number(value, short = false) {
    if (value === null || value === undefined) return "–";
    const size = Math.abs(value);
    if (size === 0) return "0";
    if (size < 1e-2 || size >= 1e5) return value.toExponential(2).replace(/\.?0+e/, "e").replace("e+", "e");
    if (short) return value.toLocaleString("en", { maximumSignificantDigits: 3 });
    const decimals = Math.max(2 - Math.floor(Math.log10(size)), 0); // as dfgui/words.py has it
    return Number(value.toFixed(decimals)).toLocaleString("en", { minimumFractionDigits: decimals });
  }

  // An empty chart shows its lines and no numbers: nothing has been measured.
  const marks = (write) => (chart, values) => values.map((value) => (chart.data[0].length && value !== null ? write(value) : ""));

  const axes = (tall) => [
    { stroke: () => css("--df-soft"), font: "11px system-ui", grid: { show: false }, ticks: { show: false }, size: 22, gap: 4,
      space: tall ? 70 : 44, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6],
      values: marks((step) => step.toLocaleString("en")) },
    { stroke: () => css("--df-soft"), font: "11px system-ui", grid: { stroke: () => css("--df-line"), width: 1 }, ticks: { show: false },
      size: 46, gap: 6, space: tall ? 36 : 26, values: marks((value) => number(value, true)) },
  ];

  // Lines of one chart: the band of lows and highs, the points as logged, their smoothed line, and dots of an evaluation.
  const lines = () => [
    {},
    { stroke: () => css("--df-accent-faint"), width: 1, points: { show: false } },
    { stroke: () => css("--df-accent-faint"), width: 1, points: { show: false } },
    { stroke: () => css("--df-accent-faint"), width: 1, points: { show: (chart) => chart.data[0].length < 3, size: 6, fill: () => css("--df-accent") } },
    { stroke: () => css("--df-accent"), width: 2, points: { show: false } },
    { stroke: () => css("--df-eval"), width: 1, dash: [4, 3], points: { show: true, size: 7, fill: () => css("--df-eval") } },
  ];

  // The data of one chart in uPlot's shape. Values that a logarithm cannot show are left out of it.
  function columns(curve, dots, weight, log) {
    const shown = log ? (values) => values.map((value) => (value > 0 ? value : null)) : (values) => values;
    const [high, low] = curve && curve.buckets ? [curve.high, curve.low] : [[], []];
    const train = curve ? [curve.steps, high, low, curve.mean, dfgui.smoothed(curve, weight)] : [[], [], [], [], []];
    const evals = dots ? [dots.steps, dots.mean] : [[], []];
    const tables = [train, evals].map(([steps, ...values]) => [steps, ...values.map(shown)]);
    return uPlot.join(tables, NULLS);
  }

  function plot(element, group, { tall = false, log = false, draw = null } = {}) {
    const options = {
      width: Math.max(element.clientWidth, 50),
      height: element.clientHeight,
      padding: [8, 10, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: true, y: false, setScale: false }, sync: { key: group.key }, points: { size: 6 } },
      scales: {
        x: { time: false, range: (_, low, high) => group.range(low, high) },
        y: log ? { distr: 3 } : { range: (_, low, high) => padded(low, high) },
      },
      axes: axes(tall),
      series: lines(),
      bands: [{ series: [1, 2], fill: () => css("--df-accent-band") }],
      hooks: { setSelect: [group.selected], setCursor: [group.moved], draw: draw ? [draw] : [] },
    };
    const chart = new uPlot(options, [[], [], [], [], [], []], element);
    chart.over.addEventListener("dblclick", group.whole);
    charts.add(chart);
    return chart;
  }

  function padded(low, high) {
    if (low === null || low === undefined) return [0, 1];
    const space = (high - low || Math.abs(high) || 1) * 0.06;
    return [low >= 0 ? Math.max(low - space, 0) : low - space, high + space];
  }

  // A chart on show is painted anew when light turns dark.
  const keep = (chart) => (charts.add(chart), chart);

  function forget(chart) {
    charts.delete(chart);
    chart.destroy();
  }

  return { plot, columns, number, css, axes, padded, keep, forget, NULLS };
})();
