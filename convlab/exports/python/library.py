"""What an exported file needs beside its own classes: parts that it uses, and imports."""

from __future__ import annotations

import ast
from functools import cache
from importlib import resources

FILES = ("parts.py", "parts_of_attention.py")

IMPORTS = {
    "math": "import math",
    "OrderedDict": "from collections import OrderedDict",
    "Sequence": "from collections.abc import Sequence",
}
TORCH_IMPORTS = {
    "torch": "import torch",
    "nn": "from torch import Tensor, nn",
    "functional": "from torch.nn import functional",
}
"""The imports by the names that ask for them, in the order of a sorted file."""


def part_names() -> frozenset[str]:
    """The names of all parts."""
    return frozenset(_parts())


def needed(code: str) -> list[str]:
    """The texts of the parts that a code uses, and of those that these use."""
    found: set[str] = set()
    texts = [code]
    while texts:
        more = used_names(texts.pop()) & _parts().keys() - found
        found |= more
        texts += [_parts()[name] for name in more]
    return [text for name, text in _parts().items() if name in found]


def imports(code: str) -> str:
    """The imports that a code needs."""
    used = used_names(code)
    groups = [[line for name, line in table.items() if name in used] for table in (IMPORTS, TORCH_IMPORTS)]
    return "\n\n".join("\n".join(group) for group in groups if group) + "\n"


def used_names(code: str) -> set[str]:
    """The names that a code reads; what stands in docstrings does not count."""
    return {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}


@cache
def _parts() -> dict[str, str]:
    """The text of every function and class of the parts, by name, in order."""
    found = {}
    for name in FILES:
        text = resources.files("convlab.exports.python").joinpath(name).read_text(encoding="utf-8")
        lines = text.splitlines()
        for node in ast.parse(text).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                found[node.name] = "\n".join(lines[node.lineno - 1 : node.end_lineno]) + "\n"
    return found
