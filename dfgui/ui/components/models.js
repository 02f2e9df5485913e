// Browse models: a list of what there is, a search of the Hub, and one model in detail before it is chosen.
dfgui.models = (() => {
  const PATIENCE_MS = 300; // after the last key, before the Hub is asked
  const LOOK_MS = 180; // after the last step of the arrow keys, before a model is looked at
  const AGAIN_MS = 1500; // while a model is measured
  const FAR_MS = 500; // while one is downloaded
  const ID = /^[\w][\w.-]*\/[\w][\w.-]*$/;
  const make = (kind, text = "", className = "") => Object.assign(document.createElement(kind), { textContent: text, className });
  const models = { wanted: "" };
  let root, dialog, list, box, server, trigger;
  let groups = []; // what can be picked without the Hub: {key, title, models}
  let hub = null; // what the Hub has: {models} or {error}; null where it was not asked
  let chosen = null; // the row that is looked at
  let place = ""; // the id of its line: a model may stand in several groups
  let shown = null; // what the server said of it: {card, fit, download}
  let downloads = []; // of all models, under way or over
  let fits = new Map(); // name -> fit, of the first group
  let asked = 0; // counts questions, so that a late answer is known
  let searched = 0;
  let opened = 0;
  const timers = {};
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
      Object.values(timers).forEach(clearTimeout);
      asked += 1;
      searched += 1;
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
    find("form.revision").addEventListener("submit", (event) => {
      event.preventDefault();
      look();
    });
    find(".revision input").addEventListener("input", () => (find(".use").disabled = !shown?.card.usable));
    find(".use").addEventListener("click", use);
    find(".download").addEventListener("click", () => fetching("begin_download"));
    find(".cancel").addEventListener("click", () => fetching("cancel_download"));
  }

  const call = (name, question) => dfgui.live.call(name, question, server);
  const revision = () => find(".revision input").value.trim();
  const after = (name, ms, then) => {
    clearTimeout(timers[name]);
    timers[name] = setTimeout(then, ms);
  };

  async function open() {
    box.value = "";
    hub = null;
    dialog.classList.remove("detailed");
    dialog.showModal();
    box.focus();
    const answer = await call("list_models", {});
    if (answer.error) return count(words(answer.error));
    groups = answer.groups;
    downloads = answer.downloads;
    draw();
    shown ? again() : choose(chosen?.value || current() || "demo"); // what was looked at last is there still
    if (downloads.some((one) => one.state === "running")) after("far", FAR_MS, far);
    measure();
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
    clearTimeout(timers.search);
    if (text.length < 2) return;
    count("Asking the Hub …");
    const mine = searched;
    after("search", PATIENCE_MS, async () => {
      const answer = await call("find_models", { text: text.replace(/^https?:\/\/[^/]+\//, "") });
      if (mine !== searched || !dialog.open) return; // something else has been written meanwhile
      hub = answer;
      draw();
    });
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
    const title = Object.assign(make("h5", group.title), { id: `models-${group.key}` });
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
    const loading = downloads.find((one) => one.name === row.value && one.state === "running");
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
    const of = rows().filter((item) => item.dataset.value === chosen?.value);
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

  // ---- one model

  function choose(value, { row = null, id = "", wait = 0 } = {}) {
    chosen = row || rowOf(value) || { value, title: value, changes: {} };
    place = id;
    point()?.scrollIntoView({ block: "nearest" });
    find("h4").textContent = chosen.title;
    find(".revision input").value = value === current() ? dfgui.train.left()["model.revision"] || "" : "";
    asked += 1;
    clear("Looking …");
    after("look", wait, look);
  }

  function again() {
    point()?.scrollIntoView({ block: "nearest" });
    look();
  }

  const say = (text) => (find(".one > .state").textContent = text);

  function clear(text) {
    shown = null;
    say(text);
    find(".what").hidden = find(".page").hidden = find(".trouble").hidden = find(".loading").hidden = find(".download").hidden = true;
    find("footer").hidden = true;
    clearTimeout(timers.fit);
  }

  // About the model as it is shown, or at the revision that is written now.
  const question = (at = shown.card.revision) => ({ name: chosen.value, revision: at, settings: { ...dfgui.train.left(), ...chosen.changes } });

  async function look() {
    const mine = (asked += 1);
    const answer = await call("look_at", question(revision()));
    if (mine !== asked || !dialog.open) return; // another one is looked at meanwhile
    if (answer.error) return refused(answer.error);
    shown = answer;
    show();
  }

  // A revision that is not there leaves what is said of the model; before anything is said, the trouble is all there is.
  function refused(error) {
    if (shown) {
      find(".commit").textContent = "";
      find(".use").disabled = true;
      return trouble(error);
    }
    clear("");
    trouble(error);
  }

  function trouble(error) {
    const place = find(".trouble");
    place.hidden = !error;
    if (error) place.replaceChildren(make("b", error.what), ` ${error.why} `, make("span", error.do, "cure"));
  }

  function show() {
    const { card, download } = shown;
    say("");
    find(".what").hidden = find("footer").hidden = false;
    find("h4").textContent = card.title;
    const page = find(".page");
    page.hidden = !card.page;
    if (card.page) page.href = card.page;
    find(".remarks").replaceChildren(...card.notes.map(note));
    find("dl").replaceChildren(...card.facts.flatMap(([name, value, exact]) => [named(name, exact), make("dd", value)]));
    find("form.revision").hidden = !card.pinned;
    find(".commit").textContent = card.commit ? `It stands for commit ${card.commit.slice(0, 12)} now.` : "";
    find(".commit").title = card.commit;
    find(".use").disabled = !card.usable;
    trouble(null);
    showFit();
    showDownload(download);
  }

  function named(name, exact) {
    const term = make("dt", name);
    if (exact) term.append(" ", make("small", exact));
    return term;
  }

  function note(one) {
    const item = make("li", "", `remark ${one.kind}`);
    item.append(make("b", one.title), ` ${one.text} ${one.do}`);
    return item;
  }

  function showFit() {
    const { fit } = shown;
    const line = find(".fit");
    line.hidden = !fit || !fit.words;
    if (!fit) return;
    const mark = line.querySelector(".badge");
    mark.hidden = !fit.badge;
    mark.dataset.kind = fit.badge?.kind || "";
    mark.textContent = fit.badge?.words || "";
    line.querySelector(".time").textContent = fit.time ? `${fit.time[0].toUpperCase()}${fit.time.slice(1)}. ` : "";
    line.querySelector(".why").textContent = fit.words;
    if (fit.pending) after("fit", AGAIN_MS, measured);
  }

  async function measured() {
    const mine = asked;
    const answer = await call("fits_here", question());
    if (mine !== asked || !dialog.open || !shown || answer.error) return;
    shown.fit = answer.fit;
    showFit();
  }

  function showDownload(download) {
    shown.download = download;
    const running = download?.state === "running";
    const { card } = shown;
    find(".loading").hidden = !download || download.state === "failed" || (download.state === "done" && !card.here);
    find(".loading progress").hidden = find(".cancel").hidden = !running;
    find(".download").hidden = running || !card.download;
    find(".download").textContent = card.download;
    if (!download) return;
    running && !download.share ? find("progress").removeAttribute("value") : (find("progress").value = download.share);
    find(".far").textContent = download.words;
    if (download.state === "failed") trouble(download.error);
    if (running) after("far", FAR_MS, far);
  }

  async function fetching(name) {
    if (!shown) return;
    trouble(null);
    const held = find(name === "begin_download" ? ".download" : ".cancel");
    held.disabled = true;
    const answer = await call(name, question());
    held.disabled = false;
    if (answer.error) return trouble(answer.error);
    if (!shown) return;
    showDownload(answer.download);
    if (name === "begin_download") return find(".cancel").focus();
    await look(); // how much is left to fetch has changed
    find(".download").focus();
  }

  // How far all downloads are. They belong to the server: they go on when this is closed, and are found again.
  async function far() {
    const answer = await call("list_downloads", {});
    if (!dialog.open) return;
    if (answer.error) return after("far", 4 * FAR_MS, far);
    downloads = answer.downloads;
    for (const row of matching().flatMap((group) => group.models)) badge(row);
    const mine = shown && downloads.find((one) => one.name === shown.card.value && one.revision === shown.card.revision);
    const ended = mine && shown.download?.state === "running" && mine.state !== "running";
    if (mine) showDownload(mine);
    if (ended) await settle();
    if (downloads.some((one) => one.state === "running")) after("far", FAR_MS, far);
  }

  // What has been downloaded is on this machine: the list, the model and what is said on Train may differ.
  async function settle() {
    trigger("change");
    const answer = await call("list_models", {});
    if (answer.error || !dialog.open) return;
    groups = answer.groups;
    draw();
    await look();
  }

  async function use() {
    if (shown && revision() !== shown.card.revision) await look(); // it was written and not looked at yet
    if (!shown?.card.usable || revision() !== shown.card.revision) return;
    const changes = { "model.name": chosen.value, ...chosen.changes };
    const wanted = shown.card.revision || null;
    if (wanted !== (dfgui.train.left()["model.revision"] || null)) changes["model.revision"] = wanted;
    models.wanted = JSON.stringify({ changes, because: "The model is chosen.", at: Date.now() });
    trigger("select");
    dialog.close();
  }

  return Object.assign(models, { boot });
})();
