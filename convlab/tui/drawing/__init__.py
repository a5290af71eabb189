"""Drawings for a terminal: pure functions from data and a size to lines of text, and the widget that shows them."""
