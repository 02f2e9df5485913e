// Brings a download home: the server is asked to get it ready first, so that a refusal comes as words and not as a file
// that fails, and a merge, which takes its time, is said to be under way.
dfgui.download = (() => {
  const LOGGED_OUT = { what: "Your login has ended.", why: "", do: "Load this page again and log in." };
  const underway = new Set(); // addresses
  const refusals = new Map(); // address -> {what, why, do}

  // Whether the browser has begun to fetch it; else it was refused, or is under way already.
  async function bring(address) {
    if (underway.has(address)) return false;
    underway.add(address);
    refusals.delete(address);
    const refusal = await prepare(address);
    underway.delete(address);
    refusal ? refusals.set(address, refusal) : save(address);
    return !refusal;
  }

  // Why it cannot be had, or null once it can.
  async function prepare(address) {
    let answer;
    do {
      answer = await fetch(`${address}?ready`, { headers: { accept: "application/json" }, cache: "no-store" }).catch(() => null);
    } while (answer && answer.status === 202);
    if (answer && answer.ok) return null;
    if (answer && answer.status === 401) return LOGGED_OUT;
    const told = answer && (await answer.json().catch(() => null));
    return (told && told.error) || dfgui.live.SILENT;
  }

  function save(address) {
    Object.assign(document.createElement("a"), { href: address, download: "" }).click();
  }

  return { bring, underway: (address) => underway.has(address), refusal: (address) => refusals.get(address) };
})();
