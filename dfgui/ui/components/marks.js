// The strip under the loss curve: where the run was resumed, and what was asked of it, each with its words.
dfgui.marks = (strip) => {
  const NEAR = 9; // px; what is closer together is one mark with the signs and the words of all
  const SIGNS = { resumed: "↻", stop: "■" };
  const sign = (kind) => SIGNS[kind] || "◆";

  // `marks` is [[step, kind, words], ...] by step; `chart` says where a step is.
  function place(chart, marks) {
    const spots = [];
    const start = chart.bbox.left / devicePixelRatio;
    const { min, max } = chart.scales.x;
    for (const [step, kind, words] of marks.filter(([at]) => at >= min && at <= max)) {
      const left = Math.round(start + chart.valToPos(step, "x"));
      const last = spots.at(-1);
      if (last && left - last.left < NEAR * last.kinds.length) {
        last.words += `\n${words}`;
        if (!last.kinds.some((other) => sign(other) === sign(kind))) last.kinds.push(kind);
      } else spots.push({ left, kinds: [kind], words });
    }
    while (strip.children.length > spots.length) strip.lastChild.remove();
    while (strip.children.length < spots.length) strip.append(document.createElement("li"));
    spots.forEach((spot, place) => draw(strip.children[place], spot));
  }

  // Only what differs is written, so that words on show do not flicker.
  function draw(mark, { left, kinds, words }) {
    if (mark.className !== kinds.join(" ")) {
      mark.className = kinds.join(" ");
      mark.replaceChildren(...kinds.map((kind) => Object.assign(document.createElement("i"), { textContent: sign(kind) })));
      [...mark.children].forEach((drawn, i) => (drawn.dataset.kind = kinds[i]));
    }
    if (mark.style.left !== `${left}px`) mark.style.left = `${left}px`;
    if (mark.title === words) return;
    mark.title = words;
    mark.setAttribute("aria-label", words);
  }

  return { place };
};
