"""The commands about design spaces: count, sample, cost and member."""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convlab.cli.completion import complete_space
from convlab.cli.options import Seed, Sets
from convlab.cli.output import Output, command
from convlab.errors import ConvlabError, did_you_mean, quote

if TYPE_CHECKING:
    from convlab.spaces.space import Space

PANEL = "Spaces"

SpaceName = Annotated[
    str, typer.Argument(metavar="SPACE", help="A space's name or a TOML file.", autocompletion=complete_space)
]
Count = Annotated[str | None, typer.Option("--count", "-n", metavar="N", help="How many members.")]
Metrics = Annotated[
    list[str] | None, typer.Option("--metric", metavar="NAME", help="A metric to show; may be repeated.")
]
Index = Annotated[str, typer.Argument(metavar="INDEX", help="The number of a member, from 0.")]


@command(PANEL, "convlab space count spaces/convnext_micro")
def count(output: Output, space: SpaceName, sets: Sets = None) -> None:
    """Say how many designs a space holds, exactly."""
    from convlab.views.spaces import factor_table, limit_table

    found = _space(space, sets)
    if output.as_json:
        tables = {"factors": factor_table(found).records(), "limits": limit_table(found).records()}
        output.json({"space": found.name, "summary": found.base.summary, "size": found.size, **tables})
        return
    output.heading(f"{found.name}: {_size(found)} design{'s' * (found.size != 1)}, before limits")
    if found.factors:
        output.text()
        output.table(factor_table(found))
    if found.limits:
        output.text()
        output.table(limit_table(found))


@command(PANEL, "convlab space sample spaces/convnext_micro -n 5 --seed 1")
def sample(
    output: Output,
    space: SpaceName,
    count: Count = None,
    seed: Seed = None,
    metrics: Metrics = None,
    sets: Sets = None,
) -> None:
    """Draw members at random, among those within the limits."""
    from convlab.cli.arguments import SEED, number_of
    from convlab.spaces.populations import sample as draw
    from convlab.views.notes import Note
    from convlab.views.spaces import member_table, reason_text

    found, wanted, start = _space(space, sets), _count(count, 10), number_of(SEED, seed)
    drawn = draw(found, wanted, start, metrics=_metrics(found, metrics))
    table = member_table(drawn.population)
    taken = len(drawn.population)
    rejected = dict(sorted(drawn.rejections.items(), key=lambda item: -item[1]))
    if output.as_json:
        about = {
            "seed": start,
            "drawn": drawn.drawn,
            "accepted": taken,
            "complete": drawn.complete,
            "rejections": rejected,
        }
        output.json({"space": found.name, **about, "members": table.records()})
    else:
        output.table(table)
        output.text()
        output.text(f"{taken:,} of {drawn.drawn:,} drawn were taken ({drawn.acceptance:.2%}), seed {start}.")
        output.facts([(f"{number:,}", f"rejected: {reason_text(reason)}") for reason, number in rejected.items()])
    if not drawn.complete:
        message = f"only {taken:,} of {wanted:,} members were found within the limits"
        output.notes([Note("limits", message, "wider limits, or fewer members")])
    if not taken:
        raise typer.Exit(1)


@command(PANEL, "convlab space cost spaces/kernel_study -n 20736")
def cost(
    output: Output,
    space: SpaceName,
    count: Count = None,
    seed: Seed = None,
    metrics: Metrics = None,
    sets: Sets = None,
) -> None:
    """Cost members drawn at random, limits aside: their distribution."""
    from itertools import islice
    from time import perf_counter

    from convlab.cli.arguments import SEED, number_of
    from convlab.spaces.drawing import draw
    from convlab.spaces.populations import cost_population
    from convlab.views.spaces import distribution_table

    found, wanted, start = _space(space, sets), _count(count, 10_000), number_of(SEED, seed)
    indices = list(islice(draw(found.size, start), min(wanted, found.size)))
    began = perf_counter()
    population = cost_population(found, indices, metrics=_metrics(found, metrics))
    seconds = perf_counter() - began
    valid = int((population.fault == "").sum())
    table = distribution_table(population)
    if output.as_json:
        output.json(
            {"space": found.name, "seed": start, "members": len(indices), "valid": valid, "metrics": table.records()}
        )
        return
    output.table(table)
    output.text()
    part = "all members" if len(indices) == found.size else f"{len(indices):,} of {_size(found)} members, seed {start}"
    output.text(f"{part}; {valid:,} of them valid; costed in {1000 * seconds:.0f} ms")


@command(PANEL, "convlab space member spaces/kernel_study 1234")
def member(output: Output, space: SpaceName, index: Index, sets: Sets = None) -> None:
    """Print one member of a space as TOML, by its index."""
    from convlab.errors import Place, Problem
    from convlab.language.writing import table_of, text_of

    found = _space(space, sets)
    place = Place("INDEX", 1, 1, index, len(index))
    if not index.isascii() or not index.isdigit() or len(index) > len(str(found.size)) or int(index) >= found.size:
        message = f"the space has no member {quote(index)}"
        raise ConvlabError(Problem("out-of-range", message, place, f"0 to {found.size - 1}"), exit_code=2)
    design = found[int(index)]
    if output.as_json:
        output.json({"space": found.name, "index": int(index), "key": design.key, "table": table_of(design)})
    else:
        sys.stdout.write(text_of(design))


COMMANDS = (count, sample, cost, member)


def _space(name: str, sets: list[str] | None) -> Space:
    from convlab.spaces.reading import load_space

    sys.set_int_max_str_digits(0)  # a space may have more members than Python likes to write
    try:
        return load_space(name, sets=sets or ())
    except ConvlabError as error:
        raise _meant(name, error) from None


def _meant(name: str, error: ConvlabError) -> ConvlabError:
    """The error for a name that is unknown, with the space that was probably meant."""
    from convlab.presets import preset_names

    if [problem.code for problem in error.problems] != ["unknown-preset"]:
        return error
    problem = error.problems[0]
    names = preset_names("spaces")
    there = f"spaces/{name}"
    label = (
        f"did you mean {quote(there)}?" if there in names else did_you_mean(there, names) or did_you_mean(name, names)
    )
    message = f"there is no space {quote(name)}"
    help = "convlab presets --spaces lists them; the name of a file ends in .toml"
    return ConvlabError(
        dataclasses.replace(problem, message=message, label=label, help=help), exit_code=error.exit_code
    )


def _size(space: Space) -> str:
    from convlab.views.catalogue import count_text

    return count_text(space.size)


def _count(text: str | None, default: int) -> int:
    from convlab.cli.arguments import number_of
    from convlab.language.knobs import Knob

    return number_of(Knob("count", "option", "integer", default, "members", low=1, high=10_000_000), text)


def _metrics(space: Space, named: Any) -> tuple[str, ...]:
    from convlab.cli.arguments import choice_of
    from convlab.views.spaces import known_metrics, metrics_of

    return metrics_of(space, [choice_of("metric", name, known_metrics()) for name in named or ()])
