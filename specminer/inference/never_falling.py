"""Products and quotients of two numbers that never fall: reserves of an exchange, what a share of a vault is worth.

Whoever trades, puts in or takes out moves both numbers; rounding and fees leave a little more behind, never less. A
transaction after which it is less took what belongs to others.

Source: the constant product of Uniswap v2; the value of a share in ERC-4626.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from specminer.decoding import HistoryContext
from specminer.history.contract_history import MISSING, BoolColumn, IntColumn
from specminer.inference.argument_sources import NUMBERS
from specminer.inference.evidence_source import RARE, rounded_words
from specminer.inference.leave_one_out import FloatColumn
from specminer.inference.transaction_sources import Claim

MIN_TRANSACTIONS: Final = 20
"""A claim rests on so many transactions that move one of the two numbers."""
MIN_TURNS: Final = 5
"""So often each of the two falls and rises: else that the other never falls says it all."""
MAX_NUMBERS: Final = 24
"""Numbers that are paired at most: those that change most often."""
NEARLY: Final = 1e-9
"""A share of a number that rounding may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Course:
    """A number without a key, transaction by transaction."""

    name: str
    value: FloatColumn
    """Behind each transaction of the history; NaN where it is not known yet; shape (t,)."""
    invocation: IntColumn
    """The last invocation that touched it in each transaction, or ``MISSING``; shape (t,)."""


def never_falling(context: HistoryContext) -> Iterator[Claim]:
    """Yield the products and quotients of two numbers that hardly ever fall; linear in transactions for each pair."""
    if len(context.history.contracts) != 1:
        return
    for one, other in combinations(_courses(context), 2):
        last_call = np.maximum(one.invocation, other.invocation)
        both_known = ~np.isnan(one.value) & ~np.isnan(other.value)
        rows = np.flatnonzero((last_call != MISSING) & both_known)
        a, b = one.value[rows], other.value[rows]
        if len(rows) <= MIN_TRANSACTIONS or not (_both_ways(a) and _both_ways(b)):
            continue
        for text, quantity in (
            (f"the product of {one.name} and {other.name} never falls", a * b),
            (f"{one.name} for each {other.name} never falls", _quotient(a, b)),
            (f"{other.name} for each {one.name} never falls", _quotient(b, a)),
        ):
            yield from _claim(text, last_call[rows], quantity)


def _claim(text: str, invocation: IntColumn, quantity: FloatColumn) -> Iterator[Claim]:
    """Yield the claim that a quantity never falls, if it hardly ever does, and not only because it never moves."""
    before, after = quantity[:-1], quantity[1:]
    usable = ~np.isnan(before) & ~np.isnan(after)
    falls = after < before * (1.0 - NEARLY)
    rises = after > before * (1.0 + NEARLY)
    count = int(usable.sum())
    if (
        count < MIN_TRANSACTIONS
        or int((usable & rises).sum()) < MIN_TURNS
        or int((usable & falls).sum()) > max(1, RARE * count)
    ):
        return
    order = np.argsort(invocation[1:][usable], kind="stable")
    yield Claim(text=text, cases=invocation[1:][usable][order], holds=~falls[usable][order])


def _courses(context: HistoryContext) -> list[_Course]:
    """Return the numbers without a key that change most often, each transaction by transaction."""
    accesses, locations, history = context.accesses, context.locations, context.history
    word = rounded_words(context.word_limbs)
    rows = context.lasting_accesses
    variable = locations.variable[accesses.slot[rows]]
    starts = np.searchsorted(variable, np.arange(len(locations.variables) + 1))
    candidates: list[tuple[int, _Course]] = []
    for number, item in enumerate(locations.variables):
        own_rows = rows[starts[number] : starts[number + 1]]
        if item.ports or len(item.fields) != 1 or item.fields[0].kind not in NUMBERS or not len(own_rows):
            continue
        changes = int(accesses.effective_write[own_rows].sum())
        if changes >= MIN_TRANSACTIONS:
            candidates.append((changes, _course(context, item.text(None), own_rows.astype(np.int64), word)))
    candidates.sort(key=lambda pair: (-pair[0], pair[1].name))
    return [course for _, course in candidates[:MAX_NUMBERS]] if len(history.transaction_hash) else []


def _course(context: HistoryContext, name: str, rows: IntColumn, word: FloatColumn) -> _Course:
    accesses, history = context.accesses, context.history
    call = accesses.invocation[rows].astype(np.int64)
    transaction = history.invocation_transaction[call]
    count = len(history.transaction_hash)
    # a call that encloses others leaves the value for good that the last write left: of the latest write in it
    value = np.full(count, np.nan)
    changed = accesses.effective_write[rows]
    for mask in (~changed, changed):  # what changed it outweighs what only read it
        value[transaction[mask]] = word[accesses.value_after[rows[mask]]]
    last = np.full(count, MISSING, dtype=np.int64)
    last[transaction[changed]] = call[changed]
    last_index = np.maximum.accumulate(np.where(np.isnan(value), -1, np.arange(count)))
    filled = np.where(last_index >= 0, value[np.maximum(last_index, 0)], np.nan)
    return _Course(name=name, value=filled, invocation=last)


def _both_ways(value: FloatColumn) -> bool:
    change = np.diff(value)
    up: BoolColumn = change > 0
    down: BoolColumn = change < 0
    return int(up.sum()) >= MIN_TURNS and int(down.sum()) >= MIN_TURNS


def _quotient(above: FloatColumn, below: FloatColumn) -> FloatColumn:
    """Return quotients; NaN where nothing is below."""
    quotient: FloatColumn = np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)
    return quotient
