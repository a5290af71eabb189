"""TOML text with the place of every value, so that an error can point at it."""
