"""The outline as lines, in the room that there is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from convlab import units
from convlab.tui.drawing.picture import Line, Span, clipped, padded
from convlab.views.outline import Node
from convlab.views.tables import size_text

LABELS = 64
"""From so many columns on it is told what a layer is."""
ROOMY = 56
"""Below so many columns figures stand close together."""
INDENT = 2


class Entry(NamedTuple):
    """A node that is seen: how deep it lies, and whether it is open (None where it holds nothing)."""

    node: Node
    depth: int
    is_open: bool | None

    @property
    def key(self) -> str:
        """Its identity: one path may be that of a part and of the layer in it."""
        return f"{self.depth} {self.node.path}"


def entries(nodes: Sequence[Node], turned: set[str], *, depth: int = 0, all_open: bool = False) -> Iterator[Entry]:
    """What is seen: at first stages are open and all below is closed; ``turned`` are the entries that are otherwise."""
    for node in nodes:
        entry = Entry(node, depth, None)
        opened = all_open or ((depth == 0) != (entry.key in turned))
        yield entry._replace(is_open=opened if node.children else None)
        if opened:
            yield from entries(node.children, turned, depth=depth + 1, all_open=all_open)


def layer_lines(seen: Sequence[Entry], width: int, *, every: Sequence[Node]) -> tuple[Line, ...]:
    """The header and a line an entry: name, what it is, output, parameters, multiply-adds."""
    roomy = width >= ROOMY
    gap = 2 if roomy else 1
    columns = [
        ("output", [size_text(node.output) for node in every]),
        ("params", [_figure(node.params, roomy=roomy) for node in every]),
        ("MACs", [_figure(node.macs, roomy=roomy) for node in every]),
    ]
    widths = [max(len(title), *map(len, texts)) for title, texts in columns]
    room = width - sum(widths) - gap * len(widths)
    name_width = min(room, max(24, room * 2 // 5)) if width >= LABELS else room
    label_width = room - name_width
    titles = (title.rjust(wide) for (title, _), wide in zip(columns, widths, strict=True))
    head = "".join((padded("layer", name_width), " " * label_width, *(" " * gap + title for title in titles)))
    lines: list[Line] = [(Span(head, "muted"),)]
    for entry in seen:
        node = entry.node
        texts = (size_text(node.output), _figure(node.params, roomy=roomy), _figure(node.macs, roomy=roomy))
        figures = "".join(" " * gap + text.rjust(wide) for text, wide in zip(texts, widths, strict=True))
        role = "strong" if entry.depth == 0 else "text"
        label = (Span(padded(f" {clipped(node.label, label_width - 1)}", label_width), "muted"),) if label_width else ()
        lines.append((Span(padded(_name(entry, INDENT if roomy else 1), name_width), role), *label, Span(figures)))
    return tuple(lines)


def _name(entry: Entry, indent: int) -> str:
    sign = {True: "▾ ", False: "▸ ", None: "  "}[entry.is_open]
    return " " * (indent * entry.depth) + sign + entry.node.name


def _figure(number: int, *, roomy: bool) -> str:
    text = units.count(number) if number else "·"
    if roomy or " " not in text:
        return text
    value, unit = text.split(" ")
    return f"{float(value.replace(',', '')):.3g}{unit}"
