"""Clauses of code that asks for the same twice, takes back what it gave, and looks at the gas that is left."""

from __future__ import annotations

import pytest

from specminer.decision.clauses import ClauseDraft
from specminer.decision.implications import implies, is_tautology
from specminer.decision.merging import merge
from specminer.decision.paths import Check, PathCondition
from specminer.decision.sites import Loops
from specminer.shadow.arena import Arena
from tests.support.decisions import ALICE, BOB, CAROL, Contract, Stage, deployed
from tests.support.solc import compile_sources, has_solc

SOURCE = """
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;
interface Clock { function clock() external view returns (uint); }
contract Hours is Clock { function clock() external view returns (uint) { return block.timestamp; } }
contract C {
    mapping(address => uint) balance;
    uint first = 10;
    uint second = 20;
    uint done;
    mapping(bytes32 => uint) known;
    Clock clock;
    constructor(Clock c) { balance[msg.sender] = 100; clock = c; }
    function swap(uint a, uint b) external {
        require(a > 0 || b > 0, "nothing");
        if (a > 0) { require(a < first, "first"); }
        if (b > 0) { require(b < second, "second"); }
        done = a + b;
    }
    function move(address from, address to, uint v) external {
        require(from == msg.sender || v < 50, "much");
        unchecked {
            require(balance[from] >= v, "poor");
            balance[from] = balance[from] - v;
            uint sum = balance[to] + v;
            require(sum >= balance[to], "rich");
            balance[to] = sum;
        }
    }
    function spend(uint rounds, uint least) external {
        for (uint i; i < rounds; i++) { if (gasleft() > 100) done = i; }
        require(gasleft() >= least, "gas");
        done = rounds;
    }
    function times(uint a, uint b) internal pure returns (uint c) {
        unchecked { require(b == 0 || (c = a * b) / b == a, "overflow"); }
    }
    function share(uint a) external {
        require(first != 0, "none");
        done = times(a, first);
    }
    function trade(uint a, uint b) external {
        uint all = times(a, b - 3);
        require(all >= first * second, "small");
        done = all;
    }
    function due(uint taken, uint part) internal view returns (uint) {
        uint all = first + taken;
        if (part >= 10) return all;
        return all * part / 10;
    }
    function release(uint taken, uint part) external {
        unchecked {
            uint vested = due(taken, part);
            require(vested >= taken, "taken");
            done = vested - taken;
        }
    }
    function vote(uint v) external {
        if (v > first) {
            if (clock.clock() > 5) revert("late");
            revert("too late");
        }
        done = v;
    }
    function file(uint[] memory list, bytes memory text) external {
        uint now_ = clock.clock();
        bytes32 id = keccak256(abi.encode(list, text));
        require(known[id] == 0, "known");
        known[id] = now_;
    }
}
"""


@pytest.fixture
def contract() -> Contract:
    if not has_solc():
        pytest.skip("solc is not installed")
    stage, output = Stage(), compile_sources({"C.sol": SOURCE})
    return deployed(stage, output["C"], deployed(stage, output["Hours"]).address)


def test_what_a_choice_asked_first_is_asked_again_where_it_matters(contract: Contract) -> None:
    for a, b in ((1, 0), (0, 1), (0, 0), (11, 0), (0, 21), (2, 0), (0, 2)):
        contract.call("swap", a, b)
    assert contract.clauses("swap") == [
        "required: arg1 or arg0",
        "required: arg0 < S[1] or not arg0",
        "required: arg1 < S[2] or not arg1",
    ]


def test_a_transfer_to_oneself_says_nothing_of_what_others_get(contract: Contract) -> None:
    contract.call("move", ALICE, BOB, 60)
    contract.call("move", ALICE, CAROL, 60)
    contract.call("move", BOB, BOB, 5, sender=ALICE)
    contract.call("move", BOB, CAROL, 5, sender=ALICE)
    contract.call("move", BOB, BOB, 60, sender=ALICE)
    clauses = contract.clauses("move")
    (rich,) = [text for text in clauses if "+" in text or ("<" in text and "coded" in text)]
    assert " or " not in rich, "whoever sends, the sum has to fit"


def test_gas_left_is_told_by_its_place(contract: Contract) -> None:
    for rounds in (0, 1, 2, 3, 2):
        contract.call("spend", rounds, 1_000)
    contract.call("spend", 1, 10**9)
    gas = [text for text in contract.clauses("spend") if "gas" in text]
    assert [text.partition(":")[0] for text in gas] == ["required"], "the rounds before it make no difference"


def test_a_factor_that_is_zero_is_no_condition(contract: Contract) -> None:
    contract.call("trade", 20, 13)
    contract.call("trade", 20, 30)
    contract.call("trade", 2, 13)
    (clause,) = contract.clauses("trade")
    assert clause.startswith("required: (arg0 * ")
    assert clause.endswith(" >= (S[2] * S[1])")


def test_a_factor_that_the_source_asks_for_is_a_condition(contract: Contract) -> None:
    contract.call("share", 7)
    assert contract.clauses("share") == ["coded: S[1]"]


def test_what_one_branch_computed_is_not_demanded_on_the_other(contract: Contract) -> None:
    for taken, part in ((1, 5), (2, 8), (3, 12), (4, 10)):
        contract.call("release", taken, part)
    clauses = [text for text in contract.clauses("release") if "/" in text]
    assert clauses
    assert all("arg1 >= 10" in text for text in clauses), clauses


def test_what_is_rejected_whatever_others_answer_is_demanded(contract: Contract) -> None:
    contract.call("vote", 4)
    assert contract.clauses("vote") == ["coded: S[1] >= arg0"]


def test_a_hash_of_lists_depends_on_nothing_that_was_asked_before(contract: Contract) -> None:
    for list_, text in (([1, 2], b"a"), ([1], b"ab" * 20), ([1], b"ab" * 20), ([], b"")):
        contract.call("file", list_, text)
    decisions = contract.decisions("file")
    arena = decisions.runs.arena
    (clause,) = [item for item in decisions.clauses if item.rejected_calls]
    kinds = {arena.kind(item) for item in arena.sources(clause.conditions[0].node)}
    assert kinds == {"calldata", "storage"}


def test_what_an_order_says_of_equality() -> None:
    arena = Arena()
    first, second = arena.node("sender"), arena.node("this")
    less, more = arena.make("lt", first, second), arena.make("lt", second, first)
    same = arena.make("eq", first, second)
    assert less
    assert more
    assert same
    assert implies(arena, PathCondition(less, True), PathCondition(same, False))
    assert implies(arena, PathCondition(less, True), PathCondition(more, False))
    assert implies(arena, PathCondition(same, True), PathCondition(less, False))
    assert not implies(arena, PathCondition(less, False), PathCondition(same, True))
    assert not implies(arena, PathCondition(same, False), PathCondition(less, True))
    assert is_tautology(arena, [PathCondition(same, False), PathCondition(less, False)])
    assert not is_tautology(arena, [PathCondition(same, False), PathCondition(less, True)])


def test_only_of_a_loop_is_one_element_told_for_all() -> None:
    arena = Arena()
    site = (arena.site(("a check",)), 0)
    nodes = [arena.make("lt", arena.node("calldata", place), arena.node("time")) or 0 for place in (36, 68)]
    for loops, count in ((Loops(bodies={site: frozenset()}), 1), (Loops(), 2)):
        drafts = [
            ClauseDraft(conditions=(PathCondition(node, True),), check=Check.OWN, coded=True, site=site)
            for node in nodes
        ]
        merged = merge(arena, drafts, loops).drafts
        assert [draft.each for draft in merged] == [count == 1] * count


def test_distances_of_places_do_not_depend_on_where_they_begin() -> None:
    arena = Arena()
    place, size = arena.node("answer_size", 0), arena.node("calldata", 4)
    begin = arena.make("add", place, arena.constant(64))
    assert begin
    sized = arena.make("add", size, arena.constant(32))
    assert sized
    end = arena.make("add", arena.make("add", begin, sized) or 0, arena.constant(32))
    assert end
    assert arena.make("sub", end, begin) == arena.make("add", size, arena.constant(64))
    assert arena.make("sub", begin, arena.make("add", begin, arena.constant(5)) or 0) is None


def test_no_value_of_a_type_reaches_beyond_it() -> None:
    arena = Arena()
    byte = arena.field(arena.node("calldata", 4), 0, 8)
    assert byte
    assert arena.make("eq", byte, arena.constant(256)) is None
    assert arena.make("lt", byte, arena.constant(256)) is None
    assert arena.make("lt", arena.constant(255), byte) is None
    assert arena.make("lt", byte, arena.constant(255))
