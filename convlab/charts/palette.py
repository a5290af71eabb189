"""The palette of all charts: Okabe and Ito's colours, a symbol and a dash beside each, and the inks of the light and the dark theme."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import NamedTuple, final

from convlab.errors import ConvlabError, Problem, did_you_mean, quote, visible

OKABE_ITO = {
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "purple": "#CC79A7",
}
"""Okabe and Ito (2008), "Color Universal Design"; their black is the theme's ink."""

GREY = "#7f7f7f"
SERIES = (
    *(OKABE_ITO[name] for name in ("blue", "vermillion", "green", "orange", "purple", "sky")),
    GREY,
    OKABE_ITO["yellow"],
)
"""The colours in the order in which they are given out: neighbours differ in lightness too."""

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "star", "hexagon", "cross", "triangle-down")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
PATTERNS = ("", "/", ".", "x", "-", "|", "\\", "+")
LONGEST = 200
"""Characters that are shown of a name."""


@final
@dataclass(frozen=True, slots=True)
class Theme:
    """What a chart is drawn on and written in."""

    name: str
    paper: str
    ink: str
    soft: str
    """Of what stands back: reference lines, notes."""
    grid: str
    fill: str
    """Of boxes that carry no meaning by their colour."""


THEMES = {
    "light": Theme("light", "#ffffff", "#1b1b1b", "#6a6a6a", "#e4e4e4", "#f3f3f3"),
    "dark": Theme("dark", "#14171c", "#ececec", "#a2a7b0", "#333943", "#232831"),
}


class Look(NamedTuple):
    """What sets one series apart from the others, with colour and without."""

    color: str
    symbol: str
    dash: str
    pattern: str


def theme_of(name: str) -> Theme:
    """The theme of a name. Raises ConvlabError."""
    if name not in THEMES:
        help = did_you_mean(name, THEMES) or f"themes: {', '.join(THEMES)}"
        raise ConvlabError(
            Problem("out-of-range", f"there is no theme {quote(name)} of charts", help=help), exit_code=2
        )
    return THEMES[name]


def look(index: int) -> Look:
    """What the series of this number looks like; from the ninth on colours return with other symbols and dashes."""
    again = index // len(SERIES)
    return Look(
        SERIES[index % len(SERIES)],
        SYMBOLS[(index + again) % len(SYMBOLS)],
        DASHES[(index + again) % len(DASHES)],
        PATTERNS[(index + again) % len(PATTERNS)],
    )


def label(text: object) -> str:
    """A text as plotly shows it letter by letter: what it would read as markup is escaped, and what nobody sees is written out."""
    shown = visible(str(text))
    return escape(shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…", quote=False)


def outline(color: str, theme: Theme) -> str:
    """The edge of what a colour fills: darker on a light theme, the colour itself on a dark one."""
    if theme.name == "dark":
        return color
    return "#" + "".join(f"{round(0.72 * int(color[place : place + 2], 16)):02x}" for place in (1, 3, 5))


def faded(color: str, share: float) -> str:
    """A colour that lets what lies behind shine through: ``share`` from 0 (all) to 1 (nothing)."""
    red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share:g})"
