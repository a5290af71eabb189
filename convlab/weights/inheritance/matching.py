"""Which stage and which block of one network feed which of another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, final

from convlab.weights.inheritance.anatomy import StageAnatomy

NEW_BLOCKS: Final = ("identity", "copy", "fresh")
"""What a block without a counterpart becomes: a copy of its neighbour that gives its input, a copy, or as it was initialised."""


@final
class Feed(NamedTuple):
    """The block that feeds a block, and whether it is the block's own counterpart or only the nearest one."""

    block: int
    own: bool = True


def matched_stages(new: Sequence[int], old: Sequence[int]) -> tuple[int, ...]:
    """For each stage of a network with widths ``new`` the one of ``old`` that feeds it, -1 for none.

    Equal numbers of stages are matched in order. Otherwise all stages of the shorter network are, in order, so that the widths fit
    best (the sum of smaller over larger width); of equal fits the one nearest to the image.
    """
    if len(new) > len(old):
        back = matched_stages(old, new)
        return tuple(back.index(stage) if stage in back else -1 for stage in range(len(new)))
    if len(new) == len(old):
        return tuple(range(len(new)))
    best: list[tuple[float, tuple[int, ...]]] = [(0.0, ())] * (len(old) + 1)
    for count, width in enumerate(new, 1):
        longer: list[tuple[float, tuple[int, ...]]] = [(float("-inf"), ())] * (len(old) + 1)
        for end in range(count, len(old) + 1):
            fit, chosen = best[end - 1]
            here = (fit + _likeness(width, old[end - 1]), (*chosen, end - 1))
            longer[end] = here if here[0] > longer[end - 1][0] + 1e-9 else longer[end - 1]
        best = longer
    return best[-1][1]


def matched_blocks(new: StageAnatomy, old: StageAnatomy) -> tuple[Feed, ...]:
    """For each block of a stage the one that feeds it.

    A first block that takes channels of the stage before is matched with the first one. The others, or all, are matched evenly: of a
    deeper stage blocks are left out between the first and the last, in a deeper stage new ones follow their neighbour. Where blocks take
    turns (shifted windows), whole turns are left out or made anew, so that each block is fed by one of its turn.
    """
    first = 1 if new.enters or old.enters else 0
    period = max(new.period, old.period)
    inner, known = new.depth - first, old.depth - first
    if min(inner, known) < period:
        period = 1
    feeds = _in_turns(inner, known, period)
    return (Feed(0),) * first + tuple(Feed(feed.block + first, feed.own) for feed in feeds)


def _in_turns(new: int, old: int, period: int) -> list[Feed]:
    """The places of a row of ``new`` blocks in one of ``old``, where ``period`` of them take turns."""
    if new <= old:
        last = new % period or period  # the blocks of the last turn
        turns = _evenly(-(-new // period), (old - last) // period + 1)
        return [Feed(turn.block * period + place) for turn in turns for place in range(period)][:new]
    rest = old % period
    turns = _evenly((new - rest) // period, old // period)
    feeds = [Feed(turn.block * period + place, turn.own) for turn in turns for place in range(period)]
    feeds += [Feed(old - rest + place) for place in range(rest)]
    more = range(len(feeds), new)
    return feeds + [Feed(old - 1 - (old - 1 - place) % period, own=False) for place in more]


def _evenly(new: int, old: int) -> list[Feed]:
    """Places of a row of ``new`` in one of ``old``: a shorter row keeps both ends, in a longer one new places follow their neighbours."""
    if old < 1:
        return [Feed(-1, own=False)] * new  # only the first block is there to be copied
    if new == 1:
        return [Feed(0)]
    if new <= old:
        return [Feed((2 * place * (old - 1) + new - 1) // (2 * (new - 1))) for place in range(new)]
    blocks = [place * old // new for place in range(new)]
    return [Feed(block, own=place == 0 or blocks[place - 1] != block) for place, block in enumerate(blocks)]


def _likeness(one: int, other: int) -> float:
    return min(one, other) / max(one, other, 1)
