// Brings a download home: the server is asked to get it ready first, so that a refusal comes as words and not as a file
// that fails, and a merge, which takes its time, is said to be under way.
dfgui.download = (() => {
  const LOGGED_OUT = { what: "Your login has ended.", why: "", do: "Load this page again and log in." };
  const UNDERWAY = "underway", BEGUN = "begun";
  const outcomes = new Map(); // address -> UNDERWAY, BEGUN or a refusal {what, why, do}
  const telling = new Map(); // address -> how far it is, in words
  const cancelled = new Set(); // addresses

  // Answers when the browser has begun to fetch it, or it was refused; at once if it is under way already.
  // `tell` is called whenever there is more to say of it.
  async function bring(address, tell) {
    if (outcomes.get(address) === UNDERWAY) return;
    outcomes.set(address, UNDERWAY);
    const refusal = await prepare(address, tell);
    telling.delete(address);
    if (cancelled.delete(address)) return outcomes.delete(address);
    outcomes.set(address, refusal || BEGUN);
    if (!refusal) save(address);
  }

  async function cancel(address) {
    cancelled.add(address);
    await fetch(address, { method: "DELETE" }).catch(() => null);
  }

  // Why it cannot be had, or null once it can.
  async function prepare(address, tell) {
    let answer;
    do {
      if (answer) telling.set(address, (await answer.json().catch(() => ({}))).said || "");
      tell();
      answer = await fetch(`${address}?ready`, { headers: { accept: "application/json" }, cache: "no-store" }).catch(() => null);
    } while (answer && answer.status === 202 && !cancelled.has(address)); // asked again, it would begin anew
    if (answer && answer.ok) return null;
    if (answer && answer.status === 401) return LOGGED_OUT;
    const told = answer && (await answer.json().catch(() => null));
    return (told && told.error) || dfgui.live.SILENT;
  }

  function save(address) {
    Object.assign(document.createElement("a"), { href: address, download: "" }).click();
  }

  // That downloads have begun is news for as long as the page is looked at.
  function settle() {
    for (const [address, outcome] of outcomes) if (outcome === BEGUN) outcomes.delete(address);
  }

  return { LOGGED_OUT, bring, cancel, settle, said: (address) => telling.get(address) || "", UNDERWAY, BEGUN, outcome: (address) => outcomes.get(address) };
})();
