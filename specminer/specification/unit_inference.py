"""Finds what the numbers of a specification measure, from what the code does with them.

Ether is what comes with a call, what the contract holds and what it pays. A moment is compared with the clock. From
there it goes on along what the code compares and assigns, through sums and differences: what is added to ether is
ether, what is added to a moment is a span of time. Products tell nothing, because a rate turns ether into something
else: only where the code divides one by a power of ten, and the result measures what one factor does or is taken off
it, the other factor is a part of a whole. Neither names nor the size of numbers count, nor what merely held in the
history. What is used in two ways measures nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from specminer._support.errors import plain
from specminer.specification import Effect, EffectKind, Guard, GuardKind, Specification
from specminer.specification.measure import BLOCK, DISTANCE, POINT, TIME, WEI, Measure, MeasureKind
from specminer.specification.quantity_parsing import (
    Expression,
    Name,
    Number,
    Operation,
    arguments,
    comparisons,
    expression,
    names,
)

MAX_SYMBOL: Final = 12
"""Characters of a token's symbol behind an amount."""
MEASURES: Final[Mapping[str, Measure]] = {"value": WEI, "this.balance": WEI, "now": TIME, "block": BLOCK}
"""What the machine itself measures."""
MOST_ROUNDS: Final = 50
"""How often all relations are gone through; a longer chain is not followed to its end."""
_WHOLES: Final = frozenset(10**digits for digits in range(2, 8))
"""From a hundredth to a ten-millionth."""
_BALANCE: Final = re.compile(r"balance\[.*\]", re.DOTALL)
_TRANSFER: Final = re.compile(r"Transfer(?:\(|$)")
_CODE: Final = frozenset({GuardKind.REQUIRED, GuardKind.CODED})
"""Guards that the code states."""


@dataclass(frozen=True, slots=True)
class Relation:
    """Two expressions of one function that measure the same."""

    left: Expression | Measure
    right: Expression
    scope: Scope


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a text stands: its function, and what short names stand for there."""

    function: str = ""
    """Whose arguments it names."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Whole names by short ones."""


@dataclass(frozen=True, slots=True)
class Units:
    """What the terms of a specification measure."""

    measures: Mapping[str, Measure]
    """By the term's whole name without keys; an argument's begins with its function: ``create:duration``."""
    keyless_variables: frozenset[str]
    """The variables of the contract that have no keys."""

    def key(self, name: str, scope: Scope) -> str:
        """Return under which name a term is known."""
        whole = bare(scope.names.get(name, name))
        if whole in MEASURES or whole in self.keyless_variables or "[" in whole or not scope.function:
            return whole
        return f"{scope.function}:{whole}"

    def of_name(self, name: str, scope: Scope) -> Measure | None:
        """Return what a term measures; ``None`` if that is not known."""
        return self.measures.get(self.key(name, scope)) or (WEI if _BALANCE.fullmatch(name) else None)

    def of(self, term: Expression, scope: Scope) -> Measure | None:
        """Return what an expression measures; ``None`` if that is not known."""
        if isinstance(term, Name):
            return self.of_name(term.text, scope)
        if isinstance(term, Number):
            return None
        left, right = self.of(term.left, scope), self.of(term.right, scope)
        match term.sign:
            case "+":
                return _sum(term, left, right)
            case "-":
                return _difference(term, left, right)
            case "min":
                return left or right
            case "/":
                return self._portion(term, scope)
            case _:
                return None

    def _portion(self, operation: Operation, scope: Scope) -> Measure | None:
        """Return what a product measures that is divided by the whole that one of its factors is a part of."""
        parts = split_quotient(operation)
        if parts is not None:
            part = Measure(MeasureKind.PART, parts[1])
            first, second = (self.of(factor, scope) for factor in parts[0])
            return second if first == part else first if second == part else None
        return None


def bare(name: str) -> str:
    """Return a name without its keys: ``auctions[auctionId].highestBid`` is ``auctions[].highestBid``."""
    depth, signs = 0, list[str]()
    for sign in name.strip("`").removesuffix("'"):
        depth -= sign == "]"
        if not depth:
            signs.append(sign)
        depth += sign == "["
    return "".join(signs)


def split_quotient(term: Expression) -> tuple[tuple[Expression, Expression], int] | None:
    """Return the factors of a product that is divided by a whole, and the whole: ``bid * fee / 10000``."""
    if not (isinstance(term, Operation) and term.sign == "/" and isinstance(term.right, Number)):
        return None
    product = term.left
    if not (isinstance(product, Operation) and product.sign == "*") or term.right.value not in _WHOLES:
        return None
    return (product.left, product.right), term.right.value


def units_of(spec: Specification) -> Units:
    """Return what the terms of a specification measure."""
    stored = frozenset(
        bare(effect.target)
        for effect in spec.effects
        if effect.kind is EffectKind.WRITTEN and "[" not in effect.target
    ) | frozenset(item.variable for item in spec.history.lasting or ())
    relations = tuple(_relations(spec, _token(spec)))
    refuted: set[str] = set()
    for _ in range(MOST_ROUNDS):
        refuted_before = len(refuted)
        spread = _Spread(stored, refuted)
        spread.follow(relations)
        if len(refuted) == refuted_before:
            return spread.units()
    return Units(MEASURES, stored)


def _token(spec: Specification) -> Measure | None:
    """Return what the amounts of a contract are that is a token."""
    token = spec.history.token
    return (
        None if token is None else Measure(MeasureKind.TOKEN, token.decimals, plain(token.symbol, MAX_SYMBOL))
    )


def scope_of(guard: Guard) -> Scope:
    """Return the scope of a guard's texts."""
    return Scope(guard.scope, _single_names(guard.names))


def scopes_of(spec: Specification) -> Mapping[str, Scope]:
    """Return the scope of each function's texts, with the names of all of its guards."""
    names_by_scope: dict[str, dict[str, str]] = {}
    for guard in spec.guards:
        whole_names = names_by_scope.setdefault(guard.scope, {})
        for short, whole in _single_names(guard.names).items():
            whole_names.setdefault(short, whole)
    return {function: Scope(function, whole_names) for function, whole_names in names_by_scope.items()}


def _single_names(guard_names: Mapping[str, str]) -> Mapping[str, str]:
    """Return names for names: a guard may have one for a whole sum, ``highestBid + 1``."""
    single_names: dict[str, str] = {}
    for short, whole in guard_names.items():
        first, second = expression(short), expression(whole)
        if first is None or second is None:
            continue
        pairs = list(names(first)), list(names(second))
        if len(pairs[0]) == len(pairs[1]):
            single_names |= {one.text: other.text for one, other in zip(*pairs, strict=True)}
    return single_names | {short: whole for short, whole in guard_names.items() if short.isidentifier()}


def _relations(spec: Specification, token: Measure | None) -> Iterator[Relation]:
    for guard in spec.guards:
        if guard.kind in _CODE:
            for part in guard.conditions:
                yield from _compared_pairs(part.text, scope_of(guard))
    for effect in spec.effects:
        if effect.readable:
            yield from _of_effect(effect, token)


def _of_effect(effect: Effect, token: Measure | None) -> Iterator[Relation]:
    scope = Scope(effect.function)
    yield from _compared_pairs(effect.condition, scope)
    term = expression(effect.expression)
    if effect.kind is EffectKind.WRITTEN and term is not None:
        yield Relation(Name(effect.target), term, scope)
    elif effect.kind is EffectKind.PAID and term is not None:
        yield Relation(WEI, term, scope)
    elif token is not None and effect.kind is EffectKind.LOGGED and _TRANSFER.match(effect.target):
        moved = arguments(effect.expression)
        if len(moved) == 3 and moved[2] is not None:
            yield Relation(token, moved[2], scope)


def _compared_pairs(text: str, scope: Scope) -> Iterator[Relation]:
    for item in comparisons(text):
        yield Relation(item.left, item.right, scope)


class _Spread:
    """Spreads measures along relations."""

    def __init__(self, stored: frozenset[str], refuted: set[str]) -> None:
        self.measures: dict[str, Measure] = dict(MEASURES)
        self._ambiguous_terms = refuted
        """Terms that are used in two ways; more are added."""
        self._keyless_variables = stored

    def follow(self, relations: Sequence[Relation]) -> None:
        """Go through relations until they tell nothing more."""
        for _ in range(MOST_ROUNDS):
            before = len(self.measures), len(self._ambiguous_terms)
            for relation in relations:
                self.relate(relation)
            if before == (len(self.measures), len(self._ambiguous_terms)):
                break

    def units(self) -> Units:
        """Return what is known so far."""
        return Units(self.measures, self._keyless_variables)

    def relate(self, relation: Relation) -> None:
        """Take over from one side of a relation to the other."""
        units, scope = self.units(), relation.scope
        left = relation.left if isinstance(relation.left, Measure) else units.of(relation.left, scope)
        right = units.of(relation.right, scope)
        if left is not None:
            self._give(relation.right, left, scope)
        if right is not None and not isinstance(relation.left, Measure):
            self._give(relation.left, right, scope)
        for side in (relation.left, relation.right):
            if not isinstance(side, Measure):
                self._inside(side, scope)

    def _inside(self, term: Expression, scope: Scope) -> None:
        """Take over within an expression, from one part to the other."""
        if not isinstance(term, Operation):
            return
        measure = self.units().of(term, scope)
        if measure is not None:
            self._give(term, measure, scope)
        self._taken_off(term, scope)
        self._inside(term.left, scope)
        self._inside(term.right, scope)

    def _give(self, term: Expression, measure: Measure, scope: Scope) -> None:
        """Say what an expression measures, and with that its parts."""
        if isinstance(term, Name):
            self._name(term.text, measure, scope)
        elif isinstance(term, Operation):
            for part, own in self._parts(term, measure, scope):
                self._give(part, own, scope)

    def _parts(
        self, operation: Operation, measure: Measure, scope: Scope
    ) -> Iterator[tuple[Expression, Measure]]:
        """Yield what the parts of an expression measure that measures something."""
        left, right = self.units().of(operation.left, scope), self.units().of(operation.right, scope)
        match operation.sign:
            case "min":
                yield from ((operation.left, measure), (operation.right, measure))
            case "+" | "-":
                yield from _terms(operation, measure, left, right)
            case "/" if (parts := split_quotient(operation)) is not None:
                yield from self._portions(parts, measure, scope)

    def _portions(
        self, parts: tuple[tuple[Expression, Expression], int], measure: Measure, scope: Scope
    ) -> Iterator[tuple[Expression, Measure]]:
        """Yield that of two factors one is a part of a whole, where the other measures what the result does."""
        (first, second), whole = parts
        part = Measure(MeasureKind.PART, whole)
        for one, other in ((first, second), (second, first)):
            own = self.units().of(one, scope)
            if own == measure and self.units().of(other, scope) != measure:
                yield other, part
            elif own == part:
                yield other, measure

    def _taken_off(self, operation: Operation, scope: Scope) -> None:
        """Tell the part from what it is of in ``amount - amount * fee / 10000``, whatever the amount is."""
        terms = list(_addends(operation))
        for term in terms:
            parts = split_quotient(term)
            if parts is not None:
                (first, second), whole = parts
                for one, other in ((first, second), (second, first)):
                    if one != other and isinstance(other, Name) and any(one == item for item in terms):
                        self._give(other, Measure(MeasureKind.PART, whole), scope)

    def _name(self, name: str, measure: Measure, scope: Scope) -> None:
        key = self.units().key(name, scope)
        if key in self._ambiguous_terms or key in MEASURES:
            return
        old = self.measures.get(key)
        if old is None:
            self.measures[key] = measure
        elif old != measure:
            del self.measures[key]
            self._ambiguous_terms.add(key)


def _addends(term: Expression) -> Iterator[Expression]:
    if isinstance(term, Operation) and term.sign in ("+", "-"):
        yield from chain(_addends(term.left), _addends(term.right))
    else:
        yield term


def _sum(operation: Operation, left: Measure | None, right: Measure | None) -> Measure | None:
    for one in (left, right):
        if one is not None and one.kind in DISTANCE:
            return one
    if left is not None and right is not None:
        return left if left == right else None
    own, other = (left, operation.right) if left is not None else (right, operation.left)
    if own is None:
        return None
    if own.kind in POINT and not isinstance(other, Number):
        return None  # a span is added to a moment as well as to a span
    return own


def _difference(operation: Operation, left: Measure | None, right: Measure | None) -> Measure | None:
    if left is not None and left == right:
        return DISTANCE.get(left.kind, left)
    if left is not None and left.kind in DISTANCE:
        is_span = right == DISTANCE[left.kind] or isinstance(operation.right, Number)
        return left if is_span else None
    if left is not None and right is not None:
        return None
    own, other = (left, operation.right) if left is not None else (right, operation.left)
    if own is None or (own.kind in (*POINT, *DISTANCE) and not isinstance(other, Number)):
        return None
    return own


def _terms(
    operation: Operation, measure: Measure, left: Measure | None, right: Measure | None
) -> Iterator[tuple[Expression, Measure]]:
    """Yield what the parts of a sum or a difference measure."""
    if measure.kind in (MeasureKind.WEI, MeasureKind.TOKEN):
        yield from ((operation.left, measure), (operation.right, measure))
    elif measure.kind in DISTANCE:
        span = DISTANCE[measure.kind]
        if operation.sign == "-" or left == measure or right == span or isinstance(operation.right, Number):
            yield from ((operation.left, measure), (operation.right, span))
        elif right == measure or left == span or isinstance(operation.left, Number):
            yield from ((operation.left, span), (operation.right, measure))
    elif measure.kind in POINT:
        point = POINT[measure.kind]
        if operation.sign == "+":
            yield from ((operation.left, measure), (operation.right, measure))
        elif point in (left, right):
            yield from ((operation.left, point), (operation.right, point))
        elif measure in (left, right):
            yield from ((operation.left, measure), (operation.right, measure))


__all__ = ["Relation", "Scope", "Units", "bare", "scope_of", "scopes_of", "units_of"]
