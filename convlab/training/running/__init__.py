"""One training as it runs: the loop, what it steps, and what stops it."""
