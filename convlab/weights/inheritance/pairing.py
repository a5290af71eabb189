"""Two networks side by side: which tensor of the one has the role that a tensor of the other has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, final

from torch import Tensor

from convlab.language.design import Design
from convlab.weights.inheritance.anatomy import Address, Anatomy, Site, anatomy_of
from convlab.weights.inheritance.branches import Branch
from convlab.weights.inheritance.guessing import guessed_anatomy
from convlab.weights.inheritance.matching import Feed, matched_blocks, matched_stages
from convlab.weights.inheritance.parents import Parent


@final
class Pair(NamedTuple):
    """A model's anatomy and that of the network it inherits from, which stage and block feeds which, and both networks' addresses."""

    now: Anatomy
    was: Anatomy
    stages: tuple[int, ...]
    blocks: tuple[tuple[Feed, ...], ...]
    here: frozenset[Address]
    there: Mapping[Address, str]

    @staticmethod
    def of(parent: Parent, design: Design, weights: Mapping[str, Tensor]) -> Pair:
        """The pair of a parent and a model of a design with these weights."""
        now = anatomy_of(design, weights)
        was = _anatomy_of(parent, now, weights)
        stages = matched_stages([stage.width for stage in now.stages], [stage.width for stage in was.stages])
        pairs = zip(now.stages, stages, strict=True)
        blocks = tuple(matched_blocks(stage, was.stages[fed]) if fed >= 0 else () for stage, fed in pairs)
        here = frozenset(site.address for site in now.sites.values())
        return Pair(now, was, stages, blocks, here, {site.address: name for name, site in was.sites.items()})

    def feed(self, site: Site) -> Feed:
        """The block that feeds a tensor's block, -1 for none."""
        _, stage, block, _ = site.address
        return Feed(-1) if block < 0 or self.stages[stage] < 0 else self.blocks[stage][block]

    def source(self, site: Site) -> str:
        """The tensor of the same role in what feeds a tensor's place, "" for none."""
        address = site.address
        if address.stage >= 0:
            address = address._replace(stage=self.stages[address.stage], block=self.feed(site).block)
        lost = address.stage < 0 <= site.address.stage or address.block < 0 <= site.address.block
        return "" if lost else self.there.get(address, "")

    def scale(self, source: str, site: Site) -> str:
        """The layer scale that has to go into a tensor that is taken over, because its new block has none; "" for none."""
        _, stage, block, _ = self.was.sites[source].address
        for branch in self.was.branches.get((stage, block), ()):
            if branch.scale and source in _numbers_of(branch.last):
                role = self.was.sites[branch.scale].address.role
                return "" if site.address._replace(role=role) in self.here else branch.scale
        return ""

    def is_silent(self, name: str, site: Site) -> bool:
        """Whether a tensor has to be 0 for its block to give its input."""
        branches = self.now.branches.get((site.address.stage, site.address.block), ())
        return all(branch.silent for branch in branches) and any(
            name in _numbers_of(layer) for branch in branches for layer in branch.silent
        )

    def takes_over(self, branch: Branch) -> bool:
        """Whether the last layer of one of the model's branches has a source."""
        found = (self.now.sites[name] for name in _numbers_of(branch.last) if name in self.now.sites)
        return any(self.source(site) for site in found)


def _anatomy_of(parent: Parent, other: Anatomy, weights: Mapping[str, Tensor]) -> Anatomy:
    if parent.design is None:
        return guessed_anatomy(parent.tensors, other, weights)
    return anatomy_of(parent.design, parent.tensors)


def _numbers_of(layer: str) -> tuple[str, ...]:
    """The tensors that scale what a layer gives: its weight and bias, or the layer itself where it is a layer scale."""
    return (layer, f"{layer}.weight", f"{layer}.bias") if layer else ()
