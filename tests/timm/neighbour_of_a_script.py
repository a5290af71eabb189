"""A module beside the training script, which finds it as Python's own start does."""

WORD = "found"
