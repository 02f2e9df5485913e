"""python -m dfgui: the command line."""

import sys

from dfgui.cli import main

sys.exit(main())
