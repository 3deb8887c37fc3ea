"""What transactions find in slots is what the last ones left there; what is not is found."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from specminer.history.continuity import last_values, unseen_writes
from specminer.history.contract_history import slots
from specminer.history.trace import AccessKind, Address, StorageAccess, Transaction, Word
from specminer.pipeline import import_traces
from specminer.pipeline.datasets import dataset
from specminer.store import TraceStore


def stored(name: str = "auction_house") -> tuple[list[Transaction], Address]:
    """Return a shipped history as values."""
    with TraceStore("sqlite://") as store:
        record = import_traces(store, dataset(name).traces)
        return list(store.transactions(record.chain_id, record.address)), record.address


def contradictions(transactions: Sequence[Transaction], contract: Address) -> set[tuple[int, int]]:
    """Store transactions and return (row of the transaction, slot) of each contradiction."""
    with TraceStore("sqlite://") as store:
        record = import_traces(store, dataset("auction_house").traces)
    with TraceStore("sqlite://") as store:
        store.register_contract(replace(record, artifact=None))
        span = (transactions[0].block.number, transactions[-1].block.number)
        store.add(record.chain_id, contract, transactions, complete=span)
        history = store.history(record.chain_id, [contract])
        found = unseen_writes(history)
        numbered = slots(history)
        calls = history.access_invocation[found.access]
        rows = history.invocation_transaction[calls].tolist()
        words = numbered.word[found.slot].tolist()
        assert (len(found) > 0) == any("another value than the last" in limit for limit in history.limits)
        return {(row, history.words[word]) for row, word in zip(rows, words, strict=True)}


def naive(transactions: Sequence[Transaction]) -> set[tuple[int, int]]:
    """Say the same with a dictionary, one access after another."""
    held: dict[int, int] = {}
    found: set[tuple[int, int]] = set()
    created = False
    for row, item in enumerate(transactions):
        if any(call.kind.value == "constructor" and call.outcome.accepted for call in item.invocations):
            held, created = {}, True
        accesses = sorted(
            (access for call in item.invocations for access in call.accesses), key=lambda a: a.position
        )
        first: dict[int, StorageAccess] = {}
        for access in accesses:
            first.setdefault(int(access.slot), access)
        for slot, access in first.items():
            expected = held.get(slot, 0 if created else None)
            if access.before is not None and expected is not None and access.before != expected:
                found.add((row, slot))
            if access.before is not None:
                held[slot] = int(access.before)
        for access in accesses:
            if access.kind is AccessKind.WRITE and not access.undone:
                assert access.after is not None
                held[int(access.slot)] = int(access.after)
    return found


def test_a_true_history_has_no_contradiction() -> None:
    transactions, contract = stored()
    assert contradictions(transactions, contract) == set()


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_lost_or_changed_is_found_as_one_by_one(seed: int) -> None:
    source = random.Random(seed)
    transactions, contract = stored()
    kept = [item for item in transactions if source.random() > 0.1 or item is transactions[0]]
    for row in source.sample(range(1, len(kept)), 5):
        call = kept[row].invocations[0]
        if call.accesses:
            changed = (
                replace(call.accesses[0], before=Word(99), after=Word(99))
                if (call.accesses[0].kind is AccessKind.READ)
                else replace(call.accesses[0], after=Word(98))
            )
            calls = (replace(call, accesses=(changed, *call.accesses[1:])), *kept[row].invocations[1:])
            kept[row] = replace(kept[row], invocations=calls)
    found = contradictions(kept, contract)
    assert found == naive(kept)
    assert found


def test_the_last_values_are_those_that_the_writes_left() -> None:
    with TraceStore("sqlite://") as store:
        record = import_traces(store, dataset("auction_house").traces)
        history = store.history(record.chain_id, [record.address])
        left: dict[int, int] = {}
        for item in store.transactions(record.chain_id, record.address):
            for call in item.invocations:
                for access in call.accesses:
                    if access.kind is AccessKind.READ or not access.undone:
                        assert access.after is not None
                        left[int(access.slot)] = int(access.after)
    assert last_values(history) == left
