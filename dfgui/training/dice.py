"""The random state of a process, kept and put back: what draws in between changes nothing that comes after."""

import random
from typing import Any


def keep() -> dict[str, Any]:
    """The state of every generator that a training draws from."""
    import numpy as np
    import torch

    kept: dict[str, Any] = {"python": random.getstate(), "numpy": np.random.get_state(), "torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        kept["cuda"] = torch.cuda.get_rng_state_all()
    return kept


def put_back(kept: dict[str, Any]) -> None:
    import numpy as np
    import torch

    random.setstate(kept["python"])
    np.random.set_state(kept["numpy"])
    torch.set_rng_state(kept["torch"])
    if "cuda" in kept:
        torch.cuda.set_rng_state_all(kept["cuda"])
