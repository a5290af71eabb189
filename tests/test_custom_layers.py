"""Layers written in the file: in blocks, stems and downsampling; where strides go, what the defaults are, which branches are left out."""

from designs import design_of

from convlab import load, profile, turn
from convlab.language.design import stem_stride

BASE = {"depths": [1, 2], "widths": [16, 32], "image": {"size": 64}, "head": {"norm": "none", "classes": 0}}


def layers(table, of=""):
    """The layers of a design in the order of execution, as the table of layers says them."""
    rows = profile(design_of(BASE | table)).rows
    return [row.layer.label() for row in rows if row.path.startswith(of) and not row.path.startswith("head")]


def block(*branch, **knobs):
    return {"kind": "custom", "shortcut": "none", "norm": "batch_norm", "branch": list(branch), **knobs}


def test_kernel_size_is_a_default_as_norm_and_activation_are():
    table = {"block": block("depthwise", "norm", "conv", "activation", kernel_size=[5, 9], activation="silu")}
    assert layers(table, "stages.1.blocks.0") == ["Depthwise 9x9", "BatchNorm", "Convolution 9x9", "SiLU"]
    design = turn(load("replknet_31b"), "stages.0.block.kernel_size", 13)
    assert profile(design).params == profile(load("replknet_31b")).params - 2 * 128 * (31**2 - 13**2)


def test_a_stem_says_its_strides():
    stem = {
        "kind": "custom",
        "branch": ["conv(3, 0.5x, stride=2)", "norm", "activation", "depthwise(stride=3)", "pointwise(1x)"],
    }
    table = {"stem": stem, "block": block("pointwise(1x)")}
    assert layers(table, "stem") == [
        "Convolution 3x3, stride 2",
        "BatchNorm",
        "ReLU",
        "Depthwise 3x3, stride 3",
        "Pointwise",
    ]
    design = design_of(BASE | table)
    assert stem_stride(design.stem) == 6
    assert profile(design).parts[0].output == (16, 11, 11)


def test_the_strides_of_a_stem_inside_brackets():
    inner = "parallel(chain(conv(3, 1x, stride=2), conv(3, 1x, stride=2)), conv(4, 1x, stride=4))"
    stem = {"kind": "custom", "branch": [f"chain({inner}, norm)", "max_pool(3, stride=2)"]}
    assert stem_stride(design_of(BASE | {"stem": stem}).stem) == 8


def test_an_output_stride_counts_a_written_stem():
    table = {"stem": {"kind": "custom", "branch": ["conv(3, 1x, stride=4)"]}, "output_stride": 4}
    table |= {"block": block("depthwise(3)", "pointwise(1x)"), "downsample": {"kind": "in_block"}}
    assert profile(design_of(BASE | table)).features == (32, 16, 16)
    assert layers(table, "stages.1.blocks.1")[0] == "Depthwise 3x3, dilation 2"


def test_a_written_downsampling_carries_the_stride_at_its_first_layer_that_can():
    downsample = {"kind": "custom", "branch": ["norm", "pointwise(1x)", "depthwise", "activation(gelu)", "conv(1)"]}
    table = {"downsample": downsample, "block": block("pointwise(1x)")}
    due = ["BatchNorm", "Pointwise", "Depthwise 3x3, stride 2", "GELU", "Convolution 1x1"]
    assert layers(table, "stages.1.downsample") == due
    assert not layers(table, "stages.0.downsample")  # where nothing changes there is none


def test_a_written_downsampling_is_dilated_where_its_stride_is_taken():
    downsample = {"kind": "custom", "branch": ["conv(3, 1x)", "activation"], "activation": "silu", "bias": True}
    table = {
        "strides": [2, 2],
        "output_stride": 8,
        "downsample": downsample,
        "block": block("depthwise(3)", "pointwise(1x)"),
    }
    assert layers(table, "stages.1.downsample") == ["Convolution 3x3", "SiLU"]
    assert layers(table, "stages.1.blocks.0")[0] == "Depthwise 3x3, dilation 2"


REPVGG = "parallel(chain(conv(3, 1x), norm), chain(conv(1, 1x), norm), norm)"


def test_branches_that_keep_the_shape_are_left_out_where_it_changes():
    for strides in ([1, 2], [1, 1]):
        table = {"strides": strides, "downsample": {"kind": "in_block"}, "block": block(REPVGG)}
        first = layers(table, "stages.1.blocks.0")
        assert len(first) == 4
        assert layers(table, "stages.1.blocks.1") == [
            "Convolution 3x3",
            "BatchNorm",
            "Convolution 1x1",
            "BatchNorm",
            "BatchNorm",
        ]


def test_branches_that_keep_a_width_stay_where_nothing_before_changes_it():
    table = {"strides": [1, 1], "downsample": {"kind": "in_block"}}
    table |= {"block": block("parallel(depthwise(3), identity, norm)", "pointwise(1x)", "parallel(conv(3), norm)")}
    due = ["Depthwise 3x3", "BatchNorm", "Pointwise", "Convolution 3x3", "BatchNorm"]
    assert layers(table, "stages.1.blocks.0") == due
