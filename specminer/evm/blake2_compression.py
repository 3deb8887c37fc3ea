"""The compression function of BLAKE2b with any number of rounds (EIP-152). Source: RFC 7693."""

from __future__ import annotations

import struct
from typing import Final

from specminer.evm.halts import FrameHalted, Halt

_MASK: Final = (1 << 64) - 1
_INITIAL: Final = (
    0x6A09E667F3BCC908,
    0xBB67AE8584CAA73B,
    0x3C6EF372FE94F82B,
    0xA54FF53A5F1D36F1,
    0x510E527FADE682D1,
    0x9B05688C2B3E6C1F,
    0x1F83D9ABFB41BD6B,
    0x5BE0CD19137E2179,
)
_ORDER: Final = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
    (14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3),
    (11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4),
    (7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8),
    (9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13),
    (2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9),
    (12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11),
    (13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10),
    (6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5),
    (10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0),
)
_MIXES: Final = (
    (0, 4, 8, 12),
    (1, 5, 9, 13),
    (2, 6, 10, 14),
    (3, 7, 11, 15),
    (0, 5, 10, 15),
    (1, 6, 11, 12),
    (2, 7, 8, 13),
    (3, 4, 9, 14),
)


def _mix(state: list[int], where: tuple[int, int, int, int], first: int, second: int) -> None:
    a, b, c, d = where
    for word, turn_d, turn_b in ((first, 32, 24), (second, 16, 63)):
        state[a] = (state[a] + state[b] + word) & _MASK
        turned = state[d] ^ state[a]
        state[d] = (turned >> turn_d | turned << (64 - turn_d)) & _MASK
        state[c] = (state[c] + state[d]) & _MASK
        turned = state[b] ^ state[c]
        state[b] = (turned >> turn_b | turned << (64 - turn_b)) & _MASK


def compress(data: bytes) -> bytes:
    """Return the state after some rounds, from 213 bytes: rounds, state, message, offsets, final flag."""
    if data[212] not in (0, 1):
        raise FrameHalted(Halt.INVALID_INPUT)
    rounds = int.from_bytes(data[:4], "big")
    state, message = struct.unpack("<8Q", data[4:68]), struct.unpack("<16Q", data[68:196])
    low, high = struct.unpack("<2Q", data[196:212])
    work = [*state, *_INITIAL]
    work[12] ^= low
    work[13] ^= high
    if data[212]:
        work[14] ^= _MASK
    for number in range(rounds):
        order = _ORDER[number % 10]
        for index, where in enumerate(_MIXES):
            _mix(work, where, message[order[2 * index]], message[order[2 * index + 1]])
    return struct.pack("<8Q", *(word ^ work[index] ^ work[index + 8] for index, word in enumerate(state)))
