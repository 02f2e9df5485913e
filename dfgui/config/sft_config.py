"""What SFTConfig can be told besides the settings that have a place of their own: by name in `extra`, or not at all.

    checked({"adam_beta2": 0.95})       ->  {"adam_beta2": 0.95}
    checked({"push_to_hub": True})      ->  FieldError: dfgui decides that, and why

SFTConfig itself cannot be asked here, since it needs torch; the worker asks it before anything is loaded. A test holds
that each of its fields is a setting of training.py, an older name (older.py), or stands in one of these two tables.
"""

from difflib import get_close_matches
from typing import Any

from pydantic import TypeAdapter, ValidationError

from dfgui.config.block import FieldError

_NAMED = dict[str, Any]

EXTRA: dict[str, Any] = {
    "adam_beta1": float,
    "adam_beta2": float,
    "adam_epsilon": float,
    "average_tokens_across_devices": bool,
    "batch_eval_metrics": bool,
    "bf16_full_eval": bool,
    "data_seed": int | None,
    "dataloader_drop_last": bool,
    "dataloader_in_order": bool,
    "dataloader_multiprocessing_context": str | None,
    "dataloader_persistent_workers": bool,
    "dataloader_pin_memory": bool,
    "dataloader_prefetch_factor": int | None,
    "ddp_backend": str | None,
    "ddp_broadcast_buffers": bool | None,
    "ddp_bucket_cap_mb": int | None,
    "ddp_find_unused_parameters": bool | None,
    "ddp_static_graph": bool | None,
    "ddp_timeout": int,
    "debug": str | list[str],
    "eval_accumulation_steps": int | None,
    "eval_delay": float,
    "eval_do_concat_batches": bool,
    "eval_packing": bool | None,
    "eval_use_gather_object": bool,
    "fp16_full_eval": bool,
    "full_determinism": bool,
    "gradient_checkpointing_kwargs": _NAMED | None,
    "include_for_metrics": list[str],
    "include_num_input_tokens_seen": str | bool,
    "label_smoothing_factor": float,
    "length_column_name": str,
    "liger_kernel_config": dict[str, bool] | None,
    "log_level": str,
    "log_level_replica": str,
    "log_on_each_node": bool,
    "logging_first_step": bool,
    "optim_args": str | None,
    "optim_target_modules": str | list[str] | None,
    "pad_to_multiple_of": int | None,
    "prediction_loss_only": bool,
    "project": str,
    "router_aux_loss_coef": float | None,
    "skip_memory_metrics": bool,
    "tf32": bool | None,
    "torch_compile": bool,
    "torch_compile_backend": str | None,
    "torch_compile_mode": str | None,
    "torch_empty_cache_steps": int | None,
    "trackio_bucket_id": str | None,
    "trackio_space_id": str | None,
    "trackio_static_space_id": str | None,
}

_SCRIPT = "it is for scripts: a run here trains, and evaluates by `eval_strategy`"
_HUB = "the trainer sends nothing to the Hub: a checkpoint is exported once it is saved"
_SEVERAL = "several devices are set up by accelerate's own file: `run.accelerate_config`"
_ROWS = "rows are prepared by dfgui, so that the trainer is given what the preview shows"
_RESUME = "it would keep a run from being resumed exactly"

OWN: dict[str, str] = {  # what dfgui decides itself, with the reason
    "accelerator_config": _SEVERAL,
    "auto_find_batch_size": "a run keeps the batch that it was asked for: one that runs out of memory names what fits",
    "chat_template_path": "`model.chat_template` chooses it",
    "dataset_kwargs": _ROWS,
    "dataset_num_proc": _ROWS,
    "deepspeed": _SEVERAL,
    "disable_tqdm": "progress is told by the store",
    "do_eval": _SCRIPT,
    "do_predict": _SCRIPT,
    "do_train": _SCRIPT,
    "enable_jit_checkpoint": "SIGTERM saves a checkpoint as it is",
    "eos_token": "the chat template ends an answer, and its end is learned",
    "fsdp": _SEVERAL,
    "fsdp_config": _SEVERAL,
    "hub_always_push": _HUB,
    "hub_model_id": _HUB,
    "hub_private_repo": _HUB,
    "hub_revision": _HUB,
    "hub_strategy": _HUB,
    "hub_token": _HUB,
    "ignore_data_skip": _RESUME,
    "label_names": _ROWS,
    "local_rank": _SEVERAL,
    "logging_nan_inf_filter": "a loss that is no number is shown and never hidden",
    "logging_strategy": "the curve is drawn from what is logged: `logging_steps` says how often",
    "model_init_kwargs": "the block `model` says how a model is loaded",
    "pad_token": "padding is never learned, whatever it is",
    "padding_free": "TRL refuses it beside `max_length`: `packing` does without padding too",
    "parallelism_config": _SEVERAL,
    "push_to_hub": _HUB,
    "remove_unused_columns": _ROWS,
    "restore_callback_states_from_checkpoint": "a resumed run goes on as it was by dfgui's own means",
    "resume_from_checkpoint": "Resume does it, or `dfgui runs resume`",
    "save_on_each_node": "one process saves, whoever trains beside it",
    "save_only_model": _RESUME,
    "shuffle_dataset": "`train_sampling_strategy` says in what order rows come",
    "truncation_mode": "TRL gives up the other one: rows that are too long lose their end",
    "trust_remote_code": "code that comes with a model is not run",
    "use_cache": "it only costs memory while training",
    "use_cpu": "the hardware decides",
}


def checked(extra: dict[str, Any], elsewhere: set[str]) -> dict[str, Any]:
    """The extra settings with values of the type that SFTConfig takes. Raises FieldError.

    `elsewhere` names the settings that have a place of their own.
    """
    return {name: _value(name, given, elsewhere) for name, given in extra.items()}


def _value(name: str, given: Any, elsewhere: set[str]) -> Any:
    if name not in EXTRA:
        raise FieldError("extra", unknown(name, elsewhere))
    try:
        return TypeAdapter(EXTRA[name]).validate_python(given)
    except ValidationError as error:
        kind = getattr(EXTRA[name], "__name__", str(EXTRA[name]))
        raise FieldError("extra", f"{name} is {given!r}, where SFTConfig takes {kind}.") from error


def unknown(name: str, elsewhere: set[str]) -> str:
    """Why there is no extra setting of this name, and where else to look."""
    if name in OWN:
        return f"{name} is not set by hand: {OWN[name]}."
    if name in elsewhere:
        return f"{name} has a place of its own: training.{name}."
    near = get_close_matches(name, [*EXTRA, *elsewhere], n=1)
    return f"SFTConfig has no setting {name}." + (f" Did you mean {near[0]}?" if near else "")
