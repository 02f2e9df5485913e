"""The app as `python app.py` starts it, which also writes down every address it serves: HOME/addresses.json.

python -m tests.server.attacks.opened --port 7999
"""

import json
import sys
from pathlib import Path

from dfgui.server import launch, main

FILE = "addresses.json"


def told(launched):
    """`launched`, followed by [[path, [method, ...]], ...]; a route for any method has none listed."""

    def launch_and_tell(settings, *rest):
        page = launched(settings, *rest)
        found = [[route.path, sorted(getattr(route, "methods", None) or [])] for route in flat(page.app.routes)]
        Path(settings.home, FILE).write_text(json.dumps(found), encoding="utf-8")
        return page

    return launch_and_tell


def flat(routes):
    """With those of a router that was included, which FastAPI keeps as one."""
    for route in routes:
        included = getattr(route, "original_router", None)
        yield from flat(included.routes) if included else [route]


if __name__ == "__main__":
    launch._launch = told(launch._launch)
    sys.exit(main())
