"""What a node says is empty: believed only where something else does not speak against it.

An answer that holds nothing is no error, so a node that lags, whose index has holes or that lies by leaving out makes
an empty history look complete. A block says by the root of its transactions whether it has any, and by its bloom whose
logs it may hold; a receipt's bloom says whether it has logs. What nothing else tells of is asked for several times.

Source: Ethereum Yellow Paper, 4.3 (blocks, receipts) and 4.3.1 (bloom of a receipt).
"""

from __future__ import annotations

from collections.abc import Callable, Sized
from typing import Any, Final, TypeVar

from specminer._support.errors import InvalidNodeResponse, NodeRefused
from specminer._support.keccak import keccak
from specminer.history.trace import Address
from specminer.sources.node import Node, Request, result_of

ASKS: Final = 6
"""How often something is asked for again of which a node said that there is nothing; all at the same time."""
_NO_TRANSACTIONS: Final = frozenset(
    {
        "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",  # the root of an empty trie
        "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",  # the hash of an empty list
        "0x" + "00" * 32,
    }
)
"""Roots of no transactions, and what chains that have none write in their place; in lower case."""
_ROOT_DIGITS: Final = 66
_BLOOM_BYTES: Final = 256
_FULL_BLOOM: Final = 1_536
"""Bits of 2,048 from which on a bloom tells nothing: three that are looked at are all set in 42 of 100."""

_S = TypeVar("_S", bound=Sized)


def confirm_empty(
    node: Node, request: Request, reader: Callable[[Any], _S], empty: _S, asks: int = ASKS
) -> _S:
    """Ask again for what was empty; return the longest of the answers, which is ``empty`` if all are.

    Answers that cannot be read count for nothing.

    Raises:
        NodeUnreachable: no answer, after all tries.

    """
    longest = empty
    for answer in node.each([request] * asks) if asks else ():
        try:
            repeated = reader(result_of(answer))
        except (InvalidNodeResponse, NodeRefused):
            continue
        if len(repeated) > len(longest):
            longest = repeated
    return longest


def check_transactions(block: dict[str, Any]) -> None:
    """Check that a block without transactions says of itself that it has none.

    Raises:
        InvalidNodeResponse: the root of its transactions is not that of none.

    """
    root = block.get("transactionsRoot")
    if block.get("transactions") or not isinstance(root, str) or len(root) != _ROOT_DIGITS:
        return
    if root.lower() not in _NO_TRANSACTIONS:
        raise InvalidNodeResponse(
            "the node returned a block without transactions, but the root of its transactions is not that of none"
        )


def bloom_of(answer: dict[str, Any]) -> int | None:
    """Return the bloom of a block's or a receipt's logs, 2,048 bits; ``None`` if there is none that can be read."""
    text = answer.get("logsBloom")
    if not isinstance(text, str) or len(text) != 2 + 2 * _BLOOM_BYTES or not text.startswith("0x"):
        return None
    try:
        return int(text[2:], 16)
    except ValueError:
        return None


def may_log(bloom: int | None, contract: Address) -> bool:
    """Return whether a bloom holds a contract among those that logged; ``False`` where it tells nothing."""
    if bloom is None or bloom.bit_count() >= _FULL_BLOOM:
        return False
    digest = keccak(contract)
    bits = (int.from_bytes(digest[start : start + 2], "big") & 0x7FF for start in (0, 2, 4))
    return all(bloom >> bit & 1 for bit in bits)


def check_logs_shown(receipt: dict[str, Any], name: str) -> None:
    """Check that a receipt without logs has an empty bloom; ``name`` is what messages call its transaction.

    Raises:
        InvalidNodeResponse: its bloom says that there are logs.

    """
    if receipt.get("logs") == [] and bloom_of(receipt):
        raise InvalidNodeResponse(
            f"the receipt of {name} shows no logs, but its bloom says that there are some"
        )
