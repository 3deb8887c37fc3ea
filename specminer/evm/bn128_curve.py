"""The curve alt_bn128: addition, multiplication and pairings (EIP-196, EIP-197), by ``py_ecc``."""

from __future__ import annotations

from typing import Any

from specminer._support.nesting import usual_recursion
from specminer.evm.halts import GasShort

with usual_recursion():
    from py_ecc.optimized_bn128 import (
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
    from py_ecc.optimized_bn128 import add as add_to


def _number(data: bytes, start: int) -> int:
    value = int.from_bytes(data[start : start + 32].ljust(32, b"\0"), "big")
    if value >= field_modulus:
        raise GasShort
    return value


def _g1(data: bytes, start: int) -> Any:
    x, y = _number(data, start), _number(data, start + 32)
    point = (FQ(x), FQ(y), FQ(1 if x or y else 0))
    if not is_on_curve(point, b):
        raise GasShort
    return point


def _g2(data: bytes, start: int) -> Any:
    x1, x0, y1, y0 = (_number(data, start + 32 * index) for index in range(4))
    point = (FQ2((x0, x1)), FQ2((y0, y1)), FQ2((1 if x0 or x1 or y0 or y1 else 0, 0)))
    if not is_on_curve(point, b2):
        raise GasShort
    return point


def _encode(point: Any) -> bytes:
    x, y = normalize(point)
    return int(x).to_bytes(32, "big") + int(y).to_bytes(32, "big")


def add_points(data: bytes) -> bytes:
    """Return the sum of two points."""
    return _encode(add_to(_g1(data, 0), _g1(data, 64)))


def multiply_point(data: bytes) -> bytes:
    """Return a point times a number."""
    return _encode(multiply(_g1(data, 0), int.from_bytes(data[64:96].ljust(32, b"\0"), "big")))


def check_pairing(data: bytes) -> bytes:
    """Return the word 1 if the product of pairings is one, else 0."""
    if len(data) % 192:
        raise GasShort
    product = FQ12.one()
    for start in range(0, len(data), 192):
        first, second = _g1(data, start), _g2(data, start + 64)
        if not is_inf(multiply(second, curve_order)):
            raise GasShort
        product *= pairing(second, first)
    return int(product == FQ12.one()).to_bytes(32, "big")
