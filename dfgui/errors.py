"""The one error a person ever reads: what happened, why, and what to do next.

    Learning rate 0 cannot train.  The model would stay as it is.  Use a value above 0, for example 2e-4.

Pages show the three sentences, the command line prints them, `--json` gives them as {"error": {what, why, do}}.
Anything else that is raised is a bug or an accident, and ends in a log.
"""


class UserError(Exception):
    """Something the person can mend. `field` names the setting it belongs to, if one does: "training.learning_rate"."""

    def __init__(self, what: str, why: str, do: str, field: str | None = None):
        super().__init__(what, why, do)
        self.what = what
        self.why = why
        self.do = do
        self.field = field

    def __str__(self) -> str:
        return f"{self.what} {self.why} {self.do}"

    def to_dict(self) -> dict[str, str]:
        return {"what": self.what, "why": self.why, "do": self.do}
