"""Histories written down as the steps of each transaction, for cases made by hand."""

from __future__ import annotations

from collections.abc import Sequence

from specminer.history.contract_history import History
from specminer.history.trace import (
    AccessKind,
    Address,
    Hash,
    Invocation,
    InvocationKind,
    Outcome,
    OutcomeKind,
    StorageAccess,
    Tracer,
    Transaction,
    Word,
)
from tests.support.histories import ACCOUNTS, CHAIN, CONTRACTS, block_of, stored

OWN = CONTRACTS[0]
Step = tuple[int, str, int, int, int]
"""Invocation, ``r``, ``w`` or ``u`` (an undone write), slot, before, after."""


def made(
    *transactions: Sequence[Step],
    parents: Sequence[int | None] = (None, 0, 1),
    contracts: Sequence[Address] = (OWN, OWN, OWN),
) -> History:
    """Return a history; the steps of a transaction stand in the order in which they happened."""
    items = []
    for number, steps in enumerate(transactions):
        calls = []
        for position in range(max(step[0] for step in steps) + 1):
            accesses = tuple(
                StorageAccess(
                    position=place,
                    kind=AccessKind.READ if kind == "r" else AccessKind.WRITE,
                    slot=Word(slot),
                    before=Word(before),
                    after=Word(after),
                    undone=kind == "u",
                )
                for place, (call, kind, slot, before, after) in enumerate(steps)
                if call == position
            )
            calls.append(
                Invocation(
                    contract=contracts[position],
                    code=contracts[position],
                    position=position,
                    parent=parents[position],
                    depth=2 * position,
                    kind=InvocationKind.INTERNAL if position else InvocationKind.EXTERNAL,
                    sender=ACCOUNTS[position],
                    value=0,
                    data=b"",
                    outcome=Outcome(kind=OutcomeKind.RETURNED),
                    gas=0,
                    gas_used=0,
                    accesses=accesses,
                )
            )
        items.append(
            Transaction(
                hash=Hash(number.to_bytes(32, "big")),
                block=block_of(10 + number),
                index=0,
                sender=ACCOUNTS[0],
                to=OWN,
                value=0,
                gas=0,
                gas_used=0,
                nonce=0,
                succeeded=True,
                tracer=Tracer.JAVASCRIPT,
                invocations=tuple(calls),
            )
        )
    used = sorted(set(contracts))
    with stored(items, used) as store:
        return store.history(CHAIN, used)
