"""Transposes of an ONNX graph: pushed behind functions of single numbers until they meet their inverses, and both are gone.

In torch a permuted map is a view. In an ONNX graph it is a node, which runtimes copy for or which hides attention from them: OpenVINO runs
DeiT-S 1.26 times as fast without those around every norm and every sum (docs/decisions/0027-onnx.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnxscript import ir

# fmt: off
POINTWISE = frozenset({
    "Abs", "Add", "Clip", "Div", "Erf", "Exp", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "Mish", "Mul", "Neg", "Relu", "Sigmoid",
    "Softplus", "Sqrt", "Sub", "Tanh",
})
# fmt: on
"""Functions of every number by itself; of two maps, of those in one place."""


def without_spare_transposes(model: ir.Model) -> None:
    """Change a graph in place; what it computes and what its outputs are called stays."""
    from onnxscript.ir.passes.common import RemoveUnusedNodesPass

    for node in tuple(model.graph):  # in order of execution: what is pushed down meets what comes later
        if node.outputs[0].is_graph_output():
            continue
        if node.op_type == "Transpose":
            _join(node)
        elif node.op_type in POINTWISE:
            _push_down(node, model.graph)
    RemoveUnusedNodesPass()(model)


def _join(node: ir.Node) -> None:
    """A transpose of a transpose is one of them, or none."""
    from onnxscript import ir

    first = _transpose(node.inputs[0])
    source = None if first is None else first.inputs[0]
    if first is None or source is None:
        return
    order = [_order(first)[axis] for axis in _order(node)]
    if order == sorted(order):
        node.outputs[0].replace_all_uses_with(source)
    else:
        node.replace_input_with(0, source)
        node.attributes["perm"] = ir.AttrInt64s("perm", order)


def _push_down(node: ir.Node, graph: ir.Graph) -> None:
    """A function of every number of maps that are transposed alike, and of constants, is a transpose of that of the maps."""
    from onnxscript import ir

    orders = [_order(found) for value in node.inputs if (found := _transpose(value)) is not None]
    if not orders or any(order != orders[0] for order in orders):
        return
    order, result = orders[0], node.outputs[0]
    sources = [_before(value, order, graph) for value in node.inputs]
    if None in sources:
        return
    inner = ir.node(node.op_type, sources, node.attributes)
    outer = ir.node("Transpose", inner.outputs, {"perm": order})
    inner.outputs[0].name, inner.outputs[0].type = f"{result.name}_before_transpose", result.type
    outer.outputs[0].name, outer.outputs[0].type = f"{result.name}_transposed", result.type
    outer.outputs[0].shape = result.shape
    graph.insert_after(node, (inner, outer))
    result.replace_all_uses_with(outer.outputs[0])


def _before(value: ir.Value | None, order: Sequence[int], graph: ir.Graph) -> ir.Value | None:
    """What gives, transposed, a value: the source of a transpose, or a constant; None where there is none."""
    from onnxscript import ir

    transpose, tensor = _transpose(value), None if value is None else value.const_value
    if transpose is not None:
        return transpose.inputs[0]
    if value is None or tensor is None or tensor.size == 1:
        return value if tensor is not None else None
    if len(tensor.shape) != len(order):
        return None
    back = [order.index(axis) for axis in range(len(order))]
    name = f"{value.name}_{''.join(map(str, back))}"
    if name not in graph.initializers:
        array = tensor.numpy().transpose(back).copy()
        turned = ir.tensor(array, name=name)
        graph.register_initializer(
            ir.Value(name=name, type=value.type, shape=ir.Shape(array.shape), const_value=turned)
        )
    return graph.initializers[name]


def _transpose(value: ir.Value | None) -> ir.Node | None:
    node = None if value is None else value.producer()
    return node if node is not None and node.op_type == "Transpose" else None


def _order(node: ir.Node) -> list[int]:
    return list(node.attributes["perm"].as_ints())
