"""Proofs that a blob's polynomial has a value at a point (EIP-4844), by ``py_ecc``."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final, cast

from specminer._support.nesting import usual_recursion
from specminer.evm.halts import FrameHalted, Halt

with usual_recursion():
    from py_ecc.bls import G2ProofOfPossession
    from py_ecc.bls.g2_primitives import pubkey_to_G1, signature_to_G2
    from py_ecc.optimized_bls12_381 import (
        FQ12,
        G1,
        G2,
        add,
        curve_order,
        final_exponentiate,
        multiply,
        neg,
        pairing,
    )

_INFINITY: Final = b"\xc0" + bytes(47)
_SETUP: Final = bytes.fromhex(
    "b5bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d2914e5870cb452d2afaaab24f3499f72"
    "185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b087041de621000edc98edada20c1def2"
)
"""The secret of the trusted setup times the generator of G2."""
_ANSWER: Final = (4_096).to_bytes(32, "big") + curve_order.to_bytes(32, "big")


def _point(data: Any) -> Any:
    if data != _INFINITY and not G2ProofOfPossession.KeyValidate(data):
        raise FrameHalted(Halt.INVALID_INPUT)
    return pubkey_to_G1(data)


def _holds(commitment: bytes, point: int, value: int, proof: bytes) -> bool:
    """Return whether commitment - value = proof · (secret - place), by pairings."""
    left = add(_point(commitment), multiply(G1, (curve_order - value) % curve_order))
    setup = signature_to_G2(cast(Any, _SETUP))
    right = add(setup, multiply(G2, (curve_order - point) % curve_order))
    product = pairing(neg(G2), left, final_exponentiate=False) * pairing(
        right, _point(proof), final_exponentiate=False
    )
    return bool(final_exponentiate(cast(Any, product)) == FQ12.one())


def evaluate_point(data: bytes) -> bytes:
    """Return how many field elements a blob has and their modulus, if the proof is right."""
    point, value = int.from_bytes(data[32:64], "big"), int.from_bytes(data[64:96], "big")
    commitment, proof = data[96:144], data[144:]
    versioned_hash = b"\x01" + sha256(commitment).digest()[1:]
    try:
        right = (
            versioned_hash == data[:32]
            and max(point, value) < curve_order
            and _holds(commitment, point, value, proof)
        )
    except (ValueError, AssertionError) as error:  # what py_ecc raises for points that are none
        raise FrameHalted(Halt.INVALID_INPUT) from error
    if not right:
        raise FrameHalted(Halt.INVALID_INPUT)
    return _ANSWER
