"""Starting the app, keeping it, ending it: python app.py from its flags to its last copy.

SIGTERM and Ctrl-C ask the training to save and stop, within SHUTDOWN_SECONDS; then the server closes.
"""

import argparse
import os
import signal
import sys
import threading
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dfgui.artifacts import deletion
from dfgui.errors import UserError
from dfgui.server import address
from dfgui.server.options import Options, add_flags, read_flags
from dfgui.settings import Settings

if TYPE_CHECKING:
    from gradio import Blocks

SHUTDOWN_SECONDS = 20  # for a training to save; then the copy to a volume and the open connections get LAST_SECONDS
LAST_SECONDS = 8
FORWARD_SECONDS = 2  # of them, for what DeepFabric has not been sent yet; the rest is sent after the next start
UPLOAD_LIMIT = "4gb"  # of one file dropped on the page


def main(arguments: Sequence[str] | None = None, blocks: "Blocks | None" = None) -> int:
    """`python app.py`. Returns the exit code: 2 when it refuses to start, with the reason on stderr."""
    parser = argparse.ArgumentParser(prog="app.py", description="dfgui: fine-tune chat and tool-calling models.")
    add_flags(parser)
    try:
        settings, options = read_flags(parser.parse_args(arguments))
        return serve(settings, options, blocks)
    except UserError as error:
        print(f"dfgui: {error}", file=sys.stderr)
        return 2


def serve(settings: Settings, options: Options, blocks: "Blocks | None" = None) -> int:
    """Serves until SIGTERM or Ctrl-C. Main thread only. Raises UserError when it may not or cannot start."""
    from dfgui.integrations import space
    from dfgui.server.login import Login, accounts

    login = Login(settings, accounts(settings, options.auth_file), urlsplit(options.root_path).path)
    host, port = address.choose(settings, options, login.needed)
    stop = _stop_on_signals()
    settings = space.place(settings)
    mirror = space.Mirror(settings)
    _quiet_gradio(settings)
    connections = _connections(settings)
    with _without_space_mode():
        page = _launch(settings, options, login, connections, host, port, blocks)
    threading.Thread(target=deletion.sweep, args=(settings,), name="dfgui-sweep", daemon=True).start()
    _start_training_thread(settings, connections)
    forwarder = _start_forwarder(settings, connections)
    mirror.start()
    _announce(settings, options, host, port)
    stop.wait()
    _end(settings, page, forwarder, mirror)
    return 0


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()

    def ask(number: int, frame: object) -> None:
        if stop.is_set() and number == signal.SIGINT:
            os._exit(130)  # a second Ctrl-C: now
        stop.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    return stop


def _quiet_gradio(settings: Settings) -> None:
    """What has to be in the environment before gradio is imported."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ.setdefault("GRADIO_TEMP_DIR", str(settings.home / "cache"))  # /tmp may be a small disk in memory
    for name in ("no_proxy", "NO_PROXY"):  # Gradio asks itself for the page when it starts
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), "localhost,127.0.0.1,::1"]))


@contextmanager
def _without_space_mode() -> Iterator[None]:
    """In a Space, Gradio starts a hot-reload thread that wants the `spaces` package and dies with a traceback."""
    system = os.environ.pop("SYSTEM", None)
    yield
    if system is not None:
        os.environ["SYSTEM"] = system


def _connections(settings: Settings) -> Any:
    from dfgui.integrations.connections import Connections
    from dfgui.store import Store

    return Connections(Store(settings.store_path))


def _launch(
    settings: Settings, options: Options, login: Any, connections: Any, host: str, port: int, blocks: "Blocks | None"
) -> Any:
    """Starts Gradio in its thread, with our checks before every route and our routes before its own."""
    from starlette.middleware import Middleware

    from dfgui.server import bodies, closed, download, files, hosts, oauth, pushes
    from dfgui.server import connections as dialog
    from dfgui.server.first_script import FirstScript
    from dfgui.server.login import USER, LoginCheck

    known = hosts.Hosts(
        bound=host,
        named=(*settings.hosts, *filter(None, [urlsplit(options.root_path).netloc])),
        proxied=bool(options.root_path),
        framed_by=("https://huggingface.co",) if settings.space_id else (),
    )
    before = [Middleware(hosts.HostCheck, hosts=known)]
    if login.needed:
        before.append(Middleware(LoginCheck, login=login))
    before.append(Middleware(bodies.BodyLimit))
    dialog.end_with_logout(connections, login)
    shared = login.needed or bool(settings.space_id)
    own = [*download.routes(settings, connections), *files.routes(settings)]
    own += [*pushes.routes(settings, connections, shared), *dialog.routes(settings, connections, login)]
    blocks, look, script = _page(settings, connections, blocks)
    before.append(Middleware(FirstScript, script=script))
    blocks.launch(
        server_name=f"[{host}]" if ":" in host else host,
        server_port=port,
        app_kwargs={
            "middleware": before,
            "routes": [*login.routes(), *oauth.routes(login), *own, *closed.routes()],
        },
        auth_dependency=(lambda request: request.scope.get(USER, "")) if login.needed else None,
        root_path=options.root_path,
        max_file_size=UPLOAD_LIMIT,
        run_history=False,
        enable_monitoring=False,
        footer_links=[],
        show_error=False,
        ssr_mode=False,
        mcp_server=False,
        pwa=False,
        share=False,
        inbrowser=False,
        prevent_thread_lock=True,
        quiet=True,
        **look,
    )
    return blocks


def _page(settings: Settings, connections: Any, blocks: "Blocks | None") -> tuple["Blocks", dict[str, Any], str]:
    """The Blocks to serve, how it looks, and the script that runs before all others."""
    if blocks is not None:
        return blocks, {}, ""
    from dfgui.ui import shell, theme

    return shell.build(settings, connections), theme.launch_options(), theme.first_script()


def _start_training_thread(settings: Settings, connections: Any) -> None:
    from dfgui.training import launcher

    launcher.start(settings, connections.of_run)


def _start_forwarder(settings: Settings, connections: Any) -> Any:
    from dfgui.integrations.deepfabric.forwarder import Forwarder

    forwarder = Forwarder(settings, connections.of_run)
    forwarder.start()
    return forwarder


def _announce(settings: Settings, options: Options, host: str, port: int) -> None:
    name = "localhost" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host
    url = f"http://{name}:{port}"
    print(f"dfgui is at {url}", flush=True)
    if options.browser and _a_person_started_it(settings):
        webbrowser.open(url)


def _a_person_started_it(settings: Settings) -> bool:
    """At this machine's own screen: not a Space, a pipeline, a remote shell or a service."""
    if settings.space_id or any(os.environ.get(name) for name in ("CI", "SSH_CONNECTION", "SSH_TTY")):
        return False
    has_screen = sys.platform != "linux" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    return sys.stdout.isatty() and has_screen


def _end(settings: Settings, page: Any, forwarder: Any, mirror: Any) -> None:
    """Saves and stops the training, copies, closes. Whatever hangs, the process is gone in bounded time."""
    print("dfgui is stopping", flush=True)
    last = threading.Timer(SHUTDOWN_SECONDS + LAST_SECONDS, os._exit, [1])
    last.daemon = True
    last.start()
    from dfgui.training import launcher

    launcher.shutdown(settings, SHUTDOWN_SECONDS)
    forwarder.close(FORWARD_SECONDS)
    mirror.close()
    page.close(verbose=False)
