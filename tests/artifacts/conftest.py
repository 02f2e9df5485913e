"""One tiny base model with an adapter checkpoint and a full checkpoint of it, as a trainer leaves them."""

from pathlib import Path

import pytest

from tests.tiny import tiny_adapter, tiny_model, tiny_tokenizer


@pytest.fixture(scope="session")
def run(tmp_path_factory) -> Path:
    """A folder with base/, checkpoint-20/ (adapter) and checkpoint-40/ (full)."""
    import torch

    folder = tmp_path_factory.mktemp("run")
    tokenizer = tiny_tokenizer()
    for name in ("base", "checkpoint-20", "checkpoint-40"):
        tokenizer.save_pretrained(folder / name)
    tiny_model(tokenizer).save_pretrained(folder / "base")
    adapted = tiny_adapter(type(tiny_model(tokenizer)).from_pretrained(folder / "base"))
    adapted.save_pretrained(folder / "checkpoint-20")
    tiny_model(tokenizer, seed=1).save_pretrained(folder / "checkpoint-40")
    for name in ("checkpoint-20", "checkpoint-40"):
        for state in ("optimizer.pt", "scheduler.pt", "rng_state.pth", "training_args.bin"):
            torch.save({"state": torch.zeros(100)}, folder / name / state)
        (folder / name / "trainer_state.json").write_text('{"global_step": 20, "best_metric": NaN}')
    return folder
