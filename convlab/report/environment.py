"""The section of a report about where it comes from: this convlab and machine, and those that measured and trained."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from convlab.report.asking import Asked
from convlab.report.pieces import Facts, Folded, Piece
from convlab.runs.plain import without_passwords
from convlab.runs.provenance import code_version
from convlab.views.runs import flat
from convlab.views.stored_designs import Evidence, device_of
from convlab.views.tables import value_text

PACKAGES = ("torch", "torchvision", "timm", "numpy")


def environment(asked: Asked, found: Sequence[Evidence]) -> Iterator[Piece]:
    """This machine now, then each environment of a run that is shown."""
    yield Facts(tuple(fact for fact in _here(asked) if fact[1]))
    told: dict[str, Mapping[str, Any]] = {}
    for each in found:
        told |= {stored.run.environment: stored.environment for stored in (*each.measured, *each.trained)}
    for digest, facts in told.items():
        name = device_of(facts) or "a device"
        lines = tuple((path, value_text(value)) for path, value in flat(facts) if value not in (None, "", [], {}))
        yield Folded(f"Measured or trained on {name} (environment {digest[:12]})", (Facts(lines),))


def _here(asked: Asked) -> Iterator[tuple[str, str]]:
    code = code_version()
    changes = " with changes" if code.dirty else ""
    yield "made", f"{asked.moment:%Y-%m-%d %H:%M} UTC"
    yield "command", without_passwords(asked.command)
    yield "convlab", f"{code.version}{f', commit {code.commit[:12]}{changes}' if code.commit else ''}"
    yield "Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    yield "packages", ", ".join(f"{name} {_version(name)}" for name in PACKAGES if _version(name))
    yield "store", "none" if asked.store is None else asked.store.place
    yield "costs", "exact, from the layer tree; nothing was run for them"


def _version(package: str) -> str:
    """The version of an installed package, which need not be imported for it; empty where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
