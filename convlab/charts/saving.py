"""Saving charts: HTML that needs no network and JSON by themselves; SVG, PNG and PDF by a browser or kaleido."""

from __future__ import annotations

import os
from pathlib import Path

import plotly.graph_objects as go

from convlab.charts.pictures import PICTURES, picture
from convlab.errors import ConvlabError, Problem, did_you_mean, quote
from convlab.language.files import write_whole

FORMATS = ("html", "json", *PICTURES)


def save(
    figure: go.Figure,
    path: str | os.PathLike[str],
    *,
    width: int | None = None,
    height: int | None = None,
    scale: float = 2,
) -> Path:
    """Write a chart as the name's suffix says: .html, .json, .svg, .png or .pdf. Width and height in px are the chart's own by default.

    ``scale`` is the number of dots a px has in a PNG. Raises ConvlabError where there is no such format, no browser draws a picture, or
    the file cannot be written.
    """
    place = Path(path)
    content = figure_bytes(figure, format_of(place), width=width, height=height, scale=scale)
    write_whole(place, content)
    return place


def format_of(place: Path) -> str:
    """The format that a file's name asks for. Raises ConvlabError."""
    suffix = place.suffix.lower().removeprefix(".")
    if suffix in FORMATS:
        return suffix
    told = f"a chart cannot be written as {quote(place.name)}"
    help = did_you_mean(suffix, FORMATS) or f"let the name end in {', '.join('.' + name for name in FORMATS)}"
    raise ConvlabError(Problem("usage", told, help=help), exit_code=2)


def figure_bytes(
    figure: go.Figure, form: str, *, width: int | None = None, height: int | None = None, scale: float = 2
) -> bytes:
    """A chart in one of the ``FORMATS``, as a file holds it."""
    if form == "json":
        return str(figure.to_json()).encode()
    sized = go.Figure(figure)
    sized.update_layout(**{name: value for name, value in (("width", width), ("height", height)) if value is not None})
    if form == "html":
        config = {"displaylogo": False, "responsive": True}
        return str(sized.to_html(include_plotlyjs=True, full_html=True, config=config)).encode()
    return picture(sized, form, scale)
