"""Why a checkpoint does not fit a network: the differences in words, and the network that it looks like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from torch import Tensor

from convlab.errors import ConvlabError, Place, Problem, quote
from convlab.language.design import Design
from convlab.weights.layouts import classifier_of
from convlab.weights.origins import design_inside
from convlab.weights.recognition import Likeness, recognized
from convlab.weights.report import Line, Report, count, first_of

CODE = "weights-do-not-fit"
ANOTHER = 0.5
"""A checkpoint is another network's where less than this share of a network's weights fits."""


class Misfits(NamedTuple):
    """Weights that no tensor fills, tensors that no weight takes, and tensors of another shape."""

    missing: Sequence[Line]
    left_over: Sequence[Line]
    misshapen: Sequence[Line]

    def only(self, layer: str) -> bool:
        """Whether nothing else is wrong than the weights of one layer."""
        ours = (*self.missing, *self.misshapen)
        return bool(ours) and not self.left_over and all(line.path.startswith(f"{layer}.") for line in ours)


def refusal(state: Mapping[str, Tensor], design: Design, misfits: Misfits, report: Report) -> ConvlabError:
    """The error for a checkpoint that does not fit."""
    name = design.name or design.key
    place = Place(report.source, 0, 0, "", 0)
    classifier = classifier_of(design)
    if misfits.only(classifier):
        return ConvlabError(_other_head(name, classifier, misfits, place))
    inside = design_inside(report.source)
    help = _looks_like(recognized(state), design) if inside is None else _is_of(inside, report.source)
    ours = len(report.loaded) + len(misfits.missing) + len(misfits.misshapen)
    told = (
        (f"of {name} missing", misfits.missing),
        (f"of another shape than in {name}", misfits.misshapen),
        (f"without a place in {name}", misfits.left_over),
    )
    if len(report.loaded) < ANOTHER * ours:
        fitting = f"{len(report.loaded)} of its {count(ours, 'tensor')} fit, in layout {report.layout}"
        notes = [f"{len(lines)} {what}: {_listed(lines[:2])}, ..." for what, lines in told if lines]
        return ConvlabError(Problem(CODE, f"not the weights of {name}: {fitting}", place, "; ".join(notes), help))
    return ConvlabError(
        *(
            Problem(CODE, f"{count(len(lines), 'tensor')} {what}", place, _listed(lines), help)
            for what, lines in told
            if lines
        )
    )


def _listed(lines: Sequence[Line]) -> str:
    return first_of([str(line) for line in lines])


def _other_head(name: str, classifier: str, misfits: Misfits, place: Place) -> Problem:
    lines = (*misfits.missing, *misfits.misshapen)
    message = f"the classifier of {name} is not that of these weights"
    help = f"ignore {classifier} (--ignore {classifier}; in Python ignore={quote([classifier])}) to leave it as it is"
    classes = {line.their_shapes[0][0] for line in misfits.misshapen if line.their_shapes}
    if len(classes) == 1:
        help += f", give the design head.classes = {classes.pop()}"
    help += f", or let {name} inherit them (convlab weights inherit)"
    return Problem(CODE, message, place, _listed(lines), help, classifier)


def _is_of(inside: Design, source: str) -> str:
    """A file of ours names its design, which may be another one than that of its name: trainings make designs smaller."""
    name = f"{inside.name}, key {inside.key[:8]}" if inside.name else f"key {inside.key[:8]}"
    return f"they are of the design inside the file ({name}): convlab export {source} writes it with its weights"


def _looks_like(like: Likeness | None, design: Design) -> str:
    if like is None:
        return "no preset has weights of these names and shapes; name the design that they were trained with"
    if like.design.name == design.name:
        nearest = f"they are nearest to {like.design.name} itself, in layout {like.layout}"
        return f"{nearest}; a changed design can inherit them (convlab weights inherit)"
    sure = "look like" if like.share == 1 else "are nearest to"
    compare = (
        f"convlab compare {like.design.name} {design.name}" if design.name else f"convlab explain {like.design.name}"
    )
    return f"they {sure} {like.design.name} (layout {like.layout}); {compare} shows how the two differ"
