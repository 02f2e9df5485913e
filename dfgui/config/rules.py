"""Settings that are right alone and wrong together, on every machine: FieldError names the one to change, and to what.

What is wrong on this machine only (a package that is missing, a GPU that cannot) is training/preflight.py's business.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dfgui.config.block import FieldError
from dfgui.config.optimisation import NEEDED, OPTIMIZERS, SCHEDULERS

if TYPE_CHECKING:
    from dfgui.config import RunConfig

BY_EVALUATIONS = ("reduce_lr_on_plateau", "greedy")  # schedules that follow the evaluation loss
LOW_RANK = ("galore_torch", "apollo_torch")  # packages of optimisers that are told which layers are theirs

EMBEDDINGS = ("embed_tokens", "lm_head")  # the layers of which Unsloth says that it can train them whole

LIKE = {"min_lr": "1.0e-5", "num_decay_steps": "100"}  # what a schedule is told, for example


def broken(run: "RunConfig") -> Iterator[FieldError]:
    """What is wrong, the first thing first."""
    for rule in (_method, _bits, _best, _evaluations, _schedule, _optimiser, _loss, _packing, _adapter):
        yield from rule(run)


def has_held_out(run: "RunConfig") -> bool:
    """Whether there are rows to evaluate on."""
    return bool(run.data.eval_source or run.data.eval_fraction)


def _method(run: "RunConfig") -> Iterator[FieldError]:
    if run.run.backend == "unsloth" and run.method not in ("lora", "full"):
        yield FieldError("run.backend", f"Unsloth trains lora and full: choose TRL for {run.method}.")


def _bits(run: "RunConfig") -> Iterator[FieldError]:
    if run.model.load_in_4bit and run.model.load_in_8bit:
        yield FieldError("model.load_in_8bit", "The base is held in 4 bit already: leave one of the two off.")


def _best(run: "RunConfig") -> Iterator[FieldError]:
    """The best can only be gone back to if each evaluation is saved as well."""
    training = run.training
    if not run.early_stopping.load_best_model_at_end or training.eval_strategy == "no":
        return
    if training.eval_strategy != training.save_strategy:
        by = f"It evaluates by {training.eval_strategy} and saves by {training.save_strategy}"
        cure = f"Save by {training.eval_strategy} too, or leave 'End with the best' off."
        yield FieldError("training.save_strategy", f"{by}, so the best would not be saved. {cure}")
    elif training.save_strategy == "steps" and training.save_steps % training.eval_steps:
        every = training.eval_steps * max(1, round(training.save_steps / training.eval_steps))
        often = f"It saves every {training.save_steps} steps and evaluates every {training.eval_steps}"
        yield FieldError("training.save_steps", f"{often}, so the best would not be saved. Save every {every} steps.")


def _evaluations(run: "RunConfig") -> Iterator[FieldError]:
    """What goes by evaluations needs some."""
    wishes = {
        "Early stopping": bool(run.early_stopping.patience),
        "Ending with the best": run.early_stopping.load_best_model_at_end,
        f"The schedule {run.training.lr_scheduler_type}": run.training.lr_scheduler_type in BY_EVALUATIONS,
    }
    wish = next((words for words, wanted in wishes.items() if wanted), None)
    if wish and run.training.eval_strategy == "no":
        words = f"{wish} goes by evaluations, and they are off. Evaluate by steps or by epoch."
        yield FieldError("training.eval_strategy", words)
    elif wish and not has_held_out(run):
        words = f"{wish} goes by evaluations, and no rows are held out for them. Hold out a tenth of the rows."
        yield FieldError("data.eval_fraction", words)


def _schedule(run: "RunConfig") -> Iterator[FieldError]:
    name, told = run.training.lr_scheduler_type, run.training.lr_scheduler_kwargs
    needed, taken = NEEDED.get(name, ()), SCHEDULERS[name]
    strange = [word for word in told if taken is not None and word not in taken]
    if strange:
        can = f"can be told {', '.join(taken)}" if taken else "is told nothing"
        words = f"The schedule {name} {can}: take {', '.join(strange)} out."
        yield FieldError("training.lr_scheduler_kwargs", words)
    elif needed and not any(word in told for word in needed):
        example = f"`{needed[0]}: {LIKE[needed[0]]}`"
        words = f"The schedule {name} has to be told {' or '.join(needed)}: write for example {example}."
        yield FieldError("training.lr_scheduler_kwargs", words)


def _optimiser(run: "RunConfig") -> Iterator[FieldError]:
    optim = run.training.optim
    if OPTIMIZERS[optim] in LOW_RANK and not run.extra.get("optim_target_modules"):
        words = f"{optim} has to be told which layers are its own: write `optim_target_modules: all-linear`."
        yield FieldError("extra", words)


def _loss(run: "RunConfig") -> Iterator[FieldError]:
    if run.training.use_liger_kernel and run.training.loss_type == "chunked_nll":
        words = "Liger kernels compute the loss themselves: choose auto or nll."
        yield FieldError("training.loss_type", words)


def _packing(run: "RunConfig") -> Iterator[FieldError]:
    if run.training.packing and run.training.train_sampling_strategy == "group_by_length":
        words = "Packed sequences are of one length already: leave the order random, or packing off."
        yield FieldError("training.train_sampling_strategy", words)


def _adapter(run: "RunConfig") -> Iterator[FieldError]:
    if run.method != "lora":
        return
    if twice := [name for name in run.adapter.whole if name in run.adapter.target_modules]:
        words = f"{twice[0]} is adapted already: take it out here, or out of 'Layers adapted'."
        yield FieldError("adapter.modules_to_save", words)
    if run.run.backend == "unsloth" and (other := [one for one in run.adapter.whole if one not in EMBEDDINGS]):
        words = f"Unsloth trains {' and '.join(EMBEDDINGS)} whole and nothing else: take {other[0]} out, or choose TRL."
        yield FieldError("adapter.modules_to_save", words)
    if run.adapter.use_dora and run.run.backend == "unsloth":
        yield FieldError("adapter.use_dora", "Unsloth trains no DoRA: choose TRL, or leave DoRA off.")
