// Help: one button, one dialog. Esc and Close shut it, and so does a click beside it; the button has the focus again.
dfgui.help = (() => {
  function boot(element) {
    const button = element.querySelector(".help-open");
    const dialog = element.querySelector("dialog");
    button.addEventListener("click", () => dialog.showModal());
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    dialog.addEventListener("close", () => button.focus());
  }

  return { boot };
})();
