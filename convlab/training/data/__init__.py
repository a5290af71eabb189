"""Data to train on: every set with a train, a validation and a test split, one file a set."""
