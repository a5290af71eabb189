"""The panels of the lab, one a file. A new panel is a file here and its name in ``PANELS``."""

from convlab.tui.panels.cost import CostPanel
from convlab.tui.panels.curves import CurvesPanel
from convlab.tui.panels.diff import DiffPanel
from convlab.tui.panels.field import FieldPanel
from convlab.tui.panels.layers import LayersPanel
from convlab.tui.panels.memory import MemoryPanel
from convlab.tui.panels.panel import Asked, LayerChosen, Panel, Shown, TextWritten, Turned
from convlab.tui.panels.runs import RunsPanel
from convlab.tui.panels.source import SourcePanel
from convlab.tui.panels.walk import WalkPanel

__all__ = ["PANELS", "Asked", "LayerChosen", "Panel", "Shown", "TextWritten", "Turned"]

PANELS: tuple[type[Panel], ...] = (
    CostPanel,
    FieldPanel,
    MemoryPanel,
    LayersPanel,
    SourcePanel,
    DiffPanel,
    CurvesPanel,
    RunsPanel,
    WalkPanel,
)
"""The panels in the order of their tabs."""
