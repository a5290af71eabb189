"""The spaces over which the laws of spaces are swept: the presets, and random ones with all rules, scales and kinds of knobs."""

import random
from functools import cache

import tomlkit

from convlab.costs import profile
from convlab.errors import ConvlabError
from convlab.language.validation import faults
from convlab.presets import preset_names
from convlab.spaces.factors import RULES
from convlab.spaces.limits import LIMITED
from convlab.spaces.reading import load_space

PRESETS = preset_names("spaces")


@cache
def preset(name):
    return load_space(name)


def space_of(folder, table, name="mine"):
    """The space of a table as a file holds it."""
    path = folder / f"{name}.toml"
    path.write_text(tomlkit.dumps(table))
    return load_space(path)


BASE = {"depths": [1, 2], "widths": [8, 16], "image": {"size": 32}, "head": {"classes": 10}}
"""A small design to vary."""


def varied(folder, vary, *, rules=None, limits=None, **base):
    """The space of a small design with these knobs varied."""
    tables = {"vary": vary, "rules": rules or {}, "limits": limits or {}}
    return space_of(folder, BASE | base | {key: value for key, value in tables.items() if value})


REFUSALS = {"groups-do-not-divide", "map-vanishes", "empty-space", "unknown-key", "out-of-range"}
"""What may be wrong with a random space; another one is tried then."""


def random_space(folder, seed):
    """A random space of 1 to 6 stages around a random valid design."""
    draw = random.Random(f"space {seed}")
    for _ in range(200):
        try:
            return space_of(folder, _table(draw), f"random{seed}")
        except ConvlabError as error:
            if {problem.code for problem in error.problems} - REFUSALS:
                raise
    raise AssertionError(f"no valid base for {seed}")


def fault_and_costs(space, index):
    """What is wrong with one member, and its costs, as single designs give them."""
    try:
        design = space[index]
    except ConvlabError as error:
        return error.problems[0].code, dict.fromkeys(LIMITED, 0)
    problems = faults(design)
    if problems:
        return problems[0].code, dict.fromkeys(LIMITED, 0)
    found = profile(design)
    own = {"training_macs": found.training_macs, "peak_bytes": found.peak_bytes()}
    return "", {metric: own[metric] if metric in own else found.total(metric) for metric in LIMITED}


def _table(draw):
    count = draw.randint(1, 6)
    stem = draw.choice(
        ({"kind": "patchify", "patch_size": 2}, {"kind": "conv", "kernel_size": 3}, {"kind": "deep", "layers": 2})
    )
    table = {
        "depths": [draw.randint(1, 3) for _ in range(count)],
        "widths": [draw.choice((8, 16, 24, 32)) for _ in range(count)],
        "strides": [draw.choice((1, 1, 2)) for _ in range(count)],
        "image": {"size": draw.choice((32, 45, 64))},
        "stem": {**stem, "width": draw.choice((0, 8, 16))},
        "downsample": {"kind": draw.choice(("separate", "in_block", "max_pool", "average_pool"))},
        "head": {"classes": draw.choice((0, 10))},
        "block": {"kind": draw.choice(("convnext", "bottleneck", "inverted", "mbconv", "basic", "regnet_y"))},
    }
    vary, rules = {}, {}
    for path, domain in _domains(draw, count, stem["kind"]).items():
        if draw.random() < 0.3:
            vary[path] = domain
    for path in ("depths", "widths", "strides", "stages.*.block.kernel_size", "stages.*.block.expansion_ratio"):
        ruled = path in vary and (not isinstance(vary[path], list) or not isinstance(vary[path][0], list))
        if ruled and "quantized_linear" not in vary[path] and draw.random() < 0.6:
            rules[path] = draw.choice(RULES)
    if "quantized_linear" in vary.get("widths", ()):
        said = {"depths", "group_width", "expansion_ratio"} & {"depths", *vary["widths"]["quantized_linear"]}
        vary = {path: domain for path, domain in vary.items() if path.rpartition(".")[2] not in said}
        rules = {path: rule for path, rule in rules.items() if path in vary}
    return table | {"vary": vary} | ({"rules": rules} if rules else {})


def _domains(draw, count, stem):
    """What may vary, by path; a knob stands for all stages at once, for each of them, or for one."""
    prefix = draw.choice(("block.", "stages.*.block.", "stages.0.block."))
    block = {
        "kernel_size": draw.choice(([1, 2, 3, 5], {"low": 2, "high": 6, "step": 1})),
        "expansion_ratio": draw.choice(([0.5, 1.0, 2.3], {"low": 0.25, "high": 4.0, "count": 4, "scale": "log"})),
        "groups": [1, 2, "depthwise", 3],
        "group_width": draw.choice(([0, 4], [8, 0, 16], {"low": 1, "high": 16, "scale": "power_of_two"})),
        "squeeze_ratio": [0.0, 0.25, 0.3],
        "order": ["first", "middle", "both", "fused", "separable", "single"],
        "norm": ["layer_norm", "batch_norm", "group_norm", "rms_norm", "none"],
        "norm_after": [[], ["spatial"], ["expand", "project"]],
        "activation": ["gelu", "relu", "none"],
        "activation_after": [["expand"], ["spatial", "output"]],
        "grn": [False, True],
        "layer_scale": [0.0, 1e-6, 0.1],
        "bias": [True, False],
        "shortcut": ["projection", "identity", "none"],
        "expansion_of": ["output", "input"],
        "squeeze_of": ["hidden", "input", "output"],
        "stride_at": ["spatial", "expand"],
        "pointwise": ["conv", "linear"],
        "kind": ["convnext", "bottleneck", "mbconv", "custom"],
    }
    found = {prefix + name: domain for name, domain in block.items()}
    lists = [[draw.choice((8, 16, 32)) for _ in range(count)] for _ in range(3)]
    different = [list(row) for row in dict.fromkeys(map(tuple, lists))]
    rule = {
        "initial": [8, 16],
        "slope": {"low": 4.0, "high": 24.0, "step": 4.0},
        "multiplier": [1.5, 2.0],
        "depth": [count, count + 2],
        **draw.choice(({}, {"group_width": [4, 8]}, {"group_width": [4, 12], "expansion_ratio": [0.5, 1.0]})),
    }
    found |= {
        "depths": draw.choice(
            ({"low": 1, "high": 4, "step": 1}, [1, 3], {"low": 1, "high": 8, "scale": "power_of_two"})
        ),
        "widths": draw.choice(({"low": 8, "high": 32, "step": 8}, [16, 12, 8], different, {"quantized_linear": rule})),
        "strides": [1, 2],
        "dilations": draw.choice(([1, 2], [[1] * count, [2] * count])),
        "image.size": draw.choice(
            ([32, 48, [40, 33]], [8, 16, 64], {"low": 16, "high": 64, "count": 3, "scale": "log"})
        ),
        "image.channels": [1, 3],
        "stem.width": [0, 8, 24],
        "stem.norm": ["layer_norm", "none"],
        "stem.activation": ["relu", "none", "gelu"],
        "head.convolution": [0, 12, 40],
        "head.convolution_norm": ["batch_norm", "none"],
        "head.convolution_activation": ["none", "silu"],
        "head.hidden": [0, 12],
        "head.classes": [0, 5, 10],
        "head.dropout": [0.0, 0.1, 0.2],
        "head.norm_at": ["after_pool", "before_pool"],
        "downsample.kind": ["separate", "in_block", "max_pool"],
        "output_stride": [0, 2, 4],
        "drop_path": {"low": 0.0, "high": 0.3, "step": 0.1},
    }
    if stem != "patchify":
        found |= {"stem.kernel_size": [2, 3, 5], "stem.stride": [1, 2], "stem.pool": ["none", "max"]}
    else:
        found |= {"stem.patch_size": [1, 2, 4]}
    return found
