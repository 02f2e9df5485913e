// What a run can be the beginning of, as entries of a menu: on the Runs page and on Monitor. `steps` are the checkpoints
// to train longer from: the best one first, then the last; empty where it kept none.
dfgui.again = (run, steps) => {
  const longer = (step, which) => ({
    label: "Train longer" + which, about: `A new run with a schedule of its own, from the weights of step ${step.toLocaleString("en")}.`,
    act: () => dfgui.view.longer(run, step),
  });
  const none = { label: "Train longer", off: "It kept no checkpoint to begin from." };
  const [best, last] = steps;
  return [
    { label: "Duplicate", about: "Fills in Train with these settings, for a new run from the same beginning.", act: () => dfgui.view.duplicate(run) },
    ...(!steps.length ? [none] : steps.length === 1 ? [longer(best, "")] : [longer(best, " from the best"), longer(last, " from the last")]),
  ];
};
