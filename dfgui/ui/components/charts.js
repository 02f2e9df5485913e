// All charts of the Monitor page as one thing: they share the run's curves, the cursor, the zoom and the controls.
dfgui.charts = (root, held) => {
  const LINES = 3; // of words at the top of the chart
  const SMALLS = { mean_token_accuracy: "eval_mean_token_accuracy", grad_norm: null, learning_rate: null };
  const big = root.querySelector(".plot.big");
  const readout = root.querySelector(".readout");
  const state = { weight: 0.6, log: false, zoom: null, detail: null, marks: [], resumed: [], asked: [], index: null };
  const strip = dfgui.marks(root.querySelector(".marks"));
  const { plot, columns, number, css, forget } = dfgui.chart;
  const group = { key: `dfgui-${Math.random()}`, range, selected, moved, whole: () => zoom(null) };
  let loss = plot(big, group, { tall: true, draw: drawMarks });
  const smalls = Object.fromEntries(
    Object.keys(SMALLS).map((name) => [name, plot(root.querySelector(`[data-plot="${name}"]`), group)])
  );
  let waiting = false;

  const shown = () => state.detail || held;

  // Draws what is held, once for all that came since the last frame.
  function draw() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      loss.setData(columns(shown().get("loss"), shown().get("eval_loss"), state.weight, state.log));
      for (const [name, dots] of Object.entries(SMALLS)) {
        smalls[name].setData(columns(shown().get(name), dots && shown().get(dots), 0, false));
      }
      say();
    });
  }

  function range(low, high) {
    if (state.zoom) return state.zoom;
    return low === null || low === undefined ? [0, 10] : [low, high > low ? high : low + 1];
  }

  function selected(chart) {
    const { left, width } = chart.select;
    if (width < 5) return;
    const from = chart.posToVal(left, "x");
    const to = chart.posToVal(left + width, "x");
    chart.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    if (to - from >= 2) zoom([Math.floor(from), Math.ceil(to)]);
  }

  // Shows a part of the run. Where the points held are buckets, finer ones are fetched for it.
  async function zoom(part) {
    if (String(part) === String(state.zoom)) return;
    Object.assign(state, { zoom: part, detail: null });
    root.querySelector("[data-control=whole]").disabled = !part;
    draw();
    const curve = held.get("loss");
    if (part && curve && curve.buckets) await look(part);
  }

  async function look(part) {
    const answer = await dfgui.live.call("detail", { run: dfgui.view.run, start: Math.max(part[0], 0), end: part[1] });
    if (state.zoom !== part || !answer.curves) return;
    state.detail = dfgui.curves([]);
    state.detail.take(answer);
    draw();
  }

  function moved(chart) {
    if (chart !== loss) return;
    state.index = chart.cursor.idx;
    say();
  }

  // The line above the chart: the values under the cursor, or the newest ones.
  function say() {
    const [steps, high, low, mean, smooth, evals] = loss.data;
    const curve = shown().get("loss");
    const at = state.index ?? steps.length - 1;
    const there = {
      nan: curve && curve.nans.length,
      evaluated: evals.some((value) => value != null),
      kept: state.marks.length,
      stopped: state.asked.some(([, kind]) => kind === "stop"),
      asked: state.asked.some(([, kind]) => kind !== "stop"),
      resumed: state.resumed.length,
    };
    for (const [name, some] of Object.entries(there)) root.querySelector(`.key .${name}`).classList.toggle("absent", !some);
    root.querySelector(".key .spread").hidden = !(curve && curve.buckets);
    if (!steps.length) {
      const ended = ["finished", "stopped", "failed", "interrupted"].includes(root.dataset.state);
      readout.textContent = ended ? "This run logged no step." : "No points yet. The first comes with the first logged step.";
      return;
    }
    const parts = [`step ${steps[at].toLocaleString("en")}`];
    const spread = low[at] != null && low[at] !== high[at] ? ` (${number(low[at])} to ${number(high[at])})` : "";
    if (mean[at] !== undefined) parts.push(mean[at] === null ? "loss is not a number" : `loss ${number(mean[at])}${spread}`);
    if (smooth[at] != null) parts.push(`smoothed ${number(smooth[at])}`);
    if (evals[at] != null) parts.push(`held-out ${number(evals[at])}`);
    readout.textContent = parts.join(" · ");
    const last = held.latest("loss");
    const lastEval = held.latest("eval_loss");
    const words = [last && `training loss ${number(last.value)} at step ${last.step}`, lastEval && `held-out loss ${number(lastEval.value)} at step ${lastEval.step}`];
    big.setAttribute("aria-label", `Loss by step: ${words.filter(Boolean).join(", ")}`);
  }

  function drawMarks(chart) {
    const { ctx, bbox } = chart;
    const unit = devicePixelRatio || 1;
    const bottom = bbox.top + bbox.height;
    const inside = (step) => step >= chart.scales.x.min && step <= chart.scales.x.max;
    ctx.save();
    ctx.font = `${10 * unit}px system-ui`;
    drawParts(chart, state.resumed.map(([step]) => step).filter(inside), unit);
    ctx.textAlign = "center";
    for (const { step, best } of state.marks.filter((mark) => inside(mark.step))) {
      const x = chart.valToPos(step, "x", true);
      ctx.fillStyle = css(best ? "--df-good" : "--df-soft");
      ctx.beginPath();
      ctx.moveTo(x, bottom - 9 * unit);
      ctx.lineTo(x - 5 * unit, bottom);
      ctx.lineTo(x + 5 * unit, bottom);
      ctx.fill();
      if (best) write(ctx, "best", x, bottom - 12 * unit, unit);
    }
    ctx.strokeStyle = css("--df-bad");
    ctx.lineWidth = 2 * unit;
    const curve = shown().get("loss");
    for (const [step] of curve ? curve.nans.filter(([at]) => inside(at)) : []) {
      const [x, y, arm] = [chart.valToPos(step, "x", true), bbox.top + 8 * unit, 4 * unit];
      ctx.beginPath();
      ctx.moveTo(x - arm, y - arm);
      ctx.lineTo(x + arm, y + arm);
      ctx.moveTo(x + arm, y - arm);
      ctx.lineTo(x - arm, y + arm);
      ctx.stroke();
    }
    ctx.restore();
    strip.place(chart, [...state.resumed.map(([step, words]) => [step, "resumed", words]), ...state.asked].sort((a, b) => a[0] - b[0]));
  }

  // Where the run went on from checkpoints: a line for each, and words on the side that has room. Words that would stand
  // on those before go below them; without a line left they stay away, for the mark under the chart has them too.
  function drawParts({ ctx, bbox, valToPos }, steps, unit) {
    const places = steps.map((step) => Math.round(valToPos(step, "x", true)));
    ctx.strokeStyle = css("--df-soft");
    ctx.lineWidth = unit;
    ctx.setLineDash([4 * unit, 3 * unit]);
    ctx.beginPath();
    for (const x of places) {
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
    }
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.textAlign = "left";
    ctx.fillStyle = css("--df-soft");
    const taken = Array(LINES).fill(-Infinity); // where the words of each line end
    steps.forEach((step, i) => {
      const words = `resumed from ${step.toLocaleString("en")}`;
      const width = ctx.measureText(words).width;
      const right = places[i] + width + 6 * unit < bbox.left + bbox.width;
      const start = right ? places[i] + 4 * unit : places[i] - 4 * unit - width;
      const line = taken.findIndex((end) => end < start);
      if (line < 0) return;
      taken[line] = start + width + 8 * unit;
      write(ctx, words, start, bbox.top + (10 + 13 * line) * unit, unit);
    });
  }

  // Words with a rim, so that no line strikes them through.
  function write(ctx, words, x, y, unit) {
    Object.assign(ctx, { strokeStyle: css("--df-card"), lineWidth: 4 * unit, lineJoin: "round" });
    ctx.strokeText(words, x, y);
    ctx.fillText(words, x, y);
  }

  function keyed(event) {
    const count = loss.data[0].length;
    const at = state.index ?? count - 1;
    const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -count, End: count }[event.key];
    if (steps && count) {
      const index = Math.min(Math.max(at + steps, 0), count - 1);
      const left = loss.valToPos(loss.data[0][index], "x");
      loss.setCursor({ left, top: 10 });
      event.preventDefault();
    }
    const { min, max } = loss.scales.x;
    if (event.key === "+" && max - min > 8) zoom([Math.round(min + (max - min) / 4), Math.round(max - (max - min) / 4)]);
    if (event.key === "-" || event.key === "Escape") zoom(null);
  }

  function rescale(log) {
    state.log = log;
    forget(loss);
    loss = plot(big, group, { tall: true, log, draw: drawMarks });
    draw();
  }

  function control(name, event, act) {
    root.querySelector(`[data-control="${name}"]`).addEventListener(event, act);
  }
  control("log", "change", (event) => rescale(event.target.checked));
  control("whole", "click", () => zoom(null));
  control("smooth", "input", (event) => {
    state.weight = Number(event.target.value);
    event.target.nextElementSibling.textContent = state.weight.toFixed(2);
    draw();
  });
  big.addEventListener("keydown", keyed);

  new ResizeObserver(() => {
    for (const chart of [loss, ...Object.values(smalls)]) {
      const box = chart.root.parentElement;
      if (box.clientWidth) chart.setSize({ width: box.clientWidth, height: box.clientHeight });
    }
  }).observe(root);

  // `checkpoints`, or `resumed` and `asked`: whatever is known better now.
  function mark({ checkpoints = state.marks, resumed = state.resumed, asked = state.asked }) {
    Object.assign(state, { marks: checkpoints, resumed, asked });
    draw();
  }

  // The curve came afresh: what was looked at closely may be of one that was set aside.
  function renew() {
    state.index = null;
    if (state.detail) look(state.zoom);
    state.detail = null;
    draw();
  }

  function clear() {
    Object.assign(state, { zoom: null, detail: null, marks: [], resumed: [], asked: [], index: null });
    root.querySelector("[data-control=whole]").disabled = true;
    draw();
  }

  return { draw, mark, renew, clear };
};
