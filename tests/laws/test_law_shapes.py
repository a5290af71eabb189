"""Law: every layer gets and gives the shape that torch's module at its path gets and gives, and layers run in the order of the rows."""

import pytest
import torch
from designs import SHALLOWEST, SWEEP, designs, preset, swept
from hypothesis import given
from oracles import image_of, on_cpu, on_meta

from convlab import profile
from convlab.language.design import lower
from convlab.layers import LayerScale


def observed(design):
    """What every module with a path gets and gives, in the order in which the modules end."""
    model, seen = on_meta(design), []

    def hook_of(path):
        def hook(module, inputs, output):
            seen.append((path, tuple(inputs[0].shape), tuple(output.shape)))

        return hook

    hooks = [module.register_forward_hook(hook_of(path)) for path, module in model.named_modules()]
    with torch.no_grad():
        output = model(image_of(design, 2, device="meta"))
    for hook in hooks:
        hook.remove()
    return seen, output


def flat(shape, like):
    return (2, *shape)[: len(like)]


def check(design):
    costs = profile(design)
    seen, output = observed(design)
    shapes = {path: (came, went) for path, came, went in seen}
    rows = [row for row in costs.rows if not isinstance(row.layer, LayerScale)]
    for row in rows:
        assert row.output == row.layer.output(row.input)
        for path in row.paths:
            came, went = shapes[path]
            assert (came, went) == (flat(row.input, came), flat(row.output, went)), path
    first = {row.path for row in rows}
    assert [path for path, _, _ in seen if path in first] == [row.path for row in rows]
    assert tuple(output.shape) == flat(costs.parts[-1].output, output.shape)
    assert lower(design).tree.output(costs.image) == costs.parts[-1].output
    assert costs.features == next(part.output for part in costs.parts[::-1] if not part.head)


@pytest.mark.parametrize("name", SHALLOWEST)
def test_presets(name):
    check(preset(name))


@pytest.mark.parametrize("name", SWEEP)
def test_sweep(name):
    check(swept(name))


@given(designs())
def test_random_designs(design):
    check(design)


@pytest.mark.parametrize("name", ["convnext_atto", "resnet18", "convnext_v2_atto"])
def test_features_and_head_make_the_forward_pass(name):
    design = swept(f"small {name}")
    model, image = on_cpu(f"small {name}"), image_of(design)
    with torch.no_grad():
        features = model.forward_features(image)
        assert tuple(features.shape) == (1, *profile(design).features)
        assert torch.equal(model.forward_head(features), model(image))
