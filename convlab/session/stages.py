"""Stages put in, taken out and doubled."""

from __future__ import annotations

from convlab.errors import ConvlabError, Problem
from convlab.language.design import MAXIMUM_STAGES, Design, Stage
from convlab.language.knobs import changed


def added(design: Design, index: int) -> Design:
    """The design with a stage before the one of an index, or at the end: like the one before it, one block deep, of stride 1.

    Neither the resolution nor the other stages change. Raises ConvlabError where there is no room.
    """
    count = len(design.stages)
    if not 0 <= index <= count:
        raise _no_stage(index, count, "a stage can be put in at")
    like = design.stages[max(0, index - 1)]
    return _put_in(design, index, changed(like, {"depth": 1, "stride": 1}))


def duplicated(design: Design, index: int) -> Design:
    """The design with a stage twice, one after the other. Raises ConvlabError where there is no room."""
    return _put_in(design, index + 1, design.stages[_there(design, index)])


def removed(design: Design, index: int) -> Design:
    """The design without a stage. Raises ConvlabError where it is the only one."""
    _there(design, index)
    if len(design.stages) == 1:
        help = "put another one in first"
        raise ConvlabError(Problem("out-of-range", "a design has at least one stage", help=help, path="depths"))
    return changed(design, {"stages": (*design.stages[:index], *design.stages[index + 1 :])})


def _put_in(design: Design, index: int, stage: Stage) -> Design:
    if len(design.stages) == MAXIMUM_STAGES:
        message = f"a design has at most {MAXIMUM_STAGES} stages"
        raise ConvlabError(Problem("out-of-range", message, help="take one out first", path="depths"))
    return changed(design, {"stages": (*design.stages[:index], stage, *design.stages[index:])})


def _there(design: Design, index: int) -> int:
    if not 0 <= index < len(design.stages):
        raise _no_stage(index, len(design.stages) - 1, "stages are")
    return index


def _no_stage(index: int, last: int, what: str) -> ConvlabError:
    message = f"there is no stage {index}"
    return ConvlabError(Problem("out-of-range", message, label=f"{what} 0 to {last}", path="depths"))
