"""What is worth knowing about these settings: the tips of DeepFabric's "Training Frameworks" page, where they apply."""

from dfgui.config import LEARNING_RATES, RunConfig
from dfgui.training.preflight.rate import BEYOND
from dfgui.views.estimate import number

FAR = 4  # times the usual learning rate that deserve a word


def tips(run: RunConfig) -> list[str]:
    """One sentence for each thing that is unusual, or that a first run should know; [] when there is none."""
    return [words for tip in (_demo, _batch, _rate, _epochs, _evaluation) if (words := tip(run))]


def _demo(run: RunConfig) -> str:
    """The tiny model wants steps ten times larger than any other, and few rows at a time."""
    if run.model.name != "demo" or run.training.learning_rate > LEARNING_RATES["lora"] * FAR:
        return ""
    if run.data.source != "demo":
        return "Demo model: it is a toy to try dfgui with. For answers worth having choose a real one under Model."
    return "Demo model: the preset CPU demo is made for it; with these values it hardly learns."


def _batch(run: RunConfig) -> str:
    if run.training.per_device_train_batch_size <= 4 or run.model.name == "demo":
        return ""
    return "Batch size: start with 2 to 4, and use accumulation for a larger effective batch."


def _rate(run: RunConfig) -> str:
    """What is further beyond is said by the checks before the start."""
    usual, rate = LEARNING_RATES[run.method], run.training.learning_rate
    if usual / FAR <= rate <= usual * FAR or rate > usual * BEYOND or run.model.name == "demo":
        return ""
    name = {"lora": "LoRA", "full": "full fine-tuning"}.get(run.method, run.method)
    far = "far above" if rate > usual else "far below"
    return f"Learning rate: {number(usual)} is usual for {name}; this is {far} it."


def _epochs(run: RunConfig) -> str:
    if run.training.max_steps > 0 or run.training.num_train_epochs <= 3:
        return ""
    return "Epochs: 1 to 3 are usually enough; more can overfit a small dataset."


def _evaluation(run: RunConfig) -> str:
    if run.data.eval_source or run.data.eval_fraction >= 0.05:
        return ""
    return "Evaluation: hold out 10 % of the rows, and watch the evaluation loss to notice overfitting."
