"""Law: every layer gets and gives the shape that torch's module at its path gets and gives, and layers run in the order of the rows."""

import pytest
import torch
from designs import SHALLOWEST, SWEEP, designs, preset, shallow, swept
from hypothesis import given
from oracles import BATCH, image_of, observed_design, observed_sweep, observed_without_memory, on_cpu

from convlab import profile
from convlab.language.design import lower
from convlab.layers import LayerScale


def flat(shape, like):
    return (BATCH, *shape)[: len(like)]


def check(design, found):
    costs = profile(design)
    shapes = {path: (came, went) for path, came, went in found.seen}
    rows = [row for row in costs.rows if not isinstance(row.layer, LayerScale)]
    for row in rows:
        assert row.output == row.layer.output(row.input)
        for path in row.paths:
            came, went = shapes[path]
            assert (came, went) == (flat(row.input, came), flat(row.output, went)), path
    first = {row.path for row in rows}
    assert [path for path, _, _ in found.seen if path in first] == [row.path for row in rows]
    assert found.output == flat(costs.parts[-1].output, found.output)
    assert lower(design).tree.output(costs.image) == costs.parts[-1].output
    assert costs.features == next(part.output for part in costs.parts[::-1] if not part.head)


@pytest.mark.parametrize("name", SHALLOWEST)
def test_presets(name):
    """At full width and image size, two blocks a stage: the others repeat the second, and shifted windows take turns."""
    design = shallow(preset(name))
    check(design, observed_without_memory(design))


@pytest.mark.slow
@pytest.mark.parametrize("name", SHALLOWEST)
def test_presets_in_full(name):
    check(preset(name), observed_without_memory(preset(name)))


@pytest.mark.parametrize("name", SWEEP)
def test_sweep(name):
    check(swept(name), observed_sweep(name))


@given(designs())
def test_random_designs(design):
    check(design, observed_design(design))


@pytest.mark.parametrize("name", ["convnext_atto", "resnet18", "convnext_v2_atto"])
def test_features_and_head_make_the_forward_pass(name):
    design = swept(f"small {name}")
    model, image = on_cpu(f"small {name}"), image_of(design)
    with torch.no_grad():
        features = model.forward_features(image)
        assert tuple(features.shape) == (1, *profile(design).features)
        assert torch.equal(model.forward_head(features), model(image))
