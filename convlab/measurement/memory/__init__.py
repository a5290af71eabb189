"""Memory: what a step holds, and which batches fit."""
