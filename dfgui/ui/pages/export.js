// The Export page: asks what there is whenever it is turned to, or another run or checkpoint is chosen.
dfgui.exporting = (() => {
  const drawn = {}; // what is on the page, as JSON
  let root, server, step, beside, shelf, two, push, base, gguf;
  const find = (selector) => root.querySelector(selector);
  const make = (kind, text = "", className = "") => Object.assign(document.createElement(kind), { textContent: text, className });

  function boot(element, functions) {
    root = element.querySelector(".export");
    server = functions;
    find("[data-choose=run]").addEventListener("change", (event) => dfgui.view.open("export", event.target.value));
    find("[data-choose=beside]").addEventListener("change", (event) => compare(event.target.value && Number(event.target.value)));
    shelf = dfgui.shelf(find(".shelf"), { choose, keep, erase, beside: compare });
    two = dfgui.two(find(".two"), () => dfgui.view.run);
    base = dfgui.base(find(".card.base"), name);
    push = dfgui.push(find(".card.push"), find(".push-ask"));
    dfgui.view.listen(load);
    dfgui.live.join({ question: () => {}, answer: (news) => "news" in news && load() });
    load();
  }

  // Another page wants this checkpoint shown; "" means none in particular.
  function asked(wanted) {
    step = wanted === "" ? null : Number(wanted);
    if (root) load();
  }

  function choose(wanted) {
    step = wanted;
    return load();
  }

  function compare(wanted) {
    beside = wanted || null;
    return load();
  }

  async function keep(at, kept) {
    const answer = await dfgui.live.call("keep", { run: dfgui.view.run, step: at, kept }, server);
    shelf.tell(...told(answer, kept ? `Checkpoint ${at} is kept.` : `Checkpoint ${at} is kept no longer.`));
    return load();
  }

  async function erase(at) {
    const answer = await dfgui.live.call("discard", { run: dfgui.view.run, step: at }, server);
    shelf.tell(...told(answer, answer.words));
    if (!answer.error && step === at) step = null;
    return load();
  }

  // Tells where the base of the run on show is; returns why not.
  async function name(model) {
    const { run } = dfgui.view;
    const answer = await dfgui.live.call("name_base", { run: find("[data-choose=run]").value, model }, server);
    if (answer.error || run !== dfgui.view.run) return answer.error;
    find("p.found").textContent = answer.words;
    await load();
    find(".offer[data-kind=merged] .act a")?.focus({ preventScroll: true });
    return null;
  }

  const told = ({ error }, words) => (error ? [`${error.what} ${error.why} ${error.do}`, true] : [words]);

  async function load() {
    if (dfgui.view.page !== "export") return dfgui.download.settle();
    push.look();
    const question = { run: dfgui.view.run, step, beside };
    const answer = await dfgui.live.call("offers", question, server);
    if (question.run !== dfgui.view.run || question.step !== step || question.beside !== beside) return;
    const trouble = answer.error ? `${answer.error.what} ${answer.error.do}` : answer.trouble;
    find(":scope > .trouble").hidden = !trouble;
    find(":scope > .trouble").textContent = trouble || "";
    if (answer.error) return;
    find(".empty").hidden = answer.runs.length > 0;
    if (!answer.runs.length) base.draw(null);
    for (const part of [".choose", ".shelf", ".card.push", "h3.chosen"]) find(part).hidden = !answer.runs.length;
    if (!answer.runs.length) return;
    fill("run", answer.runs, answer.run);
    list(answer);
    if (differs("offers", [answer.offers, answer.run, answer.step])) show(answer);
    for (const link of root.querySelectorAll(".offer .act a")) say(link.getAttribute("href"));
  }

  // What is drawn stays as it is until it differs: a new run elsewhere takes neither the focus nor a folded part with it.
  function differs(part, value) {
    const text = JSON.stringify(value);
    return text !== drawn[part] && Boolean((drawn[part] = text));
  }

  // What hangs on the run and the checkpoint chosen, besides what there is to download.
  function list({ shelf: rows, run, name, step: at, left_over: left, two: pair, offers, base: wanted }) {
    if (differs("run", run)) {
      shelf.tell("");
      find("p.found").textContent = "";
    }
    base.draw(wanted, run);
    shelf.draw({ rows, step: at, run, name });
    find(".left-over").textContent = left;
    find(".left-over").hidden = !left;
    const others = rows.filter((row) => row.step !== at).map((row) => ({ value: row.step, label: `step ${row.step.toLocaleString("en")}${row.best ? ", best" : ""}` }));
    find(".with").hidden = !others.length;
    find(".with b").textContent = `step ${at.toLocaleString("en")}`;
    fill("beside", [{ value: "", label: "nothing" }, ...others], pair ? pair.steps.find((one) => one !== at) : "");
    if (differs("two", pair)) two.draw(pair);
    find("h3.chosen").textContent = `Bring step ${at.toLocaleString("en")} home`;
    push.offer({ run, name, step: at, kinds: offers.filter(({ kind, refused }) => ["adapter", "merged"].includes(kind) && !refused) });
  }

  function fill(name, choices, chosen) {
    const list = find(`[data-choose=${name}]`);
    if (differs(`choices ${name}`, choices)) list.replaceChildren(...choices.map(({ value, label }) => new Option(label, value)));
    list.value = chosen;
  }

  function show({ offers = [], run, step: at }) {
    const { activeElement: held } = document;
    const kind = root.contains(held) && held.closest(".offer")?.dataset.kind;
    find(".offers").replaceChildren(...offers.map((one) => card(one, `${dfgui.live.at("download")}/${run}/${at}/`)));
    if (kind) find(`.offer[data-kind=${kind}] ${held.localName}`)?.focus({ preventScroll: true });
  }

  // Lines to copy. They may be wider than their box, which the arrow keys then move.
  const code = (text) => Object.assign(make("pre", text), { tabIndex: 0 });

  function card(offer, folder) {
    const box = make("article", "", "card offer");
    box.dataset.kind = offer.kind;
    const title = make("h3", offer.title);
    if (offer.size) title.append(make("span", offer.size, "size"));
    if (offer.refused) {
      box.classList.add("refused");
      box.append(title, make("p", offer.about), make("p", offer.refused, "why"), ...(offer.code && offer.kind === "gguf" ? [code(offer.code)] : []));
      return box;
    }
    const named = { script: "script", gguf: "GGUF" }[offer.kind] || offer.title.toLowerCase();
    const link = make("a", `Download ${named}`, "df-button primary");
    const kinds = offer.choices.map(({ kind }) => kind);
    link.href = `${folder}${kinds.includes(gguf) ? gguf : kinds[0] || offer.kind}`;
    const address = () => link.getAttribute("href");
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // in a tab of its own: a plain link
      event.preventDefault();
      bring(address());
    });
    const act = make("div", "", "act");
    const cancel = Object.assign(make("button", "Cancel", "df-button small"), { type: "button", hidden: true });
    cancel.addEventListener("click", async () => {
      cancel.disabled = true;
      await dfgui.download.cancel(address());
    });
    act.append(link, Object.assign(make("p", "", "state"), { role: "status" }), cancel);
    const how = make("details");
    const more = offer.kind === "script" ? "" : " USAGE.md in it says more.";
    how.append(make("summary", "How to use it"), make("p", `Unpack the zip, and run this in its folder.${more}`), code(offer.code));
    how.open = true;
    const files = offer.files.length ? [single(offer.files, address())] : [];
    box.append(title, make("p", [offer.about, offer.needs].filter(Boolean).join(" ")), ...choice(offer.choices, link), act, Object.assign(make("p", "", "trouble"), { role: "alert", hidden: true }), how, ...files);
    return box;
  }

  // In which form the file is written; the link follows what is chosen.
  function choice(choices, link) {
    if (!choices.length) return [];
    const box = make("fieldset", "", "form");
    box.append(make("legend", "In which form", "unseen"));
    for (const { kind, title, name, size } of choices) {
      const label = make("label");
      const input = Object.assign(make("input"), { type: "radio", name: "gguf", value: kind, checked: link.href.endsWith(`/${kind}`) });
      input.addEventListener("change", () => {
        gguf = kind;
        link.href = link.getAttribute("href").replace(/[^/]+$/, kind);
        say(link.getAttribute("href"));
      });
      label.append(input, `${title} `, make("small", name), ` ${size}`);
      box.append(label);
    }
    return [box];
  }

  // Links to the weights as they lie on the disk.
  function single(files, address) {
    const box = make("details", "", "files");
    const list = make("ul");
    for (const { name, size } of files) {
      const item = make("li");
      item.append(Object.assign(make("a", name), { href: `${address.replace("/download/", "/files/").replace(/[^/]+$/, name)}`, download: name }), ` ${size}`);
      list.append(item);
    }
    box.append(make("summary", "Weights file by file"), make("p", "A download that breaks off goes on where it stopped, if the browser, or curl -C -, asks for the rest."), list);
    return box;
  }

  async function bring(address) {
    await dfgui.download.bring(address, () => say(address));
    say(address);
    find(".offer .trouble:not([hidden])")?.scrollIntoView({ block: "nearest" });
  }

  // What has become of a download, on its card while that is on show.
  function say(address) {
    const link = find(`.offer .act a[href="${address}"]`);
    if (!link) return;
    const box = link.closest(".offer");
    const { UNDERWAY, BEGUN, outcome } = dfgui.download;
    const now = outcome(address);
    const refusal = typeof now === "object" ? now : null;
    const merges = box.dataset.kind === "merged" && find("[data-kind=adapter]");
    const converts = box.dataset.kind === "gguf";
    const doing = converts ? "Converting" : merges ? "Merging" : box.dataset.kind === "script" ? "Preparing the rows" : "Packing";
    const far = dfgui.download.said(address);
    const told = far ? far[0].toUpperCase() + far.slice(1) : doing;
    const words = { [UNDERWAY]: `${told} … The download starts by itself.`, [BEGUN]: "The download has begun." };
    link.setAttribute("aria-disabled", now === UNDERWAY);
    const cancel = box.querySelector("button");
    cancel.hidden = now !== UNDERWAY || !(merges || converts);
    cancel.disabled = false;
    box.querySelector(".state").textContent = (!refusal && words[now]) || "";
    const trouble = box.querySelector(".trouble");
    trouble.hidden = !refusal;
    trouble.replaceChildren(...(refusal ? [make("b", refusal.what), ` ${refusal.why} `, make("span", refusal.do, "cure")] : []));
  }

  return { boot, asked };
})();
