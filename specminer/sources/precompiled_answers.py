"""What precompiled contracts answered, for recordings that do not show it: structLogs have no entry for them.

The answer stands in the caller's memory, as far as the caller made room for it; four answers follow from the calldata.
An answer that is computed has to agree with the memory: chains may have other contracts at these addresses.
"""

from __future__ import annotations

from typing import Final

from specminer.evm.forks import FORKS
from specminer.evm.halts import FrameHalted, GasShort, LimitReached
from specminer.evm.precompiles import PRECOMPILES
from specminer.history.trace import Address

_COMPUTED: Final = (1, 2, 3, 4)
"""Recovering a signer, SHA-256, RIPEMD-160, copying: there since the first block, and cheap to compute."""
_RECOVERY: Final = 1
_POWER: Final = 5
_SIZES: Final = {
    6: 64,
    7: 64,
    8: 32,
    9: 64,
    10: 64,
    11: 128,
    12: 128,
    13: 256,
    14: 256,
    15: 32,
    16: 128,
    17: 256,
}
"""Bytes of the answers that always have the same size."""
_FORK: Final = FORKS["osaka"]
_GAS: Final = 1 << 62
_WORD: Final = 32


def precompiled_answer(to: Address, data: bytes, before: bytes, after: bytes) -> bytes | None:
    """Return what a precompiled contract answered to a call that succeeded; ``None`` if that cannot be told.

    Args:
        to: its address.
        data: the whole calldata.
        before: what stood where the caller wanted the answer.
        after: what stands there behind the call.

    """
    number = int.from_bytes(to, "big")
    if number == _RECOVERY and len(after) >= _WORD and after[:_WORD] != before[:_WORD]:
        return after[:_WORD]
    if number in _COMPUTED:
        try:
            answer = PRECOMPILES[number](_FORK, data, _GAS, _GAS)[1]
        except (FrameHalted, GasShort, LimitReached):
            return None
        size = min(len(answer), len(after))
        return answer if after[:size] == answer[:size] and after[size:] == before[size:] else None
    size = (
        int.from_bytes(data[64:96].ljust(_WORD, b"\0"), "big") if number == _POWER else _SIZES.get(number, -1)
    )
    return after[:size] if 0 <= size <= len(after) else None
