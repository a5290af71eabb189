"""The class of a block, of a residual branch or of a gate: its attributes under the names of its layers, and how they are run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from convlab.exports.python.classes import FORWARD, class_text, statement, under
from convlab.exports.python.descriptions import body_doc
from convlab.exports.python.layout import call
from convlab.exports.python.likeness import united_names
from convlab.exports.python.modules import branch, expression
from convlab.exports.python.nodes import NORMS, Body, Branches, Given, Make, Node
from convlab.exports.python.running import finished, nested, run
from convlab.exports.python.scopes import HIDDEN, Scope

DROP_PATH = Given("drop_path")


def body_class(bodies: Sequence[Body], name: str, *, silent: bool) -> tuple[str, list[Make]]:
    """The class of similar bodies, and the call that makes each of them. ``silent``: last norms of residuals start at 0."""
    derives = bodies[0].join != "product"
    first = _Writer(bodies, Scope(_widths(bodies), derives=derives), silent)
    first.text(name)
    writer = _Writer(bodies, Scope(_widths(bodies), once=first.scope.used_once(), derives=derives), silent)
    text = writer.text(name)
    given = writer.scope.given()
    return text, [Make(name, tuple(one.argument(index) for one in given), HIDDEN) for index in range(len(bodies))]


def _widths(bodies: Sequence[Body]) -> dict[str, list[int]]:
    """What goes out, and what comes in where that differs."""
    widths = {"width": [body.width for body in bodies], "width_in": [body.width_in for body in bodies]}
    return widths if widths["width"] != widths["width_in"] else {"width": widths["width"]}


Row = dict[str, list[Node | None]]
"""The attributes of a class: each module in every instance."""


def _columns(rows: Sequence[tuple[tuple[str, Node], ...]]) -> Row:
    tables = [dict(row) for row in rows]
    names = united_names(tables)
    assert names is not None
    return {name: [table.get(name) for table in tables] for name in names}


@final
class _Writer:
    """Writes the class of similar bodies once; its scope fills as it goes."""

    def __init__(self, bodies: Sequence[Body], scope: Scope, silent: bool) -> None:
        self.bodies = bodies
        self.scope = scope
        self.silent = silent
        self.branch = _columns([body.branch for body in bodies])
        self.after = _columns([body.after for body in bodies])
        self.drops_path = any(body.drop_path for body in bodies)
        self.shortcuts = [body.shortcut for body in bodies]
        self.residual = ""  # the condition under which there is a shortcut at all, where that is not always so

    def text(self, name: str) -> str:
        layers = [*self._attributes(self.branch), *self._residual(), *self._shortcut(), *self._attributes(self.after)]
        layers = [*self._scale(), *layers]
        start = [line for text in ("super().__init__()", *self.scope.locals()) for line in statement(text)]
        declared = [parameter.declaration() for parameter in self.scope.given()]
        methods = {FORWARD: [line for text in self._forward() for line in statement(text)]}
        if self.residual:
            methods = {FORWARD: self._conditional_forward()}
        return class_text(name, body_doc(self.bodies), declared, [*start, *layers], methods)

    @property
    def join(self) -> str:
        """How the bodies join: "sum" where any of them is a residual."""
        return max(body.join for body in self.bodies)

    def _scale(self) -> list[str]:
        scales = [body.scale for body in self.bodies]
        if not any(scale is not None for scale in scales):
            return []
        width = self.scope.width([body.width for body in self.bodies], "width")
        initial = self.scope.number("layer_scale", scales)
        made = call("nn.Parameter", call("torch.full", f"({width},)", initial))
        condition = self.scope.condition("residual", [scale is not None for scale in scales])
        return under(condition, made, "self.gamma = ") if condition else statement(made, "self.gamma = ")

    def _attributes(self, row: Row) -> list[str]:
        return [line for name, nodes in row.items() for line in self._attribute(name, nodes)]

    def _attribute(self, name: str, nodes: Sequence[Node | None]) -> list[str]:
        """The statements that make a module, which some instances may lack."""
        made = expression(nodes, self.scope)
        condition = self.scope.condition(name, [node is not None for node in nodes])
        if condition:
            return [*statement(f"self.{name}: nn.Module = nn.Identity()"), *under(condition, made, f"self.{name} = ")]
        return [*statement(made, f"self.{name} = "), *self._last_branch(name, nodes)]

    def _last_branch(self, name: str, nodes: Sequence[Node | None]) -> list[str]:
        """A last branch that only some instances have."""
        counts = [len(node.children) for node in nodes if isinstance(node, Branches)]
        if not counts or min(counts) == max(counts):
            return []
        last = expression(branch(nodes, min(counts)), self.scope)
        condition = self.scope.condition(f"{name}_last", [count == max(counts) for count in counts])
        return under(condition, call(f"self.{name}.append", last))

    def _residual(self) -> list[str]:
        """Drop path and silent norms, which belong to residuals only."""
        made = []
        if self.drops_path:
            rate = self.scope.number("drop_path", [DROP_PATH if body.drop_path else None for body in self.bodies])
            made.append(f"self.drop_path = DropPath({rate})")
        if self.silent and self.join == "sum" and self._ends_with_norm():
            made.append(f"nn.init.zeros_(self.{list(self.branch)[-1]}.weight)")
        sums = [body.join == "sum" for body in self.bodies]
        if self.join != "sum" or all(sums):
            return [line for text in made for line in statement(text)]
        self.residual = self.scope.condition("residual", sums)
        return [
            *statement(f"self.residual = {self.residual}"),
            *(line for text in made for line in under("self.residual", text)),
        ]

    def _ends_with_norm(self) -> bool:
        last = [*self.branch.values()][-1:]
        return any(isinstance(node, Make) and node.maker in NORMS for nodes in last for node in nodes)

    def _shortcut(self) -> list[str]:
        return self._attribute("shortcut", self.shortcuts) if any(self.shortcuts) else []

    def _forward(self) -> list[str]:
        branch, after = _row(self.branch), _row(self.after)
        if self.join == "":
            return finished(run([*branch, *after], "x", "x"), "x", "x")
        statements = run(branch, "x", "y") or ["y = x"]
        if self.join == "product":
            return [*statements, "return x * y"]
        shortcut = "self.shortcut(x)" if any(self.shortcuts) else "x"
        return [*statements, *self._scaled(), f"return {nested(self.after, f'{shortcut} + {self._dropped()}')}"]

    def _conditional_forward(self) -> list[str]:
        shortcut = "self.shortcut(x)" if any(self.shortcuts) else "x"
        lines = [line for text in run(_row(self.branch), "x", "y") or ["y = x"] for line in statement(text)]
        inner = [*self._scaled(), f"y = {shortcut} + {self._dropped()}"]
        lines += [*statement("if self.residual:"), *(f"            {text}" for text in inner)]
        return [*lines, *statement(f"return {nested(self.after, 'y')}")]

    def _scaled(self) -> list[str]:
        return ["y = y * self.gamma.view(-1, 1, 1)"] if any(body.scale is not None for body in self.bodies) else []

    def _dropped(self) -> str:
        return "self.drop_path(y)" if self.drops_path else "y"


def _row(columns: Row) -> list[tuple[str, Node]]:
    """The attributes with one of their modules each."""
    return [(name, next(node for node in nodes if node is not None)) for name, nodes in columns.items()]
