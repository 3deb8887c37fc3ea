"""What of a divided history bears on later transactions: where its state is told, and what can be asked of it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from specminer.history.contract_history import MISSING, BoolColumn, IntColumn
from specminer.history.trace import Hash
from specminer.monitoring.state_file import InteractionVisits, SlotVisits
from specminer.pipeline.checking import Judgement
from specminer.pipeline.state import Mining
from specminer.specification.deviation import CheckResult

_EARLIER: Final = re.compile(r"\b(?:last\s*=|seen\(|changed\()")
"""Predicates that speak of earlier events."""
_GUARDS: Final = "guards of "
_UNASKED: Final = ("conditions of guards that speak of", "invariants that speak of")
"""How the counts begin that are of the specification, not of the calls judged."""


def slot_visits(mining: Mining, is_selected: BoolColumn) -> Iterator[SlotVisits]:
    """Yield which transactions changed and accessed each slot first and last, of those that ``is_selected`` marks."""
    history, accesses, context = mining.history, mining.context.accesses, mining.context
    transaction = history.invocation_transaction[accesses.invocation]
    rows = np.flatnonzero(is_selected[transaction])
    if not len(rows):
        return
    count = len(mining.interactions.owner)
    accessed = np.full(count, MISSING, dtype=np.int64)
    np.maximum.at(accessed, accesses.slot[rows], transaction[rows])
    changes = rows[accesses.effective_write[rows]]
    last = np.full(count, MISSING, dtype=np.int64)
    np.maximum.at(last, accesses.slot[changes], transaction[changes])
    first = np.full(count, len(is_selected), dtype=np.int64)
    np.minimum.at(first, accesses.slot[changes], transaction[changes])
    contract = np.zeros(count, dtype=np.int64)
    contract[accesses.slot] = history.invocation_contract[accesses.invocation]
    word = np.zeros(count, dtype=np.int64)
    word[accesses.slot] = accesses.word
    shared = ~(context.locations.port != MISSING).any(axis=1)
    names, hashes = mining.interactions.names, history.transaction_hash
    for slot in np.flatnonzero(accessed != MISSING).tolist():
        owner = int(mining.interactions.owner[slot])
        yield SlotVisits(
            slot=(int(contract[slot]), history.words[int(word[slot])].to_bytes(32, "big")),
            owner=None if owner == MISSING else names[owner],
            shared=bool(shared[slot]),
            changed_first=None if last[slot] == MISSING else hashes[int(first[slot])],
            changed_last=None if last[slot] == MISSING else hashes[int(last[slot])],
            accessed_last=hashes[int(accessed[slot])],
        )


def interaction_visits(mining: Mining, is_selected: BoolColumn) -> Iterator[InteractionVisits]:
    """Yield the first and the last of some transactions in each interaction, and one for each sender."""
    history, interactions = mining.history, mining.interactions
    transaction = history.invocation_transaction[interactions.invocation]
    rows = np.flatnonzero(is_selected[transaction])
    order = rows[np.lexsort((transaction[rows], interactions.slice[rows]))]
    slices, hashes = interactions.slice[order], history.transaction_hash
    starts = np.flatnonzero(np.concatenate([[True], slices[1:] != slices[:-1]])) if len(order) else order
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(order)], strict=True):
        events = order[start:end]
        senders = history.invocation_sender[interactions.invocation[events]].tolist()
        yield InteractionVisits(
            name=interactions.names[int(slices[start])],
            first=hashes[int(transaction[events[0]])],
            last=hashes[int(transaction[events[-1]])],
            senders={
                bytes(history.addresses[sender]).hex(): hashes[int(transaction[event])]
                for sender, event in zip(reversed(senders), events[::-1].tolist(), strict=True)
            },
        )


def find_concerned(mining: Mining, fresh: Collection[Hash]) -> set[str]:
    """Return the interactions that have events in some transactions."""
    history, interactions = mining.history, mining.interactions
    is_fresh = np.array([name in fresh for name in history.transaction_hash], dtype=np.bool_)
    has_fresh = is_fresh[history.invocation_transaction[interactions.invocation]]
    return {interactions.names[row] for row in np.unique(interactions.slice[has_fresh]).tolist()}


def sample_transactions(mining: Mining, size: int) -> IntColumn:
    """Return the transactions of the first calls of each function and outcome, and of some of the last ones."""
    history = mining.history
    kind = 2 * mining.context.calls.function.astype(np.int64) + history.accepted
    samples = [
        rows[part]
        for rows in (np.flatnonzero(kind == number) for number in np.unique(kind).tolist())
        for part in (slice(size), slice(-(size // 4), None))
    ]
    return np.unique(history.invocation_transaction[np.concatenate(samples)])


def coverage_of(mining: Mining, judgement: Judgement) -> dict[str, tuple[str, ...]]:
    """Return what of a specification a history could be asked, by part."""
    interactions, sort = mining.interactions, mining.interactions.sort
    split = (interactions.mode.value, *(() if sort is None else (sort.name, *sort.ports, *sort.arguments)))
    return {
        "split": tuple(sorted(split)),
        "predicates": tuple(sorted({item.text for item in mining.tuning.predicates})),
        "phases": tuple(sorted(mining.tuning.phases)),
        "invariants": tuple(sorted(judgement.invariants)),
    } | {f"{_GUARDS}{scope}": texts for scope, texts in judgement.guards.askable().items()}


def covers(coverage: Mapping[str, Collection[str]], required: Mapping[str, Collection[str]]) -> bool:
    """Return whether of everything that is wanted as much could be asked, or more."""
    return all(part in coverage and set(texts) <= set(coverage[part]) for part, texts in required.items())


def is_sure(mining: Mining, judgement: Judgement, required: Mapping[str, Collection[str]]) -> bool:
    """Return whether a part of a history shows that nothing is to be found, as the whole would.

    Nothing was found, all could be asked of the functions that were called, no condition was left undecided, no
    state is assumed, and no flag of the whole contract changed, which befalls all interactions.
    """
    calls, interactions = judgement.guards.calls, mining.interactions
    called = {f"{_GUARDS}{calls.function(row)}" for row in np.flatnonzero(calls.is_judged).tolist()}
    coverage = coverage_of(mining, judgement)
    needed = {
        part: texts for part, texts in required.items() if part in called or not part.startswith(_GUARDS)
    }
    switched = interactions.switches & ~interactions.clocked & calls.is_judged[interactions.invocation]
    return (
        not judgement.result.findings
        and not judgement.uncertain
        and not judgement.guards.undecided
        and not bool(switched.any())
        and (called & set(coverage)) <= set(required)
        and covers(coverage, needed)
    )


def is_keepable(mining: Mining) -> bool:
    """Return whether states follow from what storage holds and the last transactions, not from all earlier events."""
    texts = [item.text for item in mining.tuning.predicates]
    computed = {item.name for item in mining.tuning.table.variables if item.function is not None}
    return (
        not mining.history.lives
        and not any(_EARLIER.search(text) for text in texts)
        and not any(name in text for name in computed for text in texts)
    )


def join_results(earlier: CheckResult, later: CheckResult) -> CheckResult:
    """Return what two checks found, the second of later transactions."""
    unjudged = dict(earlier.unjudged)
    for reason, count in later.unjudged.items():
        before = unjudged.get(reason, 0)
        unjudged[reason] = max(before, count) if reason.startswith(_UNASKED) else before + count
    firsts = [item for item in (earlier.first_block, later.first_block) if item is not None]
    lasts = [item for item in (earlier.last_block, later.last_block) if item is not None]
    return replace(
        later,
        first_block=min(firsts, default=None),
        last_block=max(lasts, default=None),
        transactions=earlier.transactions + later.transactions,
        events=earlier.events + later.events,
        findings=(*earlier.findings, *later.findings),
        unjudged=unjudged,
    )
