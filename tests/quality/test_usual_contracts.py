"""Small contracts of the kinds that real histories are full of, called at random: the guards are the sources'.

Nothing gives a reason: all that a contract says is that it rejects. Where no call met a bound exactly, ``<=`` and
``<`` are the same to a history.
"""

from __future__ import annotations

import re
from functools import cache

import pytest

from specminer.learning.abstraction_definition import Definition
from specminer.pipeline.mining import MiningResult, mine
from specminer.pipeline.state import MineOptions
from specminer.specification import ConditionOrigin, Edge, GuardKind, Proof, TransitionVerdict
from tests.support.guarded.driving import driven

pytestmark = pytest.mark.usefixtures("tools")

DEMANDED = {
    ("Coin", "transfer"): {"not stopped", "to != 0", "amount <= balances[sender]"},
    ("Coin", "approve"): {"amount = 0 or allowed[sender][spender] = 0"},
    ("Coin", "transferFrom"): {"not stopped", "amount <= balances[from]", "amount <= allowed[from][sender]"},
    ("Coin", "burn"): {"amount <= balances[sender]"},
    ("Coin", "setStopped"): {"owner = sender"},
    ("Sale", "buy"): {
        "now >= start",
        "now < start + duration",
        "listed[sender]",
        "value >= minimum",
        "raised + value <= cap",
    },
    ("Sale", "refund"): {"now > start + duration", "paid[sender] != 0"},
    ("Shop", "buy"): {"open", "amount <= stock", "value = price * amount"},
    ("Shop", "close"): {"open", "seller = sender"},
    ("Shop", "offer"): {"price != 0"},
    ("Tokens", "approve"): {"owner[tokenId] = sender or operator[owner[tokenId]][sender]"},
    ("Tokens", "setOperator"): {"who != sender"},
    ("Auction", "bid"): {"now < end", "seller != sender", "value >= bid + step"},
    ("Auction", "settle"): {"now >= end", "not paid", "seller = sender or bidder = sender"},
    ("Stakes", "stake"): {"value != 0", "staked[sender] + value <= most"},
    ("Stakes", "unstake"): {"amount <= staked[sender]", "now >= since[sender] + lock"},
    ("Lock", "queue"): {"admin = sender", "when >= now + delay"},
    ("Lock", "execute"): {"admin = sender", "not done", "eta != 0", "now >= eta", "now <= eta + grace"},
    ("Lock", "cancel"): {"admin = sender", "eta != 0", "not done"},
}
"""What the sources demand, by contract and function."""


@cache
def mined(name: str) -> MiningResult:
    history, artifact = driven(name)
    return mine(history, MineOptions(), artifact=artifact)


def spelled(condition: str) -> str:
    """Return a condition without what tells a bound that is let in from one that is not.

    What is added or multiplied is in alphabetical order; more than nothing is what is not nothing.
    """
    condition = re.sub(r" > 0$", " != 0", condition)
    for strict, weak in ((" < ", " <= "), (" > ", " >= ")):
        condition = condition.replace(strict, weak)
    for join in (" + ", " * "):
        for found in re.findall(rf"[^\s]+(?:{re.escape(join)}[^\s]+)+", condition):
            condition = condition.replace(found, join.join(sorted(found.split(join))))
    return condition


@pytest.mark.parametrize(("contract", "function"), DEMANDED)
def test_a_guard_is_what_the_source_demands(contract: str, function: str) -> None:
    guards = mined(contract).specification.guards
    (guard,) = [item for item in guards if (item.scope, item.kind) == (function, GuardKind.REQUIRED)]

    found = {spelled(part.text) for part in guard.conditions}
    assert found == {spelled(text) for text in DEMANDED[contract, function]}
    assert guard.exceptions == 0
    assert guard.explained == guard.rejected
    assert guard.proved is Proof.YES


@pytest.fixture(scope="module")
def permits() -> dict[tuple[str, str], Edge]:
    """Return the accepted calls of ``handle`` between the stages of permits."""
    spec = stages().specification
    names = {state.id: state.name for state in spec.states}
    return {
        (names[edge.source], names[edge.target]): edge
        for edge in spec.transitions
        if edge.function == "handle" and edge.outcome == "returned"
    }


@cache
def stages() -> MiningResult:
    history, artifact = driven("Permits")
    fixed = Definition(fix=tuple(f"permits[·].stage = {stage}" for stage in (1, 2, 3)), only=True)
    return mine(history, MineOptions(definition=fixed), artifact=artifact)


def test_a_guard_that_differs_from_state_to_state_is_told_of_each(
    permits: dict[tuple[str, str], Edge],
) -> None:
    spec = stages().specification
    (whole,) = [
        item.text for item in spec.guards if item.scope == "handle" and item.kind is GuardKind.REQUIRED
    ]
    assert "stage = 1 or clerk = sender" in whole
    assert permits["stage = 1", "stage = 3"].guard == "holder = sender and value >= fee"
    assert permits["stage = 1", "stage = 2"].guard == "holder = sender and value < fee"
    # as the code has it: what the hash of the last block is decides
    for target, sign in (("stage = 3", "<="), ("stage = 4", ">")):
        guard = permits["stage = 2", target].guard
        assert guard == f"clerk = sender and blockhash(block - 1) % 2 {sign} 0"


def test_what_tells_targets_apart_is_counted_and_tested_later(permits: dict[tuple[str, str], Edge]) -> None:
    paid, short = permits["stage = 1", "stage = 3"], permits["stage = 1", "stage = 2"]
    for edge, other in ((paid, short), (short, paid)):
        condition = edge.condition
        assert condition is not None
        assert condition.accepted == edge.count
        assert condition.elsewhere == condition.told_apart == other.count
        assert condition.exceptions == 0
        assert condition.interval is not None
        assert condition.interval[1] == 1.0
        assert condition.interval[0] < 1.0
        assert condition.held_out is not None
        assert condition.held_out.refused == 0
        assert condition.held_out.explained == condition.held_out.rejected > 0
        assert [part.text for part in condition.parts if part.learned is ConditionOrigin.TARGET] == [
            "value >= fee" if edge is paid else "value < fee"
        ]


def test_siblings_exclude_each_other() -> None:
    spec = stages().specification
    found = {spec.states[item.source].name: item for item in spec.siblings}

    assert found["stage = 1"].verdict is TransitionVerdict.EXCLUSIVE
    assert found["stage = 1"].proved is Proof.YES
    # the hash of a block decides, which no call and no storage tells, but the code
    assert found["stage = 2"].verdict is TransitionVerdict.EXCLUSIVE
    assert found["stage = 2"].both == (0, 0)


def test_a_predicate_that_the_automaton_lacks_is_named() -> None:
    """An automaton that tells pairs apart by whether they are even does not know where a reset leads."""
    history, artifact = driven("Pairs")
    fixed = Definition(fix=("pairs[·].left = pairs[·].right",), only=True)
    spec = mine(history, MineOptions(definition=fixed), artifact=artifact).specification
    (found,) = [item for item in spec.siblings if item.function == "reset" and item.source != spec.initial]
    assert found.verdict is TransitionVerdict.PREDICATE
    assert found.predicate is not None
    assert found.predicate.removeprefix("pairs[·].right") in (" = 0", " != 0")
    assert found.predicate in found.text
    assert found.proved is Proof.YES
