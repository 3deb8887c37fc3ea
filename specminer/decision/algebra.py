"""Sums of expressions, modulo a power of two, and whether numbers without bounds would give the same.

A word is a linear form: so many times this source, so many times that one, and a constant. What is no sum, difference
or multiple is taken as it is, so equal forms mean equal words, whatever the sources hold. The converse does not hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from specminer.decision.implications import values_of
from specminer.decision.paths import PathCondition
from specminer.shadow.arena import MASK, UNKNOWN, Arena

MAX_NODES: Final = 256
"""Nodes that one form is made of; larger ones are taken as they are."""


@dataclass(slots=True)
class LinearForm:
    """A sum of multiples of nodes, modulo ``2**bits``."""

    bits: int
    factors: dict[int, int] = field(default_factory=dict)
    constant: int = 0

    def add(self, other: LinearForm, times: int = 1) -> None:
        """Add a multiple of another form."""
        for node, factor in other.factors.items():
            self._count(node, times * factor)
        self.constant = (self.constant + times * other.constant) % (1 << self.bits)

    def _count(self, node: int, factor: int) -> None:
        total = (self.factors.get(node, 0) + factor) % (1 << self.bits)
        if total:
            self.factors[node] = total
        else:
            self.factors.pop(node, None)

    @property
    def is_zero(self) -> bool:
        """Whether it is 0 whatever its nodes hold."""
        return not self.factors and not self.constant

    def same(self, other: LinearForm) -> bool:
        """Whether both are equal whatever their nodes hold."""
        return self.bits == other.bits and (self.factors, self.constant) == (other.factors, other.constant)


def linear_form(arena: Arena, node: int, bits: int) -> LinearForm | None:
    """Return a node as a linear form modulo ``2**bits``; ``None`` if something of it is unknown."""
    form = LinearForm(bits)
    pending = {node: 1}
    for _ in range(MAX_NODES):
        if not pending:
            return form
        item = max(pending)  # operands are made before what they are operands of
        factor = pending.pop(item) % (1 << bits)
        if item == UNKNOWN:
            return None
        for operand, times in _terms(arena, item, bits, form, factor):
            pending[operand] = pending.get(operand, 0) + times
    return None


def _terms(arena: Arena, node: int, bits: int, form: LinearForm, factor: int) -> list[tuple[int, int]]:
    """Return what a node adds up, with how often; what is no sum goes into the form."""
    key = arena.key(node)
    kind = key[0]
    if kind == "constant":
        form.constant = (form.constant + factor * key[1]) % (1 << bits)
        return []
    if kind == "add":
        return [(key[1], factor), (key[2], factor)]
    if kind == "sub":
        return [(key[1], factor), (key[2], -factor)]
    if kind == "mul" and key[2] in arena.constants:
        return [(key[1], factor * arena.constants[key[2]])]
    if kind == "shifted":
        return [(key[1], factor << key[2])]
    if kind == "not":
        form.constant = (form.constant - factor) % (1 << bits)
        return [(key[1], -factor)]
    if kind == "field" and not key[2] and key[3] >= bits:
        return [(key[1], factor)]  # congruent
    form.add(LinearForm(bits, {node: 1}), factor)
    return []


def is_positive(form: LinearForm, sign: int = 1) -> bool:
    """Return whether a form adds up what is never negative; with ``sign`` -1 whether its opposite does."""
    half = 1 << (form.bits - 1)
    return all(
        (sign * number) % (1 << form.bits) < half for number in (*form.factors.values(), form.constant)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a path decided, as bounds of what it computed."""

    arena: Arena
    facts: Mapping[int, bool]
    """Nodes, and whether they were not zero."""

    def exact(self, node: int) -> bool:
        """Return whether no sum or difference in an expression wraps around, nor is cut to a type."""
        pending, visited = [node], {node}
        while pending:
            item = pending.pop()
            if item == UNKNOWN or len(visited) > MAX_NODES:
                return False
            key = self.arena.key(item)
            if key[0] in ("mul", "shifted", "not") or (key[0] == "field" and not self._fits(key)):
                return False
            if key[0] == "add" and not self._adds(item, key[1], key[2]):
                return False
            if key[0] == "sub" and not self.at_least(key[1], key[2]):
                return False
            for operand in key[1:3] if key[0] in ("add", "sub") else key[1:2] if key[0] == "field" else ():
                if operand not in visited and self._is_sum(operand):
                    visited.add(operand)
                    pending.append(operand)
        return True

    def _is_sum(self, node: int) -> bool:
        kind = self.arena.kind(node)
        return kind in ("add", "sub", "mul", "shifted", "not", "unknown") or (
            kind == "field" and self._is_sum(self.arena.key(node)[1])
        )

    def _fits(self, key: tuple[int, ...]) -> bool:
        """Return whether a value that is cut to a type fits it; a field of storage is a value of its own."""
        inner = key[1]
        if not self._is_sum(inner):
            return True
        return not key[2] and self._below(inner, (1 << key[3]) - 1)

    def _adds(self, total: int, first: int, second: int) -> bool:
        arena = self.arena
        constant = arena.constants.get(second)
        if constant is not None:
            if constant >> 255:
                return self._above(first, (MASK + 1 - constant))
            return self._below(first, MASK - constant)
        if max(arena.bits(first), arena.bits(second)) < 256:
            return True
        return any(self.facts.get(self._known_bound("lt", total, item)) is False for item in (first, second))

    def at_least(self, first: int, second: int) -> bool:
        """Return whether one expression was decided to be at least another."""
        constant = self.arena.constants.get(first)
        if constant is not None:
            return self._below(second, constant)
        return (
            self.facts.get(self._known_bound("lt", first, second)) is False
            or self.facts.get(self._known_bound("lt", second, first)) is True
            or self.facts.get(self._known_bound("eq", *sorted((first, second)))) is True
        )

    def _known_bound(self, kind: str, first: int, second: int) -> int:
        return self.arena.node(kind, first, second)

    def _below(self, node: int, most: int) -> bool:
        return self.arena.bits(node) <= most.bit_length() - (most & (most + 1) != 0) or self._within(
            node, 0, most
        )

    def _above(self, node: int, least: int) -> bool:
        return self._within(node, least, MASK)

    def _within(self, node: int, low: int, high: int) -> bool:
        """Return whether a decision shows that a value lies between two constants."""
        for fact, holds in self.facts.items():
            bounded_node, ranges = values_of(self.arena, PathCondition(fact, holds))
            if bounded_node == node and all(first >= low and last <= high for first, last in ranges):
                return True
        return False
