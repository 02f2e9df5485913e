// The checkpoints of a run as a table: one is chosen by its radio button, each can be kept, compared, asked and deleted.
dfgui.shelf = (root, acts) => {
  const make = (kind, text = "", className = "") => Object.assign(document.createElement(kind), { textContent: text, className });
  const button = (text, className) => Object.assign(make("button", text, className), { type: "button" });
  const find = (selector) => root.querySelector(selector);
  const dialog = root.closest(".export").querySelector("dialog.discard");
  const whole = (step) => step.toLocaleString("en");
  let page = { rows: [], step: null, run: "", name: "" };
  let drawn = "", shown = "", erasing = null;

  dialog.addEventListener("close", () => dialog.returnValue === "delete" && acts.erase(erasing));

  function draw(next) {
    page = next;
    const rows = JSON.stringify([page.rows, page.run]);
    if (rows !== drawn) {
      drawn = rows;
      const held = focused();
      find("table").classList.toggle("unscored", !page.rows.some((row) => row.score));
      find("tbody").replaceChildren(...page.rows.map(line));
      held?.();
    }
    for (const row of find("tbody").rows) {
      const chosen = Number(row.dataset.step) === page.step;
      row.classList.toggle("chosen", chosen);
      row.querySelector("[type=radio]").checked = chosen;
    }
    const now = `${page.run} ${page.step}`;
    if (now !== shown) reveal();
    shown = now;
  }

  // Brings the chosen one into the table's own box, and leaves the page where it is.
  function reveal() {
    const [box, row] = [find(".table"), find("tr.chosen")];
    const top = row ? row.offsetTop - find("thead").offsetHeight : 0;
    if (row && (top < box.scrollTop || row.offsetTop + row.offsetHeight > box.scrollTop + box.clientHeight)) box.scrollTop = top;
  }

  // Gives the focus back to the same button of the same checkpoint, or to the chosen one where that has gone.
  function focused() {
    const held = find("tbody").contains(document.activeElement) && document.activeElement;
    if (!held) return null;
    const { step } = held.closest("tr").dataset;
    const place = [...held.closest("tr").querySelectorAll("input, button")].indexOf(held);
    return () => {
      const row = find(`tr[data-step="${step}"]`);
      (row ? row.querySelectorAll("input, button")[place] : find("tbody [type=radio]"))?.focus({ preventScroll: true });
    };
  }

  function line(row) {
    const box = make("tr");
    box.dataset.step = row.step;
    const cells = [["epoch", row.epoch], ["training", row.loss], ["held-out", row.eval], ["right calls", row.score, "score"], ["", row.size], ["", row.when, "when"]];
    box.append(pick(row), ...cells.map(([label, text, kind = ""]) => {
      const cell = make("td", text || "–", `num ${kind} ${text ? "" : "absent"}`);
      cell.dataset.label = label;
      return cell;
    }), todo(row));
    box.addEventListener("click", (event) => event.target.closest("button, label, input") || acts.choose(row.step));
    return box;
  }

  function pick(row) {
    const cell = make("td", "", "pick");
    const label = make("label");
    const radio = Object.assign(make("input"), { type: "radio", name: "checkpoint", value: row.step });
    radio.addEventListener("change", () => acts.choose(row.step));
    label.append(radio, make("span", whole(row.step)));
    if (row.best) label.append(make("span", "best", "tag"));
    cell.append(label);
    return cell;
  }

  function todo(row) {
    const cell = make("td", "", "todo");
    const keep = button(row.kept ? "Kept" : "Keep", `df-button small keep${row.kept ? " on" : ""}`);
    keep.setAttribute("aria-pressed", row.kept);
    keep.setAttribute("aria-label", `Keep checkpoint ${row.step}`);
    keep.title = row.kept ? "It stays whatever else is deleted. Press to take the mark off." : "Never deleted by save_total_limit.";
    keep.addEventListener("click", () => acts.keep(row.step, !row.kept));
    const dots = button("⋯", "dots");
    dots.setAttribute("aria-label", `What to do with checkpoint ${row.step}`);
    dots.setAttribute("aria-haspopup", "menu");
    dots.addEventListener("click", () => dfgui.menu.open(dots, offered(row)));
    cell.append(keep, dots);
    return cell;
  }

  function offered(row) {
    const beside = row.step === page.step ? [] : [
      { label: `Compare with step ${whole(page.step)}`, about: "Losses, accuracy, tool calls and size, side by side.", act: () => acts.beside(row.step) },
    ];
    return [
      ...beside,
      { label: "Chat with it", about: "Its answers beside those of the base model.", act: () => dfgui.view.open("chat", page.run, row.step) },
      { label: "Evaluate it", about: "How many held-out tool calls it gets right.", act: () => dfgui.view.open("evaluate", page.run, row.step) },
      { label: "Train longer from it", about: "A new run that begins with these weights.", act: () => dfgui.view.longer(page.run, row.step) },
      { label: "Delete", about: `Frees ${row.size}.`, off: row.kept ? "It is kept: take the mark off first." : "", danger: true, act: () => ask(row) },
    ];
  }

  function ask(row) {
    erasing = row.step;
    dialog.querySelector("h3").textContent = `Delete checkpoint ${whole(row.step)} of ${page.name}?`;
    dialog.querySelector(".frees").textContent = `That frees ${row.size}.${row.best ? " It is the best one of this run." : ""}`;
    dialog.returnValue = "leave";
    dialog.showModal();
  }

  function tell(text, bad = false) {
    Object.assign(find(".told"), { textContent: text, className: `told${bad ? " bad" : ""}` });
  }

  return { draw, tell };
};
