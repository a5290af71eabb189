"""Law: the parameters of a design are those that torch holds, layer by layer, and a layer's path is where torch holds them."""

import pytest
from designs import PRESETS, SWEEP, designs, preset, swept
from hypothesis import given, settings
from oracles import on_meta

from convlab import profile
from convlab.language.design import lower
from convlab.layers import LayerScale
from convlab.modules import DropPath


def check(design):
    costs, model = profile(design), on_meta(design)
    owned = {name: parameter.numel() for name, parameter in model.named_parameters()}
    assert costs.params == sum(owned.values())
    assert costs.total("params") == costs.params
    assert costs.params == sum(part.params for part in costs.parts) == lower(design).tree.params(costs.image)
    inside = {}  # of each module, the names of the parameters in it
    for name in owned:
        for end in (place for place, letter in enumerate(name) if letter == "."):
            inside.setdefault(name[:end], []).append(name)
    for row in costs.rows:
        assert row.count == len(row.paths)
        for path in row.paths:
            here = [path] if isinstance(row.layer, LayerScale) else inside.get(path, ())
            assert row.layer.params(row.input) == sum(owned.pop(name) for name in here), path
    assert not owned, "parameters that no layer owns"


def check_paths(design):
    model = on_meta(design)
    rows = profile(design).rows
    paths = [path for row in rows for path in row.paths if not isinstance(row.layer, LayerScale)]
    assert len(set(paths)) == len(paths)
    leaves = {
        path
        for path, module in model.named_modules()
        if not list(module.children()) and not isinstance(module, DropPath) and type(module).__name__ != "Sequential"
    }
    inside = tuple(f"{path}." for path in paths)  # the projections of attention
    assert set(paths) >= {path for path in leaves if not path.startswith(inside)}
    assert set(paths) <= {path for path, _ in model.named_modules()}
    scales = {path for row in rows for path in row.paths if isinstance(row.layer, LayerScale)}
    assert scales == {name for name, _ in model.named_parameters() if name.endswith(".gamma")}


@pytest.mark.parametrize("name", PRESETS)
def test_presets(name):
    check(preset(name))
    check_paths(preset(name))


@pytest.mark.parametrize("name", SWEEP)
def test_sweep(name):
    check(swept(name))
    check_paths(swept(name))


@settings(max_examples=60)
@given(designs())
def test_random_designs(design):
    check(design)
    check_paths(design)
