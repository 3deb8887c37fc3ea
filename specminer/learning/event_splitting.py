"""Makes several events of one where that explains what happens next, and pays.

A predicate about a call (an argument, the value, the sender's role) is an input: telling it costs nothing, it
may only explain to which state the call leads. Splitting an event pays if the bits saved on next states are
more than what the predicate and the additional edges cost. An event whose next state is certain is never split.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from specminer._support.errors import UsageError, plain
from specminer.history.contract_history import IntColumn
from specminer.learning.abstraction_definition import Definition
from specminer.learning.call_predicates import CallPredicate, CallVocabulary
from specminer.learning.dimension import dimensions
from specminer.learning.event_parts import Parts, with_parts
from specminer.learning.event_table import EventTable
from specminer.learning.metric import plogp
from specminer.learning.quotient import Quotient
from specminer.learning.vocabulary import FALSE, TRUE
from specminer.predicate import FormulaError
from specminer.specification.abstraction_entries import Weights


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A table some of whose events are several."""

    table: EventTable
    predicates: Mapping[str, tuple[CallPredicate, ...]]
    """Event to the predicates that split it."""
    surcharge: float
    """Bits the predicates cost, before weighting: the sum of t_p log2 of how many there were to choose from."""


def as_defined(table: EventTable, definition: Definition) -> Split:
    """Return the table with the events split that the definition splits.

    Raises:
        UsageError: the definition splits by what is no predicate about the event's calls.

    """
    predicates_by_symbol: dict[int, tuple[CallPredicate, ...]] = {}
    surcharge = 0.0
    for event, wishes in definition.split.items():
        if event not in table.symbols:
            continue
        symbol = table.symbols.index(event)
        words = CallVocabulary(table, symbol)
        try:
            predicates_by_symbol[symbol] = tuple(words.resolve(wish) for wish in wishes)
        except FormulaError as error:
            raise UsageError(
                f"the abstraction splits '{plain(event)}' by what is no predicate about its calls: {plain(error)}"
            ) from None
        pool = max(2, len(words.candidates()))
        surcharge += sum(item.price for item in predicates_by_symbol[symbol]) * float(np.log2(pool))
    return _apply_split(table, predicates_by_symbol, surcharge)


def find_split(table: EventTable, graph: Quotient, blocks: IntColumn, weights: Weights) -> Split:
    """Split the events whose next states are explained by their calls; ``blocks`` are the automaton's states."""
    predicates_by_symbol: dict[int, tuple[CallPredicate, ...]] = {}
    surcharge = 0.0
    edge_bits = weights.transitions * float(np.log2(max(1, len(table))))
    states = int(blocks.max(initial=0)) + 1
    uncertain = [symbol for symbol in _uncertain(graph, blocks, states) if symbol not in table.switches]
    kinds = dimensions(table) if uncertain else ()
    for symbol in uncertain:
        words = CallVocabulary(table, symbol, kinds)
        candidates = words.candidates()
        cost = float(np.log2(max(2, len(candidates))))
        source, target = (blocks[column[words.rows]] for column in (graph.state_before, graph.state_after))
        gains = [
            _gain(source, target, states, item.column, weights, edge_bits)
            - weights.predicates * item.price * cost
            for item in candidates
        ]
        if gains and max(gains) > 0:
            best = candidates[int(np.argmax(gains))]
            predicates_by_symbol[symbol] = (best,)
            surcharge += best.price * cost
    return _apply_split(table, predicates_by_symbol, surcharge)


def _uncertain(graph: Quotient, blocks: IntColumn, states: int) -> list[int]:
    """Return the symbols that lead from one state to several."""
    edges = np.unique((graph.symbol * states + blocks[graph.source]) * states + blocks[graph.target])
    choices = edges // states
    several = choices[1:][choices[1:] == choices[:-1]]
    return sorted(set((several // states).tolist()))


def _gain(
    source: IntColumn,
    target: IntColumn,
    states: int,
    column: np.ndarray[tuple[int], np.dtype[np.int8]],
    weights: Weights,
    edge_bits: float,
) -> float:
    """Return the bits that one split saves, before its own price."""
    old = _bits(source, source * states + target)
    split = source * 3 + column
    new = _bits(split, split * states + target)
    return weights.precision * weights.successor * (old[0] - new[0]) - edge_bits * (new[1] - old[1])


def _bits(choice: IntColumn, edge: IntColumn) -> tuple[float, int]:
    """Return the bits to tell the edge given the choice, and how many edges there are."""
    choices = np.unique(choice, return_counts=True)[1]
    edges = np.unique(edge, return_counts=True)[1]
    return plogp(choices) - plogp(edges), len(edges)


def _apply_split(
    table: EventTable, predicates_by_symbol: Mapping[int, Sequence[CallPredicate]], surcharge: float
) -> Split:
    """Return the table with the events split; the parts stand where the event stood."""
    parts: dict[int, Parts] = {}
    for symbol, predicates in predicates_by_symbol.items():
        code = _codes(predicates)
        parts[symbol] = Parts(
            rows=np.flatnonzero(table.symbol == symbol),
            code=code,
            texts={part: _condition(predicates, part) for part in np.unique(code).tolist()},
        )
    return Split(
        table=with_parts(table, parts) if parts else table,
        predicates={table.symbols[symbol]: tuple(items) for symbol, items in predicates_by_symbol.items()},
        surcharge=surcharge,
    )


def _codes(predicates: Sequence[CallPredicate]) -> IntColumn:
    codes = np.zeros(len(predicates[0].column), dtype=np.int64)
    for predicate in predicates:
        codes = codes * 3 + predicate.column
    return codes


def _condition(predicates: Sequence[CallPredicate], code: int) -> str:
    """Return what holds in a part: ``not _paused``; what is unknown is left out."""
    values = []
    for _ in predicates:
        code, value = divmod(code, 3)
        values.append(value)
    texts = [
        predicate.text if value == TRUE else predicate.negation
        for predicate, value in zip(predicates, reversed(values), strict=True)
        if value in (TRUE, FALSE)
    ]
    return " and ".join(texts)
