"""Modular exponentiation (EIP-198), priced as each fork prices it (EIP-2565, EIP-7823, EIP-7883)."""

from __future__ import annotations

from typing import Final

from specminer.evm.forks import Fork
from specminer.evm.halts import FrameHalted, GasShort, Halt, LimitReached

_MAX_LENGTH: Final = 1_024
"""Bytes of an operand since EIP-7823."""
_PER_STEP: Final = 1_000
"""Nanoseconds, about, that an opcode takes."""


def _slice(data: bytes, start: int, size: int) -> int:
    part = data[start : start + size] if start < len(data) else b""
    return int.from_bytes(part, "big") << 8 * (size - len(part)) if part else 0


def _complexity(rule: int, size: int) -> int:
    if rule == 0:
        if size <= 64:
            return size * size
        if size <= 1_024:
            return size * size // 4 + 96 * size - 3_072
        return size * size // 16 + 480 * size - 199_680
    words = (size + 7) // 8
    if rule == 1:
        return words * words
    return 16 if size <= 32 else 2 * words * words


def _price(rule: int, size: int, power_size: int, head: int) -> int:
    bits = max(0, head.bit_length() - 1)
    if power_size > 32:
        bits += (16 if rule == 2 else 8) * (power_size - 32)
    cost = _complexity(rule, size) * max(bits, 1)
    return (cost // 20, max(200, cost // 3), max(500, cost))[rule]


def modexp(fork: Fork, data: bytes, gas: int, steps: int) -> tuple[int, bytes, int]:
    """Return the gas that is left, the power, and the effort.

    Raises:
        FrameHalted: there is not enough gas, or an operand is too long.
        LimitReached: it takes longer than the steps that are left.

    """
    sizes = base_size, power_size, modulus_size = [_slice(data, start, 32) for start in (0, 32, 64)]
    if fork.modexp_rule == 2 and max(sizes) > _MAX_LENGTH:
        raise FrameHalted(Halt.INVALID_INPUT)
    head = _slice(data, 96 + base_size, min(32, power_size))
    left = gas - _price(fork.modexp_rule, max(base_size, modulus_size), power_size, head)
    if left < 0:
        raise GasShort
    if not base_size and not modulus_size:
        return left, b"", 0
    multiplication = 50 + 2 * ((max(base_size, modulus_size) + 7) // 8) ** 2
    effort = 8 * max(power_size, 1) * multiplication // _PER_STEP
    if effort > steps:
        raise LimitReached
    power = _slice(data, 96 + base_size, power_size)
    modulus = _slice(data, 96 + base_size + power_size, modulus_size)
    value = pow(_slice(data, 96, base_size), power, modulus) if modulus else 0
    return left, value.to_bytes(modulus_size, "big"), effort
