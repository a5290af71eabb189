"""The command that trains: train."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from convlab.cli.completion import (
    complete_data,
    complete_design,
    complete_recipe,
    complete_recipe_set,
    complete_source,
    complete_tracker,
    complete_training,
)
from convlab.cli.options import Device, Dtype, NoStore, SetsOfEach, StorePlace, out_option
from convlab.cli.output import Output, command

PANEL = "Train"
_RECIPE, _RUN = "Recipe", "Run"

Designs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[DESIGN...]",
        help="Presets or TOML files; with --resume they may be left out.",
        autocompletion=complete_design,
    ),
]
Against = Annotated[
    list[str] | None,
    typer.Option(
        "--against",
        metavar="DESIGN",
        help="Another design, which --set leaves as it is; may be repeated.",
        rich_help_panel="Design",
        autocompletion=complete_design,
    ),
]
Image = Annotated[
    str | None,
    typer.Option("--image", metavar="N", help="Train at another image size, in px.", rich_help_panel="Design"),
]
FullSize = Annotated[
    bool,
    typer.Option(
        "--full-size",
        help="Train designs as they are, not made smaller for the data; only channels, image and classes follow it.",
        rich_help_panel="Design",
    ),
]
RecipeName = Annotated[
    str | None,
    typer.Option(
        "--recipe",
        metavar="NAME|FILE",
        help="How to train; sprint, a minute on two cores.",
        rich_help_panel=_RECIPE,
        autocompletion=complete_recipe,
    ),
]
RecipeSets = Annotated[
    list[str] | None,
    typer.Option(
        "--recipe-set",
        metavar="KNOB=VALUE",
        help="Turn a knob of the recipe, such as mixup=0.8; may be repeated.",
        rich_help_panel=_RECIPE,
        autocompletion=complete_recipe_set,
    ),
]
Data = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="NAME|PATH",
        help="Fashion-MNIST where it is found, otherwise drawn images.",
        rich_help_panel=_RECIPE,
        autocompletion=complete_data,
    ),
]
Epochs = Annotated[
    str | None,
    typer.Option("--epochs", metavar="N", help="The budget, in epochs of the training split.", rich_help_panel=_RECIPE),
]
Samples = Annotated[
    str | None, typer.Option("--samples", metavar="N", help="The budget, in images.", rich_help_panel=_RECIPE)
]
Batch = Annotated[str | None, typer.Option("--batch", metavar="N", help="Images a step.", rich_help_panel=_RECIPE)]
Weights = Annotated[
    str | None,
    typer.Option(
        "--weights",
        metavar="FILE|NAME",
        help="Fine-tune from trained weights, at full size; by the recipe convnext_finetune unless one is named, "
        "small images at the design's size instead of 384 px.",
        rich_help_panel=_RECIPE,
        autocompletion=complete_source,
    ),
]
Seeds = Annotated[
    str | None,
    typer.Option("--seeds", metavar="N", help="Train each design so often; 1.", rich_help_panel=_RUN),
]
Threads = Annotated[
    str | None,
    typer.Option(
        "--threads",
        metavar="N",
        help="Threads of the CPU; fewer are faster where other processes keep it busy.",
        rich_help_panel=_RUN,
    ),
]
Folder = Annotated[str | None, out_option("FOLDER", "Where checkpoints go; otherwise to your data folder.", panel=_RUN)]
Resume = Annotated[
    str | None,
    typer.Option(
        "--resume",
        metavar="FOLDER|RUN|latest",
        help="Go on with what was broken off, bit for bit.",
        rich_help_panel=_RUN,
        autocompletion=complete_training,
    ),
]
Track = Annotated[
    list[str] | None,
    typer.Option(
        "--track",
        metavar="tensorboard|wandb|trackio",
        help="Follow the training there; may be repeated.",
        rich_help_panel=_RUN,
        autocompletion=complete_tracker,
    ),
]


@command(PANEL, "convlab train convnext_t resnet50 --recipe sprint --seeds 3")
def train(
    output: Output,
    designs: Designs = None,
    sets: SetsOfEach = None,
    against: Against = None,
    image: Image = None,
    full_size: FullSize = False,
    recipe: RecipeName = None,
    recipe_sets: RecipeSets = None,
    data: Data = None,
    epochs: Epochs = None,
    samples: Samples = None,
    batch: Batch = None,
    dtype: Dtype = None,
    weights: Weights = None,
    seeds: Seeds = None,
    device: Device = None,
    threads: Threads = None,
    folder: Folder = None,
    resume: Resume = None,
    track: Track = None,
    store: StorePlace = None,
    no_store: NoStore = False,
) -> None:
    """Train designs for a short while under one recipe, and rank them.

    Big designs are made smaller for the data first, which is told. All see the same images in the same order, seed by seed. The ranking
    is by the loss on a validation split; the test split is looked at once, at the end.
    """
    from convlab.cli.train_request import Given, request

    given = Given(
        designs=designs or (),
        sets=sets or (),
        against=against or (),
        image=image,
        full_size=full_size,
        recipe=recipe,
        recipe_sets=recipe_sets or (),
        data=data,
        epochs=epochs,
        samples=samples,
        batch=batch,
        dtype=dtype,
        weights=weights,
        seeds=seeds,
        device=device,
        threads=threads,
        folder=folder,
        resume=resume,
        track=track or (),
        store=store,
    )
    try:
        asked = request(output, given)
        # What trains takes seconds to import, so only when it is known that there is something to train.
        from convlab.cli.train_run import trained
    except KeyboardInterrupt:
        print("interrupted before training began: nothing was trained or stored", file=sys.stderr)
        raise typer.Exit(130) from None
    code = trained(output, asked, store=store, stored=not no_store)
    if code:
        raise typer.Exit(code)
