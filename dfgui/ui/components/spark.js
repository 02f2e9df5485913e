// A curve in a line of text, drawn from the letters of views/spark.py: "A" is the lowest value, "_" the highest, "." a gap.
dfgui.spark = (() => {
  const LEVELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const SVG = "http://www.w3.org/2000/svg";
  const WIDTH = 84;
  const HEIGHT = 22;

  function draw(letters) {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("class", "spark");
    svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    svg.setAttribute("aria-hidden", "true"); // the numbers beside it say what it ends with
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", line(letters));
    svg.append(path);
    return svg;
  }

  function line(letters) {
    const right = (WIDTH - 2) / Math.max(letters.length - 1, 1);
    const up = (HEIGHT - 4) / (LEVELS.length - 1);
    let pen = "M";
    return [...letters].map((letter, i) => {
      const level = LEVELS.indexOf(letter);
      if (level < 0) return (pen = "M"), "";
      const drawn = `${pen}${(1 + i * right).toFixed(1)} ${(HEIGHT - 2 - level * up).toFixed(1)}`;
      pen = "L";
      return drawn;
    }).join("");
  }

  return { draw };
})();
