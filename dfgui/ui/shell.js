// Which tab and which run are shown, kept in the address. Loaded first: it makes the one global, `dfgui`.
window.dfgui = window.dfgui || {};

dfgui.view = (() => {
  const FIRST = "welcome"; // the tab that Gradio opens by itself
  const view = { page: null, run: "", compared: [] };
  const listeners = [];
  const update = (changes) => ({ ...changes, __type__: "update" });
  const needs = {
    monitor: ["runs", "Start a run on Train first"],
    evaluate: ["checkpoints", "Needs a checkpoint: start a run on Train first"],
    chat: ["checkpoints", "Needs a checkpoint: start a run on Train first"],
    export: ["checkpoints", "Needs a checkpoint: start a run on Train first"],
  };

  // The first look at the address; called once, by demo.load. Returns what the run, the filling and the tabs become.
  async function start() {
    const asked = address();
    const known = await dfgui.live.first(asked.run);
    const live = known.chip && known.chip.run;
    const clicked = selected() !== FIRST && selected(); // while the first answer was on its way
    view.run = asked.run || live || known.latest || "";
    view.compared = asked.compared;
    view.page = clicked || asked.page || (live ? "monitor" : known.has.runs ? "data" : FIRST);
    if (!tab(view.page)) view.page = "data";
    const filling = dfgui.train.remembered(); // before it goes from the address
    show("replaceState");
    // What Gradio says of a tab can come late and out of order; what its buttons say is true.
    const buttons = document.querySelector("#tabs .tab-wrapper");
    new MutationObserver(turned).observe(buttons, { subtree: true, childList: true, attributeFilter: ["aria-selected"] });
    window.addEventListener("popstate", returned);
    return [view.run, filling, to(view.page)];
  }

  const to = (page) => update({ selected: page });
  const tab = (page) => document.getElementById(`tab-${page}-button`);

  function address() {
    const query = new URLSearchParams(location.search);
    const compared = (query.get("compare") || "").split(",").filter(Boolean);
    return { page: query.get("view") || "", run: query.get("run") || "", compared };
  }

  function selected() {
    const button = document.querySelector("#tabs .tab-wrapper [aria-selected=true]");
    return button && button.id.replace(/^tab-|-button$/g, "");
  }

  // Opens a page from a script; its own tab button does it.
  function go(page) {
    const button = tab(page);
    if (button) button.click();
  }

  // Opens a page for a run, and for one of its checkpoints: the shared components take over what is `wanted`.
  function open(page, run, step = "") {
    if (run && page !== view.page) view.run = run; // before the tab turns: the page must not show another one first
    view.wanted = { page, run, step: String(step) };
    dfgui.live.trigger("select");
  }

  // Opens Train, filled with the settings of a run: to start it anew.
  const duplicate = (run) => fill({ run });

  // The same, to go on from the weights of one of its checkpoints with a schedule of its own.
  const longer = (run, step) => fill({ run, step });

  // The same as a duplicate, with the changes that would have kept it from failing.
  const mended = (run) => fill({ run, mended: true });

  // Opens Train, filled with what is asked for (ui/fill/).
  function fill(asked) {
    view.wanted = { page: "train", run: view.run, step: update({}), fill: JSON.stringify({ ...asked, at: Date.now() }) };
    dfgui.live.trigger("select");
  }

  // Shows runs side by side on the Runs page, or with none of them all runs.
  function compare(runs) {
    view.compared = runs;
    show("pushState");
  }

  // Back or forward: the address is there already, the page and its run follow. The checkpoint stays as it is.
  function returned() {
    const { page, run, compared } = address();
    if (String(compared) !== String(view.compared)) {
      view.compared = compared;
      for (const listener of listeners) listener(view);
    }
    view.wanted = { page: tab(page) ? page : "data", run: run || view.run, step: update({}) };
    dfgui.live.trigger("select");
  }

  // A tab was opened, by a click or by a handler. One that the address names already was come back to.
  function turned() {
    const page = selected();
    if (!page || page === view.page) return;
    view.page = page;
    view.compared = page === "runs" ? address().compared : [];
    show(page === address().page ? "replaceState" : "pushState");
  }

  function chose(run) {
    if (view.page === null || run === view.run) return;
    view.run = run;
    show("replaceState");
  }

  function show(write) {
    const query = new URLSearchParams(location.search);
    query.set("view", view.page);
    query.delete("set"); // the form has it
    view.run ? query.set("run", view.run) : query.delete("run");
    view.page === "runs" && view.compared.length ? query.set("compare", view.compared.join(",")) : query.delete("compare");
    history[write](history.state, "", `?${String(query).replaceAll("%2C", ",")}`);
    document.body.dataset.view = view.page;
    for (const listener of listeners) listener(view);
  }

  // Tabs that need a run or a checkpoint are greyed, with the reason; they open all the same, and say it again.
  function grey(has) {
    for (const [page, [need, why]] of Object.entries(needs)) {
      const button = tab(page);
      if (!button) continue;
      button.classList.toggle("greyed", !has[need]);
      has[need] ? button.removeAttribute("title") : (button.title = why);
    }
  }

  return Object.assign(view, { start, to, go, open, chose, grey, fill, duplicate, longer, mended, compare, listen: (listener) => listeners.push(listener) });
})();
