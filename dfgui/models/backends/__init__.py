"""Backends: how a model is made, adapted and saved. One file each; trl now."""
