"""The door: `python app.py` on a person's machine, and in a Space. `python app.py --help` lists its flags."""

import sys

from dfgui.server import main

if __name__ == "__main__":
    sys.exit(main())
