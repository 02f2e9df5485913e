// A file dropped anywhere on the header of Data and Train is uploaded, as if the button had been pressed.
dfgui.drop = (() => {
  const zone = () => document.getElementById("selection");
  const brings = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");
  const over = (event) => zone() && zone().contains(event.target);

  function mark(event) {
    if (!brings(event)) return;
    event.preventDefault(); // else the browser would leave the page and open the file
    event.dataTransfer.dropEffect = over(event) ? "copy" : "none";
    zone().classList.toggle("dropping", over(event));
  }

  function take(event) {
    if (!brings(event)) return;
    event.preventDefault();
    zone().classList.remove("dropping");
    const input = document.querySelector("#upload input[type=file], input[type=file]");
    if (!over(event) || !input || !event.dataTransfer.files.length) return;
    const one = new DataTransfer();
    one.items.add(event.dataTransfer.files[0]);
    input.files = one.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  document.addEventListener("dragover", mark);
  document.addEventListener("drop", take);
  document.addEventListener("dragleave", (event) => event.relatedTarget || zone().classList.remove("dropping"));
})();
