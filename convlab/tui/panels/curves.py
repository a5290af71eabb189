"""The curves panel: what runs and how far it is, learning curves of all runs over each other, throughputs as bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from textual.binding import Binding, BindingType

from convlab.runs.ids import short_name
from convlab.tui.drawing.picture import Picture, Size, wrapped
from convlab.tui.panels.panel import Shown
from convlab.tui.panels.pictures.curves import EMPTY, curves_lines
from convlab.tui.panels.sheet_panel import SheetPanel
from convlab.views.live_learning import JobCurves, live_curves, rates

if TYPE_CHECKING:
    from convlab.tui.jobs import JobState


@final
class CurvesPanel(SheetPanel):
    """Learning curves and throughputs of this session's jobs."""

    title = "Curves"
    key = "curves"
    help = (
        "What runs, with its rate and the time that is left; training losses and validation accuracies of this session's trainings, each "
        "with its sign, its line and its numbers, and what was made smaller of the designs for it; throughputs of measurements with their "
        "95 % intervals. f goes from loss to accuracy where there is no room for both."
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f", "figure", "Figure", show=False)]

    def __init__(self) -> None:
        super().__init__()
        self.figure = "loss"
        self._jobs: tuple[JobState, ...] = ()

    def show(self, shown: Shown) -> None:
        """Draw what the jobs have told."""
        self._jobs = shown.jobs
        self.sheet.redraw()

    def action_figure(self) -> None:
        """Loss or accuracy."""
        self.figure = "loss" if self.figure == "accuracy" else "accuracy"
        self.sheet.redraw()

    def _picture(self, size: Size, pointed: str) -> Picture:
        if not self._jobs:
            return Picture(wrapped(EMPTY, size.width, "muted"))
        curves = live_curves([JobCurves(job.curves, _name(job), job.result) for job in self._jobs])
        measured = [one for job in self._jobs if job.kind == "bench" for one in rates(job.result or {})]
        return Picture(tuple(curves_lines(self._jobs, curves, measured, size, figure=self.figure)))


def _name(job: JobState) -> str:
    """The last letters of the run, as the list of runs has them; of one that is not stored its number."""
    return short_name(job.run) or f"job {job.id}"
