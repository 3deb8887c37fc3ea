"""Proposes predicates from the values that were seen, with no hints; no variable's name is treated specially.

What is proposed here may turn out constant or the same as another; :mod:`specminer.learning.vocabulary`
keeps what tells events apart.

Tiers, in the order of what they mean to a reader:

- ``STORAGE``: a variable's few values, zero, equality and order between variables of one dimension;
- ``TIME``: the block's time or number against a variable that holds one, after each event. The clock moves on
  without events, so that the state is no longer true when the next call comes: only for who asks for it;
- ``HISTORY``: what happened before (``last = f``, ``seen(f)``, ``changed(v)``). These win bits and lose meaning:
  ``last = f`` draws which call follows which, ``seen(f)`` picks up the habits of those who call.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from specminer._support.text import UniqueNames
from specminer.decoding.storage_values import short_text
from specminer.history.contract_history import MISSING, IntColumn
from specminer.learning.dimension import comparable, counters, dimensions
from specminer.learning.event_table import Dimension, EntityVariable, EventTable, ValueKind
from specminer.predicate import SORTS, Declaration, Formula, FormulaSort, Language, SymbolColumns
from specminer.specification import Tier

FEW_VALUES: Final = 12
"""A variable with at most this many distinct values is compared with each of them."""
SMALL: Final = 256
"""Numbers below are choices, if they are few; larger ones were learned from this history, and no state should
depend on them."""
COMPARED_VARIABLES: Final = 12
"""Of one dimension, at most so many variables are compared with each other (66 equalities, 132 orders): those
with the fewest distinct values, as values that drift split the events into noise."""
HISTORY_SYMBOLS: Final = 40
"""History predicates are made for at most so many symbols, the most frequent."""
CHANGED_VARIABLES: Final = 40
"""``changed(v)`` is made for at most so many variables, the first."""
EQUAL: Final = 0.1
"""Of the events after which two variables are equal, at least this share must leave something else than two zeros."""
CALL_NAMES: Final = ("sender", "origin", "value", "now", "block", "this")
ROLE_NAMES: Final = ("creator", "previous", "newcomer")
RESERVED: Final = frozenset({*CALL_NAMES, *ROLE_NAMES, "last"})
"""Names that predicates use for other things than storage."""
ORDERED: Final = frozenset({Dimension.MONEY, Dimension.TIME, Dimension.BLOCK, Dimension.COUNT})
"""Dimensions whose values are compared by order, not only for equality."""
_CLOCKS: Final = {Dimension.TIME: "now", Dimension.BLOCK: "block"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PredicateDraft:
    """A proposal."""

    formula: Formula
    variables: tuple[str, ...]
    """Names of what it speaks of, as a definition forbids or prefers them."""
    tier: Tier
    coded: bool = False
    """Whether the code states it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableLanguage:
    """What formulas about a table are made of and evaluated over."""

    language: Language
    symbols: tuple[Formula, ...]
    """One for each variable of the table."""
    calls: Mapping[str, Formula]
    """Symbols for what is known of calls, by name."""
    dimensions: tuple[Dimension, ...]
    """Of each variable."""
    columns: SymbolColumns
    """Values after each of ``m`` accepted events."""
    assumed: SymbolColumns | None
    """The same with what is assumed of values in doubt; ``None`` if none is."""
    formula_names: Mapping[str, str]
    """What a variable is called in formulas, by its name in the table."""
    spellings: Mapping[str, tuple[str, ...]]
    """All the names by which a definition may call a variable, by its name in the table."""


def table_language(table: EventTable, accepted: IntColumn) -> TableLanguage:
    """Declare the symbols of a table; ``accepted`` are the rows of its events that were not rejected."""
    language = Language()
    words, signed = _words(table)
    rows: dict[Formula, IntColumn] = {}
    guessed: dict[Formula, IntColumn] = {}
    symbols: list[Formula] = []
    spelled: dict[str, str] = {}
    names = UniqueNames([*RESERVED, *(variable.name for variable in table.variables)])
    for position, variable in enumerate(table.variables):
        name = _rename(variable.name, names) if variable.name in RESERVED else variable.name
        spelled[variable.name] = name
        symbol = language.declare(_declaration(variable, name))
        for values, columns in ((table.values, rows), (table.assumed, guessed)):
            if values is not None:
                column = values[position][accepted]
                columns[symbol] = (
                    np.where(column >= 0, signed[column], MISSING) if _is_signed(variable) else column
                )
        symbols.append(symbol)
    spellings = _spellings(table.variables, spelled)
    for variable, symbol in zip(table.variables, symbols, strict=True):
        for form in spellings[variable.name]:
            if form not in RESERVED:
                language.alias(form, symbol)
    calls: dict[str, Formula] = {}
    for row, variable in enumerate(table.calls):
        symbol = language.declare(_declaration(variable, variable.name, context=variable.name != "this"))
        calls[variable.name] = symbol
        if table.call_values is not None:
            rows[symbol] = guessed[symbol] = table.call_values[row][accepted]
    return TableLanguage(
        language=language,
        symbols=tuple(symbols),
        calls=calls,
        dimensions=dimensions(table),
        columns=SymbolColumns.of(rows, words, len(accepted)),
        assumed=None if table.assumed is None else SymbolColumns.of(guessed, words, len(accepted)),
        formula_names=spelled,
        spellings=spellings,
    )


def _spellings(variables: Sequence[EntityVariable], spelled: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return the names by which each variable may be called; a getter's is left out where another has it."""
    own = {name: (name, spelling, *_short_forms(spelling)) for name, spelling in spelled.items()}
    own_forms = {form for forms in own.values() for form in forms}
    spellings: dict[str, tuple[str, ...]] = {}
    for variable in variables:
        more = [form for name in variable.spellings for form in (name, *_short_forms(name))]
        more = [form for form in more if form not in own_forms]
        spellings[variable.name] = tuple(dict.fromkeys((*own[variable.name], *more)))
    return spellings


def _short_forms(name: str) -> tuple[str, str]:
    """Return a name with its brackets empty, and without them: definitions need not say what the keys are."""
    return re.sub(r"\[[^\]]*\]", "[]", name), re.sub(r"\[[^\]]*\]", "", name)


def _declaration(variable: EntityVariable, name: str, *, context: bool = False) -> Declaration:
    return Declaration(name=name, sort=SORTS[variable.kind], members=variable.members, context=context)


def _rename(name: str, names: UniqueNames) -> str:
    """Return another name for a variable that is called like something else."""
    return names.add(f"this.{name}", lambda other, number: other + "_" * (number - 1))


def _is_signed(variable: EntityVariable) -> bool:
    return variable.kind is ValueKind.INT


def _words(table: EventTable) -> tuple[tuple[int, ...], IntColumn]:
    """Return the table's words with signed readings behind them, and for each word the row of its own."""
    words = list(table.words)
    row_of = {word: row for row, word in enumerate(words)}
    signed = np.arange(max(1, len(words)), dtype=np.int64)
    if any(map(_is_signed, table.variables)):
        for row, word in enumerate(table.words):
            if word >= 1 << 255:
                signed[row] = row_of.setdefault(word - (1 << 256), len(words))
                if signed[row] == len(words):
                    words.append(word - (1 << 256))
    return tuple(words), signed


def storage(table: EventTable, base: TableLanguage) -> Iterator[PredicateDraft]:
    """Propose predicates over storage, and over storage and the clock."""
    distinct = [_distinct(base.columns, symbol) for symbol in base.symbols]
    redundant_flags = set(_told_flags(table, base))
    counting = [counts and position not in table.flags for position, counts in enumerate(counters(table))]
    for position, distinct_values in enumerate(distinct):
        if position in redundant_flags:
            continue  # what a function of the contract tells is better known
        values = () if counting[position] else distinct_values
        yield from _alone(table.variables[position], base, position, values)
    for compared in comparable(table.variables, base.dimensions):
        group = [position for position in compared if position not in table.flags]
        if len(group) < 2:
            continue
        few = sorted(sorted(group, key=lambda position: len(distinct[position]))[:COMPARED_VARIABLES])
        if base.dimensions[few[0]] is Dimension.COUNT and not any(counting[position] for position in few):
            continue
        yield from _together(table.variables, base, few, counting)
    for position, dimension in enumerate(base.dimensions):
        if position in table.flags:
            continue
        clock = base.calls.get(_CLOCKS.get(dimension, ""))
        if clock is not None:
            formula = base.language.less(clock, base.symbols[position])
            yield PredicateDraft(formula=formula, variables=_names(table, base, position), tier=Tier.TIME)


def _told_flags(table: EventTable, base: TableLanguage) -> Iterator[int]:
    """Yield the flags of deadlines that a function of the contract tells wherever they are known."""
    is_known = [base.columns.rows[symbol] >= 0 for symbol in base.symbols]
    for position in table.flags:
        name = table.variables[position].name
        telling = (
            own
            for variable, own in zip(table.variables, is_known, strict=True)
            if variable.coded and name in variable.relies_on
        )
        if any((own | ~is_known[position]).all() for own in telling):
            yield position


def _alone(
    variable: EntityVariable, base: TableLanguage, position: int, distinct_values: tuple[int, ...]
) -> Iterator[PredicateDraft]:
    language, symbol = base.language, base.symbols[position]
    names = base.spellings[variable.name]
    if variable.kind is ValueKind.BOOL:
        yield PredicateDraft(formula=symbol, variables=names, tier=Tier.STORAGE)
        return
    account = base.dimensions[position] is Dimension.ACCOUNT
    values = set(distinct_values) if len(distinct_values) <= FEW_VALUES and not account else set()
    if variable.kind is ValueKind.TEXT:  # of a long text the slot tells the length, which means nothing
        values = {value for value in values if short_text(value) is not None}
    elif variable.kind not in (ValueKind.BYTES, ValueKind.ENUM):
        values = {value for value in values if abs(value) < SMALL}
    for value in sorted(values | {0}, key=lambda value: (value < 0, value)):
        formula = language.equal(symbol, language.number(value))
        yield PredicateDraft(formula=formula, variables=names, tier=Tier.STORAGE)
    if account and "this" in base.calls:
        formula = language.equal(symbol, base.calls["this"])
        yield PredicateDraft(formula=formula, variables=names, tier=Tier.STORAGE)


def _together(
    variables: Sequence[EntityVariable], base: TableLanguage, group: Sequence[int], counting: Sequence[bool]
) -> Iterator[PredicateDraft]:
    language = base.language
    dimension = base.dimensions[group[0]]
    for left, right in combinations(group, 2):
        counted = counting[left] or counting[right]
        if dimension is Dimension.COUNT and not (counted and _is_bounded(base, left, right)):
            continue
        names = _pair_names(variables, base, left, right)
        if _alike(base, left, right):
            formula = language.equal(base.symbols[left], base.symbols[right])
            yield PredicateDraft(formula=formula, variables=names, tier=Tier.STORAGE)
        if dimension not in ORDERED:
            continue
        for less, more in ((left, right), (right, left)):
            formula = language.less(base.symbols[less], base.symbols[more])
            yield PredicateDraft(formula=formula, variables=names, tier=Tier.STORAGE)


def _alike(base: TableLanguage, left: int, right: int) -> bool:
    """Whether two variables are equal not only where both are zero, which says nothing that each alone does not say."""
    rows = [base.columns.rows[base.symbols[position]] for position in (left, right)]
    is_known = (rows[0] >= 0) & (rows[1] >= 0)
    first, second = (base.columns.ranks[column[is_known]] for column in rows)
    equal = first[first == second]
    zero = base.columns.numeric_rows.index(0) if 0 in base.columns.numeric_rows else MISSING
    return not len(equal) or float(np.mean(equal != zero)) >= EQUAL


def _is_bounded(base: TableLanguage, left: int, right: int) -> bool:
    """Whether one of two counts never exceeds the other: only then the one limits the other."""
    rows = [base.columns.rows[base.symbols[position]] for position in (left, right)]
    is_known = (rows[0] >= 0) & (rows[1] >= 0)
    first, second = (base.columns.ranks[column[is_known]] for column in rows)
    return bool((first <= second).all() or (first >= second).all())


def _names(table: EventTable, base: TableLanguage, position: int) -> tuple[str, ...]:
    return base.spellings[table.variables[position].name]


def _pair_names(
    variables: Sequence[EntityVariable], base: TableLanguage, left: int, right: int
) -> tuple[str, ...]:
    return tuple(name for position in (left, right) for name in base.spellings[variables[position].name])


def _distinct(columns: SymbolColumns, symbol: Formula) -> tuple[int, ...]:
    """Return the distinct values in a column, ascending, unknown ones left out."""
    occurs = np.zeros(len(columns.numeric_rows) + 1, dtype=np.bool_)
    column = columns.rows[symbol]
    rows = column[column >= 0]
    occurs[columns.ranks[rows]] = True
    return tuple(columns.numeric_rows[rank] for rank in np.flatnonzero(occurs))


def history(
    table: EventTable, base: TableLanguage, accepted: IntColumn
) -> tuple[SymbolColumns, SymbolColumns | None, list[PredicateDraft]]:
    """Propose predicates over what happened before; return both columns of ``base`` extended by what these need.

    Changes of a flag of the whole contract are passed over: after one holds what held before it.
    """
    events = tuple(dict.fromkeys(table.wholes or table.symbols))
    base_words = dict.fromkeys(base.columns.numeric_rows)
    row = {word: rank for rank, word in enumerate(base_words)}
    extra = [word for word in range(max(2, len(events))) if word not in base_words]
    words = [*base_words, *extra]
    row |= {word: len(base_words) + index for index, word in enumerate(extra)}
    index_of = {event: index for index, event in enumerate(events)}
    number = np.array([index_of[event] for event in table.wholes or table.symbols], dtype=np.int64)
    own = ~table.switched[accepted]
    own_events, own_index = accepted[own], np.maximum(np.cumsum(own) - 1, 0)
    happened = number[table.symbol[own_events]]
    first = np.searchsorted(table.interaction[own_events], table.interaction[own_events], side="left")
    counts = np.bincount(happened, minlength=len(events))
    frequent = np.argsort(-counts, kind="stable")[:HISTORY_SYMBOLS]
    used = [int(event) for event in np.sort(frequent) if counts[event]]
    language = base.language
    last = language.declare(Declaration(name="last", sort=FormulaSort.NUMBER, members=events, history=True))
    coded = np.array([row[index] for index in range(len(events))], dtype=np.int64)
    added = {last: coded[happened][own_index]}
    guessed: dict[Formula, IntColumn] = {}
    drafts = [
        PredicateDraft(
            formula=language.equal(last, language.number(event)), variables=("last",), tier=Tier.HISTORY
        )
        for event in used
    ]
    truths = np.array([row[0], row[1]], dtype=np.int64)
    for event in used:
        total = np.concatenate(([0], np.cumsum(happened == event)))
        happened_before = (total[1:] > total[first]).astype(np.int64)
        drafts += _draft_memory(base, added, f"seen({events[event]})", truths[happened_before][own_index], ())
    for position in range(min(len(table.variables), CHANGED_VARIABLES)):
        if position in table.flags:
            continue
        names = _names(table, base, position)
        spelling = base.formula_names[table.variables[position].name]
        changed = _change_column(table.values[position][own_events], first, truths)[own_index]
        drafts += _draft_memory(base, added, f"changed({spelling})", changed, names)
        symbol = base.language.find(f"changed({spelling})")
        if table.assumed is not None and symbol in added:
            guessed[symbol] = _change_column(table.assumed[position][own_events], first, truths)[own_index]
    columns = [
        None
        if source is None
        else SymbolColumns.of(_rank_columns(source, bool(base_words)) | added | more, words, len(accepted))
        for source, more in ((base.columns, {}), (base.assumed, guessed))
    ]
    return columns[0] or base.columns, columns[1], drafts


def _rank_columns(columns: SymbolColumns, has_words: bool) -> dict[Formula, IntColumn]:
    """Return the columns with places in the order of words instead of rows."""
    return {
        symbol: np.where(column >= 0, columns.ranks[column], MISSING) if has_words else column
        for symbol, column in columns.rows.items()
    }


def _change_column(column: IntColumn, first: IntColumn, truths: IntColumn) -> IntColumn:
    """Return the row of the word for whether each value differs from the one before, in the same interaction."""
    before = np.where(first == np.arange(len(first)), MISSING, np.r_[MISSING, column[:-1]][: len(column)])
    known_both = (column != MISSING) & (before != MISSING)
    return np.where(known_both, truths[(column != before).astype(np.int64)], MISSING)


def _draft_memory(
    base: TableLanguage,
    added: dict[Formula, IntColumn],
    name: str,
    column: IntColumn,
    variables: tuple[str, ...],
) -> Iterator[PredicateDraft]:
    if base.language.find(name) is None:
        symbol = base.language.declare(Declaration(name=name, sort=FormulaSort.BOOL, history=True))
        added[symbol] = column
        yield PredicateDraft(formula=symbol, variables=(name, *variables), tier=Tier.HISTORY)
