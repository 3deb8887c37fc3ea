"""Numbers with units: what terms measure, and how a reader sees them."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specminer._support.units import amount, duration, percentage
from specminer.pipeline.reporting import explainer_of
from specminer.presentation.interaction_text import timeline_text
from specminer.presentation.summary import summary
from specminer.presentation.transaction_page import transaction_markdown
from specminer.specification import (
    ClaimScope,
    Effect,
    EffectKind,
    Guard,
    GuardCondition,
    GuardKind,
    InvariantEntry,
    ScopeKind,
    Specification,
    State,
    Template,
    TokenSummary,
    document_of,
)
from specminer.specification.measure import Measure, MeasureKind, spell
from specminer.specification.quantity_parsing import comparisons
from specminer.specification.readable_specification import for_readers
from specminer.specification.unit_inference import bare, units_of
from tests.support.mined import mined
from tests.support.specifications import auction

GWEI, ETHER = 10**9, 10**18


def guard(
    scope: str, *texts: str, kind: GuardKind = GuardKind.REQUIRED, names: dict[str, str] | None = None
) -> Guard:
    conditions = tuple(GuardCondition(text=text) for text in texts)
    return Guard(scope=scope, text=" and ".join(texts), kind=kind, conditions=conditions, names=names or {})


def written(function: str, target: str, value: str, condition: str = "") -> Effect:
    return Effect(
        function=function,
        kind=EffectKind.WRITTEN,
        target=target,
        expression=value,
        text=f"{target}' = {value}",
        condition=condition,
        happened=1,
        calls=1,
    )


def paid(function: str, value: str) -> Effect:
    unit = " wei" if value.isdecimal() else ""
    return Effect(
        function=function,
        kind=EffectKind.PAID,
        target="sender",
        expression=value,
        text=f"pays {value}{unit} to sender",
        happened=1,
        calls=1,
    )


def logged(function: str, event: str, values: str) -> Effect:
    text = f"logs {event}{values}"
    return Effect(
        function=function,
        kind=EffectKind.LOGGED,
        target=event,
        expression=values,
        text=text,
        happened=1,
        calls=1,
    )


def of(guards: tuple[Guard, ...] = (), effects: tuple[Effect, ...] = ()) -> Specification:
    return replace(auction(), guards=guards, effects=effects, invariants=())


def shown(*texts: str, effects: tuple[Effect, ...] = ()) -> tuple[str, ...]:
    """Return how a reader sees the conditions of a guard of `f`."""
    found = for_readers(of((guard("f", *texts),), effects)).guards[0]
    assert found.text == " and ".join(item.text for item in found.conditions)
    return tuple(item.text for item in found.conditions)


@pytest.mark.parametrize(
    ("condition", "read"),
    [
        (f"value >= {ETHER // 1000}", "value >= 0.001 ETH"),
        (f"value = {3 * GWEI}", "value = 3 gwei"),
        ("value > 0", "value > 0"),
        ("value >= price + 1", "value >= price + 1 wei"),
        (f"this.balance < {ETHER + 1}", "this.balance < 1.000000000000000001 ETH"),
        ("now >= start + 86400", "now >= start + 1 day"),
        ("now - start < 5400", "now - start < 5400"),
        ("now >= 1700000000", "now >= 2023-11-14 22:13:20 UTC"),
        ("now > 100", "now > 100"),
        ("block >= start + 20", "block >= start + 20 blocks"),
        ("block < 17000000", "block < 17,000,000"),
        (
            f"not paused and (value = {ETHER} or seen[value] = 5)",
            "not paused and (value = 1 ETH or seen[value] = 5)",
        ),
        ("amount <= 12345678", "amount <= 12,345,678"),
        (
            "now 2025-01-14 03:18:36 > uint40(paid + 2592000) 2024-12-21 23:11:12",
            "now 2025-01-14 03:18:36 > uint40(paid + 30 days) 2024-12-21 23:11:12",
        ),
        ("value 2 ETH < price + 1 ≈ 3 ETH", "value 2 ETH < price + 1 wei ≈ 3 ETH"),
        ("votes * 10000 >= 5000 * supply", "votes * 10000 >= 5000 * supply"),
        ("success of payment to 12345678901", "success of payment to 12345678901"),
    ],
)
def test_conditions_are_read_with_units(condition: str, read: str) -> None:
    assert shown(condition) == (read,)


def test_what_is_stored_measures_what_it_is_compared_with() -> None:
    effects = (
        written("open", "rounds[id].end", "now + length"),
        written("open", "rounds[id].price", "price"),
        written("buy", "rounds[id].held", "rounds[id].held + value"),
    )
    guards = (
        guard("open", "length >= 3600", f"price <= {ETHER}"),
        guard("buy", "value >= price", names={"price": "rounds[id].price"}),
        guard(
            "close",
            "now >= end",
            f"held >= {5 * ETHER}",
            names={"end": "rounds[id].end", "held": "rounds[id].held"},
        ),
    )
    read = for_readers(of(guards, effects)).guards
    assert [item.text for item in read] == [
        "length >= 1 hour and price <= 1 ETH",
        "value >= price",
        "now >= end and held >= 5 ETH",
    ]


def test_arguments_of_other_functions_are_others() -> None:
    guards = (guard("pay", "amount <= value"), guard("vote", f"amount <= {ETHER}"))
    assert for_readers(of(guards)).guards[1].text == f"amount <= {ETHER:,}"


def test_what_is_paid_is_ether() -> None:
    effects = (paid("f", "amount"), paid("g", str(ETHER // 20)))
    read = for_readers(of((guard("f", f"amount <= {ETHER}"),), effects))
    assert read.guards[0].text == "amount <= 1 ETH"
    assert read.effects[1].text == "pays 0.05 ETH to sender"


@pytest.mark.parametrize(
    ("effects", "read"),
    [
        ((written("g", "held[to]", "held[to] + value - value * fee / 10000"),), "fee <= 10%"),
        ((written("g", "held[to]", "held[to] + x - x * fee / 10000"),), "fee <= 10%"),
        ((paid("g", "value * fee / 1000"),), "fee <= 100%"),
        ((written("g", "tokens[to]", "tokens[to] + value * fee / 10000"),), "fee <= 1000"),
        ((written("g", "tokens[to]", "tokens[to] + value * fee"),), "fee <= 1000"),
    ],
)
def test_a_part_of_a_whole_is_a_percentage_where_the_code_divides_so(
    effects: tuple[Effect, ...], read: str
) -> None:
    assert shown("fee <= 1000", effects=(written("h", "fee", "new"), *effects)) == (read,)


def test_a_rate_turns_ether_into_something_else() -> None:
    bought = written("buy", "tokens[sender]", "tokens[sender] + value * 500")
    assert shown(f"supply >= {ETHER}", effects=(bought, written("g", "supply", "tokens[sender]"))) == (
        f"supply >= {ETHER:,}",
    )


def test_what_is_used_in_two_ways_measures_nothing_and_tells_nothing() -> None:
    effects = (
        written("f", "mixed", "value"),
        written("g", "mixed", "now"),
        written("g", "other", "mixed"),
    )
    assert shown(f"mixed >= {ETHER}", f"other > {ETHER}", effects=effects) == (
        f"mixed >= {ETHER:,}",
        f"other > {ETHER:,}",
    )


def test_what_merely_held_tells_nothing() -> None:
    observed = guard("g", "limit >= value", kind=GuardKind.OBSERVED)
    stored = written("h", "limit", "new")
    read = for_readers(of((guard("f", f"limit > {ETHER}"), observed), (stored,)))
    assert read.guards[0].text == f"limit > {ETHER:,}"


def test_an_argument_called_like_the_ether_that_came_is_told_apart() -> None:
    spec = mined("names").specification
    assert any("= value_" in effect.text for effect in spec.effects if effect.function == "setRecord")
    assert "records[][][]" not in units_of(spec).measures


def test_amounts_of_a_token_follow_what_its_transfers_log() -> None:
    effects = (
        logged("transfer", "Transfer", "(sender, to, amount)"),
        written("transfer", "balances[sender]", "balances[sender] - amount"),
        written("mint", "balances[to]", "balances[to] + minted"),
    )
    spec = of((guard("mint", f"minted <= {5 * ETHER}"),), effects)
    assert for_readers(spec).guards[0].text == f"minted <= {5 * ETHER:,}"
    token = replace(spec.history, token=TokenSummary(symbol="GLD", decimals=18))
    assert for_readers(replace(spec, history=token)).guards[0].text == "minted <= 5 GLD"


def test_states_are_named_with_the_units_of_their_predicates() -> None:
    effects = (written("f", "price[·]", "value"),)
    spec = replace(
        of((), effects),
        states=(
            State(id=0, name="start", predicates=(), visits=0, ends=0),
            State(
                id=1,
                name=f"price ≥ {ETHER}",
                predicates=(f"price[·] >= {ETHER}", "phase = 2"),
                phrases=(f"price ≥ {ETHER}", "phase 2"),
                visits=1,
                ends=1,
            ),
        ),
        transitions=(),
    )
    state = for_readers(spec).states[1]
    assert state.name == "price ≥ 1 ETH"
    assert state.predicates == ("price[·] >= 1 ETH", "phase = 2")
    assert state.phrases == ("price ≥ 1 ETH", "phase 2")


def test_invariants_are_read_with_units() -> None:
    entry = InvariantEntry(
        scope=ClaimScope(of=ScopeKind.FUNCTION, function="ship"),
        text="ship: deals[id].deadline' = now + 259200",
        kind=Template.EFFECT,
        support=3,
        exceptions=0,
    )
    spec = replace(of((), (written("ship", "deals[id].deadline", "now + 259200"),)), invariants=(entry,))
    assert for_readers(spec).invariants[0].text == "ship: deals[id].deadline' = now + 3 days"


def _but_for_texts(value: Any, key: str = "") -> Any:
    """Return a document without the texts that people read."""
    if isinstance(value, dict):
        return {name: _but_for_texts(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_but_for_texts(item, key) for item in value]
    return "" if isinstance(value, str) and key not in ("smt", "symbols", "transaction") else value


@pytest.mark.parametrize("name", ["auction_house", "lottery"])
def test_only_texts_change_and_only_once(name: str) -> None:
    spec = mined(name).specification
    read = for_readers(spec)
    assert read != spec
    assert for_readers(read) == read
    assert _but_for_texts(document_of(read)) == _but_for_texts(document_of(spec))


def test_the_summary_tells_no_wei_above_a_gwei() -> None:
    told = summary(mined("channel").specification, width=200)
    assert "amount 0.128 ETH > deposit 0.127 ETH" in told
    assert not re.findall(r"(?<![\w.,])\d{10,}(?![\w.,]*\w)", told)


@given(st.integers(-(2**255), 2**256 - 1))
def test_exact_amounts_lose_nothing(wei: int) -> None:
    number, unit = amount(str(wei), exact=True).replace(",", "").rsplit(" ", 1)
    assert Fraction(number) * {"wei": 1, "gwei": GWEI, "ETH": ETHER}[unit] == wei


@given(st.integers(0, 10**12))
def test_durations_lose_nothing(seconds: int) -> None:
    sizes = {"day": 86_400, "hour": 3_600, "minute": 60, "second": 1}
    parts = re.findall(r"([\d,]+) (day|hour|minute|second)s?", duration(seconds))
    assert sum(int(count.replace(",", "")) * sizes[name] for count, name in parts) == seconds


@pytest.mark.parametrize(
    ("number", "whole", "text"),
    [(250, 10_000, "2.5%"), (1000, 1000, "100%"), (1, 10**7, "0.00001%"), (5, 100, "5%")],
)
def test_percentages_are_exact(number: int, whole: int, text: str) -> None:
    assert percentage(number, whole) == text


def test_zero_needs_no_unit() -> None:
    assert {spell(0, Measure(kind, 2)) for kind in MeasureKind} == {"0"}


@given(st.text(alphabet="ab1([])=<>+-*/ '`.,:andor·", max_size=60))
def test_any_text_can_be_read(text: str) -> None:
    for item in comparisons(text):
        assert str(item)
    assert isinstance(bare(text), str)


def test_texts_of_hostile_depth_and_length_are_read_in_time() -> None:
    deep = "(" * 1_000 + "a" + ")" * 1_000 + " = 1"
    long = " and ".join(["value >= 1000000000000000000"] * 400)
    assert shown(deep, long)[1] == " and ".join(["value >= 1 ETH"] * 400)
    assert shown(f"value >= {'9' * 5_000}") == (f"value >= {'9' * 5_000}",)


def test_an_explained_transaction_tells_exact_amounts_with_their_units() -> None:
    run = mined("savings")
    transaction = next(
        edge.witnesses[0]
        for edge in run.specification.transitions
        if edge.function == "withdraw" and edge.outcome == "returned"
    )
    told = explainer_of(run, run.specification.roles).explain(transaction)
    changed = next(item for item in told.storage if item.location.endswith(".balance"))
    assert changed.before is not None
    assert changed.before_shown.endswith(" ETH")
    text = transaction_markdown(told)
    assert changed.before_shown in text
    assert f"({changed.before})" not in text, "no wei beside ether"
    call = next(call for call in told.calls if call.function == "withdraw")
    (argument,) = (item for item in call.arguments if item.name == "amount")
    assert f"amount={argument.shown}" in text


def test_a_token_that_says_its_decimals_is_read_in_its_own_unit() -> None:
    spec = mined("token").specification
    assert spec.history.token == TokenSummary(symbol="HRB", decimals=18)
    told = summary(spec, width=200)
    assert re.search(r"_value [\d.,]+ HRB > balanceOf\[sender\] [\d.,]+ HRB", told)


def test_the_life_of_an_interaction_tells_ether_in_its_units() -> None:
    event = {
        "kind": "call",
        "block": 7,
        "timestamp": None,
        "function": "bid",
        "arguments": {},
        "role": None,
        "value": str(ETHER // 2),
        "sender": "0x" + "11" * 20,
        "outcome": "returned",
        "reason": "",
        "payments": [{"value": str(2 * GWEI), "to": "0x" + "22" * 20}],
        "changes": [],
    }
    told = timeline_text({"name": "auction 1", "events": [event]}, 100)
    assert "bid() with 0.5 ETH" in told
    assert "pays 2 gwei to 0x2222…2222" in told
