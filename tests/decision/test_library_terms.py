"""What libraries compute is read as what it stands for: products of two words, quotients rounded up, calls."""

from __future__ import annotations

import pytest

from specminer.decision.aliases import evaluate_by_slots, slots_of
from specminer.decision.answer_terms import open_parts
from specminer.decision.clause_shapes import same_shape
from specminer.decision.idioms import subtracts_next
from specminer.decision.rounding import rounded_up
from specminer.evm.forks import FORKS
from specminer.evm.frame import FrameKind
from specminer.shadow.arena import MASK, Arena
from specminer.shadow.foreign_calls import ForeignCall
from tests.support.decisions import ALICE, BOB, Contract, Stage, clause_text, deployed
from tests.support.solc import compile_sources, has_solc

LEDGER = """
pragma solidity >=0.4.22;
contract C {
    mapping(address => uint) balance;
    constructor() public { balance[msg.sender] = 100; }
    function add(uint a, uint b) internal pure returns (uint c) { require((c = a + b) >= a, "sum overflow"); }
    function sub(uint a, uint b) internal pure returns (uint c) { require((c = a - b) <= a, "sub underflow"); }
    function send(address to, uint amount) public {
        balance[msg.sender] = sub(balance[msg.sender], amount);
        balance[to] = add(balance[to], amount);
    }
}
"""
SHARES = """
pragma solidity ^0.8.0;
contract C {
    uint total = 70; uint assets = 100; mapping(address => uint) share; uint last;
    constructor() { share[msg.sender] = 50; }
    function mulDiv(uint x, uint y, uint d) internal pure returns (uint z) {
        unchecked {
            uint low = x * y; uint high;
            assembly { let mm := mulmod(x, y, not(0)) high := sub(sub(mm, low), lt(mm, low)) }
            if (high == 0) return low / d;
            require(d > high, "mulDiv overflow");
            uint rest = mulmod(x, y, d);
            assembly { high := sub(high, gt(rest, low)) low := sub(low, rest) }
            uint twos = d & (0 - d);
            assembly { d := div(d, twos) low := div(low, twos) twos := add(div(sub(0, twos), twos), 1) }
            low |= high * twos;
            uint inverse = (3 * d) ^ 2;
            for (uint i = 0; i < 6; i++) inverse *= 2 - d * inverse;
            z = low * inverse;
        }
    }
    function redeem(uint shares) public {
        require(mulDiv(shares, assets, total) <= last + 40, "too much");
        last++;
    }
}
"""


def built(package: str, source: str) -> Contract:
    if not has_solc(package):
        pytest.skip(f"{package} is not installed")
    output = compile_sources({"C.sol": source}, package=package)["C"]
    return deployed(Stage(fork=FORKS["prague" if package == "solc" else "istanbul"]), output)


@pytest.mark.parametrize("package", ["solc-0.4.26", "solc-0.5.17"])
def test_what_is_sent_to_oneself_hides_no_condition(package: str) -> None:
    contract = built(package, LEDGER)
    contract.call("send", ALICE, 30)
    contract.call("send", BOB, 30)
    contract.call("send", ALICE, 30, sender=BOB)
    assert contract.clauses("send") == [
        "coded: S[H(sender,0)] >= arg1",
        "coded: (arg1 + S[H(field(arg0,0,160),0)]) >= arg1",
    ]


def test_a_product_of_two_words_is_one_product() -> None:
    contract = built("solc", SHARES)
    contract.call("redeem", 7)
    contract.call("redeem", 70)
    decisions = contract.decisions("redeem")
    own = [clause_text(decisions, item) for item in decisions.clauses if item.maker == "contract"]
    assert own == ["required: ((arg0 * S[1]) / S[0]) <= (S[3] + 40)"] or own == [
        "required: (S[3] + 40) >= ((arg0 * S[1]) / S[0])"
    ]


def test_a_quotient_that_is_rounded_up_is_found() -> None:
    arena = Arena()
    first, second, divisor = (arena.node("calldata", offset) for offset in (4, 36, 68))
    product = arena.node("mul", first, second)
    quotient = arena.node("div", product, divisor)
    for rest in (arena.node("mulmod", second, first, divisor), arena.node("mod", product, divisor)):
        more = arena.node("iszero", arena.node("iszero", rest))
        for key in (("add", quotient, more), ("add", more, quotient)):
            assert rounded_up(arena, key) == quotient
        assert rounded_up(arena, ("add", quotient, arena.node("iszero", rest))) is None
    assert rounded_up(arena, ("add", quotient, arena.node("mulmod", first, first, divisor))) is None
    assert rounded_up(arena, ("add", first, second)) is None


def test_parts_that_are_taken_away_again_cancel() -> None:
    arena = Arena()
    first, second = (arena.node("calldata", offset) for offset in (4, 36))
    total, rest = arena.node("add", first, second), arena.node("sub", first, second)
    assert arena.make("sub", total, second) == first
    assert arena.make("sub", total, first) == second
    assert arena.make("add", rest, second) == first
    assert arena.make("sub", first, rest) == second
    assert arena.make("sub", second, rest) not in (None, 0, first)
    place = arena.make("add", first, arena.constant(36)) or 0
    assert arena.make("sub", place, arena.make("add", first, arena.constant(MASK - 3)) or 0) is None
    assert arena.make("sub", place, first) is None
    assert arena.make("sub", first, place) is None


def test_a_word_that_was_moved_to_the_left_is_opened() -> None:
    arena = Arena()
    word = arena.node("calldata", 36)
    low = arena.shift(arena.field(word, 0, 32) or 0, 224)
    assert low
    assert open_parts(arena, ((word, 0, 28), (low, 0, 4))) == ((word, 0, 32),)
    assert open_parts(arena, ((low, 2, 4),))[0] == (word, 30, 2)  # the other two bytes are zeros


def test_storage_that_was_found_in_another_way_is_known() -> None:
    arena = Arena()
    first, second = (arena.node("calldata", offset) for offset in (4, 36))
    mine, other = (
        arena.node("storage", arena.node("keccak", ((item, 0, 32),)), 0) for item in (first, second)
    )
    inputs = {first: 5, second: 5, mine: 90}
    slots = slots_of(arena, inputs)
    assert evaluate_by_slots(arena, arena.node("add", other, first), inputs, slots) == 95
    with pytest.raises(KeyError):
        evaluate_by_slots(arena, other, {**inputs, second: 6}, slots)


def test_a_subtraction_right_behind_a_check_belongs_to_it() -> None:
    push_target = bytes((0x61, 0x00, 0x08, 0x57))  # PUSH2 8 JUMPI
    behind = bytes((0x5B, 0x50, 0x60, 0x00, 0x82, 0x84, 0x03))  # JUMPDEST POP PUSH1 0 DUP3 DUP5 SUB
    code = push_target + bytes(4) + behind
    assert subtracts_next(code, 3, jumps=True)
    assert not subtracts_next(code, 3, jumps=False)
    assert not subtracts_next(code.replace(b"\x82", b"\x54"), 3, jumps=True)  # it loads first
    assert not subtracts_next(code, 2, jumps=True)
    assert not subtracts_next(b"", 0, jumps=True)


def test_calls_of_two_variables_are_no_rounds_of_one_loop() -> None:
    arena = Arena()

    def success(slot: int, data: int = 4) -> int:
        receiver = arena.node("storage", slot, 0)
        call = ForeignCall(FrameKind.CALL, receiver, arena.constant(0), ((arena.constant(1), 28, 4),), data)
        return arena.node("success", arena.foreign.number(call))

    first, second = (arena.constant(slot) for slot in (6, 7))
    begin = arena.constant(1 << 255 | 5)
    third, fourth = (arena.make("add", arena.node("calldata", offset), begin) or 0 for offset in (4, 36))
    assert not same_shape(arena, success(first), success(second))
    assert same_shape(arena, success(first), success(first, 36))
    assert same_shape(arena, success(third), success(fourth))
