"""Whether a contract can have lived before the creation that was found: CREATE2 alone can create it again."""

from __future__ import annotations

from typing import Final

from specminer._support.creation_addresses import creation_address
from specminer._support.errors import ChainError
from specminer.history.trace import Address
from specminer.sources.node import Node, quantity

MAX_NONCES: Final = 4_096
"""Creations of one contract that are looked through at most."""


def created_by_count(node: Node, contract: Address, creator: Address, block: int) -> bool | None:
    """Return whether a contract's address comes from how many its creator had made (CREATE) and not from CREATE2.

    ``block`` created it. ``None`` if that is not known: the node does not tell, or the creator made too many.
    """
    try:
        nonces = node.read_one(
            ("eth_getTransactionCount", (f"0x{creator.hex()}", hex(block))),
            lambda answer: quantity(answer, "nonce"),
        )
    except ChainError:
        return None
    own, maker = int.from_bytes(contract, "big"), int.from_bytes(creator, "big")
    if any(creation_address(maker, nonce) == own for nonce in range(min(nonces, MAX_NONCES) + 1)):
        return True
    return False if nonces <= MAX_NONCES else None
