// The Hub card: asks before a checkpoint goes, says how far it is, and ends it. The server pushes, so a reload loses nothing.
dfgui.push = (card, dialog) => {
  const LOOK_MS = 700;
  const make = (kind, text = "", className = "") => Object.assign(document.createElement(kind), { textContent: text, className });
  const find = (selector) => card.querySelector(selector);
  const form = find("form");
  const KINDS = { adapter: "adapter", merged: "merged model" };
  let page = { kinds: [] };
  let timer = null, drawn = "", asked = null;

  form.addEventListener("submit", (event) => (event.preventDefault(), ask()));
  dialog.addEventListener("close", () => dialog.returnValue === "push" && begin());

  // What there is to push: {run, name, step, kinds: [{kind, title, size}]}.
  function offer(next) {
    const same = JSON.stringify(next.kinds) === JSON.stringify(page.kinds);
    page = next;
    card.hidden = !page.kinds.length;
    form.elements.repo.placeholder = `your-name/${page.name.replace(/[^\w.-]+/g, "-") || "my-model"}`;
    if (same) return;
    const before = form.elements.kind?.value;
    const chosen = page.kinds.some(({ kind }) => kind === before) ? before : page.kinds[0]?.kind;
    find("fieldset").replaceChildren(make("legend", "As"), ...page.kinds.map((one) => choice(one, chosen)));
  }

  function choice({ kind, title, size }, chosen) {
    const label = make("label", "", "tick");
    label.append(Object.assign(make("input"), { type: "radio", name: "kind", value: kind, checked: kind === chosen }), `${title} `, make("small", size));
    return label;
  }

  function ask() {
    const repo = form.elements.repo.value.trim();
    if (!/^[\w.-]+\/[\w.-]+$/.test(repo)) {
      say({ what: "Where shall it go?", why: "A repository reads owner/name.", do: `Write your name on the Hub, a slash, and a name, such as ${form.elements.repo.placeholder}.` });
      return form.elements.repo.focus();
    }
    say(null);
    const kind = form.elements.kind.value;
    const { title, size } = page.kinds.find((one) => one.kind === kind);
    asked = { run: page.run, step: page.step, kind, repo, public: form.elements.public.checked };
    dialog.querySelector("h3").textContent = `Push step ${page.step.toLocaleString("en")} of ${page.name} to ${repo}?`;
    dialog.querySelector(".goes").textContent = `What goes: the ${title.toLowerCase()}, ${size}, with a model card and USAGE.md. Files of the same names there are replaced.`;
    dialog.querySelector(".seen").textContent = asked.public
      ? "Everybody will see and may download it: the repository is made public if it is not there yet."
      : "Only you and those you let in will see it: the repository is made private if it is not there yet.";
    dialog.querySelector(".seen").append(" One that is there stays as it is.");
    dialog.returnValue = "leave";
    dialog.showModal();
  }

  async function begin() {
    const answer = await send("push", "POST", asked);
    say(answer.error || null);
    look();
  }

  // What has become of this visit's pushes; again soon while one is under way and this page is on show.
  async function look() {
    clearTimeout(timer);
    const answer = await send("push");
    const pushes = answer.pushes || [];
    if (answer.pushes) draw(pushes);
    const going = pushes.some((one) => one.state === "going");
    if ((going || answer.error) && dfgui.view.page === "export") timer = setTimeout(look, going ? LOOK_MS : 10 * LOOK_MS);
  }

  function draw(pushes) {
    const now = JSON.stringify(pushes.map(({ said, ...rest }) => rest));
    if (now !== drawn) {
      const held = card.contains(document.activeElement) && document.activeElement.closest("[data-push]")?.dataset.push;
      find(".pushes").replaceChildren(...pushes.map(line));
      if (held) find(`[data-push="${held}"] :is(button, a)`)?.focus({ preventScroll: true });
    }
    drawn = now;
    for (const one of pushes) if (one.state === "going") find(`[data-push="${one.id}"] .state`).textContent = `${upper(one.said || "starting")} …`;
  }

  const upper = (text) => text[0].toUpperCase() + text.slice(1);

  function line(one) {
    const box = make("li");
    box.dataset.push = one.id;
    box.dataset.state = one.state;
    const what = make("p", "", "which");
    what.append(make("b", one.repo), ` ${one.name}, step ${one.step.toLocaleString("en")}, ${KINDS[one.kind]}${one.private ? ", private" : ", public"}`);
    box.append(what);
    const state = make("p", "", "state");
    state.setAttribute("role", "status");
    if (one.state === "going") return box.append(state, cancel(one)), box;
    if (one.state === "cancelled") state.textContent = "Cancelled. Nothing was committed to the repository.";
    if (one.state === "done") state.append("It is there: ", Object.assign(make("a", one.url.replace(/^https:\/\//, "")), { href: one.url, target: "_blank", rel: "noopener" }));
    if (one.state === "failed") state.append(make("b", one.error.what), ` ${one.error.why} `, make("span", one.error.do, "cure"));
    box.append(state);
    return box;
  }

  function cancel(one) {
    const button = Object.assign(make("button", "Cancel", "df-button small"), { type: "button" });
    button.setAttribute("aria-label", `Cancel the push to ${one.repo}`);
    button.addEventListener("click", async () => {
      button.disabled = true;
      await send(`push/${one.id}`, "DELETE");
      look();
    });
    return button;
  }

  function say(error) {
    const box = card.querySelector(":scope > .trouble");
    box.hidden = !error;
    box.replaceChildren(...(error ? [make("b", error.what), ` ${error.why} `, make("span", error.do, "cure")] : []));
  }

  async function send(path, method = "GET", body = null) {
    const how = body ? { headers: { "content-type": "application/json" }, body: JSON.stringify(body) } : {};
    try {
      const answer = await fetch(dfgui.live.at(path), { method, cache: "no-store", ...how });
      if (answer.status === 401) return { error: dfgui.download.LOGGED_OUT };
      return answer.status === 204 ? {} : await answer.json();
    } catch {
      return { error: dfgui.live.SILENT };
    }
  }

  return { offer, look };
};
