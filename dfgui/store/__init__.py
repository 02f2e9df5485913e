"""The store: SQLite, and the only channel between whoever trains and whoever watches.

    store = Store(settings.store_path)
    run = store.runs.create(config)
    store.commands.add(run, "save", by="page")
    store.metrics.series(run, "loss", buckets=500)

Every method opens its own connection, so a Store may be shared by threads; within `with store.together():` a thread's
questions share one. Trainers write through `Writer`.
"""

from contextlib import AbstractContextManager
from pathlib import Path

from dfgui.store import schema
from dfgui.store.checkpoints import Checkpoints
from dfgui.store.commands import Commands
from dfgui.store.deletion import Deletion
from dfgui.store.events import Events
from dfgui.store.holds import Holds
from dfgui.store.metrics import Metrics
from dfgui.store.outbox import Outbox
from dfgui.store.overview import Overview
from dfgui.store.parts import Parts
from dfgui.store.runs import Runs
from dfgui.store.scores import Scores
from dfgui.store.writer import Writer

__all__ = ["Store", "Writer"]


class Store:
    """The store at `path`, created or upgraded as needed. Raises UserError when it cannot be opened."""

    def __init__(self, path: Path):
        self.path = path
        schema.prepare(path)
        self.runs = Runs(path)
        self.metrics = Metrics(path)
        self.commands = Commands(path)
        self.checkpoints = Checkpoints(path)
        self.events = Events(path)
        self.outbox = Outbox(path)
        self.scores = Scores(path)
        self.parts = Parts(path)
        self.holds = Holds(path)
        self.deletion = Deletion(path)
        self.overview = Overview(path)

    def together(self) -> AbstractContextManager[None]:
        """All questions that this thread asks in the block go through one connection."""
        return schema.together(self.path)
