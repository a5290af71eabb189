"""Which designs can be compared: those that share seeds with each other, directly or through others."""

from __future__ import annotations

from collections.abc import Iterable


def comparable(trained: Iterable[tuple[str, int]]) -> frozenset[str]:
    """The names of the largest set of designs that are linked by common seeds, from names and seeds; of equal ones the first.

    Between two sets that share no seed, what is due to a design and what to a seed cannot be told apart.
    """
    pairs = list(trained)
    sets: list[tuple[set[str], set[int]]] = []
    for name, seed in pairs:
        linked = [each for each in sets if name in each[0] or seed in each[1]]
        merged = {name}.union(*(names for names, _ in linked)), {seed}.union(*(seeds for _, seeds in linked))
        place = sets.index(linked[0]) if linked else len(sets)
        sets = [each for each in sets if each not in linked]
        sets.insert(place, merged)
    sizes = [sum(name in names for name, _ in pairs) for names, _ in sets]
    return frozenset(sets[sizes.index(max(sizes))][0]) if sets else frozenset()
