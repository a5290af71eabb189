"""What nouns show of themselves in a notebook: a page of pieces for each, as HTML and as lines of text. Made of views."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, final

from convlab.notebook import lines, markup
from convlab.views.cards import Card
from convlab.views.tables import Table

if TYPE_CHECKING:
    from convlab.costs import Profile
    from convlab.language.design import Design
    from convlab.measurement.benchmarking import Benchmark
    from convlab.runs.records import Run
    from convlab.spaces.populations import Population, Sample
    from convlab.spaces.space import Space
    from convlab.training.comparing import Training
    from convlab.training.keeping.trained import Trained
    from convlab.training.walks import Walk

HEADLINES = ("params", "macs", "activations", "receptive_field", "peak_bytes", "saved_bytes")
MOST_ROWS = 10
"""Members of a population that are shown."""


@final
@dataclass(frozen=True)
class Heading:
    """What the page is about."""

    name: str
    about: str = ""


@final
@dataclass(frozen=True)
class Facts:
    """Labels and texts."""

    facts: tuple[tuple[str, str], ...]


@final
@dataclass(frozen=True)
class Source:
    """TOML, which a page folds away and a text leaves out."""

    text: str


Piece: TypeAlias = Heading | Facts | Source | Table | tuple[Card, ...] | str
"""A string is a paragraph."""

Page: TypeAlias = Iterator[Piece]


def html_of(noun: object) -> str:
    """The page of a noun as HTML."""
    return "".join(_html(piece) for piece in _page(noun))


def text_of(noun: object) -> str:
    """The page of a noun as lines of text; a table stands apart."""
    found: list[str] = []
    for piece in _page(noun):
        apart = isinstance(piece, Table | tuple) and bool(found)
        found += [""] * apart + _lines(piece)
    return "\n".join(found)


def _page(noun: object) -> Page:
    kind = type(noun)
    return _PAGES[f"{kind.__module__}.{kind.__qualname__}"](noun)


def _html(piece: Piece) -> str:
    match piece:
        case Heading(name, about):
            return markup.heading(name, about)
        case Facts(facts):
            return markup.facts_html(facts)
        case Source(text):
            return markup.source_html(text)
        case Table():
            return markup.table_html(piece)
        case str():
            return markup.paragraph(piece, soft=True)
        case _:
            return markup.cards_html(piece)


def _lines(piece: Piece) -> list[str]:
    match piece:
        case Heading(name, about):
            return [f"{name}: {about}" if about else name]
        case Facts(facts):
            return lines.fact_lines(facts)
        case Table():
            return lines.table_lines(piece)
        case str():
            return [piece]
        case Source():
            return []
        case _:
            return lines.card_lines(piece)


def _table(table: Table) -> Page:
    yield table


def _design(design: Design) -> Page:
    from convlab.language.writing import text_of as toml_of
    from convlab.views.portrait import portrait

    yield Heading(design.name or "a design", design.summary)
    yield from portrait(design)
    yield Source(toml_of(design))


def _profile(profile: Profile) -> Page:
    from convlab.views.cards import cards
    from convlab.views.costs import table

    form = ", folded" if profile.folded else ""
    yield Heading(profile.design.name or "a design", f"image {'x'.join(map(str, profile.image))}{form}")
    yield cards(profile, names=HEADLINES)
    yield table(profile)


def _space(space: Space) -> Page:
    from convlab.views.catalogue import count_text
    from convlab.views.spaces import factor_table, limit_table

    yield Heading(space.name, f"{count_text(space.size)} designs")
    yield space.base.summary
    yield factor_table(space)
    if space.limits:
        yield limit_table(space)


def _population(population: Population) -> Page:
    from convlab.views.spaces import distribution_table

    yield Heading(population.space.name, f"{len(population):,} members")
    yield distribution_table(population)
    yield from _members(population)


def _members(population: Population) -> Page:
    import dataclasses

    from convlab.views.spaces import member_table

    some = slice(0, MOST_ROWS)
    costs = {name: figures[some] for name, figures in population.costs.items()}
    first = dataclasses.replace(population, indices=population.indices[some], costs=costs, fault=population.fault[some])
    yield f"The first {len(first)} of them:" if len(population) > MOST_ROWS else "Members:"
    yield member_table(first)


def _sample(sample: Sample) -> Page:
    from convlab.views.spaces import reason_text

    yield from _population(sample.population)
    yield f"{len(sample.population):,} of {sample.drawn:,} drawn were taken, seed {sample.seed}."
    yield Facts(
        tuple((f"{count:,}", f"rejected: {reason_text(reason)}") for reason, count in sample.rejections.items())
    )


def _trained(trained: Trained) -> Page:
    from convlab.views.learning import curve_table
    from convlab.views.trainings import trained_notes

    about = f"seed {trained.seed}, recipe {trained.recipe.name}, {trained.steps:,} steps in {trained.seconds:.0f} s"
    yield Heading(trained.name, about)
    shares = {"validation accuracy": trained.validation_accuracy, "test accuracy": trained.test_accuracy}
    yield Facts(tuple((name, f"{100 * share:.2f} %") for name, share in shares.items() if share == share))
    curve = curve_table([trained])
    if curve is not None:
        yield curve
    yield from (note.message for note in trained_notes([trained]))


def _training(training: Training) -> Page:
    from convlab.views.learning import curve_table
    from convlab.views.rankings import ranking_table
    from convlab.views.trainings import doubt_facts, override_table, training_notes, unranked_table

    tables = (
        ranking_table(training.ranking, training.trained),
        unranked_table(training),
        curve_table(training.trained),
        override_table(training.overrides),
    )
    yield Heading(f"{len(training.trained)} trainings", f"recipe {training.job.recipe.name} on {training.data.name}")
    yield from filter(None, tables)
    doubts = doubt_facts(training)
    if doubts:
        yield "What this comparison cannot tell:"
        yield Facts(tuple(doubts))
    yield from (note.message for note in training_notes(training))


def _walk(walk: Walk) -> Page:
    from convlab.views.walk import fidelity_texts, walk_table

    yield walk_table(walk)
    yield from fidelity_texts(walk)


def _benchmark(benchmark: Benchmark) -> Page:
    from convlab.views.measurements import benchmark_notes, measured_how, throughput_table

    yield throughput_table(benchmark)
    yield Facts(tuple(measured_how(benchmark)))
    yield from (note.message for note in benchmark_notes(benchmark))


def _run(run: Run) -> Page:
    from convlab.views.runs import run_table

    yield run_table([run])
    yield run.command


_PAGES: Mapping[str, Callable[..., Page]] = {
    "convlab.views.tables.Table": _table,
    "convlab.language.design.Design": _design,
    "convlab.costs.Profile": _profile,
    "convlab.spaces.space.Space": _space,
    "convlab.spaces.populations.Population": _population,
    "convlab.spaces.populations.Sample": _sample,
    "convlab.training.keeping.trained.Trained": _trained,
    "convlab.training.comparing.Training": _training,
    "convlab.training.walks.Walk": _walk,
    "convlab.measurement.benchmarking.Benchmark": _benchmark,
    "convlab.runs.records.Run": _run,
}
"""The page of every noun that has one, by its class: named, not imported, since most of them are rarely met together."""
