"""What the code leaves open is no invariant: ways that nobody took, branches, values that callers choose."""

from __future__ import annotations

import numpy as np
import pytest

from specminer.decision.open_ways import OpenWays
from specminer.history.contract_history import History
from specminer.inference.invariant_claim import Invariant
from specminer.inference.invariant_search import is_habit, is_open
from specminer.pipeline import MineOptions, import_traces
from specminer.pipeline.datasets import dataset
from specminer.pipeline.effecting import find_effects
from specminer.pipeline.mining import STAGES
from specminer.pipeline.state import Mining
from specminer.specification import CONTRACT_SCOPE, Template
from specminer.store import TraceStore
from tests.support.decisions import Stage

CODE = bytes.fromhex("600435600714601357600054600101600055005b600060005500")
"""``if (x == 7) count = 0; else count = count + 1;``"""
HIT = bytes.fromhex("11223344")


def hits(*numbers: int) -> Stage:
    stage = Stage()
    address = stage.put(0xC0DE, CODE)
    for number in numbers:
        assert stage.execute(address, HIT + number.to_bytes(32, "big")).succeeded
    return stage


def test_a_way_that_nobody_took_is_known_by_what_it_writes() -> None:
    ways = hits(1, 2, 3).decisions(0xC0DE, HIT).untried_ways
    assert [[(slot.slot, slot.value, slot.node) for slot in way.slots] for way in ways] == [[(0, 0, None)]]
    assert ways[0].steps[-1].condition.holds


def test_a_way_that_somebody_took_is_not_untried() -> None:
    assert not hits(1, 2, 7, 3).decisions(0xC0DE, HIT).untried_ways


def test_without_what_it_takes_to_force_decisions_no_way_is_known() -> None:
    assert not hits(1, 2, 3).decisions(0xC0DE, HIT, forced=False).untried_ways


def claim(template: Template, text: str, exceptions: int = 0, value: str = "") -> Invariant:
    """Return an invariant; ``value`` is the new value's term where that does not read as its text does."""
    held = np.arange(20) >= exceptions
    target, changes, told = text.partition("' = ")
    smt = f"(= |{target}'| {value or told})" if changes else None
    return Invariant(
        scope=CONTRACT_SCOPE, template=template, text=text, smt=smt, cases=np.arange(20), holds=held
    )


def test_what_another_way_writes_is_open() -> None:
    ways = OpenWays(
        writers={"count": {"hit"}},
        courses={"count never decreases"},
        foreign_entries={"votes[k]"},
        signed_entries={"shares[k]"},
        effects={("hit", "count")},
        branches={("hit", "last")},
        resets={"streak changes only by growing by 1"},
        settable={"fee"},
        computed_fields={("list", "items[].price")},
        otherwise={("draw", "rounds[].phase")},
    )
    broken = [
        claim(Template.WRITERS, "count is changed only by miss, set"),
        claim(Template.CONSTANT, "count never changes after the deployment"),
        claim(Template.MONOTONE, "count never decreases"),
        claim(Template.OWN, "votes[k] is changed only by calls of k"),
        claim(Template.OWN, "shares[k] is changed only by calls of k", 1),
        claim(Template.EFFECT, "hit: count' = count + 1"),
        claim(Template.EFFECT, "hit: last' = now", 1),
        claim(Template.MONOTONE, "streak changes only by growing by 1", 1),
        claim(Template.CONSTANT, "fee never changes after the deployment"),
        claim(Template.EFFECT, "list: items[·].price' = 1000"),
        claim(Template.EFFECT, "draw: rounds[·].phase' = 2"),
        claim(Template.EFFECT, "draw: rounds[·].phase' = Drawn", value="2"),
    ]
    kept = [
        claim(Template.WRITERS, "count is changed only by hit, miss"),
        claim(Template.CONSTANT, "owner never changes after the deployment"),
        claim(Template.CONSTANT, "count never changes after the deployment", 1),
        claim(Template.MONOTONE, "count never increases"),
        claim(Template.OWN, "shares[k] is changed only by calls of k"),
        claim(Template.EFFECT, "miss: count' = count + 1"),
        claim(Template.EFFECT, "hit: last' = now"),
        claim(Template.TOTAL, "count = the sum of votes[]"),
        claim(Template.MONOTONE, "streak changes only by growing by 1"),
        claim(Template.CONSTANT, "fee never changes after the deployment", 1),
        claim(Template.EFFECT, "list: items[·].price' = price"),
        claim(Template.EFFECT, "buy: items[·].price' = 1000"),
        claim(Template.EFFECT, "close: rounds[·].phase' = 2"),
    ]
    assert [item.text for item in broken if not is_open(item, ways)] == []
    assert [item.text for item in kept if is_open(item, ways)] == []


def test_what_held_before_calls_is_a_habit_unless_the_code_demands_it() -> None:
    ways = OpenWays(demanded_fields={"buy": {"items[].price", "open"}})
    habits = [
        claim(Template.BEFORE, "before buy: items[·].owner != 0"),
        claim(Template.BEFORE, "before buy as id: not items[id].sold"),
    ]
    others = [
        claim(Template.BEFORE, "before buy: items[·].price != 0", 1),
        claim(Template.BEFORE, "before buy as id: not open"),
        claim(Template.BEFORE, "before sell: items[·].owner != 0"),  # its code was not followed
        claim(Template.TOTAL, "count = the sum of votes[]", 1),
    ]
    assert [item.text for item in habits if not is_habit(item, ways)] == []
    assert [item.text for item in others if is_habit(item, ways)] == []


def history_of(name: str) -> History:
    with TraceStore("sqlite://") as store:
        records = [import_traces(store, path) for path in dataset(name).trace_files]
        return store.history(records[0].chain_id, [item.address for item in records])


@pytest.mark.parametrize(
    ("name", "broken", "branch", "kept"),
    [
        ("governance", "quorum never decreases", set(), ""),
        ("token", "", {("decreaseApproval", "allowance[sender][_spender]")}, ""),
        ("loans", "", {("repay", "loans[loanId].owed")}, ""),
        ("single_auction", "", set(), "highestBid never decreases"),
    ],
)
def test_the_code_of_shipped_contracts_says_what_is_open(
    name: str, broken: str, branch: set[tuple[str, str]], kept: str
) -> None:
    mining = Mining(history=history_of(name), options=MineOptions())
    for stage in STAGES[: STAGES.index(find_effects) + 1]:
        mining = stage(mining)
    ways = mining.open_ways
    assert not broken or broken in ways.courses
    assert branch <= ways.branches
    assert not kept or kept not in ways.courses
    assert not ways.courses.intersection(mining.laws)
