"""Weights of one network in another one of a changed design: what was learned is kept as far as layers have the same role."""

from convlab.weights.inheritance.inheriting import inherit_weights
from convlab.weights.inheritance.report import Inheritance, Inherited, Unused

__all__ = ["Inheritance", "Inherited", "Unused", "inherit_weights"]
