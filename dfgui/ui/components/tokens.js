// The tokens of a row, by mouse and by keyboard: one of them is in the tab order, the arrows lead on from it, and what
// the token under the mouse or the focus is stands in the line above.
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

  document.addEventListener("focusin", say);
  document.addEventListener("mouseover", say);
  document.addEventListener("keydown", move);
})();
