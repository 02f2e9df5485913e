"""A run as a plain script: a train.py that trains the same, step by step, and knows nothing of dfgui.

    found = known(config, settings, facts)     what the run has found on its machine, or what a new one would find
    text(config, found)                        the source, in the shape of `ruff format`
    write(config, settings, Path("weather"))   the folder in which it runs alone

Neither torch nor TRL is imported to write the source: a page shows it. Rows are prepared only for the folder.
"""

from dfgui.training.script.folder import write
from dfgui.training.script.known import known
from dfgui.training.script.source import text

__all__ = ["known", "text", "write"]
