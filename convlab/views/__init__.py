"""What any face shows, as plain data: cards, tables, notes and explanations, with units already formatted."""

from convlab.views.cards import FIGURES, Card, Delta, Figure, cards, plain_cards
from convlab.views.catalogue import catalogue
from convlab.views.comparison import comparison, knob_table, plain_comparison, plain_differences
from convlab.views.costs import GROUPINGS, table
from convlab.views.explanations import Explanation, explained_names, explanations
from convlab.views.knob_paths import Difference, differences, knob_paths, values
from convlab.views.notes import Note, notes, plain_notes
from convlab.views.portrait import Nearest, nearest_preset, portrait
from convlab.views.roadmap import Step, roadmap_notes, roadmap_table, steps
from convlab.views.tables import Cell, Column, Table, bar, plain_shape, value_text

__all__ = [
    "FIGURES",
    "GROUPINGS",
    "Card",
    "Cell",
    "Column",
    "Delta",
    "Difference",
    "Explanation",
    "Figure",
    "Nearest",
    "Note",
    "Step",
    "Table",
    "bar",
    "cards",
    "catalogue",
    "comparison",
    "differences",
    "explained_names",
    "explanations",
    "knob_paths",
    "knob_table",
    "nearest_preset",
    "notes",
    "plain_cards",
    "plain_comparison",
    "plain_differences",
    "plain_notes",
    "plain_shape",
    "portrait",
    "roadmap_notes",
    "roadmap_table",
    "steps",
    "table",
    "value_text",
    "values",
]
