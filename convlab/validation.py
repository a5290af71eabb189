"""What must hold of a design as a whole: groups that divide, maps that do not vanish, strides that can be reached."""

from __future__ import annotations

from convlab.design import Design, Network, lower, stem_stride, strides
from convlab.errors import ConvlabError, Problem
from convlab.layers import Shape, walk


def faults(design: Design, image: Shape | None = None) -> list[Problem]:
    """Everything that is wrong with a design, by knob path, without a place in a file; empty for a valid design."""
    structural = _empty_blocks(design) + _names(design)
    if structural:
        return structural
    network = lower(design)
    broken = [
        Problem(check.code, check.message.format(*check.values), help=check.help, path=check.path)
        for check in dict.fromkeys(network.checks)
        if not check.holds
    ]
    return broken + _output_stride(design) + ([] if broken else _vanished(network, image or design.image.shape))


def validated(design: Design, image: Shape | None = None) -> Design:
    """The design, if it is valid; else ConvlabError with all that is wrong."""
    problems = faults(design, image)
    if problems:
        raise ConvlabError(*problems)
    return design


def _empty_blocks(design: Design) -> list[Problem]:
    return [
        Problem(
            "missing-key",
            "a custom block without layers",
            help='write branch = ["depthwise(7)", "norm", "pointwise(4x)", "activation", "pointwise(1x)"], or branches',
            path=f"stages.{index}.block.kind",
        )
        for index, stage in enumerate(design.stages)
        if stage.block.kind == "custom" and not stage.block.branch and not any(stage.block.branches)
    ]


def _names(design: Design) -> list[Problem]:
    if design.names == "timm" or len(design.stages) == 1:
        return []
    message = f"facebookresearch's names are those of isotropic designs, this one has {len(design.stages)} stages"
    return [Problem("out-of-range", message, help='names = "timm"', path="names")]


def _output_stride(design: Design) -> list[Problem]:
    wanted = design.output_stride
    reached = stem_stride(design.stem)
    whole = reached
    for stage, taken in zip(design.stages, strides(design), strict=True):
        whole *= stage.stride
        reached *= taken.stride
    if wanted in (0, reached) or wanted > whole:
        return []
    help = f"the stem's stride is {stem_stride(design.stem)}, the stages' {', '.join(str(stage.stride) for stage in design.stages)}"
    return [Problem("out-of-range", f"an output stride of {wanted} cannot be reached", help=help, path="output_stride")]


def _vanished(network: Network, image: Shape) -> list[Problem]:
    x = image
    for part in network.parts:
        for row in walk(part.tree, x, part.path):
            if row.output.height < 1 or row.output.width < 1:
                size = f"{row.input.height}x{row.input.width}"
                message = f"the map vanishes: {row.layer.label()} at {row.path} gets {size} px"
                return [
                    Problem(
                        "map-vanishes",
                        message,
                        help="a larger image, smaller strides or fewer stages",
                        path="image.size",
                    )
                ]
        x = part.tree.output(x)
    return []
