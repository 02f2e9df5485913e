"""A write that has to be taken, however long the store is locked or its disk full: the end of a run, of a count."""

import logging
import sqlite3
import time
from collections.abc import Callable
from typing import Any

logger = logging.getLogger("dfgui")

RETRY_SECONDS = 1.0


def insist(write: Callable[[], Any]) -> None:
    """Repeats a write until the store takes it: an end that is not recorded would leave the run alive for ever."""
    while True:
        try:
            write()
            return
        except sqlite3.OperationalError as error:
            logger.warning("The store cannot be written (%s); trying again.", error)
            time.sleep(RETRY_SECONDS)
