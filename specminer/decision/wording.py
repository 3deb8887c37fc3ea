"""What conditions of a function's runs say, in the words of a reader."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from specminer.decision.argument_names import ArgumentNames
from specminer.decision.call_runs import FunctionRuns
from specminer.decision.context_names import ContextNames, names_of
from specminer.decision.expression_terms import ExpressionTerms
from specminer.decision.matched_values import MatchedValues
from specminer.decision.phrases import Origin, Phrase
from specminer.decision.run_values import RunValues
from specminer.decision.value_relation import OPPOSITE, TURNED, ConditionRelation, NamedTerm, Sign
from specminer.decoding import HistoryContext
from specminer.decoding.storage_values import ValueKind
from specminer.shadow.arena import MASK, Arena, Key

LARGEST: Final = "MAX"
"""The name of the largest number that a word holds, ``2**256 - 1``."""


class _Comparison(NamedTuple):
    """Two nodes and how they are related."""

    left: int
    sign: Sign
    right: int
    signed: bool = False


class Wording:
    """Names the expressions of one function's runs."""

    def __init__(self, context: HistoryContext, runs: FunctionRuns) -> None:
        """Prepare; what is looked up for the whole history is looked up once."""
        names = names_of(context)
        function = context.calls.interface_functions[runs.function]
        entry = names.entry(function)
        creates = function is None and context.calls.functions[runs.function] == "constructor"
        if creates and names.constructor is not None:
            function, entry = names.constructor
        arguments = ArgumentNames(function, () if entry is None else entry.inputs)
        self._names = names
        self._arena: Arena = runs.arena
        self._values = RunValues(runs.arena, runs.runs, runs.own_nodes)
        self._matched_values = MatchedValues(runs, names.columns)
        self._terms = ExpressionTerms(names, self._values, arguments)

    def relation(self, condition: tuple[int, bool]) -> ConditionRelation | None:
        """Return a condition as a comparison.

        Args:
            condition: what was decided upon, and whether its value is to be different from 0.

        Returns:
            ``None`` if nothing is known of the expression. One that is too long is cut; :attr:`Relation.readable`
            says so.

        """
        node, holds = condition
        if not node:
            return None
        while True:
            key = self._arena.key(node)
            if key[0] == "iszero":
                node, holds = key[1], not holds
            elif key[0] == "shifted" and self._arena.bits(key[1]) + key[2] <= 256 and not self._is_mask(key):
                node = key[1]  # not 0 where it is not
            else:
                break
        comparison = self._comparison(node)
        if comparison is None:
            return self._truth(node, holds)
        if not holds:
            comparison = comparison._replace(sign=OPPOSITE[comparison.sign])
        return self._compare(self._turn(comparison))

    def term(self, node: int) -> NamedTerm:
        """Return what an expression is called."""
        return _name_term(node, self._terms.phrase(node))

    @property
    def expressions(self) -> ExpressionTerms:
        """Names the expressions themselves."""
        return self._terms

    @property
    def names(self) -> ContextNames:
        """What all functions of the history share."""
        return self._names

    def stored_node(self, slot: int, runs: Sequence[int]) -> int:
        """Return the node of what a slot held at first, though no call may have read it.

        Args:
            slot: the node of the slot.
            runs: positions of runs that used it.

        """
        node = self._arena.node("storage", slot, 0)
        if node:
            self._values.note(node, runs)
        return node

    def sources(self, node: int) -> tuple[NamedTerm, ...]:
        """Return the sources of an expression, each once."""
        terms: dict[str, NamedTerm] = {}
        for item in self._terms.source_nodes(node):
            term = self.term(item)
            terms.setdefault(term.name, term)
        return tuple(terms.values())

    def column(self, node: int) -> list[int | None]:
        """Return the value of an expression in each run; ``None`` where the run did not look at all that it needs."""
        return self._values.column(node)

    def matched_column(self, node: int) -> list[int | None]:
        """Return the value of an expression in each matched call; ``None`` where it was not recorded."""
        return self._matched_values.column(node)

    # -- comparisons --------------------------------------------------------------------------------

    def _comparison(self, node: int) -> _Comparison | None:
        """Return the comparison that a node is, where it is not 0."""
        arena = self._arena
        key = arena.key(node)
        kind = key[0]
        if kind in ("lt", "slt"):
            if kind == "lt" and (wrap_check := self._wrap_around(key)) is not None:
                return wrap_check
            if kind == "lt" and arena.constants.get(key[2]) == MASK:
                return _Comparison(key[1], Sign.DIFFERENT, key[2])
            return _Comparison(key[1], Sign.LESS, key[2], signed=kind == "slt")
        if kind == "eq":
            first, second = self._unshift(key[1], key[2])
            return self._fitting(first, second) or _Comparison(first, Sign.EQUAL, second)
        if kind == "sub" or (kind == "xor" and not self._are_truths(key)):
            return _Comparison(key[1], Sign.DIFFERENT, key[2])
        if kind == "add" and key[2] in arena.constants:
            less = arena.constant(-arena.constants[key[2]] % (1 << 256))
            return _Comparison(key[1], Sign.DIFFERENT, less) if less else None
        return None

    def _wrap_around(self, key: Key) -> _Comparison | None:
        """Return ``2**256 - 1 - y < x`` for what asks whether ``x + y`` is less than one of them."""
        total = self._arena.key(key[1])
        if total[0] != "add" or key[2] not in total[1:3]:
            return None
        first, second = total[1:3]
        if second not in self._arena.constants and self._is_stored(first):
            first, second = second, first
        constant = self._arena.constants.get(second)
        most = self._arena.invert(second) if constant is None else self._arena.constant(MASK - constant)
        return _Comparison(most, Sign.LESS, first) if most else None

    def _is_stored(self, node: int) -> bool:
        return self._terms.phrase(node).origin == Origin.STORED

    def _are_truths(self, key: tuple[object, ...]) -> bool:
        return all(isinstance(item, int) and self._arena.bits(item) == 1 for item in key[1:3])

    def _is_mask(self, key: Key) -> bool:
        """Whether some bits stand where they were, and are no field of storage: ``flags & 4``."""
        part = self._arena.key(key[1])
        return bool(part[0] == "field" and part[2] == key[2] and self._arena.kind(part[1]) != "storage")

    def _unshift(self, first: int, second: int) -> tuple[int, int]:
        """Return the sides of an equation without the zeros that both have at their right ends."""
        arena = self._arena
        one, other = arena.key(first), arena.key(second)
        if one[0] != "shifted" or arena.bits(one[1]) + one[2] > 256:
            return first, second
        shift = one[2]
        if other[0] == "shifted" and other[2] == shift and arena.bits(other[1]) + shift <= 256:
            return one[1], other[1]
        if other[0] == "constant" and not other[1] & ((1 << shift) - 1):
            constant = arena.constant(other[1] >> shift)
            return (one[1], constant) if constant else (first, second)
        return first, second

    def _fitting(self, first: int, second: int) -> _Comparison | None:
        """Return ``x < 2**bits`` for what asks whether a value equals its own lowest bits."""
        for whole, part in ((first, second), (second, first)):
            key = self._arena.key(part)
            if key[0] == "field" and key[1] == whole and not key[2]:
                limit = self._arena.constant(1 << key[3])
                return _Comparison(whole, Sign.LESS, limit) if limit else None
        return None

    def _truth(self, node: int, holds: bool) -> ConditionRelation:
        """Return that a value is, or is not, 0."""
        phrase = self._terms.phrase(node)
        left = _name_term(node, phrase)
        sign = Sign.DIFFERENT if holds else Sign.EQUAL
        if holds and phrase.kind is ValueKind.UINT and not phrase.cut:
            sign = Sign.GREATER
        return ConditionRelation(left=left, sign=sign, right=0, signed=False)

    def _turn(self, comparison: _Comparison) -> _Comparison:
        """Return a comparison with what limits on its right side: constants, then storage."""
        ordered = comparison.sign not in (Sign.EQUAL, Sign.DIFFERENT)
        left, right = (
            self._rank(comparison.left, ordered=ordered),
            self._rank(comparison.right, ordered=ordered),
        )
        if left <= right:
            return comparison
        return comparison._replace(
            left=comparison.right, sign=TURNED.get(comparison.sign, comparison.sign), right=comparison.left
        )

    def _rank(self, node: int, *, ordered: bool) -> int:
        """Return how far to the right a side belongs."""
        if node in self._arena.constants:
            return 9
        phrase = self._terms.phrase(node)
        stored = phrase.origin == Origin.STORED
        if ordered:
            return 2 if stored else 0 if phrase.origin is Origin.ANSWER else 1
        if stored or Origin.ANSWER in phrase.origin:
            return 0
        return {"sender": 2, "this": 3}.get(self._arena.kind(node), 1)

    def _compare(self, comparison: _Comparison) -> ConditionRelation:
        left = self._terms.phrase(comparison.left)
        constant = self._arena.constants.get(comparison.right)
        right: NamedTerm | int
        if constant is None:
            right = self.term(comparison.right)
        elif self._names.constants.name(constant, left.kind) is not None:
            right = _name_term(comparison.right, self._terms.constant(constant, left.kind))
        elif constant == MASK and not comparison.signed and left.kind in (ValueKind.UINT, ValueKind.WORD):
            right = _name_term(comparison.right, Phrase(text=LARGEST, kind=ValueKind.UINT))
        else:
            right = constant
        return ConditionRelation(
            left=_name_term(comparison.left, left),
            sign=comparison.sign,
            right=right,
            signed=comparison.signed,
        )


def _name_term(node: int, phrase: Phrase) -> NamedTerm:
    return NamedTerm(
        node=node,
        name=phrase.text,
        kind=phrase.kind,
        members=phrase.members,
        variable=phrase.variable,
        field=phrase.field,
        keys=phrase.keys,
        key=phrase.key,
        cut=phrase.cut,
        strength=phrase.strength,
    )
