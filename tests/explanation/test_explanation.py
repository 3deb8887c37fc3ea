"""Explanations of transactions, and tables of actors: what was recorded, no more, whatever names it bears."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from specminer._support.errors import StoreError, UsageError
from specminer._support.keccak import keccak
from specminer.decoding import decode
from specminer.explanation import ActorTable, CallStep, Explanation, TokenRegister
from specminer.history.flows import TRANSFER
from specminer.history.trace import (
    AccessKind,
    Address,
    CallKind,
    Event,
    ExternalCall,
    ForeignLog,
    Invocation,
    InvocationKind,
    Outcome,
    OutcomeKind,
    Payment,
    PaymentKind,
    StorageAccess,
    Transaction,
    Word,
)
from specminer.pipeline.explaining import Explainer, find_transaction
from specminer.pipeline.recording import Recording
from specminer.presentation.actor_text import actors_csv, actors_text
from specminer.presentation.flow_picture import flow_dot
from specminer.presentation.graphviz_layout import render_dot, renderer
from specminer.presentation.transaction_page import transaction_html, transaction_markdown, transaction_text
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

SYMBOL, DECIMALS, PULL = (keccak(text)[:4] for text in (b"symbol()", b"decimals()", b"pull()"))
EVIL = '</script><img src=x onerror=alert(1)>\x1b[31m\u202e|`"]'


def text_answer(text: bytes) -> bytes:
    return word(32) + word(len(text)) + text.ljust(-(-len(text) // 32) * 32, b"\0")


def outside(position: int, to: Address, data: bytes, output: bytes, *, value: int = 0) -> ExternalCall:
    return ExternalCall(
        position=position,
        kind=CallKind.CALL,
        to=to,
        value=value,
        data=data,
        data_size=len(data),
        succeeded=True,
        output=output,
        output_size=len(output),
    )


def write(position: int, slot: int, before: int, after: int, *, undone: bool = False) -> StorageAccess:
    return StorageAccess(
        position=position,
        kind=AccessKind.WRITE,
        slot=Word(slot),
        before=Word(before),
        after=Word(after),
        undone=undone,
    )


def explainer(
    items: Sequence[Transaction], folder: Path, labels: dict[Address, str] | None = None
) -> Explainer:
    location = f"sqlite:///{folder / f'{len(list(folder.iterdir()))}.db'}"
    with stored(items, (VAULT,), location) as store:
        history = store.history(CHAIN, [VAULT])
    recording = Recording(chain_id=CHAIN, contracts=(VAULT,), database=location)
    return Explainer(context=decode(history), recording=recording, labels=labels or {})


def explained(item: Transaction, folder: Path, labels: dict[Address, str] | None = None) -> Explanation:
    return explainer([item], folder, labels).explain(f"0x{item.hash.hex()}")


def asking(symbol: bytes = b"TKN") -> Invocation:
    """Return an invocation that asks a token for its symbol and decimals, and pays Bob with it."""
    return invocation(
        data=PULL,
        calls=(
            outside(0, TOKEN, SYMBOL, text_answer(symbol)),
            outside(0, TOKEN, DECIMALS, word(6)),
            outside(
                0, TOKEN, keccak(b"transfer(address,uint256)")[:4] + word(BOB) + word(2_500_000), word(1)
            ),
        ),
    )


def paying(symbol: bytes = b"TKN") -> Transaction:
    return transaction(asking(symbol), logs=(foreign(0, TOKEN, *transfer(VAULT, BOB, 2_500_000)),))


def test_tokens_have_the_symbol_and_the_decimals_that_they_answered(tmp_path: Path) -> None:
    told = explained(paying(), tmp_path)
    (token,) = told.tokens
    assert (token.symbol, token.decimals) == ("TKN", 6)
    assert any("gained 2.5 TKN" in text for text in told.summary)
    assert [(gain.net, gain.address.lower()) for gain in told.gains] == [
        ("2500000", f"0x{BOB.hex()}"),
        ("-2500000", f"0x{VAULT.hex()}"),
    ]
    last = told.calls[-1]
    assert (last.function, [item.value for item in last.arguments]) == (
        "transfer",
        ["0x0202020202020202020202020202020202020202", "2500000"],
    )
    assert [item.value for item in last.answer] == ["true"]


def test_a_label_stands_in_place_of_a_symbol(tmp_path: Path) -> None:
    told = explained(paying(), tmp_path, {TOKEN: "USDC"})
    assert told.tokens[0].symbol == "USDC"
    assert told.names[f"0x{TOKEN.hex()}"] == "USDC"


def test_what_was_not_recorded_is_not_known_and_not_nothing(tmp_path: Path) -> None:
    item = transaction(invocation(payments=None, calls=None), logs=None)
    explaining = explainer([item], tmp_path)
    told, actors = explaining.explain(item.hash.hex()), explaining.actors()
    assert (told.logs_known, told.calls_known, told.ether_known) == (False, False, False)
    shown = transaction_markdown(told)
    assert "not recorded" in shown
    assert "whether it moved tokens of other contracts is not known" in shown
    assert "Neither ether nor tokens moved" not in shown
    assert not actors.tokens_known
    assert not actors.ether_known
    assert actors.actors[0].taken_out is None
    assert "not known" in actors_text(actors, 120)
    document = json.loads(told.to_json())
    assert document["ether_known"] is False
    line = actors_csv(actors).splitlines()[1].split(",")
    assert line[13] == "", "what is not known is empty, not 0"


def test_that_nothing_moved_is_said_where_it_is_known(tmp_path: Path) -> None:
    told = explained(transaction(invocation(calls=())), tmp_path)
    assert "Neither ether nor tokens moved" in transaction_markdown(told)


def test_calls_that_come_back_stand_under_the_call_through_which_they_came(tmp_path: Path) -> None:
    first = invocation(
        depth=1,
        kind=InvocationKind.INTERNAL,
        sender=OTHER,
        data=PULL,
        accesses=(write(0, 0, 5, 4), write(4, 0, 3, 2)),
        calls=(outside(1, BOB, b"", b""), outside(1, OTHER, b"", b"", value=7)),
        payments=(Payment(position=1, kind=PaymentKind.CALL, to=OTHER, value=7),),
    )
    second = invocation(
        1,
        parent=0,
        depth=3,
        kind=InvocationKind.INTERNAL,
        sender=OTHER,
        data=PULL,
        accesses=(write(2, 0, 4, 3), write(3, 1, 1, 9, undone=True)),
        calls=(),
    )
    item = replace(transaction(first, second), to=OTHER)
    told = explained(item, tmp_path)
    tree = [(call.level, call.step, call.callee[2:4]) for call in told.calls]
    assert tree == [
        (0, CallStep.TRANSACTION, "04"),
        (1, CallStep.INVOCATION, "05"),
        (2, CallStep.OUTSIDE, "02"),
        (2, CallStep.OUTSIDE, "04"),
        (3, CallStep.INVOCATION, "05"),
    ]
    assert [(change.before, change.after) for change in told.storage] == [("5", "2")]
    assert told.storage[0].location, "the slot has some name"


def test_a_contract_that_called_before_is_told_from_one_that_never_did(tmp_path: Path) -> None:
    earlier = transaction(invocation(), number=1)
    inner = invocation(depth=1, kind=InvocationKind.INTERNAL, sender=OTHER)
    later = replace(transaction(inner, number=2), to=OTHER)
    told = explainer([earlier, later], tmp_path).explain(later.hash.hex())
    people = {person.address[2:4]: person for person in told.participants}
    assert people["01"].transactions_before == 1
    assert people["04"].transactions_before == 0
    assert any("which no earlier transaction of this history shows" in text for text in told.summary)


def test_names_of_strangers_do_no_harm(tmp_path: Path) -> None:
    told = explained(paying(EVIL.encode()), tmp_path, {BOB: EVIL, VAULT: EVIL})
    page, text = transaction_html(told), transaction_text(told, 100)
    assert "<img" not in page
    assert "<script" not in page
    for shown in (
        page,
        text,
        transaction_markdown(told),
        actors_text(explainer([paying(EVIL.encode())], tmp_path).actors(), 100),
    ):
        assert "\x1b" not in shown
        assert "\u202e" not in shown
    assert msgspec.json.decode(told.to_json())["tokens"][0]["symbol"] == EVIL[:32]
    dot = flow_dot(told)
    assert dot is not None
    if renderer() is not None:
        drawn = render_dot(dot)
        assert b"<script" not in drawn
        assert b"onerror=alert" not in drawn.replace(b"&gt;", b">") or b"&lt;img" in drawn


def test_a_formula_in_a_name_is_no_formula_in_a_table(tmp_path: Path) -> None:
    actors = explainer([paying(b"=1+1")], tmp_path, {BOB: "=HYPERLINK(1)"}).actors()
    text = actors_csv(actors)
    assert "'=1+1" in text
    assert "'=HYPERLINK" in text


def test_symbols_are_read_in_both_ways_and_nonsense_is_none() -> None:
    register = TokenRegister()
    for output in (b"", b"\xff" * 64, b"\0" * 32):
        register.add(TOKEN, SYMBOL, output, "test")
    register.add(TOKEN, DECIMALS, word(1 << 200), "test")
    assert (register.facts(TOKEN).symbol, register.facts(TOKEN).decimals) == (None, None)
    register.add(TOKEN, SYMBOL, b"MKR".ljust(32, b"\0"), "test")
    register.add(OTHER, SYMBOL, text_answer(b"DAI"), "test")
    assert (register.symbol(TOKEN), register.symbol(OTHER)) == ("MKR", "DAI")


def test_actors_put_in_and_take_out(tmp_path: Path) -> None:
    paid = Payment(position=0, kind=PaymentKind.CALL, to=BOB, value=30)
    rejected = invocation(value=1_000, outcome=Outcome(kind=OutcomeKind.REVERTED))
    items = [
        transaction(invocation(value=100), logs=(foreign(0, TOKEN, *transfer(ALICE, VAULT, 9)),), number=1),
        replace(transaction(rejected, number=2), succeeded=False),
        transaction(
            invocation(sender=BOB, payments=(paid,)),
            logs=(foreign(0, TOKEN, *transfer(VAULT, BOB, 4)), foreign(1, TOKEN, *transfer(OTHER, BOB, 2))),
            number=3,
        ),
    ]
    table = explainer(items, tmp_path).actors()
    actors = {actor.address[2:4]: actor for actor in table.actors}
    assert (actors["01"].put_in, actors["01"].taken_out) == ("100", "0")
    assert (actors["01"].calls, actors["01"].rejected, actors["01"].transactions) == (2, 1, 3)
    assert (actors["02"].put_in, actors["02"].taken_out) == ("0", "30")
    assert table.actors[0].address[2:4] == "02", "who gained most stands first"
    (alice,), (bob,) = actors["01"].tokens, actors["02"].tokens
    assert (alice.put_in, alice.taken_out, alice.sent) == ("9", "0", "9")
    assert (bob.put_in, bob.taken_out, bob.received) == ("0", "4", "6")
    (token,) = table.tokens
    assert (token.flows, token.amount, token.put_in, token.taken_out) == (3, "15", "9", "4")
    assert (actors["01"].first.block, actors["01"].last.block) == (1, 3)


def test_the_table_is_bounded(tmp_path: Path) -> None:
    items = [
        transaction(invocation(sender=Address(number.to_bytes(20, "big"))), number=number)
        for number in range(1, 41)
    ]
    table: ActorTable = explainer(items, tmp_path).actors(limit=5)
    assert (len(table.actors), table.total) == (5, 41)
    assert "36 more" in actors_text(table, 100)


def test_a_prefix_names_a_transaction_if_it_is_unique(tmp_path: Path) -> None:
    items = [transaction(invocation(), number=number) for number in (1, 2)]
    history = explainer(items, tmp_path).context.history
    whole = items[1].hash.hex()
    assert (
        find_transaction(history, f"0x{whole}") == find_transaction(history, whole.upper()) == items[1].hash
    )
    with pytest.raises(UsageError, match="2 transactions begin with 0x00"):
        find_transaction(history, "0x00")
    with pytest.raises(StoreError, match="holds no transaction 0xff"):
        find_transaction(history, "0xff")
    for wrong in ("", "0x", "hello", f"0x{whole}0", "https://example.org/tx/0x1"):
        with pytest.raises(UsageError, match="is not the hash of a transaction"):
            find_transaction(history, wrong)


def test_the_same_explanation_gives_the_same_bytes(tmp_path: Path) -> None:
    one, other = explained(paying(), tmp_path), explained(paying(), tmp_path)
    assert one.to_json() == other.to_json()
    assert transaction_html(one) == transaction_html(other)


def test_events_of_a_standard_are_decoded_and_others_shown_as_they_are(tmp_path: Path) -> None:
    strange = Event(position=1, topics=(b"\7" * 32, word(5)), data=b"\1\2")
    item = transaction(
        invocation(
            events=(Event(position=0, topics=(TRANSFER, word(ALICE), word(BOB)), data=word(3)), strange)
        ),
        logs=(ForeignLog(index=2, address=OTHER, topics=(), data=b"\xff", data_size=1),),
    )
    told = explained(item, tmp_path)
    assert [(log.log, log.event, log.data) for log in told.logs] == [
        (0, "Transfer", None),
        (1, f"0x{'07' * 32}", f"0x{word(5).hex()}0102"),
        (2, "", "0xff"),
    ]
