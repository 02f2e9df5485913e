// Browse models: a list of what there is and a search of the Hub; model.js shows the one that is looked at.
dfgui.models = (() => {
  const PATIENCE_MS = 300; // after the last key, before the Hub is asked
  const LOOK_MS = 180; // after the last step of the arrow keys, before a model is looked at
  const AGAIN_MS = 1500; // while a model is measured
  const ID = /^[\w][\w.-]*\/[\w][\w.-]*$/;
  const make = (kind, text = "", className = "") => Object.assign(document.createElement(kind), { textContent: text, className });
  const models = { wanted: "" }; // the settings that go with the choice, for the form
  let root, dialog, list, box, server, trigger;
  let groups = []; // what can be picked without the Hub: {key, title, models}
  let hub = null; // what the Hub has: {models} or {error}; null where it was not asked
  let place = ""; // the id of the line that is looked at: a model may stand in several groups
  const fits = new Map(); // name -> fit, of the first group
  let searched = 0; // counts questions, so that a late answer is known
  let opened = 0;
  let waiting = null;
  const find = (selector) => dialog.querySelector(selector);

  function boot(element, functions, tell) {
    root = element;
    server = functions;
    trigger = tell;
    dialog = root.querySelector("dialog");
    list = find(".list");
    box = find("input[type=search]");
    const button = root.querySelector(".models-open");
    button.addEventListener("click", open);
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    dialog.addEventListener("close", () => {
      clearTimeout(waiting);
      searched += 1;
      dfgui.model.leave();
      button.focus();
    });
    box.addEventListener("input", typed);
    box.addEventListener("keydown", inBox);
    list.addEventListener("keydown", inList);
    list.addEventListener("click", (event) => {
      const item = event.target.closest("[role=option]");
      if (!item) return;
      choose(item.dataset.value, { id: item.id });
      dialog.classList.add("detailed");
      if (getComputedStyle(find(".to-list")).display !== "none") find("h4").focus();
    });
    find(".to-list").addEventListener("click", () => {
      dialog.classList.remove("detailed");
      list.focus();
    });
    dfgui.model.boot(dialog, call, { changed, chosen, told });
  }

  const call = (name, question) => dfgui.live.call(name, question, server);

  async function open() {
    box.value = "";
    hub = null;
    dialog.classList.remove("detailed");
    dialog.showModal();
    box.focus();
    const answer = await call("list_models", {});
    if (answer.error) return count(words(answer.error));
    groups = answer.groups;
    dfgui.model.downloads = answer.downloads;
    draw();
    if (!dfgui.model.again()) choose(dfgui.model.row?.value || current() || "demo");
    point()?.scrollIntoView({ block: "nearest" });
    dfgui.model.follow();
    measure();
  }

  // A download has ended: what is on this machine and what is said on Train may differ.
  async function changed() {
    trigger("change");
    const answer = await call("list_models", {});
    if (answer.error || !dialog.open) return;
    groups = answer.groups;
    draw();
  }

  function chosen(wanted) {
    models.wanted = wanted;
    trigger("select");
    dialog.close();
  }

  // There is news of downloads.
  function told() {
    for (const row of matching().flatMap((group) => group.models)) badge(row);
  }

  // The model that the field names now.
  const current = () => dfgui.train.left()["model.name"];

  // The badges of the first group, one after the other: each may have to be measured, with the settings of now.
  async function measure() {
    const mine = (opened += 1);
    const settings = dfgui.train.left();
    for (const row of groups.find((group) => group.key === "first")?.models || []) {
      for (let fetch = true; ; fetch = false) {
        const { fit } = await call("fits_here", { name: row.value, settings: { ...settings, ...row.changes }, fetch });
        if (mine !== opened || !dialog.open) return;
        if (fit && !fit.pending) fits.set(row.value, fit), badge(row);
        if (!fit?.pending) break;
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  }

  // ---- the list

  function typed() {
    const text = box.value.trim();
    searched += 1;
    hub = null;
    draw();
    clearTimeout(waiting);
    if (text.length < 2) return;
    count("Asking the Hub …");
    const mine = searched;
    waiting = setTimeout(async () => {
      const answer = await call("find_models", { text: text.replace(/^https?:\/\/[^/]+\//, "") });
      if (mine !== searched || !dialog.open) return; // something else has been written meanwhile
      hub = answer;
      draw();
    }, PATIENCE_MS);
  }

  function matching() {
    const wanted = box.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (row) => wanted.every((word) => `${row.title} ${row.value}`.toLowerCase().includes(word));
    const here = groups.map((group) => ({ ...group, models: group.models.filter(fits) })).filter((group) => group.models.length);
    const known = new Set(here.flatMap((group) => group.models.map((row) => row.value)));
    const there = (hub?.models || []).filter((row) => !known.has(row.value));
    return there.length ? [...here, { key: "hub", title: "On the Hub: text generation, the most downloaded first", models: there }] : here;
  }

  const rows = () => [...list.querySelectorAll("[role=option]")];
  const rowOf = (value) => matching().flatMap((group) => group.models).find((row) => row.value === value);

  function draw() {
    const found = matching();
    list.replaceChildren(...found.map(section));
    const here = found.filter((group) => group.key !== "hub").reduce((sum, group) => sum + group.models.length, 0);
    const there = found.find((group) => group.key === "hub")?.models.length || 0;
    if (!found.length && !(box.value.trim().length >= 2 && !hub)) list.replaceChildren(make("p", "Nothing of that name. Write a whole name, owner/name, and press Enter to look at it.", "none"));
    if (hub?.error) count(`${words(hub.error)}`);
    else if (hub) count(`${here} here, ${there}${here ? " more" : ""} on the Hub.`);
    else count(box.value.trim() ? `${here} here.` : "");
    point();
  }

  function section(group) {
    const part = make("div", "", "group");
    part.setAttribute("role", "group");
    const title = Object.assign(make("h5", group.title), { id: `models-${group.key}`, role: "presentation" });
    part.setAttribute("aria-labelledby", title.id);
    part.append(title, ...group.models.map((row, i) => option(row, `models-${group.key}-${i}`)));
    return part;
  }

  function option(row, id) {
    const item = Object.assign(make("div", "", "option"), { id });
    item.setAttribute("role", "option");
    item.dataset.value = row.value;
    const badges = make("span", "", "badges");
    item.append(make("b", row.title), badges, make("small", row.facts));
    fill(badges, row);
    return item;
  }

  function fill(badges, row) {
    const fit = fits.get(row.value)?.badge;
    const loading = dfgui.model.downloads.find((one) => one.name === row.value && one.state === "running");
    const all = [...row.badges, ...(loading ? [{ kind: "plain", words: `downloading ${Math.floor(loading.share * 100)} %` }] : []), ...(fit ? [fit] : [])];
    badges.replaceChildren(...all.map((one) => Object.assign(make("span", one.words, "badge"), { title: fits.get(row.value)?.time || "" })));
    [...badges.children].forEach((child, i) => (child.dataset.kind = all[i].kind));
  }

  function badge(row) {
    for (const item of rows()) if (item.dataset.value === row.value) fill(item.querySelector(".badges"), row);
    const time = fits.get(row.value)?.time;
    if (!time) return;
    for (const item of rows()) if (item.dataset.value === row.value) item.querySelector("small").textContent = `${row.facts} · ${time.split(" here")[0]} here`;
  }

  const count = (text) => (find(".tally").textContent = text);
  const words = (error) => `${error.what} ${error.why} ${error.do}`;

  // Which row is looked at: the listbox says it by its id, since the rows have no focus of their own.
  function point() {
    const of = rows().filter((item) => item.dataset.value === dfgui.model.row?.value);
    const at = of.find((item) => item.id === place) || of[0];
    for (const item of rows()) item.setAttribute("aria-selected", String(item === at));
    at ? list.setAttribute("aria-activedescendant", at.id) : list.removeAttribute("aria-activedescendant");
    return at;
  }

  function inBox(event) {
    if (event.key === "ArrowDown" && rows().length) {
      event.preventDefault();
      list.focus();
      if (!point()) choose(rows()[0].dataset.value, { id: rows()[0].id });
    } else if (event.key === "Enter") {
      event.preventDefault();
      const name = box.value.trim().replace(/^https?:\/\/[^/]+\//, "").split("/").slice(0, 2).join("/");
      const row = rowOf(name) || (ID.test(name) ? { value: name, title: name, changes: {} } : matching()[0]?.models[0]);
      if (!row) return;
      choose(row.value, { row });
      dialog.classList.add("detailed");
    } else if (event.key === "Escape" && box.value) {
      event.preventDefault(); // what was written goes first, the dialog with the next one
      box.value = "";
      typed();
    }
  }

  function inList(event) {
    const all = rows();
    const at = all.findIndex((item) => item.getAttribute("aria-selected") === "true");
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      dialog.classList.add("detailed");
      find(".use").focus();
    } else if (to !== undefined) {
      event.preventDefault();
      if (to < 0) return box.focus();
      if (all[to]) choose(all[to].dataset.value, { id: all[to].id, wait: LOOK_MS });
    }
  }

  function choose(value, { row = null, id = "", wait = 0 } = {}) {
    const at = value === current() ? dfgui.train.left()["model.revision"] || "" : "";
    dfgui.model.choose(row || rowOf(value) || { value, title: value, changes: {} }, at, wait);
    place = id;
    point()?.scrollIntoView({ block: "nearest" });
  }

  return Object.assign(models, { boot });
})();
