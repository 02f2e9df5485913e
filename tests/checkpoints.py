"""Checkpoints without a model: every file that a whole one has, and nothing in them."""

import zipfile
from pathlib import Path

NO_TENSORS = (2).to_bytes(8, "little") + b"{}"


def whole_checkpoint(folder: Path) -> Path:
    """An adapter's checkpoint that looks whole. It can be offered and resumed from, and not be trained on."""
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text("{}")
    (folder / "adapter_model.safetensors").write_bytes(NO_TENSORS)
    with zipfile.ZipFile(folder / "optimizer.pt", "w") as state:
        state.writestr("data", b"")
    (folder / "trainer_state.json").write_text("{}")
    return folder
