"""Transposes of an ONNX graph: pushed behind functions of single numbers until they meet their inverses, and both are gone.

In torch a permuted map is a view. In an ONNX graph it is a node, which runtimes copy for or which hides attention from them: OpenVINO runs
DeiT-S 1.26 times as fast without those around every norm and every sum (docs/decisions/0027-onnx.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from onnxscript import ir

# fmt: off
POINTWISE = frozenset({
    "Abs", "Add", "Clip", "Div", "Erf", "Exp", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "Mish", "Mul", "Neg", "Relu", "Sigmoid",
    "Softplus", "Sqrt", "Sub", "Tanh",
})
# fmt: on
"""Functions of every number by itself; of two maps, of those in one place."""


Turned: TypeAlias = "dict[tuple[ir.Value, tuple[int, ...]], ir.Value]"
"""Constants that were transposed already, by the constant and the order of its axes."""


def without_spare_transposes(model: ir.Model) -> None:
    """Change a graph in place; what it computes and what its outputs are called stays."""
    from onnxscript.ir.passes.common import RemoveUnusedNodesPass

    turned: Turned = {}
    for node in tuple(model.graph):  # in order of execution: what is pushed down meets what comes later
        if node.domain or node.outputs[0].is_graph_output():
            continue
        if node.op_type == "Transpose":
            _join(node)
        elif node.op_type in POINTWISE:
            _push_down(node, model.graph, turned)
    RemoveUnusedNodesPass()(model)


def _join(node: ir.Node) -> None:
    """A transpose of a transpose is one of them, or none."""
    from onnxscript import ir

    first, second = _order_before(node.inputs[0]), _order(node)
    if first is None or second is None:
        return
    source, order = first.source, [first.order[axis] for axis in second]
    if order == sorted(order):
        node.outputs[0].replace_all_uses_with(source)
    else:
        node.replace_input_with(0, source)
        node.attributes["perm"] = ir.AttrInt64s("perm", order)


def _push_down(node: ir.Node, graph: ir.Graph, turned: Turned) -> None:
    """A function of every number of maps that are transposed alike, and of constants, is a transpose of that of the maps."""
    from onnxscript import ir

    transposed = [found for value in node.inputs if (found := _order_before(value)) is not None]
    if not transposed or any(each.order != transposed[0].order for each in transposed):
        return
    order, result = transposed[0].order, node.outputs[0]
    sources = [_source(value, order, graph, turned) for value in node.inputs]
    if None in sources:
        return
    inner = ir.node(node.op_type, sources, node.attributes)
    outer = ir.node("Transpose", inner.outputs, {"perm": order})
    inner.outputs[0].type = outer.outputs[0].type = result.type
    outer.outputs[0].shape = result.shape
    graph.insert_after(node, (inner, outer))  # it names the values
    result.replace_all_uses_with(outer.outputs[0])


def _source(value: ir.Value | None, order: list[int], graph: ir.Graph, turned: Turned) -> ir.Value | None:
    """What gives, transposed, a value: the source of a transpose, or a constant; None where there is none."""
    from onnxscript import ir

    transposed, tensor = _order_before(value), None if value is None else value.const_value
    if transposed is not None:
        return transposed.source
    if value is None or tensor is None or value.is_graph_input():
        return None
    if tensor.size == 1 and len(tensor.shape) <= len(order):
        return value
    if len(tensor.shape) != len(order):
        return None
    key = value, tuple(order)
    if key not in turned:
        array = tensor.numpy().transpose([order.index(axis) for axis in range(len(order))]).copy()
        name = _free(f"{value.name}_transposed", graph)
        made = ir.Value(
            name=name, type=value.type, shape=ir.Shape(array.shape), const_value=ir.tensor(array, name=name)
        )
        graph.register_initializer(made)
        turned[key] = made
    return turned[key]


def _free(name: str, graph: ir.Graph) -> str:
    """A name that nothing in the graph has."""
    taken = {*graph.initializers, *(value.name for value in graph.inputs)}
    taken |= {value.name for node in graph for value in node.outputs}
    return next(each for each in (name, *(f"{name}_{number}" for number in range(len(taken)))) if each not in taken)


class _Transposed(NamedTuple):
    source: ir.Value
    order: list[int]


def _order_before(value: ir.Value | None) -> _Transposed | None:
    """What a value is the transpose of, and in which order of its axes."""
    node = None if value is None else value.producer()
    if node is None or node.domain or node.op_type != "Transpose":
        return None
    source, order = node.inputs[0], _order(node)
    return None if source is None or order is None else _Transposed(source, order)


def _order(node: ir.Node) -> list[int] | None:
    return list(node.attributes["perm"].as_ints()) if "perm" in node.attributes else None
