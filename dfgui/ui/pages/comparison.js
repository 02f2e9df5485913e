// Two to five runs side by side: their losses in one chart, and beside it how they ended and what they were set to.
dfgui.comparison = (() => {
  const NAMES = ["loss", "eval_loss"];
  const view = { asked: "", runs: [] }; // runs: [{run, name, going, epoch, held}]
  let root, chart;
  const find = (selector) => root.querySelector(selector);
  const make = (kind, text = "", className = "") => Object.assign(document.createElement(kind), { textContent: text, className });

  function boot(element) {
    root = element;
    chart = dfgui.overlay.mount(find(".overlay"));
    chart.tell(told);
    find("[data-act=back]").addEventListener("click", () => dfgui.view.compare([]));
    const controls = {
      show: (event) => ({ show: event.target.value }),
      by: (event) => ({ by: event.target.value }),
      log: (event) => ({ log: event.target.checked }),
      smooth: (event) => {
        event.target.nextElementSibling.textContent = Number(event.target.value).toFixed(2);
        return { weight: Number(event.target.value) };
      },
    };
    for (const [name, change] of Object.entries(controls)) {
      find(`[data-control=${name}]`).addEventListener("input", (event) => chart.set(change(event)));
    }
  }

  // `runs` are ids, as the address has them; none takes the comparison away.
  async function show(runs) {
    if (String(runs) === view.asked) return;
    view.asked = String(runs);
    Object.assign(view, { runs: [] });
    if (!runs.length) return;
    say("Reading …");
    find("h2").textContent = `${runs.length} runs side by side`;
    await load(runs);
  }

  async function load(runs) {
    const answer = await dfgui.live.call("compare", { runs });
    if (view.asked !== String(runs)) return;
    if (answer.error) return nothing(answer.error);
    view.runs = answer.runs.map((run) => {
      const held = dfgui.curves(NAMES);
      held.take({ curves: answer.curves[run.run] });
      return { ...run, held };
    });
    say(answer.missing ? `${answer.missing} of the runs in this address ${answer.missing === 1 ? "is" : "are"} no longer here.` : "");
    find("h2").textContent = `${view.runs.length} runs side by side`;
    find(".side").hidden = false;
    find("[data-control=by]").disabled = view.runs.every((run) => !run.epoch);
    legend();
    table(answer);
    chart.show(view.runs);
  }

  function nothing({ what, why, do: cure }) {
    view.runs = [];
    say(`${what} ${why} ${cure}`);
    find(".side").hidden = true;
    chart.show([]);
  }

  const say = (words) => (find(".told").textContent = words);

  function legend() {
    find(".key").replaceChildren(...view.runs.map((run, i) => {
      const line = make("li");
      line.append(sample(i), make("b", dfgui.overlay.LETTERS[i]), make("span", run.name, "of"), make("span", "", "now"));
      return line;
    }));
  }

  // A piece of a run's line, as the chart draws it.
  function sample(i) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    for (const [name, value] of Object.entries({ class: "stroke", viewBox: "0 0 30 6", "aria-hidden": "true" })) svg.setAttribute(name, value);
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    for (const [name, value] of Object.entries({ d: "M0 3H30", "stroke-dasharray": dfgui.overlay.DASHES[i].join(" ") })) path.setAttribute(name, value);
    path.style.stroke = `var(--df-run-${i + 1})`;
    svg.append(path);
    return svg;
  }

  function told(words, place) {
    root.querySelectorAll(".key .now").forEach((cell, i) => (cell.textContent = words[i] ? `${words[i]}` : ""));
    find(".hint .place").textContent = place ? `At ${place}. ` : "";
  }

  function table({ results, settings }) {
    const head = make("tr");
    head.append(make("td"), ...view.runs.map((run, i) => {
      const cell = make("th", "");
      cell.scope = "col";
      const open = Object.assign(make("button", run.name, "link"), { type: "button", title: run.name });
      open.addEventListener("click", () => dfgui.view.open("monitor", run.run));
      cell.append(sample(i), make("b", dfgui.overlay.LETTERS[i]), open);
      return cell;
    }));
    find(".beside thead").replaceChildren(head);
    find(".results").replaceChildren(...results.map(row));
    const title = make("tr", "", "title");
    title.append(Object.assign(make("th", settings.rows.length ? "Settings that differ" : "No setting differs"), { colSpan: view.runs.length + 1, scope: "rowgroup" }));
    find(".settings").replaceChildren(title, ...settings.rows.map(row));
    find(".equal").textContent = settings.equal === 1 ? "1 setting is equal." : `${settings.equal} settings are equal.`;
  }

  // A long name goes on in the next line at its dots and underscores, not within a word.
  function broken(text) {
    return text.split(/(?<=[\w][._/])(?=\p{L})/u).flatMap((part, i) => (i ? [make("wbr"), part] : [part]));
  }

  function row([title, name, values]) {
    const line = make("tr");
    const head = Object.assign(make("th", title), { scope: "row" });
    if (name && name !== title) head.append(make("small"));
    head.querySelector("small")?.append(...broken(name));
    line.append(head, ...values.map((value) => {
      const cell = Object.assign(make("td"), { title: value.length > 24 ? value : "" });
      cell.append(...broken(value));
      return cell;
    }));
    return line;
  }

  // The last step held of each curve of a run that goes on, for the next question; undefined when none does.
  function cursors() {
    const going = view.runs.filter((run) => run.going);
    return going.length ? Object.fromEntries(going.map((run) => [run.run, run.held.cursor() || [-1, -1]])) : undefined;
  }

  function take(news) {
    let ended = false;
    for (const run of view.runs) {
      const fresh = news[run.run];
      if (!fresh) continue;
      run.held.take(fresh);
      ended ||= fresh.ended;
    }
    chart.draw();
    if (ended) load(view.asked.split(",")); // how it ended stands in the table
  }

  return { boot, show, cursors, take };
})();
