// A menu beside a button, and tips beside words: both by mouse and by keyboard, above everything else on the page.
dfgui.menu = (() => {
  const EDGE = 8; // pixels kept between them and the window's edge
  let box = null;

  // `items`: [{label, about, act, off, danger}]; `off` says why it cannot be chosen now. The focus comes back to the button.
  function open(button, items) {
    close();
    box = document.createElement("div");
    box.className = "df-menu";
    box.popover = "auto";
    box.setAttribute("role", "menu");
    box.append(...items.map((item) => entry(item, button)));
    box.addEventListener("keydown", keyed);
    box.addEventListener("toggle", (event) => {
      if (event.newState !== "closed") return;
      button.setAttribute("aria-expanded", "false");
      event.target.remove();
    });
    button.closest(".gradio-container").append(box);
    button.setAttribute("aria-expanded", "true");
    box.showPopover();
    beside(box, button.getBoundingClientRect(), true);
    box.firstChild.focus();
  }

  function entry({ label, about, act, off, danger }, button) {
    const line = document.createElement("button");
    line.type = "button";
    line.setAttribute("role", "menuitem");
    line.className = danger ? "danger" : "";
    line.append(label, Object.assign(document.createElement("small"), { textContent: off || about || "" }));
    if (off) line.setAttribute("aria-disabled", "true");
    line.addEventListener("click", () => {
      if (off) return;
      close();
      button.focus({ preventScroll: true });
      act();
    });
    return line;
  }

  function close() {
    if (box && box.isConnected) box.hidePopover();
    box = null;
  }

  function keyed(event) {
    const lines = [...event.currentTarget.children];
    const at = lines.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (event.key === "Tab") close();
    if (to === undefined) return;
    lines.at(to % lines.length).focus();
    event.preventDefault();
  }

  // Below the place if there is room, else above it; `right`: their right edges stand together.
  function beside(element, place, right) {
    const { width, height } = element.getBoundingClientRect();
    const left = right ? place.right - width : place.left;
    const below = place.bottom + 4;
    const top = below + height > innerHeight - EDGE ? place.top - height - 4 : below;
    element.style.left = `${Math.max(Math.min(left, innerWidth - width - EDGE), EDGE)}px`;
    element.style.top = `${Math.max(top, EDGE)}px`;
  }

  // Says `words` beside an element while it is pointed at or has the focus. Returns the element.
  let tip = null;
  function tell(element, words) {
    element.setAttribute("aria-description", words);
    const show = () => {
      tip ||= Object.assign(document.createElement("div"), { className: "df-tip", popover: "manual" });
      tip.setAttribute("role", "tooltip");
      document.body.append(tip);
      tip.textContent = words;
      tip.showPopover();
      beside(tip, element.getBoundingClientRect(), false);
    };
    const hide = () => tip && tip.isConnected && tip.remove();
    for (const event of ["pointerenter", "focus"]) element.addEventListener(event, show);
    for (const event of ["pointerleave", "blur"]) element.addEventListener(event, hide);
    element.addEventListener("keydown", (event) => event.key === "Escape" && hide());
    return element;
  }

  return { open, close, tell };
})();
