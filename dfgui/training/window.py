"""What a checkpoint of TRL's forgets: how far the loss of this logging window has added up, the tokens seen, and with
which random state the epoch began.

    checkpoint-7/window.json  {"loss": 9.41, "total_loss": 24.2, "logged_at": 5, "metrics": {...}, "num_tokens": 4212}

With it a resumed run logs at step 10 the mean of steps 6 to 10, as one that was never interrupted does.
"""

import json
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

NAME = "window.json"


def standing(trainer: Any) -> dict[str, Any]:
    """Where `trainer` stands. With several processes all must ask."""
    from transformers.trainer_pt_utils import nested_gather

    gathered: Any = nested_gather(trainer._tr_loss, trainer.args.parallel_mode)
    epoch, batches = trainer.place_in_data()
    return {
        "loss": gathered.mean().item(),
        "total_loss": trainer._total_loss_scalar,
        "logged_at": trainer._globalstep_last_logged,
        "metrics": trainer._metrics["train"],
        "num_tokens": trainer._total_train_tokens,
        "epochs_cut": trainer.epochs_cut,
        "epoch": epoch,
        "batches": batches,
        "dice_of_epoch": b64encode(trainer.dice_of_epoch.numpy().tobytes()).decode(),
    }


def save(stands: dict[str, Any], folder: Path) -> None:
    (folder / NAME).write_text(json.dumps(stands), encoding="utf-8")


def read(folder: Path | None) -> dict[str, Any]:
    """What was saved in a checkpoint; empty for one of before it was."""
    file = folder / NAME if folder else None
    return json.loads(file.read_text(encoding="utf-8")) if file and file.is_file() else {}


def dice_of_epoch(folder: Path | None) -> Any:
    """torch's random state as the epoch began in which the checkpoint was written; None for one of before."""
    import torch

    kept = read(folder).get("dice_of_epoch")
    return torch.frombuffer(bytearray(b64decode(kept)), dtype=torch.uint8) if kept else None


def restore(trainer: Any, folder: Path) -> None:
    """Puts `trainer`, which begins to go on from `folder`, where it stood. Without the file it starts afresh."""
    import torch

    if not (stood := read(folder)):
        return
    trainer._tr_loss = torch.tensor(stood["loss"], device=trainer.args.device)
    trainer._total_loss_scalar = stood["total_loss"]
    trainer._globalstep_last_logged = stood["logged_at"]
    trainer._metrics["train"].update(stood["metrics"])
    trainer._total_train_tokens = stood["num_tokens"]
