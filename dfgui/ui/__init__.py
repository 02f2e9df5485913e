"""The dashboard: a frame (shell.py), its looks (theme.py), a file per tab (pages/), what tabs share (components/)."""
