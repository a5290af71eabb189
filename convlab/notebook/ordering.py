"""The command line of long work on designs: each is written into a file of its own, which the worker reads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from convlab.language.design import Design
from convlab.language.files import load, write_whole
from convlab.language.writing import text_of
from convlab.presets import preset_names

_NOT_IN_NAMES = re.compile(r"[^\w-]+")


def argv(verb: str, designs: Sequence[Design], options: Sequence[str], *, folder: Path) -> tuple[str, ...]:
    """The command line; designs that are no presets are written into the folder. Raises ConvlabError."""
    words: list[str] = []
    for design in designs:
        if design.name in preset_names() and load(design.name) == design and design.name not in words:
            words.append(design.name)
            continue
        path = folder / f"{_own_name(design.name, [Path(word).stem for word in words])}.toml"
        write_whole(path, text_of(design).encode())
        words.append(str(path))
    return ("convlab", verb, *words, *options)


def _own_name(name: str, taken: Sequence[str]) -> str:
    name = _NOT_IN_NAMES.sub("_", name) or "design"
    name = f"{name}-turned" if name in preset_names() else name
    numbered = (f"{name}-{number}" if number > 1 else name for number in range(1, len(taken) + 2))
    return next(each for each in numbered if each not in taken)
