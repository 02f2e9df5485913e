"""What takes a finding away: a setting that one click changes, where it helps and is safe.

Cures(config.data, max_length=1024, template="{{ messages }}...").of("answer_cut", count=12, longest=1344, unused=True)
-> Cure("Raise max_length to 1,344", "training.max_length", 1344), Cure("Leave these 12 rows out", ...), ...
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dfgui.config import Data
from dfgui.data import probe
from dfgui.data.checks import CHECKS
from dfgui.data.tools_in_words import unwrap

CARRIES_TOOLS = "qwen3_instruct_2507"  # of TRL: tools, several calls, words beside them, no thoughts of its own


@dataclass(frozen=True)
class Cure:
    """A setting that takes a finding away."""

    label: str  # "Leave these 12 rows out"
    setting: str  # "data.leave_out"
    value: Any


USED_TOOLS = Cure("Show only the tools that a row calls", "data.tools", "used")


class Cures:
    """The cures there are for rows that train with these settings, by the chat template `template`, if there is one."""

    def __init__(self, data: Data, max_length: int, template: str | None):
        self.data, self.max_length, self.template = data, max_length, template

    def of(self, check: str, count: int, longest: int, unused: bool) -> Iterator[Cure]:
        """Those of a check that found `count` rows. `longest`: a max_length that would do; `unused`: whether rows
        offer tools that they do not call.
        """
        for kind in CHECKS[check].cures:
            match kind:
                case "raise_max_length" if longest > self.max_length:
                    yield Cure(f"Raise max_length to {longest:,}", "training.max_length", longest)
                case "used_tools" if self.data.tools == "all" and unused:
                    yield USED_TOOLS
                case "tools_in_words" if self._loses_tools() and not unwrap(self.template or "")[0]:
                    yield Cure("Write tools into the system message", "model.tools_in", "system")
                case "another_template" if self._loses_tools():
                    words = f"Train with TRL's chat template {CARRIES_TOOLS}"
                    yield Cure(words, "model.chat_template", CARRIES_TOOLS)
                case "save_trained" if self._has_a_trained_form():
                    yield Cure("Save the template as rows are trained", "model.saved_template", "training")
                case "last_answer":
                    yield Cure("Learn from the last answer only", "data.train_on", "last_assistant")
                case "leave_out":
                    words = "this row" if count == 1 else f"these {count:,} rows"
                    yield Cure(f"Leave {words} out", "data.leave_out", [*self.data.leave_out, check])

    def _loses_tools(self) -> bool:
        """Whether the template cannot carry all that rows with tools have."""
        if self.template is None:
            return False
        form = probe.examine(self.template)
        return not (form.tools and form.several and form.offered and form.beside) or form.careless

    def _has_a_trained_form(self) -> bool:
        """Whether there is a template that asks as rows are trained."""
        trained = probe.examine(self.template).training if self.template else None
        return trained is not None and not probe.examine(trained).rewritten
