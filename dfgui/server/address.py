"""Where the server listens: the port that is free, and whether listening there is allowed without a login."""

import socket

from dfgui.errors import UserError
from dfgui.server.hosts import is_loopback
from dfgui.server.options import PORT, Options
from dfgui.settings import Settings

TRIED_PORTS = 100  # after 7860


def choose(settings: Settings, options: Options, login: bool) -> tuple[str, int]:
    """The host and port to listen on. Raises UserError when that is taken, impossible or open to strangers."""
    host = options.host if options.host is not None else "0.0.0.0" if settings.space_id else "127.0.0.1"
    host = host.removeprefix("[").removesuffix("]") or "0.0.0.0"
    if not login and not is_loopback(host):
        raise UserError(
            f"dfgui will not listen on {host} without a login.",
            "Anyone who reaches it could train on this machine and read its data.",
            "Set DFGUI_USERNAME and DFGUI_PASSWORD, or give --auth-file a file of user:password lines.",
        )
    if options.port is not None or settings.space_id:
        port = options.port or PORT
        if trouble := _trouble(host, port):
            raise UserError(
                f"dfgui cannot listen on {host}:{port}.", f"{trouble}.", "Choose another with --port or --host."
            )
        return host, port
    for port in range(PORT, PORT + TRIED_PORTS):
        if not (trouble := _trouble(host, port)):
            return host, port
    raise UserError(
        f"dfgui cannot listen on {host}, ports {PORT} to {PORT + TRIED_PORTS - 1}.",
        f"{trouble}.",
        "Choose another with --port or --host.",
    )


def _trouble(host: str, port: int) -> str | None:
    """Why nobody can listen there, in the system's words, or None."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return error.strerror or str(error)
    return None
