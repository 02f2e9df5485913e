// Finds a setting of the form and leads to it: its level is chosen, its group unfolded, its field focused.
dfgui.search = (() => {
  const MOST = 8; // settings offered at once
  const PATIENCE = 40; // times 50 ms: how long a group may take to unfold

  function boot(element) {
    const box = element.querySelector("input");
    const list = element.querySelector("ul");
    const settings = JSON.parse(element.querySelector(".search").dataset.settings);
    let found = [];
    let at = -1;

    function show() {
      found = matches(settings, box.value);
      at = found.length ? 0 : -1;
      const lines = found.map(line);
      if (!lines.length && box.value.trim()) lines.push(Object.assign(document.createElement("li"), { className: "none", textContent: "Nothing found. Try: rate, length, batch, memory." }));
      list.replaceChildren(...lines);
      list.hidden = !lines.length;
      box.setAttribute("aria-expanded", String(found.length > 0));
      point();
    }

    function line(setting, i) {
      const item = document.createElement("li");
      item.id = `search-${i}`;
      item.setAttribute("role", "option");
      const name = Object.assign(document.createElement("code"), { textContent: setting.name });
      const where = Object.assign(document.createElement("small"), { textContent: setting.in });
      item.append(Object.assign(document.createElement("b"), { textContent: setting.title }), " ", name, where);
      item.addEventListener("mousedown", (event) => event.preventDefault()); // the focus stays until it is led away
      item.addEventListener("click", () => choose(setting));
      return item;
    }

    function point() {
      [...list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === at)));
      at < 0 ? box.removeAttribute("aria-activedescendant") : box.setAttribute("aria-activedescendant", `search-${at}`);
      list.children[at]?.scrollIntoView({ block: "nearest" });
    }

    function close() {
      list.hidden = true;
      box.setAttribute("aria-expanded", "false");
      box.removeAttribute("aria-activedescendant");
    }

    function choose(setting) {
      close();
      box.value = "";
      lead(setting);
    }

    box.addEventListener("input", show);
    box.addEventListener("focus", () => box.value && show());
    box.addEventListener("blur", close);
    box.addEventListener("keydown", (event) => {
      const steps = { ArrowDown: 1, ArrowUp: -1 };
      if (event.key in steps && found.length) {
        at = (at + steps[event.key] + found.length) % found.length;
        point();
      } else if (event.key === "Enter" && found[at] && !list.hidden) choose(found[at]);
      else if (event.key === "Escape") (box.value = ""), close();
      else return;
      event.preventDefault();
    });
  }

  // Settings that hold every word, those first whose title or name begins with what was written.
  function matches(settings, text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) return [];
    const scored = settings.map((setting) => [score(setting, words), setting]);
    return scored.filter(([points]) => points).sort(([a], [b]) => b - a).slice(0, MOST).map(([, setting]) => setting);
  }

  function score(setting, words) {
    const title = setting.title.toLowerCase();
    const name = setting.name.toLowerCase();
    const rest = `${setting.in} ${setting.help}`.toLowerCase();
    const each = words.map((word) => {
      if (title.startsWith(word) || name.startsWith(word) || name.includes(`.${word}`)) return 4;
      if (title.includes(word) || name.includes(word)) return 3;
      return rest.includes(word) ? 1 : 0;
    });
    return each.every(Boolean) ? each.reduce((sum, points) => sum + points) / words.length : 0;
  }

  async function lead(setting) {
    if (setting.level !== "basic" && (document.body.dataset.level || "basic") === "basic") {
      document.querySelectorAll("#level label")[1].click();
    }
    let field = await appeared(setting.id, setting.group);
    if (!field && setting.when.length) field = await appeared(`field-${setting.when[0]}`, setting.group);
    if (!field) return;
    field.scrollIntoView({ block: "center" });
    focus(field);
    field.classList.add("found");
    setTimeout(() => field.classList.remove("found"), 1600);
  }

  // A menu would open at once and hide what it is about: there the field itself has the focus, and Tab leads on.
  function focus(field) {
    const input = field.querySelector("input:not([role=combobox]), textarea");
    if (!input) field.tabIndex = -1;
    (input || field).focus({ preventScroll: true });
  }

  // The field once it is on the page, its group unfolded; null where it does not come, as it does not matter now.
  async function appeared(id, group) {
    for (let i = 0; i < PATIENCE; i += 1) {
      const field = document.getElementById(id);
      if (field && field.offsetParent) return field;
      const box = document.getElementById(`group-${group}`);
      if (i === 0 && box && !box.querySelector(".fields")?.offsetParent) box.querySelector(":scope > button")?.click();
      if (i > 8 && box?.querySelector(".fields")?.offsetParent && !field) return null;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return null;
  }

  return { boot };
})();
