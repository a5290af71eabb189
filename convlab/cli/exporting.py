"""The command that hands a design to other programs: export."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convlab.cli.completion import complete_design, complete_format
from convlab.cli.live import live
from convlab.cli.options import DesignName, Force, ImageSize, Seed, Sets, out_option
from convlab.cli.output import Output, command
from convlab.cli.weights import Ignore

if TYPE_CHECKING:
    from collections.abc import Generator

    from convlab.exports import Exported
    from convlab.language.design import Design
    from convlab.views.notes import Note

PANEL = "Build"
CHECKPOINT = ".safetensors"

To = Annotated[
    str,
    typer.Option(
        "--to",
        metavar="FORMAT",
        help="onnx, torch-export, safetensors, hub, toml or python.",
        autocompletion=complete_format,
    ),
]
Out = Annotated[str | None, out_option("PATH", "Where to; the design's name in this folder by default.")]
Weights = Annotated[
    str | None,
    typer.Option(
        "--weights", metavar="FILE|NAME", help="Trained weights; random ones by default.", rich_help_panel="Run"
    ),
]
Base = Annotated[
    str,
    typer.Option("--on", metavar="BASE", help="toml: as what differs from a design.", autocompletion=complete_design),
]
Push = Annotated[
    str,
    typer.Option("--push", metavar="USER/NAME", help="hub: upload the folder, to a public repository if it is new."),
]

Folded = Annotated[
    bool,
    typer.Option("--folded", help="onnx, torch-export: take batch norms and parallel branches into convolutions."),
]


@command(PANEL, "convlab export convnext_t --to onnx -o convnext_t.onnx")
def export(
    output: Output,
    design: DesignName,
    to: To,
    out: Out = None,
    force: Force = False,
    base: Base = "",
    folded: Folded = False,
    push: Push = "",
    sets: Sets = None,
    image: ImageSize = None,
    weights: Weights = None,
    ignore: Ignore = None,
    seed: Seed = None,
) -> None:
    """Write a design for other programs, and check what was written.

    A checkpoint of convlab train (model.safetensors) may stand for DESIGN: it holds the design that it was trained as.
    """
    from convlab.cli.arguments import SEED, design_of, number_of
    from convlab.exports.exporter import begin
    from convlab.exports.origin import Origin

    start = number_of(SEED, seed)
    if design.endswith(CHECKPOINT):
        whose, weights = _inside(design, alone=not (sets or image or weights)), design
    else:
        whose = design_of(design, sets, image)
    origin = Origin(whose, weights, start, base, folded, tuple(ignore or ()))
    found = _followed(begin(origin, to=to, path=out, force=force, push=push), output)
    if output.as_json:
        output.json(_plain(found, push) | {"sets": list(sets or ())})
    else:
        for sentence in _sentences(found, push):
            output.text(sentence)
    output.notes(_notes(found))


def _inside(file: str, *, alone: bool) -> Design:
    """The design that a checkpoint says its weights are of. Raises ConvlabError where it says none."""
    from convlab.errors import ConvlabError, Problem, quote
    from convlab.weights.origins import design_inside
    from convlab.weights.reading import read

    if not alone:
        help = "leave --set, --image and --weights out, or name a design in place of the file"
        raise ConvlabError(Problem("usage", "a checkpoint is exported as it was trained", help=help), exit_code=2)
    read(file)  # tells what is wrong with a file that cannot be read
    found = design_inside(file)
    if found is None:
        help = f"name the design: convlab export DESIGN --weights {file}"
        message = f"{quote(file)} does not say which design its weights are of"
        raise ConvlabError(Problem("usage", message, help=help), exit_code=2)
    return found


def _followed(under_way: Generator[str, None, Exported], output: Output) -> Exported:
    """The end of an export; what is done now is shown on stderr meanwhile, where somebody wants it."""
    with live(output) as shown, closing(under_way):
        try:
            while True:
                shown.step(next(under_way))
        except StopIteration as end:
            found: Exported = end.value
            return found


def _sentences(found: Exported, push: str) -> list[str]:
    from convlab import units

    name = found.origin.design.name
    told = [
        f"{name}: {found.format.title} written to {found.path}, {units.size(found.bytes)}, in {found.seconds:.2f} s"
    ]
    told += [f"  {file}" for file in found.files[1:] if file.parent == found.path.parent]
    if found.checks:
        what = ", ".join(dict.fromkeys(check.what for check in found.checks))
        batches = " and ".join(str(check.batch) for check in found.checks if check.batch is not None)
        what += f", batch {batches}" if batches else ""
        equal = f"max difference {found.difference:.1e} of the largest output" if found.difference else "no difference"
        told.append(f"verified: {equal} ({what})")
    if push:
        told.append(f"uploaded to https://huggingface.co/{push}")
    return told


def _notes(found: Exported) -> list[Note]:
    from convlab.views.notes import Note

    if found.format.weights and found.origin.weights is None:
        message = f"the weights are random (seed {found.origin.seed})"
        return [Note("weights", message, "--weights FILE writes trained ones")]
    if found.random:
        why = (
            "since they are ignored or the given weights lack them"
            if found.origin.ignore
            else "since the given weights lack them"
        )
        message = f"random, {why}: {', '.join(found.random)}"
        return [Note("weights", message, "fine-tune the network, or take weights that are whole")]
    return []


def _plain(found: Exported, push: str) -> dict[str, Any]:
    design, origin = found.origin.design, found.origin
    weights = {
        "source": origin.weights,
        "seed": origin.seed if origin.weights is None else None,
        "random": found.random,
    }
    return {
        "design": design.name,
        "key": design.key,
        "format": found.format.name,
        "folded": origin.folded,
        "path": str(found.path),
        "files": [str(file) for file in found.files],
        "bytes": found.bytes,
        "weights": weights if found.format.weights else None,
        "checks": [check._asdict() for check in found.checks],
        "difference": found.difference,
        "pushed": push or None,
        "seconds": found.seconds,
    }
