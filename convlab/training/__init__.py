"""Proxy trainings: recipes, data, the loop that trains designs alike, and what their ranking can be trusted with."""
