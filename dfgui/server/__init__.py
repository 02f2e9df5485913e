"""The server: flags, who may come in, which hosts are answered, the page, and a clean end.

from dfgui.server import add_flags, main, serve

Nothing here imports gradio at the top: its settings are read from the environment when it is imported, and most
commands of the command line never need it.
"""

from dfgui.server.launch import main, serve
from dfgui.server.options import Options, add_flags, read_flags

__all__ = ["Options", "add_flags", "main", "read_flags", "serve"]
