"""TorchScript, torch.fx, torch.export and torch.compile take the models as they take timm's."""

import copy
import io

import pytest
import torch
from contract_networks import REST_SLOW, images_of, model_of
from timm.models import create_feature_extractor, get_graph_node_names
from timm.utils import ModelEmaV3

pytestmark = pytest.mark.filterwarnings(
    "ignore:`torch.jit:FutureWarning"
)  # deprecated since torch 2.15, and still used

SOME = ("convnext_t", "resnet18", "deit_s")


@pytest.mark.parametrize("name", REST_SLOW)
def test_scripted_gives_the_same(name):
    model = model_of(name, scriptable=True).eval()
    scripted = torch.jit.script(model)
    buffer = io.BytesIO()
    torch.jit.save(scripted, buffer)
    buffer.seek(0)
    x = images_of(model)
    with torch.no_grad():
        expected = model(x)
        for other in (scripted, torch.jit.load(buffer)):
            assert torch.allclose(other(x), expected, rtol=1e-4, atol=1e-6)
    assert [key for key, _ in scripted.named_parameters()] == [key for key, _ in model.named_parameters()]


@pytest.mark.parametrize("name", ["convnext_t", "deit_s"])
def test_scripted_trains(name):
    model = torch.jit.script(model_of(name, drop_path_rate=0.5).train())
    x = images_of(model_of(name))
    assert not torch.equal(model(x), model(x))
    model(x).square().sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


@pytest.mark.parametrize("name", ["convnext_t", "resnet18"])
def test_scripted_feature_maps(name):
    net = model_of(name, features_only=True).eval()
    x = images_of(net)
    with torch.no_grad():
        assert all(
            torch.allclose(one, other, atol=1e-5) for one, other in zip(torch.jit.script(net)(x), net(x), strict=True)
        )


@pytest.mark.parametrize("name", REST_SLOW)
@pytest.mark.parametrize("training", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_traced_by_fx(name, training):
    model = model_of(name, num_classes=5, drop_path_rate=0.0, drop_rate=0.0).train(training)
    train_nodes, eval_nodes = get_graph_node_names(model)
    traced = create_feature_extractor(copy.deepcopy(model), [(train_nodes if training else eval_nodes)[-1]]).train(
        training
    )
    (found,) = traced(images_of(model)).values()
    assert torch.allclose(found, model(images_of(model)), rtol=1e-4, atol=1e-5)
    if training:
        found.square().sum().backward()
        assert all(parameter.grad is not None for parameter in traced.parameters())


def test_the_nodes_of_a_trace_are_the_paths():
    nodes = set(get_graph_node_names(model_of("convnext_t"))[1])
    assert {"stem.0", "stages.2.blocks.1.conv_dw", "stages.2.blocks.1.drop_path", "head.fc"} <= nodes


@pytest.mark.parametrize("name", SOME)
def test_exported_gives_the_same(name):
    model = model_of(name, exportable=True).eval()
    x = images_of(model)
    program = torch.export.export(model, (x,))
    with torch.no_grad():
        assert torch.allclose(program.module()(x), model(x), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", SOME)
def test_traced_by_dynamo_in_one_graph(name):
    torch._dynamo.reset()
    model = model_of(name).eval()
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    with torch.no_grad():
        assert torch.allclose(compiled(images_of(model)), model(images_of(model)), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", SOME)
def test_copies(name):
    model = model_of(name).eval()
    average = ModelEmaV3(model, decay=0.5)
    average.update(model)
    with torch.no_grad():
        for other in (copy.deepcopy(model), average.module):
            assert torch.equal(other(images_of(model)), model(images_of(model)))
            assert other.design == model.design
