// The Runs page: one row for each run, chosen, sorted, filtered, named and deleted. Names go in as text, never as HTML.
dfgui.runs = (() => {
  const FIRST_UP = ["name", "status", "model", "data", "method", "loss", "eval", "best"]; // sorted upwards at first
  const MOST = 5; // runs side by side
  const page = { tag: null, rows: new Map(), lines: new Map(), picked: new Set(), sort: "when", down: true, words: "" };
  let root, editing, deletion;
  const find = (selector) => root.querySelector(selector);
  const make = (kind, text = "", className = "") => Object.assign(document.createElement(kind), { textContent: text, className });
  const button = (text, className) => Object.assign(make("button", text, className), { type: "button" });

  function boot(element) {
    root = element.querySelector(".runs");
    find(".filter").addEventListener("input", filter);
    find("[data-all]").addEventListener("change", pickAll);
    for (const head of root.querySelectorAll("th[data-sort]")) head.addEventListener("click", () => sortBy(head.dataset.sort));
    const acts = { compare: () => dfgui.view.compare([...page.picked]), delete: () => askToDelete([...page.picked]), unfilter };
    for (const [name, act] of Object.entries(acts)) find(`[data-act=${name}]`).addEventListener("click", act);
    watchEdge(find(".list > .table"));
    deletion = dfgui.deletion(find("dialog"), erase);
    dfgui.comparison.boot(find(".comparison"));
    dfgui.live.join({ question, answer });
    dfgui.view.listen(turned);
    turned();
    dfgui.live.ask();
  }

  // Whether there are columns further to the right.
  function watchEdge(table) {
    const look = () => table.classList.toggle("onwards", table.scrollLeft + table.clientWidth < table.scrollWidth - 1);
    table.addEventListener("scroll", look, { passive: true });
    const sizes = new ResizeObserver(look);
    for (const box of [table, table.firstElementChild]) sizes.observe(box);
  }

  function turned() {
    if (dfgui.view.page !== "runs") return;
    show();
    dfgui.live.ask();
  }

  // Either all runs, or those side by side that the address names.
  function show() {
    const compared = dfgui.view.compared.length > 0;
    find(".comparison").hidden = !compared;
    find(".list").hidden = compared || (page.tag !== null && !page.rows.size);
    find(".empty").hidden = compared || page.tag === null || page.rows.size > 0;
    dfgui.comparison.show(dfgui.view.compared);
  }

  function question(asked) {
    if (asked.view !== "runs") return;
    asked.table = page.tag;
    asked.compare = dfgui.comparison.cursors();
  }

  function answer(news) {
    if (news.runs) take(news.runs);
    if (news.disk) find(".disk").textContent = news.disk;
    for (const live of news.live || []) draw(...live);
    if (news.compared) dfgui.comparison.take(news.compared);
  }

  function take({ tag, rows, gone = [], whole }) {
    page.tag = tag;
    const here = new Set(rows.map((row) => row.run));
    for (const run of whole ? page.rows.keys() : gone) if (!here.has(run) || !whole) forget(run);
    for (const row of rows) page.rows.set(row.run, row);
    const focused = root.contains(document.activeElement) && document.activeElement.closest("tr[data-run]");
    const place = focused && fields(focused).indexOf(document.activeElement);
    for (const row of rows) if (!editing || editing.run !== row.run) redraw(row);
    arrange();
    if (focused && !root.contains(document.activeElement)) fields(page.lines.get(focused.dataset.run))[place]?.focus({ preventScroll: true });
    show();
    say();
  }

  const fields = (drawn) => (drawn ? [...drawn.querySelectorAll("button, input")] : []);

  function redraw(row) {
    const [before, after] = [page.lines.get(row.run), line(row)];
    if (before) before.replaceWith(after);
    page.lines.set(row.run, after);
    return after;
  }

  function forget(run) {
    page.rows.delete(run);
    page.lines.get(run)?.remove();
    page.lines.delete(run);
    page.picked.delete(run);
  }

  // What a run that trains now has come to.
  function draw(run, steps, loss, letters) {
    const [row, drawn] = [page.rows.get(run), page.lines.get(run)];
    if (!row || !drawn || (row.steps === steps && row.loss === loss && row.spark === letters)) return;
    Object.assign(row, { steps, loss, spark: letters });
    drawn.querySelector(".steps").textContent = steps;
    drawn.querySelector(".loss").replaceWith(lossOf(row));
  }

  function line(row) {
    const drawn = make("tr", "", page.picked.has(row.run) ? "picked" : "");
    drawn.dataset.run = row.run;
    const cells = [[row.eval, "num"], [row.best, "num"], [row.model], [row.data], [row.method]];
    const took = make("td", row.took, "num");
    took.title = row.took_exact;
    drawn.append(
      pick(row), name(row), status(row), make("td", row.steps, "num steps"), lossOf(row),
      ...cells.map(([text, kind = ""]) => Object.assign(make("td", text, kind), { title: kind ? "" : text })),
      took, make("td", row.size, "num"), make("td", row.when, "num"), more(row)
    );
    drawn.addEventListener("click", (event) => {
      if (event.target.closest("button, input, textarea, .pick, .more")) return;
      dfgui.view.open("monitor", row.run);
    });
    return drawn;
  }

  function pick(row) {
    const cell = make("td", "", "pick");
    const box = Object.assign(make("input"), { type: "checkbox", checked: page.picked.has(row.run) });
    box.setAttribute("aria-label", `Mark ${row.name}`);
    box.addEventListener("change", () => {
      box.checked ? page.picked.add(row.run) : page.picked.delete(row.run);
      box.closest("tr").classList.toggle("picked", box.checked);
      say();
    });
    cell.append(box);
    return cell;
  }

  function name(row) {
    const cell = make("td", "", "name");
    const link = button(row.name, "link");
    link.addEventListener("click", () => dfgui.view.open("monitor", row.run));
    cell.append(link);
    cell.title = row.note ? `${row.name}\n${row.note}` : row.name;
    if (row.note) cell.append(make("span", row.note, "remark"));
    return cell;
  }

  // The word, and by pointing at it or by keyboard the reason behind it.
  function status(row) {
    const cell = make("td");
    const word = row.reason ? button(row.status, `word ${row.state}`) : make("span", row.status, `word ${row.state}`);
    cell.append(row.reason ? dfgui.menu.tell(word, row.reason) : word);
    return cell;
  }

  function lossOf(row) {
    const cell = make("td", "", "num loss");
    cell.append(dfgui.spark.draw(row.spark), row.loss);
    return cell;
  }

  function more(row) {
    const cell = make("td", "", "more");
    const dots = button("⋯", "dots");
    dots.setAttribute("aria-label", `What to do with ${row.name}`);
    dots.setAttribute("aria-haspopup", "menu");
    dots.addEventListener("click", () => dfgui.menu.open(dots, todo(page.rows.get(row.run))));
    cell.append(dots);
    return cell;
  }

  function todo(row) {
    const off = row.ended ? "" : "It still goes on: stop it first.";
    return [
      { label: "Open", about: "Its curves, checkpoints and log.", act: () => dfgui.view.open("monitor", row.run) },
      { label: "Rename", about: "Another name, here and on every page.", act: () => edit(row, "name") },
      { label: row.note ? "Change the note" : "Add a note", about: "What you want to remember of it.", act: () => edit(row, "note") },
      ...dfgui.again(row.run, row.longer),
      { label: "Delete", about: `${deletion.what([row])}.`, off, danger: true, act: () => askToDelete([row.run]) },
    ];
  }

  // The name or the note as a field in its place; Enter keeps it, Escape leaves it as it was.
  function edit(row, part) {
    const cell = page.lines.get(row.run).querySelector(".name");
    const field = Object.assign(make("input", "", `edit ${part}`), { value: row[part], maxLength: part === "name" ? 80 : 1000 });
    field.setAttribute("aria-label", part === "name" ? `Name of ${row.name}` : `Note about ${row.name}`);
    if (part === "note") field.placeholder = "What to remember of it";
    editing = { run: row.run };
    part === "note" ? cell.replaceChildren(cell.firstChild, field) : cell.append(field); // over the name, whose place it keeps
    field.focus();
    field.select();
    let over = false;
    // What is refused can be mended in the field while it has the focus.
    const end = async (keep) => {
      if (over) return;
      over = true;
      const text = field.value;
      if (keep && text.trim() !== row[part]) {
        const told = await dfgui.live.call(part === "name" ? "rename" : "note", { run: row.run, text });
        tell(told.error ? `${told.error.what} ${told.error.do}` : "", Boolean(told.error));
        if (told.error && document.activeElement === field) return (over = false);
        if (!told.error) page.rows.set(row.run, { ...page.rows.get(row.run), ...told });
      }
      editing = null;
      const now = page.rows.get(row.run);
      const drawn = now && redraw(now);
      if (drawn && document.activeElement === document.body) drawn.querySelector(".dots").focus({ preventScroll: true });
      dfgui.live.ask();
    };
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") end(true);
      if (event.key === "Escape") end(false);
    });
    field.addEventListener("blur", () => end(true));
  }

  const key = (row) => (page.sort in row.numbers ? row.numbers[page.sort] : String(row[page.sort]).toLowerCase());

  // What has no value stands at the end, whichever way it is sorted.
  function before(one, two) {
    const [a, b] = [key(one), key(two)];
    if (a === null || b === null) return (a === null) - (b === null);
    const order = typeof a === "string" ? a.localeCompare(b, undefined, { numeric: true }) : a - b;
    return (page.down ? -order : order) || two.numbers.when - one.numbers.when;
  }

  function arrange() {
    const rows = [...page.rows.values()].sort(before);
    const body = find(".list tbody");
    const fits = (row) => [row.name, row.note, row.model, row.data].some((text) => text.toLowerCase().includes(page.words));
    const shown = rows.filter(fits).map((row) => page.lines.get(row.run));
    // Only what stands elsewhere is moved, so that nothing else loses the focus.
    shown.forEach((drawn, i) => body.children[i] === drawn || body.insertBefore(drawn, body.children[i] || null));
    while (body.children.length > shown.length) body.lastChild.remove();
    find(".none").hidden = shown.length > 0 || !rows.length;
    for (const head of root.querySelectorAll("th[data-sort]")) {
      head.dataset.sort === page.sort ? head.setAttribute("aria-sort", page.down ? "descending" : "ascending") : head.removeAttribute("aria-sort");
    }
  }

  function sortBy(name) {
    page.down = page.sort === name ? !page.down : !FIRST_UP.includes(name);
    page.sort = name;
    arrange();
  }

  function filter() {
    page.words = find(".filter").value.trim().toLowerCase();
    arrange();
    say();
  }

  function unfilter() {
    find(".filter").value = "";
    filter();
    find(".filter").focus();
  }

  function pickAll() {
    const all = find("[data-all]").checked;
    for (const drawn of find(".list tbody").children) {
      all ? page.picked.add(drawn.dataset.run) : page.picked.delete(drawn.dataset.run);
      drawn.querySelector(".pick input").checked = all;
      drawn.classList.toggle("picked", all);
    }
    say();
  }

  // How many are marked, and what can be done with them.
  function say() {
    const count = page.picked.size;
    const hint = count === 1 ? ", one more to compare" : count > MOST ? `, ${MOST} at most to compare` : "";
    find(".chosen").textContent = count ? `${count} marked${hint}` : "";
    const [compare, remove] = [find("[data-act=compare]"), find("[data-act=delete]")];
    compare.disabled = count < 2 || count > MOST;
    compare.title = compare.disabled ? `Mark 2 to ${MOST} runs to see them side by side` : "";
    remove.disabled = !count;
    remove.title = count ? "" : "Mark the runs to delete";
    const shown = [...find(".list tbody").children];
    const all = find("[data-all]");
    all.checked = shown.length > 0 && shown.every((drawn) => page.picked.has(drawn.dataset.run));
    all.indeterminate = !all.checked && shown.some((drawn) => page.picked.has(drawn.dataset.run));
  }

  const askToDelete = (runs) => deletion.ask(runs.map((run) => page.rows.get(run)).filter(Boolean));

  async function erase(runs) {
    tell("Deleting …");
    const told = await dfgui.live.call("delete", { runs });
    if (told.error) return tell(`${told.error.what} ${told.error.why} ${told.error.do}`, true);
    tell(told.words);
    await dfgui.live.ask();
    if (told.gone.includes(dfgui.view.run)) dfgui.view.open("runs", dfgui.live.latest); // no page stays with what is gone
    find(".filter").focus({ preventScroll: true });
  }

  function tell(text, trouble = false) {
    const told = find(".list .told");
    told.textContent = text;
    told.classList.toggle("trouble", trouble);
  }

  return { boot };
})();
