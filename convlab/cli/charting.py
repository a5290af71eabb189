"""The command that draws a chart into a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from convlab.cli.chart_kinds import KINDS, MEMBERS, Kind, Request
from convlab.cli.completion import (
    complete_chart,
    complete_chart_theme,
    complete_charted,
    complete_grouping,
    complete_measure,
)
from convlab.cli.options import Force, ImageSize, Seed, Sets, out_option
from convlab.cli.output import Output, command
from convlab.cli.stores import At

PANEL = "Analyse"
LOOKS = "Looks"

KindName = Annotated[
    str,
    typer.Argument(metavar="KIND", help=f"What to draw: {', '.join(KINDS)}.", autocompletion=complete_chart),
]
Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME...]",
        help="Designs; a space for population and parallel; stored runs for learning, throughput, results and walk.",
        show_default=False,
        autocompletion=complete_charted,
    ),
]
Measure = Annotated[
    str | None,
    typer.Option(
        "--measure",
        metavar="NAME",
        help="macs, params, activations or saved_bytes; of learning validation_accuracy, "
        "validation_loss or training_loss.",
        rich_help_panel="Chart",
        autocompletion=complete_measure,
    ),
]
By = Annotated[
    str,
    typer.Option(
        "--by",
        metavar="stage|block|layer",
        help="Of costs: what a bar is.",
        rich_help_panel="Chart",
        autocompletion=complete_grouping,
    ),
]
Stage = Annotated[
    str | None, typer.Option("--stage", metavar="N", help="Whose blocks, from 0.", rich_help_panel="Chart")
]
XAxis = Annotated[
    str | None,
    typer.Option("--x", metavar="METRIC", help="Of population and results: along x.", rich_help_panel="Chart"),
]
YAxis = Annotated[
    str | None, typer.Option("--y", metavar="METRIC", help="Of population: along y.", rich_help_panel="Chart")
]
Data = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="ImageNet-1K|ImageNet-22K",
        help="Of published: what was learned from.",
        rich_help_panel="Chart",
    ),
]
Members = Annotated[
    str | None,
    typer.Option("--members", metavar="N", help=f"Of a space; {MEMBERS} by default.", rich_help_panel="Chart"),
]
Theme = Annotated[
    str,
    typer.Option(
        "--theme",
        metavar="light|dark",
        help="What it is drawn on.",
        rich_help_panel=LOOKS,
        autocompletion=complete_chart_theme,
    ),
]
Width = Annotated[str | None, typer.Option("--width", metavar="PX", help="Another width.", rich_help_panel=LOOKS)]
Height = Annotated[str | None, typer.Option("--height", metavar="PX", help="Another height.", rich_help_panel=LOOKS)]
Scale = Annotated[
    str | None, typer.Option("--scale", metavar="N", help="Dots a px in a PNG; 2 by default.", rich_help_panel=LOOKS)
]
Out = Annotated[str | None, out_option("FILE", "Where to: .html, .json, .svg, .png or .pdf; KIND.html by default.")]


@command(PANEL, "convlab chart blocks resnet50 convnext_t swin_t -o blocks.html")
def chart(
    output: Output,
    kind: KindName,
    names: Names = None,
    out: Out = None,
    measure: Measure = None,
    by: By = "stage",
    stage: Stage = None,
    x: XAxis = None,
    y: YAxis = None,
    data: Data = None,
    members: Members = None,
    seed: Seed = None,
    sets: Sets = None,
    image: ImageSize = None,
    store: At = None,
    theme: Theme = "light",
    width: Width = None,
    height: Height = None,
    scale: Scale = None,
    force: Force = False,
) -> None:
    """Draw a chart that is fit for a paper."""
    from convlab.cli.arguments import SEED, choice_of, number_of
    from convlab.language.knobs import Knob

    meant = _kind(kind)
    given: dict[str, Any] = {
        "measure": measure,
        "stage": stage,
        "x": x,
        "y": y,
        "data": data,
        "members": members,
        "seed": seed,
    }
    given |= {"by": by if by != "stage" else None, "set": sets, "image": image, "store": store}
    _refuse_others(kind, meant, tuple(names or ()), given)
    place = Path(out or f"{kind}.html")
    from convlab.charts.palette import THEMES
    from convlab.charts.saving import format_of, save
    from convlab.exports.targets import Target

    form = format_of(place)
    Target(place, force).refuse_occupied_file()
    figure = meant.draw(
        Request(
            names=tuple(names or ()),
            theme=choice_of("theme", theme, tuple(THEMES)),
            measure=measure,
            by=by,
            stage=number_of(Knob("stage", "option", "integer", 0, "number of a stage", low=0, high=10_000), stage),
            x=x,
            y=y,
            data=data,
            members=number_of(Knob("members", "option", "integer", MEMBERS, "members", low=1, high=1_000_000), members),
            seed=number_of(SEED, seed),
            sets=tuple(sets or ()),
            image=image,
            store=store,
        )
    )
    sides = {name: _px(name, text) for name, text in (("width", width), ("height", height)) if text is not None}
    dots = number_of(Knob("scale", "option", "integer", 2, "dots a px", low=1, high=16), scale)
    save(figure, place, **sides, scale=dots)
    if output.as_json:
        output.json({"kind": kind, "names": list(names or ()), "format": form, "path": str(place)})
    else:
        output.text(f"{place}: {kind}" + (f" of {', '.join(names)}" if names else ""))


def _kind(name: str) -> Kind:
    from convlab.errors import ConvlabError, Problem, did_you_mean, quote

    if name not in KINDS:
        label = did_you_mean(name, KINDS)
        problem = Problem("usage", f"there is no chart {quote(name)}", label=label, help=f"charts: {', '.join(KINDS)}")
        raise ConvlabError(problem, exit_code=2)
    return KINDS[name]


def _px(name: str, text: str) -> int:
    from convlab.cli.arguments import number_of
    from convlab.language.knobs import Knob

    return number_of(Knob(name, "option", "integer", 0, "px", low=100, high=10_000), text)


def _refuse_others(kind: str, meant: Kind, names: tuple[str, ...], given: dict[str, Any]) -> None:
    """Raise ConvlabError for too few or too many names, and for options that this kind does not listen to."""
    from convlab.cli.stores import usage

    noun = {"design": "design", "space": "space", "run": "stored run"}[meant.of]
    if len(names) < meant.least:
        raise usage(f"a chart of {kind} takes the name of a {noun}", f"for instance: {_example(kind, meant)}")
    if meant.most is not None and len(names) > meant.most:
        most = f"{meant.most} {noun}" if meant.most else "no names"
        raise usage(f"a chart of {kind} takes {most}, not {len(names)}", f"for instance: {_example(kind, meant)}")
    for option, value in given.items():
        if value is not None and option not in meant.options:
            heard = ", ".join(f"--{name}" for name in meant.options) or "none of them"
            raise usage(f"a chart of {kind} has nothing to do with --{option}", f"it listens to {heard}")


def _example(kind: str, meant: Kind) -> str:
    name = {"design": " convnext_t", "space": " spaces/kernel_study", "run": " latest"}[meant.of]
    return f"convlab chart {kind}{name if meant.most != 0 else ''}"
