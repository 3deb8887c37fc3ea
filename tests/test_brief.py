"""The five sentences with which summary and report begin."""

from __future__ import annotations

from dataclasses import replace

from specminer.report.brief import brief_sentences, proxy_text
from specminer.report.summary import summary
from specminer.specification import (
    ImplementationSummary,
    InteractionsSummary,
    Mode,
    Role,
    RoleKind,
    Surprise,
    SurprisingTransaction,
    SurprisingTransactions,
)
from tests.support.mined import mined
from tests.support.specifications import HOSTILE_NAMES, auction, edge, horses, hostile


def test_a_dataset_is_told_in_five_sentences() -> None:
    spec = mined("escrow").specification
    calls, interactions, life, roles, odd = brief_sentences(spec)
    history = spec.history
    assert history.invocations is not None
    assert f"was called {history.invocations:,} times in blocks" in calls
    assert interactions.startswith(
        f"It is told as {spec.interactions.count} interactions, one for each dealId"
    )
    assert life.startswith("The usual way is fund → “")
    assert "most end in “" in life
    assert "The account in deals[dealId].buyer may call" in roles
    ranked = spec.surprise.transactions
    assert ranked is not None
    assert f"an alarm; the most surprising one: Transaction {ranked.ranked[0].transaction}" in odd
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
    assert "It is told as one interaction: nothing splits it better." in brief_sentences(whole)


def test_alarms_are_counted_and_roles_beyond_two_are() -> None:
    roles = tuple(
        Role(name=name, kind=RoleKind.HOLDER, functions=("f",), required=("f",)) for name in ("a", "b", "c")
    )
    ranked = (SurprisingTransaction(transaction="0x1", flagged=True, text="Transaction 0x1: it is odd."),)
    found = SurprisingTransactions(of=9, flagged=2, threshold=1.0, ranked=ranked)
    sentences = brief_sentences(replace(horses(), roles=roles, surprise=Surprise(transactions=found)))
    assert "2 transactions are alarms; the most surprising one: Transaction 0x1: it is odd." in sentences
    assert "The account in a may call f; the account in b may call f; and 1 more role." in sentences


def test_foreign_names_are_made_safe() -> None:
    for text in brief_sentences(hostile(HOSTILE_NAMES)):
        assert text.isprintable()


def test_a_proxy_is_named_as_such_with_its_upgrades() -> None:
    spec = mined("loans").specification
    told = spec.history.implementations
    assert told is not None
    first, second = told
    assert first.last_block <= second.first_block
    assert (
        f"a proxy with 2 implementations, upgraded before block {second.first_block:,}, was called"
        in (brief_sentences(spec)[0])
    )
    assert mined("escrow").specification.history.implementations is None


def test_contracts_that_run_in_turns_are_no_upgrades() -> None:
    one = ImplementationSummary(address="0x" + "11" * 20, first_block=5, last_block=90)
    other = ImplementationSummary(address="0x" + "22" * 20, first_block=7, last_block=80)
    assert proxy_text((one, other)) == "a proxy of 2 contracts that run in turns"
    assert proxy_text((one,)) == f"a proxy of {one.address}"
    assert proxy_text(()) == ""
