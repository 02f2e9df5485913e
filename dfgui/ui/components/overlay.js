// The losses of several runs in one chart. Each run has a letter, a colour and a dash, so that none depends on its colour.
dfgui.overlay = (() => {
  const LETTERS = ["A", "B", "C", "D", "E"];
  const DASHES = [[], [9, 4], [2, 3], [9, 3, 2, 3], [16, 4]];
  const LINES = 5; // series of one run: highest and lowest, their faint line, the smoothed one, the held-out loss
  const MANY = 2000; // points of one curve in the browser; beyond that it is asked for afresh

  function mount(box) {
    const { number, css, axes, padded, keep, forget, NULLS } = dfgui.chart;
    const state = { runs: [], weight: 0.6, log: false, by: "step", show: "both", index: null, zoom: null };
    let chart = null;
    let waiting = false;
    const colour = (i) => css(`--df-run-${i + 1}`);

    // `runs`: [{run, name, epoch, held}], `held` being dfgui.curves.
    function show(runs) {
      Object.assign(state, { runs, zoom: null, index: null });
      make();
    }

    function set(changes) {
      const anew = "log" in changes;
      Object.assign(state, changes, "by" in changes ? { zoom: null } : {});
      anew ? make() : draw();
    }

    function make() {
      if (chart) forget(chart);
      chart = null;
      if (!state.runs.length) return;
      const [x, y] = axes(true);
      const options = {
        width: Math.max(box.clientWidth, 50),
        height: box.clientHeight,
        padding: [10, 24, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { size: 6 } },
        scales: { x: { time: false, range }, y: state.log ? { distr: 3 } : { range: (_, low, high) => padded(low, high) } },
        axes: [{ ...x, incrs: undefined, values: (_, values) => values.map((value) => value.toLocaleString("en")) }, y],
        series: [{}, ...state.runs.flatMap((_, i) => lines(i))],
        bands: state.runs.map((_, i) => ({ series: [1 + LINES * i, 2 + LINES * i], fill: () => `${colour(i)}1c` })),
        hooks: { setSelect: [selected], setCursor: [moved], draw: [letters] },
      };
      chart = keep(new uPlot(options, [[], ...state.runs.flatMap(() => Array(LINES).fill([]))], box));
      chart.over.addEventListener("dblclick", () => zoom(null));
      draw();
    }

    // What arrives meanwhile leaves the part that is shown as it is.
    const range = (_, low, high) => state.zoom || (low === null ? [0, 10] : [low, high > low ? high : low + 1]);

    function zoom(part) {
      state.zoom = part;
      draw();
    }

    function selected(drawn) {
      const { left, width } = drawn.select;
      if (width < 5) return;
      const part = [drawn.posToVal(left, "x"), drawn.posToVal(left + width, "x")];
      drawn.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
      zoom(part);
    }

    function lines(i) {
      const faint = { stroke: () => `${colour(i)}00`, width: 1, points: { show: false } };
      const raw = { stroke: () => `${colour(i)}59`, width: 1, points: { show: false } };
      const smooth = { stroke: () => colour(i), width: 2, dash: DASHES[i], points: { show: false } };
      const evals = { stroke: () => `${colour(i)}8c`, width: 1, dash: [2, 4], points: { show: true, size: 7, fill: () => colour(i) } };
      return [faint, faint, raw, smooth, evals];
    }

    // Draws what is held, once for all that came since the last frame.
    function draw() {
      if (waiting || !chart) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        if (!chart) return;
        chart.setData(uPlot.join(state.runs.flatMap(tables), state.runs.flatMap(() => [NULLS[0], NULLS[1]])));
        say();
      });
    }

    // One table of training losses and one of held-out losses, by step or by epoch.
    function tables({ held, epoch }) {
      const at = (steps) => (state.by === "epoch" ? steps.map((step) => Number((step * (epoch || 0)).toFixed(4))) : steps);
      const fits = state.log ? (values) => values.map((value) => (value > 0 ? value : null)) : (values) => values;
      const [loss, evals] = [state.show !== "eval_loss" && held.get("loss"), state.show !== "loss" && held.get("eval_loss")];
      const train = loss ? [at(loss.steps), ...[loss.high, loss.low, loss.mean, dfgui.smoothed(loss, state.weight)].map(fits)] : [[], [], [], [], []];
      return [train, evals ? [at(evals.steps), fits(evals.mean)] : [[], []]];
    }

    const values = (i) => chart.data.slice(1 + LINES * i, 1 + LINES * (i + 1));

    // Each run's letter where its line ends, and a cross at the top where a loss was not a number.
    function letters(drawn) {
      const { ctx, bbox } = drawn;
      const unit = devicePixelRatio || 1;
      ctx.save();
      ctx.font = `bold ${11 * unit}px system-ui`;
      const inside = (x) => x >= drawn.scales.x.min && x <= drawn.scales.x.max;
      const written = []; // from the lowest line upwards, so that no letter stands on another and their order is true
      for (const { i, x, y } of ends(drawn).filter((end) => inside(drawn.data[0][end.at])).sort((one, two) => two.y - one.y)) {
        const near = written.filter((other) => Math.abs(other.x - x) < 16 * unit).map((other) => other.y - 12 * unit);
        const place = { x, y: Math.min(y, ...near) };
        written.push(place);
        ctx.fillStyle = colour(i);
        ctx.fillText(LETTERS[i], x + 8 * unit, place.y + 4 * unit);
      }
      state.runs.forEach(({ held, epoch }, i) => {
        ctx.strokeStyle = colour(i);
        ctx.lineWidth = 2 * unit;
        const nans = state.show === "eval_loss" ? [] : held.get("loss")?.nans || [];
        for (const x of nans.map(([step]) => (state.by === "epoch" ? step * (epoch || 0) : step)).filter(inside)) {
          const [left, top, arm] = [drawn.valToPos(x, "x", true), bbox.top + (8 + 12 * i) * unit, 4 * unit];
          ctx.beginPath();
          for (const side of [1, -1]) {
            ctx.moveTo(left - arm, top - side * arm);
            ctx.lineTo(left + arm, top + side * arm);
          }
          ctx.stroke();
        }
      });
      ctx.restore();
    }

    // Where the line of each run ends: its number, the place in the data, and the point on the canvas.
    function ends(drawn) {
      return state.runs.flatMap((_, i) => {
        const [, , , smooth, evals] = values(i);
        const line = state.show === "eval_loss" ? evals : smooth;
        const at = line.findLastIndex((value) => value != null);
        return at < 0 ? [] : [{ i, at, x: drawn.valToPos(drawn.data[0][at], "x", true), y: drawn.valToPos(line[at], "y", true) }];
      });
    }

    function moved(drawn) {
      state.index = drawn.cursor.idx;
      say();
    }

    // What each run has under the cursor, or at its end: told beside its name in the legend.
    function say() {
      if (!chart || !state.runs.length) return;
      const steps = chart.data[0];
      const at = state.index;
      const words = state.runs.map(({ held }, i) => {
        const [, , mean, , evals] = values(i);
        const near = (line) => (at === null ? line.findLast((value) => value != null) : line[at] ?? nearest(line, at));
        const parts = [["loss", near(mean)], ["held-out", near(evals)]].filter(([, value]) => value != null);
        return parts.map(([name, value]) => `${name} ${number(value)}`).join(", ") || (held.get("loss") || held.get("eval_loss") ? "–" : "no points yet");
      });
      const place = at === null ? "" : `${state.by} ${steps[at].toLocaleString("en")}`;
      state.told?.(words, place);
      box.setAttribute("aria-label", `Loss by ${state.by} of ${state.runs.map(({ name }, i) => `${LETTERS[i]} ${name}: ${words[i]}`).join("; ")}`);
    }

    // A run that logs more seldom has its last point before the cursor; none before its first or after its last one.
    function nearest(line, at) {
      if (!line.slice(at).some((value) => value != null)) return null;
      return line.slice(0, at).findLast((value) => value != null);
    }

    box.addEventListener("keydown", (event) => {
      const count = chart ? chart.data[0].length : 0;
      const { min, max } = chart ? chart.scales.x : {};
      if (event.key === "+" && count) zoom([min + (max - min) / 4, max - (max - min) / 4]);
      if (event.key === "-" || event.key === "Escape") zoom(null);
      const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -count, End: count }[event.key];
      if (!steps || !count) return;
      const [first, last] = [chart.data[0].findIndex((x) => x >= min), chart.data[0].findLastIndex((x) => x <= max)];
      const index = Math.min(Math.max((state.index ?? last) + steps, first), last);
      chart.setCursor({ left: chart.valToPos(chart.data[0][index], "x"), top: 10 });
      event.preventDefault();
    });
    new ResizeObserver(() => {
      if (chart && box.clientWidth) chart.setSize({ width: box.clientWidth, height: box.clientHeight });
    }).observe(box);

    return { show, set, draw, tell: (told) => (state.told = told) };
  }

  return { mount, LETTERS, DASHES, MANY };
})();
