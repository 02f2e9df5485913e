// What can be asked of a run: the buttons, the menu of the rarer ones, and the dialog in which a stop asks first.
// `page` is what the Monitor page knows of its run; `told` draws the line that says what came of it.
dfgui.commands = (root, page, told) => {
  const find = (selector) => root.querySelector(selector);
  const dialog = find("dialog.stop");
  const more = find(".extra > button");
  const menu = find(".menu");
  const items = [...menu.querySelectorAll("[role=menuitem]")];
  const TITLES = { save: "Save", evaluate: "Evaluate", log: "Log now", "end-epoch": "End this epoch", stop: "Stop", "stop-without-checkpoint": "Stop without a checkpoint" };
  let force = "";

  for (const button of root.querySelectorAll("[data-command]")) {
    button.addEventListener("click", () => (refused(button) ? null : button.dataset.command === "stop" ? askToStop() : send(button.dataset.command)));
  }
  dialog.addEventListener("close", () => dialog.returnValue.startsWith("stop") && send(dialog.returnValue));
  more.addEventListener("click", () => (menu.hidden ? open(0) : close()));
  more.addEventListener("keydown", (event) => {
    if (!["ArrowDown", "ArrowUp"].includes(event.key)) return;
    event.preventDefault();
    open(event.key === "ArrowUp" ? items.length - 1 : 0);
  });
  menu.addEventListener("keydown", keyed);
  menu.addEventListener("click", () => close(true));
  find(".extra").addEventListener("focusout", (event) => find(".extra").contains(event.relatedTarget) || close());
  document.addEventListener("pointerdown", (event) => find(".extra").contains(event.target) || close());

  // A button that cannot work keeps its place and its focus, and says why.
  function draw(commands) {
    page.answers = commands.answers;
    force = commands.force;
    for (const button of root.querySelectorAll("[data-command]")) able(button, commands.why[button.dataset.command]);
  }

  function able(button, why) {
    button.setAttribute("aria-disabled", String(Boolean(why)));
    button.title = why || "";
  }

  function refused(button) {
    if (button.getAttribute("aria-disabled") !== "true") return false;
    if (button.title) {
      page.answers = [`${TITLES[button.dataset.command]}: ${button.title}`];
      told();
    }
    return true;
  }

  async function send(name) {
    const button = find(`[data-command="${name.startsWith("stop") ? "stop" : name}"]`);
    able(button, "Asked for already.");
    page.answers = [`${TITLES[name]}: requested`, ...page.answers];
    told();
    const taken = await dfgui.live.call("ask", { run: page.run, command: name });
    if (taken.error) page.answers = [`${taken.error.what} ${taken.error.why}`];
    told();
    dfgui.live.forget("commands");
    dfgui.live.ask();
  }

  function askToStop() {
    const { head } = page;
    const waits = head.state === "queued";
    const trains = head.state === "running";
    const words = {
      h3: waits ? `Take ${head.name} out of the queue?` : `Stop ${head.name}?`,
      ".words": trains ? `It is at step ${head.steps}. The step under way still ends, then the run stops.` : untrained(waits),
      ".lost": trains ? lost() : "",
      ".force": waits ? "" : force,
      "[value=keep]": waits ? "Let it wait" : trains ? "Keep training" : "Let it go on",
      "[value=stop]": waits ? "Take it out" : trains ? "Stop and keep a checkpoint" : "Stop",
    };
    for (const [part, text] of Object.entries(words)) dialog.querySelector(part).textContent = text;
    dialog.querySelector("[value=stop-without-checkpoint]").hidden = !trains;
    dialog.returnValue = "keep";
    dialog.showModal();
  }

  function untrained(waits) {
    if (page.checkpoints.length) return "It has not gone on yet: its checkpoints stay as they are, and it can be resumed later.";
    return waits ? "It has not begun: nothing is lost." : "It has not trained a step yet: there is nothing to keep, unless a step ends before the stop arrives.";
  }

  // What goes when nothing is saved.
  function lost() {
    const [newest] = page.checkpoints;
    const steps = page.head.step - (newest ? newest.step : 0);
    if (newest && steps <= 0) return "";
    const count = `${steps.toLocaleString("en")} step${steps === 1 ? "" : "s"}`;
    return newest
      ? `Without a checkpoint, what it learned since checkpoint ${newest.step.toLocaleString("en")} is lost: ${count} so far.`
      : `Without a checkpoint, all it has learned is lost: ${count} so far.`;
  }

  function open(place) {
    menu.hidden = false;
    more.setAttribute("aria-expanded", "true");
    items[place].focus();
  }

  function close(back = false) {
    if (menu.hidden) return;
    menu.hidden = true;
    more.setAttribute("aria-expanded", "false");
    if (back) more.focus();
  }

  function keyed(event) {
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 + items.length, Home: 0, End: items.length - 1 }[event.key];
    if (to !== undefined) items[to % items.length].focus();
    if (event.key === "Escape") close(true);
    if (to !== undefined || event.key === "Escape") event.preventDefault();
  }

  // Another run, or this one has ended: what was open about it goes.
  function leave() {
    close();
    if (dialog.open) dialog.close("keep");
  }

  return { draw, leave };
};
