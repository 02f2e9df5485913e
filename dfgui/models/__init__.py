"""Models: what this machine can carry, where a model comes from, how it is made ready to train."""
