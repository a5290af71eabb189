"""Explanations of what is no knob: the labels of figures, the words of a file beside its knobs, and the spaces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from convlab.language.knobs import Knob, knobs_of
from convlab.language.rules import PARAMETERS
from convlab.language.scaling import Scale
from convlab.presets import preset_names
from convlab.views.cards import FIGURES
from convlab.views.catalogue import count_text
from convlab.views.explanation import Explanation

TOPICS: dict[str, tuple[str, str]] = {
    "base": (
        "The preset or the file that a design or a space starts from; the rest of the file says what is different. Lists replace "
        "lists, and setting a kind sets its knobs to the kind's defaults.",
        'base = "convnext_t"',
    ),
    "format": (
        "The version of the language that a file is written in, 1 by default. A file of a newer version is refused, and not changed.",
        "format = 1",
    ),
    "stages": (
        "The knobs of single stages, by index from 0; negative indices count from the end, and * is every stage. Depths and widths "
        "say how many stages there are.",
        "--set stages.2.depth=27",
    ),
    "scale": (
        "What the sizes of the base are multiplied by (compound scaling, Tan and Le, 2019, arXiv:1905.11946), before the rest of "
        "the file is put in. The design that comes out has plain sizes.",
        "scale = { width = 1.1, depth = 1.2 }",
    ),
    "quantized_linear": (
        "RegNet's rule for widths and depths (Radosavovic et al., 2020, arXiv:2003.13678): block j wants a width of initial + slope * "
        "j, which is quantised to initial * multiplier ** k and to multiples of 8; blocks of one width are a stage. With a group "
        "width the widths are fitted, so that it divides the hidden ones.",
        "widths = { quantized_linear = { initial = 24, slope = 36.44, multiplier = 2.49, depth = 13, group_width = 8 } }",
    ),
    "vary": (
        "What varies in a space, by knob path: a list holds choices, a table with low, high and step a range. Each independent "
        "choice multiplies the number of designs.",
        'in a space\'s [vary]: "stages.*.block.kernel_size" = [3, 5, 7]',
    ),
    "rules": (
        "How what varies goes along the stages: increasing, nondecreasing, decreasing, nonincreasing or equal. Members that break a "
        "rule are not counted.",
        'in a space\'s [rules]: "stages.*.width" = "nondecreasing"',
    ),
    "limits": (
        "Bounds on the costs of a space's members. The count is before limits; a sample holds only members that keep them.",
        "in a space's [limits]: macs = { low = 4.0e9, high = 4.5e9 }",
    ),
}
"""The words of a file that are no knobs: what each means, and an example."""

KNOBS: dict[str, Mapping[str, Knob]] = {"scale": knobs_of(Scale), "quantized_linear": PARAMETERS}
"""What the tables of such words hold."""

LABELS = {figure.title.lower(): name for name, figure in FIGURES.items()} | {"of macs": "macs"}
"""The labels that are shown of figures, and the figures' names."""

LABELS |= {"image": "image", "of macs": "macs", "count": "depths"}


def canonical(name: str) -> str:
    """The name of what is meant by a label: "Peak memory" is peak_bytes, "FLOPs" flops."""
    words = " ".join(name.replace("_", " ").lower().split())
    space = f"spaces/{name}"
    if space in preset_names("spaces"):
        return space
    return LABELS.get(words, words.replace(" ", "_"))


def explain_topic(name: str) -> Iterator[Explanation]:
    """A word of a file that is no knob, or a space."""
    if name in TOPICS:
        text, example = TOPICS[name]
        facts = tuple((knob.name, f"{knob.help}; {knob.bounds()}") for knob in KNOBS.get(name, {}).values())
        yield Explanation(name, "word of a file", text, facts, example)
    if name in preset_names("spaces"):
        yield _space(name)


def _space(name: str) -> Explanation:
    from convlab.spaces.reading import load_space
    from convlab.views.spaces import factor_table, limit_table

    space = load_space(name)
    ways = [
        (paths.text, f"{ways.text} ways, {first.text} to {last.text}")
        for paths, ways, first, last in factor_table(space).rows
    ]
    limits = [
        (f"limit of {metric.text}", f"{low.text} to {high.text}") for metric, low, high in limit_table(space).rows
    ]
    text = f"{space.base.summary or name}: {count_text(space.size)} designs before limits."
    return Explanation(name, "space", text, (*ways, *limits), f"convlab space sample {name} -n 5")
