"""Recipes: everything that decides a training besides the design, the data and the seed, as knobs of one noun."""
