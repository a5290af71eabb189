"""The walk from ResNet-50 to ConvNeXt-T: its figure as SVG, and its table with a page for every step."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from building.text import prose
from building.text import table as text_table
from convlab.charts.palette import OKABE_ITO
from convlab.views.roadmap import roadmap_table, steps
from convlab.views.walk_figure import SOURCE, WalkBar, walk_bars

LEFT, BARS, ROW, TOP = 210, 560, 27, 34
LOW, HIGH = 76.0, 83.0
OTHER = "#8a8f98"
"""Of what is no step of the walk."""
GROUPS = ("blue", "sky", "green", "orange", "purple", "vermillion")


def figure() -> str:
    """The published accuracy of every step with its deviation over seeds, and its multiply-adds."""
    bars = [bar for bar in walk_bars() if bar.in_figure or bar.preset]
    height = TOP + ROW * len(bars) + 34
    groups = list(dict.fromkeys(bar.group for bar in bars))
    inner = [piece for number, bar in enumerate(bars) for piece in _bar(bar, number, groups.index(bar.group))]
    return (
        f'<svg class="drawing walk" viewBox="0 0 {LEFT + BARS + 90} {height}" role="img" aria-label="accuracy along the walk">'
        + "".join([*_axis(height), *inner])
        + f"</svg>\n\nTop-1 accuracy on ImageNet-1K in percent, with its standard deviation over seeds, and multiply-adds: "
        f"{prose(SOURCE)}. "
        "Hatched steps were tried and not adopted.\n"
    )


def table() -> str:
    """A row a step: its page, its costs, what was published of it, and what it changes."""
    walk = steps()
    found = roadmap_table(walk)
    shown = [place for place, column in enumerate(found.columns) if column.name != "step"]
    head = [found.columns[place].title for place in shown]
    rows = [
        (
            f"[{prose(row[2].text)}](presets/{step.preset.replace('/', '-')}.md)",
            *(prose(row[place].text) for place in shown),
        )
        for step, row in zip(walk, found.rows, strict=True)
    ]
    right = [1 + number for number, place in enumerate(shown) if found.columns[place].right]
    return text_table(("step", *head), rows, right=right)


def _axis(height: int) -> Iterator[str]:
    for percent in range(int(LOW), int(HIGH) + 1):
        x = _x(percent)
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" y2="{height - 26}"/>'
        yield f'<text class="soft" x="{x:.1f}" y="{height - 12}">{percent} %</text>'
    yield f'<text class="soft" x="{LEFT + BARS + 46}" y="{TOP - 18}">MACs, G</text>'
    yield (
        '<defs><pattern id="tried" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<line class="hatch" x1="0" x2="0" y1="0" y2="6"/></pattern></defs>'
    )


def _bar(bar: WalkBar, number: int, group: int) -> Iterator[str]:
    y = TOP + ROW * number
    color = OKABE_ITO[GROUPS[group % len(GROUPS)]] if bar.preset else OTHER
    place = f'x="{LEFT}" y="{y + 3}" width="{_x(bar.top1) - LEFT:.1f}" height="{ROW - 8}"'
    yield f'<rect style="fill:{color}" {place}><title>{escape(bar.group)}: {escape(bar.step)}, {bar.top1:.2f} %</title></rect>'
    if not bar.adopted:
        yield f'<rect fill="url(#tried)" {place}/>'
    if bar.top1_std:
        low, high, middle = _x(bar.top1 - bar.top1_std), _x(bar.top1 + bar.top1_std), y + ROW / 2 - 1
        yield f'<path class="line" d="M{low:.1f},{middle} H{high:.1f} M{low:.1f},{middle - 4} v8 M{high:.1f},{middle - 4} v8"/>'
    yield f'<text class="word end" x="{LEFT - 8}" y="{y + ROW / 2}">{escape(bar.step)}</text>'
    yield f'<text class="word start" x="{_x(bar.top1 + (bar.top1_std or 0)) + 7:.1f}" y="{y + ROW / 2}">{bar.top1:.2f}</text>'
    yield f'<text class="word" x="{LEFT + BARS + 46}" y="{y + ROW / 2}">{bar.gmacs:.2f}</text>'


def _x(percent: float) -> float:
    return LEFT + BARS * (percent - LOW) / (HIGH - LOW)
