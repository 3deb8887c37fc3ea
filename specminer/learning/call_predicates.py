"""Predicates about a call, which may make several events of one: who sends it, with which arguments and value.

They are evaluated before the call: a variable stands for the value that the call found. Roles of the sender in
the interaction are ``creator`` (who made its first call), ``previous`` (who made the one before) and
``newcomer`` (true if the sender has made none yet).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from specminer._support.text import UniqueNames
from specminer.history.contract_history import MISSING, IntColumn
from specminer.learning.dimension import dimensions
from specminer.learning.event_table import Dimension, EntityVariable, EventTable, ValueKind
from specminer.learning.predicate_candidates import RESERVED, SMALL
from specminer.learning.vocabulary import FALSE, TRUE, UNKNOWN, TruthColumn
from specminer.predicate import (
    Declaration,
    Formula,
    FormulaSort,
    Language,
    SymbolColumns,
    evaluate,
    negated_text,
    normalise,
    parse,
    price,
    text,
)

FEW_ARGUMENTS: Final = 6
"""An argument with at most this many small values is compared with each of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPredicate:
    """A predicate about the calls of one event."""

    formula: Formula
    text: str
    negation: str
    price: float
    column: TruthColumn
    """Its value before each of the event's calls; shape (rows,)."""


class CallVocabulary:
    """What can be said of the calls of one symbol of a table; ``rows`` are its events.

    ``measured`` is what :func:`dimensions` says of the table, where it is at hand.
    """

    def __init__(self, table: EventTable, symbol: int, measured: Sequence[Dimension] | None = None) -> None:
        self.rows: IntColumn = np.flatnonzero(table.symbol == symbol)
        self._table = table
        self._measured_dimensions = measured
        self._language = Language()
        self._columns: dict[Formula, IntColumn] = {}
        self._words = _with_truths(table.words)
        self._truths = np.array([self._words.index(0), self._words.index(1)], dtype=np.int64)
        self._declare(symbol)
        self._dense = self._used_words()

    def candidates(self) -> list[CallPredicate]:
        """Return the candidates that tell some of the calls apart, each way once."""
        cheapest: dict[bytes, CallPredicate] = {}
        for formula in self._proposals():
            predicate = self._evaluate(formula)
            if (predicate.column == TRUE).any() and (predicate.column == FALSE).any():
                flipped = np.where(predicate.column == UNKNOWN, UNKNOWN, 1 - predicate.column).astype(np.int8)
                key = min(predicate.column.tobytes(), flipped.tobytes())
                if key not in cheapest or predicate.price < cheapest[key].price:
                    cheapest[key] = predicate
        return list(cheapest.values())

    def resolve(self, wish: str) -> CallPredicate:
        """Return the predicate that a definition asks for.

        Raises:
            FormulaError: it is none about these calls.

        """
        return self._evaluate(normalise(self._language, parse(self._language, wish)))

    def _declare(self, symbol: int) -> None:
        table, rows = self._table, self.rows
        first = np.searchsorted(table.interaction, table.interaction[rows], side="left")
        names = UniqueNames(RESERVED)
        for row, variable in enumerate(table.calls):
            if table.call_values is not None:
                self._add(variable, variable.name, table.call_values[row][rows], context=True)
        sender = table.call("sender")
        if sender is not None:
            account = EntityVariable(name="", kind=ValueKind.ADDRESS)
            own = ~table.switched  # who switches a flag of the whole contract does nothing in the interaction
            last = np.maximum.accumulate(np.where(own, np.arange(len(own)), MISSING))
            previous = np.where(rows > first, sender[last[rows - 1]], MISSING)
            creator = np.where(rows > first, sender[first], MISSING)
            self._add(account, "creator", creator, context=True)
            self._add(account, "previous", previous, context=True)
            flag = EntityVariable(name="", kind=ValueKind.BOOL)
            new = _is_new(table.interaction, np.where(own, sender, len(table.words)))[rows]
            self._add(flag, "newcomer", self._truths[new.astype(np.int64)], context=True)
        for argument in table.arguments:
            if symbol in argument.symbols:
                name = _free_name(argument.variable.name, names)
                self._add(argument.variable, name, argument.values[rows], context=True)
        for variable, values in zip(table.variables, table.values, strict=True):
            before = np.where(rows > first, values[rows - 1], MISSING)
            self._add(variable, _free_name(variable.name, names), before, context=False)

    def _add(self, variable: EntityVariable, name: str, column: IntColumn, *, context: bool) -> None:
        sort = {
            ValueKind.BOOL: FormulaSort.BOOL,
            ValueKind.ADDRESS: FormulaSort.ADDRESS,
            ValueKind.BYTES: FormulaSort.BYTES,
            ValueKind.TEXT: FormulaSort.TEXT,
            ValueKind.WORD: FormulaSort.WORD,
        }.get(variable.kind, FormulaSort.NUMBER)
        declaration = Declaration(name=name, sort=sort, members=variable.members, context=context)
        self._columns[self._language.declare(declaration)] = column

    def _proposals(self) -> Iterator[Formula]:
        language = self._language
        names = {language.declaration(symbol).name: symbol for symbol in self._columns}
        sender, value = names.get("sender"), names.get("value")
        if value is not None:
            yield language.equal(value, language.number(0))
        if sender is not None:
            yield language.equal(sender, names["creator"])
            yield language.equal(sender, names["previous"])
            yield names["newcomer"]
        variable_dimensions = self._measured_dimensions or dimensions(self._table)
        kinds = {
            variable.name: dimension
            for position, (variable, dimension) in enumerate(
                zip(self._table.variables, variable_dimensions, strict=True)
            )
            if position not in self._table.flags
        }
        for symbol, column in self._columns.items():
            declaration = language.declaration(symbol)
            if declaration.name in RESERVED:
                continue
            if not declaration.context:
                if sender is not None and kinds.get(declaration.name) is Dimension.ACCOUNT:
                    yield language.equal(sender, symbol)
            elif declaration.sort is FormulaSort.BOOL:
                yield symbol
            else:
                yield from self._about_argument(symbol, column, sender)

    def _about_argument(
        self, symbol: Formula, column: IntColumn, sender: Formula | None
    ) -> Iterator[Formula]:
        language = self._language
        yield language.equal(symbol, language.number(0))
        if language.declaration(symbol).sort is FormulaSort.ADDRESS:
            if sender is not None:
                yield language.equal(sender, symbol)
            return
        distinct = np.unique(column[column >= 0])
        if len(distinct) <= FEW_ARGUMENTS:
            for row in distinct.tolist():
                if 0 < self._words[row] < SMALL:
                    yield language.equal(symbol, language.number(self._words[row]))

    def _used_words(self) -> SymbolColumns:
        """Return the columns over the words that occur in them: few of those of the whole table."""
        used = np.unique(np.concatenate([*self._columns.values(), np.array([MISSING])]))[1:]
        new_rows = np.full(len(self._words) + 1, MISSING, dtype=np.int64)
        new_rows[used] = np.arange(len(used))
        rows = {symbol: new_rows[column] for symbol, column in self._columns.items()}
        return SymbolColumns.of(rows, [self._words[row] for row in used.tolist()], len(self.rows))

    def _evaluate(self, formula: Formula) -> CallPredicate:
        true, is_known = evaluate(formula, self._dense)
        return CallPredicate(
            formula=formula,
            text=text(self._language, formula),
            negation=negated_text(self._language, formula),
            price=price(self._language, formula),
            column=np.where(is_known, true, UNKNOWN).astype(np.int8),
        )


def _with_truths(words: tuple[int, ...]) -> tuple[int, ...]:
    present_words = set(words)
    return (*words, *(word for word in (0, 1) if word not in present_words))


def _free_name(name: str, names: UniqueNames) -> str:
    """Return a name that is free: an argument hides a variable called like it."""
    return names.add(name, lambda other, number: "this." * (number - 1) + other)


def _is_new(interaction: IntColumn, sender: IntColumn) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return for each event whether its sender has sent none before in the same interaction."""
    order = np.lexsort((np.arange(len(sender)), sender, interaction))
    begins = np.r_[
        True,
        (interaction[order][1:] != interaction[order][:-1]) | (sender[order][1:] != sender[order][:-1]),
    ][: len(order)]
    new = np.zeros(len(sender), dtype=np.bool_)
    new[order] = begins
    return new
