// The Monitor page: fills monitor.html from the pulse's answers. Names and messages go in as text, never as HTML.
dfgui.monitor = (() => {
  const KEPT_EVENTS = 200;
  const LOG_MS = 5000; // how often the full log is read again while it is open
  const SECTIONS = ["head", "best", "ending", "resume", "checkpoints", "older", "commands", "marks", "about", "state", "missing"];
  const STOP_ASKED = /^Stop\b.*: (requested|taken at step \S+)$/;
  const NEW = { head: null, event: null, part: null, ended: null, happened: "", answers: [], checkpoints: [] };
  const page = { run: "", ...NEW };
  let root, held, charts, commands, resume;

  const find = (selector) => root.querySelector(selector);
  const make = (kind, text = "", className = "") => Object.assign(document.createElement(kind), { textContent: text, className });

  function boot(element, metrics) {
    root = element.querySelector(".monitor");
    held = dfgui.curves(metrics);
    charts = dfgui.charts(root, held);
    for (const button of root.querySelectorAll("[data-go]")) button.addEventListener("click", () => dfgui.view.go(button.dataset.go));
    commands = dfgui.commands(root, page, say);
    resume = dfgui.resume(root, page);
    find(".next .resume").addEventListener("click", resume.open);
    find(".next .mend").addEventListener("click", () => dfgui.view.mended(page.run));
    find(".next .again").addEventListener("click", () => dfgui.menu.open(find(".next .again"), dfgui.again(page.run, page.ended.longer)));
    find(".raw").addEventListener("toggle", readLog);
    find(".state").addEventListener("toggle", () => find(".state").open && dfgui.live.ask());
    setInterval(() => page.head && !page.ended && readLog(), LOG_MS);
    dfgui.live.join({ question, answer });
    dfgui.view.listen(turned);
    turned();
  }

  // Another run, or this page again after another one.
  function turned() {
    if (dfgui.view.page !== "monitor") return;
    if (dfgui.view.run !== page.run) forget();
    page.run = dfgui.view.run;
    if (!page.run) empty("No run yet", "Start one on Train; its loss, its checkpoints and its log appear here while it trains.");
    dfgui.live.ask();
  }

  function forget() {
    for (const section of SECTIONS) dfgui.live.forget(section);
    Object.assign(page, NEW);
    commands.leave();
    resume.leave();
    held.clear();
    charts.clear();
    find(".events").replaceChildren();
    find(".raw pre").textContent = "";
    find(".state dl").replaceChildren();
    empty();
  }

  function question(asked) {
    if (asked.view !== "monitor" || !page.run) return;
    asked.cursor = held.cursor();
    asked.part = page.part;
    if (find(".state").open) asked.closely = true;
    if (page.event !== null) asked.event = page.event;
  }

  function answer(news) {
    if (dfgui.view.page !== "monitor" || !page.run) return;
    if (news.missing) return empty("This run is not here", news.missing);
    if (news.head) drawHead(news.head);
    if ("best" in news) fact("best", news.best);
    if (news.checkpoints) drawCheckpoints(news.checkpoints);
    if ("older" in news) drawOlder(news.older);
    if (news.commands) commands.draw(news.commands);
    if (news.marks) charts.mark(news.marks);
    if ("ending" in news) page.ended = news.ending;
    if ("resume" in news) find(".next .resume").hidden = !news.resume;
    if (news.events) drawEvents(news.events);
    if (news.about) drawAbout(news.about);
    if (news.state) drawState(news.state);
    if (news.head || news.commands || news.events || "ending" in news || "resume" in news) say();
    if (held.take(news)) news.curves ? charts.renew() : charts.draw();
    if ("part" in news) page.part = news.part;
    drawTiles();
  }

  function drawHead(head) {
    page.head = head;
    empty();
    root.dataset.state = head.state;
    Object.assign(find(".name"), { textContent: head.name, title: head.name });
    find(".status").textContent = head.status;
    fact("steps", head.steps && `step ${head.steps}`);
    fact("epoch", head.epoch);
    fact("pace", head.pace);
    fact("left", head.left || (head.took && `took ${head.took}`), head.left_exact || head.took_exact);
    const share = head.doing_share ?? head.share;
    find(".bar i").style.width = `${100 * share}%`;
    find(".bar").setAttribute("aria-valuenow", Math.round(100 * share));
  }

  function fact(name, text, exact = "") {
    const element = find(`[data-fact=${name}]`);
    element.textContent = text || "";
    element.title = exact;
  }

  // The line under the header: how it ended; what it does before its first step; what came of a pressed button; or else
  // what happened last.
  function say() {
    const { head, ended } = page;
    const [newest = "", before = ""] = page.answers;
    const answer = head?.state === "stopping" && STOP_ASKED.test(newest) ? "" : newest; // that it is stopping says as much
    const doing = head && head.doing;
    const [words, more] = ended
      ? [`${ended.title} ${ended.what}`.trim(), [ended.why, ended.do].filter(Boolean).join(" ")]
      : doing ? [doing, answer] : answer ? [answer, before] : ["", page.happened || ""];
    find(".saying .words").textContent = words;
    find(".saying .more").textContent = more;
    find(".told").hidden = !(ended && ended.details);
    find(".told pre").textContent = (ended && ended.details) || "";
    find(".next").hidden = !ended;
    for (const button of root.querySelectorAll(".next [data-go]")) button.hidden = !(ended && ended.next);
    find(".next .mend").hidden = !(ended && ended.mend);
    find(".buttons").hidden = Boolean(ended);
    if (ended) commands.leave();
    else resume.leave();
    const mends = !find(".next .mend").hidden;
    const goesOn = !mends && ["failed", "interrupted"].includes(root.dataset.state) && !find(".next .resume").hidden;
    find(".next .mend").classList.toggle("primary", mends);
    find(".next .resume").classList.toggle("primary", goesOn);
    find(".next [data-go=chat]").classList.toggle("primary", !mends && !goesOn);
    find(".checkpoints .none").textContent = ended
      ? "This run kept none."
      : "None yet. One is written at every “save every” steps, at the end, and when you press Save now.";
  }

  function drawTiles() {
    for (const tile of root.querySelectorAll(".tile")) {
      const name = tile.dataset.metric;
      const newest = held.latest(name);
      const value = newest && newest.value;
      let text = newest ? dfgui.chart.number(value) : "–";
      if (newest && value === null) text = "not a number";
      if (value !== null && name.endsWith("accuracy")) text = newest ? `${(100 * value).toFixed(1)} %` : "–";
      if (name === "tokens") text = (page.head && page.head.tokens) || "–";
      const shown = tile.querySelector("b");
      if (shown.textContent !== text) shown.textContent = text;
    }
  }

  function drawCheckpoints(checkpoints) {
    page.checkpoints = checkpoints;
    find(".checkpoints .none").hidden = checkpoints.length > 0;
    find(".checkpoints table").hidden = !checkpoints.length;
    find(".checkpoints tbody").replaceChildren(...checkpoints.map((one) => {
      const row = make("tr");
      const step = make("td", one.step.toLocaleString("en"), "num");
      step.title = one.when;
      const score = make("td", one.eval || "–", "num");
      for (const mark of ["best", "kept"]) if (one[mark]) score.append(make("span", mark, "tag"));
      const link = make("button", "Download", "df-button small");
      link.type = "button";
      link.setAttribute("aria-label", `Download checkpoint ${one.step}`);
      link.addEventListener("click", () => dfgui.view.open("export", page.run, one.step));
      const last = make("td", "", "act");
      last.append(link);
      row.append(step, score, make("td", one.size, "num"), last);
      return row;
    }));
    charts.mark({ checkpoints });
  }

  // A long list is cut, not the checkpoints.
  function drawOlder(count) {
    find(".checkpoints .older").hidden = !count;
    find(".checkpoints .older").textContent = `${count.toLocaleString("en")} older ${count === 1 ? "one is" : "ones are"} on Export.`;
  }

  function drawEvents(events) {
    const list = find(".events");
    const atEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 4;
    for (const [id, when, kind, text, step] of events) {
      // What it did before its first step is no news while it trains.
      Object.assign(page, { event: id, happened: ["phase", "engine", "resume"].includes(kind) ? "" : text });
      const line = make("li", "", kind);
      line.append(make("time", when), make("span", ["warning", "error"].includes(kind) ? `${kind}: ${text}` : text));
      if (step) line.title = `step ${step}`;
      list.append(line);
    }
    while (list.children.length > KEPT_EVENTS) list.firstChild.remove();
    if (atEnd) list.scrollTop = list.scrollHeight;
  }

  async function readLog() {
    if (!find(".raw").open || dfgui.view.page !== "monitor" || document.hidden || !page.run) return;
    const answer = await dfgui.live.call("log", { run: page.run });
    const box = find(".raw pre");
    const atEnd = box.scrollTop + box.clientHeight >= box.scrollHeight - 4;
    box.textContent = answer.error ? answer.error.what : answer.text || "Nothing is written yet.";
    if (atEnd) box.scrollTop = box.scrollHeight;
  }

  function drawAbout(rows) {
    find(".about dl").replaceChildren(...rows.flatMap(([name, value]) => [make("dt", name), described(name, value)]));
  }

  // A tracker's own page is a link.
  function described(name, value) {
    const box = make("dd", value);
    if (name.startsWith("Tracked in") && /^https:\/\/\S+$/.test(value)) {
      box.replaceChildren(Object.assign(make("a", value), { href: value, target: "_blank", rel: "noopener noreferrer" }));
    }
    return box;
  }

  function drawState(rows) {
    const list = find(".state dl");
    const parts = rows.flatMap(([name, value, meaning]) => {
      const term = make("dt", name);
      term.append(make("small", meaning));
      term.title = meaning;
      return [term, make("dd", value)];
    });
    list.replaceChildren(...parts);
  }

  // Instead of a run: why there is none to see. Called without words it goes.
  function empty(title = "", text = "") {
    const box = find(".empty");
    box.hidden = !title;
    box.replaceChildren(make("h2", title), make("p", text));
    root.classList.toggle("nothing", Boolean(title));
  }

  return { boot, held: () => held };
})();
