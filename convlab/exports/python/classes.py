"""The text of a class of modules: docstring, constructor, and methods that run from a map to a map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from convlab.exports.python.layout import Expression, call, lines

FORWARD = "forward(self, x: Tensor) -> Tensor"


def class_text(
    name: str, doc: Sequence[str], signature: Sequence[str], body: Sequence[str], methods: Mapping[str, Sequence[str]]
) -> str:
    """A class; ``signature`` declares the constructor's arguments, ``body`` and the methods' lines stand at their indentation."""
    arguments: list[Expression] = ["self", *signature]
    constructor = lines(call("__init__", *arguments), "def ", " -> None:", depth=1)
    text = [f"class {name}(nn.Module):", *doc, "", *constructor, *body]
    for head, method in methods.items():
        text += ["", f"    def {head}:", *method]
    return "\n".join(text) + "\n"


def statement(text: Expression, before: str = "", after: str = "") -> list[str]:
    """A statement of a method."""
    return lines(text, before, after, depth=2)


def under(condition: str, text: Expression, before: str = "", after: str = "") -> list[str]:
    """A statement of a method that is run where a condition holds."""
    return [*statement(f"if {condition}:"), *lines(text, before, after, depth=3)]
