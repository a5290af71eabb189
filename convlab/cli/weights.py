"""The commands about trained weights: check, convert and layouts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convlab.cli.completion import complete_design, complete_layout, complete_source
from convlab.cli.options import DesignName, Force, Sets, out_option
from convlab.cli.output import Output, command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convlab.language.design import Design
    from convlab.weights.report import Line, Report

PANEL = "Weights"
SHOWN = 4
"""Knobs that a heading names; it counts the others."""

Source = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help="A checkpoint, or timm:NAME, torchvision:NAME, hf:OWNER/NAME.",
        autocompletion=complete_source,
    ),
]
Of = Annotated[
    str, typer.Option("--design", metavar="DESIGN", help="Whose weights they are.", autocompletion=complete_design)
]
MaybeOf = Annotated[
    str | None,
    typer.Option(
        "--design",
        metavar="DESIGN",
        help="Whose weights they should be; otherwise the preset that they look like is found.",
        autocompletion=complete_design,
    ),
]
To = Annotated[
    str,
    typer.Option("--to", metavar="LAYOUT", help="The layout to write.", autocompletion=complete_layout),
]
From = Annotated[
    str,
    typer.Option(
        "--from", metavar="LAYOUT", help="The source's layout; found by its names.", autocompletion=complete_layout
    ),
]
Ignore = Annotated[
    list[str] | None,
    typer.Option("--ignore", metavar="PATH", help="Weights that need not fit, such as head; may be repeated."),
]
Out = Annotated[str | None, out_option("FILE", "Where to; a .safetensors file in this folder by default.")]


@command(PANEL, "convlab weights check convnext_t.pth --design convnext_t")
def check(
    output: Output,
    source: Source,
    design: MaybeOf = None,
    layout: From = "auto",
    ignore: Ignore = None,
    sets: Sets = None,
) -> None:
    """Say whether a checkpoint fits a design, and which tensor goes where."""
    from convlab.weights.fitting import fit
    from convlab.weights.given import given
    from convlab.weights.layouts import paths_of

    state = given(source)
    whose = _design(design, state, source, sets)
    report = fit(state, whose, paths_of(whose), layout=layout, ignore=ignore or (), source=source).report
    if output.as_json:
        output.json({"design": whose.name, "key": whose.key, "sets": list(sets or ()), **_plain(report)})
        return
    output.heading(f"{source} fits {_told(whose) if _is_inside(design, source, sets) else whose.name}")
    output.turned(sets)
    for line in str(report).splitlines():
        output.text(line)


@command(PANEL, "convlab weights convert convnext_t.pth --design convnext_t --to torchvision")
def convert(
    output: Output,
    source: Source,
    design: Of,
    to: To,
    layout: From = "auto",
    out: Out = None,
    force: Force = False,
    ignore: Ignore = None,
    sets: Sets = None,
) -> None:
    """Write a checkpoint under the names of another layout."""
    from convlab.cli.arguments import design_of
    from convlab.weights.converting import convert as converted
    from convlab.weights.converting import write

    whose = design_of(design, sets)
    target = out or f"{Path(whose.name).name}_{to}.safetensors"
    refuse_target(Path(target), force)
    found = converted(source, whose, to, layout=layout, ignore=ignore or ())
    write(found.tensors, target, design=whose, layout=to)
    if output.as_json:
        layouts = {"from": found.source_layout, "to": found.layout}
        rest = {"tensors": len(found.tensors), "left_out": list(found.left_out), "sets": list(sets or ())}
        output.json({"design": whose.name, "key": whose.key, "source": source, "path": target, **layouts, **rest})
        return
    output.text(f"{source} ({found.source_layout}) written to {target} ({found.layout}): {len(found.tensors)} tensors")
    output.turned(sets)
    if found.left_out:
        output.text(f"left out, since {to} files do not hold them: {', '.join(found.left_out)}")


@command(PANEL, "convlab weights layouts convnext_t")
def layouts(output: Output, design: DesignName, sets: Sets = None) -> None:
    """List the layouts that a design's weights can be read from and written to."""
    from convlab.cli.arguments import design_of
    from convlab.views.tables import Column, Table, words
    from convlab.weights.layouts import layouts_of, naming, paths_of

    whose = design_of(design, sets)
    weights = paths_of(whose)
    rows = []
    for layout in layouts_of(whose):
        names = [name for item in naming(whose, layout, weights).values() for name in item.names]
        rows.append((words(layout), words(len(names)), words(names[0]), words(names[-1])))
    columns = (
        Column("layout", "layout"),
        Column("tensors", "tensors", right=True),
        Column("first", "first name"),
        Column("last", "last name", rank=1),
    )
    table = Table(columns, tuple(rows))
    if output.as_json:
        output.json({"design": whose.name, "sets": list(sets or ()), "layouts": table.records()})
    else:
        output.turned(sets)
        output.table(table)


COMMANDS = (check, convert, layouts)


def _design(name: str | None, state: Any, source: str, sets: Sequence[str] | None) -> Design:
    """The design of a name, that in the file, or the preset that it looks like. Raises ConvlabError where there is none."""
    from convlab.cli.arguments import design_of
    from convlab.errors import ConvlabError, Problem, quote
    from convlab.weights.origins import design_inside
    from convlab.weights.recognition import recognized

    if name is not None:
        return design_of(name, sets)
    if not sets and (inside := design_inside(source)) is not None:
        return inside
    like = recognized(state)
    if like is None:
        message = f"no preset has weights like those of {quote(source)}"
        raise ConvlabError(Problem("weights-do-not-fit", message, help="name their design: --design mine.toml"))
    return design_of(like.design.name, sets)


def _is_inside(name: str | None, source: str, sets: Sequence[str] | None) -> bool:
    """Whether the design that is checked is the one that the file names itself."""
    from convlab.weights.origins import design_inside

    return name is None and not sets and design_inside(source) is not None


def _told(design: Design) -> str:
    """The design inside a file, with the knobs in which it differs from the preset whose name it carries."""
    from convlab.language.files import load
    from convlab.presets import preset_names
    from convlab.views.knob_paths import differences
    from convlab.views.tables import value_text

    start = "the design inside the file"
    if design.name not in preset_names():
        return f"{start}: {design.name or 'one without a name'}, key {design.key}"
    turned = [f"{item.path}={value_text(item.values[1])}" for item in differences((load(design.name), design))]
    more = f" and {len(turned) - SHOWN} more" if len(turned) > SHOWN else ""
    return f"{start}: {design.name}{' with ' if turned else ''}{', '.join(turned[:SHOWN])}{more}"


def refuse_target(target: Path, force: bool) -> None:
    """Say that a file cannot be written there before anything is read for it."""
    from convlab.exports.targets import Target
    from convlab.weights.converting import refuse_other_name

    Target(target, force).refuse_occupied_file()
    refuse_other_name(target)


def _plain(report: Report) -> dict[str, Any]:
    kinds = ("loaded", "reshaped", "cast", "missing", "unexpected", "ignored")
    lines = {kind: [_plain_line(line) for line in getattr(report, kind)] for kind in kinds}
    return {"source": report.source, "layout": report.layout, **lines}


def _plain_line(line: Line) -> dict[str, Any]:
    shapes = {"shape": list(line.shape), "their_shapes": [list(shape) for shape in line.their_shapes]}
    return {
        "path": line.path,
        "names": list(line.names),
        **shapes,
        "dtype": line.dtype,
        "their_dtype": line.their_dtype,
    }
