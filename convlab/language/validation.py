"""What must hold of a design as a whole: groups that divide, maps that do not vanish, strides that can be reached."""

from __future__ import annotations

import operator
from itertools import accumulate

from convlab.errors import ConvlabError, Problem, quote
from convlab.language.attending import attention_faults
from convlab.language.blocks import ORDERS, Block
from convlab.language.design import Design, Network, lower, stem_stride, strides
from convlab.layers import Shape, walk


def faults(design: Design, image: Shape | None = None) -> list[Problem]:
    """Everything that is wrong with a design, by knob path, without a place in a file; empty for a valid design."""
    structural = structural_faults(design)
    if structural:
        return structural
    network = lower(design)
    broken = [
        Problem(check.code, check.message.format(*check.values), help=check.help, path=check.path)
        for check in dict.fromkeys(network.checks)
        if not check.holds
    ]
    return broken + stride_faults(design) + ([] if broken else _vanished(network, image or design.image.shape))


def validated(design: Design, image: Shape | None = None) -> Design:
    """The design, if it is valid; else ConvlabError with all that is wrong."""
    problems = faults(design, image)
    if problems:
        raise ConvlabError(*problems)
    return design


def structural_faults(design: Design) -> list[Problem]:
    """What is wrong whatever the sizes are, and keeps the design from having layers. Raises ConvlabError for what is no design."""
    if not hasattr(design, "stages"):
        help = "convlab.load gives the design of a file or of a preset's name"
        raise ConvlabError(Problem("usage", f"a design is due, not {quote(design)}", help=help), exit_code=2)
    found = _names(design) + _empty(design.stem.kind, design.stem.branch, "stem")
    for index, stage in enumerate(design.stages):
        found += _empty(stage.downsample.kind, stage.downsample.branch, f"stages.{index}.downsample")
        if stage.block.kind == "custom":
            found += _empty_block(stage.block, f"stages.{index}.block")
        elif stage.block.squeeze_ratio:
            found += _squeeze(stage.block, f"stages.{index}.block")
    return found or attention_faults(design)


def _empty(kind: str, branch: tuple[str, ...], path: str) -> list[Problem]:
    """A custom stem or downsampling without layers."""
    if kind != "custom" or branch:
        return []
    help = 'write branch = ["conv(3, 1x)", "norm", "activation"]'
    return [Problem("missing-key", f"a custom {path.rpartition('.')[2]} needs layers", help=help, path=f"{path}.kind")]


def _empty_block(block: Block, path: str) -> list[Problem]:
    if all(block.branches or (block.branch,)):
        return []
    help = 'write branch = ["depthwise(7)", "norm", "pointwise(4x)", "activation", "pointwise(1x)"], or branches'
    knob = f"branches.{block.branches.index(())}" if block.branches else "kind"
    return [Problem("missing-key", "a custom block needs layers", help=help, path=f"{path}.{knob}")]


def _squeeze(block: Block, path: str) -> list[Problem]:
    """Squeeze-excite after a convolution that the block's order lacks would silently be none."""
    roles = ORDERS[block.order]
    if block.squeeze_after in roles:
        return []
    message = f'squeeze-excite follows "{block.squeeze_after}", a convolution that blocks of order "{block.order}" lack'
    help = "write squeeze_after = " + " or ".join(f'"{role}"' for role in roles)
    return [Problem("out-of-range", message, help=help, path=f"{path}.squeeze_after")]


def _names(design: Design) -> list[Problem]:
    if design.names == "timm" or len(design.stages) == 1:
        return []
    message = f"facebookresearch's names are those of a design of one stage, this one has {len(design.stages)}"
    return [Problem("out-of-range", message, help='write names = "timm"', path="names")]


def stride_faults(design: Design) -> list[Problem]:
    """An output stride that the stem and the stages do not reach."""
    wanted = design.output_stride
    reached = stem_stride(design.stem)
    whole = reached
    for stage, taken in zip(design.stages, strides(design), strict=True):
        whole *= stage.stride
        reached *= taken.stride
    if wanted in (0, reached) or wanted > whole:
        return []
    help = f"strides that can be reached: {', '.join(map(str, sorted(_reachable(design))))}"
    return [Problem("out-of-range", f"an output stride of {wanted} cannot be reached", help=help, path="output_stride")]


def _reachable(design: Design) -> set[int]:
    """The strides of the stem and of the stages, each with those before it."""
    strides = [stage.stride for stage in design.stages]
    return set(accumulate(strides, operator.mul, initial=stem_stride(design.stem)))


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
