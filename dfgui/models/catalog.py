"""Small chat models of the Hub to begin with: they follow instructions as they are, and train on a small machine.

A model is offered by its id with the size of its download: ("Qwen/Qwen3-0.6B · 1.5 GB", "Qwen/Qwen3-0.6B").
"""

from typing import NamedTuple

from dfgui import words


class Offer(NamedTuple):
    id: str
    parameters: int  # by the Hub's own count of its weights
    licence: str  # by its page on the Hub
    in_4bit: bool = False  # meant to be trained with its base held in 4 bit

    @property
    def bytes(self) -> int:
        """Of the weights in 16 bit, which is what is fetched."""
        return 2 * self.parameters

    @property
    def label(self) -> str:
        return f"{self.id} · {words.size(self.bytes)}"


CATALOG = (
    Offer("Qwen/Qwen3-0.6B", 751_632_384, "apache-2.0"),
    Offer("Qwen/Qwen2.5-0.5B-Instruct", 494_032_768, "apache-2.0"),
    Offer("HuggingFaceTB/SmolLM2-360M-Instruct", 361_821_120, "apache-2.0"),
    Offer("HuggingFaceTB/SmolLM2-135M-Instruct", 134_515_008, "apache-2.0"),
)
FIRST = ("HuggingFaceTB/SmolLM2-135M-Instruct", "Qwen/Qwen3-0.6B")
LARGER = Offer("Qwen/Qwen3-4B-Instruct-2507", 4_022_468_096, "apache-2.0", in_4bit=True)


def good_first(can_4bit: bool) -> list[Offer]:
    """A small one, one that is less so, and, where a model can be held in 4 bit, a larger one."""
    known = {offer.id: offer for offer in CATALOG}
    return [*(known[name] for name in FIRST), *([LARGER] if can_4bit else [])]
