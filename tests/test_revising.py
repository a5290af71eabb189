"""TOML texts with one value set, added or taken out: the rest stays to the byte."""

import tomllib

import pytest

from convlab.documents.literals import literal
from convlab.documents.revising import put, removed, renamed

TEXT = """# a title

depths    = [3, 3, 9, 3]   # as in the paper
widths    = [96, 192,384 , 768]

# the block
[block]
kind = "convnext" # its kind
branch = [
    "norm", # first
    # in between
    "pointwise(1x)"  # last
]
stem = { kind = "conv", width = 8 }

[stages.2.block]
bias = true
"""


def line(text, number):
    return text.splitlines()[number]


def changed_lines(before, after):
    """The lines of both texts that the other one lacks, in order."""
    old, new = before.splitlines(), after.splitlines()
    return [each for each in old if each not in new], [each for each in new if each not in old]


@pytest.mark.parametrize(
    ("keys", "value", "gone", "come"),
    [
        (
            "depths",
            [3, 3, 27, 3],
            ["depths    = [3, 3, 9, 3]   # as in the paper"],
            ["depths    = [3, 3, 27, 3]   # as in the paper"],
        ),
        ("widths", (96, 192, 384), ["widths    = [96, 192,384 , 768]"], ["widths    = [96, 192,384]"]),
        (
            "widths",
            [96, 100, 192, 384, 768],
            ["widths    = [96, 192,384 , 768]"],
            ["widths    = [96, 100, 192,384 , 768]"],
        ),
        ("block.kind", "swin", ['kind = "convnext" # its kind'], ['kind = "swin" # its kind']),
        ("drop_path", 1e-6, [], ["drop_path = 1e-6"]),
        ("block.bias", True, [], []),
        ("block.kernel_size", 7, [], ["kernel_size = 7"]),
        ("block.branch", ["norm", "x", "pointwise(1x)"], [], ['    "x",']),
        (
            "block.branch",
            ["norm", "pointwise(1x)", 'a"b'],
            ['    "pointwise(1x)"  # last'],
            ['    "pointwise(1x)",  # last', '    "a\\"b"'],
        ),
        ("block.branch", ["pointwise(1x)"], ['    "norm", # first'], []),
        ("block.branch", ["norm"], ['    "pointwise(1x)"  # last'], []),
        ("block.stem.width", 16, ['stem = { kind = "conv", width = 8 }'], ['stem = { kind = "conv", width = 16 }']),
        (
            "block.stem.norm",
            "none",
            ['stem = { kind = "conv", width = 8 }'],
            ['stem = { kind = "conv", width = 8, norm = "none" }'],
        ),
        ("stages.2.block.bias", False, ["bias = true"], ["bias = false"]),
        ("stages.2.depth", 4, [], ["[stages.2]", "depth = 4"]),
        ("head.classes", 10, [], ["[head]", "classes = 10"]),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_put(keys, value, gone, come, newline):
    keys = tuple(keys.split("."))
    found = put(TEXT.replace("\n", newline), keys, value)
    assert changed_lines(TEXT, found) == (gone, come)
    assert found == put(TEXT, keys, value).replace("\n", newline)
    data = tomllib.loads(found)
    for key in keys:
        data = data[key]
    assert data == (list(value) if isinstance(value, tuple) else value)


def test_a_number_keeps_its_manner():
    assert put("ratio = 4\n", ("ratio",), 6.0) == "ratio = 6\n"
    assert put("ratio = 4.0\n", ("ratio",), 6.0) == "ratio = 6.0\n"
    assert put("ratio = 4\n", ("ratio",), 1.5) == "ratio = 1.5\n"


@pytest.mark.parametrize("value", [True, 3, 2.5, 1e-06, 1e300, 'é "quoted" \\ \t', "\x7f", [1, [2, "x"]], []])
def test_literals_are_read_back(value):
    assert tomllib.loads(f"x = {literal(value)}") == {"x": value}


def test_a_column_of_equals_signs_is_kept():
    assert line(put("depths    = 1\nwidths    = 2\n", ("drop_path",), 0.1), 2) == "drop_path = 0.1"
    assert line(put("a=1\n", ("b",), 2), 1) == "b=2"
    assert line(put("[t]\n  a = 1\n", ("t", "b"), 2), 2) == "  b = 2"


def test_a_kind_comes_first():
    assert (
        put("[block]\nbias = true\n", ("block", "kind"), "swin", first=True) == '[block]\nkind = "swin"\nbias = true\n'
    )
    assert put("a = 1\n", ("b",), 2, first=True) == "b = 2\na = 1\n"


def test_the_first_statement_of_a_text():
    assert put("", ("a",), 1) == "a = 1\n"
    assert put("# only a comment", ("a",), 1) == "# only a comment\na = 1"
    assert put("# the file\n[t]\nx = 1\n", ("a",), 1) == "# the file\na = 1\n\n[t]\nx = 1\n"
    assert (
        put("# the file\n\n# the table\n[t]\nx = 1\n", ("a",), 1) == "# the file\n\na = 1\n\n# the table\n[t]\nx = 1\n"
    )


def test_tables_stand_in_their_order():
    order = ("stem", "block", "head")
    text = "[stem]\na = 1\n\n# about it\n[head]\nb = 1"
    assert put(text, ("block", "c"), 1, rank=lambda keys: order.index(keys[0])) == (
        "[stem]\na = 1\n\n[block]\nc = 1\n\n# about it\n[head]\nb = 1"
    )
    assert put("[a]\nx = 1\n[b]\ny = 1\n", ("c", "z"), 1) == "[a]\nx = 1\n[b]\ny = 1\n[c]\nz = 1\n"
    assert (
        put("[head]\nb = 1", ("stem", "c"), 1, rank=lambda keys: order.index(keys[0]))
        == "[stem]\nc = 1\n\n[head]\nb = 1"
    )


@pytest.mark.parametrize(
    ("keys", "gone"),
    [
        ("depths", ["depths    = [3, 3, 9, 3]   # as in the paper"]),
        ("stages.2.block.bias", ["[stages.2.block]", "bias = true"]),
        ("stages", ["[stages.2.block]", "bias = true"]),
        ("block.branch", ["branch = [", '    "norm", # first', "    # in between", '    "pointwise(1x)"  # last', "]"]),
    ],
)
@pytest.mark.parametrize("ending", ["", "\n"])
def test_removed(keys, gone, ending):
    text = TEXT.removesuffix("\n") + ending
    found = removed(text, tuple(keys.split(".")))
    assert changed_lines(text, found) == (gone, [])
    assert found.endswith("\n") == bool(ending)
    assert "\n\n\n" not in found
    tomllib.loads(found)


def test_removed_from_inline_tables():
    text = "x = { a = 1, b.c = 2, b.d = 3 } # all\n"
    assert removed(text, ("x", "a")) == "x = { b.c = 2, b.d = 3 } # all\n"
    assert removed(text, ("x", "b")) == "x = { a = 1 } # all\n"
    assert removed(text, ("x", "z")) == text
    assert removed("[a] # why\nx = 1\n", ("a", "x")) == "[a] # why\n"


def test_a_table_gives_way_to_a_value():
    assert put("[widths.rule]\na = 1\n[block]\nb = 1\n", ("widths",), [1]) == "widths = [1]\n\n[block]\nb = 1\n"


def test_renamed_wherever_it_is_mentioned():
    text = '[stages.2]\nblock.bias = true\n["stages"."3".block] # 3\nx = 2\n'
    found = renamed(text, {("stages", "2"): "3", ("stages", "3"): "-1"})
    assert found == '[stages.3]\nblock.bias = true\n["stages".-1.block] # 3\nx = 2\n'


LISTS = [
    ("[\n  1,\n  2\n]", [1, 2, 3, 4], "[\n  1,\n  2,\n  3,\n  4\n]"),
    ("[\n  1, # one\n  2]", [1], "[\n  1, # one\n  ]"),
    ("[1, # one\n  2,]", [1], "[1, # one\n  ]"),
    ("[\n  1 # one\n  , 2 # two\n]", [1], "[\n  1 # one\n  ,  # two\n]"),
    ("[\n  1 # one\n  , 2 # two\n]", [2], "[\n  2 # two\n]"),
]


@pytest.mark.parametrize(("old", "items", "new"), LISTS)
def test_lists_over_several_lines(old, items, new):
    text = put(f"a = {old}\n", ("a",), items)
    assert text == f"a = {new}\n"
    assert tomllib.loads(text) == {"a": items}
