"""Names for states: the fewest predicates that tell each one from the others, as people would say them.

A predicate is phrased by the type of what it speaks of: an account is there or not, a time is set or not, an
amount is zero or more. Of a variable's name the words are kept that say something to a reader of the state:
``tokenIndexToOwner[]`` is the owner, ``isForSale`` is "for sale", and the entity's own noun is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from specminer.abstraction import FALSE, TRUE, Dimension, Predicate, TruthColumn
from specminer.predicate import Formula, Language, Sort

START: Final = "start"
"""The root, where no value is known."""
ONLY: Final = "started"
"""The other state where there are but two and nothing needs telling apart."""
OPEN: Final = 3
"""In a valuation: the state has finest states in which the predicate is true and others in which it is not."""

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_STRUCT: Final = re.compile(r"(\w+)\[[^\]]*\]\.")
"""What holds the fields of an entity is called after it: ``horses[·].price``."""
_SEEN: Final = re.compile(r"seen\((.*)\)", re.DOTALL)
_CHANGED: Final = re.compile(r"changed\((.*)\)", re.DOTALL)
_FILLER: Final = frozenset({"is", "has", "the", "current", "m", "s"})
"""Words that a phrase says better itself, at the beginning of a name."""
_KEYS: Final = frozenset({"index", "id", "idx", "indices", "ids"})


def literal(predicate: Predicate, value: int) -> str:
    """Return what holds of a predicate in a state: its text, the opposite, or that it is unknown."""
    return predicate.text if value == TRUE else predicate.negation if value == FALSE else predicate.unknown


class Phrases:
    """How predicates over one table are said."""

    def __init__(
        self,
        language: Language,
        dimensions: Mapping[str, Dimension],
        noun: str = "",
        called: Mapping[Formula, str] | None = None,
    ) -> None:
        self._language = language
        self._dimensions = dimensions
        self._noun = {word for word in words(noun) if word not in _KEYS}
        for name in dimensions:
            holder = _STRUCT.match(name)
            if holder is not None:
                held = words(holder[1])
                self._noun.update(held if len(held) == 1 else ())
                self._noun.update(word[:-1] for word in held if len(held) == 1 and word.endswith("s"))
        self._called = called or {}

    def of(self, predicate: Predicate, value: int) -> str:
        """Return a predicate as it holds in a state, as people would say it."""
        formula = predicate.formula
        opposite = self._language.negation(formula)
        said = self._called.get(formula if value == TRUE else opposite) if value in (TRUE, FALSE) else None
        if said is not None:
            return said
        if value not in (TRUE, FALSE):
            subjects = [self._name(symbol) for symbol in self._language.symbols(formula)]
            return f"{' and '.join(subjects)} unknown"
        return self._said(formula, value == TRUE) or literal(predicate, value)

    def holding(self, formula: Formula) -> str | None:
        """Return that a formula holds, as people would say it; ``None`` where they would need a formula."""
        return self._called.get(formula) or self._said(formula, holds=True)

    def _said(self, formula: Formula, holds: bool) -> str | None:
        if formula.is_symbol():
            return self._flag(formula, holds)
        if formula.is_equals():
            return self._equal(formula.arg(0), formula.arg(1), holds)
        if formula.is_lt():
            return self._less(formula.arg(0), formula.arg(1), holds)
        if formula.is_or() and holds:
            return self._either([self._said(part, holds=True) for part in formula.args()])
        return None

    @staticmethod
    def _either(phrases: Sequence[str | None]) -> str | None:
        """Join phrases by "or"; the words with which all begin are said once."""
        said = [phrase.split(" ") for phrase in phrases if phrase is not None]
        if len(said) < len(phrases):
            return None
        common = 0
        while all(len(parts) > common + 1 and parts[common] == said[0][common] for parts in said):
            common += 1
        ends = [" ".join(parts[common:]) for parts in said]
        return " ".join([*said[0][:common], f"{', '.join(ends[:-1])} or {ends[-1]}"])

    def _flag(self, symbol: Formula, holds: bool) -> str | None:
        if self._language.declaration(symbol).history:
            seen = _SEEN.fullmatch(self._language.declaration(symbol).name)
            changed = _CHANGED.fullmatch(self._language.declaration(symbol).name)
            if changed is not None:
                return f"{readable(changed[1], self._noun)} {'just' if holds else 'not just'} changed"
            return None if seen is None else f"{'after' if holds else 'before any'} {seen[1]}"
        name = self._name(symbol)
        return name if holds else f"not {name}"

    def _equal(self, left: Formula, right: Formula, holds: bool) -> str | None:
        declaration = self._language.declaration(left)
        if declaration.history:
            member = right.constant_value() if right.is_constant() else -1
            known = declaration.name == "last" and 0 <= member < len(declaration.members)
            return f"{'just' if holds else 'not just'} {declaration.members[member]}" if known else None
        name = self._name(left)
        dimension = self._dimension(left)
        if right.is_symbol():
            other = self._language.declaration(right)
            if other.name == "this":
                if name == "owner":
                    return "owned by the contract" if holds else "owned by a user"
                return f"{name} is the contract" if holds else f"{name} is not the contract"
            sign = "is" if dimension is Dimension.ACCOUNT else "="
            unlike = "is not" if dimension is Dimension.ACCOUNT else "≠"
            return f"{name} {sign if holds else unlike} {self._name(right)}"
        value = int(right.constant_value())
        if declaration.members and 0 <= value < len(declaration.members):
            member = " ".join(words(declaration.members[value])) or declaration.members[value]
            return f"{name} {member}" if holds else f"{name} not {member}"
        if value == 0:
            return self._zero(left, name, dimension, holds)
        return f"{name} {'=' if holds else '≠'} {declaration.spell(value)}"

    def _zero(self, symbol: Formula, name: str, dimension: Dimension, holds: bool) -> str:
        sort = self._language.declaration(symbol).sort
        if dimension is Dimension.ACCOUNT:
            return f"no {name}" if holds else f"has {name}"
        if dimension in (Dimension.TIME, Dimension.BLOCK) or sort in (Sort.BYTES, Sort.TEXT):
            return f"{name} not set" if holds else f"{name} set"
        return f"{name} = 0" if holds else f"{name} {'≠' if sort is Sort.SIGNED else '>'} 0"

    def _less(self, left: Formula, right: Formula, holds: bool) -> str | None:
        if not (left.is_symbol() and right.is_symbol()):
            return None
        first, second = (self._language.declaration(term) for term in (left, right))
        if first.context and first.name in ("now", "block"):
            return f"{'before' if holds else 'after'} {self._name(right)}"
        if first.history or second.history:
            return None
        return f"{self._name(left)} {'<' if holds else '≥'} {self._name(right)}"

    def _dimension(self, symbol: Formula) -> Dimension:
        declaration = self._language.declaration(symbol)
        if declaration.sort is Sort.ADDRESS:
            return Dimension.ACCOUNT
        return self._dimensions.get(declaration.name, Dimension.NONE)

    def _name(self, symbol: Formula) -> str:
        raw = self._language.declaration(symbol).name
        return readable(raw, self._noun)


def words(name: str) -> list[str]:
    """Return the words of a name, in lower case: ``tokenURIHash`` is token, uri, hash."""
    return [word.lower() for word in _WORD.findall(name)]


def readable(raw: str, noun: set[str]) -> str:
    """Return a variable's name as people would say it; the raw name where no words are left."""
    field = re.sub(r"\[[^\]]*\]", "", raw.removeprefix("this.")).rsplit(".", 1)[-1]
    found = words(field)
    keyed = "[" in raw
    if keyed and "to" in found[1:-1]:  # tokenIndexToOwner: from what to what
        found = found[len(found) - found[::-1].index("to") :]
    if keyed and len(found) > 1 and found[-1] == "of":  # priceOf
        found = found[:-1]
    while len(found) > 1 and found[0] in _FILLER:
        found = found[1:]
    kept = [word for word in found if word not in noun]
    if kept and kept != found and not set(kept) <= _KEYS:
        found = [word for word in kept if word not in _KEYS]
    return " ".join(found) or raw


def state_names(
    predicates: Sequence[Predicate],
    valuations: TruthColumn,
    phrases: Phrases,
    whole: Mapping[int, str],
    instead: Mapping[tuple[int, int], str] | None = None,
) -> tuple[str, ...]:
    """Return a unique name for each state, the root first.

    For each state literals are added greedily: the one that excludes most of the states not yet excluded;
    among equals one that is true, then one of an earlier predicate.

    Args:
        predicates: the chosen ones.
        valuations: their value in each state, or ``OPEN``; shape (len(predicates), states); the root's are
            ignored.
        phrases: how a literal is said.
        whole: for some states how a predicate is said, chosen or not, that is true there and nowhere
            else; used where a name would need several of the chosen ones.
        instead: how the literal of a state and a predicate is said, where another way says more.

    """
    taken = {START}
    result = [START]
    for state in range(1, valuations.shape[1]):
        telling = [
            (instead or {}).get((state, row)) or phrases.of(predicates[row], int(valuations[row, state]))
            for row in _telling(valuations, state)
        ]
        if len(telling) > 1 and state in whole:
            telling = [whole[state]]
        base = ", ".join(dict.fromkeys(telling)) or ONLY
        name, number = base, 2
        while name in taken:
            name, number = f"{base} ({number})", number + 1
        taken.add(name)
        result.append(name)
    return tuple(result)


def _telling(valuations: TruthColumn, state: int) -> list[int]:
    """Return the predicates that tell a state from all others but the root, ascending."""
    others = np.delete(valuations, (0, state), axis=1)
    mine = valuations[:, [state]]
    differs = (others != mine) & (others != OPEN) & (mine != OPEN)
    left = np.ones(others.shape[1], dtype=np.bool_)
    chosen: list[int] = []
    while left.any():
        gains = [
            (int((differs[row] & left).sum()), valuations[row, state] == TRUE, -row)
            for row in range(len(valuations))
        ]
        excluded, _, row = max(gains)
        if not excluded:
            break
        chosen.append(-row)
        left &= ~differs[-row]
    return sorted(chosen)
