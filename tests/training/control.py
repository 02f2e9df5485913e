"""Commands that are asked at a known step, as somebody at the page would ask them."""

from dfgui.training.obedience import Obedience


def commanding(monkeypatch, by_step, each=None):
    """Asks `by_step[step]` of whatever run trains, in time to be taken at the end of that step.

    `each(store, run, step)` is called at the end of every step.
    """
    before = Obedience.on_step_end

    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step in by_step:
            self.writer.flush()  # what was asked before is known to be taken
        for name in by_step.get(state.global_step, []):
            self.store.commands.add(self.writer.run, name, by="the test")
        if each:
            each(self.store, self.writer.run, state.global_step)
        return before(self, args, state, control, **kwargs)

    monkeypatch.setattr(Obedience, "on_step_end", on_step_end)
