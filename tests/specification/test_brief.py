"""The five sentences with which summary and report begin."""

from __future__ import annotations

from dataclasses import replace

from specminer._support.units import day
from specminer.presentation.brief import brief, brief_sentences, proxy_text
from specminer.presentation.summary import summary
from specminer.specification import (
    ImplementationChange,
    ImplementationSummary,
    InteractionsSummary,
    Mode,
    Role,
    RoleKind,
    Surprise,
    SurprisingTransaction,
    SurprisingTransactions,
)
from specminer.specification.address_names import AddressNames
from tests.support.mined import mined
from tests.support.specifications import HOSTILE_NAMES, auction, edge, horses, hostile


def test_a_dataset_is_told_in_five_sentences() -> None:
    spec = mined("escrow").specification
    calls, interactions, life, roles, odd = brief_sentences(spec)
    history = spec.history
    assert history.invocations is not None
    assert f"was called {history.invocations:,} times in blocks" in calls
    assert interactions.startswith(
        f"The history divides into {spec.interactions.count} interactions, one for each dealId"
    )
    assert life.startswith("The usual order is fund → ")
    assert f"; of {spec.interactions.count} interactions " in life
    assert "are last seen in “" in life
    assert "The account in deals[dealId].buyer may call" in roles
    ranked = spec.surprise.transactions
    assert ranked is not None
    first = ranked.ranked[0]
    assert f"an alarm; the most surprising one is {first.transaction[:6]}…{first.transaction[-4:]}: " in odd
    assert first.reasons[0].split("0x")[0] in odd
    assert brief(spec)[-1].evidence == first.transaction
    lines = summary(spec, width=10_000).split("\n\n")[1].split("\n")
    assert [line.strip() for line in lines] == [calls, interactions, life, roles, odd]


def test_a_kind_is_told_only_if_all_of_its_functions_are_there() -> None:
    names = ("transfer", "transferFrom", "approve")
    calls = tuple(edge(0, name, 1, 5) for name in names)
    token = replace(auction(), transitions=calls)
    assert "by the names of its functions an ERC-20 token," in brief_sentences(token)[0]
    other = replace(auction(), transitions=calls[:2])
    assert "by the names" not in brief_sentences(other)[0]


def test_what_nobody_knows_is_not_told() -> None:
    spec = replace(horses(), roles=(), surprise=Surprise())
    sentences = brief_sentences(spec)
    assert "No function was found that only some may call." in sentences
    assert not [text for text in sentences if "alarm" in text or "stands out" in text]
    whole = replace(spec, interactions=InteractionsSummary(mode=Mode.WHOLE, count=1))
    assert "The history is one interaction: nothing divides it better." in brief_sentences(whole)


def test_alarms_are_counted_and_roles_beyond_three_are() -> None:
    roles = tuple(Role(name=name, kind=RoleKind.HOLDER, functions=("f",), required=("f",)) for name in "abcd")
    ranked = (SurprisingTransaction(transaction="0x1", flagged=True, text="Transaction 0x1: it is odd."),)
    found = SurprisingTransactions(of=9, flagged=2, threshold=1.0, ranked=ranked)
    sentences = brief_sentences(replace(horses(), roles=roles, surprise=Surprise(transactions=found)))
    assert (
        "2 transactions are alarms; the most surprising one is 0x1: Transaction 0x1: it is odd." in sentences
    )
    accounts = "; ".join(f"the account in {name} may call f" for name in "abc")
    assert f"{accounts[0].upper()}{accounts[1:]}; and 1 more role." in sentences


def test_reasons_beyond_two_are_counted_and_hashes_are_short() -> None:
    transaction, account = "0x" + "ab" * 32, "0x" + "cd" * 20
    ranked = SurprisingTransaction(
        transaction=transaction,
        text=f"Transaction {transaction}: all of it.",
        reasons=(f"{account} called f", "f is rare", "f is late"),
    )
    found = SurprisingTransactions(of=9, flagged=0, threshold=1.0, ranked=(ranked,))
    last = brief(replace(horses(), surprise=Surprise(transactions=found)))[-1]
    assert last.subject == "What stands out"
    assert last.evidence == transaction
    assert last.text == (
        "No transaction is an alarm; the most surprising one is 0xabab…abab: 0xcdcd…cdcd called f; f is rare "
        "(1 more reason)."
    )


def test_the_days_of_the_first_and_last_event_are_told() -> None:
    spec = auction()
    times = [edge.first.timestamp for edge in spec.transitions] + [
        edge.last.timestamp for edge in spec.transitions
    ]
    first, last = (day(time) for time in (min(filter(None, times)), max(filter(None, times))))
    assert (
        f", from {first} to {last};" in brief_sentences(spec)[0]
        or f", on {first};" in brief_sentences(spec)[0]
    )
    unknown = tuple(
        replace(
            item,
            first=replace(item.first, timestamp=None),
            last=replace(item.last, timestamp=None),
        )
        for item in spec.transitions
    )
    assert "from 2" not in brief_sentences(replace(spec, transitions=unknown))[0]


def test_a_list_of_accounts_and_one_last_state_are_told_in_words() -> None:
    spec = horses()
    sort = spec.interactions.sort
    assert sort is not None
    split = replace(spec.interactions, sort=replace(sort, name="_owners[]"))
    told = brief_sentences(replace(spec, interactions=split))
    assert "one for each entry of _owners; a call belongs" in told[1]
    states = tuple(replace(state, ends=0) for state in spec.states)
    states = (*states[:-1], replace(states[-1], ends=spec.interactions.count or 0))
    assert (
        f"interactions all are last seen in “{states[-1].name}”"
        in brief_sentences(replace(spec, states=states))[2]
    )


def test_a_kind_is_known_by_selectors_only_if_all_of_its_functions_are_there() -> None:
    spec = mined("escrow").specification
    create, withdraw, refund = (
        edge(0, selector, 1, 5) for selector in ("0x335ef5bd", "0x63615149", "0x7249fbb6")
    )
    bare = replace(spec, guards=(), transitions=(create, withdraw, refund))
    assert "by the selectors of its functions a hashed time-lock contract" in brief_sentences(bare)[0]
    assert "hashed" not in brief_sentences(replace(bare, transitions=(create, withdraw)))[0]


def test_foreign_names_are_made_safe() -> None:
    for text in brief_sentences(hostile(HOSTILE_NAMES)):
        assert text.isprintable()


def test_a_proxy_is_named_as_such_with_its_upgrades() -> None:
    spec = mined("loans").specification
    told = spec.history.implementations
    assert told is not None
    first, second = told
    assert first.last_block <= second.first_block
    (block,) = (item.block for item in spec.history.upgrades or () if item.removed)
    assert first.last_block <= block < second.first_block
    assert (
        f"a proxy with 2 implementations, upgraded in block {block:,}, was called "
        in (brief_sentences(spec)[0])
    )
    assert not [
        text for text in (item.text for item in spec.invariants) if "implementation never changes" in text
    ]
    assert mined("escrow").specification.history.implementations is None


def test_the_block_of_an_upgrade_is_told_where_the_history_has_it() -> None:
    one = ImplementationSummary(address="0x" + "11" * 20, first_block=5, last_block=8)
    other = ImplementationSummary(address="0x" + "22" * 20, first_block=10, last_block=80)
    upgrade = ImplementationChange(
        contract="0x" + "33" * 20, block=9, transaction="0x" + "44" * 32, removed=(one.address,)
    )
    outside = replace(upgrade, transaction=None)
    first = replace(upgrade, block=5, removed=())
    assert proxy_text((one, other), (first, upgrade)).endswith("upgraded in block 9")
    assert proxy_text((one, other), (first, outside)).endswith("upgraded before block 10")
    assert proxy_text((one,), (first, upgrade)) == "a proxy of 0x1111…1111, upgraded in block 9"


def test_contracts_that_run_in_turns_are_no_upgrades() -> None:
    one = ImplementationSummary(address="0x" + "11" * 20, first_block=5, last_block=90)
    other = ImplementationSummary(address="0x" + "22" * 20, first_block=7, last_block=80)
    assert proxy_text((one, other)) == "a proxy of 2 contracts that run in turns"
    assert proxy_text((one,)) == "a proxy of 0x1111…1111"
    named = AddressNames({one.address: "Vault"})
    assert proxy_text((one,), names=named) == "a proxy of Vault (0x1111…1111)"
    assert proxy_text(()) == ""
