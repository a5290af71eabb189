"""Lists of what the code declares: metrics, headline figures, error codes, exit codes, spaces."""

from __future__ import annotations

from building.text import code, prose, table
from convlab.errors import CODES
from convlab.metrics import METRICS
from convlab.presets import preset_names
from convlab.views.cards import FIGURES, PREDICTED
from convlab.views.catalogue import space_catalogue

EXITS = (
    ("0", "fine"),
    ("1", "the design is wrong, a check failed, or the output could not be written"),
    ("2", "wrong usage, or a file that cannot be read"),
    ("3", "a measurement or a training run failed"),
    ("130", "interrupted"),
)


def metrics() -> str:
    """The metrics: figures of one layer whose sum is the network's."""
    return table(
        ("metric", "what it counts", "unit"),
        [(code(each.name), prose(each.help), prose(each.unit)) for each in METRICS.values()],
    )


def figures() -> str:
    """The headline figures."""
    rows = [
        (prose(each.title), code(name), prose(each.help), prose(each.unit))
        for name, each in {**FIGURES, **PREDICTED}.items()
    ]
    return table(("figure", "in JSON", "what it means", "unit"), rows)


def error_codes() -> str:
    """The codes of problems, each with what to do."""
    return "\n\n".join(f"### {name} {{ #{name} }}\n\n{prose(text)}" for name, text in sorted(CODES.items()))


def exit_codes() -> str:
    """What a command's exit code means."""
    return table(("code", "meaning"), EXITS)


def spaces() -> str:
    """The spaces that come along."""
    rows = [
        (code(row[0].text), row[1].text, prose(row[2].text)) for row in space_catalogue(preset_names("spaces")).rows
    ]
    return table(("space", "designs", "what it is"), rows, right=(1,))
