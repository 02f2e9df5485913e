// Two checkpoints side by side, line by line, the better one named in words.
dfgui.two = (root, run) => {
  const make = (kind, text = "", className = "") => Object.assign(document.createElement(kind), { textContent: text, className });
  const whole = (step) => step.toLocaleString("en");

  function draw(found) {
    root.hidden = !found;
    if (!found) return;
    root.querySelector(".verdict").textContent = found.verdict;
    const head = make("tr");
    head.append(make("th"), ...found.steps.map(column), make("th", "Difference", "num"));
    root.querySelector("thead").replaceChildren(head);
    root.querySelector("tbody").replaceChildren(...found.rows.map((row) => line(row, found.steps)));
  }

  function column(step) {
    const cell = make("th", "", "num");
    cell.append(make("b", `Step ${whole(step)}`));
    const links = make("span", "", "links");
    for (const [page, label] of [["chat", "Chat"], ["evaluate", "Evaluate"]]) {
      const link = Object.assign(make("button", label, "link"), { type: "button" });
      link.setAttribute("aria-label", `${label} with step ${whole(step)}`);
      link.addEventListener("click", () => dfgui.view.open(page, run(), step));
      links.append(link);
    }
    cell.append(links);
    return cell;
  }

  function line({ title, exact, values, difference, better }, steps) {
    const row = make("tr");
    const head = make("th", title);
    head.scope = "row";
    if (exact) head.append(make("small", exact));
    const cells = values.map((value, i) => {
      const cell = make("td", value, "num");
      if (better === steps[i]) cell.append(make("span", "better", "tag"));
      return cell;
    });
    row.append(head, ...cells, make("td", better === "equal" ? "equal" : difference, "num soft"));
    return row;
  }

  return { draw };
};
