// The card that asks where the base of a run is now, or what a quantised one was made from.
dfgui.base = (card, name) => {
  const find = (selector) => card.querySelector(selector);
  const make = (kind, text = "", className = "") => Object.assign(document.createElement(kind), { textContent: text, className });
  const field = find("input");
  const button = find("button");
  let drawn = "";

  find("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    busy(true);
    const error = await name(field.value);
    busy(false);
    say(error);
    if (error) field.focus();
  });

  // `asked`: {title, why, label, guess, ...}, or null where nothing is to be told of `run`.
  function draw(asked, run) {
    card.hidden = !asked;
    const now = JSON.stringify([asked, run]);
    if (now === drawn) return;
    drawn = now;
    say(null);
    if (!asked) return;
    find("h3").textContent = asked.title;
    find(".what").textContent = asked.why;
    find("label span").textContent = asked.label;
    field.value = asked.guess;
  }

  function busy(is) {
    button.disabled = is;
    button.textContent = is ? "Looking at it …" : "Use this model";
  }

  function say(error) {
    const box = find(".trouble");
    box.hidden = !error;
    field.setAttribute("aria-invalid", Boolean(error));
    box.replaceChildren(...(error ? [make("b", error.what), ` ${error.why} `, make("span", error.do, "cure")] : []));
  }

  return { draw };
};
