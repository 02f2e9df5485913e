// What the Train form needs of the browser: dots on what was changed and a way back, memory over a reload, a link, files.
dfgui.train = (() => {
  const KEPT = "dfgui.left"; // in the browser's own storage: what differs from the defaults, by path
  const SHORT = 18; // characters of a default that stand beside its field
  let state = { changed: {}, groups: [], left: {} };

  // Every check of the form says what is changed, and how it would be otherwise: {changed: {path: words}, groups: [group], left: {path: value}}.
  function told(text) {
    if (!text) return;
    state = JSON.parse(text);
    store.write(Object.keys(state.left).length ? JSON.stringify(state.left) : "");
    mark();
  }

  // A browser may keep nothing, as in a frame of another site.
  const store = {
    read() {
      try {
        return localStorage.getItem(KEPT) || "";
      } catch {
        return "";
      }
    },
    write(text) {
      try {
        text ? localStorage.setItem(KEPT, text) : localStorage.removeItem(KEPT);
      } catch {}
    },
  };

  // With what the form opens: settings in the address, or else those that were left here.
  function remembered() {
    const set = new URLSearchParams(location.search).getAll("set");
    if (set.length) return JSON.stringify({ set });
    const left = store.read();
    try {
      return left ? JSON.stringify({ left: JSON.parse(left) }) : "";
    } catch {
      return "";
    }
  }

  const pathOf = (field) => field.id.replace(/^field-/, "").replaceAll("__", ".");

  // Folded groups have no fields on the page: whatever comes is marked as it comes.
  function watch(settings) {
    settings.addEventListener("keydown", comma);
    new MutationObserver(mark).observe(settings, { subtree: true, childList: true });
    mark();
  }

  // 0,0002 as much of the world writes it: the browser would leave the comma out and make it a 2.
  function comma(event) {
    const { type, step } = event.target;
    if (event.key !== "," || type !== "number" || Number.isInteger(Number(step))) return;
    event.preventDefault();
    document.execCommand("insertText", false, ".");
  }

  function mark() {
    for (const field of document.querySelectorAll("#settings .field[id]")) {
      const usual = state.changed[pathOf(field)];
      const back = field.querySelector(":scope > .back");
      field.toggleAttribute("data-changed", usual !== undefined);
      if (usual === undefined) back?.remove();
      else if (!back) field.append(wayBack(field));
      else if (back.dataset.usual !== usual) back.replaceWith(wayBack(field));
    }
    for (const group of document.querySelectorAll("#settings .group")) {
      group.toggleAttribute("data-changed", state.groups.includes(group.id.replace("group-", "")));
    }
  }

  function wayBack(field) {
    const path = pathOf(field);
    const usual = state.changed[path];
    const title = field.querySelector('[data-testid="block-info"], label > span')?.textContent.trim() || path;
    const words = usual.length > SHORT ? `${usual.slice(0, SHORT)}…` : usual;
    const back = Object.assign(document.createElement("button"), { type: "button", className: "back", textContent: `↺ ${words}` });
    back.dataset.usual = usual;
    back.setAttribute("aria-label", `${title}: back to ${usual}`);
    back.addEventListener("click", () => dfgui.view.fill({ back: path }));
    return back;
  }

  // Buttons that fill the form, or put away what was said.
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-fill], [data-close]");
    if (!button) return;
    if ("fill" in button.dataset) return dfgui.view.fill(JSON.parse(button.dataset.fill));
    button.closest(".said").remove();
    document.querySelector("#presets button").focus();
  });

  // What the server has written: {name, kind, text} to be saved as a file, {copy} to be put where pasting takes it from.
  function take(text) {
    if (!text) return;
    const written = JSON.parse(text);
    if ("copy" in written) return copy(written.copy, written.what, written.then);
    const address = URL.createObjectURL(new Blob([written.text], { type: written.kind }));
    Object.assign(document.createElement("a"), { href: address, download: written.name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
    said(`Saved as ${written.name}.`);
  }

  async function copy(text, what, then = "") {
    const done = await navigator.clipboard?.writeText(text).then(() => true, () => false);
    said(done ? `${what} copied. ${then}`.trim() : `${what}, to copy from here:`, done ? "" : text);
  }

  // What was said is true of the form as it was: whatever is done next takes it away.
  function unsay(event) {
    const place = document.querySelector("#file-said");
    if (place?.hasChildNodes() && !place.contains(event.target)) place.replaceChildren();
  }
  for (const kind of ["input", "click"]) document.addEventListener(kind, unsay, true);

  function said(words, text) {
    const place = document.querySelector("#file-said");
    const line = Object.assign(document.createElement("p"), { textContent: words });
    place.replaceChildren(line);
    if (!text) return;
    const box = Object.assign(document.createElement("textarea"), { readOnly: true, value: text, rows: 3 });
    box.setAttribute("aria-label", words);
    place.append(box);
    box.select();
  }

  // The page with this form, for somebody else or for later.
  function link() {
    const address = new URL(location.href);
    address.search = "";
    address.hash = "";
    address.searchParams.set("view", "train");
    for (const [path, value] of Object.entries(state.left)) address.searchParams.append("set", `${path}=${JSON.stringify(value)}`);
    const uploaded = String(state.left["data.source"] || "").includes("/uploads/");
    copy(address.href, "Link", uploaded ? "It works on this computer, with this upload." : "");
  }

  // A file is read here and goes to the server as text.
  function load() {
    const chooser = Object.assign(document.createElement("input"), { type: "file", accept: ".yaml,.yml" });
    chooser.addEventListener("change", async () => {
      const [file] = chooser.files;
      if (file) dfgui.view.fill({ yaml: await file.text(), file: file.name });
    });
    chooser.click();
  }

  return { told, remembered, left: () => state.left, watch, take, link, load };
})();
