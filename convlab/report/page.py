"""A report as one HTML page, light or dark as its reader has it: it holds its style, plotly.js once, and the figures of its charts."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from typing import TYPE_CHECKING

from convlab.charts.palette import THEMES
from convlab.report import markup
from convlab.report.pieces import Cards, Chart, Contents, Facts, Folded, Notes, Piece, Source
from convlab.views.tables import Table

if TYPE_CHECKING:
    import plotly.graph_objects as go

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="convlab">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<header><div class="brand">convlab report</div><h1>{title}</h1><p class="soft">{about}</p><nav>{links}</nav></header>
<main>
<noscript><p class="notes">Charts take JavaScript; every figure of theirs stands in the tables, too.</p></noscript>
{sections}
</main>
<script>{library}</script>
<script>{script}</script>
</body>
</html>
"""

FLEXIBLE = range(820, 1200)
"""Charts of so many px follow the width of the page; others keep their own, and wide ones are scrolled."""


def page(contents: Contents) -> str:
    """The page; a browser that reads it lets only convlab's own two scripts run, and asks the network for nothing."""
    from plotly.offline import get_plotlyjs

    folder = resources.files("convlab.report")
    library, script = get_plotlyjs(), (folder / "charts.js").read_text(encoding="utf-8")
    sections = "\n".join(markup.section(each, "\n".join(map(_shown, each.pieces))) for each in contents.sections)
    return PAGE.format(
        policy=_policy(library, script),
        title=markup.text(contents.title),
        about=markup.text(contents.about),
        style=(folder / "page.css").read_text(encoding="utf-8"),
        links=markup.links(contents.sections),
        sections=sections,
        library=library,
        script=script,
    )


def _policy(*scripts: str) -> str:
    """What the page may do: run these scripts and no other, style itself, show pictures that it draws itself."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(each.encode()).digest()).decode()}'" for each in scripts
    )
    return f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; form-action 'none'; base-uri 'none'"


def _shown(piece: Piece) -> str:
    match piece:
        case str():
            return markup.paragraph(piece)
        case Table():
            return markup.table(piece)
        case Cards():
            return markup.cards(piece)
        case Facts():
            return markup.facts(piece)
        case Notes():
            return markup.notes(piece)
        case Source():
            return markup.source(piece)
        case Chart():
            return _chart(piece)
        case Folded():
            return markup.folded(piece, "\n".join(map(_shown, piece.pieces)))


def _chart(piece: Chart) -> str:
    """A place for a chart, and the figure in every theme: the script takes the one that the page is shown in."""
    figures = {theme: piece.draw(theme) for theme in THEMES}
    for figure in figures.values():
        fixed = _is_fixed(figure)
        figure.update_layout(width=figure.layout.width if fixed else None, autosize=not fixed)
    height = int(next(iter(figures.values())).layout.height or 450)
    data = "".join(
        f'<script type="application/json" data-theme="{theme}">{_json(figure)}</script>'
        for theme, figure in figures.items()
    )
    return (
        f'<figure class="wide" tabindex="0" role="img" aria-label="{markup.text(piece.shown)}">'
        f'<div class="chart" style="min-height:{height}px"></div>{data}</figure>'
    )


def _is_fixed(figure: go.Figure) -> bool:
    return figure.layout.width is not None and figure.layout.width not in FLEXIBLE


def _json(figure: go.Figure) -> str:
    """A figure as data in a page: neither the page's own "</script>" nor what a browser takes for a comment can stand in it."""
    return str(figure.to_json()).replace("<", "\\u003c")
