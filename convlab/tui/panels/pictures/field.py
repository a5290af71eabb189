"""The receptive field as a curve over the layers, as squares on the image, and as a list of steps."""

from __future__ import annotations

from collections.abc import Mapping

from convlab.tui.drawing.axes import Axis
from convlab.tui.drawing.curves import Curve, Level, chart
from convlab.tui.drawing.picture import Line, Picture, Size, Span, padded, path_in, width_of, wrapped
from convlab.tui.drawing.squares import frame, nested, shade
from convlab.views.receptive_field import Growth, Step, square

WIDE = 64
"""From so many columns on the image stands beside the curve."""

TALL = 14
"""Below so many lines the curve comes before words and steps."""

MOST_SQUARES = 4


def field_picture(found: Growth, size: Size, pointed: str = "") -> Picture:
    """What there is to say in a line or two, the curve, the image with its squares, and the steps to go through."""
    told = tuple(line for text in summary(found) for line in wrapped(text, size.width))
    told = told[: max(1, size.height // 5)] if size.height >= TALL else told[:1]
    listed = max(2, min(len(found.steps), size.height // 3)) if size.height >= TALL else 1
    rows = max(5, size.height - len(told) - listed)
    drawn = _drawn(found, Size(size.width, rows), pointed)
    drawn_of = _shades(found, pointed) if len(drawn) > rows or size.width >= WIDE or size.height >= 18 else {}
    steps = tuple(_step(step, size.width, drawn_of) for step in found.steps)
    head = (*told, *drawn)
    return Picture((*head, *steps), len(head), ("",) * len(head) + tuple(step.path for step in found.steps))


def summary(found: Growth) -> list[str]:
    """How far the last map sees, from where on it is the whole image, and what looks at everything by other means."""
    side = f"{found.image.height}x{found.image.width}"
    seen = f"the whole {side} image" if found.widest is None else f"{found.widest} of {side} px"
    told = [f"Receptive field: {seen}, at least {found.narrowest}."]
    if found.whole is not None:
        told.append(f"Global attention from {found.whole.path} on.")
    elif found.covers is not None:
        told.append(f"As wide as the image from {_name(found.covers)} on.")
    if found.gate:
        told.append(f"Squeeze-excite, not drawn, weighs channels by the whole map from {found.gate} on.")
    return told


def _drawn(found: Growth, size: Size, pointed: str) -> tuple[Line, ...]:
    """Curve and image: side by side, one above the other, or the curve alone."""
    height, width = found.image.height, found.image.width
    if size.width >= WIDE:
        inner = frame(height, width, min(size.height, size.width // 5))
        image = _image(found, inner, pointed)
        curve = _curve(found, Size(size.width - inner[1] - 4, size.height))
        image += ((),) * (len(curve) - len(image))
        beside = zip(curve, image, strict=True)
        wide = size.width - inner[1] - 3
        return tuple((*one, Span(" " * max(1, wide - width_of(one))), *other) for one, other in beside)
    if size.height >= 18:
        inner = frame(height, width, min(size.height // 2, size.width // 2))
        return (*_curve(found, Size(size.width, size.height - inner[0] - 2)), *_image(found, inner, pointed))
    return _curve(found, size)


def _curve(found: Growth, size: Size) -> tuple[Line, ...]:
    ends = [
        (number, seen)
        for step in found.steps
        for number, seen in zip(step.number, (step.first, step.last), strict=True)
    ]
    side = found.side
    points = sorted({(float(number), float(side if seen is None else seen.size)) for number, seen in ends})
    level = Level(side, f"image {side} px")
    y = Axis("receptive field, px", low=0)
    return chart([Curve(((0.0, 1.0), *points))], size, x=Axis("layers with a window", whole=True), y=y, levels=[level])


def _image(found: Growth, inner: tuple[int, int], pointed: str) -> tuple[Line, ...]:
    """The image with the squares after the stages, and beside them their names where there is room."""
    steps = _squares(found, pointed)
    place = next((place for place, step in enumerate(steps) if step.path == pointed), -1)
    return nested([square(step.last, found.image) for step in steps], inner, pointed=place)


def _squares(found: Growth, pointed: str) -> list[Step]:
    """The steps that have a square: after each stage up to the whole image, and the one under the cursor."""
    steps = _ends_of_stages(found)
    one = next((step for step in found.steps if step.path == pointed and step not in steps), None)
    if one is None:
        return steps
    return sorted([*steps[-MOST_SQUARES + 1 :], one], key=lambda step: step.number)


def _shades(found: Growth, pointed: str) -> dict[str, str]:
    """The shade of each square by the path of its step."""
    steps = _squares(found, pointed)
    return {step.path: shade(place, len(steps)) for place, step in enumerate(steps)}


def _ends_of_stages(found: Growth) -> list[Step]:
    """The last step of each part, up to the first that covers the image."""
    ends = [
        step
        for step, after in zip(found.steps, [*found.steps[1:], None], strict=True)
        if after is None or _part(after) != _part(step)
    ]
    kept = []
    for step in ends:
        kept.append(step)
        if min(square(step.last, found.image)) >= 1:
            break
    return kept[-MOST_SQUARES:]


def _part(step: Step) -> str:
    head, _, rest = step.path.partition(".")
    return f"{head}.{rest.partition('.')[0]}" if head == "stages" else head


def _step(step: Step, width: int, shades: Mapping[str, str]) -> Line:
    seen = "whole map" if step.last is None else f"{step.last.size} px"
    stride = "" if step.last is None else f", stride {step.last.stride}"
    text = f"{seen}{stride}"
    sign = f"{shades.get(step.path, ' ')} " if shades else ""
    room = width - len(text) - 1 - len(sign)
    label = f"  {step.label}" if room >= len(_name(step)) + len(step.label) + 2 else ""
    name = padded(path_in(_name(step), room - len(label)), room - len(label))
    return (Span(sign, "series0"), Span(name), Span(label, "muted"), Span(f" {text}", "strong"))


def _name(step: Step) -> str:
    return f"{step.path} x{step.count}" if step.count > 1 else step.path
