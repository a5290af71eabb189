"""Random designs whose blocks are sums of convolutions, norms and identities, in brackets inside brackets: food for folding."""

from designs import turned
from hypothesis import assume
from hypothesis import strategies as st

from convlab.language.validation import faults

WIDTH = 12


@st.composite
def _term(draw, groups, depth=0):
    """A branch that keeps the width; most are linear."""
    kernel_size, dilation = draw(st.integers(1, 6)), draw(st.sampled_from((1, 1, 2, 3)))
    kinds = [f"conv({kernel_size}, 1x, groups={draw(st.sampled_from(groups))}, dilation={dilation})"]
    kinds += ["pointwise(1x)"] if 1 in groups else [f"depthwise({kernel_size}, dilation={dilation})"]
    convolution = draw(st.sampled_from(kinds))
    plain = [convolution, f"chain({convolution}, norm)", f"chain(norm, {convolution}, norm)", "identity", "norm"]
    if depth < 2 and draw(st.integers(0, 2)) == 0:
        inner = ", ".join(draw(st.lists(_term(groups, depth + 1), min_size=1, max_size=3)))
        return draw(st.sampled_from((f"parallel({inner})", f"chain(norm, parallel({inner}), norm)")))
    return draw(st.sampled_from((*plain, *plain, f"chain({convolution}, activation)")))


@st.composite
def sums(draw):
    groups = draw(st.sampled_from(((1,), (WIDTH,), (3,), (1, 2, WIDTH), (3, 6))))
    terms = draw(st.lists(_term(groups), min_size=1, max_size=4))
    branch = [f"parallel({', '.join(terms)})", *draw(st.sampled_from(((), ("norm",), ("norm", "activation"))))]
    branch += draw(
        st.sampled_from(((), ("pointwise(2x)", "pointwise(1x)", "layer_scale(0.3)"), ("norm", "pointwise(1x)")))
    )
    table = {
        "depths": [draw(st.integers(1, 2)), 2],
        "widths": [WIDTH, WIDTH],
        "strides": [1, draw(st.integers(1, 3))],
        "dilations": draw(st.integers(1, 2)),
        "image": {"size": [draw(st.integers(17, 40)), draw(st.integers(17, 40))]},
        "stem": {"kind": "conv", "kernel_size": 3, "pool": "none"},
        "downsample": {"kind": draw(st.sampled_from(("in_block", "separate"))), "norm": "batch_norm"},
        "head": {"norm": "none", "classes": 5},
        "block": {
            "kind": "custom",
            "branch": branch,
            "activation": "gelu",
            "bias": draw(st.booleans()),
            "pointwise": draw(st.sampled_from(("conv", "linear"))),
            "shortcut": draw(st.sampled_from(("none", "projection"))),
        },
    }
    if table["downsample"]["kind"] == "in_block":
        del table["downsample"]["norm"]
    design = turned(table)
    assume(not faults(design))
    return design
