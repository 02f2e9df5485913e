// What a run can be the beginning of, as entries of a menu: on the Runs page and on Monitor. `step` is the checkpoint to
// train longer from, null where there is none.
dfgui.again = (run, step) => [
  { label: "Duplicate", about: "Fills in Train with these settings, for a new run from the same beginning.", act: () => dfgui.view.duplicate(run) },
  {
    label: "Train longer", off: step === null ? "It kept no checkpoint to begin from." : "",
    about: `A new run with a schedule of its own, from the weights of step ${(step ?? 0).toLocaleString("en")}.`,
    act: () => dfgui.view.longer(run, step),
  },
];
