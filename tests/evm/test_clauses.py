"""What rejected calls, and what the code demands: clauses and causes on compiled contracts and real histories."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from specminer.evm.forks import FORKS
from tests.support.decisions import ALICE, BOB, CAROL, Contract, Stage, check_clauses, clause_text, deployed
from tests.support.real import AZURE, MAINNET
from tests.support.real_decisions import real_decisions
from tests.support.solc import compile_sources, has_solc

COMPILERS = ("solc-0.4.26", "solc-0.5.17", "solc")
SOURCE = """
pragma solidity >=0.4.22;
contract C {
    address owner;
    mapping(address => bool) admin;
    mapping(address => uint) balance;
    uint x;
    uint limit = 5;
    mapping(address => mapping(address => uint)) allowance;
    uint8 state;
    uint[] items;
    constructor() public { owner = msg.sender; balance[msg.sender] = 100; items.push(3); items.push(7); }
    modifier auth() { require(msg.sender == owner || admin[msg.sender], "no"); _; }
    function setAdmin(address a) public auth { require(a != address(0)); admin[a] = true; }
    function set(uint v) public { if (msg.sender != owner) { require(v < limit, "limit"); } x = v; }
    function transferFrom(address f, address t, uint v) public {
        require(balance[f] >= v, "balance");
        if (f != msg.sender && allowance[f][msg.sender] != ~uint(0)) {
            require(allowance[f][msg.sender] >= v, "allowance");
            allowance[f][msg.sender] -= v;
        }
        balance[f] -= v;
        balance[t] += v;
    }
    function finish() public {
        uint8 s;
        if (x == 0) s = 1; else if (x == 1) s = 2; else if (x > block.timestamp) s = 3; else s = 4;
        require(s == 4 || s == 2, "state");
        state = s;
    }
    function all(uint[] memory v) public { for (uint i = 0; i < v.length; i++) { require(v[i] > 3); x = v[i]; } }
    function item(uint i, uint v) public { require(v != 9, "nine"); items[i] = v; }
    function early(uint v) public { if (v == 7) return; require(v > limit); x = v; }
    function begin(uint v) public {
        bool first = x == 0;
        bool again = x == 1 && v == 5;
        require(first || again, "begun");
        x = 2;
    }
    function never(uint v) public { x = v; }
    function always(uint) public { revert("no more"); }
}
"""


def on_each_compiler(package: str, source: str, name: str = "C", **options: Any) -> Contract:
    """Deploy a contract as a compiler makes it."""
    if not has_solc(package):
        pytest.skip(f"{package} is not installed")
    output = compile_sources({"C.sol": source}, package=package, **options)[name]
    return deployed(Stage(fork=FORKS["prague" if package == "solc" else "istanbul"]), output)


@pytest.fixture(scope="module", params=COMPILERS)
def contract(request: pytest.FixtureRequest) -> Contract:
    return on_each_compiler(request.param, SOURCE)


def test_a_choice_has_both_its_conditions(contract: Contract) -> None:
    contract.call("setAdmin", BOB)
    contract.call("setAdmin", BOB, sender=CAROL)
    contract.call("setAdmin", 0)
    assert contract.clauses("setAdmin") == [
        "required: field(S[H(sender,1)],0,8) or sender = field(S[0],0,160)",
        "required: field(arg0,0,160)",
    ]


def test_a_condition_that_not_all_come_to_is_qualified(contract: Contract) -> None:
    contract.call("set", 100)
    contract.call("set", 3, sender=BOB)
    contract.call("set", 9, sender=BOB)
    assert contract.clauses("set") == ["required: arg0 < S[4] or sender = field(S[0],0,160)"]


def test_a_way_around_a_check_that_no_call_took_is_told(contract: Contract) -> None:
    contract.call("transferFrom", ALICE, BOB, 10)
    contract.call("transferFrom", ALICE, BOB, 1000)
    contract.call("transferFrom", ALICE, BOB, 10, sender=CAROL)
    allowance = "S[H(sender,H(field(arg0,0,160),5))]"
    largest = hex((1 << 256) - 1)
    assert contract.clauses("transferFrom") == [
        "required: S[H(field(arg0,0,160),2)] >= arg2",
        f"required: {allowance} >= arg2 or {allowance} = {largest} or sender = field(arg0,0,160)",
    ]


def test_a_state_that_branches_compute_is_explained_by_them(contract: Contract) -> None:
    for value in (0, 1, 1 << 40, 20):
        contract.call("set", value)
        contract.call("finish")
    assert contract.clauses("finish") == ["required: S[3]", "required: time >= S[3] or S[3] = 1"]


def test_what_a_loop_demands_of_each_element_is_one_clause(contract: Contract) -> None:
    for values in ([4, 5, 6], [4, 5, 6, 7, 1], [1], [5], []):
        contract.call("all", values)
    assert contract.clauses("all") == ["required each: 3 < data[arg0 + 36] or not data[arg0 + 4]"]


def test_an_index_out_of_bounds_is_a_cause(contract: Contract) -> None:
    contract.call("item", 0, 5)
    contract.call("item", 2, 5)
    contract.call("item", 1, 9)
    assert contract.clauses("item", own=False) == ["required: arg0 < S[7]", "required: arg1 != 9"]


def test_an_early_return_leads_around_a_check(contract: Contract) -> None:
    contract.call("early", 6)
    contract.call("early", 4)
    assert contract.clauses("early") == ["required: S[4] < arg0 or arg0 = 7"]
    assert contract.clauses("early", forced=False) == ["required: S[4] < arg0"]


def test_a_decision_that_does_not_matter_any_more_is_got_around(contract: Contract) -> None:
    contract.call("set", 2)
    contract.call("begin", 5)
    contract.call("set", 1)
    contract.call("begin", 6)
    found = [set(text.removeprefix("required: ").split(" or ")) for text in contract.clauses("begin")]
    assert {"S[3] = 1", "not S[3]"} in found


def test_a_function_that_never_rejects_has_no_clauses(contract: Contract) -> None:
    contract.call("never", 6)
    assert contract.clauses("never", own=False) == []


def test_a_function_that_always_rejects_has_a_reason_and_no_clause(contract: Contract) -> None:
    contract.call("always", 6)
    decisions = contract.decisions("always")
    assert decisions.clauses == ()
    assert [cause.reason for cause in decisions.causes] == [
        "the code rejects every call that comes here; no decision leads elsewhere"
    ]


def test_calls_of_functions_that_do_not_exist(contract: Contract) -> None:
    selector = bytes.fromhex("12345678")
    contract.stage.execute(contract.address, selector)
    decisions = contract.stage.decisions(contract.address, selector)
    assert [cause.reason for cause in decisions.causes] == ["the contract has no such function"]


HORSES = "0xc65a7bb8d6351c1cf70c95a316cc6a92839c986682d98bc35f958f4883f9d2a8"
MARE, STALLION = (f"S[(arg{number} + {HORSES})]" for number in (0, 1))
REAL: dict[str, dict[str, set[str]]] = {
    "MobSquads": {
        "efef39a1": {
            "value >= S[H(arg0,5)]",
            "sender != field(S[H(arg0,2)],0,160)",
            "arg0 < S[9]",
            "S[9] >= S[8]",
        }
    },
    "ArkToken": {
        "2d296bf1": {
            "value >= S[H(arg0,4)]",
            "field(S[(H(arg0,4) + 2)],0,160) != 1",
            "sender != field(S[(H(arg0,4) + 2)],0,160)",
            "S[H(arg0,4)]",
        }
    },
    "GetTheHorse": {
        "90676901": {
            f"field(block,0,64) >= field({MARE},64,64)",
            f"field(block,0,64) >= field({STALLION},64,64)",
            f"field({STALLION},224,16) < 4",
        }
    },
}
"""What prototypes found by looking at single rejections, by selector."""


@pytest.mark.real
@pytest.mark.parametrize("name", [*AZURE, *MAINNET])
def test_every_rejection_of_a_real_history_has_a_cause(name: str) -> None:
    reasons: Counter[str | None] = Counter()
    found: dict[str, set[str]] = {}
    for key, decisions in real_decisions(name):
        check_clauses(decisions)
        reasons.update(cause.reason for cause in decisions.causes)
        found[key[4:].hex()] = {
            clause_text(decisions, clause).split(": ", 1)[1]
            for clause in decisions.clauses
            if clause.rejected_calls
        }
    assert set(reasons) <= {None, "the contract has no such function"}
    assert reasons[None] >= sum(reasons.values()) - 1
    for selector, clauses in REAL.get(name, {}).items():
        assert clauses <= found[selector], clauses - found[selector]
