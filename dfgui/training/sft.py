"""Supervised fine-tuning: TRL's SFTTrainer, fed with input_ids and labels that are already made."""

from functools import partial
from pathlib import Path
from typing import Any

from dfgui.config import EarlyStopping, RunConfig, rules
from dfgui.errors import UserError
from dfgui.integrations import trackers
from dfgui.models import backends, fastest
from dfgui.models.hardware import Hardware, Precision

# Settings whose name and meaning are SFTConfig's own; the rest is decided in sft_arguments.
PASSED_ON = [
    *("num_train_epochs", "max_steps", "max_length", "seed"),
    *("per_device_train_batch_size", "gradient_accumulation_steps", "per_device_eval_batch_size"),
    *("packing", "packing_strategy", "train_sampling_strategy", "dataloader_num_workers"),
    *("learning_rate", "lr_scheduler_type", "lr_scheduler_kwargs", "warmup_steps"),
    *("optim", "weight_decay", "max_grad_norm", "neftune_noise_alpha"),
    *("gradient_checkpointing", "activation_offloading", "use_liger_kernel"),
    *("logging_steps", "save_strategy", "save_steps"),
]


def trainer(
    config: RunConfig,
    model: Any,
    tokenizer: Any,
    prepared: Any,
    folder: Path,
    hardware: Hardware,
    precision: Precision,
    marks: list[int],
) -> Any:
    """The SFTTrainer of a run, ready to train into `folder`. `prepared` holds train and eval datasets of tokens.

    `marks` are tokens whose embeddings an adapter learns too.
    """
    from transformers.trainer_callback import PrinterCallback
    from trl import SFTConfig

    from dfgui.training.trainer import Trainer

    arguments = sft_arguments(config, folder, prepared.eval is not None, hardware, precision)
    arguments |= trackers.report_to(config, folder)
    if marks and config.method == "lora":
        arguments["loss_type"] = "nll"  # the default reads the weights of the last layer past the adapter
    made = Trainer(
        **backends.of(config.run.backend).adapted(model, config, marks),
        args=SFTConfig(**arguments),
        train_dataset=prepared.train,
        eval_dataset=prepared.eval,
        processing_class=tokenizer,
    )
    if marks and config.method == "lora":  # what is new in the embeddings is in the adapter; the rest is the base's
        adapted: Any = made.model
        adapted.save_pretrained = partial(adapted.save_pretrained, save_embedding_layers=False)
    made.remove_callback(PrinterCallback)  # it prints, and takes total_flos out of the logs others see
    return made


def require_arguments(config: RunConfig, folder: Path, hardware: Hardware, precision: Precision) -> None:
    """Asks SFTConfig itself whether it takes these settings. Raises UserError with what it says."""
    from trl import SFTConfig

    try:
        plain = fastest.as_trl_has_it(config)
        SFTConfig(**sft_arguments(plain, folder, rules.has_held_out(config), hardware, precision))
    except (ValueError, TypeError) as error:
        raise UserError(
            "SFTConfig does not take these settings.",
            str(error).strip().splitlines()[0],
            "Change the setting that it names.",
            field="extra" if config.extra else None,
        ) from error


def sft_arguments(
    config: RunConfig, folder: Path, evaluates: bool, hardware: Hardware, precision: Precision
) -> dict[str, Any]:
    """SFTConfig's arguments for these settings on this hardware."""
    training = config.training
    arguments: dict[str, Any] = {name: getattr(training, name) for name in PASSED_ON}
    arguments |= {
        "output_dir": str(folder),
        "bf16": precision == "bf16",
        "fp16": precision == "fp16",
        "use_cpu": hardware.device == "cpu",
        "report_to": "none",
        "disable_tqdm": True,
        "logging_nan_inf_filter": False,  # the default hides a NaN loss from the log
        "dataset_kwargs": {"skip_prepare_dataset": not training.packing},  # packing is all that is left to prepare
        "eval_strategy": "no",
    }
    if training.loss_type != "auto":
        arguments["loss_type"] = training.loss_type
    if evaluates and training.eval_strategy != "no":
        arguments |= {"eval_strategy": training.eval_strategy, "eval_steps": training.eval_steps}
        arguments["eval_on_start"] = training.eval_on_start
        arguments |= _best(config.early_stopping)
    return arguments | config.extra


def _best(stopping: EarlyStopping) -> dict[str, Any]:
    """By what a run that evaluates knows its best checkpoint, and whether it ends with it."""
    return {
        "metric_for_best_model": stopping.metric,  # rotation keeps the best checkpoint by it
        "greater_is_better": stopping.greater,
        "load_best_model_at_end": stopping.load_best_model_at_end,
    }
