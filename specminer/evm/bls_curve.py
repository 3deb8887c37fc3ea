"""The curve BLS12-381 (EIP-2537), by ``py_ecc``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from specminer._support.nesting import usual_recursion
from specminer.evm.halts import FrameHalted, Halt

with usual_recursion():
    from py_ecc.bls.hash_to_curve import (
        clear_cofactor_G1,
        clear_cofactor_G2,
        map_to_curve_G1,
        map_to_curve_G2,
    )
    from py_ecc.optimized_bls12_381 import (
        FQ,
        FQ2,
        FQ12,
        b,
        b2,
        curve_order,
        field_modulus,
        is_inf,
        is_on_curve,
        multiply,
        normalize,
        pairing,
    )
    from py_ecc.optimized_bls12_381 import add as add_to


def _number(data: bytes, start: int) -> int:
    value = int.from_bytes(data[start : start + 64], "big")
    if value >= field_modulus:
        raise FrameHalted(Halt.INVALID_INPUT)
    return value


def _pair(data: bytes, start: int) -> Any:
    return FQ2((_number(data, start), _number(data, start + 64)))


def _check_point(point: Any, coefficient: Any, in_subgroup: bool) -> Any:
    if not is_on_curve(point, coefficient) or (in_subgroup and not is_inf(multiply(point, curve_order))):
        raise FrameHalted(Halt.INVALID_INPUT)
    return point


def _g1(data: bytes, start: int, in_subgroup: bool) -> Any:
    x, y = _number(data, start), _number(data, start + 64)
    return _check_point((FQ(x), FQ(y), FQ(1 if x or y else 0)), b, in_subgroup)


def _g2(data: bytes, start: int, in_subgroup: bool) -> Any:
    x, y = _pair(data, start), _pair(data, start + 128)
    infinite = x == FQ2.zero() and y == FQ2.zero()
    return _check_point((x, y, FQ2((0 if infinite else 1, 0))), b2, in_subgroup)


def _encode_g1(point: Any) -> bytes:
    return b"".join(int(part).to_bytes(64, "big") for part in normalize(point))


def _encode_g2(point: Any) -> bytes:
    return b"".join(int(part).to_bytes(64, "big") for pair in normalize(point) for part in pair.coeffs)


def _sum_of_products(data: bytes, read: Callable[[bytes, int, bool], Any], size: int) -> Any:
    total: Any = None
    for start in range(0, len(data), size):
        point = read(data, start, True)
        product = multiply(point, int.from_bytes(data[start + size - 32 : start + size], "big"))
        total = product if total is None else add_to(total, product)
    return total


def add_g1(data: bytes) -> bytes:
    """Return the sum of two points of G1."""
    return _encode_g1(add_to(_g1(data, 0, False), _g1(data, 128, False)))


def add_g2(data: bytes) -> bytes:
    """Return the sum of two points of G2."""
    return _encode_g2(add_to(_g2(data, 0, False), _g2(data, 256, False)))


def multiply_g1(data: bytes) -> bytes:
    """Return a sum of points of G1 times numbers."""
    return _encode_g1(_sum_of_products(data, _g1, 160))


def multiply_g2(data: bytes) -> bytes:
    """Return a sum of points of G2 times numbers."""
    return _encode_g2(_sum_of_products(data, _g2, 288))


def check_pairing(data: bytes) -> bytes:
    """Return the word 1 if the product of pairings is one, else 0."""
    product = FQ12.one()
    for start in range(0, len(data), 384):
        product *= pairing(_g2(data, start + 128, True), _g1(data, start, True))
    return int(product == FQ12.one()).to_bytes(32, "big")


def map_to_g1(data: bytes) -> bytes:
    """Return the point of G1 that a number maps to."""
    return _encode_g1(clear_cofactor_G1(map_to_curve_G1(FQ(_number(data, 0)))))


def map_to_g2(data: bytes) -> bytes:
    """Return the point of G2 that a pair of numbers maps to."""
    return _encode_g2(clear_cofactor_G2(map_to_curve_G2(_pair(data, 0))))
