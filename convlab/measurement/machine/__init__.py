"""The machine that is measured on: what lasts of it, what it does at a moment, and what disturbed a measurement."""
