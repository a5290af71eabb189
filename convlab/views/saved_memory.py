"""What autograd keeps for the backward pass, layer by layer: a storage that several layers keep is the first one's."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from convlab.costs import Profile
from convlab.layers import Chain, Gate, Layer, Named, Parallel, Repeat, Residual, Shape, Split, saved
from convlab.layers.layer import Copies, Row
from convlab.layers.saving import Saved
from convlab.layers.shape import larger

FLOAT32 = 4
IMAGE = "image"


class _Place(NamedTuple):
    path: str
    input: Shape
    count: int  # type: ignore[assignment]  # the word of the field; it is not searched as a tuple


Bytes = dict[str, int]


def saved_by_layer(profile: Profile) -> dict[str, int]:
    """Bytes that a forward pass of one image keeps, by the path of each row, all its repetitions together.

    Under "image" stands the image itself. They sum to ``Profile.saved_bytes``.
    """
    found: Bytes = defaultdict(int)
    whole = Chain(tuple((part.path, part.part.tree) for part in profile.parts))
    kept = _keep(whole, _Place("", profile.image, 1), found)
    if kept.input:
        found[IMAGE] += FLOAT32 * profile.image.elements
    return dict(found)


def _keep(tree: Layer, at: _Place, found: Bytes) -> Saved:
    """Note what each leaf of a tree keeps, and say of the tree what ``saved`` says."""
    match tree:
        case Chain():
            _chain(tree.children, at, found)
        case Residual():
            _residual(tree, at, found)
        case Gate():
            branch = _keep(tree.branch, at, found)
            factors = tree.branch.output(at.input)
            found[_first(tree.branch, at)] += at.count * (1 - branch.output) * FLOAT32 * factors.elements
        case Parallel():
            for name, child in tree.children:
                _keep(child, at._replace(path=f"{at.path}.{name}"), found)
        case Split():
            for name, child in tree.children:
                _keep(child, at._replace(path=f"{at.path}.{name}", input=tree.share(at.input)), found)
        case _:
            own = saved(tree, at.input)
            found[at.path] += at.count * (own.bytes + own.once)
    return saved(tree, at.input)


def _chain(children: tuple[Named, ...], at: _Place, found: Bytes) -> None:
    counted, fresh = 1, 0
    for name, child in children:
        here = at._replace(path=f"{at.path}.{name}" if at.path else name)
        own = _repeat(child, here, found) if isinstance(child, Repeat) else _keep(child, here, found)
        paid = fresh * (1 - counted) * own.input * FLOAT32 * at.input.elements
        if paid:
            found[_first(child, here)] += at.count * paid
        counted = own.fresh * own.output + (1 - own.fresh) * larger(counted, own.input)
        fresh = larger(fresh, own.fresh)
        at = at._replace(input=child.output(at.input))


def _repeat(tree: Repeat, at: _Place, found: Bytes) -> Saved:
    folder, _, index = at.path.rpartition(".")
    turns = tuple((str(int(index) + int(name)), block) for name, block in tree.turns())
    inner = at._replace(path=folder, count=at.count * tree.count)
    if len(turns) == 1:
        _keep(tree.block, at._replace(count=inner.count), found)
    else:
        _chain(turns, inner, found)
    block = saved(tree.block, at.input)
    again = (tree.count - 1) * block.input * (1 - block.output) * FLOAT32 * at.input.elements
    if again:
        found[_first(tree, at)] += at.count * again
    return saved(tree, at.input)


def _residual(tree: Residual, at: _Place, found: Bytes) -> None:
    y = tree.branch.output(at.input)
    branch = _keep(tree.branch, at, found)
    if tree.scale is not None:
        found[f"{at.path}.gamma"] += at.count * branch.fresh * (1 - branch.output) * FLOAT32 * y.elements
    if tree.shortcut is not None:
        _keep(tree.shortcut, at._replace(path=f"{at.path}.shortcut"), found)
    if tree.after is not None:
        after = at._replace(input=y)
        kept = _keep(tree.after, after, found)
        if kept.input:
            found[_first(tree.after, after)] += at.count * FLOAT32 * y.elements


def _first(tree: Layer, at: _Place) -> str:
    """The path of the first leaf."""
    rows: list[Row] = []
    tree.trace(at.path, at.input, Copies(), rows)
    return rows[0].path
