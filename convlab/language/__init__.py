"""The language: what an architecture is, from knobs and blocks to designs, their layers, their files and their schema."""
