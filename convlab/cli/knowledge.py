"""The commands that tell what there is: explain, presets, schema and resolve."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from convlab.cli.completion import complete_design, complete_name
from convlab.cli.options import DesignName, Sets, out_option
from convlab.cli.output import Output, command

PANEL = "Look up"

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="A knob, kind, layer, figure, error code, recipe, design or space.",
        autocompletion=complete_name,
    ),
]
File = Annotated[str | None, out_option("FILE", "Write to a file instead of stdout.")]
Roadmap = Annotated[bool, typer.Option("--roadmap", help="The steps of the walk from ResNet-50 to ConvNeXt-T.")]
Spaces = Annotated[bool, typer.Option("--spaces", help="The design spaces.")]
OfSpaces = Annotated[bool, typer.Option("--space", help="The schema of a space instead.")]
EveryKnob = Annotated[bool, typer.Option("--every-knob", help="With what the kinds' defaults say.")]
Base = Annotated[
    str | None,
    typer.Option("--on", metavar="BASE", help="As what differs from a design.", autocompletion=complete_design),
]


@command(PANEL, "convlab explain block.kernel_size")
def explain(output: Output, name: Name, sets: Sets = None) -> None:
    """Explain a knob, a kind, a figure, an error code or a design."""
    from convlab.views.explanations import explanations

    found = () if sets else explanations(name)
    if not found:
        _explain_design(output, name, sets)
        return
    if output.as_json:
        entries = [
            {
                "name": item.name,
                "what": item.what,
                "text": item.text,
                "facts": dict(item.facts),
                "example": item.example,
            }
            for item in found
        ]
        output.json({"explanations": entries})
        return
    for index, item in enumerate(found):
        if index:
            output.text()
        output.heading(f"{item.name} ({item.what})")
        output.text(item.text)
        output.facts([*item.facts, ("example", item.example)] if item.example else item.facts)


@command(PANEL, "convlab presets")
def presets(output: Output, roadmap: Roadmap = False, spaces: Spaces = False) -> None:
    """List the designs that come with convlab, with their costs."""
    from convlab.errors import ConvlabError, Problem
    from convlab.presets import preset_names
    from convlab.views.catalogue import catalogue, space_catalogue

    if roadmap and spaces:
        message = "--roadmap and --spaces are two lists"
        raise ConvlabError(Problem("usage", message, help="one of them at a time"), exit_code=2)
    table = space_catalogue(preset_names("spaces")) if spaces else catalogue(preset_names("roadmap" if roadmap else ""))
    if output.as_json:
        output.json({"presets": table.records()})
    else:
        output.table(table)


@command(PANEL, "convlab schema -o design.schema.json")
def schema(output: Output, file: File = None, space: OfSpaces = False) -> None:
    """Print the JSON schema of a design file, for editors."""
    import sys

    from convlab.language.files import write_whole
    from convlab.language.schema import design_schema, schema_text

    made = design_schema()
    if space:
        from convlab.spaces.schema import space_schema

        made = space_schema()
    text = schema_text(made)
    if file is not None:
        write_whole(Path(file), text.encode())
        if output.as_json:
            output.json({"written": file})
        return
    if output.as_json:
        output.json({"schema": made})
    else:
        sys.stdout.write(text)


@command(PANEL, "convlab resolve convnext_t --set stages.2.depth=27 --on convnext_t")
def resolve(
    output: Output, design: DesignName, every_knob: EveryKnob = False, base: Base = None, sets: Sets = None
) -> None:
    """Print a design as TOML, with its bases resolved."""
    import sys

    from convlab.cli.arguments import design_of
    from convlab.errors import ConvlabError, Problem
    from convlab.language.files import load
    from convlab.language.writing import table_of, text_in_full, text_of, text_on_base

    if every_knob and base is not None:
        problem = Problem("usage", "--every-knob and --on exclude each other", help="give one of them")
        raise ConvlabError(problem, exit_code=2)
    found = design_of(design, sets)
    text = text_in_full(found) if every_knob else text_of(found)
    if base is not None:
        text = text_on_base(found, load(base), base)
    if output.as_json:
        output.json({"design": found.name, "key": found.key, "table": table_of(found), "toml": text})
    else:
        sys.stdout.write(text)


def _explain_design(output: Output, name: str, sets: Any) -> None:
    from convlab.cli.arguments import design_of
    from convlab.views.comparison import plain_differences
    from convlab.views.portrait import nearest_preset, portrait
    from convlab.views.tables import value_text

    _refuse_unknown(name)
    design = design_of(name, sets)
    nearest = nearest_preset(design)
    if output.as_json:
        near = {"preset": nearest.preset, "same_network": nearest.same_network}
        near["knobs"] = plain_differences(nearest.knobs)
        output.json(
            {
                "design": design.name,
                "summary": design.summary,
                "key": design.key,
                "text": portrait(design),
                "sets": list(sets or ()),
                "nearest": near if nearest.near else None,
            }
        )
        return
    output.heading(f"{design.name}{': ' if design.summary else ''}{design.summary}")
    output.turned(sets)
    for sentence in portrait(design):
        output.text(sentence)
    output.text()
    if not nearest.near:
        output.text(
            f"No preset is near: {nearest.preset} is the nearest, and {len(nearest.knobs)} of its knobs differ."
        )
        return
    same = ", the same network" if nearest.same_network else ""
    count = len(nearest.knobs)
    output.text(
        f"Nearest preset: {nearest.preset}{same}"
        + (f"; {count} knob{'s' * (count > 1)} differ{'s' * (count == 1)}:" if count else ".")
    )
    pairs = [
        (path, [("-" if value is None else value_text(value)) for value in values]) for path, values in nearest.knobs
    ]
    output.facts([(path, f"{own} (there {other})") for path, (own, other) in pairs])


def _refuse_unknown(name: str) -> None:
    """Where the name is neither explained nor that of a design, say what is near."""
    from convlab.errors import ConvlabError, Problem, did_you_mean, quote
    from convlab.paths import expanded
    from convlab.presets import preset_names, preset_path
    from convlab.views.explanations import explained_names

    if name.endswith(".toml") or preset_path(name) is not None or expanded(name).exists():
        return
    meant = did_you_mean(name, (*explained_names(), *preset_names(), *preset_names("spaces")))
    taken = "a knob, a kind, a layer, a figure, an error code, a recipe, a preset, a space or a file"
    help = f"{meant} explain takes {taken}".strip()
    raise ConvlabError(Problem("usage", f"nothing is called {quote(name)}", help=help), exit_code=2)
