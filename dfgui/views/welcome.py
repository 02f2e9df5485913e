"""What this machine has, in one line: "CPU, 2 cores, 25.3 GB memory · 21 GB free · 120 GB of disk free"."""

from dfgui import words


def machine(described: str, memory: int, disk: int) -> str:
    """`memory` and `disk`: free bytes."""
    return f"{described} · {words.size(memory)} of memory free · {words.size(disk)} of disk free"
