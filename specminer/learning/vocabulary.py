"""The candidate predicates of a table of events: what tells its events apart, each way once.

What is the same after every event is dropped, and predicates that split the events alike (equal or
complementary) are one: the cheapest form is kept, then the one that says most (:data:`_Rank`); the others are its
aliases. Candidates stand in the order in which the table's variables gave rise to them, so that
renaming variables changes texts and nothing else.

What never changes within an interaction once it has begun is a *facet*: a kind of entity to filter by (a
breed, a mother), not a state that it is in. Facets are kept apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from math import log2
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from specminer._support.errors import UsageError, plain
from specminer.history.contract_history import BoolColumn, IntColumn
from specminer.learning.abstraction_definition import Definition
from specminer.learning.coded_predicates import with_coded
from specminer.learning.event_table import Dimension, EntityVariable, EventTable, ValueKind
from specminer.learning.predicate_candidates import PredicateDraft, TableLanguage, history, table_language
from specminer.predicate import (
    Formula,
    FormulaError,
    Language,
    SymbolColumns,
    evaluate,
    negated_text,
    normalise,
    parse,
    price,
    text,
    unknown_text,
)
from specminer.specification import HistoryView, Tier

TruthColumn: TypeAlias = npt.NDArray[np.int8]
MANY_VALUES: Final = 3
"""A variable with so many values or more may have all of them told apart for the price of one."""
CODED: Final = 0.5
"""What a predicate costs that the code states, as a share of its price."""
_TIERS: Final = tuple(Tier)
_CLOCKED: Final = frozenset({Dimension.TIME, Dimension.BLOCK})
_Rank: TypeAlias = tuple[int, bool, int, bool, float, bool, int, bool, bool, bool]
"""Which of several predicates that split the events alike is shown: the lowest. Truth values and states that a function
of the contract returns come first, as readers know them, and numbers that one returns last. Then what the code states
comes first. One
of many values of a variable belongs to a life cycle, and a flag was made to tell states apart; two variables compared
come last. Of what somebody has, an amount says more than an account, that more than any number, and a time least."""
FALSE, TRUE, UNKNOWN = 0, 1, 2
"""What a :data:`TruthColumn` holds."""


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
    coded: bool = False
    """Whether the code states it, or what is true after exactly the same events."""
    subject: str | None = None
    """The variable that it compares with one of its values; ``None`` for any other kind of predicate."""
    aliases: tuple[str, ...] = ()
    """Other texts that are true after exactly the same events."""
    alias_formulas: tuple[Formula, ...] = ()


@dataclass(frozen=True, kw_only=True)
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
    doubtful: BoolColumn | None = None
    """Which of ``columns`` are unknown or only assumed; ``None`` if no value is in doubt."""
    fixed: tuple[int, ...] = ()
    """Positions of the predicates that the definition fixes, ascending."""
    facets: tuple[Predicate, ...] = ()
    """What tells kinds of entities apart and never changes in one."""
    unmatched: tuple[str, ...] = ()
    """What the definition prefers or forbids and this table does not have."""
    dimensions: Mapping[str, Dimension]
    """What the numbers of a variable measure, by its name in formulas."""

    @cached_property
    def groups(self) -> Mapping[str, tuple[int, ...]]:
        """Positions of the predicates that compare a variable with its values, by its name."""
        positions: dict[str, tuple[int, ...]] = {}
        for position, predicate in enumerate(self.predicates):
            if predicate.subject is not None:
                positions[predicate.subject] = (*positions.get(predicate.subject, ()), position)
        return positions

    @cached_property
    def units(self) -> int:
        """P: how many variables are compared with values, and how many other predicates there are."""
        return len(self.groups) + sum(item.subject is None for item in self.predicates)

    def code_length(self, selection: Iterable[int]) -> float:
        """Return the bits to name predicates, each weighed by its price.

        A two-part code: log2 P for a predicate or a variable; then, for a variable with three values or more, a
        bit that says whether all its values are told apart, and if not, log2 of their number for each that is.
        Source: Rissanen 1983, for the code.
        """
        bits = 0.0
        prices_by_subject: dict[str, list[float]] = {}
        unit = log2(max(1, self.units))
        for position in selection:
            predicate = self.predicates[position]
            if predicate.subject is None:
                bits += predicate.price * unit
            else:
                prices_by_subject.setdefault(predicate.subject, []).append(predicate.price)
        for subject, prices in prices_by_subject.items():
            values = len(self.groups[subject])
            bits += max(prices) * (unit + (values >= MANY_VALUES))
            if values < MANY_VALUES or len(prices) < values - 1:
                bits += sum(prices) * log2(values)
        return bits

    def only(self, *tiers: Tier) -> Vocabulary:
        """Return the vocabulary of some tiers; fixed predicates stay."""
        positions = [
            position
            for position, predicate in enumerate(self.predicates)
            if predicate.tier in tiers or position in self.fixed
        ]
        return replace(
            self,
            predicates=tuple(self.predicates[position] for position in positions),
            columns=self.columns[positions],
            doubtful=None if self.doubtful is None else self.doubtful[positions],
            fixed=tuple(positions.index(position) for position in self.fixed),
        )


def vocabulary(table: EventTable, definition: Definition, *, nested: bool = True) -> Vocabulary:
    """Return the candidate predicates of a table of events.

    Args:
        table: the events.
        definition: what is fixed, preferred and forbidden.
        nested: whether to propose what accounts keep for others; else that is a candidate only where the definition
            mentions it.

    Raises:
        UsageError: the definition fixes what is no predicate over this table, or one that never changes.

    """
    accepted = np.flatnonzero(~table.rejected)
    base = table_language(table, accepted)
    columns, assumed, drafts = base.columns, base.assumed, list(with_coded(table, base))
    if definition.history is not HistoryView.NEVER:
        columns, assumed, more = history(table, base, accepted)
        drafts += more
    wishes = _Wishes(base, definition)
    drafts += wishes.fixed_drafts()
    started = _find_later_events(table, accepted)
    candidates: list[tuple[Predicate, TruthColumn]] = []
    facets: list[tuple[Predicate, TruthColumn]] = []
    entries = {variable.name for variable in table.variables if variable.entries is not None and not nested}
    for draft in drafts:
        predicate = wishes.price_draft(draft)
        if predicate is None or (
            predicate.formula not in wishes.mentioned_names and entries & set(draft.variables)
        ):
            continue
        column = _truth(predicate.formula, assumed or columns)
        if not ((column == TRUE).any() and (column == FALSE).any()):
            continue
        constant = (
            draft.tier is Tier.STORAGE and not wishes.is_fixed(predicate) and _is_facet(column, started)
        )
        (facets if constant else candidates).append((predicate, column))
    dimensions = {
        base.formula_names[variable.name]: dimension
        for variable, dimension in zip(table.variables, base.dimensions, strict=True)
    }

    stored = set(base.symbols)
    observers = {base.formula_names[item.name]: item for item in table.variables if item.function is not None}
    values = Counter(predicate.subject or "" for predicate, _ in candidates)

    def rank(predicate: Predicate) -> _Rank:
        symbols = base.language.symbols(predicate.formula)
        measured = {dimensions.get(base.language.declaration(symbol).name) for symbol in symbols}
        return (
            _TIERS.index(predicate.tier),
            predicate.formula not in wishes.mentioned_names,
            _observer_rank(observers.get(base.language.declaration(symbol).name) for symbol in symbols),
            not predicate.coded,
            predicate.price / (CODED if predicate.coded else 1.0),
            predicate.formula.is_lt(),
            _kind(predicate, values, stored & set(symbols)),
            bool(measured & _CLOCKED),
            Dimension.MONEY not in measured,
            Dimension.ACCOUNT not in measured,
        )

    predicates, matrix = _join_candidates(candidates, rank, len(accepted))
    return Vocabulary(
        language=base.language,
        predicates=predicates,
        columns=matrix,
        after=_rows_after(table),
        doubtful=None if assumed is None else _unknown(predicates, columns),
        fixed=wishes.positions(predicates),
        facets=_join_candidates(facets, rank, len(accepted))[0],
        unmatched=wishes.list_unmatched(),
        dimensions=dimensions,
    )


def _kind(predicate: Predicate, values: Mapping[str, int], symbols: Collection[Formula]) -> int:
    """Return 0 for one of many values of a variable (``values`` counts those of each), then a flag, one variable, two.

    ``symbols`` are the table's variables that it speaks of.
    """
    if predicate.subject is not None and values[predicate.subject] >= MANY_VALUES:
        return 0
    return 1 if predicate.formula.is_symbol() else 1 + len(symbols)


def _observer_rank(functions: Iterable[EntityVariable | None]) -> int:
    """Return 0 if a predicate speaks of states that functions return alone, 2 if of a number, 1 if of storage."""
    kinds = [None if item is None else item.kind for item in functions]
    if ValueKind.UINT in kinds:
        return 2
    return int(not kinds or None in kinds)


def _truth(formula: Formula, columns: SymbolColumns) -> TruthColumn:
    true, is_known = evaluate(formula, columns)
    return np.where(is_known, true, UNKNOWN).astype(np.int8)


def _unknown(predicates: Sequence[Predicate], columns: SymbolColumns) -> BoolColumn:
    """Return where the value of each predicate is not known; shape (P, m)."""
    values = [_truth(item.formula, columns) == UNKNOWN for item in predicates]
    return np.array(values, dtype=np.bool_).reshape(len(predicates), columns.length)


def _rows_after(table: EventTable) -> IntColumn:
    """Return, for each event, the number of the last accepted event of its interaction, or -1."""
    accepted_so_far = np.cumsum(~table.rejected)
    first = np.searchsorted(table.interaction, table.interaction, side="left")
    before = np.concatenate(([0], accepted_so_far))[first] if len(table) else accepted_so_far
    return np.where(accepted_so_far > before, accepted_so_far - 1, -1).astype(np.int64)


@dataclass(frozen=True, slots=True)
class _LaterEvents:
    """Which accepted events are not the first of their interaction."""

    inner: npt.NDArray[np.bool_]
    several: bool
    """Whether there are several interactions: one alone has no kinds."""


def _find_later_events(table: EventTable, accepted: IntColumn) -> _LaterEvents:
    interaction = table.interaction[accepted]
    inner = np.r_[False, interaction[1:] == interaction[:-1]][: len(interaction)]
    return _LaterEvents(inner, len(interaction) > 0 and interaction[0] != interaction[-1])


def _is_facet(column: TruthColumn, started: _LaterEvents) -> bool:
    """Whether a predicate tells interactions apart and never changes within one."""
    changed = np.r_[False, column[1:] != column[:-1]][: len(column)]
    return started.several and bool(started.inner.any()) and not (changed & started.inner).any()


class _Wishes:
    """What the definition fixes, prefers and forbids, and which of it was met.

    Predicates are compared in normal form, whatever way the definition spells them; a wish that is the
    name of a variable stands for all its predicates.
    """

    def __init__(self, base: TableLanguage, definition: Definition) -> None:
        self._language = base.language
        self._definition = definition
        formulas = {wish: self._resolve_required(wish) for wish in definition.fix}
        self._fixed_predicates = {wish: formula for wish, formula in formulas.items() if formula is not None}
        self._prefer, self._prefer_names = self._read(definition.prefer)
        self._forbid, self._forbid_names = self._read(definition.forbid)
        name_formulas, _ = self._read(definition.names)
        self.mentioned_names = frozenset(
            atom
            for formula in (*self._fixed_predicates.values(), *self._prefer, *name_formulas)
            for atom in self._both(formula)
        )
        self._satisfied_wishes: set[str | Formula] = set()

    def _read(self, texts: Iterable[str]) -> tuple[dict[Formula, str], set[str]]:
        """Return what are predicates over this table, and what may be names."""
        formulas: dict[Formula, str] = {}
        names: set[str] = set()
        for wish in texts:
            names.add(wish)
            try:
                formulas[normalise(self._language, parse(self._language, wish))] = wish
            except FormulaError:
                continue
        return formulas, names

    def _resolve_required(self, wish: str) -> Formula | None:
        """Return the first of the alternatives that is a predicate here."""
        trouble = ""
        for alternative in wish.split(" | "):
            try:
                return normalise(self._language, parse(self._language, alternative))
            except FormulaError as error:
                trouble = trouble or plain(error)
        if self._definition.lenient:
            return None
        raise UsageError(
            f"the abstraction fixes '{plain(wish)}', which is no predicate over this history: {trouble}",
            predicate=wish,
        )

    def _both(self, formula: Formula) -> tuple[Formula, Formula]:
        return formula, self._language.negation(formula)

    def fixed_drafts(self) -> list[PredicateDraft]:
        """Return what is fixed as proposals: a definition may fix what the data gave no rise to."""
        return [
            PredicateDraft(
                formula=formula.arg(0) if formula.is_not() else formula,
                variables=(),
                tier=self._tier(formula),
            )
            for formula in self._fixed_predicates.values()
        ]

    def _tier(self, formula: Formula) -> Tier:
        declared = [self._language.declaration(symbol) for symbol in self._language.symbols(formula)]
        if any(item.history for item in declared):
            return Tier.HISTORY
        return Tier.TIME if any(item.context for item in declared) else Tier.STORAGE

    def is_fixed(self, predicate: Predicate) -> bool:
        """Whether the definition fixes it or its opposite."""
        return not set(self._both(predicate.formula)).isdisjoint(self._fixed_predicates.values())

    def price_draft(self, draft: PredicateDraft) -> Predicate | None:
        """Return the candidate with its texts and price, or ``None`` if it is forbidden."""
        both = set(self._both(draft.formula))
        names = set(draft.variables)
        self._satisfied_wishes |= {*both, *names}
        fixed = not both.isdisjoint(self._fixed_predicates.values())
        if not fixed and (names & self._forbid_names or not both.isdisjoint(self._forbid)):
            return None
        is_preferred = not both.isdisjoint(self._prefer)
        if draft.tier is Tier.TIME and not (fixed or is_preferred):
            return None
        preferred = is_preferred or bool(names & self._prefer_names)
        return Predicate(
            formula=draft.formula,
            text=text(self._language, draft.formula),
            negation=negated_text(self._language, draft.formula),
            unknown=unknown_text(self._language, draft.formula),
            price=price(self._language, draft.formula)
            * (0.5 if preferred else CODED if draft.coded else 1.0),
            tier=draft.tier,
            coded=draft.coded,
            subject=self._subject(draft.formula),
        )

    def _subject(self, formula: Formula) -> str | None:
        if formula.is_equals() and formula.arg(1).is_int_constant():
            return self._language.declaration(formula.arg(0)).name
        return None

    def positions(self, predicates: Sequence[Predicate]) -> tuple[int, ...]:
        """Return which candidates are fixed.

        Raises:
            UsageError: one of those that are to be fixed is always true, or always false.

        """
        fixed_positions: set[int] = set()
        position_of = {
            atom: position
            for position, predicate in enumerate(predicates)
            for formula in (predicate.formula, *predicate.alias_formulas)
            for atom in self._both(formula)
        }
        for wish, formula in self._fixed_predicates.items():
            if formula not in position_of and self._definition.lenient:
                continue
            if formula not in position_of:
                raise UsageError(
                    f"the abstraction fixes '{plain(wish)}', but in this history it never changes; leave it out",
                    predicate=wish,
                )
            fixed_positions.add(position_of[formula])
        return tuple(sorted(fixed_positions))

    def list_unmatched(self) -> tuple[str, ...]:
        """Return what is preferred or forbidden, but is nothing here."""
        formulas = {wish: formula for formula, wish in (self._prefer | self._forbid).items()}
        wishes = (*self._definition.prefer, *self._definition.forbid)
        return tuple(
            sorted(
                {
                    wish
                    for wish in wishes
                    if wish not in self._satisfied_wishes and formulas.get(wish) not in self._satisfied_wishes
                }
            )
        )


def _join_candidates(
    candidates: Iterable[tuple[Predicate, TruthColumn]], rank: Callable[[Predicate], _Rank], length: int
) -> tuple[tuple[Predicate, ...], TruthColumn]:
    """Join the candidates that split the events alike; shape of the matrix (P, length)."""
    classes: dict[bytes, list[tuple[Predicate, TruthColumn]]] = {}
    for predicate, column in candidates:
        alike = classes.setdefault(_partition_key(column), [])
        if all(predicate.formula is not other.formula for other, _ in alike):
            alike.append((predicate, column))
    representatives = [_representative(alike, rank) for alike in classes.values()]
    matrix = np.array([column for _, column in representatives], dtype=np.int8).reshape(
        len(representatives), length
    )
    return tuple(predicate for predicate, _ in representatives), matrix


def _partition_key(column: TruthColumn) -> bytes:
    """Return a digest that two columns share exactly if they split the events alike."""
    firsts = [int(np.argmax(column == value)) if (column == value).any() else -1 for value in (0, 1, 2)]
    order = sorted((first, value) for value, first in enumerate(firsts) if first >= 0)
    names = np.zeros(3, dtype=np.int8)
    for number, (_, value) in enumerate(order):
        names[value] = number
    return blake2b(names[column].tobytes(), digest_size=16).digest()


def _representative(
    alike: Sequence[tuple[Predicate, TruthColumn]], rank: Callable[[Predicate], _Rank]
) -> tuple[Predicate, TruthColumn]:
    # among equals the first candidate stays first: a variable's name must not decide
    ranked = sorted(alike, key=lambda entry: rank(entry[0]))
    best, column = ranked[0]
    if not best.coded and any(other.coded for other, _ in ranked):
        best = replace(best, coded=True, price=best.price * CODED)
    aliases = [
        other.text if np.array_equal(theirs, column) else other.negation for other, theirs in ranked[1:]
    ]
    formulas = tuple(other.formula for other, _ in ranked[1:])
    return replace(best, aliases=tuple(aliases), alias_formulas=formulas), column
