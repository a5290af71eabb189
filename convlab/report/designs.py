"""The sections of a report about designs: their figures side by side, in which knobs they differ, where costs lie, and each by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from convlab import charts
from convlab.costs import Profile
from convlab.language.writing import text_of
from convlab.report.asking import Asked
from convlab.report.pieces import Cards, Chart, Facts, Folded, Notes, Piece, Source
from convlab.views.cards import cards
from convlab.views.comparison import comparison, knob_table
from convlab.views.costs import table
from convlab.views.notes import notes
from convlab.views.portrait import nearest_preset, portrait
from convlab.views.predictions import Speeds

HIDDEN = ("flops", "training_macs", "key")
"""Cards of what is said elsewhere, or is another one times a number."""

ABOUT = ("Stem", "Block", "Downsampling", "Output stride", "Head", "Image")
"""How the sentences of a portrait begin that say what they are about."""

MANY = 6
"""From so many designs on charts that set them side by side are unreadable."""


def overview(asked: Asked, predicted: Speeds) -> Iterator[Piece]:
    """The figures of one design as cards, of several side by side."""
    if len(asked.profiles) > 1:
        yield comparison(asked.profiles, predicted.cards)
    else:
        shown = tuple(card for card in cards(asked.profiles[0]) if card.name not in HIDDEN)
        yield Cards(shown + predicted.cards[0])
    yield predicted.note


def differences(asked: Asked) -> Iterator[Piece]:
    """The knobs in which the designs differ, and what that does to costs."""
    found = knob_table(asked.profiles)
    if not found.rows:
        yield "No knob differs: these designs are the same."
        return
    if len(asked.profiles) <= MANY:
        told = "From the first design to the last, in multiply-adds."
        yield Chart(told, lambda theme: charts.waterfall(asked.profiles, theme=theme))
    yield found


def costs(asked: Asked) -> Iterator[Piece]:
    """Charts of all designs together: costs by stage, receptive field, memory, blocks."""
    shown = asked.profiles[:MANY]
    if len(asked.profiles) > MANY:
        yield f"The charts show the first {MANY} designs; tables have all of them."
    yield Chart("Multiply-adds by stage.", lambda theme: charts.costs(shown, measure="macs", theme=theme))
    yield Chart("Parameters by stage.", lambda theme: charts.costs(shown, measure="params", theme=theme))
    yield Chart("How the receptive field grows over depth.", lambda theme: charts.receptive_field(shown, theme=theme))
    yield Chart("Activation memory in the order of execution.", lambda theme: charts.memory(shown, theme=theme))
    stage = min(2, *(len(profile.design.stages) - 1 for profile in shown)) if len(shown) > 1 else _heaviest(shown[0])
    yield Chart(
        f"The block of stage {stage}, with its shapes.", lambda theme: charts.blocks(shown, stage=stage, theme=theme)
    )


def design(asked: Asked, number: int, predicted: Speeds) -> Iterator[Piece]:
    """One design: in words, its figures against the first design's, its stages and layers, its TOML."""
    profile = asked.profiles[number]
    baseline = asked.profiles[0] if number else None
    yield Facts((*map(_labelled, portrait(profile.design)), ("Key", _kinship(profile))))
    if len(asked.profiles) > 1:
        shown = tuple(card for card in cards(profile, baseline) if card.name not in HIDDEN)
        yield Cards(shown + predicted.cards[number])
    yield table(profile)
    told = notes(profile)
    if told:
        yield Notes(told)
    yield Chart("What the middle of each stage's map sees.", lambda theme: charts.receptive_image(profile, theme=theme))
    yield Folded("Costs by block", (table(profile, "block"),))
    yield Folded("Costs by layer", (table(profile, "layer"),))
    yield Folded("TOML", (Source(text_of(profile.design), "toml"),))


def _kinship(profile: Profile) -> str:
    nearest = nearest_preset(
        replace(profile.design, name="")
    )  # one that is turned is near to the preset of its name, too
    key = profile.design.key
    if nearest.same_network:
        return f"{key}: the network of the preset {nearest.preset}."
    if not nearest.near:
        return f"{key}; no preset is near."
    count = len(nearest.knobs)
    return f"{key}; the nearest preset is {nearest.preset}, {count} knob{'s' * (count != 1)} away."


def _labelled(sentence: str) -> tuple[str, str]:
    """A sentence of a portrait, with what it is about as its label."""
    label, colon, rest = sentence.partition(": ")
    return (label, rest) if colon and label.startswith(ABOUT) else ("Stages", sentence)


def _heaviest(profile: Profile) -> int:
    """The stage with the most multiply-adds."""
    stages = [part for part in profile.parts[1:] if not part.head and not part.path.startswith("downsample")]
    return max(range(len(stages)), key=lambda index: stages[index].macs)
