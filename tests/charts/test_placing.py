"""Where names stand beside points: they hide neither each other nor the points nor lines, where there is room."""

from itertools import combinations

from convlab.charts.placing import GAP, LETTER, LINE, PLACES, placed


def box(point, name, place):
    """The rectangle of a name, worked out from plotly's words for places."""
    upright, sideways = place.split()
    width = LETTER * len(name)
    left = point[0] + {"left": -GAP - width, "center": -width / 2, "right": GAP}[sideways]
    bottom = point[1] + {"bottom": -GAP - LINE, "middle": -LINE / 2, "top": GAP}[upright]
    return left, bottom, left + width, bottom + LINE


def apart(one, other):
    return one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def test_names_of_near_points_stand_apart():
    points = [(0, 0), (20, 5), (45, -3), (300, 0), (305, 30)]
    names = ["12_gelu", "02_stage_ratio", "01_baseline", "11_kernel_11", "06_inverted_bottleneck"]
    boxes = [box(*each) for each in zip(points, names, placed(points, names), strict=True)]
    assert all(apart(one, other) for one, other in combinations(boxes, 2))
    assert all(apart(each, (x, y, x, y)) for each in boxes for x, y in points)


def test_a_name_leaves_a_line_free():
    assert placed([(0, 0)], ["name"]) == [PLACES[0]] == ["top center"]
    assert placed([(0, 0)], ["name"], [((0, -100), (0, 100))])[0].endswith(("right", "left"))
