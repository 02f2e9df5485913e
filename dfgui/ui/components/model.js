// One model of Browse models in detail: what it is, whether it fits here, its download, and the choice.
dfgui.model = (() => {
  const AGAIN_MS = 1500; // while it is measured
  const FAR_MS = 500; // while one is downloaded
  const make = (kind, text = "", className = "") => Object.assign(document.createElement(kind), { textContent: text, className });
  const model = { row: null, downloads: [] }; // the row that is looked at; the downloads of all, under way or over
  let dialog, call, around; // around: {changed(), chosen(wanted), told()}, which the list does
  let shown = null; // what the server said of it: {card, fit, download}
  let asked = 0; // counts questions, so that a late answer is known
  const timers = {};
  const find = (selector) => dialog.querySelector(selector);

  function boot(element, ask, list) {
    dialog = element;
    call = ask;
    around = list;
    find("form.revision").addEventListener("submit", (event) => {
      event.preventDefault();
      look();
    });
    find(".revision input").addEventListener("input", () => (find(".use").disabled = !shown?.card.usable));
    find(".use").addEventListener("click", use);
    find(".download").addEventListener("click", () => fetching("begin_download"));
    find(".cancel").addEventListener("click", () => fetching("cancel_download"));
  }

  const revision = () => find(".revision input").value.trim();
  const after = (name, ms, then) => {
    clearTimeout(timers[name]);
    timers[name] = setTimeout(then, ms);
  };

  // Nobody looks any more: answers that are on their way come too late.
  function leave() {
    Object.values(timers).forEach(clearTimeout);
    asked += 1;
  }

  // Looks at a model, `wait` ms from now; `at`: the revision that the form has for it.
  function choose(row, at, wait = 0) {
    model.row = row;
    find("h4").textContent = row.title;
    find(".revision input").value = at;
    asked += 1;
    clear("Looking …");
    after("look", wait, look);
  }

  // What was looked at last is there still, when the dialog opens again.
  function again() {
    if (!shown) return false;
    look();
    return true;
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
  const question = (at = shown.card.revision) => ({ name: model.row.value, revision: at, settings: { ...dfgui.train.left(), ...model.row.changes } });

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
    showCommit(card);
    find(".use").disabled = !card.usable;
    trouble(null);
    showFit();
    showDownload(download);
  }

  // What the revision stands for, and a way to keep to it: a branch moves on.
  function showCommit({ commit, revision: at }) {
    const line = find(".commit");
    line.title = commit;
    line.textContent = commit ? `It stands for commit ${commit.slice(0, 12)} now.` : "";
    if (!commit || commit === at) return;
    const pin = Object.assign(make("button", "Pin it", "df-button small"), { type: "button" });
    pin.addEventListener("click", () => {
      find(".revision input").value = commit;
      find(".revision input").focus();
      look();
    });
    line.append(" ", pin);
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
    const held = document.activeElement === find(".cancel"); // which goes with its focus
    find(".loading").hidden = !download || download.state === "failed" || (download.state === "done" && !card.here);
    find(".loading progress").hidden = find(".cancel").hidden = !running;
    find(".download").hidden = running || !card.download;
    find(".download").textContent = card.download;
    if (!download) return;
    if (!running && held) find(".use").focus();
    running && !download.share ? find("progress").removeAttribute("value") : (find("progress").value = download.share);
    find(".far").textContent = download.words;
    if (download.state === "failed") trouble(download.error);
    if (running) after("far", FAR_MS, far);
  }

  async function fetching(name) {
    if (!shown) return;
    trouble(null);
    const mine = asked;
    const button = find(name === "begin_download" ? ".download" : ".cancel");
    button.disabled = true;
    const answer = await call(name, question());
    button.disabled = false;
    if (mine !== asked || !dialog.open) return;
    if (answer.error) return trouble(answer.error);
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
    model.downloads = answer.downloads;
    around.told();
    const mine = shown && model.downloads.find((one) => one.name === shown.card.value && one.revision === shown.card.revision);
    const ended = mine && shown.download?.state === "running" && mine.state !== "running";
    if (mine) showDownload(mine);
    if (ended) await Promise.all([around.changed(), look()]);
    follow();
  }

  function follow() {
    if (model.downloads.some((one) => one.state === "running")) after("far", FAR_MS, far);
  }

  async function use() {
    if (shown && revision() !== shown.card.revision) await look(); // it was written and not looked at yet
    if (!shown?.card.usable || revision() !== shown.card.revision) return;
    const changes = { "model.name": model.row.value, ...model.row.changes };
    const wanted = shown.card.revision || null;
    if (wanted !== (dfgui.train.left()["model.revision"] || null)) changes["model.revision"] = wanted;
    around.chosen(JSON.stringify({ changes, because: "The model is chosen.", at: Date.now() }));
  }

  return Object.assign(model, { boot, choose, again, follow, leave });
})();
