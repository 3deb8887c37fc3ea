"""Precompiled contracts against the specification: input that is right, nearly right and wrong."""

from __future__ import annotations

import random
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from eth_keys.datatypes import PrivateKey
from py_ecc.bls.point_compression import compress_G1
from py_ecc.optimized_bls12_381 import G1 as BLS_G1
from py_ecc.optimized_bls12_381 import G2 as BLS_G2
from py_ecc.optimized_bls12_381 import multiply as bls_multiply
from py_ecc.optimized_bls12_381 import neg as bls_neg
from py_ecc.optimized_bls12_381 import normalize as bls_normalize
from py_ecc.optimized_bn128 import G1, G2, multiply, neg, normalize

from specminer.evm.forks import FORKS
from specminer.evm.frame import BlockContext
from specminer.evm.signature_recovery import P256
from specminer.evm.transaction_execution import EvmTransaction, intrinsic_costs
from tests.support.programs import SENDER
from tests.support.reference import Given, Scenario, by_engine, by_reference, differences

Draw = random.Random


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def recoverable(draw: Draw) -> bytes:
    digest = draw.randbytes(32)
    signature = PrivateKey(draw.randbytes(32)).sign_msg_hash(digest)
    return digest + word(27 + signature.v) + word(signature.r) + word(signature.s)


def signed_p256(draw: Draw) -> bytes:
    secret, nonce, message = (draw.randrange(1, P256.order) for _ in range(3))
    public, point = P256.combine(secret, 0, P256.generator), P256.combine(nonce, 0, P256.generator)
    assert public is not None
    assert point is not None
    r = point[0] % P256.order
    s = pow(nonce, -1, P256.order) * (message + r * secret) % P256.order
    return b"".join(map(word, (message, r, s, *public)))


def _bn_point(factor: int) -> bytes:
    return b"".join(word(int(part)) for part in normalize(multiply(G1, factor)))


def _bn_pair(first: Any, second: Any) -> bytes:
    left = b"".join(word(int(part)) for part in normalize(first))
    return left + b"".join(word(int(part)) for pair in normalize(second) for part in reversed(pair.coeffs))


def bn_addition(draw: Draw) -> bytes:
    return _bn_point(draw.randrange(1, 99)) + _bn_point(draw.randrange(1, 99))


def bn_multiplication(draw: Draw) -> bytes:
    return _bn_point(draw.randrange(1, 99)) + word(draw.getrandbits(256))


def bn_pairing(draw: Draw) -> bytes:
    factor = draw.randrange(2, 9)
    return _bn_pair(multiply(G1, factor), G2) + _bn_pair(neg(G1), multiply(G2, factor))


def _bls_g1(point: Any) -> bytes:
    return b"".join(int(part).to_bytes(64, "big") for part in bls_normalize(point))


def _bls_g2(point: Any) -> bytes:
    return b"".join(int(part).to_bytes(64, "big") for pair in bls_normalize(point) for part in pair.coeffs)


def bls_pairing(draw: Draw) -> bytes:
    factor = draw.randrange(2, 9)
    first = _bls_g1(bls_multiply(BLS_G1, factor)) + _bls_g2(BLS_G2)
    return first + _bls_g1(bls_neg(BLS_G1)) + _bls_g2(bls_multiply(BLS_G2, factor))


def bls_sum_g1(draw: Draw) -> bytes:
    return b"".join(_bls_g1(bls_multiply(BLS_G1, draw.randrange(1, 99))) for _ in range(2))


def bls_sum_g2(draw: Draw) -> bytes:
    return b"".join(_bls_g2(bls_multiply(BLS_G2, draw.randrange(1, 99))) for _ in range(2))


def bls_products_g1(draw: Draw) -> bytes:
    points = (_bls_g1(bls_multiply(BLS_G1, draw.randrange(1, 99))) for _ in range(3))
    return b"".join(point + word(draw.getrandbits(256)) for point in points)


def bls_products_g2(draw: Draw) -> bytes:
    points = (_bls_g2(bls_multiply(BLS_G2, draw.randrange(1, 99))) for _ in range(2))
    return b"".join(point + word(draw.getrandbits(256)) for point in points)


def proof_of_a_constant(draw: Draw) -> bytes:
    """Return the proof that a polynomial without x has its value everywhere."""
    value = draw.randrange(1, 1 << 100)
    commitment = int(compress_G1(bls_multiply(BLS_G1, value))).to_bytes(48, "big")
    known = b"\x01" + sha256(commitment).digest()[1:]
    return known + word(draw.getrandbits(200)) + word(value) + commitment + b"\xc0" + bytes(47)


def powers(draw: Draw) -> bytes:
    sizes = [draw.choice((0, 1, 5, 32, 33, 64, 96, 200)) for _ in range(3)]
    return b"".join(map(word, sizes)) + draw.randbytes(
        sum(sizes) - draw.choice((0, 0, 1)) if sum(sizes) else 0
    )


def compressions(draw: Draw) -> bytes:
    return draw.randrange(40).to_bytes(4, "big") + draw.randbytes(208) + bytes([draw.randrange(3)])


CASES: dict[str, tuple[int, Callable[[Draw], bytes], tuple[str, ...], int]] = {
    "ecrecover": (1, recoverable, ("frontier", "osaka"), 4),
    "sha256": (2, lambda draw: draw.randbytes(70), ("frontier", "prague"), 3),
    "ripemd160": (3, lambda draw: draw.randbytes(70), ("frontier", "prague"), 3),
    "identity": (4, lambda draw: draw.randbytes(70), ("frontier", "prague"), 3),
    "modexp": (5, powers, ("byzantium", "berlin", "osaka"), 12),
    "bn128 add": (6, bn_addition, ("byzantium", "istanbul"), 3),
    "bn128 multiply": (7, bn_multiplication, ("byzantium", "istanbul"), 3),
    "bn128 pairing": (8, bn_pairing, ("istanbul",), 1),
    "blake2": (9, compressions, ("istanbul", "osaka"), 6),
    "point evaluation": (10, proof_of_a_constant, ("cancun",), 1),
    "bls add 1": (11, bls_sum_g1, ("prague",), 2),
    "bls multiply 1": (12, bls_products_g1, ("prague",), 1),
    "bls add 2": (13, bls_sum_g2, ("prague",), 2),
    "bls multiply 2": (14, bls_products_g2, ("prague",), 1),
    "bls pairing": (15, bls_pairing, ("prague",), 1),
    "bls map 1": (16, lambda draw: bytes(17) + draw.randbytes(47), ("prague",), 2),
    "bls map 2": (17, lambda draw: (bytes(17) + draw.randbytes(47)) * 2, ("prague",), 1),
    "p256": (0x100, signed_p256, ("osaka",), 3),
}


def ending(address: int, fork: str, data: bytes, gas: int = 3_000_000) -> bytes | None:
    """Return what both machines give for an input; ``None`` if it fails."""
    case = Scenario(
        fork=fork,
        accounts={SENDER: Given(balance=1 << 80)},
        transaction=EvmTransaction(sender=SENDER, to=address, data=data, gas=gas),
        block=BlockContext(),
    )
    mine = by_engine(case)
    assert differences(mine, by_reference(case)) == []
    return None if mine.halt else mine.output


@pytest.mark.parametrize("name", CASES)
def test_right_input(name: str) -> None:
    address, make, forks, count = CASES[name]
    for fork in forks:
        answers = {ending(address, fork, make(Draw(seed))) for seed in range(count)}
        assert answers - {None, b""}, "none of the inputs was right"
        if name.endswith("pairing"):
            assert answers == {word(1)}


@pytest.mark.parametrize("name", [name for name in CASES if name != "point evaluation"])
def test_wrong_input(name: str) -> None:
    address, make, forks, _ = CASES[name]
    draw = Draw(name)
    for fork in forks[-1:]:
        right = make(draw)
        place = draw.randrange(len(right))
        for data in (
            b"",
            right[:-1],
            right + b"\0",
            right[:place] + bytes([right[place] ^ 1 << draw.randrange(8)]) + right[place + 1 :],
            b"\xff" * len(right),
            bytes(len(right)),
        ):
            if (
                name != "blake2" or data[:1] == b"\0"
            ):  # else there are billions of rounds, which no gas pays for
                ending(address, fork, data)


@pytest.mark.parametrize("name", CASES)
def test_too_little_gas(name: str) -> None:
    address, make, forks, _ = CASES[name]
    for fork in forks:
        assert FORKS[fork].precompiles >= {address}
        data = make(Draw(5))
        costs = intrinsic_costs(FORKS[fork], EvmTransaction(sender=SENDER, to=address, data=data, gas=0))
        # a least price of calldata leaves more for the contract than it may need
        answer = ending(address, fork, data, gas=max(costs) + 10)
        assert answer is None or costs[1] > costs[0] or name in {"modexp", "blake2"}


def test_a_proof_of_another_value_is_none() -> None:
    right = proof_of_a_constant(Draw(1))
    assert ending(10, "cancun", right[:95] + bytes([right[95] ^ 1]) + right[96:]) is None
    assert ending(10, "cancun", bytes([2]) + right[1:]) is None
