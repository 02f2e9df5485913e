// A dropdown's list closes when the keyboard leaves it. Gradio 6.31 opens it on any key that is not one of the list's own,
// a moment later: with Tab that is after the focus has gone, and nothing closes it then. So Tab is kept from its listener.
window.addEventListener("keydown", (event) => {
  if (event.key === "Tab" && event.target.matches?.('[role="combobox"][aria-controls$="-options"]')) event.stopPropagation();
}, true);
