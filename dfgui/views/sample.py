"""A dataset and one of its rows in words: what was detected, how many rows, how much of a row is learned.

facts("ShareGPT with tools", chosen=False, template="tools: yes, arguments as object")
-> [("Format", "ShareGPT with tools", "detected"), ("Chat template", "tools: yes, arguments as object", "")]
"""

Fact = tuple[str, str, str]  # what it is, its value, a remark in small type


def facts(format: str, chosen: bool = False, template: str | None = None) -> list[Fact]:
    """What is known of the dataset; `chosen`: whether a person set the format."""
    found = [("Format", format, "as you chose" if chosen else "detected")]
    return [*found, ("Chat template", template, "")] if template else found


def length(count: int, trained: int, cut: int, max_length: int) -> str:
    """How long a row is, and how much of it is learned: "312 tokens, 97 of them learned (31 %)"."""
    words = f"{tokens(count)}, {trained:,} of them learned ({100 * trained / max(count, 1):.0f} %)"
    return f"{words}. Too long: the end is lost, {tokens(cut)} beyond {max_length:,}" if cut else words


def tokens(count: int) -> str:
    return "1 token" if count == 1 else f"{count:,} tokens"
