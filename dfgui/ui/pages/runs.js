// The Runs page: one row for each run. Names go in as text, never as HTML.
dfgui.runs = (() => {
  let root;
  let seen = null; // the state of the store that the table shows
  const make = (kind, text = "", className = "") => Object.assign(document.createElement(kind), { textContent: text, className });

  function boot(element) {
    root = element.querySelector(".runs");
    dfgui.live.join({ question, answer });
    dfgui.view.listen(() => dfgui.view.page === "runs" && dfgui.live.ask());
    dfgui.live.ask();
  }

  function question(asked) {
    if (asked.view === "runs") asked.table = seen;
  }

  function answer(news) {
    if (news.runs) {
      root.querySelector(".empty").hidden = news.runs.rows.length > 0;
      root.querySelector(".table").hidden = !news.runs.rows.length;
      fill(news.runs.rows);
      seen = news.runs.tag;
    }
    const live = dfgui.live.chip;
    const steps = live && root.querySelector(`tr[data-run="${live.run}"] [data-steps]`);
    if (steps && live.detail.startsWith("step ")) steps.textContent = live.detail.slice(5);
  }

  // The focus stays on its run.
  function fill(rows) {
    const body = root.querySelector("tbody");
    const focused = body.contains(document.activeElement) && document.activeElement.closest("tr").dataset.run;
    body.replaceChildren(...rows.map(row));
    const again = focused && body.querySelector(`tr[data-run="${focused}"] button`);
    if (again) again.focus({ preventScroll: true });
  }

  function row(run) {
    const line = make("tr");
    line.dataset.run = run.run;
    const name = make("button", run.name, "link");
    name.type = "button";
    const first = make("td");
    first.append(name);
    const status = make("td");
    const word = make("span", run.status, `word ${run.state}`);
    word.title = run.reason;
    status.append(word);
    const steps = make("td", run.steps, "num");
    steps.dataset.steps = "";
    const took = make("td", run.took, "num");
    took.title = run.took_exact;
    const cells = [[run.loss, "num"], [run.eval, "num"], [run.best, "num"], [run.model], [run.data], [run.method]];
    line.append(first, status, steps, ...cells.map(([text, kind]) => make("td", text, kind)), took, make("td", run.when, "num"));
    line.addEventListener("click", () => dfgui.view.open("monitor", run.run));
    return line;
  }

  return { boot };
})();
