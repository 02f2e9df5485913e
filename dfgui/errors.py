"""The one error a person ever reads: what happened, why, and what to do next.

    Learning rate 0 cannot train.  The model would stay as it is.  Use a value above 0, for example 2e-4.

Pages show the three sentences, the command line prints them, `--json` gives them as {"error": {what, why, do}}.
Anything else that is raised is a bug or an accident, and ends in a log.
"""

from typing import Any


class UserError(Exception):
    """Something the person can mend.

    `field` names the setting it belongs to, if one does: "training.learning_rate"; `changes` are settings that mend it:
    {"training.learning_rate": 2e-4}; `details` are for whoever wants to look closer.
    """

    def __init__(
        self,
        what: str,
        why: str,
        do: str,
        field: str | None = None,
        changes: dict[str, Any] | None = None,
        details: str = "",
    ):
        super().__init__(what, why, do)
        self.what = what
        self.why = why
        self.do = do
        self.field = field
        self.changes = changes or {}
        self.details = details

    def __str__(self) -> str:
        return f"{self.what} {self.why} {self.do}"

    def to_dict(self) -> dict[str, Any]:
        """The three sentences, and what else there is."""
        more = {"changes": self.changes, "details": self.details}
        return {"what": self.what, "why": self.why, "do": self.do, **{name: one for name, one in more.items() if one}}
