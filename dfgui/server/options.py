"""What `python app.py` and `python -m dfgui ui` can be told: one set of flags for both.

parser = argparse.ArgumentParser()
add_flags(parser)
settings, options = read_flags(parser.parse_args())
"""

import argparse
import functools
from dataclasses import dataclass, replace
from pathlib import Path

from dfgui import settings as settings_module
from dfgui.errors import UserError
from dfgui.settings import Settings

PORT = 7860  # Gradio's, and the one that Spaces expect


@dataclass(frozen=True)
class Options:
    host: str | None = None  # None: 127.0.0.1, or every address in a Space
    port: int | None = None  # None: 7860, or the next free one
    auth_file: Path | None = None  # "user:password" lines
    root_path: str = ""  # "/dfgui", or "https://example.com/dfgui": where a proxy shows the page
    browser: bool = True  # open one when a person started it


def add_flags(parser: argparse.ArgumentParser) -> None:
    many = functools.partial(parser.add_argument, action="append", default=[])
    parser.add_argument("--host", help="address to listen on (default 127.0.0.1; any other needs a login)")
    parser.add_argument("--port", type=_port, help=f"port to listen on (default {PORT}, or the next free one)")
    parser.add_argument("--home", help="folder of the store, runs and uploads (default DFGUI_HOME or ~/.dfgui)")
    parser.add_argument("--auth-file", type=Path, help="file with one user:password per line; asks visitors to log in")
    many("--allow-folder", metavar="FOLDER", help="folder that pages may read besides the home; repeatable")
    many("--allow-callback", metavar="CLASS", help="pkg.module:Class that runs may use, or pkg.module for all in it")
    parser.add_argument("--allow-callbacks-folder", action="store_true", help="pages may name files in HOME/callbacks")
    many("--allowed-host", metavar="NAME", help="host name answered besides this machine's own; repeatable")
    parser.add_argument("--root-path", default="", help="where a proxy shows the page: /dfgui, or a whole URL")
    parser.add_argument("--no-browser", action="store_true", help="do not open the page in a browser")


def read_flags(args: argparse.Namespace) -> tuple[Settings, Options]:
    """Raises UserError when the home or an allowed folder cannot be used."""
    settings = settings_module.load(home=args.home)
    settings = replace(
        settings,
        allowed=(*settings.allowed, *(_folder(text) for text in args.allow_folder)),
        allowed_callbacks=(*settings.allowed_callbacks, *args.allow_callback),
        callbacks_folder=settings.callbacks_folder or args.allow_callbacks_folder,
        hosts=(*settings.hosts, *args.allowed_host),
        closed=(args.auth_file.expanduser(),) if args.auth_file else (),
    )
    options = Options(
        host=args.host,
        port=args.port,
        auth_file=args.auth_file,
        root_path=_root_path(args.root_path),
        browser=not args.no_browser,
    )
    return settings, options


def _folder(text: str) -> Path:
    folder = Path(text).expanduser().resolve()
    if not folder.is_dir():
        raise UserError(f"{text} is not a folder.", "--allow-folder opens a folder to pages.", "Check the path.")
    return folder


def _root_path(text: str) -> str:
    """/dfgui for dfgui/; a whole URL stays one."""
    path = text.rstrip("/")
    return path if not path or path.startswith(("/", "http://", "https://")) else f"/{path}"


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port; choose one from 1 to 65535")
    return int(text)
