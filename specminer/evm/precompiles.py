"""Precompiled contracts: what each address does, by libraries where they are compiled, else in Python.

Nothing heavy is imported before it is called. Those written in Python take long for their gas; so each says its
*effort*, the number of opcodes that take about as long, which counts against the limit of the run.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from importlib import import_module
from typing import Final

from specminer.evm.forks import Fork
from specminer.evm.halts import FrameHalted, GasShort, Halt, LimitReached

Precompile = Callable[[Fork, bytes, int, int], tuple[int, bytes, int]]
"""(fork, input, gas, steps that are left) to (gas that is left, output, effort).

It raises ``FrameHalted`` where the call fails, and ``LimitReached`` where the effort is more than what is left."""
Work = Callable[[bytes], bytes]
"""From input to output; raises ``FrameHalted``."""


def _words(data: bytes) -> int:
    return (len(data) + 31) // 32


def _lazy(module: str, name: str) -> Work:
    """Return a function of a module that is imported when it is first called."""

    def work(data: bytes) -> bytes:
        function: Work = getattr(import_module(f"specminer.evm.{module}"), name)
        return function(data)

    return work


def _with_price(
    price: Callable[[Fork, bytes], int], work: Work, effort: Callable[[bytes], int] | None = None
) -> Precompile:
    """Return a precompiled contract that has a price, which is paid first, and then does its work."""

    def run(fork: Fork, data: bytes, gas: int, steps: int) -> tuple[int, bytes, int]:
        left = gas - price(fork, data)
        if left < 0:
            raise GasShort
        took = 0 if effort is None else effort(data)
        if took > steps:
            raise LimitReached
        return left, work(data), took

    return run


def _ripemd160(data: bytes) -> bytes:
    from Crypto.Hash import RIPEMD160

    return RIPEMD160.new(data).digest().rjust(32, b"\0")


def _fixed_price(gas: int) -> Callable[[Fork, bytes], int]:
    return lambda fork, data: gas


def _curve_price(index: int) -> Callable[[Fork, bytes], int]:
    return lambda fork, data: fork.curve_costs[index]


def _pairing_price(fork: Fork, data: bytes) -> int:
    return fork.curve_costs[2] + fork.curve_costs[3] * (len(data) // 192)


def _blake2_price(fork: Fork, data: bytes) -> int:
    if len(data) != 213:
        raise FrameHalted(Halt.INVALID_INPUT)
    return int.from_bytes(data[:4], "big")


def _modexp(fork: Fork, data: bytes, gas: int, steps: int) -> tuple[int, bytes, int]:
    from specminer.evm.modular_exponentiation import modexp

    return modexp(fork, data, gas, steps)


def _sized_price(size: int, price: int) -> Callable[[Fork, bytes], int]:
    """Return a price that is asked only for input of the right size."""

    def ask(fork: Fork, data: bytes) -> int:
        if len(data) != size:
            raise FrameHalted(Halt.INVALID_INPUT)
        return price

    return ask


def _multiplication_price(size: int, each: int, discounts: str) -> Callable[[Fork, bytes], int]:
    def ask(fork: Fork, data: bytes) -> int:
        from specminer.evm import bls_discounts

        count, rest = divmod(len(data), size)
        if rest or not count:
            raise FrameHalted(Halt.INVALID_INPUT)
        table: tuple[int, ...] = getattr(bls_discounts, discounts)
        return count * each * table[min(count, len(table)) - 1] // 1000

    return ask


def _bls_pairing_price(fork: Fork, data: bytes) -> int:
    count, rest = divmod(len(data), 384)
    if rest or not count:
        raise FrameHalted(Halt.INVALID_INPUT)
    return 37_700 + 32_600 * count


PRECOMPILES: Final[dict[int, Precompile]] = {
    1: _with_price(_fixed_price(3_000), _lazy("signature_recovery", "ecrecover"), lambda data: 200),
    2: _with_price(lambda fork, data: 60 + 12 * _words(data), lambda data: sha256(data).digest()),
    3: _with_price(lambda fork, data: 600 + 120 * _words(data), _ripemd160),
    4: _with_price(lambda fork, data: 15 + 3 * _words(data), lambda data: data),
    5: _modexp,
    6: _with_price(_curve_price(0), _lazy("bn128_curve", "add_points"), lambda data: 20),
    7: _with_price(_curve_price(1), _lazy("bn128_curve", "multiply_point"), lambda data: 1_000),
    8: _with_price(
        _pairing_price, _lazy("bn128_curve", "check_pairing"), lambda data: 60_000 * (len(data) // 192)
    ),
    9: _with_price(
        _blake2_price,
        _lazy("blake2_compression", "compress"),
        lambda data: 50 * int.from_bytes(data[:4], "big"),
    ),
    10: _with_price(_sized_price(192, 50_000), _lazy("kzg_proofs", "evaluate_point"), lambda data: 240_000),
    11: _with_price(_sized_price(256, 375), _lazy("bls_curve", "add_g1"), lambda data: 20),
    12: _with_price(
        _multiplication_price(160, 12_000, "G1"),
        _lazy("bls_curve", "multiply_g1"),
        lambda data: 1_000 * (len(data) // 160),
    ),
    13: _with_price(_sized_price(512, 600), _lazy("bls_curve", "add_g2"), lambda data: 40),
    14: _with_price(
        _multiplication_price(288, 22_500, "G2"),
        _lazy("bls_curve", "multiply_g2"),
        lambda data: 10_000 * (len(data) // 288),
    ),
    15: _with_price(
        _bls_pairing_price, _lazy("bls_curve", "check_pairing"), lambda data: 120_000 * (len(data) // 384)
    ),
    16: _with_price(_sized_price(64, 5_500), _lazy("bls_curve", "map_to_g1"), lambda data: 1_000),
    17: _with_price(_sized_price(128, 23_800), _lazy("bls_curve", "map_to_g2"), lambda data: 30_000),
    0x100: _with_price(_fixed_price(6_900), _lazy("signature_recovery", "verify_p256"), lambda data: 200),
}
"""Every precompiled contract by its address; a fork says which of them it has."""


@cache
def precompiles_of(fork: Fork) -> dict[int, Precompile]:
    """Return the precompiled contracts of a fork by address."""
    return {address: contract for address, contract in PRECOMPILES.items() if address in fork.precompiles}
