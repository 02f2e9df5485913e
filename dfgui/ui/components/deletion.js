// The dialog before runs are deleted: it names what goes.
dfgui.deletion = (dialog, erase) => {
  let asked = [];
  dialog.addEventListener("close", () => dialog.returnValue === "delete" && erase(asked.map((row) => row.run)));

  function ask(rows) {
    asked = rows;
    dialog.querySelector("h3").textContent = `Delete ${what(rows)}?`;
    dialog.querySelector("ul").hidden = rows.length === 1;
    dialog.querySelector("ul").replaceChildren(...rows.map((row) => Object.assign(document.createElement("li"), { textContent: what([row]) })));
    dialog.returnValue = "keep";
    dialog.showModal();
  }

  // "weather-lora and its 4 checkpoints, 124 MB"
  function what(rows) {
    const [count, kept] = ["checkpoints", "kept"].map((name) => rows.reduce((sum, row) => sum + row[name], 0));
    const size = rows.reduce((sum, row) => sum + row.numbers.size, 0);
    const [name, its] = rows.length === 1 ? [rows[0].name, "its"] : [`${rows.length} runs`, "their"];
    const marked = kept ? ` (${kept} of them kept)` : "";
    const left = count ? ` and ${its} ${count} checkpoint${count === 1 ? "" : "s"}${marked}` : "";
    return `${name}${left}${size ? `, ${bytes(size)}` : ""}`;
  }

  // As dfgui/words.py says them: "512 bytes", "31 MB", "1.2 GB".
  function bytes(count) {
    if (count < 1000) return `${count} bytes`;
    for (const unit of ["KB", "MB", "GB", "TB"]) {
      count /= 1000;
      if (count < 999.5 || unit === "TB") return `${count < 9.95 ? count.toFixed(1) : Math.round(count)} ${unit}`;
    }
  }

  return { ask, what };
};
