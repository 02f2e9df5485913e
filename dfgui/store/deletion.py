"""Deleting a run: what stands against it, and all its rows in one transaction.

Its folder is artifacts/deletion.py's business.
"""

from pathlib import Path
from typing import Any

from dfgui.store.runs import ENDED
from dfgui.store.schema import opened

# Every table that holds rows of a run, by the column that names it.
TABLES = {
    **dict.fromkeys(("metrics", "rollups", "commands", "checkpoints", "events", "scores"), "run"),
    **dict.fromkeys(("parts", "aside", "holds", "outbox", "outbox_leases"), "run"),
    "runs": "id",
}


class Deletion:
    def __init__(self, path: Path):
        self.path = path

    def delete(self, run: str) -> bool:
        """Deletes every row of a run that has ended; False, and nothing is deleted, when it goes on."""
        with opened(self.path) as db:
            db.execute("BEGIN IMMEDIATE")  # nobody puts it into the queue again meanwhile
            found = db.execute("SELECT status FROM runs WHERE id = ?", [run]).fetchone()
            if found and found[0] not in ENDED:
                return False
            for table, column in TABLES.items():
                db.execute(f"DELETE FROM {table} WHERE {column} = ?", [run])
            return True

    def built_on(self, run: str) -> list[dict[str, Any]]:
        """Other runs that began from a checkpoint of this one: {id, name, ended, model, adapters, base}.

        `model` names the checkpoint: "run:7h2kq0x1zz@60"; `adapters` counts the adapters they saved, `base` is the
        folder of the model that these work on.
        """
        with opened(self.path) as db:
            rows = db.query(
                "SELECT id, name, status, json_extract(config, '$.model.name') AS model, "
                "json_extract(facts, '$.base') AS base, (SELECT count(*) FROM checkpoints "
                "WHERE checkpoints.run = runs.id AND kind = 'adapter') AS adapters FROM runs "
                "WHERE id != ? AND (json_extract(config, '$.model.name') = ? "
                "OR json_extract(config, '$.model.name') LIKE ?)",
                [run, f"run:{run}", f"run:{run}@%"],
            )
            return [{**row, "ended": row["status"] in ENDED} for row in rows]
