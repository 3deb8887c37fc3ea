"""Whose a condition is: the contract's own, or a compiler's or a library's, which is told where it rejected a call."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from eth_keys.datatypes import PrivateKey
from msgspec import convert

from specminer.contracts.artifact import AbiEntry
from specminer.decision.argument_names import enum_places
from specminer.decision.deciding import decide
from specminer.decision.paths import Check
from specminer.evm.forks import FORKS
from tests.support.decisions import ALICE, BOB, Contract, Stage, clause_text, deployed
from tests.support.solc import compile_sources, has_solc

OLD = ("solc-0.4.26", "solc-0.5.17")
MATHS = {
    "with texts": ("require(b <= a, 'Sums: subtraction overflow')", "require(c >= a, 'Sums: addition overflow')",
                   "require(c / a == b, 'Sums: multiplication overflow')"),
    "without texts": ("require(b <= a)", "require(c >= a)", "require(c / a == b)"),
    "with assertions": ("assert(b <= a)", "assert(c >= a)", "assert(c / a == b)"),
}  # fmt: skip
POOL = """
pragma solidity >=0.4.22;
library Sums {
    function sub(uint a, uint b) internal pure returns (uint) { SUB; return a - b; }
    function add(uint a, uint b) internal pure returns (uint) { uint c = a + b; ADD; return c; }
    function mul(uint a, uint b) internal pure returns (uint) {
        if (a == 0) return 0;
        uint c = a * b; MUL; return c;
    }
}
contract C {
    using Sums for uint;
    uint total; uint last = 1; uint rate = 3; uint paid;
    mapping(address => uint) share;
    function put(uint amount) public {
        total = total.add(amount);
        share[msg.sender] = share[msg.sender].add(amount);
    }
    function take(uint amount) public {
        share[msg.sender] = share[msg.sender].sub(amount);
        total = total.sub(amount);
    }
    function leave() public { total = total.sub(share[msg.sender]); share[msg.sender] = 0; }
    function accrue() public {
        paid = paid.add(block.timestamp.sub(last).mul(rate));
        last = block.timestamp;
    }
    function open() public { require(block.timestamp >= last, "not open yet"); paid = block.timestamp - last; }
}
"""


def kinds(contract: Contract, name: str) -> dict[str, Check]:
    """Return what each condition of a function is for."""
    decisions = contract.decisions(name)
    return {clause_text(decisions, clause): clause.check for clause in decisions.clauses}


def own(contract: Contract, name: str) -> set[str]:
    return {text for text, check in kinds(contract, name).items() if check is Check.OWN}


def built(package: str, source: str, name: str = "C", **options: Any) -> Contract:
    if not has_solc(package):
        pytest.skip(f"{package} is not installed")
    output = compile_sources({"C.sol": source}, package=package, **options)[name]
    return deployed(Stage(fork=FORKS["prague" if package == "solc" else "istanbul"]), output)


@pytest.fixture(scope="module", params=[(package, maths) for package in OLD for maths in MATHS])
def pool(request: pytest.FixtureRequest) -> Contract:
    package, maths = request.param
    sub, add, mul = MATHS[maths]
    contract = built(package, POOL.replace("SUB", sub).replace("ADD", add).replace("MUL", mul))
    for name, *arguments in (("put", 50), ("take", 20), ("accrue",), ("accrue",), ("open",), ("leave",)):
        assert contract.call(name, *arguments).succeeded
    return contract


SHARE = "S[H(sender,4)]"


def test_a_library_checks_what_is_computed_of_stored_values(pool: Contract) -> None:
    assert own(pool, "leave") == set()
    assert own(pool, "accrue") == set()


def test_what_an_argument_may_take_of_what_is_stored_is_the_contracts_own(pool: Contract) -> None:
    assert own(pool, "take") == {f"coded: {SHARE} >= arg0", "coded: S[0] >= arg0"}


def test_a_difference_that_the_contract_speaks_of_is_its_own(pool: Contract) -> None:
    assert own(pool, "open") == {"coded: time >= S[1]"}


def test_a_difference_that_rejected_a_call_is_the_contracts_own() -> None:
    sub, add, mul = MATHS["with texts"]
    contract = built("solc-0.5.17", POOL.replace("SUB", sub).replace("ADD", add).replace("MUL", mul))
    contract.call("put", 50)
    contract.call("take", 60)
    contract.call("take", 50)
    assert own(contract, "take") == {f"required: {SHARE} >= arg0", "coded: S[0] >= arg0"}


ASKING = """
pragma solidity ^0.5.0;
contract Token {
    mapping(address => uint) public balanceOf;
    function transfer(address to, uint amount) public returns (bool) {
        require(balanceOf[msg.sender] >= amount);
        balanceOf[msg.sender] -= amount; balanceOf[to] += amount; return true;
    }
    function mint(address to, uint amount) public { balanceOf[to] += amount; }
}
contract C {
    Token token; uint seen;
    constructor() public { token = new Token(); token.mint(address(this), 100); }
    function look() public { seen = token.balanceOf(address(this)); }
    function pay(address to, uint amount) public {
        uint size; address target = address(token);
        assembly { size := extcodesize(target) }
        require(size > 0, "call to non-contract");
        (bool success, bytes memory answer) = target.call(abi.encodeWithSelector(token.transfer.selector, to, amount));
        require(success, "transfer failed");
        if (answer.length > 0) require(abi.decode(answer, (bool)), "transfer refused");
    }
    function register(address who) public {
        uint size;
        assembly { size := extcodesize(who) }
        require(size > 0, "no contract");
        token = Token(who);
    }
}
"""


@pytest.fixture(scope="module")
def asking() -> Contract:
    return built("solc-0.5.17", ASKING)


def test_questions_to_other_contracts_are_answered(asking: Contract) -> None:
    assert asking.call("look").succeeded
    assert own(asking, "look") == set()
    assert set(kinds(asking, "look").values()) == {Check.ANSWER}


def test_that_a_payment_succeeds_is_the_contracts_own(asking: Contract) -> None:
    assert asking.call("pay", BOB, 5).succeeded
    found = kinds(asking, "pay")
    assert {text.partition("(")[0] for text, check in found.items() if check is Check.OWN} == {
        "coded: success", "coded: answer",
    }  # fmt: skip
    assert found["coded: code_size(field(S[0],0,160),0)"] is Check.ANSWER


def test_code_that_is_wanted_but_not_called_is_the_contracts_own(asking: Contract) -> None:
    assert asking.call("register", asking.address).succeeded
    assert own(asking, "register") == {"coded: code_size(field(arg0,0,160),0)"}


SIGNED = """
pragma solidity ^0.8.0;
contract C {
    error SafeCastOverflowedUintDowncast(uint8 bits, uint256 value);
    mapping(address => uint) used; uint96 amount; uint112 kept;
    function claim(bytes32 digest, bytes memory signature) public {
        require(signature.length == 65, "bad length");
        bytes32 r; bytes32 s; uint8 v;
        assembly {
            r := mload(add(signature, 32)) s := mload(add(signature, 64)) v := byte(0, mload(add(signature, 96)))
        }
        recover(digest, v, r, s);
    }
    function permit(bytes32 digest, uint8 v, bytes32 r, bytes32 s) public { recover(digest, v, r, s); }
    function recover(bytes32 digest, uint8 v, bytes32 r, bytes32 s) internal {
        require(uint(s) <= 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0, "malleable");
        address signer = ecrecover(digest, v, r, s);
        require(signer != address(0), "nobody");
        used[signer]++;
    }
    function cast(uint value) public {
        if (value > type(uint96).max) revert SafeCastOverflowedUintDowncast(96, value);
        amount = uint96(value);
    }
    function bound(uint value) public { require(value <= type(uint112).max, "too much"); kept = uint112(value); }
}
"""


@pytest.fixture(scope="module")
def signed() -> Contract:
    return built("solc", SIGNED)


def test_that_a_signature_is_canonical_is_the_librarys(signed: Contract) -> None:
    digest = bytes(range(32))
    key = PrivateKey((7).to_bytes(32, "big"))
    signature = key.sign_msg_hash(digest)
    r, s = (item.to_bytes(32, "big") for item in (signature.r, signature.s))
    assert signed.call("permit", digest, signature.v + 27, r, s).succeeded
    assert signed.call("claim", digest, r + s + bytes([signature.v + 27])).succeeded
    for name in ("permit", "claim"):
        (text,) = own(signed, name)
        assert "answer(" in text
        assert Check.SIGNATURE in kinds(signed, name).values()


def test_casts_are_the_librarys_and_bounds_the_contracts_own(signed: Contract) -> None:
    assert signed.call("cast", 5).succeeded
    assert signed.call("bound", 5).succeeded
    assert own(signed, "cast") == set()
    assert len(own(signed, "bound")) == 1


def test_a_cast_that_rejected_a_call_is_told_as_the_librarys(signed: Contract) -> None:
    signed.call("cast", 5, sender=ALICE)
    signed.call("cast", 1 << 96)
    assert [check for text, check in kinds(signed, "cast").items() if text.startswith("required")] == [
        Check.DECODING
    ]


CHOICES = """
pragma solidity ^0.8.0;
contract C {
    enum Kind { Call, Delegate, Create }
    uint last;
    function run(uint[2] memory pair, Kind kind) public { last = pair[0] + uint(kind); }
    function vote(uint8 support) public { require(support <= 1); last = support; }
}
"""


def test_that_an_argument_is_one_of_an_enum_is_the_compilers() -> None:
    contract = built("solc", CHOICES)
    assert contract.call("run", [3, 4], 1).succeeded
    assert contract.call("vote", 1).succeeded
    found = {}
    for name in ("run", "vote"):
        (entry,) = (item for item in contract.abi if item.get("name") == name)
        enums = enum_places(convert(entry, AbiEntry).inputs)
        runs = replace(contract.stage.runs(contract.address, contract.selector(name)), enums=enums)
        decisions = decide(runs, contract.stage.replay)
        found[name] = {clause_text(decisions, item) for item in decisions.clauses if item.check is Check.OWN}
    assert found == {"run": set(), "vote": {"coded: 1 >= field(arg0,0,8)"}}
    assert own(contract, "run") == {"coded: arg2 < 3"}  # without the ABI
