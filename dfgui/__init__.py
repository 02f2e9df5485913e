"""dfgui: a dashboard with an embedded training runner for chat and tool-calling language models."""

__version__ = "0.1.0"
