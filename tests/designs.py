"""The designs over which the laws are swept: all presets, a pairwise covering array of the language, and random designs."""

import dataclasses
import random
from functools import cache
from itertools import combinations, pairwise, product

import pytest
from hypothesis import assume
from hypothesis import strategies as st

from convlab.language.assigning import assign
from convlab.language.blocks import ATTENTION_KINDS, ORDERS
from convlab.language.design import Design, stem_stride
from convlab.language.files import load
from convlab.language.validation import faults
from convlab.layers import ACTIVATIONS, NORMS
from convlab.presets import preset_names

PRESETS = (*preset_names(), *preset_names("roadmap"))
NAMED_KINDS = (
    "basic",
    "bottleneck",
    "inverted",
    "convnext",
    "convnext_v2",
    "mbconv",
    "fused_mbconv",
    "regnet_x",
    "regnet_y",
)


def design_of(table):
    """The design of a table as a file holds it; it must be valid."""
    design = turned(table)
    assert not faults(design), faults(design)
    return design


def turned(table):
    """The design of a table whose every value is accepted; groups that do not divide, or a vanishing map, may remain."""
    found = assign(Design(), table)
    assert not found.faults, found.faults
    return found.design


@cache
def preset(name):
    """A preset's design."""
    return load(name)


@cache
def small(name):
    """A preset at widths, depths, classes and an image small enough to be run at once."""
    design = preset(name)
    for divisor in (8, 4, 2):
        stages = tuple(
            dataclasses.replace(
                stage,
                width=stage.width // divisor,
                depth=min(stage.depth, 3),
                block=narrower(stage.block, divisor),
            )
            for stage in design.stages
        )
        smaller = dataclasses.replace(
            design,
            stages=stages,
            stem=dataclasses.replace(design.stem, width=design.stem.width // divisor),
            image=dataclasses.replace(design.image, size=64),
            head=dataclasses.replace(design.head, classes=10, convolution=design.head.convolution // divisor),
        )
        if not faults(smaller):
            return smaller
    raise AssertionError(f"{name} cannot be made small")


def shallow(design):
    """A design with at most two blocks a stage."""
    return dataclasses.replace(
        design, stages=tuple(dataclasses.replace(stage, depth=min(stage.depth, 2)) for stage in design.stages)
    )


def narrower(block, divisor):
    """A block for a width that is divided."""
    if block.kind not in ATTENTION_KINDS:
        return block
    return dataclasses.replace(block, head_width=max(1, block.head_width // divisor))


def structure(design):
    """What is left of a design without its sizes and rates: how many stages, of which blocks, and where widths stay."""
    stages = tuple(
        dataclasses.replace(
            stage, width=1, depth=1, block=dataclasses.replace(stage.block, group_width=min(stage.block.group_width, 1))
        )
        for stage in design.stages
    )
    widths = (design.stem.width or design.stages[0].width, *design.widths)
    convolution, dropout = min(design.head.convolution, 1), min(design.head.dropout, 0.1)
    head = dataclasses.replace(design.head, convolution=convolution, dropout=dropout)
    stem = dataclasses.replace(design.stem, width=1)
    return stages, tuple(one == other for one, other in pairwise(widths)), stem, head, design.names, design.norm_eps


def one_of_each_structure(names):
    """The first preset of each structure: the others differ from it in sizes, of which the laws try many anyway."""
    first = {}
    for name in names:
        first.setdefault(structure(preset(name)), name)
    return tuple(first.values())


SHALLOWEST = one_of_each_structure(sorted(PRESETS, key=lambda name: sum(preset(name).depths)))
"""One preset of each structure, for what takes long: the one of the fewest blocks."""

REST_SLOW = [name if name in SHALLOWEST else pytest.param(name, marks=pytest.mark.slow) for name in PRESETS]
"""All presets, for what hangs on their structure: those that differ from one of the above in sizes with the slow tests."""

# The factors of the covering array. Widths are multiples of 16, so that groups divide whatever the other factors are.
FACTORS = {
    "kind": NAMED_KINDS,
    "order": ("", *ORDERS),
    "norm": (*NORMS, "none"),
    "activation": (*ACTIVATIONS, "none"),
    "kernel_size": (1, 2, 3, 4, 5, 7),
    "groups": (1, 2, "depthwise", "group_width 4", "group_width 12"),
    "expansion": ((0.5, "output"), (1.0, "output"), (2.0, "input"), (4.0, "input"), (2.3, "output")),
    "squeeze": (
        (0.0, "hidden", "spatial"),
        (0.25, "input", "spatial"),
        (0.3, "hidden", "expand"),
        (0.5, "output", "project"),
    ),
    "grn": (False, True),
    "layer_scale": (0.0, 0.5),
    "bias": (False, True),
    "pointwise": ("conv", "linear"),
    "shortcut": (("projection", True), ("projection", False), ("identity", True), ("none", True)),
    "stride_at": ("spatial", "expand"),
    "norm_after": (None, (), ("expand", "spatial", "project")),
    "activation_after": (None, (), ("expand", "spatial", "project", "output")),
    "dilation": ("none", "dilations", "output_stride"),
    "stem": (
        {"kind": "patchify", "patch_size": 2},
        {"kind": "patchify", "patch_size": 3, "activation": "relu", "bias": False},
        {"kind": "conv", "norm": "none"},
        {"kind": "conv", "kernel_size": 4, "pool": "average", "width": 48},
        {"kind": "conv", "kernel_size": 3, "pool": "none", "bias": True},
        {"kind": "overlap", "stride": 3, "norm": "rms_norm"},
        {"kind": "deep", "activation": "gelu"},
        {"kind": "deep", "layers": 2, "pool": "none", "norm": "group_norm"},
        {"kind": "custom", "branch": ["conv(3, 0.5x, stride=2)", "norm", "activation", "conv(2, 1x)"], "bias": True},
        {"kind": "custom", "branch": ["parallel(chain(conv(stride=3), norm), conv(1, stride=3))"], "kernel_size": 5},
    ),
    "downsample": (
        {"kind": "separate"},
        {"kind": "separate", "kernel_size": 3, "norm": "batch_norm"},
        {"kind": "separate", "kernel_size": 4, "norm": "none", "bias": False},
        {"kind": "in_block"},
        {"kind": "max_pool"},
        {"kind": "max_pool", "kernel_size": 3, "norm": "layer_norm"},
        {"kind": "average_pool", "kernel_size": 3},
        {"kind": "average_pool", "norm": "none", "bias": True},
        {"kind": "custom", "branch": ["norm", "pointwise(1x)", "depthwise", "norm", "activation"]},
        {"kind": "custom", "branch": ["parallel(conv(4), conv(2), norm)", "activation(gelu)"], "activation": "none"},
    ),
    "macro": (
        {"depths": [1, 2], "widths": [16, 32]},
        {"depths": [2, 3, 1], "widths": [16, 32, 32]},
        {"depths": [3, 1], "widths": [32, 32], "strides": [2, 2]},
        {"depths": [1, 1, 2], "widths": [16, 16, 48], "strides": [1, 1, 2]},
        {"depths": [2], "widths": [32]},
        {"widths": {"quantized_linear": {"initial": 16, "slope": 16.0, "multiplier": 2.0, "depth": 4}}},
    ),
    "image": ({"size": 48}, {"size": [51, 37], "channels": 1}, {"size": [45, 64], "channels": 4}, {"size": 39}),
    "head": (
        {},
        {"norm": "none", "pool": "max", "classes": 7},
        {"norm_at": "before_pool", "hidden": 24, "classes": 5, "bias": False},
        {"norm": "batch_norm", "norm_at": "before_pool", "dropout": 0.2, "classes": 0},
        {"hidden": 20, "activation": "none", "norm": "rms_norm", "classes": 3, "dropout": 0.1},
        {"convolution": 20, "norm": "none", "classes": 6},
        {"convolution": 12, "convolution_norm": "layer_norm", "convolution_activation": "none", "classes": 4},
        {"convolution": 9, "convolution_norm": "none", "convolution_activation": "relu6", "classes": 0},
    ),
}


def _table(row):
    """The table of one row of the covering array; what cannot be combined is replaced by what can."""
    order, groups = row["order"], row["groups"]
    block = {
        name: row[name]
        for name in ("kind", "norm", "activation", "kernel_size", "layer_scale", "bias", "pointwise", "grn")
    }
    block["stride_at"] = row["stride_at"]
    block |= {"order": order} if order else {}
    block |= {name: row[name] for name in ("norm_after", "activation_after") if row[name] is not None}
    block["expansion_ratio"], block["expansion_of"] = row["expansion"]
    block["squeeze_ratio"], block["squeeze_of"], block["squeeze_after"] = row["squeeze"]
    block["shortcut"], block["shortcut_norm"] = row["shortcut"]
    block["group_width"] = 0
    if isinstance(groups, str) and groups.startswith("group_width"):
        block["group_width"] = int(groups.removeprefix("group_width "))
    else:
        block["groups"] = groups
    table = {"block": block, "stem": dict(row["stem"]), "downsample": dict(row["downsample"]), "head": row["head"]}
    table |= {**row["macro"], "image": row["image"], "drop_path": 0.1}
    if row["dilation"] == "dilations":
        table["dilations"] = 2
    design = turned(table)
    if row["dilation"] == "output_stride":
        table["output_stride"] = stem_stride(design.stem) * design.stages[0].stride
        design = turned(table)
    if any(fault.code == "groups-do-not-divide" for fault in faults(design)):
        block["groups"], block["group_width"] = 1, 0
    return table


@cache
def covering():
    """Designs in which every pair of values of two factors occurs (but for the few pairs that cannot be)."""
    draw = random.Random(0)
    names = tuple(FACTORS)
    missing = {
        ((one, first), (other, second))
        for one, other in combinations(range(len(names)), 2)
        for first, second in product(range(len(FACTORS[names[one]])), range(len(FACTORS[names[other]])))
    }
    designs = {}
    while missing:
        chosen = dict(draw.choice(sorted(missing)))
        order = [index for index in range(len(names)) if index not in chosen]
        draw.shuffle(order)
        for index in order:
            gains = [
                (
                    sum(
                        (min((at, value), (index, option)), max((at, value), (index, option))) in missing
                        for at, value in chosen.items()
                    ),
                    draw.random(),
                    option,
                )
                for option in range(len(FACTORS[names[index]]))
            ]
            chosen[index] = max(gains)[2]
        missing -= set(combinations(sorted(chosen.items()), 2))
        row = {names[index]: FACTORS[names[index]][value] for index, value in chosen.items()}
        design = turned(_table(row))
        if not faults(design):
            designs[f"pair{len(designs)}-{row['kind']}"] = design
    return designs


BRANCHES = (
    ["depthwise(7)", "norm", "pointwise(4x)", "activation", "grn", "pointwise(1x)", "layer_scale"],
    ["conv(3, 0.5x)", "norm(batch_norm)", "activation(relu)", "conv(4, 1x, groups=2)", "norm", "layer_scale(0.1)"],
    ["parallel(depthwise(5), depthwise(2), identity)", "norm", "pointwise(2x)", "activation", "pointwise(1x)"],
    ["parallel(chain(conv(3, 24), norm, activation), pointwise(24))", "pointwise(1x)", "squeeze_excite(0.25)"],
    ["max_pool(3)", "pointwise(1x)", "activation(hardswish)"],
    ["average_pool(3)", "conv(1, 1x)", "activation", "dropout(0.2)"],
    ["pointwise(1.3x)", "depthwise(4, dilation=2)", "activation", "pointwise(1x)", "norm(group_norm)"],
    ["squeeze_excite(0.5)", "depthwise(3)", "norm(rms_norm)", "activation(silu)", "conv(2, width=1x, dilation=3)"],
    ["parallel(chain(depthwise(3), parallel(pointwise(1x), conv(3, 1x))), conv(5, 1x))", "activation(mish)"],
    ["conv(3, 1x)", "identity", "norm(layer_norm)", "activation"],
    ["parallel(identity, depthwise(3), chain(norm, pointwise(1x)))"],
    ["dropout(0.3)"],
    ["parallel(depthwise(3), identity, pointwise(1x))", "norm"],
    ["parallel(conv(3, 1x), identity, identity)"],
    [
        "split(depthwise(3), depthwise(2), depthwise(5), depthwise(7))",
        "norm",
        "pointwise(2x)",
        "activation",
        "pointwise(1x)",
    ],
    ["pointwise(2x)", "split(chain(norm, pointwise(8), activation), conv(3, 24))", "pointwise(1x)", "layer_scale"],
    ["split(identity, parallel(identity, depthwise(3)))", "activation(silu)", "conv(3, 1x)"],
    [
        "parallel(chain(conv(3, 1x), norm(batch_norm)), chain(conv(1, 1x), norm), norm)",
        "activation",
        "pointwise(1x)",
        "norm",
    ],
    [
        "norm",
        "pointwise(2x)",
        "parallel(depthwise, chain(depthwise(3, dilation=2), norm), depthwise(2))",
        "pointwise(1x)",
    ],
)
SEVERAL_BRANCHES = (
    [
        ["norm", "depthwise(7)", "layer_scale"],
        ["norm", "pointwise(4x)", "activation", "grn", "pointwise(1x)", "layer_scale(0.5)"],
    ],
    [["conv(3, 1x)", "norm"], ["parallel(depthwise(3), identity)", "activation"], ["pointwise(2x)", "pointwise(1x)"]],
)


@cache
def custom():
    """Designs of blocks written as layers, with strides carried by the block or by a layer between the stages, and dilated."""
    designs = {}
    blocks = [{"branch": branch} for branch in BRANCHES] + [{"branches": branches} for branches in SEVERAL_BRANCHES]
    for index, block in enumerate(blocks):
        for kind, others in (
            ("separate", {"stem": {"norm": "batch_norm"}, "head": {"classes": 4}}),
            (
                "in_block",
                {
                    "stem": {"kind": "conv", "pool": "none"},
                    "output_stride": 4 * (index % 2),
                    "head": {"norm": "none", "classes": 4},
                },
            ),
            (
                "average_pool",
                {
                    "stem": {"kind": "patchify", "patch_size": 2},
                    "dilations": [1, 2],
                    "head": {"norm_at": "before_pool", "classes": 4},
                },
            ),
        ):
            norm = ("layer_norm", "batch_norm", "none")[index % 3]
            table = {
                "depths": [2, 2],
                "widths": [16, 32],
                "image": {"size": [40, 33]},
                "downsample": {"kind": kind},
                **others,
            }
            table["block"] = {
                "kind": "custom",
                "norm": norm,
                "activation": "gelu",
                "bias": index % 2 == 0,
                "pointwise": ("conv", "linear")[index % 2],
            } | block
            design = turned(table)
            if not faults(design):
                designs[f"custom{index}-{kind}"] = design
    hybrid = {
        "depths": [1, 2, 1],
        "widths": [16, 32, 32],
        "image": {"size": 37},
        "head": {"classes": 6},
        "block": {"kind": "bottleneck"},
    }
    hybrid["stages"] = {
        "1": {"block": {"kind": "custom", "branch": list(BRANCHES[2])}, "downsample": {"kind": "in_block"}, "depth": 1},
        "2": {"block": {"kind": "convnext_v2", "kernel_size": 4}},
    }
    return designs | {"hybrid": design_of(hybrid)}


@cache
def attention():
    """Designs of attention: windows of all sorts over maps that they tile or do not, tokens, and convolutions beside them."""
    swin = {"depths": [2, 3], "widths": [16, 32], "image": {"size": [40, 52]}, "downsample": {"kind": "patch_merging"}}
    swin |= {"block": {"kind": "swin", "window": 4, "head_width": 8}, "head": {"classes": 4}, "drop_path": 0.1}
    vit = {"depths": [2], "widths": [24], "image": {"size": [24, 20]}, "block": {"kind": "vit", "heads": 3}}
    vit |= {"head": {"pool": "token", "norm_at": "before_pool", "classes": 5}}
    vit |= {"stem": {"norm": "none", "class_token": True, "position_embedding": True}}
    tables = {
        "swin": swin,
        "swin-odd": swin | {"depths": [1, 1], "image": {"size": [37, 45], "channels": 1}, "norm_eps": 1e-3},
        "swin-plain": swin | {"block": swin["block"] | {"shift": False, "relative_position": False, "bias": False}},
        "swin-shift": swin | {"block": swin["block"] | {"relative_position": False, "norm": "rms_norm"}},
        "swin-one-head": swin | {"block": swin["block"] | {"heads": 1, "window": 5, "layer_scale": 0.1}},
        "swin-wide": swin | {"block": swin["block"] | {"window": 16, "grn": True, "pointwise": "conv"}},
        "swin-stride": swin | {"strides": [2, 3], "widths": [16, 24], "stem": {"kind": "overlap", "stride": 2}},
        "swin-same": swin | {"strides": [1, 1], "downsample": {"kind": "patch_merging", "norm": "none", "bias": True}},
        "swin-pooled": swin | {"downsample": {"kind": "max_pool"}, "head": {"classes": 0, "pool": "max"}},
        "vit": vit,
        "vit-token": vit | {"stem": {"class_token": True}, "widths": [16], "block": {"kind": "vit", "head_width": 4}},
        "vit-map": vit | {"stem": {"position_embedding": True}, "head": {"norm": "none", "hidden": 8, "classes": 3}},
        "vit-stages": vit
        | {"depths": [1, 1], "widths": [16, 24], "stem": {}, "head": {}, "block": {"kind": "vit", "heads": 2}},
        "hybrid-attention": {
            "depths": [2, 1, 2, 1],
            "widths": [16, 16, 32, 32],
            "image": {"size": [45, 70]},
            "head": {"classes": 3},
            "stages": {
                "1": {"block": {"kind": "swin", "head_width": 8, "window": 3}},
                "2": {"block": {"kind": "bottleneck"}, "downsample": {"kind": "patch_merging"}},
                "3": {"block": {"kind": "vit", "heads": 4}, "downsample": {"kind": "average_pool"}},
            },
        },
        "custom-attention": swin
        | {
            "block": {
                "kind": "custom",
                "heads": 2,
                "norm": "layer_norm",
                "bias": True,
                "relative_position": True,
                "branches": [
                    ["norm", "window_attention(5)", "layer_scale"],
                    ["parallel(window_attention(3, shift=1, heads=4), depthwise(3))", "norm"],
                    ["norm", "pointwise(2x)", "activation", "pointwise(1x)"],
                ],
            },
        },
        "custom-global": swin
        | {"block": {"kind": "custom", "heads": 2, "branch": ["depthwise(3)", "norm", "attention"]}},
    }
    return {f"attention-{name}": design_of(table) for name, table in tables.items()}


SWEEP = {
    **{f"small {name}": (small, name) for name in one_of_each_structure(PRESETS)},
    **{name: (lambda name: covering()[name], name) for name in covering()},
    **{name: (lambda name: custom()[name], name) for name in custom()},
    **{name: (lambda name: attention()[name], name) for name in attention()},
}
"""The names of all designs that are small enough to be run, and how to get them."""


def swept(name):
    """A design of the sweep by its name; of presets of one structure, of which the sweep holds the first, each can be had."""
    if name.startswith("small "):
        return small(name.removeprefix("small "))
    make, argument = SWEEP[name]
    return make(argument)


def _layer_text(draw, width, depth=0):
    kind = draw(st.sampled_from(("depthwise", "conv", "pointwise", "parallel", "pool")[: 5 if depth == 0 else 3]))
    kernel_size, dilation = draw(st.integers(1, 6)), draw(st.integers(1, 2))
    if kind == "depthwise":
        return f"depthwise({kernel_size}, dilation={dilation})"
    if kind == "conv":
        return f"conv({kernel_size}, {width}, groups={draw(st.sampled_from((1, 2)))}, dilation={dilation})"
    if kind == "pool":
        return draw(st.sampled_from(("average_pool(3)", "max_pool(3)", "average_pool(5)")))
    if kind == "pointwise":
        return f"pointwise({width})"
    one, other = _layer_text(draw, width, 1), _layer_text(draw, width, 1)
    return f"parallel(chain({one}, conv({kernel_size}, {width})), chain(pointwise({width}), {other}))"


@st.composite
def _blocks(draw, with_global):
    activation = draw(st.sampled_from(("relu", "gelu", "none")))
    norm = draw(st.sampled_from(("batch_norm", "layer_norm", "none", *(("group_norm",) if with_global else ()))))
    table = {
        "activation": activation,
        "norm": norm,
        "bias": draw(st.booleans()),
        "pointwise": draw(st.sampled_from(("conv", "linear"))),
    }
    table["shortcut"] = draw(st.sampled_from(("projection", "identity", "none")))
    if draw(st.integers(0, 3)) == 0:
        widths = draw(st.lists(st.sampled_from(("1x", "2x", "0.5x", "8")), min_size=0, max_size=2))
        branch = []
        for width in (*widths, "1x"):
            branch += [_layer_text(draw, width), *draw(st.sampled_from(((), ("norm", "activation"), ("activation",))))]
        branch += ["pointwise(1x)"] if "1x" not in branch[-1] else []
        branch += draw(
            st.sampled_from(((), ("layer_scale(0.1)",), *((("squeeze_excite(0.5)",), ("grn",)) if with_global else ())))
        )
        return table | {"kind": "custom", "branch": branch}
    if draw(st.integers(0, 4)) == 0:
        table |= {"kind": "swin", "window": draw(st.integers(0 if with_global else 1, 6)), "grn": False}
        table |= {"shift": draw(st.booleans()), "relative_position": draw(st.booleans())}
        table |= {"heads": draw(st.sampled_from((0, 1, 2))), "head_width": draw(st.sampled_from((4, 8)))}
        del table["shortcut"]
        return table
    kind = draw(st.sampled_from(NAMED_KINDS))
    table |= {"kind": kind, "order": draw(st.sampled_from(tuple(ORDERS))), "kernel_size": draw(st.integers(1, 7))}
    table |= {"groups": draw(st.sampled_from((1, 2, "depthwise"))), "group_width": draw(st.sampled_from((0, 0, 4)))}
    table |= {
        "expansion_ratio": draw(st.sampled_from((0.5, 1.0, 2.0, 1.37))),
        "layer_scale": draw(st.sampled_from((0.0, 0.1))),
    }
    table |= {
        "expansion_of": draw(st.sampled_from(("input", "output"))),
        "stride_at": draw(st.sampled_from(("spatial", "expand"))),
    }
    table |= {
        "grn": with_global and draw(st.booleans()),
        "squeeze_ratio": draw(st.sampled_from((0.0, 0.25))) if with_global else 0.0,
    }
    return table


@st.composite
def designs(draw, with_global=True):
    """Small random designs: 1 to 3 stages, each with its own block and downsampling; ``with_global``: layers may see the whole map."""
    count = draw(st.integers(1, 3))
    stages = {}
    for index in range(count):
        block = draw(_blocks(with_global))
        kinds = ("separate", "max_pool", "average_pool", "patch_merging", "in_block")
        downsample = {"kind": draw(st.sampled_from(kinds[: 4 if block["kind"] == "swin" else 5]))}
        if downsample["kind"] != "in_block":
            downsample["norm"] = draw(st.sampled_from(("layer_norm", "none")))
        if downsample["kind"] not in ("in_block", "patch_merging"):
            downsample["kernel_size"] = draw(st.integers(1, 4))
        stages[str(index)] = {"block": block, "downsample": downsample}
    stem = {
        "kind": draw(st.sampled_from(("patchify", "conv", "overlap", "deep"))),
        "norm": draw(st.sampled_from(("batch_norm", "none"))),
    }
    if stem["kind"] == "patchify":
        stem["patch_size"] = draw(st.integers(1, 4))
    else:
        stem |= {"stride": draw(st.integers(1, 3)), "kernel_size": draw(st.integers(1, 5))}
    if stem["kind"] in ("conv", "deep"):
        stem["pool"] = draw(st.sampled_from(("none", "max", "average")))
    table = {
        "depths": [draw(st.integers(1, 3)) for _ in range(count)],
        "widths": [draw(st.sampled_from((8, 16, 24))) for _ in range(count)],
        "strides": [draw(st.integers(1, 3)) for _ in range(count)],
        "dilations": [draw(st.integers(1, 2)) for _ in range(count)],
        "image": {
            "size": [draw(st.integers(20, 60)), draw(st.integers(20, 60))],
            "channels": draw(st.sampled_from((1, 3))),
        },
        "head": {"classes": draw(st.sampled_from((0, 5))), "norm": draw(st.sampled_from(("layer_norm", "none")))},
        "stem": stem,
        "stages": stages,
    }
    design = turned(table)
    assume(not faults(design))
    return design
