"""What only chooses the function that runs is no condition: behind proxies, and in calls of a contract to itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from specminer.decision.idioms import is_fixed
from specminer.evm.opcodes import Op
from specminer.shadow.arena import Arena
from tests.support.decisions import ALICE, BOB, CAROL, Contract, Stage, deployed
from tests.support.solc import compile_sources, has_solc

SOURCE = """
pragma solidity ^0.8.0;
contract Proxy {
    address code;
    constructor(address to) { code = to; }
    fallback() external payable {
        assembly {
            let to := sload(0)
            if eq(calldataload(0), 0xa619486e00000000000000000000000000000000000000000000000000000000) {
                mstore(0, to)
                return(0, 32)
            }
            calldatacopy(0, 0, calldatasize())
            let ok := delegatecall(gas(), to, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if iszero(ok) { revert(0, returndatasize()) }
            return(0, returndatasize())
        }
    }
}
contract Wallet {
    address code;
    mapping(address => bool) owner;
    mapping(bytes4 => bool) stopped;
    uint quorum;
    uint total;
    event Done(bool);
    function start(address first) public { require(quorum == 0, "again"); quorum = 1; owner[first] = true; }
    function execute(address to, bytes calldata data, bool mayFail, bytes memory proof) public {
        require(owner[msg.sender], "owner");
        require(proof.length >= quorum * 2, "proof");
        require(uint8(proof[0]) == 7, "first");
        (bool ok, ) = to.call(data);
        require(ok || mayFail, "inside");
        emit Done(ok);
    }
    modifier onlySelf() { require(msg.sender == address(this), "self"); _; }
    function add(address one) public onlySelf { require(!owner[one], "known"); owner[one] = true; }
    function change(uint number) public onlySelf { require(number > 0 && number < 4, "quorum"); quorum = number; }
    function stop(bytes4 what, bool stops) public onlySelf { stopped[what] = stops; }
    function many(bytes[] calldata calls) public {
        for (uint i = 0; i < calls.length; i++) {
            (bool ok, ) = address(this).delegatecall(calls[i]);
            require(ok, "one of many");
        }
    }
    function pay(uint amount) public { require(!stopped[msg.sig], "stopped"); total += amount; }
    function check(uint amount) public view { require(amount < 100 || owner[msg.sender], "too much"); }
    function checked(uint amount) public { this.check(amount); total = amount; }
    function first(bytes calldata data) public { require(bytes4(data) == 0x01020304, "beginning"); total = 4; }
    function refund(uint price, uint least) public {
        uint paid = price == 0 ? least : 0;
        (bool ok, ) = address(0xbeef).call(abi.encodeWithSignature("pay(uint256)", paid));
        require(ok || least != 0 || price != 0, "not paid");
        if (price > 0) total += price < tx.gasprice ? price : tx.gasprice;
    }
    function one() public pure returns (uint) { return 1; }
    function two() public pure returns (uint) { return 2; }
    function three() public pure returns (uint) { return 3; }
    function four() public pure returns (uint) { return 4; }
}
"""
NOTHING = b""
DAVE = 0xDA4E << 100
PROOF = bytes([7, 1])


@pytest.fixture(scope="module", params=[None, 200], ids=["plain", "optimised"])
def wallet(request: pytest.FixtureRequest) -> Contract:
    if not has_solc("solc"):
        pytest.skip("solc is not installed")
    output = compile_sources({"C.sol": SOURCE}, runs=request.param)
    stage = Stage()
    code = deployed(stage, output["Wallet"])
    proxy = deployed(stage, output["Proxy"], code.address)
    wallet = Contract(stage=stage, address=proxy.address, abi=output["Wallet"]["abi"])
    wallet.call("start", ALICE)
    wallet.call("start", BOB)
    return wallet


def execute(wallet: Contract, name: str, *arguments: object, may_fail: bool = False) -> None:
    data = wallet.data(name, *arguments)
    wallet.call("execute", wallet.address, data, may_fail, PROOF)


@pytest.fixture(scope="module")
def driven(wallet: Contract) -> Contract:
    for someone in (BOB, BOB, CAROL):
        execute(wallet, "add", someone)
    for number in (9, 0, 1):
        execute(wallet, "change", number, may_fail=number == 9)
    execute(wallet, "one")
    wallet.call("execute", wallet.address, NOTHING, False, PROOF, sender=DAVE)
    for proof in (bytes([7]), bytes([8, 2]), bytes([8, 2, 3]), bytes([7, 2, 3]) * 20):
        wallet.call("execute", wallet.address, wallet.data("two"), False, proof)
    for function, argument in (("add", CAROL), ("change", 2)):
        wallet.call(function, argument)
    return wallet


def required(contract: Contract, name: str) -> set[str]:
    return {text for text in contract.clauses(name) if text.startswith("required")}


def test_neither_the_proxy_nor_the_dispatcher_demands_anything(driven: Contract) -> None:
    assert required(driven, "start") == {"required: not S[3]"}
    assert required(driven, "add") == {"required: sender = this"}
    assert required(driven, "change") == {"required: sender = this"}


def test_of_a_call_to_itself_that_data_chooses_only_its_success_counts(driven: Contract) -> None:
    proof = "data[arg3 + 4]"
    found = required(driven, "execute")
    assert {
        "required: field(S[H(sender,1)],0,8)",
        f"required: {proof} >= shifted(S[3],1)",
    } <= found
    assert not any("224" in text for text in found)
    (first,) = (text for text in found if text.endswith("= 7"))
    assert first.startswith("required: field(data[arg3 + 36],248,8)"), first


def test_of_delegatecalls_that_data_chooses_only_their_success_counts(wallet: Contract) -> None:
    calls: Sequence[Sequence[bytes]] = (
        [wallet.data("pay", 1), wallet.data("checked", 1)],
        [wallet.data("pay", 1)],
        [wallet.data("start", BOB)],
        [wallet.data("pay", 2), wallet.data("first", b"xxxx")],
        [],
    )
    for item in calls:
        wallet.call("many", item)
    for text in required(wallet, "many"):
        assert "success" in text
        assert "S[" not in text


def test_what_a_function_that_the_code_chooses_demands_belongs_to_the_caller(wallet: Contract) -> None:
    for amount in (5, 500):
        wallet.call("checked", amount)
    (clause,) = required(wallet, "checked")
    assert "arg0 < 100" in clause


def test_stored_values_under_the_selector_and_selectors_in_arguments_are_conditions(wallet: Contract) -> None:
    wallet.call("pay", 1)
    execute(wallet, "stop", wallet.selector("pay"), True)
    wallet.call("pay", 1)
    execute(wallet, "stop", wallet.selector("pay"), False)
    (clause,) = required(wallet, "pay")
    assert clause.startswith("required: not field(S[H("), clause
    for data in (b"\1\2\3\4\5", b"\1\2\3\5"):
        wallet.call("first", data)
    (clause,) = required(wallet, "first")
    assert f"= {0x01020304 << 224:#x}" in clause


def test_a_call_without_a_selector_finds_no_function(wallet: Contract) -> None:
    stage = wallet.stage
    stage.execute(wallet.address, b"\1\2")
    decisions = stage.decisions(wallet.address, b"\1\2")
    assert [cause.reason for cause in decisions.causes] == ["the contract has no such function"]


def test_what_the_recording_does_not_know_is_assumed_once_it_was_left(wallet: Contract) -> None:
    stage = wallet.stage
    stage.put(0xBEEF, bytes.fromhex("600435600a57600080fd5b00"))  # refuses to pay nothing
    for price, least in ((0, 0), (0, 3)):
        wallet.call("refund", price, least)
    stage.replays = [
        replace(item, recording=replace(item.recording, unknown=frozenset({Op.GASPRICE})))
        for item in stage.replays
    ]
    (clause,) = required(wallet, "refund")
    assert "arg0" in clause, clause


def test_what_depends_on_the_deployment_only_never_changes() -> None:
    arena = Arena()
    here, chain, sender = (arena.node(kind) for kind in ("this", "chain", "sender"))
    hashed = arena.parts("keccak", ((chain, 0, 32), (here, 0, 32)))
    assert hashed
    known = arena.constant(1 << 250)
    assert all(is_fixed(arena, arena.node("eq", item, known)) for item in (here, chain, hashed))
    assert not is_fixed(arena, arena.node("eq", sender, here))
    assert not is_fixed(arena, arena.node("eq", arena.node("storage", arena.constant(1), 0), here))
    assert not is_fixed(arena, known)
