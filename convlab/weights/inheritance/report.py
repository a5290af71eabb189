"""What became of each tensor of a model that inherited weights, as data and as a short text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, final

from convlab.weights.report import SHOWN, count, size

_NUMBER = re.compile(r"\b\d+\b")

NOT_INHERITED = frozenset({"fresh", "neutral", "zeroed"})
"""Tensors that hold nothing of the source: as they were in the model, or set so that their layer or block changes nothing."""

MEANINGS: dict[str, str] = {
    "loaded": "as they were",
    "reshaped": "the same numbers in another shape",
    "padded": "kernels with zeros around them",
    "cropped": "the middle of larger kernels or grids",
    "shifted": "kernels at another place in their window",
    "sliced": "the first channels of more",
    "grown": "with new channels, which the old ones do not see",
    "regrouped": "the connections that both kinds of groups have",
    "resampled": "to another resolution",
    "summed": "kernels of all image channels, for one",
    "repeated": "kernels of the image channels, in turns",
    "folded": "with the layer scale multiplied in",
    "duplicated": "from the nearest block",
    "neutral": "set so that a new layer changes nothing",
    "zeroed": "so that a new block gives its input",
    "fresh": "as they were in the model",
}
"""The words for what was done to a tensor; several of them in this order."""


@final
@dataclass(frozen=True, slots=True)
class Inherited:
    """One tensor of the model: how it came, from which tensor of the source ("" for none), both shapes, and why where that is not plain."""

    path: str
    how: tuple[str, ...]
    shape: tuple[int, ...]
    source: str = ""
    source_shape: tuple[int, ...] = ()
    note: str = ""

    def __str__(self) -> str:
        name = "" if self.source == self.path else f"{self.source} "
        theirs = f" <- {name}{size(self.source_shape)}" if self.source else ""
        note = f" ({self.note})" if self.note else ""
        return f"{self.path} {size(self.shape)}{theirs}{note}"


@final
@dataclass(frozen=True, slots=True)
class Unused:
    """One tensor of the source of which nothing was taken."""

    path: str
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.path} {size(self.shape)}"


@final
@dataclass(frozen=True, slots=True)
class Inheritance:
    """A line for every tensor of the model in its order, and the source's tensors that were not used."""

    source: str
    design: str
    lines: tuple[Inherited, ...]
    unused: tuple[Unused, ...]

    @property
    def by_how(self) -> dict[str, tuple[Inherited, ...]]:
        """The lines by what was done, as "sliced, padded"; untouched ones first, fresh ones last."""
        order = list(MEANINGS)
        keys = sorted({line.how for line in self.lines}, key=lambda how: [order.index(word) for word in how])
        return {", ".join(how): tuple(line for line in self.lines if line.how == how) for how in keys}

    @property
    def share(self) -> float:
        """The share of the model's numbers that come from the source."""
        taken = sum(
            min(prod(line.shape), prod(line.source_shape)) for line in self.lines if not NOT_INHERITED & set(line.how)
        )
        return taken / max(1, sum(prod(line.shape) for line in self.lines))

    def __str__(self) -> str:
        told = f"{self.source} into {self.design or 'the model'}: {count(len(self.lines), 'tensor')}"
        lines = [f"{told}, {_percent(self.share)} of their numbers inherited"]
        for how, found in self.by_how.items():
            meaning = "; ".join(MEANINGS[word] for word in how.split(", "))
            lines += [f"{how} {len(found)}: {meaning}", *(_shown(found) if how != "loaded" else [])]
        if self.unused:
            lines += [f"not used {len(self.unused)}: tensors of the source", *_shown(self.unused)]
        return "\n".join(lines)

    def plain(self) -> dict[str, Any]:
        """Everything, as JSON holds it."""
        return {
            "source": self.source,
            "design": self.design,
            "share": self.share,
            "tensors": [
                {
                    "path": line.path,
                    "how": list(line.how),
                    "shape": list(line.shape),
                    "source": line.source or None,
                    "source_shape": list(line.source_shape) if line.source else None,
                    "note": line.note,
                }
                for line in self.lines
            ],
            "unused": [{"path": item.path, "shape": list(item.shape)} for item in self.unused],
        }


def _percent(share: float) -> str:
    """A share in percent, of which only all is told as 100."""
    text = f"{100 * share:.1f} %"
    return "> 99.9 %" if share < 1 and text == "100.0 %" else text


def _shown(found: Sequence[Inherited | Unused]) -> list[str]:
    """The first tensor of each name, whatever the stage and block, and how many more are like it; few names of many."""
    alike: dict[str, list[Inherited | Unused]] = {}
    for item in found:
        alike.setdefault(_NUMBER.sub("*", item.path), []).append(item)
    lines = [f"  {first}{f', and {len(more)} more like it' if more else ''}" for first, *more in alike.values()]
    left = sum(map(len, list(alike.values())[SHOWN:]))
    return lines[:SHOWN] + [f"  and {count(left, 'tensor')} of other names"] * bool(left)
