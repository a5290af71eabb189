"""Random edits of designs, as a person makes them: a knob turned, for one stage or for all, a stage put in or taken out."""

from functools import cache

from hypothesis import strategies as st

from convlab import ConvlabError, turn
from convlab.language.addresses import PLURALS, STAGE_SECTIONS
from convlab.language.files import find, load_text
from convlab.language.validation import faults
from convlab.session import stages
from convlab.views.knob_paths import knob_paths

BRANCH = ["depthwise(7)", "norm", "pointwise(4x)", "activation", "pointwise(1x)"]
NUMBERS = {"integer": (0, 1, 2, 3, 4, 5, 7, 8, 16, 32, 64, 96), "number": (0.0, 1e-6, 0.1, 0.25, 1.0, 1.5, 4.0)}

STYLES = {
    "dotted": """# a title
depths = [2, 2]
widths = [ 32,64 ]
stem.patch_size = 4 # px
block.kind = 'convnext'
block.kernel_size = 5
""",
    "inline": """base = "convnext_atto"
block = { kernel_size = 5, grn = true } # both
stages = { 2 = { block = { kernel_size = 9 }, depth = 4 } }
""",
    "aligned": """
depths    = [1, 2, 1]   # small
widths    = [32, 64,
             96]
  drop_path = 0.1
[block]
kind   = "custom"
branch = [
  "depthwise(5)", # mixes pixels
  "norm",
  "pointwise(2x)",
  # in between
  "activation",
  "pointwise(1x)" # mixes channels
]
[stages."-1".block] # the last
bias = true
""",
    "everywhere": """depths = [1, 1, 2]
widths = 64
strides = [1, 2, 2]

[stages."*".block]
kind = "bottleneck"
kernel_size = [3, 5, 7]

[stages.1]
depth = 3
block.kernel_size = 9

[stages.2.block]
kind = "mbconv"
""",
    "hybrid": """depths = [1, 1, 1, 1]
widths = [32, 32, 64, 64]
[block]
kind = ["convnext", "convnext", "swin", "swin"]
kernel_size = [7, 5, 3, 3]
[image]
size = [128, 160]
""",
    "rule": """widths = { quantized_linear = { initial = 24, slope = 36.44, multiplier = 2.49, depth = 13, group_width = 8 } }
[stem]
kind = "conv"
width = 32
[block]
kind = "regnet_x"
[downsample]
kind = "in_block"
""",
    "rule as a table": """[widths.quantized_linear]
initial = 24
slope = 36.44
multiplier = 2.49
depth = 13
group_width = 8
[block]
kind = "regnet_y" # squeezed
""",
    "scaled": """base = "efficientnet_b0"
scale = { width = 1.1, depth = 1.2 }
[image]
size = 240
""",
}
"""Texts as people write them, in all the forms that TOML has for tables and lists."""


@cache
def written(name):
    """The text of a preset or of a style, the name that stands for its file, and its design."""
    text = STYLES[name] if name in STYLES else find(name).read_text(encoding="utf-8")
    file = "design" if name in STYLES else str(find(name))
    return text, file, load_text(text, name=file)


@st.composite
def values(draw, knob):
    """A value that a knob may take, or may refuse."""
    match knob.kind:
        case "boolean":
            return draw(st.booleans())
        case "choice":
            return draw(st.sampled_from(knob.choices))
        case "choices":
            return [choice for choice in knob.choices if draw(st.booleans())]
        case "text":
            return draw(st.sampled_from(("", 'a "quoted" line, \\ and é')))
        case "layers":
            return BRANCH if knob.name == "branch" else [BRANCH[:1] + BRANCH[-1:], BRANCH]
        case "size":
            return draw(st.sampled_from((64, 224, [96, 128])))
    return draw(st.sampled_from((*NUMBERS[knob.kind], *knob.choices)))


@st.composite
def turned(draw, design):
    """A design with one knob turned, or with one stage more or less; the same where that is refused."""
    if draw(st.integers(0, 4)) == 0:
        edit = draw(st.sampled_from((stages.added, stages.duplicated, stages.removed)))
        index, of_design = draw(st.integers(0, len(design.stages) - 1)), design
        try:
            found = edit(of_design, index)
        except ConvlabError:
            return design
        return design if faults(found) else found
    kinds = draw(st.integers(0, 3)) == 0
    path = draw(st.sampled_from([name for name in knob_paths() if name.endswith(".kind") or not kinds]))
    value = draw(values(knob_paths()[path]))
    section = path.partition(".")[0]
    if section in (*STAGE_SECTIONS, *PLURALS):
        stage = draw(st.sampled_from(("*", *map(str, range(len(design.stages))))))
        path = f"stages.{stage}.{PLURALS.get(path, path)}"
    try:
        found = turn(design, path, value)
    except ConvlabError:
        return design
    return design if faults(found) else found


@st.composite
def edits(draw, names):
    """A text by its name, and a design that some edits make of what it means."""
    name = draw(st.sampled_from(names))
    design = written(name)[2]
    for _ in range(draw(st.integers(1, 4))):
        design = draw(turned(design))
    return name, design
