"""The processes that train one run together. The first one reads the commands and writes the store, for all of them.

torchrun and `accelerate launch` start them and say in the environment which is which; a run alone is the first of one.
"""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Ranks:
    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        return self.rank == 0

    def agree(self, number: int) -> int:
        """What the first process says, in every one of them. All must ask, or those that do wait for ever."""
        if self.world == 1:
            return number
        import torch
        from torch import distributed

        on_gpu = distributed.get_backend() == "nccl"
        told = torch.tensor([number], device=torch.device("cuda", torch.cuda.current_device()) if on_gpu else "cpu")
        distributed.broadcast(told, 0)
        return int(told.item())


def here() -> Ranks:
    """Which of the processes this is."""
    return Ranks(int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1)))
