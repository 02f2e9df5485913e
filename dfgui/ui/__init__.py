"""The dashboard: a frame (shell.py), its looks (theme.py), one file per tab (pages/), and what several tabs use (components/)."""
