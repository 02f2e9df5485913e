// The strip under the loss curve: where the run was resumed, and what was asked of it, each with its words.
dfgui.marks = (strip) => {
  const NEAR = 9; // px; what is closer together is one mark with the words of all

  // `marks` is [[step, kind, words], ...] by step; `chart` says where a step is.
  function place(chart, marks) {
    const spots = [];
    const start = chart.bbox.left / devicePixelRatio;
    const { min, max } = chart.scales.x;
    for (const [step, kind, words] of marks.filter(([at]) => at >= min && at <= max)) {
      const left = Math.round(start + chart.valToPos(step, "x"));
      const last = spots.at(-1);
      if (last && left - last.left < NEAR) Object.assign(last, { words: `${last.words}\n${words}`, kind: kind === "resumed" ? kind : last.kind });
      else spots.push({ left, kind, words });
    }
    while (strip.children.length > spots.length) strip.lastChild.remove();
    while (strip.children.length < spots.length) strip.append(document.createElement("li"));
    spots.forEach((spot, place) => draw(strip.children[place], spot));
  }

  // Only what differs is written, so that words on show do not flicker.
  function draw(mark, { left, kind, words }) {
    const sign = kind === "resumed" ? "↻" : kind === "stop" ? "■" : "◆";
    if (mark.textContent !== sign) mark.textContent = sign;
    if (mark.className !== kind) mark.className = kind;
    if (mark.style.left !== `${left}px`) mark.style.left = `${left}px`;
    if (mark.title === words) return;
    mark.title = words;
    mark.setAttribute("aria-label", words);
  }

  return { place };
};
