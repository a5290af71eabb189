"""Networks made to run: which ones, under which conditions, step by step."""
