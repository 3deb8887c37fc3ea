"""Types of transactions (EIP-2718): Ethereum's own, and those of rollups and other chains, which are kept as they are.

Sources: the specifications of Optimism (deposits) and Celo, and the sources of Arbitrum Nitro
(``core/types/transaction.go``) and Bor (``StateSyncTxType``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from specminer.history.trace import NO_ADDRESS, Address

SET_CODE: Final = 4
"""A transaction that lets accounts delegate to code (EIP-7702)."""
_LAST_OF_ETHEREUM: Final = 4
_LIMIT: Final = 0x80
"""Types are smaller; what begins with more is a legacy transaction."""
_NAMES: Final[Mapping[int, str]] = {
    0x64: "a deposit of ether on Arbitrum",
    0x65: "a message from the chain below on Arbitrum",
    0x66: "a message of a contract of the chain below on Arbitrum",
    0x68: "the redemption of a retryable ticket on Arbitrum",
    0x69: "the submission of a retryable ticket on Arbitrum",
    0x6A: "a transaction of Arbitrum itself",
    0x71: "a transaction of an account of ZKsync",
    0x7B: "a transaction that pays in another currency on Celo",
    0x7C: "a transaction that pays in another currency on Celo",
    0x7E: "a deposit from the chain below, as of Optimism",
    0x7F: "a state sync of Polygon",
}
NOT_CALLS: Final = frozenset((0x64, 0x69, 0x6A, 0x7F))
"""Types whose receiver is not called with the calldata: the chain itself does something else."""


def is_foreign(kind: int | None) -> bool:
    """Return whether a type is none of Ethereum's, so that its gas and nonces follow rules of the chain's own."""
    return kind is not None and kind > _LAST_OF_ETHEREUM


def type_of(value: Any) -> int | None:
    """Read a type as nodes, explorers and tables write it; ``None`` if nothing can be read from it."""
    text = str(value).strip().lower().removesuffix(".0")
    try:
        number = int(text, 16) if text[:2] == "0x" else int(text)
    except ValueError:
        return None
    return number if 0 <= number < _LIMIT else None


def is_of_system(kind: int | None, sender: Address, to: Address | None, gas_price: int | None) -> bool:
    """Return whether the chain itself made a transaction, which then need not have a trace.

    Older nodes of Polygon give state syncs no type; they go from nobody to nobody, and cost nothing.
    """
    nobody = sender == NO_ADDRESS and to in (None, NO_ADDRESS) and not gas_price
    return nobody or kind in (0x6A, 0x7F)


def name_type(kind: int | None, *, of_system: bool) -> str:
    """Return what a transaction is that is none of Ethereum's, for messages; empty for the usual ones."""
    if kind is not None and kind in _NAMES:
        return f"type {kind:#x}, {_NAMES[kind]}"
    if is_foreign(kind):
        return f"type {kind:#x}, of the chain's own"
    return "made by the chain itself" if of_system else ""
