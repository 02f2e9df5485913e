"""A run's train.log: what the libraries said, what happened, and the traceback if it failed."""

import logging
from pathlib import Path

LOUD = ("dfgui", "transformers", "trl", "peft", "accelerate", "datasets", "huggingface_hub", "py.warnings")
NAME = "train.log"
PRINTED = "process.log"  # what a run's own process printed: native libraries know no logger
TAIL_BYTES = 64_000

logger = logging.getLogger("dfgui")


class RunLog:
    """Sends the loggers of dfgui and its libraries to `folder`/train.log while a run executes."""

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self._handler = logging.FileHandler(folder / NAME, encoding="utf-8")
        self._handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))

    def __enter__(self) -> "RunLog":
        logging.captureWarnings(True)
        for name in LOUD:
            logging.getLogger(name).addHandler(self._handler)
        logger.setLevel(logging.INFO)
        return self

    def __exit__(self, *_: object) -> None:
        for name in LOUD:
            logging.getLogger(name).removeHandler(self._handler)
        self._handler.close()


def last_words(folder: Path) -> str:
    """The last line that a run's own process printed; "" where it printed none."""
    lines = [line.strip() for line in tail(folder, name=PRINTED).splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""


def tail(folder: Path, lines: int = 200, name: str = NAME) -> str:
    """The last lines of the run's log; empty before there is one."""
    path = folder / name
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - TAIL_BYTES, 0))
        text = file.read().decode("utf-8", errors="replace")
    return "\n".join(text.splitlines()[-lines:])
