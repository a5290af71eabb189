"""Docstrings: what the file and its classes are, in a line or two."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from convlab import units
from convlab.costs import Profile
from convlab.exports.python.layout import LINE_LENGTH
from convlab.exports.python.nodes import Body, Branches, Make, Node, Series

GATE_DOC = "One factor a channel, from the whole map (Hu et al., 2018, arXiv:1709.01507)."
KINDS = {"sum": "A residual block", "": "A block"}
LONGEST = 80


def file_doc(profile: Profile, function: str) -> str:
    """What the network is, what it costs, and how it is used."""
    design = profile.design
    image = " x ".join(map(str, profile.image))
    costs = f"{units.count(profile.params)} parameters, {units.count(profile.macs)} multiply-adds for an image of {image}."
    output = profile.parts[-1].output.channels
    use = [
        f"    model = {function}()",
        f"    {'scores' if design.head.classes else 'features'} = model(images)"
        f"  # {' x '.join(['N', *map(str, profile.image)])} to N x {output}",
    ]
    origin = f"Written by convlab from the design {design.key}, whose weights fit: the state dict has the same keys and shapes."
    texts = [_summary(profile), costs]
    paragraphs = [textwrap.fill(_safe(text), LINE_LENGTH) for text in texts]
    paragraphs += ["\n".join(use), textwrap.fill(origin, LINE_LENGTH)]
    return '"""' + "\n\n".join(paragraphs) + '\n"""\n'


def network_doc(profile: Profile) -> str:
    """What the network's class is."""
    return "Stem, stages and head; " + ("class scores go out." if profile.design.head.classes else "pooled features go out.")


def _summary(profile: Profile) -> str:
    design = profile.design
    if design.summary.strip():
        return design.summary
    depths, widths = (", ".join(map(str, numbers)) for numbers in (design.depths, design.widths))
    return f"A network of depths {depths} and widths {widths}."


def _safe(text: str) -> str:
    """A text that may stand in a docstring, whatever a person wrote."""
    words = " ".join(text.split()).replace("\\", "\\\\").replace('"', "'")
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in words)


def body_doc(bodies: Sequence[Body]) -> list[str]:
    """The docstring of a block, a branch or a gate: its layers in order."""
    join = max(body.join for body in bodies)
    if join == "product":
        return _docstring(GATE_DOC)
    widest = max(bodies, key=lambda body: len(body.branch))
    words = [word for _, node in widest.branch for word in _words(node)]
    return _docstring(f"{KINDS[join]}: {', '.join(words)}." if words else f"{KINDS[join]}.")


def _docstring(text: str) -> list[str]:
    lines = textwrap.wrap(f'"""{text}"""', LONGEST)
    return [f"    {line}" for line in lines]


def _words(node: Node) -> Iterator[str]:
    """The layers of weights in a node, in words."""
    match node:
        case Series():
            for _, child in node.children:
                yield from _words(child)
        case Branches():
            branches = [" and ".join(_words(child)) or "identity" for child in node.children]
            yield f"{' beside '.join(branches)}"
        case Make(maker="convolution" | "depthwise" | "patches"):
            size = f"{node['kernel_size']}x{node['kernel_size']}"
            grouped = "grouped " if node.maker != "depthwise" and node["groups"] != 1 else ""
            yield f"{'depthwise ' * (node.maker == 'depthwise')}{grouped}{size} convolution"
        case Make(maker="linear_2d"):
            yield "linear layer"
        case Make(maker="attention"):
            yield "attention"
        case Make(maker="window_attention"):
            yield "attention in windows"
        case Make() if node.maker == "SqueezeExcite":
            yield "squeeze-excite"
