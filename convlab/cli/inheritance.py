"""The command that brings weights into a changed design."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from convlab.cli.completion import complete_design
from convlab.cli.options import Force, Seed, Sets
from convlab.cli.output import Output, command
from convlab.cli.weights import PANEL, Out, Source

Into = Annotated[
    str,
    typer.Option(
        "--design", metavar="DESIGN", help="The design that inherits the weights.", autocompletion=complete_design
    ),
]
SourceDesign = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="DESIGN",
        help="The design that the weights were trained with, where the file does not say it.",
        autocompletion=complete_design,
    ),
]
NewBlocks = Annotated[
    str,
    typer.Option(
        "--new-blocks",
        metavar="identity|copy|fresh",
        help="What blocks of a deeper stage become: copies that start silent, copies, or as initialised.",
    ),
]


@command(PANEL, "convlab weights inherit convnext_t.pth --design convnext_t --set block.kernel_size=9")
def inherit(
    output: Output,
    source: Source,
    design: Into,
    source_design: SourceDesign = None,
    new_blocks: NewBlocks = "identity",
    out: Out = None,
    force: Force = False,
    seed: Seed = None,
    sets: Sets = None,
) -> None:
    """Bring weights into a changed design: what fits by role is kept, the rest is fresh, and each tensor is told of."""
    from convlab.cli.arguments import SEED, choice_of, design_of, number_of
    from convlab.cli.weights import refuse_target
    from convlab.language.files import load
    from convlab.models import build
    from convlab.weights.converting import write
    from convlab.weights.inheritance import inherit_weights
    from convlab.weights.inheritance.matching import NEW_BLOCKS

    chosen = choice_of("new-blocks", new_blocks, NEW_BLOCKS)
    start = number_of(SEED, seed)
    heir = design_of(design, sets)
    before = None if source_design is None else load(source_design)
    target = Path(out or f"{Path(heir.name).name}_inherited.safetensors")
    refuse_target(target, force)
    model = build(heir, seed=start)
    found = inherit_weights(model, source, source_design=before, new_blocks=chosen)
    write(model.state_dict(), target, design=heir, layout="convlab")
    if output.as_json:
        rest = {"path": str(target), "seed": start, "new_blocks": chosen, "sets": list(sets or ())}
        output.json({**found.plain(), "key": heir.key, **rest})
        return
    first, *lines = str(found).splitlines()
    output.heading(first)
    output.turned(sets)
    for line in lines:
        output.text(line)
    output.text(f"written to {target}; what is fresh was drawn with seed {start}")
