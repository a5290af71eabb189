"""The commands about what trainings are made of: data list, show and get, and recipes."""

from __future__ import annotations

from typing import Annotated

import typer

from convlab.cli.completion import complete_data, complete_recipe
from convlab.cli.output import Output, command

PANEL = "Train"

Set = Annotated[
    str, typer.Argument(metavar="NAME|PATH", help="A set's name, or its folder or file.", autocompletion=complete_data)
]
Named = Annotated[str, typer.Argument(metavar="NAME", help="A set that data list shows.", autocompletion=complete_data)]
RecipeName = Annotated[
    str | None,
    typer.Argument(
        metavar="[NAME|FILE]", help="Print this one as TOML, with every knob.", autocompletion=complete_recipe
    ),
]


@command(PANEL, "convlab recipes sprint")
def recipes(output: Output, name: RecipeName = None) -> None:
    """List the recipes to train with, or print one as TOML."""
    import sys

    from convlab.training.recipes.named import recipe, recipe_names
    from convlab.training.recipes.recipe import values
    from convlab.training.recipes.writing import text_in_full
    from convlab.views.recipes import recipe_table

    if name is not None:
        found = recipe(name)
        if output.as_json:
            output.json({"recipe": found.name, "digest": found.digest, "knobs": values(found)})
        else:
            sys.stdout.write(text_in_full(found))
        return
    table = recipe_table([recipe(each) for each in recipe_names()])
    if output.as_json:
        output.json({"recipes": table.records()})
    else:
        output.table(table)


@command(PANEL, "convlab data list", name="list")
def list_sets(output: Output) -> None:
    """List the data sets that are known, and whether they are here."""
    from convlab.training.data.registry import datasets
    from convlab.views.data_sets import data_table

    table = data_table(datasets())
    if output.as_json:
        output.json({"datasets": table.records()})
    else:
        output.table(table)


@command(PANEL, "convlab data show procedural")
def show(output: Output, name: Set) -> None:
    """Read a data set, and show its splits, classes and checksum."""
    from convlab.cli.read_set import read_set
    from convlab.views.data_sets import data_facts, plain_data

    found = read_set(output, name)
    if output.as_json:
        output.json(plain_data(found))
    else:
        output.heading(found.name)
        output.facts(data_facts(found))


@command(PANEL, "convlab data get cifar10")
def get(output: Output, name: Named) -> None:
    """Download a data set to your data folder."""
    from convlab.cli.live import watched
    from convlab.errors import ConvlabError, Problem, did_you_mean, quote
    from convlab.training.data.registry import datasets, known

    found = known(name)
    if found is None:
        names = [each.name for each in datasets()]
        problem = Problem(
            "unknown-data",
            f"there is no data set {quote(name)}",
            label=did_you_mean(name, names),
            help=f"sets: {', '.join(names)}",
        )
        raise ConvlabError(problem, exit_code=2)
    place = found.where()
    if not place and found.get is None:
        raise ConvlabError(Problem("usage", f"{found.name} cannot be downloaded", help=found.remedy), exit_code=2)
    if not place and found.get is not None:
        place = str(watched(output, found.get()))
    if output.as_json:
        output.json({"dataset": found.name, "place": place})
    else:
        output.text(f"{found.name} is here: {place}")


COMMANDS = (list_sets, show, get)
