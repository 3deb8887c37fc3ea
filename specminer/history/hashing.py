"""KECCAK256 of many short texts of one length at once.

The permutation keccak-f[1600] runs on whole numpy arrays, a row of lanes for each of its 25 words, so that Python's
work does not grow with the number of texts. Source: FIPS 202, with Keccak's own padding, as Ethereum uses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from specminer._support.keccak import keccak
from specminer.history.words import WordArray, from_bytes

MAX_LENGTH: Final = 135
"""Bytes of a text at most: what fits into one block with its padding."""
_TOGETHER: Final = 8192
"""Texts hashed at once: their states stay in the processor's cache."""
_FEW: Final = 128
"""Fewer texts are hashed one by one: the permutation takes its time however few there are."""
_LANES: Final = 17
_ROUNDS: Final = 24


def _round_constants() -> npt.NDArray[np.uint64]:
    """Return the constants of the step iota, from the linear feedback register that defines them."""
    register, constants = 1, []
    for _ in range(_ROUNDS):
        constant = 0
        for exponent in range(7):
            if register & 1:
                constant |= 1 << ((1 << exponent) - 1)
            register = (register << 1) ^ (0x171 if register & 0x80 else 0)
        constants.append(constant)
    return np.array(constants, dtype=np.uint64)


def _rotations() -> tuple[list[int], list[int]]:
    """Return for each lane (five times row plus column) how far rho turns it, and where pi takes it from."""
    turn, source = [0] * 25, [0] * 25
    column, row = 1, 0
    for step in range(24):
        turn[5 * row + column] = (step + 1) * (step + 2) // 2 % 64
        column, row = row, (2 * column + 3 * row) % 5
    for row in range(5):
        for column in range(5):
            source[5 * ((2 * column + 3 * row) % 5) + row] = 5 * row + column
    return turn, source


_CONSTANTS: Final = _round_constants()
_TURN, _SOURCE = _rotations()
_LEFT_TURNS: Final = np.array(_TURN, dtype=np.uint64).reshape(25, 1)
_RIGHT: Final = (np.uint64(64) - _LEFT_TURNS) % np.uint64(64)
_ONE, _REST = np.uint64(1), np.uint64(63)


def keccak_many(texts: npt.NDArray[np.uint8]) -> WordArray:
    """Return the hashes of texts of one length, which is at most ``MAX_LENGTH``; shape (n, length).

    Raises:
        ValueError: the texts are longer.

    """
    count, length = texts.shape
    if length > MAX_LENGTH:
        raise ValueError(f"texts should have at most {MAX_LENGTH} bytes, these have {length}")
    hashes = np.empty((count, 4), dtype="<u8")
    for start in range(0, count, _TOGETHER):
        part = texts[start : start + _TOGETHER]
        block = np.zeros((len(part), 8 * _LANES), dtype=np.uint8)
        block[:, :length] = part
        block[:, length] ^= 0x01
        block[:, -1] ^= 0x80
        state = np.zeros((25, len(part)), dtype=np.uint64)
        state[:_LANES] = block.view("<u8").T
        _permute(state)
        hashes[start : start + _TOGETHER] = state[:4].T
    return hashes.view("S32").reshape(-1)


def keccak_all(texts: Sequence[bytes]) -> WordArray:
    """Return the hashes of texts of any lengths; those of one length are hashed together, long ones one by one."""
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    hashes = np.zeros(len(texts), dtype="S32")
    for length in np.unique(lengths).tolist():
        rows = np.flatnonzero(lengths == length)
        if length > MAX_LENGTH or len(rows) < _FEW:
            hashes[rows] = from_bytes([keccak(texts[row]) for row in rows.tolist()])
        else:
            contents = b"".join(texts[row] for row in rows.tolist())
            hashes[rows] = keccak_many(np.frombuffer(contents, dtype=np.uint8).reshape(-1, length))
    return hashes


def _permute(state: npt.NDArray[np.uint64]) -> None:
    """Apply keccak-f[1600] in place; shape (25, n)."""
    rows = state.reshape(5, 5, -1)
    spare_state = np.empty_like(state)
    rotation = np.empty_like(state)
    after = spare_state.reshape(5, 5, -1)
    parity = np.empty_like(rows[0])
    column_mix = np.empty_like(rows[0])
    spare = np.empty_like(rows[:, 0])
    for constant in _CONSTANTS:
        np.bitwise_xor.reduce(rows, axis=0, out=parity)
        for column in range(5):
            following = parity[(column + 1) % 5]
            np.left_shift(following, _ONE, out=column_mix[column])
            column_mix[column] |= following >> _REST
            column_mix[column] ^= parity[column - 1]
        rows ^= column_mix
        np.left_shift(state, _LEFT_TURNS, out=rotation)
        np.right_shift(state, _RIGHT, out=spare_state)
        np.bitwise_or(rotation, spare_state, out=rotation)
        np.take(rotation, _SOURCE, axis=0, out=spare_state)
        for column in range(5):
            np.invert(after[:, (column + 1) % 5], out=spare)
            np.bitwise_and(spare, after[:, (column + 2) % 5], out=spare)
            np.bitwise_xor(after[:, column], spare, out=rows[:, column])
        state[0] ^= constant
