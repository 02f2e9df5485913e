// The Export page: asks what there is whenever it is turned to, or another run or checkpoint is chosen.
dfgui.exporting = (() => {
  let root, server, step;
  const find = (selector) => root.querySelector(selector);
  const make = (kind, text = "", className = "") => Object.assign(document.createElement(kind), { textContent: text, className });

  function boot(element, functions) {
    root = element.querySelector(".export");
    server = functions;
    find("[data-choose=run]").addEventListener("change", (event) => dfgui.view.open("export", event.target.value));
    find("[data-choose=step]").addEventListener("change", (event) => {
      step = Number(event.target.value);
      load();
    });
    dfgui.view.listen(load);
    dfgui.live.join({ question: () => {}, answer: (news) => "news" in news && load() });
    load();
  }

  // Another page wants this checkpoint shown; "" means none in particular.
  function asked(wanted) {
    step = wanted === "" ? null : Number(wanted);
    if (root) load();
  }

  async function load() {
    if (dfgui.view.page !== "export") return;
    const question = { run: dfgui.view.run, step };
    const answer = await dfgui.live.call("offers", question, server);
    if (question.run !== dfgui.view.run || question.step !== step) return;
    const trouble = answer.error ? `${answer.error.what} ${answer.error.do}` : answer.trouble;
    find(".trouble").hidden = !trouble;
    find(".trouble").textContent = trouble || "";
    if (answer.error) return;
    find(".empty").hidden = answer.runs.length > 0;
    find(".choose").hidden = !answer.runs.length;
    if (!answer.runs.length) return find(".offers").replaceChildren();
    fill("run", answer.runs, answer.run);
    fill("step", answer.checkpoints, answer.step);
    find(".offers").replaceChildren(...answer.offers.map((offer) => card(offer, answer)));
  }

  function fill(name, choices, chosen) {
    find(`[data-choose=${name}]`).replaceChildren(...choices.map(({ value, label }) => new Option(label, value, false, value === chosen)));
  }

  function card(offer, { run, step: at }) {
    const box = make("article", "", "card offer");
    const title = make("h3", offer.title);
    title.append(make("span", offer.size, "size"));
    const link = make("a", `Download ${offer.title.toLowerCase()}`, "df-button primary");
    link.href = `${new URL(window.gradio_config.root, location.href).pathname.replace(/\/$/, "")}/download/${run}/${at}/${offer.kind}`;
    link.download = "";
    const how = make("details");
    how.append(make("summary", "How to use it"), make("p", "Unpack the zip, and run this in its folder. USAGE.md in it says more."), make("pre", offer.code));
    how.open = true;
    box.append(title, make("p", [offer.about, offer.needs].filter(Boolean).join(" ")), link, how);
    return box;
  }

  return { boot, asked };
})();
