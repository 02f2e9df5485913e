"""Back to how a setting is anyway: {"back": "training.max_steps"}; or all of them: {"defaults": true}."""

from dfgui.ui.fill.filling import Filling, Wish
from dfgui.ui.form import defaults, usual


def one(wish: Wish) -> Filling:
    path = str(wish.asked["back"])
    return Filling({path: usual(wish.now)[path]} if path in wish.shown else {})


def every(wish: Wish) -> Filling:
    """The model and the dataset stay."""
    values = {path: value for path, value in defaults().items() if path not in wish.header}
    return Filling(values, "The defaults.", "Model and dataset are as you chose them.", carried={})
