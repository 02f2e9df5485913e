// The pulse: asks the server what is new, once for the whole page, and hands it to whoever is on show.
dfgui.live = (() => {
  const HIDDEN_MS = 15000; // between two questions while nobody looks
  const SILENT = { what: "The server did not answer.", why: "It may be restarting.", do: "Try again." };
  const live = { chip: null, news: "", has: {}, latest: "", server: null, connected: true };
  const feeds = []; // {question(question), answer(answer)}: other parts that ride on the same poll
  let seen = {};
  let timer = null;
  let asking = null; // the question under way
  let next = null; // the one to be asked after it
  let failures = 0;
  let answered = false; // ever, since this page was loaded
  let booted;
  const boots = new Promise((resolve) => (booted = resolve));

  function boot(element, server, trigger) {
    Object.assign(live, { element, server, trigger });
    const open = (event) => live.chip && event.target.closest(".chip") && trigger("click");
    element.addEventListener("click", open);
    element.addEventListener("keydown", (event) => {
      if (!["Enter", " "].includes(event.key) || !event.target.closest(".chip")) return;
      event.preventDefault(); // a space would scroll the page
      open(event);
    });
    document.addEventListener("visibilitychange", () => document.hidden || ask());
    booted();
  }

  // The first answer, which decides what the page opens with.
  async function first(run) {
    dfgui.view.run = run;
    await boots;
    await ask();
    return live;
  }

  // Asks at once. While a question is under way, one more is asked after it, so the answer is newer than the call.
  function ask() {
    if (asking) return (next ||= asking.then(() => ((next = null), ask())));
    clearTimeout(timer);
    asking = question().catch(broken).then((every) => {
      asking = null;
      timer = setTimeout(ask, document.hidden ? Math.max(every, HIDDEN_MS) : every);
    });
    return asking;
  }

  async function question() {
    await boots;
    const asked = { run: dfgui.view.run, view: dfgui.view.page, seen };
    for (const feed of feeds) feed.question(asked);
    const answer = await call("tick", asked);
    if (!answer.every) return lost();
    failures = 0;
    answered = live.connected = true;
    if (asked.run !== dfgui.view.run || asked.view !== dfgui.view.page) return 0; // meanwhile something else is on show
    take(answer);
    return answer.every;
  }

  // Calls a function of the server. A server that does not answer is an error in words like any other.
  async function call(name, asked, server = live.server) {
    const answer = await server[name](asked).catch(() => null);
    return answer || { error: SILENT };
  }

  // An address of this server, also where a proxy shows it under a path.
  const at = (path) => `${new URL(window.gradio_config.root, location.href).pathname.replace(/\/$/, "")}/${path}`;

  function lost() {
    failures += 1;
    live.connected = failures < 2;
    draw();
    if (answered && !live.connected) knock();
    return Math.min(1000 * 2 ** failures, 15000);
  }

  // Where a login has ended, the page has to be loaded again to ask for it.
  async function knock() {
    const answer = await fetch(at("gradio_api/app_id"), { redirect: "manual", cache: "no-store" }).catch(() => null);
    if (answer && (answer.status === 401 || answer.type === "opaqueredirect")) location.reload();
  }

  // A part of the page failed on an answer: the next one comes whole again.
  function broken(error) {
    console.error(error);
    seen = {};
    return lost();
  }

  function take(answer) {
    seen = { ...seen, ...answer.seen };
    if ("chip" in answer) live.chip = answer.chip;
    if ("notice" in answer) notice(answer.notice);
    if ("visitor" in answer) visitor(answer.visitor);
    if ("has" in answer) {
      Object.assign(live, { has: answer.has, latest: answer.latest, news: answer.news });
      dfgui.view.grey(live.has);
      live.trigger("change");
    }
    draw();
    for (const feed of feeds) feed.answer(answer);
  }

  // What to know of this server: a slim bar over every page, or nothing.
  function notice(words) {
    const bar = document.querySelector("#notice p");
    if (!bar) return;
    bar.textContent = words || "";
    bar.hidden = !words;
  }

  // Where a login is in force, the way out of it.
  function visitor(name) {
    const link = live.element.querySelector(".logout");
    if (!link) return;
    link.hidden = !name;
    link.href = at("logout");
    link.title = name ? `Signed in as ${name}` : "";
  }

  function draw() {
    const box = live.element.querySelector(".chip");
    if (!box) return;
    const chip = live.connected ? live.chip : { status: "lost", name: "No connection", detail: "trying again" };
    box.hidden = !chip;
    if (!chip) return box.replaceChildren();
    box.dataset.status = chip.status;
    box.tabIndex = 0;
    box.setAttribute("role", "button");
    const parts = [
      ["name", chip.name], ["status", live.connected ? chip.status : ""], ["detail", chip.detail], ["loss", chip.loss], ["left", chip.left],
    ];
    box.replaceChildren(...parts.filter(([, text]) => text).map(([kind, text]) => {
      const part = document.createElement("span");
      part.className = kind;
      part.textContent = text;
      return part;
    }));
    box.style.setProperty("--share", chip.share || 0);
  }

  return Object.assign(live, { boot, first, ask, call, at, SILENT, join: (feed) => feeds.push(feed), forget: (name) => delete seen[name] });
})();
