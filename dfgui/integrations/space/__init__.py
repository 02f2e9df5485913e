"""A volume that survives a restart but is no disk: a Space's mounted bucket, or a home without locks.

    DFGUI_VOLUME/                         laid out like a home
      writer.json                         which home wrote here last
      dfgui.db  dfgui.previous.db         the store, copied as one file, and the copy before
      runs/RUN/  train.log  checkpoint-20/
      uploads/

SQLite never opens anything there: the store and the runs live in a home on the machine's own disk, are copied to the
volume every minute and at the end (mirror.py), and come back at the start (restore.py). A file is written under another
name, synced and renamed; a checkpoint counts once its files.json stands beside its files, so half a copy is never
taken for a whole one.
"""

from dfgui.integrations.space.mirror import Mirror
from dfgui.integrations.space.place import notice, place

__all__ = ["Mirror", "notice", "place"]
