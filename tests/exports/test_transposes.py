"""Transposes in ONNX graphs: those that meet their inverses are gone, and the graph computes what it did."""

import dataclasses
from collections import Counter

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from systems import alive, tiny
from torch import nn
from torch.nn import functional

from convlab import export, turn
from convlab.exports.transposes import without_spare_transposes


class Blocks(nn.Module):
    """Residual blocks over a map whose branches work on another order of the axes, with a factor a channel."""

    def __init__(self, count, back):
        super().__init__()
        self.back = back
        self.branches = nn.ModuleList(nn.Linear(6, 6) for _ in range(count))
        self.gamma = nn.Parameter(torch.rand(1, 6, 1, 1))

    def forward(self, x):
        x = x.permute(0, 3, 1, 2)
        for branch in self.branches:
            y = branch(x.permute(0, 2, 3, 1)).permute(0, 3, *self.back)
            x = x + functional.gelu(y) * self.gamma
        return x.mean((2, 3))


def graphs(module, images):
    """The program as torch writes it and without its spare transposes, with what ONNX Runtime computes from each."""
    program = torch.onnx.export(
        module.eval().requires_grad_(False), (images,), dynamo=True, verbose=False, output_names=["map"]
    )
    for change in (lambda model: None, without_spare_transposes):
        change(program.model)
        data = program.model_proto.SerializeToString()
        session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
        (name,) = (each.name for each in session.get_inputs())
        assert [each.name for each in session.get_outputs()] == ["map"]
        yield Counter(node.op_type for node in program.model.graph), session.run(None, {name: images.numpy()})[0]


def test_residual_branches_leave_one_transpose():
    count = 3
    (before, expected), (after, found) = graphs(Blocks(count, (1, 2)), torch.randn(2, 4, 5, 6))
    assert before["Transpose"] > count
    assert after["Transpose"] == 1
    assert {kind: n for kind, n in before.items() if kind != "Transpose"} == {
        kind: n for kind, n in after.items() if kind != "Transpose"
    }
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_transposes_that_are_no_inverses_are_joined_and_stay():
    (before, expected), (after, found) = graphs(Blocks(2, (2, 1)), torch.randn(2, 4, 4, 6))
    assert 1 < after["Transpose"] <= before["Transpose"]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


class Constants(nn.Module):
    """A transposed map with constants of every number of axes: more than it has, as many, fewer."""

    def __init__(self):
        super().__init__()
        shapes = [(), (1,), (6,), (5, 1), (1, 5, 6), (1, 1, 1), (1, 1, 1, 1), (2, 1, 1, 6)]
        self.factors = nn.ParameterList(torch.rand(shape) for shape in shapes)

    def forward(self, x):
        x = x.flatten(2).transpose(1, 2)
        return torch.cat([functional.gelu((x * each).transpose(-1, -2)).sum(-1).flatten() for each in self.factors])


def test_constants_of_any_rank():
    (_, expected), (_, found) = graphs(Constants(), torch.randn(2, 6, 5, 1))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "others"), [("deit_s", 3), ("convnext_atto", 2)])
def test_a_block_more_has_only_transposes_that_it_needs(name, others, tmp_path):
    """Attention has three (queries, keys, what was attended); around a depthwise convolution there are two."""
    counts = []
    first = dataclasses.replace(tiny(name), stages=tiny(name).stages[:1])
    for depth in (1, 2):
        design = turn(first, "stages.0.depth", depth)
        found = export(design, to="onnx", path=tmp_path / f"{depth}.onnx", weights=alive(design))

        counts.append(Counter(node.op_type for node in onnx.load(found.path).graph.node)["Transpose"])
    assert counts[1] - counts[0] == others
