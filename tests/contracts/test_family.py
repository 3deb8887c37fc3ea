"""Instances of one code: immutables and metadata are ignored, and nothing else; with code of real compilers."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from eth_abi.abi import encode
from hypothesis import given, settings
from hypothesis import strategies as st

from specminer.contracts.code_family import clone_target, family
from tests.support.solc import compile_sources, has_solc

pytestmark = pytest.mark.usefixtures("tools")

SOURCE: Final = """
// SPDX-License-Identifier: MIT
pragma solidity >=0.8.0;
contract Deal {
    bytes32 constant KIND = keccak256("%s");
    address immutable seller;
    uint256 immutable price;
    uint8 immutable rounds;
    bytes32 immutable domain;
    mapping(address => uint256) held;
    event Paid(address who, bytes32 kind);
    constructor(address _seller, uint256 _price, uint8 _rounds) {
        seller = _seller; price = _price; rounds = _rounds;
        domain = keccak256(abi.encode(_seller, address(this)));
    }
    function pay() external payable {
        require(msg.sender != seller && msg.value >= price * rounds, "no");
        held[msg.sender] += msg.value;
        emit Paid(msg.sender, KIND ^ domain);
    }
}
contract House {
    Deal[] public deals;
    function open(uint256 price) external { deals.push(new Deal(msg.sender, price, %d)); }
}
"""
TARGET: Final = bytes(range(1, 21))


@dataclass(frozen=True)
class Built:
    """A contract as the compiler left it: both codes, and where its immutables lie."""

    creation: bytes
    runtime: bytes
    immutables: tuple[tuple[int, int], ...]

    def deployed(self, rng: random.Random) -> bytes:
        """Return runtime code with immutables as a deployment fills them in."""
        code = bytearray(self.runtime)
        for start, end in self.immutables:
            code[start:end] = rng.randbytes(end - start)
        return bytes(code)


def built(output: dict[str, Any]) -> Built:
    places = output["evm"]["deployedBytecode"].get("immutableReferences", {})
    return Built(
        creation=bytes.fromhex(output["evm"]["bytecode"]["object"]),
        runtime=bytes.fromhex(output["evm"]["deployedBytecode"]["object"]),
        immutables=tuple(
            sorted(
                (item["start"], item["start"] + item["length"]) for group in places.values() for item in group
            )
        ),
    )


def compiled(kind: str = "deal", rounds: int = 3, runs: int | None = 200) -> dict[str, Built]:
    outputs = compile_sources({"deal.sol": SOURCE % (kind, rounds)}, runs=runs)
    return {name: built(output) for name, output in outputs.items()}


ARGUMENTS: Final = encode(["address", "uint256", "uint8"], ["0x" + "11" * 20, 5, 3])


@pytest.mark.parametrize("runs", [None, 1, 200, 1_000_000])
def test_the_creation_code_tells_where_immutables_lie(tools: Path, runs: int | None) -> None:
    deal = compiled(runs=runs)["Deal"]
    assert deal.immutables
    found = family(deal.deployed(random.Random(1)), deal.creation + ARGUMENTS)
    assert found.exact
    assert found.blanks == deal.immutables


@settings(max_examples=60)
@given(st.integers(0, 1 << 32), st.booleans())
def test_all_instances_are_held_whatever_their_immutables(seed: int, known: bool) -> None:
    deal, rng = compiled()["Deal"], random.Random(seed)
    found = family(deal.deployed(rng), deal.creation + ARGUMENTS if known else b"")
    assert found.holds(deal.deployed(rng))
    assert found.holds(deal.runtime)  # immutables that are zero


@settings(max_examples=150)
@given(st.integers(0, 1 << 32))
def test_nothing_else_is_ignored(seed: int) -> None:
    deal, rng = compiled()["Deal"], random.Random(seed)
    code = bytearray(deal.deployed(rng))
    found = family(bytes(code), deal.creation + ARGUMENTS)
    metadata = len(code) - 2 - int.from_bytes(code[-2:], "big")
    free = [at for at in range(metadata) if not any(start <= at < end for start, end in deal.immutables)]
    at = rng.choice(free)
    code[at] ^= rng.randint(1, 255)
    assert not found.holds(bytes(code))
    assert not found.holds(bytes(code[: rng.randrange(len(code))]))
    assert not found.holds(deal.deployed(rng) + b"\0")


@settings(max_examples=60)
@given(st.integers(0, 1 << 32))
def test_metadata_is_ignored(seed: int) -> None:
    deal, rng = compiled()["Deal"], random.Random(seed)
    code = deal.deployed(rng)
    bare = code[: -2 - int.from_bytes(code[-2:], "big")]
    found = family(code, deal.creation + ARGUMENTS)
    version = b"\x64solc\x43" + rng.randbytes(3)
    for body in (
        b"\xa2\x64ipfs\x58\x22" + rng.randbytes(34) + version,
        b"\xa3\x64ipfs\x58\x22" + rng.randbytes(34) + b"\x6cexperimental\xf5" + version,
        b"\xa1\x65bzzr0\x58\x20" + rng.randbytes(32),
        b"\xa2\x65bzzr1\x58\x20" + rng.randbytes(32) + version,
        b"\xa2\x64ipfs\x58\x22"
        + rng.randbytes(34)
        + b"\x64solc\x78\x2b0.8.30-develop.2025.1.1+commit.0123456789ab",
        b"\xa1" + version,
    ):
        other = bare + body + len(body).to_bytes(2, "big")
        assert found.holds(other), body[:8]
        assert family(other).holds(code)
        assert not found.holds(bare + body + (len(body) + 1).to_bytes(2, "big"))
    assert found.holds(bare)


def test_without_the_creation_code_constants_of_32_bytes_are_taken_for_immutables(tools: Path) -> None:
    one, other = compiled("deal")["Deal"], compiled("bargain")["Deal"]
    found = family(one.runtime)
    assert not found.exact
    assert set(one.immutables) < set(found.blanks)
    assert found.holds(other.runtime)
    assert not family(one.runtime, one.creation).holds(other.runtime)


def test_a_factory_is_known_whatever_the_metadata_of_the_code_it_carries(tools: Path) -> None:
    outputs = [
        compile_sources({name: SOURCE % ("deal", 3)}, runs=200)["House"] for name in ("a.sol", "b.sol")
    ]
    one, other = map(built, outputs)
    assert one.runtime != other.runtime  # the file's name is part of what the metadata's hash covers
    assert family(one.runtime, one.creation).holds(other.runtime)
    assert not family(one.runtime, one.creation).holds(compiled("deal", 4)["House"].runtime)


@pytest.mark.parametrize("package", ["solc-0.4.26", "solc-0.5.17"])
def test_old_compilers_metadata_is_known(tools: Path, package: str) -> None:
    if not has_solc(package):
        pytest.skip(f"missing part: {package}; run `make tools`")
    source = "pragma solidity >=0.4.0; contract Old { uint x; function f(uint v) public { x = v; } }"
    one, other = (
        built(compile_sources({name: source}, package=package)["Old"]) for name in ("a.sol", "b.sol")
    )
    assert one.runtime != other.runtime
    found = family(one.runtime, one.creation)
    assert (found.exact, found.blanks) == (True, ())
    assert found.holds(other.runtime)


VYPER_CREATION: Final = bytes.fromhex(
    "60a751503461003e5760206100ff5f395f518060a01c61003e57604052604051608752602061011f5f395f5160a752610087"
    "6100426000396100c76000f35b5f80fd5f3560e01c60026001821660011b61008301601e395f51565b6360fe47b181186100"
    "7b5760243610341761007f5760206100875f395f51331861007f5760043560206100a75f395f518082028115838383041417"
    "1561007f57905090505f55005b630c55699c811861007b573461007f575f5460405260206040f35b5f5ffd5b5f80fd006000"
    "18855820ad6199c9bdc7ce47b55f366d4a79f79e85a73a03c0dd36c65ede3e884f46f182188781041840a165767970657283"
    "0004030036"
)
"""What Vyper 0.4.3 makes of a contract with ``A: immutable(address)`` and ``B: immutable(uint256)``."""
VYPER_RUNTIME: Final = bytes.fromhex(
    "5f3560e01c60026001821660011b61008301601e395f51565b6360fe47b1811861007b5760243610341761007f5760206100"
    "875f395f51331861007f5760043560206100a75f395f5180820281158383830414171561007f57905090505f55005b630c55"
    "699c811861007b573461007f575f5460405260206040f35b5f5ffd5b5f80fd00600018"
)


@settings(max_examples=60)
@given(st.binary(min_size=64, max_size=64), st.binary(min_size=64, max_size=64), st.data())
def test_vypers_immutables_stand_behind_the_code(one: bytes, other: bytes, data: st.DataObject) -> None:
    found = family(VYPER_RUNTIME + one, VYPER_CREATION + one)
    assert found.exact
    assert found.blanks == ((len(VYPER_RUNTIME), len(VYPER_RUNTIME) + 64),)
    assert found.holds(VYPER_RUNTIME + other)
    assert not found.holds(VYPER_RUNTIME + other[:32])
    at = data.draw(st.integers(0, len(VYPER_RUNTIME) - 1))
    changed = bytearray(VYPER_RUNTIME + other)
    changed[at] ^= 1
    assert not found.holds(bytes(changed))


def clone(target: bytes, *, push0: bool = False) -> bytes:
    """Return the code of a minimal proxy: ERC-1167, or ERC-7511."""
    push = bytes([0x5F + len(target)]) + target
    if push0:
        landing = bytes([0x16 + len(target)])
        return (
            bytes.fromhex("365f5f375f5f365f") + push + bytes.fromhex("5af43d5f5f3e5f3d9160") + landing + END
        )
    landing = bytes([0x17 + len(target)])
    return bytes.fromhex("363d3d373d3d3d363d") + push + bytes.fromhex("5af43d82803e903d9160") + landing + END


END: Final = bytes.fromhex("57fd5bf3")


def test_the_minimal_proxies_of_the_standards_are_known() -> None:
    target = bytes.fromhex("be" * 20)
    assert clone(target).hex() == "363d3d373d3d3d363d73" + "be" * 20 + "5af43d82803e903d91602b57fd5bf3"
    assert (
        clone(target, push0=True).hex() == "365f5f375f5f365f73" + "be" * 20 + "5af43d5f5f3e5f3d91602a57fd5bf3"
    )
    assert clone_target(clone(target)) == clone_target(clone(target, push0=True)) == target
    assert clone_target(clone(target[4:])) == bytes(4) + target[4:]
    for code in (b"", b"\x36", clone(target)[:-1], clone(target)[:9], VYPER_RUNTIME, clone(b"")):
        assert clone_target(code) is None


@given(st.binary(min_size=20, max_size=20), st.binary(min_size=20, max_size=20), st.binary(max_size=40))
def test_minimal_proxies_are_known_by_their_target(one: bytes, other: bytes, arguments: bytes) -> None:
    found = family(clone(one))
    assert found.holds(clone(one) + arguments)
    assert found.holds(clone(one, push0=True))
    assert found.holds(clone(other)) == (one == other)
    assert not found.holds(VYPER_RUNTIME)


@settings(max_examples=200)
@given(st.binary(max_size=200), st.binary(max_size=300), st.binary(max_size=200))
def test_any_bytes_are_taken(code: bytes, creation: bytes, other: bytes) -> None:
    for found in (family(code), family(code, creation), family(code, creation + code + creation)):
        assert found.holds(code) == bool(code)
        assert not found.holds(b"")
        assert found.holds(other) <= (len(other) > 0)


def test_hostile_code_takes_no_time() -> None:
    pushes = b"\x7f" + bytes(32)
    for code in (
        pushes * 3_000,
        b"\x5b" * 100_000,
        b"\xa2\x64ipfs\x58\x22" * 10_000,
        b"\xa1\x64solc\x78\x20" * 9_000,
    ):
        assert family(code, code * 3).holds(code)
