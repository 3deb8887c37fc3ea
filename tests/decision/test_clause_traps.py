"""What hides a cause: shared reverts, calls inside calls, packed fields, answers of others, checks of compilers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from specminer.decision import Check
from specminer.evm.opcodes import Op
from tests.support.decisions import ALICE, BOB, CAROL, Contract, Stage, clause_text, deployed
from tests.support.programs import push
from tests.support.solc import compile_sources, has_solc

SOURCE = Path(__file__).parent.parent / "support" / "guarded" / "Traps.sol"
VYPER: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "data" / "guarded.json").read_text()
)
ADMIN = "0xc9722b489ed53b220bc9ef5a10c85010562ad53784a8ce48cc91a488f0c55089"
"""Where the holders of the role are listed: the hash of its name and the number of the mapping."""
WAYS: dict[str, dict[str, Any]] = {
    "optimised": {},
    "not optimised": {"runs": None},
    "by way of Yul": {"via_ir": True},
}


@pytest.fixture(scope="module", params=WAYS)
def contracts(request: pytest.FixtureRequest) -> tuple[Contract, Contract]:
    """Return the contract and its token."""
    if not has_solc():
        pytest.skip("solc is not installed")
    output = compile_sources({"Traps.sol": SOURCE.read_text()}, **WAYS[request.param])
    stage = Stage()
    token = deployed(stage, output["Token"])
    return deployed(stage, output["Traps"], token.address), token


@pytest.fixture
def contract(contracts: tuple[Contract, Contract]) -> Contract:
    return contracts[0]


def test_another_contract_fails_or_answers_no(contracts: tuple[Contract, Contract]) -> None:
    contract, token = contracts
    contract.call("deposit", 5)
    token.call("setup", False, False)
    contract.call("deposit", 5)
    token.call("setup", True, True)
    contract.call("deposit", 5)
    assert contract.clauses("deposit") == ["required: answer(0,0)", "required: success(0)"]
    token.call("mint", contract.address, 100)
    contract.call("enough", 50)
    contract.call("enough", 500)
    assert contract.clauses("enough") == ["required: answer(0,0) >= arg0"]


def test_fields_of_one_slot_and_errors_with_arguments(contract: Contract) -> None:
    for value, sender in ((5, ALICE), (4, ALICE), (9, BOB)):
        contract.call("setPacked", value, sender=sender)
    contract.call("close", True)
    contract.call("setPacked", 9)
    contract.call("close", False, sender=BOB)
    assert contract.clauses("setPacked") == [
        "required: field(arg0,0,64) >= field(S[2],128,64)",
        "required: sender = field(S[1],0,160)",
        "required: not field(S[2],192,8)",
    ]


def test_checked_arithmetic_is_told_as_the_comparison_that_it_is(contract: Contract) -> None:
    contract.call("sub", 5)
    contract.call("sub", 500)
    contract.call("add", 7)
    contract.call("add", (1 << 128) - 3)
    for function, text in (
        ("sub", "required: S[H(sender,5)] >= arg0"),
        ("add", f"required: {(1 << 128) - 1:#x} >= (field(arg0,0,128) + field(S[2],0,128))"),
    ):
        decisions = contract.decisions(function)
        assert [clause_text(decisions, clause) for clause in decisions.clauses] == [text]
        assert decisions.clauses[0].check is Check.ARITHMETIC


def test_signed_comparisons_stay_signed(contract: Contract) -> None:
    for value in (3, 7, -7, 3, -4):
        contract.call("setSigned", value)
    assert contract.clauses("setSigned") == [
        "required: arg0 <s 5",
        f"required: {(1 << 256) - 5:#x} <s arg0",
        "required: arg0 != S[3]",
    ]


def test_a_function_that_is_called_from_two_places(contract: Contract) -> None:
    contract.call("adminOnly", 1)
    contract.call("adminOnly", 1, sender=BOB)
    contract.call("grant", BOB)
    assert contract.clauses("adminOnly") == [f"required: field(S[H(sender,{ADMIN})],0,8)"]
    for other, sender in ((BOB, ALICE), (CAROL, ALICE), (CAROL, CAROL), (0, ALICE)):
        contract.call("twice", 1, other, sender=sender)
    assert contract.clauses("twice") == [
        f"required: field(S[H(field(arg1,0,160),{ADMIN})],0,8) or not field(arg1,0,160)",
        f"required: field(S[H(sender,{ADMIN})],0,8)",
    ]


def test_a_rejection_that_is_caught_is_no_cause(contract: Contract) -> None:
    for value in (7, 8, 101):
        contract.call("tryIt", value)
    assert contract.clauses("tryIt") == ["required: 100 < arg0 or arg0 = 7"]


def test_of_calls_by_delegation_that_arguments_choose_only_their_success_counts(contract: Contract) -> None:
    inner, admin = contract.data("inner", 7), contract.data("adminOnly", 3)
    for calls, sender in (
        ([inner, admin], ALICE),
        ([inner, contract.data("inner", 9)], ALICE),
        ([admin], CAROL),
        ([], ALICE),
    ):
        contract.call("multicall", calls, sender=sender)
    found = [text for text in contract.clauses("multicall") if text.startswith("required")]
    assert found == ["required each: success(0) or not data[arg0 + 4]"]


def test_ether_that_cannot_be_sent(contracts: tuple[Contract, Contract]) -> None:
    contract, token = contracts
    contract.call("pay", BOB, 5, value=5)
    contract.call("pay", BOB, 5, sender=BOB)
    contract.call("pay", token.address, 5, value=5)
    assert contract.clauses("pay") == [
        "required: sender = field(S[1],0,160) or value >= arg1",
        "required: success(0)",
    ]


def test_each_branch_has_its_own_demand(contract: Contract) -> None:
    for branch, value in ((1, 11), (1, 1), (2, 21), (2, 1), (3, 40), (3, 1)):
        contract.call("choice", branch, value)
    assert contract.clauses("choice") == [
        "required: 10 < arg1 or arg0 != 1",
        "required: 20 < arg1 or arg0 != 2",
        "required: 30 < arg1 or arg0 = 2 or arg0 = 1",
    ]


def test_checks_of_the_compiler_are_told_apart(contract: Contract) -> None:
    contract.call("ratio", 9, 3)
    contract.call("ratio", 9, 8)
    contract.call("ratio", 9, 0)
    contract.call("ratio", 9, 3, value=1)
    contract.stage.execute(contract.address, contract.selector("ratio") + bytes(5))
    decisions = contract.decisions("ratio")
    assert {clause_text(decisions, clause): clause.check for clause in decisions.clauses} == {
        "required: (arg0 / arg1) >= 2": Check.OWN,
        "required: arg1": Check.ARITHMETIC,
        "required: not value": Check.PAYABILITY,
        f"required: (data_size + {(1 << 256) - 4:#x}) >=s 64": Check.CALLDATA,
    }
    for function, arguments in (("push", (1,)), ("pop", ()), ("pop", ())):
        contract.call(function, *arguments)
    decisions = contract.decisions("pop")
    assert [(clause_text(decisions, item), item.check) for item in decisions.clauses] == [
        ("required: S[10]", Check.BOUNDS)
    ]


def test_an_assertion_is_the_contracts_own(contract: Contract) -> None:
    contract.call("check", 12)
    contract.call("check", 13)
    assert contract.clauses("check") == ["required: arg0 != 13"]


def test_a_check_that_no_call_tried_is_coded(contract: Contract) -> None:
    contract.call("forget", ALICE)
    contract.call("forget", BOB)
    assert contract.clauses("forget") == ["required: field(arg0,0,160) = field(S[1],0,160)", "coded: S[4]"]


def test_rejected_by_all_and_accepted_by_none() -> None:
    code = argument(0) + bytes([Op.ISZERO]) + push(20) + bytes([Op.JUMPI])
    code = code.ljust(20, bytes([Op.INVALID])) + bytes([Op.JUMPDEST, Op.STOP])
    stage = Stage()
    address = stage.put(0xC0DE << 80, code)
    stage.execute(address, bytes(4) + (5).to_bytes(32, "big"))
    decisions = stage.decisions(address, bytes(4))
    (clause,) = decisions.clauses
    assert clause_text(decisions, clause) == "required: not arg0"
    assert (clause.rejected_calls, clause.pass_count, clause.undecided) == ((0,), 0, 0)


def argument(number: int) -> bytes:
    return push(4 + 32 * number) + bytes([Op.CALLDATALOAD])


def called(code: bytes, *arguments: tuple[int, int]) -> list[str]:
    """Return the clauses of code that was called with pairs of arguments."""
    stage = Stage()
    address = stage.put(0xC0DE << 80, code)
    for pair in arguments:
        stage.execute(address, bytes(4) + b"".join(item.to_bytes(32, "big") for item in pair))
    decisions = stage.decisions(address, bytes(4))
    return [clause_text(decisions, clause) for clause in decisions.clauses]


REVERT = bytes([Op.JUMPDEST]) + push(0) + push(0) + bytes([Op.REVERT])


def test_checks_that_share_their_revert() -> None:
    code = b"".join(argument(number) + bytes([Op.ISZERO]) + push(30) + bytes([Op.JUMPI]) for number in (0, 1))
    code = (code + bytes([Op.STOP])).ljust(30, b"\0") + REVERT
    assert called(code, (1, 1), (0, 1), (1, 0)) == ["required: arg0", "required: arg1"]
    assert called(code, (1, 1), (0, 0)) == ["required: arg0", "coded: arg1"]


def test_a_jump_to_a_computed_target_is_a_decision() -> None:
    code = argument(0) + push(20) + bytes([Op.ADD, Op.JUMP])
    code = code.ljust(20, b"\0") + bytes([Op.JUMPDEST, Op.STOP]) + bytes([Op.JUMPDEST])
    code = (code + argument(1) + push(40) + bytes([Op.JUMPI]) + push(0) * 2 + bytes([Op.REVERT])).ljust(
        40, b"\0"
    )
    code += bytes([Op.JUMPDEST, Op.STOP])
    assert called(code, (0, 0), (2, 1), (2, 0)) == ["required: arg1 or arg0 != 2"]


def test_a_truth_that_is_computed_without_branches() -> None:
    code = argument(0) + bytes([Op.ISZERO]) + argument(1) + push(5) + bytes([Op.LT, Op.OR])
    code += push(30) + bytes([Op.JUMPI, Op.STOP])
    code = code.ljust(30, b"\0") + REVERT
    assert called(code, (1, 3), (0, 3), (1, 7)) == ["required: arg0", "required: 5 >= arg1"]


@pytest.fixture(scope="module", params=VYPER)
def vyper(request: pytest.FixtureRequest) -> Contract:
    output = VYPER[request.param]
    return deployed(Stage(), {"abi": output["abi"], "evm": {"bytecode": {"object": output["bytecode"]}}})


def test_vyper_auction(vyper: Contract) -> None:
    for value, sender in ((5, ALICE), (5, ALICE), (7, BOB)):
        vyper.call("bid", value=value, sender=sender)
    for sender in (CAROL, BOB, ALICE):
        vyper.call("finish", sender=sender)
    vyper.stage.time += 1_000
    vyper.call("bid", value=70)
    assert vyper.clauses("bid") == ["required: S[4] < value", "required: time < S[3]"]
    assert vyper.clauses("finish") == ["required: sender = S[5] or sender = S[0]", "required: not S[6]"]


def test_vyper_balances_and_loops(vyper: Contract) -> None:
    for to, value in ((BOB, 5), (0, 5), (BOB, 500)):
        vyper.call("send", to, value)
    vyper.stage.execute(vyper.address, vyper.selector("send") + b"\xff" * 64)
    decisions = vyper.decisions("send")
    assert {
        clause_text(decisions, item): item.check for item in decisions.clauses if item.rejected_calls
    } == {
        "required: arg0": Check.OWN,
        "required: S[H(1,sender)] >= arg1": Check.OWN,
        "required: not field(arg0,160,96)": Check.DECODING,
    }
    for values in ([4, 5], [4, 5, 3], [], [1]):
        vyper.call("total", values)
    (clause,) = [item for item in vyper.clauses("total") if item.startswith("required")]
    assert clause in (
        "required each: data[arg0 + 36] >= 4 or not data[arg0 + 4]",
        "required each: 3 < data[arg0 + 36] or not data[arg0 + 4]",
    )
    for index in (0, 3):
        vyper.call("push", 1)
        vyper.call("at", index, 4)
    assert vyper.clauses("at") == ["required: arg0 < S[8]"]
