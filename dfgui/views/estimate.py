"""What settings amount to, in words: one line for each folded group, and the effective batch.

    headline("batch", {"training.per_device_train_batch_size": 4, "training.gradient_accumulation_steps": 4, ...})
    -> "4 x 4 = 16 rows per step"

Values are those of the form, right or wrong; a wrong one is shown as it stands.
"""

from typing import Any

Values = dict[str, Any]  # path -> value: {"training.learning_rate": 2e-4}


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
    return {"lora": "LoRA: a small adapter", "full": "every weight"}.get(str(values.get("method")), "")


def _adapter(values: Values, devices: int) -> str:
    return f"rank {number(values.get('adapter.r'))}, alpha {number(values.get('adapter.lora_alpha'))}"


def _schedule(values: Values, devices: int) -> str:
    line = f"{number(values.get('training.learning_rate'))}, {values.get('training.lr_scheduler_type')}"
    warm = values.get("training.warmup_steps")
    if not isinstance(warm, int | float) or not warm:
        return line
    return line + (f", warm-up {warm * 100:g} %" if warm < 1 else f", warm-up {number(warm)} steps")


def _precision(values: Values, devices: int) -> str:
    saving = "checkpointing on" if values.get("training.gradient_checkpointing") else "checkpointing off"
    chosen = values.get("training.precision")
    return f"{'chosen by the hardware' if chosen == 'auto' else chosen}, {saving}"


def _records(values: Values, devices: int) -> str:
    by_epoch = "each epoch"
    save = (
        by_epoch
        if values.get("training.save_strategy") == "epoch"
        else f"every {number(values.get('training.save_steps'))}"
    )
    strategy = values.get("training.eval_strategy")
    every = f"every {number(values.get('training.eval_steps'))}"
    evaluate = {"epoch": by_epoch, "no": "off"}.get(str(strategy), every)
    return f"log every {number(values.get('training.logging_steps'))}, evaluate {evaluate}, save {save}"


def _stopping(values: Values, devices: int) -> str:
    patience = values.get("early_stopping.patience")
    if not patience:
        return "off"
    return f"after {number(patience)} evaluations without a better {values.get('early_stopping.metric')}"


def _callbacks(values: Values, devices: int) -> str:
    return ", ".join([*(values.get("callbacks") or []), *(values.get("trackers") or [])]) or "none"


def _run(values: Values, devices: int) -> str:
    return values.get("name") or "named by model and method"


def _model(values: Values, devices: int) -> str:
    dtype = values.get("model.dtype")
    parts = [f"revision {values['model.revision']}"] if values.get("model.revision") else []
    template = values.get("model.chat_template")
    parts += [f"chat template {template}"] if template not in (None, "own") else []
    parts += ["tools in the system message"] if values.get("model.tools_in") == "system" else []
    return ", ".join([*parts, "weights held as the method needs" if dtype == "auto" else f"weights in {dtype}"])


HEADLINES = {
    "model": _model,
    "data": _data,
    "method": _method,
    "adapter": _adapter,
    "duration": _duration,
    "batch": _batch,
    "schedule": _schedule,
    "precision": _precision,
    "records": _records,
    "stopping": _stopping,
    "callbacks": _callbacks,
    "run": _run,
}
