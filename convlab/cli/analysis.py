"""The commands that cost designs: profile, compare and roadmap. None of them imports torch."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from convlab.cli.completion import complete_design, complete_grouping
from convlab.cli.options import (
    Against,
    BatchSize,
    DesignName,
    Device,
    Folded,
    ImageSize,
    NoStore,
    PredictThreads,
    Sets,
    StorePlace,
    sets_option,
)
from convlab.cli.output import Output, command
from convlab.cli.training import Data, Folder, RecipeName, RecipeSets, Resume, Samples, Seeds, Threads

PANEL = "Analyse"

By = Annotated[
    str,
    typer.Option(
        "--by",
        metavar="stage|block|layer",
        help="What a row of the table is.",
        rich_help_panel="Table",
        autocompletion=complete_grouping,
    ),
]
SetsOfAll = Annotated[
    list[str] | None,
    sets_option("Turn a knob in every design; profile --against compares one turned design with another."),
]
DesignNames = Annotated[
    list[str],
    typer.Argument(
        metavar="DESIGN...", help="Presets or TOML files; the first is the baseline.", autocompletion=complete_design
    ),
]


Train = Annotated[
    bool, typer.Option("--train", help="Train every step for a short while, and set its accuracy beside the paper's.")
]
LeaveOneOut = Annotated[
    bool, typer.Option("--leave-one-out", help="Also train ConvNeXt-T with each step undone; with --train.")
]


@command(PANEL, "convlab profile convnext_t --set stages.2.depth=27 --against convnext_t")
def profile(
    output: Output,
    design: DesignName,
    by: By = "stage",
    against: Against = None,
    sets: Sets = None,
    image: ImageSize = None,
    batch: BatchSize = None,
    folded: Folded = False,
    threads: PredictThreads = None,
) -> None:
    """Show what a design costs, and where."""
    from convlab import costs
    from convlab.cli.arguments import BATCH, THREADS, choice_of, design_of, number_of
    from convlab.views.cards import cards
    from convlab.views.costs import GROUPINGS, table
    from convlab.views.notes import notes
    from convlab.views.predictions import speeds

    grouping = choice_of("by", by, GROUPINGS)
    images, cores = number_of(BATCH, batch), number_of(THREADS, threads)
    found = costs.profile(design_of(design, sets, image), folded=folded)
    baseline = costs.profile(found.design) if folded else None
    if against is not None:
        baseline = costs.profile(design_of(against, None, image), folded=folded)
    shown, told = table(found, grouping), notes(found)
    asked = None if batch is None else images
    predicted = speeds([baseline or found, found], output.settings(), batch=asked, threads=cores)
    fresh = predicted.cards[1] if baseline is not None else predicted.cards[0]
    figures = cards(found, baseline, batch=images) + fresh
    if output.as_json:
        output.json(
            _plain_profile(found, baseline, images)
            | {"sets": list(sets or ()), "by": grouping, "rows": shown.records()}
            | _plain(figures, told)
            | ({"predictions": predicted.plain[1]} if predicted.plain else {})
        )
        return
    output.heading(_title(found) + _against(found, baseline))
    output.turned(sets)
    output.text()
    output.table(shown)
    output.text()
    output.cards(figures)
    output.text()
    output.text(predicted.note)
    output.notes(told)


@command(PANEL, "convlab compare resnet50 convnext_t")
def compare(
    output: Output,
    designs: DesignNames,
    sets: SetsOfAll = None,
    image: ImageSize = None,
    threads: PredictThreads = None,
) -> None:
    """Set designs side by side: costs, and the knobs that differ."""
    from convlab import costs
    from convlab.cli.arguments import THREADS, design_of, number_of
    from convlab.views.comparison import comparison, knob_table, plain_comparison
    from convlab.views.predictions import speeds

    cores = number_of(THREADS, threads)
    profiles = [costs.profile(design_of(name, sets, image)) for name in designs]
    predicted = speeds(profiles, output.settings(), threads=cores)
    if output.as_json:
        plain = plain_comparison(profiles)
        for one, prediction in zip(plain["designs"], predicted.plain, strict=False):
            one["predictions"] = prediction
        output.json({"baseline": profiles[0].design.name, "sets": list(sets or ()), **plain})
        return
    output.turned(sets)
    output.table(comparison(profiles, predicted.cards), by_pairs=True)
    output.text()
    output.text(predicted.note)
    output.text()
    knobs = knob_table(profiles)
    if knobs.rows:
        output.table(knobs, by_pairs=True)
    else:
        output.text("No knob differs." if len(profiles) > 1 else "Name a second design to compare with.")


@command(PANEL, "convlab roadmap")
def roadmap(
    output: Output,
    image: ImageSize = None,
    train: Train = False,
    leave_one_out: LeaveOneOut = False,
    recipe: RecipeName = None,
    recipe_sets: RecipeSets = None,
    data: Data = None,
    samples: Samples = None,
    seeds: Seeds = None,
    device: Device = None,
    threads: Threads = None,
    folder: Folder = None,
    resume: Resume = None,
    store: StorePlace = None,
    no_store: NoStore = False,
) -> None:
    """Walk from ResNet-50 to ConvNeXt-T: costs, accuracies, changes.

    With --train every step is trained for a short while, made smaller by the same factors, on images of 64 px.
    """
    options = {
        "--leave-one-out": leave_one_out,
        "--recipe": recipe,
        "--recipe-set": recipe_sets,
        "--data": data,
        "--samples": samples,
        "--seeds": seeds,
        "--device": device,
        "--threads": threads,
        "--output": folder,
        "--resume": resume,
        "--store": store,
        "--no-store": no_store,
    }
    if not train:
        _refuse_without_training([name for name, value in options.items() if value])
        return _roadmap(output, image)
    from convlab.cli.train_request import Given, walk_request

    given = Given(
        designs=(),
        image=image,
        recipe=recipe,
        recipe_sets=recipe_sets or (),
        data=data,
        samples=samples,
        seeds=seeds,
        device=device,
        threads=threads,
        folder=folder,
        resume=resume,
        store=store,
    )
    asked = walk_request(output, given, leave_one_out=leave_one_out)
    # What trains takes seconds to import, so only when it is known that there is something to train.
    from convlab.cli.walk_run import walked

    code = walked(output, asked, leave_one_out=leave_one_out, store=store, stored=not no_store)
    if code:
        raise typer.Exit(code)


def _refuse_without_training(given: list[str]) -> None:
    from convlab.errors import ConvlabError, Problem

    if given:
        message = f"{', '.join(given)} {'are' if len(given) > 1 else 'is'} about training"
        raise ConvlabError(Problem("usage", message, help="add --train, or leave it out"), exit_code=2)


def _roadmap(output: Output, image: str | None) -> None:
    from convlab.cli.arguments import size_of
    from convlab.views.notes import plain_notes
    from convlab.views.roadmap import roadmap_notes, roadmap_table, steps

    walk = steps(None if image is None else size_of(image))
    told = roadmap_notes(walk)
    if output.as_json:
        rows = [{"preset": step.preset, **row} for step, row in zip(walk, roadmap_table(walk).records(), strict=True)]
        output.json({"source": "arXiv:2201.03545, Table 10", "steps": rows, "notes": plain_notes(told)})
        return
    output.table(roadmap_table(walk))
    output.text()
    output.text(
        '"paper G" and top-1: arXiv:2201.03545, Table 10 (the paper prints multiply-adds as FLOPs); std over 3 seeds.'
    )
    output.notes(told)


def _title(found: Any) -> str:
    image = found.image
    summary = f": {found.design.summary}" if found.design.summary else ""
    return f"{found.design.name}{summary}, image {image.channels}x{image.height}x{image.width}"


def _against(found: Any, baseline: Any) -> str:
    form = ", folded" if found.folded else ""
    if baseline is None:
        return form
    if baseline.folded != found.folded:
        return f"{form}, against itself as it trains"
    return f"{form}, against {baseline.design.name}{form}"


def _plain_profile(found: Any, baseline: Any, batch: int) -> dict[str, Any]:
    from convlab.views.tables import plain_shape

    return {
        "design": found.design.name,
        "summary": found.design.summary,
        "image": plain_shape(found.image),
        "batch": batch,
        "folded": found.folded,
        "against": None if baseline is None else baseline.design.name,
    }


def _plain(figures: Any, told: Any) -> dict[str, Any]:
    from convlab.views.cards import plain_cards
    from convlab.views.notes import plain_notes

    return {"cards": plain_cards(figures), "notes": plain_notes(told)}
