"""Token and ether flows of a transaction: what the standards' events, calls and payments tell, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from specminer.history.contract_history import TOKENS, History
from specminer.history.excerpt import excerpt
from specminer.history.flows import (
    TRANSFER,
    TRANSFER_BATCH,
    TRANSFER_SINGLE,
    EtherFlow,
    TokenFlow,
    TokenStandard,
    read_transfers,
    transaction_flows,
)
from specminer.history.trace import Event, InvocationKind, Outcome, OutcomeKind, Payment, PaymentKind
from specminer.history.words import word_at
from tests.support.histories import CHAIN, stored
from tests.support.transfers import (
    ALICE,
    BOB,
    OTHER,
    TOKEN,
    VAULT,
    foreign,
    invocation,
    transaction,
    transfer,
    word,
)


def batch(identifiers: Sequence[int], amounts: Sequence[int]) -> bytes:
    first = [len(identifiers), *identifiers]
    second = [len(amounts), *amounts]
    return b"".join(map(word, [64, 64 + 32 * len(first), *first, *second]))


def told(topics: tuple[bytes, ...], data: bytes) -> list[tuple[TokenStandard, int | None, int | None]]:
    flows = list(read_transfers(TOKEN, topics, data, 7))
    assert all(
        (flow.token, flow.sender, flow.recipient, flow.log) == (TOKEN, ALICE, BOB, 7) for flow in flows
    )
    return [(flow.standard, flow.amount, flow.identifier) for flow in flows]


def test_each_standard_is_read() -> None:
    ends = (word(ALICE), word(BOB))
    assert told((TRANSFER, *ends), word(5)) == [(TokenStandard.FUNGIBLE, 5, None)]
    assert told((TRANSFER, *ends, word(9)), b"") == [(TokenStandard.UNIQUE, 1, 9)]
    assert told((TRANSFER,), b"".join((*ends, word(9)))) == [(TokenStandard.UNSTATED, 9, None)]
    operated = (word(OTHER), *ends)
    assert told((TRANSFER_SINGLE, *operated), word(3) + word(4)) == [(TokenStandard.MULTIPLE, 4, 3)]
    assert told((TRANSFER_BATCH, *operated), batch([1, 2], [10, 20])) == [
        (TokenStandard.MULTIPLE, 10, 1),
        (TokenStandard.MULTIPLE, 20, 2),
    ]


def test_what_was_cut_is_not_known() -> None:
    operated = (word(OTHER), word(ALICE), word(BOB))
    whole = batch(list(range(40)), [100] * 40)
    flows = told((TRANSFER_BATCH, *operated), whole[:1024])
    assert flows[0] == (TokenStandard.MULTIPLE, None, 0)
    assert flows[-1] == (TokenStandard.MULTIPLE, None, None), "that there was more is told"
    assert told((TRANSFER_SINGLE, *operated), word(3)) == [(TokenStandard.MULTIPLE, None, 3)]


def test_what_only_looks_like_a_transfer_is_none() -> None:
    ends = (word(ALICE), word(BOB))
    hostile: list[tuple[tuple[bytes, ...], bytes]] = [
        ((), b""),
        ((TRANSFER,), b""),
        ((TRANSFER, *ends), b"\1"),
        ((TRANSFER, word(2**200), word(BOB)), word(1)),
        ((TRANSFER, b"short", word(BOB)), word(1)),
        ((TRANSFER_SINGLE, *ends), word(1) + word(1)),
        ((TRANSFER_BATCH, word(OTHER), *ends), word(2**256 - 1) * 2),
        ((TRANSFER_BATCH, word(OTHER), *ends), word(0) + word(32)),
        ((b"\xff" * 32, *ends), word(1)),
    ]
    for topics, data in hostile:
        assert told(topics, data) == []


def test_a_huge_batch_is_bounded() -> None:
    operated = (word(OTHER), word(ALICE), word(BOB))
    data = word(64) * 2 + word(2**255) + word(1) * 5
    assert len(told((TRANSFER_BATCH, *operated), data)) <= 7


def own(position: int, topics: tuple[bytes, ...], data: bytes, *, undone: bool = False) -> Event:
    return Event(position=position, topics=topics, data=data, undone=undone)


def test_log_entries_of_all_contracts_stand_in_the_chains_order() -> None:
    events = (
        own(3, *transfer(ALICE, BOB, 1)),
        own(5, *transfer(ALICE, BOB, 666), undone=True),
        own(9, *transfer(ALICE, BOB, 2)),
    )
    logs = (foreign(1, TOKEN, *transfer(BOB, ALICE, 3)), foreign(2, OTHER, (b"\1" * 32,), b""))
    flows = transaction_flows(transaction(invocation(events=events), logs=logs))
    assert [(flow.log, flow.token, flow.amount) for flow in flows.tokens] == [
        (0, VAULT, 1),
        (1, TOKEN, 3),
        (3, VAULT, 2),
    ]
    assert flows.tokens_known


def test_logs_that_were_not_recorded_are_not_none() -> None:
    flows = transaction_flows(transaction(invocation(events=(own(0, *transfer(ALICE, BOB, 1)),)), logs=None))
    assert not flows.tokens_known
    assert [flow.log for flow in flows.tokens] == [None]
    assert not transaction_flows(transaction(invocation(payments=None))).ether_known


def test_ether_comes_with_calls_and_leaves_with_payments() -> None:
    paid = (
        Payment(position=4, kind=PaymentKind.CALL, to=BOB, value=30),
        Payment(position=5, kind=PaymentKind.CALL, to=BOB, value=40, undone=True),
        Payment(position=6, kind=PaymentKind.SELFDESTRUCT, to=OTHER, value=None),
        Payment(position=6, kind=PaymentKind.SELFDESTRUCT, to=OTHER, value=0),
    )
    flows = transaction_flows(transaction(invocation(value=100, payments=paid)))
    assert flows.ether == (
        EtherFlow(sender=ALICE, recipient=VAULT, amount=100, position=-1),
        EtherFlow(sender=VAULT, recipient=BOB, amount=30, position=4),
        EtherFlow(sender=VAULT, recipient=OTHER, amount=None, position=6),
    )


def test_ether_for_another_contract_and_between_traced_ones_is_counted_once() -> None:
    outer = invocation(
        depth=1,
        kind=InvocationKind.INTERNAL,
        sender=OTHER,
        value=7,
        payments=(Payment(position=0, kind=PaymentKind.CALL, to=TOKEN, value=7),),
    )
    inner = invocation(1, contract=TOKEN, depth=2, kind=InvocationKind.INTERNAL, sender=VAULT, value=7)
    item = replace(transaction(outer, inner), to=OTHER, value=9)
    assert [(flow.sender, flow.recipient, flow.amount) for flow in transaction_flows(item).ether] == [
        (ALICE, OTHER, 9),
        (OTHER, VAULT, 7),
        (VAULT, TOKEN, 7),
    ]


def test_what_was_rejected_moved_nothing() -> None:
    rejected = invocation(value=5, outcome=Outcome(kind=OutcomeKind.REVERTED))
    item = replace(transaction(rejected), succeeded=False)
    assert transaction_flows(item).ether == ()


def columns_of(history: History, row: int) -> list[TokenFlow]:
    transfers = history.transfers
    assert transfers is not None
    return [
        TokenFlow(
            token=transfers.parties[transfers.token[number]],
            standard=TOKENS[transfers.standard[number]],
            sender=transfers.parties[transfers.sender[number]],
            recipient=transfers.parties[transfers.recipient[number]],
            amount=word_at(transfers.amount, number) if transfers.has_amount[number] else None,
            identifier=word_at(transfers.identifier, number) if transfers.has_identifier[number] else None,
        )
        for number in np.flatnonzero(transfers.transaction == row).tolist()
    ]


def test_columns_hold_what_the_values_tell() -> None:
    operated = (TRANSFER_SINGLE, word(OTHER), word(ALICE), word(BOB))
    items = (
        transaction(
            invocation(events=(own(0, *transfer(ALICE, BOB, 2**255)), own(1, (b"\2" * 32,), b""))),
            logs=(foreign(2, TOKEN, operated, word(3)), foreign(3, OTHER, *transfer(BOB, ALICE, 0))),
        ),
        transaction(invocation(), logs=None, number=2),
        transaction(invocation(events=(own(0, *transfer(BOB, ALICE, 4), undone=True),)), number=3),
        transaction(invocation(), logs=(foreign(0, TOKEN, *transfer(ALICE, VAULT, 11)),), number=4),
    )
    with stored(items, (VAULT,)) as store:
        history = store.history(CHAIN, [VAULT])
    assert history.transfers is not None
    assert history.transfers.recorded.tolist() == [True, False, True, True]
    for row, item in enumerate(items):
        wanted = [replace(flow, log=None) for flow in transaction_flows(item).tokens]
        assert sorted(columns_of(history, row), key=repr) == sorted(wanted, key=repr)
    part = excerpt(history, np.array([1, 3]), np.array([1, 3]))
    assert part.transfers is not None
    assert part.transfers.recorded.tolist() == [False, True]
    assert columns_of(part, 1) == columns_of(history, 3)
