// What was clicked in a report: the number of a row, or a cure. A nonce lets the same one be asked for twice.
dfgui.check = (() => {
  let last = null;
  let times = 0;
  document.addEventListener("click", (event) => (last = event.target.closest && event.target.closest("[data-row], [data-cure]")), true);

  function clicked(jump, cure) {
    const { row, cure: wanted } = (last && last.dataset) || {};
    times += 1;
    return [row ? `${row}:${times}` : jump, wanted ? JSON.stringify({ ...JSON.parse(wanted), times }) : cure];
  }

  return { clicked };
})();
