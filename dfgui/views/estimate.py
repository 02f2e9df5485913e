"""What settings amount to, in words: one line for each folded group, and the effective batch.

    headline("batch", {"training.per_device_train_batch_size": 4, "training.gradient_accumulation_steps": 4, ...})
    -> "4 x 4 = 16 rows per step"

Values are those of the form, right or wrong; a wrong one is shown as it stands.
"""

from typing import Any

from dfgui.config import METHODS

Values = dict[str, Any]  # path -> value: {"training.learning_rate": 2e-4}
KINDS_OF_LORA = {"rsLoRA": "adapter.use_rslora", "DoRA": "adapter.use_dora"}


def headline(group: str, values: Values, devices: int = 1) -> str:
    """What a group's settings say together, "" for a group that has nothing to say."""
    line = HEADLINES.get(group)
    return line(values, devices) if line else ""


def batch(values: Values, devices: int = 1) -> str:
    """The effective batch, multiplied out: "4 x 4 = 16 rows per step"."""
    rows = values.get("training.per_device_train_batch_size")
    added = values.get("training.gradient_accumulation_steps")
    on = f" on {devices} devices" if devices > 1 else ""
    if not (isinstance(rows, int | float) and isinstance(added, int | float)):
        return f"{number(rows)} x {number(added)} rows per step{on}"
    return f"{number(rows)} x {number(added)}{on} = {number(rows * added * devices)} rows per step"


def number(value: Any) -> str:
    """A number as people write it: 16, 0.05, 2e-4, 1,000. Anything else as it stands; a dash for nothing."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if value and abs(value) < 0.001:
        mantissa, _, exponent = f"{value:.3e}".partition("e")
        return f"{float(mantissa):g}e{int(exponent)}"
    return f"{int(value):,}" if float(value).is_integer() else f"{value:g}"


def _duration(values: Values, devices: int) -> str:
    steps = values.get("training.max_steps")
    epochs = values.get("training.num_train_epochs")
    until = f"{number(steps)} steps" if isinstance(steps, int | float) and steps > 0 else f"{number(epochs)} epochs"
    return f"{until}, rows of up to {number(values.get('training.max_length'))} tokens"


def _batch(values: Values, devices: int) -> str:
    packed = ", packed" if values.get("training.packing") else ""
    return batch(values, devices) + packed


def _data(values: Values, devices: int) -> str:
    share = values.get("data.eval_fraction")
    if values.get("data.eval_source"):
        held = "evaluation file"
    elif isinstance(share, int | float):
        held = f"{share * 100:g} % held out" if share else "nothing held out"
    else:
        held = ""
    learned = {
        "assistant": "learns every answer",
        "last_assistant": "learns the last answer",
        "completion": "learns the completion",
        "everything": "learns everything",
    }.get(str(values.get("data.train_on")), "")
    left = "some rows left out" if values.get("data.leave_out") else ""
    return ", ".join(part for part in (held, learned, left) if part)


def _method(values: Values, devices: int) -> str:
    trained = METHODS.get(str(values.get("method")), {}).get("LEARNS", "")
    return f"{trained}, by Unsloth" if trained and values.get("run.backend") == "unsloth" else trained


def _adapter(values: Values, devices: int) -> str:
    kinds = ", ".join(name for name, path in KINDS_OF_LORA.items() if values.get(path))
    line = f"rank {number(values.get('adapter.r'))}, alpha {number(values.get('adapter.lora_alpha'))}"
    return f"{line}, {kinds}" if kinds else line


def _schedule(values: Values, devices: int) -> str:
    line = f"{number(values.get('training.learning_rate'))}, {values.get('training.lr_scheduler_type')}"
    warm = values.get("training.warmup_steps")
    if not isinstance(warm, int | float) or not warm:
        return line
    return line + (f", warm-up {warm * 100:g} %" if warm < 1 else f", warm-up {number(warm)} steps")


def _optimiser(values: Values, devices: int) -> str:
    parts = [str(values.get("training.optim") or "–")]
    if values.get("training.weight_decay"):
        parts.append(f"weight decay {number(values['training.weight_decay'])}")
    if values.get("training.neftune_noise_alpha"):
        parts.append(f"NEFTune {number(values['training.neftune_noise_alpha'])}")
    if values.get("training.loss_type") not in (None, "auto"):
        parts.append(f"loss {values['training.loss_type']}")
    return ", ".join(parts)


def _precision(values: Values, devices: int) -> str:
    chosen, dtype = values.get("training.precision"), values.get("model.dtype")
    held = "weights held as the method needs" if dtype == "auto" else f"weights in {dtype}"
    return f"{'chosen by the hardware' if chosen == 'auto' else chosen}, {held}"


def _memory(values: Values, devices: int) -> str:
    checkpointing = values.get("training.gradient_checkpointing")
    parts = [f"checkpointing {checkpointing if isinstance(checkpointing, str) else 'on' if checkpointing else 'off'}"]
    parts += [f"base in {bits} bit" for bits in (4, 8) if values.get(f"model.load_in_{bits}bit")]
    parts += ["activations to the CPU"] if values.get("training.activation_offloading") else []
    parts += ["Liger kernels"] if values.get("training.use_liger_kernel") else []
    attention = values.get("model.attn_implementation")
    return ", ".join([*parts, *([f"attention {attention}"] if attention not in (None, "auto") else [])])


def _logging(values: Values, devices: int) -> str:
    return f"every {_steps(values, 'logging')}"


def _checkpoints(values: Values, devices: int) -> str:
    by_epoch = values.get("training.save_strategy") == "epoch"
    often = "each epoch" if by_epoch else f"every {_steps(values, 'save')}"
    limit = values.get("training.save_total_limit")
    return f"{often}, the newest {number(limit)} kept" if limit else often


def _evaluation(values: Values, devices: int) -> str:
    strategy = str(values.get("training.eval_strategy"))
    often = {"epoch": "each epoch", "no": "off"}.get(strategy, f"every {_steps(values, 'eval')}")
    return f"{often}, and once before" if values.get("training.eval_on_start") and strategy != "no" else often


def _steps(values: Values, what: str) -> str:
    """ "step", "50 steps"."""
    steps = values.get(f"training.{what}_steps")
    return "step" if steps == 1 else f"{number(steps)} steps"


def _extra(values: Values, devices: int) -> str:
    given = values.get("extra")
    lines = (
        given.splitlines() if isinstance(given, str) else [f"{name}: {value}" for name, value in (given or {}).items()]
    )
    return ", ".join(line.strip() for line in lines if line.strip()) or "none"


def _stopping(values: Values, devices: int) -> str:
    patience, metric = values.get("early_stopping.patience"), values.get("early_stopping.metric")
    after = f"after {number(patience)} evaluations without a better {metric}" if patience else "off"
    return f"{after}, ends with the best" if values.get("early_stopping.load_best_model_at_end") else after


def _callbacks(values: Values, devices: int) -> str:
    given = [*(values.get("callbacks") or []), *(values.get("trackers") or [])]
    return ", ".join(one["use"] if isinstance(one, dict) else str(one) for one in given) or "none"


def _run(values: Values, devices: int) -> str:
    return values.get("name") or "named by model and method"


def _model(values: Values, devices: int) -> str:
    parts = [f"revision {values['model.revision']}"] if values.get("model.revision") else []
    template = values.get("model.chat_template")
    parts += [f"chat template {template}"] if template not in (None, "own") else []
    parts += ["tools in the system message"] if values.get("model.tools_in") == "system" else []
    return ", ".join(parts) or "as it comes"


HEADLINES = {
    "model": _model,
    "data": _data,
    "method": _method,
    "adapter": _adapter,
    "duration": _duration,
    "batch": _batch,
    "schedule": _schedule,
    "optimiser": _optimiser,
    "precision": _precision,
    "memory": _memory,
    "logging": _logging,
    "checkpoints": _checkpoints,
    "evaluation": _evaluation,
    "stopping": _stopping,
    "callbacks": _callbacks,
    "run": _run,
    "extra": _extra,
}
