"""Candidate predicates, generated from the values that were seen, with no hints.

No variable's name is treated specially. What is the same after every event is dropped, and predicates
that split the events alike (equal or complementary) are one: the cheapest form is kept, then the shortest,
then the first in the alphabet; the others are its aliases. Candidates stand in the order in which the
table's variables gave rise to them, so that renaming variables changes texts and nothing else.

Storage predicates are the first tier; predicates about earlier events (``last = f``, ``seen(f)``) a
second one, to be used only where storage says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import Enum
from hashlib import blake2b
from itertools import combinations, permutations
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from specminer.abstraction.definition import Definition, canonical
from specminer.abstraction.events import EventTable, ValueKind, Variable
from specminer.errors import UsageError, plain
from specminer.history import IntColumn
from specminer.predicate import (
    Columns,
    Declaration,
    Formula,
    Language,
    Sort,
    evaluate,
    negated_text,
    price,
    text,
    unknown_text,
)

FEW_VALUES: Final = 12
"""A variable with at most this many distinct values is compared with each of them."""
FEW_ADDRESSES: Final = 4
"""The same for addresses, of which a value means less to a reader."""
COMPARED_VARIABLES: Final = 12
"""Of one kind, at most so many variables are compared with each other (66 equalities, 132 orders): those
with the fewest distinct values, as values that drift split the events into noise."""
HISTORY_SYMBOLS: Final = 40
"""History predicates are made for at most so many symbols, the most frequent."""

TruthColumn: TypeAlias = npt.NDArray[np.int8]
FALSE, TRUE, UNKNOWN = 0, 1, 2
"""What a :data:`TruthColumn` holds."""

_SORTS: Final = {
    ValueKind.BOOL: Sort.BOOL,
    ValueKind.UINT: Sort.NUMBER,
    ValueKind.INT: Sort.SIGNED,
    ValueKind.ADDRESS: Sort.ADDRESS,
    ValueKind.BYTES: Sort.BYTES,
    ValueKind.ENUM: Sort.NUMBER,
    ValueKind.WORD: Sort.WORD,
}


class Tier(Enum):
    """Where a predicate's meaning comes from."""

    STORAGE = "storage"
    HISTORY = "history"


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicate:
    """A candidate, with its texts; all texts are raw."""

    formula: Formula
    text: str
    negation: str
    """Text of the opposite: ``highestBidder != 0``."""
    unknown: str
    """Text where its value is not known."""
    price: float
    """t_p in the objective; halved where the definition prefers it."""
    tier: Tier
    aliases: tuple[str, ...] = ()
    """Other texts that are true after exactly the same events."""
    spellings: frozenset[str] = frozenset()
    """Every text by which a definition may ask for it: its own, its aliases', and their opposites."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The candidates and their values after each event."""

    language: Language
    predicates: tuple[Predicate, ...]
    """P of them, each splitting the events in a way of its own."""
    columns: TruthColumn
    """Value of each predicate after each event that was not rejected; shape (P, m)."""
    after: IntColumn
    """For each event of the table the column of ``columns`` that holds after it: that of the last event
    that was not rejected in the same interaction, or -1 while there was none; shape (n,)."""
    fixed: tuple[int, ...] = ()
    """Positions of the predicates that the definition fixes, ascending."""
    unmatched: tuple[str, ...] = ()
    """What the definition prefers or forbids and this table does not have."""

    def only(self, tier: Tier) -> Vocabulary:
        """Return the vocabulary of one tier; fixed predicates stay."""
        kept = [
            position
            for position, predicate in enumerate(self.predicates)
            if predicate.tier is tier or position in self.fixed
        ]
        return replace(
            self,
            predicates=tuple(self.predicates[position] for position in kept),
            columns=self.columns[kept],
            fixed=tuple(kept.index(position) for position in self.fixed),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """A candidate before those that split alike are joined."""

    formula: Formula
    variables: tuple[str, ...]
    tier: Tier


def vocabulary(table: EventTable, definition: Definition) -> Vocabulary:
    """Return the candidate predicates of a table of events.

    Raises:
        UsageError: the definition fixes a predicate that is not in the vocabulary.

    """
    language = Language()
    after = _rows_after(table)
    accepted = np.flatnonzero(~table.rejected)
    symbols = [
        language.declare(
            Declaration(name=variable.name, sort=_SORTS[variable.kind], members=variable.members)
        )
        for variable in table.variables
    ]
    rows = {symbol: table.values[position][accepted] for position, symbol in enumerate(symbols)}
    drafts = list(_storage(language, table, symbols, rows))
    words, history, more = _history(language, table, accepted)
    columns = Columns.of(rows | history, words, len(accepted))
    wishes = _Wishes(definition)
    candidates: list[tuple[Predicate, TruthColumn]] = []
    for draft in [*drafts, *more]:
        predicate = wishes.priced(language, draft)
        if predicate is None:
            continue
        true, known = evaluate(predicate.formula, columns)
        if true.any() and (known & ~true).any():
            candidates.append((predicate, np.where(known, true, UNKNOWN).astype(np.int8)))
    predicates, matrix = _joined(candidates, definition.mentioned, len(accepted))
    return Vocabulary(
        language=language,
        predicates=predicates,
        columns=matrix,
        after=after,
        fixed=_fixed(definition, predicates),
        unmatched=wishes.unmatched(),
    )


def _rows_after(table: EventTable) -> IntColumn:
    """Return, for each event, the number of the last accepted event of its interaction, or -1."""
    accepted_so_far = np.cumsum(~table.rejected)
    first = np.searchsorted(table.interaction, table.interaction, side="left")
    before = np.concatenate(([0], accepted_so_far))[first] if len(table) else accepted_so_far
    return np.where(accepted_so_far > before, accepted_so_far - 1, -1).astype(np.int64)


def _storage(
    language: Language, table: EventTable, symbols: Sequence[Formula], rows: dict[Formula, IntColumn]
) -> Iterator[_Draft]:
    """Propose predicates over storage; those that turn out constant are dropped by the caller."""
    distinct = [_distinct(rows[symbol], len(table.words)) for symbol in symbols]
    for variable, symbol, seen in zip(table.variables, symbols, distinct, strict=True):
        if variable.kind is ValueKind.BOOL:
            yield _Draft(formula=symbol, variables=(variable.name,), tier=Tier.STORAGE)
            continue
        few = FEW_ADDRESSES if variable.kind is ValueKind.ADDRESS else FEW_VALUES
        values = {table.words[row] for row in seen} if len(seen) <= few else set()
        for value in sorted(values | {0}):
            formula = language.equal(symbol, language.number(value))
            yield _Draft(formula=formula, variables=(variable.name,), tier=Tier.STORAGE)
    for group in _groups(table.variables, [len(seen) for seen in distinct]):
        for left, right in combinations(group, 2):
            names = (table.variables[left].name, table.variables[right].name)
            formula = language.equal(symbols[left], symbols[right])
            yield _Draft(formula=formula, variables=names, tier=Tier.STORAGE)
        if table.variables[group[0]].kind is ValueKind.UINT:
            for left, right in permutations(group, 2):
                names = (table.variables[left].name, table.variables[right].name)
                formula = language.less(symbols[left], symbols[right])
                yield _Draft(formula=formula, variables=names, tier=Tier.STORAGE)


def _distinct(column: IntColumn, size: int) -> IntColumn:
    """Return the distinct rows of words in a column, unknown ones left out."""
    seen = np.zeros(size + 1, dtype=np.bool_)
    seen[column] = True  # unknown is -1, the last place
    return np.flatnonzero(seen[:-1])


def _groups(variables: Sequence[Variable], distinct: Sequence[int]) -> Iterator[list[int]]:
    """Yield the positions of variables that may be compared with each other, two or more at a time."""
    groups: dict[tuple[ValueKind, tuple[str, ...]], list[int]] = {}
    for position, variable in enumerate(variables):
        groups.setdefault((variable.kind, variable.members), []).append(position)
    for group in groups.values():
        if len(group) > 1:
            yield sorted(sorted(group, key=distinct.__getitem__)[:COMPARED_VARIABLES])


def _history(
    language: Language, table: EventTable, accepted: IntColumn
) -> tuple[tuple[int, ...], dict[Formula, IntColumn], list[_Draft]]:
    """Return the words extended by what history needs, the history columns, and the drafts."""
    extra = set(range(max(2, len(table.symbols)))).difference(table.words)
    words = (*table.words, *sorted(extra))
    row = {word: position for position, word in enumerate(words)}
    happened = table.symbol[accepted]
    counts = np.bincount(happened, minlength=len(table.symbols))
    frequent = np.argsort(-counts, kind="stable")[:HISTORY_SYMBOLS]
    used = [int(symbol) for symbol in np.sort(frequent) if counts[symbol]]
    last = language.declare(Declaration(name="last", sort=Sort.NUMBER, members=table.symbols, history=True))
    coded = np.array([row[number] for number in range(len(table.symbols))], dtype=np.int64)
    columns = {last: coded[happened]}
    drafts = [
        _Draft(formula=language.equal(last, language.number(symbol)), variables=("last",), tier=Tier.HISTORY)
        for symbol in used
    ]
    first = np.searchsorted(table.interaction[accepted], table.interaction[accepted], side="left")
    for symbol in used:
        name = f"seen({table.symbols[symbol]})"
        formula = language.declare(Declaration(name=name, sort=Sort.BOOL, history=True))
        total = np.concatenate(([0], np.cumsum(happened == symbol)))
        columns[formula] = np.where(total[1:] > total[first], row[1], row[0])
        drafts.append(_Draft(formula=formula, variables=(name,), tier=Tier.HISTORY))
    return words, columns, drafts


class _Wishes:
    """What the definition prefers and forbids, and which of it was met."""

    def __init__(self, definition: Definition) -> None:
        self._prefer = frozenset(map(canonical, definition.prefer))
        self._forbid = frozenset(map(canonical, definition.forbid))
        self._asked = (*definition.prefer, *definition.forbid)
        self._met: set[str] = set()

    def priced(self, language: Language, draft: _Draft) -> Predicate | None:
        """Return the candidate with its texts and price, or ``None`` if it is forbidden."""
        shown, negation = text(language, draft.formula), negated_text(language, draft.formula)
        names = {shown, negation, *draft.variables}
        self._met |= names
        if names & self._forbid:
            return None
        discount = 0.5 if names & self._prefer else 1.0
        return Predicate(
            formula=draft.formula,
            text=shown,
            negation=negation,
            unknown=unknown_text(language, draft.formula),
            price=price(language, draft.formula) * discount,
            tier=draft.tier,
        )

    def unmatched(self) -> tuple[str, ...]:
        return tuple(sorted({wish for wish in self._asked if canonical(wish) not in self._met}))


def _joined(
    candidates: Iterable[tuple[Predicate, TruthColumn]], mentioned: frozenset[str], length: int
) -> tuple[tuple[Predicate, ...], TruthColumn]:
    """Join the candidates that split the events alike; shape of the matrix (P, length)."""
    classes: dict[bytes, list[tuple[Predicate, TruthColumn]]] = {}
    for predicate, column in candidates:
        classes.setdefault(_partition_key(column), []).append((predicate, column))
    kept = [_representative(alike, mentioned) for alike in classes.values()]
    matrix = np.array([column for _, column in kept], dtype=np.int8).reshape(len(kept), length)
    return tuple(predicate for predicate, _ in kept), matrix


def _partition_key(column: TruthColumn) -> bytes:
    """Return a digest that two columns share exactly if they split the events alike."""
    firsts = [int(np.argmax(column == value)) if (column == value).any() else -1 for value in (0, 1, 2)]
    order = sorted((first, value) for value, first in enumerate(firsts) if first >= 0)
    names = np.zeros(3, dtype=np.int8)
    for number, (_, value) in enumerate(order):
        names[value] = number
    return blake2b(names[column].tobytes(), digest_size=16).digest()


def _representative(
    alike: Sequence[tuple[Predicate, TruthColumn]], mentioned: frozenset[str]
) -> tuple[Predicate, TruthColumn]:
    def rank(entry: tuple[Predicate, TruthColumn]) -> tuple[bool, bool, float, int, str]:
        predicate = entry[0]
        asked = bool({predicate.text, predicate.negation} & mentioned)
        return (
            predicate.tier is Tier.HISTORY,
            not asked,
            predicate.price,
            len(predicate.text),
            predicate.text,
        )

    ranked = sorted(alike, key=rank)
    best, column = ranked[0]
    aliases = [
        other.text if np.array_equal(theirs, column) else other.negation for other, theirs in ranked[1:]
    ]
    spellings = {spelling for predicate, _ in alike for spelling in (predicate.text, predicate.negation)}
    return replace(best, aliases=tuple(aliases), spellings=frozenset(spellings)), column


def _fixed(definition: Definition, predicates: Sequence[Predicate]) -> tuple[int, ...]:
    positions = {
        spelling: position
        for position, predicate in enumerate(predicates)
        for spelling in sorted(predicate.spellings)
    }
    chosen: set[int] = set()
    for wish in definition.fix:
        if canonical(wish) not in positions:
            near = get_close_matches(canonical(wish), positions, n=3, cutoff=0.5)
            hint = (
                f"near are {', '.join(repr(plain(item)) for item in near)}" if near else "nothing is near it"
            )
            raise UsageError(
                f"the abstraction fixes '{plain(wish)}', but no predicate that changes is called so; {hint}",
                predicate=wish,
                near=near,
            )
        chosen.add(positions[canonical(wish)])
    return tuple(sorted(chosen))
