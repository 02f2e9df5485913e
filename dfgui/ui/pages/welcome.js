// The first visit: three ways in.
dfgui.welcome = (() => {
  function boot(element, server, trigger) {
    const ways = { demo: () => trigger("click"), own: askForFile, earlier: () => dfgui.view.go("runs") };
    for (const card of element.querySelectorAll("[data-choice]")) card.addEventListener("click", ways[card.dataset.choice]);
    const earlier = element.querySelector("[data-choice=earlier]");
    const show = () => {
      earlier.disabled = !dfgui.live.has.runs;
      earlier.querySelector(".some").hidden = earlier.disabled;
      earlier.querySelector(".none").hidden = !earlier.disabled;
    };
    dfgui.live.join({ question: () => {}, answer: show });
    show();
    // Only for those who see the page: asking the driver can take a second.
    let asked = false;
    const look = async () => {
      if (asked || dfgui.view.page !== "welcome") return;
      asked = true;
      element.querySelector(".machine span").textContent = await server.machine({});
    };
    dfgui.view.listen(look);
    dfgui.view.listen(opened);
    look();
  }

  // The Data page shows the demo's rows until there are others: what to do about it is said there, by a button with the focus.
  const CHOOSE = "Choose your file with Upload a file, drop it here, or write hf:owner/name under Dataset.";
  let asking = false;

  function askForFile() {
    asking = true;
    dfgui.view.go("data");
  }

  function opened(view) {
    document.getElementById("choose-file")?.remove();
    const upload = document.getElementById("upload");
    upload?.classList.toggle("wanted", asking && view.page === "data");
    if (!asking || view.page !== "data") return;
    asking = false;
    const selection = document.getElementById("selection");
    const demo = selection.querySelector("#field-data__source input").value.startsWith("demo");
    const words = demo ? `${CHOOSE} Until then the demo's rows stand below.` : CHOOSE;
    const line = Object.assign(document.createElement("p"), { id: "choose-file", role: "status", textContent: words });
    selection.prepend(line);
    selection.addEventListener("change", () => (line.remove(), upload.classList.remove("wanted")), { once: true });
    upload.focus();
  }

  return { boot };
})();
