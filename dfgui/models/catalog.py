"""Small chat models of the Hub to begin with: they follow instructions as they are, and train on a small machine.

A model is offered by its id with the size of its download: ("Qwen/Qwen3-0.6B · 1.5 GB", "Qwen/Qwen3-0.6B").
"""

from typing import NamedTuple

from dfgui import words


class Offer(NamedTuple):
    id: str
    parameters: int  # by the Hub's own count of its weights

    @property
    def bytes(self) -> int:
        """Of the weights in 16 bit, which is what is fetched."""
        return 2 * self.parameters

    @property
    def label(self) -> str:
        return f"{self.id} · {words.size(self.bytes)}"


CATALOG = (
    Offer("Qwen/Qwen3-0.6B", 751_632_384),
    Offer("Qwen/Qwen2.5-0.5B-Instruct", 494_032_768),
    Offer("HuggingFaceTB/SmolLM2-360M-Instruct", 361_821_120),
    Offer("HuggingFaceTB/SmolLM2-135M-Instruct", 134_515_008),
)
