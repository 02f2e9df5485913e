// The first visit: three ways in.
dfgui.welcome = (() => {
  function boot(element, server, trigger) {
    const ways = { demo: () => trigger("click"), own: () => dfgui.view.go("data"), earlier: () => dfgui.view.go("runs") };
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
    look();
  }

  return { boot };
})();
