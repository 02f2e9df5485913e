"""SFTConfig's arguments as a script gives them: those of the run, without what says nothing."""

from pathlib import Path
from typing import Any

from dfgui.config import RunConfig, rules
from dfgui.integrations import trackers
from dfgui.models import fastest
from dfgui.models.hardware import Hardware
from dfgui.training import sft
from dfgui.training.script.known import Known
from dfgui.training.script.places import CHECKPOINTS

# What belongs together stands together; whatever is not named here comes last.
ORDER = [
    *("output_dir", "seed", "data_seed", "num_train_epochs", "max_steps"),
    *("per_device_train_batch_size", "gradient_accumulation_steps", "train_sampling_strategy"),
    *("dataset_kwargs", "packing", "packing_strategy", "eval_packing", "max_length", "dataloader_num_workers"),
    *("learning_rate", "lr_scheduler_type", "lr_scheduler_kwargs", "warmup_steps"),
    *("optim", "optim_args", "optim_target_modules", "adam_beta1", "adam_beta2", "adam_epsilon"),
    *("weight_decay", "max_grad_norm", "neftune_noise_alpha", "label_smoothing_factor", "loss_type"),
    *("bf16", "fp16", "tf32", "use_cpu"),
    *("gradient_checkpointing", "gradient_checkpointing_kwargs", "activation_offloading", "use_liger_kernel"),
    *("logging_steps", "logging_first_step", "logging_nan_inf_filter", "report_to", "run_name", "project"),
    *("eval_strategy", "eval_steps", "eval_on_start", "eval_delay", "per_device_eval_batch_size"),
    *("save_strategy", "save_steps", "save_total_limit"),
    *("metric_for_best_model", "greater_is_better", "load_best_model_at_end"),
]

# SFTConfig's own defaults, of the arguments that a run gives it. What is one of them need not be written.
DEFAULTS: dict[str, Any] = {
    "max_length": 1024,
    "per_device_eval_batch_size": 8,
    "train_sampling_strategy": "random",
    "packing": False,
    "packing_strategy": "bfd",
    "dataloader_num_workers": 0,
    "lr_scheduler_type": "linear",
    "lr_scheduler_kwargs": None,
    "warmup_steps": 0,
    "optim": "adamw_torch_fused",
    "weight_decay": 0.0,
    "max_grad_norm": 1.0,
    "neftune_noise_alpha": None,
    "gradient_checkpointing": True,
    "activation_offloading": False,
    "use_liger_kernel": False,
    "save_strategy": "steps",
    "save_total_limit": None,
    "eval_strategy": "no",
    "eval_steps": None,
    "eval_on_start": False,
    "load_best_model_at_end": False,
    "fp16": False,
    "use_cpu": False,
    "report_to": "none",
}


def sft_config(config: RunConfig, known: Known) -> dict[str, Any]:
    """SFTConfig's arguments: those of the run, without what says nothing."""
    config = fastest.as_trl_has_it(config)
    training = config.training
    machine = Hardware(known.device, "", False, 0)  # type: ignore[arg-type]
    given = sft.sft_arguments(config, Path(CHECKPOINTS), known.evaluates, machine, known.precision)
    if known.marks and config.method == "lora":
        given["loss_type"] = "nll"
    if training.save_total_limit:
        given["save_total_limit"] = training.save_total_limit
    if reported := [name for name in trackers.PACKAGES if name in config.trackers]:
        given |= {"report_to": reported, "run_name": config.title(), "project": "dfgui"}
    silent = {name for name, value in given.items() if name in DEFAULTS and value == DEFAULTS[name]}
    silent |= {"disable_tqdm", "num_train_epochs" if training.max_steps > 0 else "max_steps"}
    silent |= {"packing_strategy"} if not training.packing else {"dataset_kwargs"}
    silent |= {"lr_scheduler_kwargs"} if not training.lr_scheduler_kwargs else set()
    silent |= {"per_device_eval_batch_size"} if not known.evaluates else set()
    silent |= {f"{name}_steps" for name in ("save", "eval") if given[f"{name}_strategy"] == "epoch"}
    if not _knows_its_best(config):
        silent |= {"metric_for_best_model", "greater_is_better"}
    kept = {name: value for name, value in given.items() if name in config.extra or name not in silent}
    if training.packing or config.run.backend == "unsloth":
        kept["max_length"] = training.max_length
    if kept.get("warmup_steps", 0) >= 1:  # steps, and else a share of them
        kept["warmup_steps"] = int(kept["warmup_steps"])
    ordered = [*(name for name in ORDER if name in kept), *(name for name in kept if name not in ORDER)]
    return {name: kept[name] for name in ordered}


def _knows_its_best(config: RunConfig) -> bool:
    """Whether anything goes by the best checkpoint."""
    stopping, training = config.early_stopping, config.training
    by_evaluations = training.lr_scheduler_type in rules.BY_EVALUATIONS
    return bool(stopping.patience or stopping.load_best_model_at_end or training.save_total_limit or by_evaluations)
