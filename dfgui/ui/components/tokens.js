// The tokens of a row, by mouse and by keyboard: one of them is in the tab order, the arrows lead on from it, and what
// the token under the mouse or the focus is stands in the line above. Text is found across the borders of tokens.
(() => {
  const tokenOf = (event) => event.target.closest && event.target.closest(".tokens i");

  function say(event) {
    const token = tokenOf(event);
    if (!token) return;
    const line = token.closest(".tokens").parentElement.querySelector(".token-said");
    if (line) line.textContent = `${JSON.stringify(token.textContent)} · input_ids ${token.title}`;
  }

  function move(event) {
    const token = tokenOf(event);
    if (!token || event.ctrlKey || event.metaKey || event.altKey) return;
    const all = [...token.closest(".tokens").querySelectorAll("i")];
    const next = ways[event.key] && ways[event.key](all, all.indexOf(token));
    if (!next) return;
    event.preventDefault();
    token.removeAttribute("tabindex");
    next.tabIndex = 0;
    next.focus();
  }

  const ways = {
    ArrowLeft: (all, at) => all[Math.max(at - 1, 0)],
    ArrowRight: (all, at) => all[Math.min(at + 1, all.length - 1)],
    ArrowUp: (all, at) => inLine(all.slice(0, at).reverse(), all[at]),
    ArrowDown: (all, at) => inLine(all.slice(at + 1), all[at]),
    Home: (all) => all[0],
    End: (all) => all[all.length - 1],
  };

  // Of the next line with tokens in it, the one nearest below or above; the last one there is where that line is missing.
  function inLine(ahead, token) {
    const { top, left } = token.getBoundingClientRect();
    let line = null;
    let nearest = ahead[ahead.length - 1] || token;
    let least = Infinity;
    for (const other of ahead) {
      const box = other.getClientRects()[0];
      if (!box || Math.abs(box.top - top) < 2) continue;
      line ??= box.top;
      if (Math.abs(box.top - line) >= 2) break;
      if (Math.abs(box.left - left) < least) [nearest, least] = [other, Math.abs(box.left - left)];
    }
    return nearest;
  }

  // Marks what is looked for; Enter goes to the next one.
  function find(event) {
    const box = event.target;
    if (!box.matches || !box.matches(".token-find")) return;
    if (event.type === "keydown" && event.key !== "Enter") return;
    const shown = box.closest(".legend").parentElement.querySelector(".tokens");
    const hits = event.type === "input" ? mark(shown, box.value) : shown.hits || [];
    shown.at = event.type === "input" || !hits.length ? 0 : (shown.at + (event.shiftKey ? hits.length - 1 : 1)) % hits.length;
    for (const token of shown.querySelectorAll("i.at")) token.classList.remove("at");
    const [first] = hits[shown.at] || [];
    for (const token of hits[shown.at] || []) token.classList.add("at");
    if (first) first.scrollIntoView({ block: "center" });
    box.closest("label").querySelector("output").textContent = !box.value ? "" : hits.length ? `${shown.at + 1} of ${hits.length}` : "not found";
  }

  // The tokens of each place where the text stands, as lists; they are marked on the page.
  function mark(shown, text) {
    for (const token of shown.querySelectorAll("i.hit")) token.classList.remove("hit");
    const tokens = [...shown.querySelectorAll("i")];
    const starts = [];
    let whole = "";
    for (const token of tokens) {
      starts.push(whole.length);
      whole += token.textContent;
    }
    const wanted = text.toLowerCase();
    const low = whole.toLowerCase();
    shown.hits = [];
    let at = 0;
    for (let place = wanted ? low.indexOf(wanted) : -1; place >= 0; place = low.indexOf(wanted, place + wanted.length)) {
      while (at + 1 < tokens.length && starts[at + 1] <= place) at += 1;
      let end = at + 1;
      while (end < tokens.length && starts[end] < place + wanted.length) end += 1;
      const hit = tokens.slice(at, end);
      for (const token of hit) token.classList.add("hit");
      shown.hits.push(hit);
    }
    return shown.hits;
  }

  document.addEventListener("input", find);
  document.addEventListener("keydown", find);
  document.addEventListener("focusin", say);
  document.addEventListener("mouseover", say);
  document.addEventListener("keydown", move);
})();
