// Which tab and which run are shown, kept in the address. Loaded first: it makes the one global, `dfgui`.
window.dfgui = window.dfgui || {};

dfgui.view = (() => {
  const view = { page: null, run: "" };
  const listeners = [];
  const update = (changes) => ({ ...changes, __type__: "update" });
  const needs = {
    monitor: ["runs", "Start a run on Train first"],
    evaluate: ["checkpoints", "Needs a checkpoint: start a run on Train first"],
    chat: ["checkpoints", "Needs a checkpoint: start a run on Train first"],
    export: ["checkpoints", "Needs a checkpoint: start a run on Train first"],
  };

  // The first look at the address; called once, by demo.load. Returns what the run and the tabs become.
  async function start() {
    const asked = new URLSearchParams(location.search);
    const known = await dfgui.live.first(asked.get("run") || "");
    const live = known.chip && known.chip.run;
    view.run = asked.get("run") || live || known.latest || "";
    view.page = asked.get("view") || (live ? "monitor" : known.has.runs ? "data" : "welcome");
    if (!document.getElementById(`tab-${view.page}-button`)) view.page = "data";
    show();
    // What Gradio says of a tab can come late and out of order; what its buttons say is true.
    const buttons = document.querySelector("#tabs .tab-wrapper");
    new MutationObserver(turned).observe(buttons, { subtree: true, childList: true, attributeFilter: ["aria-selected"] });
    return [view.run, to(view.page)];
  }

  const to = (page) => update({ selected: page });

  // Opens a page from a script; its own tab button does it.
  function go(page) {
    const button = document.getElementById(`tab-${page}-button`);
    if (button) button.click();
  }

  // Opens a page for a run, and for one of its checkpoints: the shared components take over what is `wanted`.
  function open(page, run, step = "") {
    view.wanted = { page, run, step: String(step) };
    dfgui.live.trigger("select");
  }

  // A tab was opened, by a click or by a handler.
  function turned() {
    const button = document.querySelector("#tabs .tab-wrapper [aria-selected=true]");
    const page = button && button.id.replace(/^tab-|-button$/g, "");
    if (!page || page === view.page) return;
    view.page = page;
    show();
  }

  function chose(run) {
    if (view.page === null || run === view.run) return;
    view.run = run;
    show();
  }

  function show() {
    const query = new URLSearchParams(location.search);
    query.set("view", view.page);
    view.run ? query.set("run", view.run) : query.delete("run");
    history.replaceState(history.state, "", `?${query}`);
    document.body.dataset.view = view.page;
    for (const listener of listeners) listener(view);
  }

  // Tabs that need a run or a checkpoint are greyed, with the reason; they open all the same, and say it again.
  function grey(has) {
    for (const [page, [need, why]] of Object.entries(needs)) {
      const button = document.getElementById(`tab-${page}-button`);
      if (!button) continue;
      button.classList.toggle("greyed", !has[need]);
      has[need] ? button.removeAttribute("title") : (button.title = why);
    }
  }

  return Object.assign(view, { start, to, go, open, chose, grey, listen: (listener) => listeners.push(listener) });
})();
