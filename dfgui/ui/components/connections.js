// Connections: what keys there are, new ones for this visit, and a test of each. A value leaves this page once, by POST.
dfgui.connections = (() => {
  const FROM = { visit: "✓ for this visit", environment: "✓ from the environment", machine: "✓ kept on this machine", "": "not set" };
  const make = (kind, text = "", className = "") => Object.assign(document.createElement(kind), { textContent: text, className });
  let dialog, trigger;

  function boot(element, changed) {
    trigger = changed;
    const button = element.querySelector(".connections-open");
    dialog = element.querySelector("dialog");
    button.addEventListener("click", open);
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    dialog.addEventListener("close", () => {
      for (const input of dialog.querySelectorAll("input")) input.value = ""; // nothing typed stays in the page
      button.focus();
    });
  }

  async function open() {
    dialog.showModal();
    const answer = await ask("connections");
    const services = dialog.querySelector(".services");
    if (answer.error) return services.replaceChildren(make("p", words(answer.error), "said bad"));
    services.replaceChildren(...answer.services.map(part));
  }

  function part(service) {
    const form = make("form", "", "service");
    form.dataset.service = service.name;
    const act = make("div", "", "act");
    const keep = make("button", "Use for this visit", "df-button small");
    const forget = Object.assign(make("button", "Forget", "df-button small"), { type: "button" });
    const test = Object.assign(make("button", "Test", "df-button small"), { type: "button" });
    for (const one of [keep, forget, test]) one.setAttribute("aria-label", `${one.textContent}: ${service.title}`);
    act.append(keep, test, forget, Object.assign(make("p", "", "said"), { role: "status" }));
    form.append(make("h4", service.title), make("p", service.use, "use"), ...service.fields.map(field), act);
    form.addEventListener("submit", (event) => (event.preventDefault(), give(form, typed(form))));
    forget.addEventListener("click", () => give(form, Object.fromEntries(inputs(form).map((input) => [input.name, ""]))));
    test.addEventListener("click", () => knock(form));
    settle(form, service);
    return form;
  }

  function field(one) {
    const label = make("label", "", "field");
    const name = make("span");
    name.append(make("b", one.title), make("small", one.name));
    const input = make("input");
    Object.assign(input, { name: one.name, type: one.secret ? "password" : "text", autocomplete: "off", spellcheck: false });
    const from = make("span", "", "from");
    label.append(name, input, from);
    return label;
  }

  // What is there now: of each value where it comes from, and whether there is anything to forget.
  function settle(form, service) {
    for (const one of service.fields) {
      const from = form.elements[one.name].closest(".field").querySelector(".from");
      from.dataset.from = one.from;
      from.textContent = FROM[one.from];
    }
    form.querySelector("[aria-label^=Forget]").disabled = !service.fields.some((one) => one.from === "visit");
  }

  const inputs = (form) => [...form.querySelectorAll("input")];
  const typed = (form) => Object.fromEntries(inputs(form).filter((input) => input.value.trim()).map((input) => [input.name, input.value]));

  async function give(form, values) {
    if (!Object.keys(values).length) return say(form, "Nothing was typed.", "bad");
    const answer = await ask("connections", values);
    if (answer.error) return say(form, words(answer.error), "bad");
    for (const input of inputs(form)) input.value = "";
    const forgotten = Object.values(values).every((value) => !value);
    for (const service of answer.services) settle(dialog.querySelector(`[data-service=${service.name}]`), service);
    say(form, forgotten ? "Forgotten. Runs that have it go on with it." : "Kept for this visit. Runs you start from now on use it.", "good");
    trigger("change"); // what was said of a start may be so no longer
    if (document.activeElement === document.body) form.querySelector("input").focus(); // its button has just been disabled
  }

  async function knock(form) {
    const given = typed(form);
    if (Object.keys(given).length) {
      await give(form, given);
      if (form.querySelector(".said.bad")) return;
    }
    const button = form.querySelector("[aria-label^=Test]");
    button.setAttribute("aria-disabled", "true");
    say(form, "Asking …");
    const answer = await ask("connections/test", { service: form.dataset.service });
    button.removeAttribute("aria-disabled");
    say(form, answer.error ? words(answer.error) : answer.words, answer.works ? "good" : "bad");
  }

  function say(form, text, kind = "") {
    Object.assign(form.querySelector(".said"), { textContent: text, className: `said ${kind}` });
  }

  const words = (error) => `${error.what} ${error.why} ${error.do}`;

  async function ask(path, body) {
    const how = body && { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    try {
      return await (await fetch(dfgui.live.at(path), { cache: "no-store", ...how })).json();
    } catch {
      return { error: dfgui.live.SILENT };
    }
  }

  return { boot };
})();
