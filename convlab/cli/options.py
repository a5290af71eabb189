"""The arguments and options that several commands take. Their values are text here; ``arguments`` reads them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from convlab.cli.completion import (
    complete_design,
    complete_device,
    complete_dtype,
    complete_measured_dtype,
    complete_set,
)

PANEL = "Design"

DesignName = Annotated[
    str, typer.Argument(metavar="DESIGN", help="A preset's name or a TOML file.", autocompletion=complete_design)
]


def sets_option(help: str) -> Any:
    """The option that turns knobs."""
    return typer.Option("--set", metavar="PATH=VALUE", help=help, rich_help_panel=PANEL, autocompletion=complete_set)


Sets = Annotated[list[str] | None, sets_option("Turn a knob, such as stages.2.depth=27; may be repeated.")]
SetsOfEach = Annotated[
    list[str] | None, sets_option("Turn a knob in every DESIGN, such as stages.2.depth=27; may be repeated.")
]
ImageSize = Annotated[
    str | None,
    typer.Option("--image", metavar="N|HxW", help="Another image size, in px.", rich_help_panel=PANEL),
]
BatchSize = Annotated[
    str | None, typer.Option("--batch", metavar="N", help="Images at a time; 1 by default.", rich_help_panel=PANEL)
]
Folded = Annotated[
    bool,
    typer.Option(
        "--folded",
        help="With batch norms, layer scales and parallel branches inside convolutions, as for inference.",
        rich_help_panel=PANEL,
    ),
]
Against = Annotated[
    str | None,
    typer.Option(
        "--against",
        metavar="DESIGN",
        help="A baseline to show changes against.",
        rich_help_panel=PANEL,
        autocompletion=complete_design,
    ),
]
Device = Annotated[
    str | None,
    typer.Option(
        "--device",
        metavar="auto|cpu|cuda|cuda:N|mps",
        help="Where to run.",
        rich_help_panel="Run",
        autocompletion=complete_device,
    ),
]
Dtype = Annotated[
    str | None,
    typer.Option(
        "--dtype",
        metavar="float32|bfloat16|float16",
        help="The number format; in training that of autocast.",
        rich_help_panel="Run",
        autocompletion=complete_dtype,
    ),
]
MeasuredDtype = Annotated[
    str | None,
    typer.Option(
        "--dtype",
        metavar="float32|tf32|bfloat16|float16",
        help="The number format; in training that of autocast.",
        rich_help_panel="Run",
        autocompletion=complete_measured_dtype,
    ),
]
ChannelsLast = Annotated[
    bool | None,
    typer.Option(
        "--channels-last/--no-channels-last",
        help="Feature maps with the channels last in memory.",
        rich_help_panel="Run",
    ),
]
Seed = Annotated[
    str | None, typer.Option("--seed", metavar="N", help="Seed of the random numbers.", rich_help_panel="Run")
]
PredictThreads = Annotated[
    str | None,
    typer.Option(
        "--threads",
        metavar="N",
        help="Predict for so many threads of the CPU; torch's own number.",
        rich_help_panel="Run",
    ),
]
StorePlace = Annotated[
    str | None, typer.Option("--store", metavar="PATH|URL", help="Where the run is kept.", rich_help_panel="Store")
]
NoStore = Annotated[
    bool,
    typer.Option(
        "--no-store", help="Keep no run; checkpoints and calibrations are kept all the same.", rich_help_panel="Store"
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]


def out_option(metavar: str, help: str, *, panel: str | None = None) -> Any:
    """The option that says where to write to."""
    return typer.Option("--output", "-o", metavar=metavar, help=help, rich_help_panel=panel)
