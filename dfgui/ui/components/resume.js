// The dialog in which an ended run goes on: from which checkpoint, what that means, and the few settings that may change.
dfgui.resume = (root, page) => {
  const dialog = root.querySelector("dialog.resume");
  const find = (selector) => dialog.querySelector(selector);
  const make = (kind, text = "", className = "") => Object.assign(document.createElement(kind), { textContent: text, className });
  const select = find("select");
  let offer = { checkpoints: [], settings: [] };

  select.addEventListener("change", words);
  find("[value=leave]").addEventListener("click", () => dialog.close());
  find("form").addEventListener("submit", (event) => {
    event.preventDefault();
    go();
  });

  async function open() {
    const run = page.run;
    const found = await dfgui.live.call("resuming", { run });
    if (page.run !== run || dialog.open) return;
    offer = found.error ? { name: page.head.name, checkpoints: [], settings: [] } : found;
    find("h3").textContent = `Resume ${offer.name}?`;
    select.replaceChildren(...offer.checkpoints.map((one) => new Option(one.label, one.step)));
    find(".settings").replaceChildren(...offer.settings.map(field));
    find("details").open = false;
    for (const part of [".from", "details", ".kept", "[type=submit]"]) find(part).hidden = Boolean(found.error);
    trouble(found.error);
    words();
    dialog.showModal();
  }

  function words() {
    const chosen = offer.checkpoints.find((one) => String(one.step) === select.value);
    find(".words").textContent = chosen ? chosen.words : "";
  }

  function field({ name, title, help, value, minimum }) {
    const label = make("label");
    const input = Object.assign(make("input"), { type: "number", name, value, min: minimum, step: 1 });
    const text = make("span", title);
    text.append(make("small", name));
    label.title = help;
    label.append(text, input);
    return label;
  }

  // Only what differs from the run's own values; what is no number is sent as nothing, and refused in words.
  function changes() {
    const changed = offer.settings.filter(({ name, value }) => find(`[name=${name}]`).value !== String(value));
    return Object.fromEntries(changed.map(({ name }) => [name, find(`[name=${name}]`).value === "" ? null : Number(find(`[name=${name}]`).value)]));
  }

  async function go() {
    find("[type=submit]").disabled = true;
    const taken = await dfgui.live.call("resume", { run: page.run, step: Number(select.value), changes: changes() });
    find("[type=submit]").disabled = false;
    if (taken.error) return trouble(taken.error);
    dialog.close();
    return dfgui.live.ask();
  }

  function trouble(error) {
    find(".trouble").textContent = error ? [error.what, error.why, error.do].filter(Boolean).join(" ") : "";
  }

  return { open, leave: () => dialog.open && dialog.close() };
};
