"""A design as Python: one readable file of torch modules with the state dict of the built model, which runs without convlab."""

from __future__ import annotations

from convlab.costs import profile
from convlab.exports.python.descriptions import file_doc, function_doc
from convlab.exports.python.layout import Expression, call, lines, named
from convlab.exports.python.library import imports, needed, part_names, used_names
from convlab.exports.python.middle import Setting
from convlab.exports.python.naming import Names, family, function_name
from convlab.exports.python.network import network_class
from convlab.exports.python.plan import planned
from convlab.exports.python.stages import classes_of_stages
from convlab.language.design import Design

__all__ = ["python_source"]


def python_source(design: Design) -> str:
    """The source of a design: one public class, the network, and a function of the design's name that makes it.

    The text is formatted as black does; for one design it is always the same. Raises ConvlabError where the design is not valid.
    """
    costs = profile(design)
    names = Names(part_names())
    title, function = names.free(family(design.name)), names.free(function_name(design.name))
    plan = planned(design, names)
    stages, makes = classes_of_stages(plan.stages, names) if not plan.bare else ([], [])
    classes = [*plan.classes, *stages]
    linear_2d = "Linear2d" in used_names("".join(classes))
    network, settings = network_class(design, plan, makes, title, linear_2d=linear_2d)
    code = [*classes, network, _function(function, title, settings, function_doc(design))]
    code = [*needed("".join(code)), *code]
    public = f'__all__ = ["{title}", "{function}"]\n'
    return "\n\n".join([f"{file_doc(costs, function)}\n{imports(''.join(code))}\n{public}", *code])


def _function(name: str, title: str, settings: list[Setting], doc: list[str]) -> str:
    """The function that makes the design; the number of classes may be another."""
    arguments: list[Expression] = [one.declaration() for one in settings if one.name == "classes"]
    values = [named(one.name, one.value) for one in settings if one.value]
    head = lines(call(name, *arguments), "def ", f" -> {title}:")
    return "\n".join([*head, *doc, *lines(call(title, *values), "return ", depth=1)]) + "\n"
