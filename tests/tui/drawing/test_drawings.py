"""Drawings as plain text: they fit their room, say what the data say, and differ without colour."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convlab.tui.drawing.axes import Axis, scale
from convlab.tui.drawing.bars import bar, column
from convlab.tui.drawing.braille import Canvas
from convlab.tui.drawing.columns import profile
from convlab.tui.drawing.curves import Curve, Level, chart
from convlab.tui.drawing.picture import Size, Span, path_in, paths_in, plain, width_of
from convlab.tui.drawing.squares import frame, nested, shade
from convlab.tui.drawing.tables import table_lines
from convlab.tui.drawing.toml_lines import toml_spans
from convlab.views.tables import Column, Table, words

FINITE = st.floats(-1e9, 1e9, allow_nan=False)


def test_bars_grow_by_eighths_and_what_is_little_is_seen():
    assert bar(0.5, 4) == "██  "
    assert bar(1 / 8, 1) == "▏"
    assert bar(1e-9, 5) == "▏    "
    assert bar(0.0, 5) == " " * 5
    assert bar(7.0, 3) == "███"
    assert column(0.5, 4) == "  ██"
    assert column(3 / 16, 2) == " ▃"


@given(FINITE, FINITE, st.integers(1, 12), st.booleans())
def test_a_scale_holds_its_ends_and_its_numbers_are_round(one, other, most, outward):
    found = scale(min(one, other), max(one, other), most, outward=outward)
    assert found.low <= min(one, other) * (1 - 1e-9) + 1e-6 or found.low <= min(one, other)
    assert found.high > found.low
    assert len(found.ticks) >= 2
    assert list(found.ticks) == sorted(set(found.ticks))
    assert 0 <= found.place(one) <= 1


def test_round_numbers():
    assert scale(0, 1688, 4).ticks == (0, 1000, 2000)
    assert scale(0, 97, 6).ticks == (0, 20, 40, 60, 80, 100)
    assert scale(0, 13.2, 2, outward=False).ticks == (0, 10)
    assert scale(5, 5, 3).place(5) == 0.5
    assert scale(0, 22, 10, outward=False, whole=True).ticks[:3] == (0, 5, 10)


def test_braille_dots_stand_where_they_are_put():
    canvas = Canvas(2, 1)
    canvas.put(0, 0, "text")
    canvas.put(3, 3, "text")
    assert plain(canvas.lines()) == "⠁⢀"
    canvas = Canvas(3, 1)
    canvas.line((0, 3), (5, 3), "text", pattern=(1, 1))
    assert plain(canvas.lines()) == "⣀⣀⣀"


def test_a_curve_with_its_axes():
    lines = chart([Curve(((0, 0), (50, 50), (100, 100)))], Size(24, 8), x=Axis("steps"), y=Axis("accuracy, %"))
    assert plain(lines) == (
        "accuracy, %\n"
        "100┤                ⢀⡠⠔●\n"
        "   │            ⢀⡠⠔⠊⠁\n"
        "   │        ⢀⡠⠔⠊⠁\n"
        "   │    ⣀⠤⠔⠊⠁\n"
        "  0┤⣀⠤⠒⠉\n"
        "   └┬──────────────────┬\n"
        "    0          steps 100"
    )


@pytest.mark.parametrize("size", [Size(14, 5), Size(38, 10), Size(100, 40)])
def test_charts_fill_their_room_and_no_more(size):
    rising = Curve(tuple((step, step % 17) for step in range(5000)))
    gap = Curve(((0, 1.0), (10, None), (20, 3.0)), series=1)
    for curves in ([], [rising], [gap], [rising, gap], [Curve(((3, 2.0),))], [Curve(((3, None),))]):
        lines = chart(curves, size, x=Axis("steps"), y=Axis("loss, nats"), levels=[Level(8, "half")])
        assert len(lines) == size.height
        assert max(map(width_of, lines)) <= size.width


def test_curves_differ_without_colour():
    curves = [Curve(((0, 0), (100, 10 + 10 * series)), series) for series in range(3)]
    text = plain(chart(curves, Size(60, 20), x=Axis("x"), y=Axis("y")))
    assert all(sign in text for sign in "●▲■")
    rows = [
        plain(chart([Curve(((0, 1), (100, 1)), series)], Size(60, 8), x=Axis("x"), y=Axis("y"))) for series in range(4)
    ]
    assert len(set(rows)) == 4


def test_a_peak_stays_in_a_curve_of_many_points():
    points = [(step, 100.0 if step == 777 else 1.0) for step in range(10_000)]
    top = plain(chart([Curve(tuple(points))], Size(60, 10), x=Axis("x"), y=Axis("y"))).splitlines()[1]
    assert any("⠀" < sign <= "⣿" for sign in top)


def test_standing_bars():
    lines = profile([1, 2, 4], 2, Axis("MiB"), accented={2})
    assert plain(lines) == "MiB\n4┤  █\n0┤▄██"
    assert [span.role for span in lines[2][2:]] == ["series0", "warning"]


def test_nested_squares_stand_in_the_middle():
    inner = frame(224, 224, 7)
    assert inner == (5, 10)
    assert plain(nested([(0.1, 0.1), (0.5, 0.5)], inner)) == (
        "┌──────────┐\n│··········│\n│··░░░░░░··│\n│··░░██░░··│\n│··░░░░░░··│\n│··········│\n└──────────┘"
    )
    assert [shade(place, 4) for place in range(4)] == list("█▓▒░")
    assert frame(100, 200, 7) == (5, 20)


def test_paths_are_shortened_alike():
    path = "stages.2.blocks.0.conv_dw"
    assert [path_in(path, width) for width in (25, 20, 14, 8)] == [
        path,
        "s2.blocks.0.conv_dw",
        "s2.b0.conv_dw",
        "…conv_dw",
    ]
    assert paths_in(["stages.0.blocks.0", "stages.0.blocks.10-12"], 10) == ["s0.b0", "s0.b10-12"]


@given(st.integers(8, 120))
def test_tables_fit_their_room(width):
    columns = (
        Column("a", "name", least=8),
        Column("b", "figure", right=True, rank=1),
        Column("c", "what", least=10, rank=2),
    )
    table = Table(
        columns, tuple((words("convnext_" + "x" * size), words(size), words("long words " * 3)) for size in (1, 9))
    )
    lines = table_lines(table, width)
    assert len(lines) == 3
    assert max(map(width_of, lines)) <= width
    assert ("figure" in plain(lines)) == (width >= 16)


def test_wide_characters_are_counted_as_they_are_shown():
    table = Table(
        (Column("a", "名前", least=6), Column("b", "n", right=True)), ((words("畳み込みネットワーク"), words(3)),)
    )
    assert max(map(width_of, table_lines(table, 14))) <= 14
    assert width_of((Span("畳み"),)) == 4


def test_parts_of_toml():
    line = 'kind = "a # b" # "c"'
    found = [(line[start:end], role) for start, end, role in toml_spans(line)]
    assert found == [("kind", "accent"), ('"a # b"', "good"), ('# "c"', "muted")]
    assert [role for _, _, role in toml_spans("[stem]")] == ["strong"]
    assert [role for _, _, role in toml_spans("depths = [3, 3]")] == ["accent", "warning", "warning"]
    assert list(itertools.chain(toml_spans(""))) == []
