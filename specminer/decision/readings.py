"""One expression for what differs between calls only by how long their data is.

A hash of an array is another expression for each length of the array, and so is all that is read at it. At one site
in the code such expressions stand for one thing. The first of them becomes the *reading* of all; what it was in the
other calls is kept, so that values come from the expression of each call.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from specminer.decision.paths import Path, PathCondition, PathStep, Site
from specminer.decision.steps import each_once
from specminer.shadow.arena import SOURCES, UNKNOWN, Arena, Key, operands_of

MAX_READINGS: Final = 16
"""Different expressions at one site that others are compared with."""
_MAX_PAIRS: Final = 1_000
"""Pairs of expressions that one comparison looks at."""
_MAX_BELOW: Final = 2_000
"""Expressions that are looked at to find what one depends on."""

Roots = frozenset[tuple[object, ...]]
"""What an expression depends on, whatever the length of its arrays."""


@dataclass(slots=True, kw_only=True)
class Readings:
    """Which expressions are read as which, over one arena."""

    arena: Arena
    reading: dict[int, int] = field(default_factory=dict)
    """From nodes that conditions are about to those they are read as; others are read as they are."""
    own_nodes: dict[int, dict[int, int]] = field(default_factory=dict)
    """By run: from an expression that its conditions are read in to the run's own; 0 where it has several."""
    _nodes_by_site: dict[Site, list[int]] = field(default_factory=lambda: defaultdict(list))
    _paths: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    """On which paths an expression, or one that is read as it, was decided upon."""
    _roots: dict[int, Roots] = field(default_factory=dict)
    _comparisons: dict[tuple[int, int], tuple[tuple[int, int], ...] | None] = field(default_factory=dict)

    def read(self, visits: Iterable[PathStep]) -> tuple[PathStep, ...]:
        """Return decisions over the expressions that they are read in."""
        reading = self.reading
        return tuple(
            step
            if (node := reading.get(step.condition.node)) is None
            else step._replace(condition=PathCondition(node, step.condition.holds))
            for step in visits
        )

    def add(self, number: int, path: Path) -> None:
        """Take in a path: what it decided is compared with what others decided at the same sites."""
        for step in path.steps:
            node = step.condition.node
            if node != UNKNOWN:
                self._paths[self.reading.get(node, node)].add(number)
        for step in path.steps:
            node = step.condition.node
            if node == UNKNOWN or not step.site[0] or node in self.reading:
                continue
            nodes = self._nodes_by_site[step.site]
            if node in nodes:
                continue
            target = next((item for item in nodes if self._is_read_as(item, node)), None)
            if target is not None:
                self.reading[node] = target
                self._paths[target] |= self._paths.pop(node)
            elif len(nodes) < MAX_READINGS:
                nodes.append(node)

    def note_own(self, number: int, path: Path) -> None:
        """Note what the expressions of a path are read as, for its runs.

        A call may decide at a site upon something else than others do, such as the answer of its first call where
        theirs is the second: there that stands for what they decide upon.
        """
        own: dict[int, int] = {}
        for step in path.steps:
            node = step.condition.node
            target = self.reading.get(node)
            pairs = list(self._pairs(target, node) or ()) if target is not None else []
            if node != UNKNOWN and step.site[0]:
                others = (item for item in self._nodes_by_site[step.site] if item not in (node, target))
                pairs += [(item, node) for item in others if number not in self._paths[item]]
            for one, other in pairs:
                own[one] = other if own.get(one, other) == other else UNKNOWN
        if own:
            for run in path.runs:
                self.own_nodes[run] = own

    def _is_read_as(self, earlier: int, node: int) -> bool:
        """Return whether two expressions differ by lengths only, and no call decided upon both."""
        return self._paths[earlier].isdisjoint(self._paths[node]) and self._pairs(earlier, node) is not None

    def _pairs(self, first: int, second: int) -> tuple[tuple[int, int], ...] | None:
        """Return what stands at the same places in two expressions; ``None`` if more than lengths differ."""
        key = first, second
        if key not in self._comparisons:
            self._comparisons[key] = self._compare(first, second)
        return self._comparisons[key]

    def _compare(self, first: int, second: int) -> tuple[tuple[int, int], ...] | None:
        waiting = [(first, second)]
        pairs: dict[tuple[int, int], None] = {}
        while waiting:
            pair = waiting.pop()
            left, right = pair
            if left == right or pair in pairs:
                continue
            if UNKNOWN in pair or len(pairs) >= _MAX_PAIRS:
                return None
            pairs[pair] = None
            below = self._below(left, right)
            if below is None:
                return None
            waiting += below
        return tuple(pairs)

    def _below(self, left: int, right: int) -> list[tuple[int, int]] | None:
        """Return what two expressions are made of, in pairs; nothing more where lengths differ there."""
        arena = self.arena
        one, other = arena.key(left), arena.key(right)
        if one[0] != other[0]:
            return None
        kind = one[0]
        if kind == "keccak":
            return [] if self._hash_alike(left, right) else None
        if kind in ("answer", "success", "answer_size"):
            return [] if one[2:] == other[2:] and self._ask_alike(one[1], other[1]) else None
        if kind == "calldata" and len(one) == len(other) == 3 and one[2] == other[2]:
            return [(one[1], other[1])]
        operands, others = operands_of(one), operands_of(other)
        if not operands or len(operands) != len(others) or _rest(one) != _rest(other):
            return None
        return list(zip(operands, others, strict=True))

    def _hash_alike(self, left: int, right: int) -> bool:
        """Return whether two hashes are of the same data, of which some is an array."""
        roots = self.roots(left)
        return roots == self.roots(right) and any(item[0] == "data" for item in roots)

    def _ask_alike(self, first: int, second: int) -> bool:
        """Return whether two calls ask the same of the same contract but for the length of data."""
        one, other = self.arena.foreign.call(first), self.arena.foreign.call(second)
        if (
            one is None
            or other is None
            or (one.kind, one.to, one.value) != (other.kind, other.to, other.value)
        ):
            return False
        if one.repetition != other.repetition or one.data is None or other.data is None:
            return False
        return one.data[:1] == other.data[:1] and self._roots_of(one.data) == self._roots_of(other.data)

    def _roots_of(self, parts: Sequence[tuple[int, int, int]]) -> Roots:
        none: frozenset[tuple[object, ...]] = frozenset()
        return none.union(*(self.roots(node) for node, _, _ in parts))

    def roots(self, node: int) -> Roots:
        """Return the sources of an expression: of data at a computed place, what that is computed from."""
        roots_of_node = self._roots.get(node)
        if roots_of_node is None:
            roots_of_node = self._roots[node] = self._find_roots(node)
        return roots_of_node

    def _find_roots(self, node: int) -> Roots:
        arena = self.arena
        roots: set[tuple[object, ...]] = set()
        visited, waiting = {(node, False)}, [(node, False)]
        while waiting and len(visited) < _MAX_BELOW:
            item, inside = waiting.pop()
            key = arena.key(item)
            below: tuple[int, ...] = operands_of(key)
            if key[0] == "calldata" and len(key) == 3:
                below, inside = (key[1],), True
            elif key[0] == "calldata":
                roots.add(("data" if inside else "word", key[1]))
            elif key[0] in ("answer", "success", "answer_size"):
                roots.add((key[0],))
            elif key[0] in SOURCES and not below:
                roots.add(key)
            elif key[0] == "storage":
                roots.add((key[0],))
            more = [(each, inside) for each in below if (each, inside) not in visited]
            visited.update(more)
            waiting += more
        return frozenset(roots)


def _rest(key: Key) -> Key:
    """Return what belongs to a key besides its operands."""
    count = len(operands_of(key))
    if key[0] == "join":
        return tuple(part[1:] for part in key[1])
    return key[1] if key[0] == "opaque" else (), key[(2 if key[0] == "opaque" else 1) + count :]


def read_alike(arena: Arena, paths: Sequence[Path]) -> tuple[tuple[Path, ...], Readings]:
    """Return paths over the expressions that their conditions are read in, and which these are."""
    readings = Readings(arena=arena)
    for number, path in enumerate(paths):
        readings.add(number, path)
    for number, path in enumerate(paths):
        readings.note_own(number, path)
    if not readings.reading:
        return tuple(paths), readings
    read = [readings.read(path.visits) for path in paths]
    return tuple(
        replace(path, visits=visits, steps=each_once(visits))
        for path, visits in zip(paths, read, strict=True)
    ), readings
