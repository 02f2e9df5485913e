// The points of one run that the page holds: taken over from the server's answers, and smoothed for drawing.
dfgui.curves = (names) => {
  const MANY = 2000; // points held of one metric; beyond that they are asked for afresh, in buckets
  let held = {};
  let known = false; // whether the curves have come at all

  // `answer` has `curves` (everything afresh) or `points` (what is new), or neither. Returns whether anything changed.
  function take(answer) {
    if (answer.curves) {
      held = Object.fromEntries(Object.entries(answer.curves).map(([name, curve]) => [name, opened(curve)]));
      known = true;
      return true;
    }
    for (const [name, flat] of Object.entries(answer.points || {})) append(name, flat);
    return Boolean(answer.points);
  }

  // low and high are there only where a point stands for several; otherwise it is its own low and high.
  function opened(curve) {
    return {
      steps: curve.steps,
      mean: curve.mean,
      low: curve.low || curve.mean.slice(),
      high: curve.high || curve.mean.slice(),
      nans: curve.nans || [],
      buckets: Boolean(curve.low),
    };
  }

  function append(name, flat) {
    const curve = (held[name] ||= opened({ steps: [], mean: [] }));
    for (let i = 0; i < flat.length; i += 2) {
      curve.steps.push(flat[i]);
      for (const values of [curve.mean, curve.low, curve.high]) values.push(flat[i + 1]);
      if (flat[i + 1] === null) curve.nans.push([flat[i], 1]);
    }
  }

  // The last step of each metric, for the next question; null asks for everything afresh.
  function cursor() {
    if (!known || names.some((name) => held[name] && held[name].steps.length > MANY)) return null;
    return names.map((name) => (held[name] ? held[name].steps.at(-1) : -1));
  }

  function latest(name) {
    const curve = held[name];
    return curve && curve.steps.length ? { step: curve.steps.at(-1), value: curve.mean.at(-1) } : null;
  }

  function clear() {
    held = {};
    known = false;
  }

  return { take, cursor, latest, clear, get: (name) => held[name] };
};

// Exponential smoothing over the points drawn: each keeps `weight` of what came before it, less after a longer gap, so
// that uneven steps and buckets change nothing. The first points are not pulled to zero. A NaN stays a gap.
dfgui.smoothed = (curve, weight) => {
  const { steps, mean } = curve;
  const usual = (steps.at(-1) - steps[0]) / Math.max(steps.length - 1, 1) || 1;
  let sum = 0;
  let norm = 0;
  let before = null;
  return mean.map((value, i) => {
    if (value === null) return null;
    const keep = before === null ? 0 : weight ** ((steps[i] - before) / usual);
    before = steps[i];
    const share = norm === 0 ? 1 - weight || 1 : 1 - keep;
    sum = keep * sum + share * value;
    norm = keep * norm + share;
    return sum / norm;
  });
};
