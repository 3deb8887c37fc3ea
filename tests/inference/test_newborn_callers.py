"""Callers that the same transaction created: which are known, and what they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from specminer.decoding import HistoryContext, decode
from specminer.history.trace import Address, Creation, Transaction
from specminer.inference.transaction_sources import _newborns
from specminer.specification import EvidenceSource
from tests.support.bazaars import BAZAAR, Plan, history_of, played

CREATOR = Address(bytes.fromhex("6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0"))
CREATED = Address(bytes.fromhex("cd234a471b72ba2f1ccf0a70fcaba648a5eecd8d"))
"""Where the first transaction of ``CREATOR`` puts a contract. Source: the tests of the Ethereum clients."""
ROUTER = Address(b"\x77" * 20)
CHILD = Address(b"\x78" * 20)


def _calls() -> list[Transaction]:
    """Return transactions that all call through a router."""
    return [_through(item, ROUTER) for item in played(Plan())]


def _through(item: Transaction, caller: Address) -> Transaction:
    return replace(item, to=caller, invocations=(replace(item.invocations[0], sender=caller),))


def _last_accepted(transactions: list[Transaction]) -> int:
    return max(place for place, item in enumerate(transactions) if item.succeeded)


def _evidence(context: HistoryContext) -> tuple[EvidenceSource, list[int]]:
    history = context.history
    rows = np.flatnonzero(history.accepted)
    found = _newborns(history, rows, context.calls.function)
    return found.source, np.flatnonzero(found.bits > 1).tolist()


def test_what_a_transaction_itself_creates_is_known_by_its_sender_and_nonce() -> None:
    transactions = _calls()
    place = _last_accepted(transactions)
    made = replace(_through(transactions[place], CREATED), to=None, sender=CREATOR, nonce=0)
    later = replace(made, to=CREATED, nonce=1)
    for changed, known in ((made, [place]), (later, []), (replace(made, nonce=1), [])):
        history = history_of([*transactions[:place], changed, *transactions[place + 1 :]])
        born = history.invocation_transaction[history.invocation_newborn]
        assert born.tolist() == known
        assert _evidence(decode(history)) == (EvidenceSource.NEWBORN, known)


def test_what_was_created_inside_a_call_of_the_contract_is_known_in_that_transaction_alone() -> None:
    transactions = _calls()
    place = _last_accepted(transactions)
    made = replace(_through(transactions[place], CHILD), creations=(Creation(creator=BAZAAR, created=CHILD),))
    history = history_of([*transactions[:place], made, *transactions[place + 1 :]])
    assert np.flatnonzero(history.invocation_newborn).tolist() == [place]
    earlier = replace(transactions[0], creations=made.creations)
    history = history_of(
        [earlier, *transactions[1:place], replace(made, creations=()), *transactions[place + 1 :]]
    )
    assert not history.invocation_newborn.any(), "it was there before"


def test_where_all_callers_are_newborn_none_is_unusual() -> None:
    transactions = [
        replace(_through(item, CHILD), creations=(Creation(creator=BAZAAR, created=CHILD),))
        for item in _calls()
    ]
    history = history_of(transactions)
    assert history.invocation_newborn.all()
    assert _evidence(decode(history)) == (EvidenceSource.NEWBORN, [])
