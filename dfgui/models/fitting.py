"""What to change so that a run fits into the memory that is free, and what it takes then.

    suggestions(run, 16e9, takes)
    [Suggestion("gradient checkpointing", {"training.gradient_checkpointing": True}, 14.1e9), ...]

What helps alone is named first, in the order in which people try it; where nothing does, changes are added up until it
fits. Only where that is not enough do those come that change what the model learns. `takes` tells the bytes of a run;
None where that is not known yet: such a change is left out.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

from dfgui.config import LEARNING_RATES, RunConfig
from dfgui.models import hardware
from dfgui.models.fastest import Changes, changed
from dfgui.words import listed

MOST = 3  # at once
SHORTEST = 128  # tokens; cutting rows further leaves little to learn from

Change = tuple[str, Changes]  # and in words
Takes = Callable[[RunConfig], int | None]
Kinds = tuple[Callable[[RunConfig], Iterator[Change]], ...]


class Suggestion(NamedTuple):
    words: str
    changes: Changes
    bytes: int  # what the run takes with them


def suggestions(run: RunConfig, free: float, takes: Takes) -> list[Suggestion]:
    """At most three ways to make the run fit into `free` bytes; empty where there is none."""
    for kinds in (HARMLESS, KINDS):
        if found := list(islice(_alone(kinds, run, free, takes), MOST)) or _together(kinds, run, free, takes):
            return found
    return []


def other_models(run: RunConfig) -> list[RunConfig]:
    """The run with the changes that make another model of it, whose shape may have to be measured first."""
    return [changed(run, changes) for kind in (_in_4_bit, _adapter) for _, changes in kind(run)]


def _alone(kinds: Kinds, run: RunConfig, free: float, takes: Takes) -> Iterator[Suggestion]:
    """The smallest change of each kind that is enough by itself."""
    for kind in kinds:
        for words, changes in kind(run):
            total = takes(changed(run, changes))
            if total is not None and total <= free:
                yield Suggestion(words, changes, total)
                break


def _together(kinds: Kinds, run: RunConfig, free: float, takes: Takes) -> list[Suggestion]:
    """Changes of all kinds, one more at a time, until they are enough; what lowers nothing is left out."""
    said: list[str] = []
    all_changes: Changes = {}
    lowest = takes(run)
    for kind in kinds:
        before, words_of_kind = changed(run, all_changes), ""
        for words, changes in kind(before):
            total = takes(changed(before, changes))
            if total is None or lowest is None or total >= lowest:
                continue
            lowest, words_of_kind = total, words
            all_changes |= changes
            if total <= free:
                return [Suggestion(listed([*said, words]), all_changes, total)]
        said += [words_of_kind] if words_of_kind else []
    return []


def _checkpointing(run: RunConfig) -> Iterator[Change]:
    if run.training.gradient_checkpointing is False:
        yield "gradient checkpointing", {"training.gradient_checkpointing": True}


def _batch(run: RunConfig) -> Iterator[Change]:
    """Smaller batches, more of them: a step sees the same rows."""
    size, added = run.training.per_device_train_batch_size, run.training.gradient_accumulation_steps
    for smaller in (one for one in range(size - 1, 0, -1) if size % one == 0):
        more = added * size // smaller
        changes: Changes = {
            "training.per_device_train_batch_size": smaller,
            "training.gradient_accumulation_steps": more,
        }
        yield f"batch {smaller} x {more}", changes


def _evaluation(run: RunConfig) -> Iterator[Change]:
    size = run.training.per_device_eval_batch_size
    while size > 1:
        size //= 2
        yield f"eval batch {size}", {"training.per_device_eval_batch_size": size}


def _optimiser(run: RunConfig) -> Iterator[Change]:
    if "8bit" not in run.training.optim and hardware.look().device == "cuda" and hardware.has("bitsandbytes"):
        yield "adamw_8bit", {"training.optim": "adamw_8bit"}


def _in_4_bit(run: RunConfig) -> Iterator[Change]:
    can = run.method == "lora" and not run.model.name.startswith("run:") and hardware.has_4bit()
    if can and not run.model.load_in_4bit:
        yield "base in 4 bit", {"model.load_in_4bit": True}


def _shorter(run: RunConfig) -> Iterator[Change]:
    length = run.training.max_length
    while length // 2 >= SHORTEST:
        length //= 2
        yield f"max_length {length}", {"training.max_length": length}


def _adapter(run: RunConfig) -> Iterator[Change]:
    if run.method == "full":
        usual = run.training.learning_rate == LEARNING_RATES["full"]
        yield "LoRA", {"method": "lora", **({"training.learning_rate": LEARNING_RATES["lora"]} if usual else {})}


HARMLESS: Kinds = (_checkpointing, _batch, _evaluation, _optimiser)  # the model learns the same
KINDS: Kinds = (*HARMLESS, _in_4_bit, _shorter, _adapter)
