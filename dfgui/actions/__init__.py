"""What a person can do: the functions that pages, the API and the command line call.

Each takes the settings of its caller, checks what it is given, and raises UserError in words.
"""

from dfgui.actions.answers import held_out, parse_reply, reply, score
from dfgui.actions.bases import name_base
from dfgui.actions.checkpoints import KINDS, Package, export, home_sizes, package, weights
from dfgui.actions.gguf import can_convert, gguf_sizes
from dfgui.actions.pushes import push
from dfgui.actions.pushing import push_apart
from dfgui.actions.rows import check, preview
from dfgui.actions.runs import (
    annotate,
    callbacks,
    checked,
    command,
    delete,
    launch_notes,
    log_tail,
    rename,
    resume,
    start,
    whole_checkpoints,
)
from dfgui.actions.saved import Saved, base_name, saved
from dfgui.actions.scripts import script, source
from dfgui.actions.shelf import delete_checkpoint, keep, shelf, unfinished

__all__ = [
    "KINDS",
    "Package",
    "Saved",
    "annotate",
    "base_name",
    "callbacks",
    "can_convert",
    "check",
    "checked",
    "command",
    "delete",
    "delete_checkpoint",
    "export",
    "gguf_sizes",
    "held_out",
    "home_sizes",
    "keep",
    "launch_notes",
    "log_tail",
    "name_base",
    "package",
    "parse_reply",
    "preview",
    "push",
    "push_apart",
    "rename",
    "reply",
    "resume",
    "saved",
    "score",
    "script",
    "shelf",
    "source",
    "start",
    "unfinished",
    "weights",
    "whole_checkpoints",
]
