// The pulse: asks the server what is new, once for the whole page, and hands it to whoever is on show.
dfgui.live = (() => {
  const HIDDEN_MS = 15000; // between two questions while nobody looks
  const live = { chip: null, news: "", has: {}, latest: "", server: null, connected: true };
  const feeds = []; // {question(question), answer(answer)}: other parts that ride on the same poll
  let seen = {};
  let timer = null;
  let asking = null; // the question under way
  let next = null; // the one to be asked after it
  let failures = 0;
  let booted;
  const boots = new Promise((resolve) => (booted = resolve));

  function boot(element, server, trigger) {
    Object.assign(live, { element, server, trigger });
    const open = (event) => live.chip && event.target.closest(".chip") && trigger("click");
    element.addEventListener("click", open);
    element.addEventListener("keydown", (event) => event.key === "Enter" && open(event));
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
    asking = question().then((every) => {
      asking = null;
      timer = setTimeout(ask, document.hidden ? Math.max(every, HIDDEN_MS) : every);
    });
    return asking;
  }

  async function question() {
    const asked = { run: dfgui.view.run, view: dfgui.view.page, seen };
    for (const feed of feeds) feed.question(asked);
    const answer = await call("tick", asked);
    if (!answer.every) return lost();
    failures = 0;
    live.connected = true;
    if (asked.run !== dfgui.view.run || asked.view !== dfgui.view.page) return 0; // meanwhile something else is on show
    take(answer);
    return answer.every;
  }

  // Calls a function of the server. A server that does not answer is an error in words like any other.
  async function call(name, asked, server = live.server) {
    const answer = await server[name](asked).catch(() => null);
    return answer || { error: { what: "The server did not answer.", why: "It may be restarting.", do: "Try again." } };
  }

  function lost() {
    failures += 1;
    live.connected = failures < 2;
    draw();
    return Math.min(1000 * 2 ** failures, 15000);
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
    link.href = `${new URL(window.gradio_config.root, location.href).pathname.replace(/\/$/, "")}/logout`;
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

  return Object.assign(live, { boot, first, ask, call, join: (feed) => feeds.push(feed), forget: (name) => delete seen[name] });
})();
