"""Marks between layers: hooks that say at which module each stretch of a forward and a backward pass was spent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, final

from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from convlab.measurement.running.clocks import Clock

OUTSIDE = ""
"""The path of the network itself: what is spent in none of its layers."""


@final
class Pass:
    """Who owned the time between the marks of a clock: each stretch is the innermost module's that was at work, or a hook's own."""

    def __init__(self, clock: Clock):
        self.clock = clock
        self.owners: list[str | None] = []

    def start(self) -> None:
        """The first mark."""
        self.clock.mark()

    def mark(self, owner: str | None) -> None:
        """The stretch since the last mark was ``owner``'s, a hook's own for None."""
        self.clock.mark()
        self.owners.append(owner)

    def seconds(self) -> tuple[list[str | None], tuple[float, ...]]:
        """The owner and the length of every stretch; both are forgotten."""
        owners, self.owners = self.owners, []
        return owners, self.clock.read()


@final
class Marks:
    """Hooks in a network. ``forward`` and ``backward`` tell how one step went; modules are known by their paths.

    A node of autograd belongs to the innermost module in whose forward pass it was made.
    """

    def __init__(self, model: nn.Module, forward: Clock, backward: Clock | None):
        self.forward = Pass(forward)
        self.backward = None if backward is None else Pass(backward)
        self._model = model
        self._open: list[str] = []
        self._nodes: dict[Any, str] = {}

    @contextmanager
    def hooked(self) -> Iterator[None]:
        """The hooks, as long as it lasts: one step of forward, and backward if its clock was given."""
        handles: list[Any] = []
        for path, module in self._model.named_modules():
            handles.append(module.register_forward_pre_hook(self._before(path), with_kwargs=True))
            handles.append(module.register_forward_hook(self._after(path), with_kwargs=True))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()
            self._nodes.clear()
            self._open.clear()

    def _before(self, path: str) -> Any:
        def hook(module: nn.Module, given: tuple[Any, ...], named: dict[str, Any]) -> None:
            if self._open:
                self.forward.mark(self._open[-1])
                self._claim((given, named), self._open[-1])
                self.forward.mark(None)
            else:
                self.forward.start()
            self._open.append(path)

        return hook

    def _after(self, path: str) -> Any:
        def hook(module: nn.Module, given: tuple[Any, ...], named: dict[str, Any], output: Any) -> None:
            self.forward.mark(path)
            self._claim(output, path)
            self._open.pop()
            if self._open:
                self.forward.mark(None)
            elif self.backward is not None:
                self._watch_start(output)

        return hook

    def _claim(self, tensors: Any, path: str) -> None:
        """Nodes that led to these tensors, and that nobody has claimed, are of this module's making."""
        if self.backward is None:
            return
        waiting = [tensor.grad_fn for tensor in tree_leaves(tensors) if isinstance(tensor, Tensor)]
        while waiting:
            node = waiting.pop()
            if node is None or node in self._nodes:
                continue
            self._nodes[node] = path
            node.register_prehook(self._node_before)
            node.register_hook(self._node_after(path))
            waiting += [following for following, _ in node.next_functions]

    def _watch_start(self, output: Any) -> None:
        """The backward pass of the network starts where the gradient of its output is known: the loss is none of its layers."""
        assert self.backward is not None
        for tensor in tree_leaves(output):
            if isinstance(tensor, Tensor) and tensor.requires_grad:
                tensor.register_hook(self._output_gradient)  # type: ignore[no-untyped-call]

    def _output_gradient(self, gradient: Tensor) -> None:
        assert self.backward is not None
        if not self.backward.owners:
            self.backward.start()

    def _node_before(self, gradients: Any) -> None:
        assert self.backward is not None
        self.backward.mark(OUTSIDE)

    def _node_after(self, path: str) -> Any:
        def hook(inputs: Any, outputs: Any) -> None:
            assert self.backward is not None
            self.backward.mark(path)

        return hook
