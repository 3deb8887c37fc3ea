"""What versions of a contract's code demand is told with when they ran."""

from __future__ import annotations

from typing import Any

import pytest

from specminer.decision.code_numbers import CodeNumbers
from specminer.decision.versions import CodeSpans, spans_of
from specminer.shadow.arena import Arena
from specminer.shadow.record import ShadowRecord
from tests.support.decisions import BOB, Contract, Stage, deployed
from tests.support.solc import compile_sources, has_solc

SOURCE = """
pragma solidity ^0.8.0;
contract Proxy {
    address code;
    address admin = msg.sender;
    fallback() external payable {
        (bool done, bytes memory output) = code.delegatecall(msg.data);
        assembly {
            switch done
            case 0 { revert(add(output, 32), mload(output)) }
            default { return(add(output, 32), mload(output)) }
        }
    }
    function upgrade(address to) public { require(msg.sender == admin); code = to; }
}
contract Base {
    address code;
    address admin;
    uint total;
    uint cap;
    event Used(uint);
}
contract First is Base {
    function add(uint amount) public {
        require(msg.sender == admin, "admin");
        require(amount > 10, "small");
        total += amount;
    }
    function take(uint amount) public { require(amount <= total, "more"); total -= amount; }
}
contract Second is Base {
    function add(uint amount) public {
        emit Used(amount);
        require(msg.sender == admin, "admin");
        require(total + amount <= 1000, "cap");
        total += amount;
    }
    function take(uint amount) public { require(amount <= total, "more"); emit Used(amount); total -= amount; }
}
"""
ADMIN = "required: sender = field(S[1],0,160)"


@pytest.fixture(scope="module")
def output() -> dict[str, dict[str, Any]]:
    if not has_solc("solc"):
        pytest.skip("solc is not installed")
    return compile_sources({"C.sol": SOURCE})


@pytest.fixture
def contract(output: dict[str, dict[str, Any]]) -> Contract:
    stage = Stage()
    proxy = deployed(stage, output["Proxy"])
    return Contract(stage=stage, address=proxy.address, abi=output["Second"]["abi"] + output["Proxy"]["abi"])


def upgrade(contract: Contract, output: dict[str, Any]) -> int:
    """Upgrade, and return the number of the next block."""
    contract.call("upgrade", deployed(contract.stage, output).address)
    return contract.stage.number + 1


def add(contract: Contract, *amounts: int) -> None:
    for amount in amounts:
        contract.call("add", amount)
    contract.call("add", 100, sender=BOB)
    for amount in (1, 10_000):
        contract.call("take", amount)


def test_what_only_one_version_demands_is_told_with_when_it_ran(
    contract: Contract, output: dict[str, Any]
) -> None:
    upgrade(contract, output["First"])
    add(contract, 20, 5, 300)
    block = upgrade(contract, output["Second"])
    add(contract, 20, 5, 2_000)
    assert {text for text in contract.clauses("add") if text.startswith("required")} == {
        ADMIN,
        f"required: 10 < arg0 or block >= {block}",
        f"required: 1000 >= (arg0 + S[2]) or block < {block}",
    }
    assert contract.clauses("take") == ["required: S[2] >= arg0"]
    found = {
        (clause.since, clause.until, len(clause.own_conditions))
        for clause in contract.decisions("add").clauses
        if clause.rejected_calls
    }
    assert found == {(None, None, 1), (None, block, 1), (block, None, 1)}


def test_versions_that_come_back_are_not_told_apart(contract: Contract, output: dict[str, Any]) -> None:
    for name in ("Second", "First", "Second"):
        upgrade(contract, output[name])
        add(contract, 20, 5, 2_000)
    found = contract.clauses("add")
    assert ADMIN in found
    assert not any("block" in text for text in found)


def test_rejections_of_a_version_that_accepted_nothing_have_a_cause(
    contract: Contract, output: dict[str, Any]
) -> None:
    upgrade(contract, output["First"])
    add(contract, 20)
    upgrade(contract, output["Second"])
    contract.call("add", 20, sender=BOB)
    decisions = contract.decisions("add")
    assert all(cause.clause is not None for cause in decisions.causes)
    assert ADMIN in contract.clauses("add")


def test_versions_that_ran_in_turns_have_no_order() -> None:
    spans = spans_of([(1, 3), (2, 5), (1, 4), (3, 5), (3, 9)])
    assert spans == CodeSpans(first={1: 3, 2: 5, 3: 5}, last={1: 4, 2: 5, 3: 9})
    assert spans.in_order([3, 1, 2]) == (1, 2, 3)
    assert spans_of([(1, 3), (2, 5), (1, 6)]).in_order([1, 2]) is None
    assert spans.in_order([1, 4]) is None


def test_codes_that_differ_in_immutables_are_one_version() -> None:
    record = ShadowRecord(Arena(), 1, 0)
    numbers = CodeNumbers()
    codes = [b"\x60\x01\x5b", b"\x60\x02\x5b", b"\x5b", b""]
    assert [numbers.number({1: code, 2: b"\x5b"}, record) for code in codes] == [1, 1, 2, 3]
    record.handed_on.append(2)
    assert [numbers.number({1: code, 2: b"\x5b"}, record) for code in codes] == [4, 4, 5, 6]
