"""Spaces: sets of designs that are counted, numbered, drawn from and costed as a whole."""
