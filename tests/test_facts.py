"""The published figures: every row typed and sourced, and golden values of each table."""

import csv
from collections import Counter
from dataclasses import FrozenInstanceError, fields
from importlib.resources import files
from types import UnionType
from typing import get_args, get_origin, get_type_hints

import pytest

from convlab import facts

TABLES = {
    facts.roadmap: 18,
    facts.models: 179,
    facts.timm_costs: 174,
    facts.downstream: 69,
    facts.robustness: 10,
}


@pytest.mark.parametrize(("table", "rows"), TABLES.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_row_counts(table, rows):
    assert len(table()) == rows


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_a_table_is_read_once_and_frozen(table):
    assert table() is table()
    with pytest.raises(FrozenInstanceError):
        table()[0].source = "elsewhere"


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_values_have_the_declared_types(table):
    hints = get_type_hints(type(table()[0]))
    for row in table():
        for field in fields(row):
            hint = hints[field.name]
            kinds = get_args(hint) if isinstance(hint, UnionType) else (hint,)
            assert type(getattr(row, field.name)) in {get_origin(kind) or kind for kind in kinds}, (row, field.name)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_every_row_names_a_source_and_says_nothing_twice(table):
    assert all(len(row.source) > 10 for row in table())
    assert [row for row, count in Counter(table()).items() if count > 1] == []


def test_an_empty_cell_where_a_value_is_due_is_refused():
    with pytest.raises(ValueError, match="an empty cell"):
        facts._value("", int)


def test_the_walk_is_in_order_and_ends_at_convnext_t():
    walk = facts.roadmap()
    assert [step.order for step in walk] == list(range(18))
    assert walk[1].top1 == 78.82
    assert walk[1].depths == (3, 4, 6, 3)
    last = walk[16]
    assert (last.step, last.macs, last.params, last.top1) == ("separate downsampling conv", 4455531264, 28589128, 81.97)
    assert (last.convolutions, last.batch_norms, last.layer_norms, last.activation_calls) == (58, 0, 23, 18)
    assert (walk[17].step, walk[17].macs, walk[17].depths) == ("Swin-T", None, None)


def test_the_walk_agrees_with_the_printed_figures_except_where_it_says_so():
    steps = [step for step in facts.roadmap() if step.macs is not None]
    for step in steps:
        assert round(step.macs / 1e9, 4) == step.gmacs
        assert (abs(step.gmacs - step.printed_gmacs) <= 0.005) == step.agrees_with_print
    assert [step.order for step in steps if not step.agrees_with_print] == [15, 16]


@pytest.mark.parametrize(
    ("model", "params", "gmacs"),
    [
        ("ConvNeXt-T", 28589128, 4.4555),
        ("ConvNeXt-B", 88591464, 15.3547),
        ("ResNet-50", 25557032, 4.0892),
        ("ResNeXt-50 32x4d", 25028904, 4.2305),
    ],
)
def test_golden_models(model, params, gmacs):
    rows = [row for row in facts.models() if row.model == model and row.image_size == 224 and row.params is not None]
    assert {(row.params, row.gmacs) for row in rows} == {(params, gmacs)}


def test_exact_parameters_agree_with_timm():
    """Two tables that were made apart give one number for the networks that both hold."""
    timm = {row.model: row.params for row in facts.timm_costs()}
    exact = {(row.model, row.params) for row in facts.models()}
    pairs = {"ConvNeXt-S": "convnext_small", "ConvNeXt-B": "convnext_base", "RegNetY-8.0GF": "regnety_080"}
    assert {(name, timm[key]) for name, key in pairs.items()} <= exact


def test_golden_downstream_and_robustness():
    detector = next(row for row in facts.downstream() if row.backbone == "ConvNeXt-T")
    assert (detector.framework, detector.gmacs, detector.box_ap) == ("Mask R-CNN", 262.0, 46.2)
    assert detector.miou_single_scale is None
    resnet = facts.robustness()[0]
    assert (resnet.model, resnet.imagenet_c_mce, resnet.imagenet_a_top1) == ("ResNet-50", 76.7, 0.0)


@pytest.mark.parametrize(("name", "tensors"), [("convnext_tiny", 182), ("convnextv2_tiny", 200)])
def test_state_dict_maps_hold_one_row_a_tensor(name, tensors):
    text = (files("convlab.facts") / f"statedict_map_{name}.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == tensors
    for layout in ("facebookresearch", "timm", "transformers"):
        assert len({row[layout] for row in rows}) == tensors
