"""Store rows in, values to show out. Pure: neither gradio nor torch, and no clock but the `now` that is passed in."""
