"""A knob turned at once is the knob of a table put in."""

import pytest

from convlab import ConvlabError, load, turn
from convlab.language.assigning import assign
from convlab.views.knob_paths import knob_paths

VALUES = (
    0,
    1,
    2,
    7,
    -1,
    10**6,
    0.25,
    4.0,
    True,
    "relu",
    "layer_norm",
    "depthwise",
    "max",
    "x",
    None,
    [3],
    [3, 3, 3, 3],
    {"a": 1},
)
PATHS = {
    *(path.replace("stages.*", f"stages.{index}") for path in knob_paths() for index in ("0", "3")),
    *(
        "stages.-1.depth",
        "stages.4.depth",
        "stages.02.depth",
        "stages.1",
        "stages.1.block",
        "stages.1.block.kind.x",
        "stages.*.width",
    ),
    *(
        "block.kernel_size",
        "image.size",
        "stem.patch_size",
        "stem.kernel_size",
        "head.classes",
        "heads.classes",
        "",
        ".",
        "depth",
        "depths",
    ),
    *(
        f"stages.2.block.{name}"
        for name in ("kernel_size", "kind", "norm_after", "branch", "groups", "expansion_ratio")
    ),
    *("stages.1.downsample.kernel_size", "stages.1.downsample.bias"),
}


def put_in(design, path, value):
    """The design with a table put in, as ``assign`` does it."""
    table = value
    for part in reversed(path.split(".")):
        table = {part: table}
    turned = assign(design, table)
    return turned.faults or turned.design


@pytest.mark.parametrize("name", ["convnext_t", "resnet50", "convnext_iso_s"])
@pytest.mark.parametrize("path", sorted(PATHS))
def test_turned_at_once_or_by_a_table(name, path):
    design = load(name)
    for value in VALUES:
        expected = put_in(design, path, value)
        if isinstance(expected, tuple):
            with pytest.raises(ConvlabError) as caught:
                turn(design, path, value)
            assert set(caught.value.problems) == {fault.problem for fault in expected}
        else:
            assert turn(design, path, value) == expected
