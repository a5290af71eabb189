"""Docstrings: what the file, its classes and its function are, in a line or two."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from convlab import units
from convlab.costs import Profile
from convlab.exports.python.layout import INDENT, LINE_LENGTH
from convlab.exports.python.nodes import BRANCH, Body, Branches, Make, Node, Series
from convlab.language.design import Design

GATE = "One factor a channel, from the whole map (Hu et al., 2018, arXiv:1709.01507)."
NUMBERS = ("no", "a", "two", "three", "four", "five", "several")


def docstring(*paragraphs: str, depth: int = 1) -> list[str]:
    """The lines of a docstring at an indentation; one of several lines ends with its quotes on a line of their own."""
    indent = INDENT * depth
    [first, *others] = paragraphs
    if not others and len(indent) + len(first) + 6 <= LINE_LENGTH:
        return [f'{indent}"""{first}"""']
    room = LINE_LENGTH - len(indent) if others else len(first) + 2  # black leaves no line to the quotes of a single one
    texts = [
        _filled(f'"""{first}', min(room, LINE_LENGTH - len(indent))),
        *(_filled(text, LINE_LENGTH - len(indent)) for text in others),
    ]
    lines = "\n\n".join(texts).splitlines()
    return [*(indent + line if line else line for line in lines), f'{indent}"""']


def _filled(text: str, width: int = LINE_LENGTH) -> str:
    return textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)


def _safe(text: str) -> str:
    """A text on one line that may stand in a docstring, whatever a person wrote."""
    words = " ".join(text.split()).replace("\\", "\\\\").replace('"', "'")
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in words)


def file_doc(costs: Profile, function: str) -> str:
    """What the network is, what it costs, and how it is used."""
    image = " x ".join(map(str, costs.image))
    sizes = f"{units.count(costs.params)} parameters, {units.count(costs.macs)} multiply-adds for an image of {image}."
    result = "scores" if costs.design.head.classes else "features"
    shapes = f"(N, {', '.join(map(str, costs.image))}) to (N, {costs.parts[-1].output.channels})"
    use = f"{INDENT}model = {function}()\n{INDENT}{result} = model(images)  # {shapes}"
    origin = (
        f"Written by convlab from the design {costs.design.key}. The keys and shapes of the state dict are those of the "
        "model that convlab builds, so that weights go from one to the other."
    )
    return "\n\n".join([_filled(f'"""{_summary(costs.design)}'), _filled(sizes), use, _filled(origin)]) + '\n"""\n'


def network_doc(design: Design, names: set[str]) -> list[str]:
    """What the network's class is; ``names`` are those of its arguments."""
    stages = f"{len(design.stages)} stages of blocks" if len(design.stages) > 1 else "blocks"
    if "depths" in names:
        stages = "stages of ``depths`` blocks with ``widths`` channels"
    elif "depth" in names:
        stages = "``depth`` blocks with ``width`` channels"
    result = "class scores (N, classes)" if design.head.classes else "features, a vector for each"
    channels = "channels" if "channels" in names else str(design.image.channels)
    return docstring(f"A stem, {stages}, and a head.", f"Images (N, {channels}, H, W) become {result}.")


def function_doc(design: Design) -> list[str]:
    """What the function makes."""
    whole = _summary(design).rstrip(".")
    texts = [
        f"{text}, with random weights."
        for text in (whole, re.split(r" \(|[,;:] ", whole)[0], "The network of this file")
    ]
    return docstring(next(text for text in texts if len(text) + 2 * len(INDENT) <= LINE_LENGTH))


def stage_doc(*, downsamples: bool, changes: bool, rates: bool) -> list[str]:
    """What a stage is: whether a layer of its own or the first block changes the map, and whether blocks drop paths."""
    start = "Downsampling, then blocks of one width" if downsamples else "Blocks of one width"
    first = "; the first may change width and resolution" * changes
    return docstring(
        f"{start}{first}.", *["``rates``: the blocks' rates of drop path, which also say how many they are."] * rates
    )


def body_doc(bodies: Sequence[Body]) -> list[str]:
    """What a block, a branch or a gate is: its layers in order."""
    join = max(body.join for body in bodies)
    if join == "product":
        return docstring(GATE)
    level = "branch" if bodies[0].level == BRANCH else "block"
    start = f"A residual {level}" if join == "sum" else f"A {level}"
    widest = max(bodies, key=lambda body: len(body.branch))
    kernels = {name: {_kernel(dict(body.branch).get(name)) for body in bodies} - {""} for name, _ in widest.branch}
    told = [layer for name, node in widest.branch for layer in _layers(name, node, varies=len(kernels[name]) > 1)]
    return docstring(f"{start}: {_in_words(told)}." if told else f"{start}.")


class _Told(NamedTuple):
    """A layer in words: what it is called, what stands before that, and whether it can be counted."""

    noun: str
    adjective: str = ""
    counted: bool = True


def _in_words(told: Sequence[_Told]) -> str:
    """Layers in order; neighbours of one kind are told together."""
    texts = []
    for (noun, counted), group in groupby(told, key=lambda layer: (layer.noun, layer.counted)):
        adjectives = [layer.adjective for layer in group]
        same, plural = len(set(adjectives)) == 1, "s" * (len(adjectives) > 1 and counted)
        count = [NUMBERS[min(len(adjectives), len(NUMBERS) - 1)]] * counted
        before = [*count, adjectives[0]] if same else [_listed(adjectives)]
        texts.append(" ".join(filter(None, [*before, noun + plural])))
    return _listed(texts)


def _listed(texts: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(texts[:-1]), texts[-1]]))


def _layers(name: str, node: Node, *, varies: bool) -> Iterator[_Told]:
    """The layers of weights in a node that stands under a name; ``varies``: kernel sizes differ from block to block."""
    match node:
        case Series():
            for inner, child in node.children:
                yield from _layers(inner, child, varies=varies)
        case Branches():
            noun = "sum" if node.maker == "Sum" else "concatenation"
            count = len(node.children)
            yield _Told(f"{noun} of {NUMBERS[min(count, len(NUMBERS) - 1)]} branch{'es' * (count > 1)}")
        case Make(maker="convolution" | "depthwise" | "patches"):
            size = "" if varies else f"{node['kernel_size']}x{node['kernel_size']}"
            grouped = "depthwise" if node.maker == "depthwise" else "grouped" * (node["groups"] != 1)
            yield _Told("convolution", f"{grouped} {size}".strip())
        case Make(maker="linear_2d"):
            yield _Told("linear layer")
        case Make(maker="attention"):
            yield _Told("attention", counted=False)
        case Make(maker="window_attention"):
            yield _Told("attention in windows", counted=False)
        case Make() if node.maker[0].isupper():
            yield _Told("squeeze-excite" if node.maker.startswith("SqueezeExcite") else name, counted=False)


def _kernel(node: Node | None) -> str:
    return str(node["kernel_size"]) if isinstance(node, Make) and node.maker in ("convolution", "depthwise") else ""


def _summary(design: Design) -> str:
    if design.summary.strip():
        return _safe(design.summary)
    depths, widths = (", ".join(map(str, numbers)) for numbers in (design.depths, design.widths))
    return f"A network of depths {depths} and widths {widths}."
