"""What an exported file needs beside its own classes: parts that it uses, and imports."""

from __future__ import annotations

import ast
import re
from functools import cache
from importlib import resources


@cache
def _parts() -> dict[str, str]:
    """The text of every class and function of ``parts``, by name, in order."""
    text = resources.files("convlab.exports.python").joinpath("parts.py").read_text(encoding="utf-8")
    lines = text.splitlines()
    return {
        node.name: "\n".join(lines[node.lineno - 1 : node.end_lineno]) + "\n"
        for node in ast.parse(text).body
        if isinstance(node, ast.ClassDef | ast.FunctionDef)
    }


def needed(code: str) -> list[str]:
    """The texts of the parts that a code names, and of those that these name."""
    found: set[str] = set()
    texts = [code]
    while texts:
        text = texts.pop()
        more = {name for name in _parts() if name not in found and names_in(text, name)}
        found |= more
        texts += [_parts()[name] for name in more]
    return [text for name, text in _parts().items() if name in found]


def imports(code: str) -> str:
    """The imports that a code needs."""
    standard = {
        "math.": "import math",
        "OrderedDict": "from collections import OrderedDict",
        "Sequence[": "from collections.abc import Sequence",
    }
    first = [line for use, line in standard.items() if re.search(rf"\b{re.escape(use)}", code)]
    torch = ["import torch"] if re.search(r"\btorch\.", code) else []
    torch.append("from torch import Tensor, nn")
    if names_in(code, "functional"):
        torch.append("from torch.nn import functional")
    return "\n".join([*first, *([""] if first else []), *torch]) + "\n"


def part_names() -> frozenset[str]:
    """The names that parts have."""
    return frozenset(_parts())


def names_in(code: str, name: str) -> bool:
    """Whether a code holds a name."""
    return re.search(rf"\b{name}\b", code) is not None
