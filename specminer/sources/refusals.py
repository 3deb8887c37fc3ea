"""What a node means when it answers with an error: that it is busy, that it lags behind, or that it cannot.

Nodes agree neither on codes nor on words; these are those of geth, Erigon, Nethermind, Besu, reth, anvil, Hardhat,
Ganache and of the large providers.
"""

from __future__ import annotations

import re
from typing import Final

from specminer._support.errors import NodeNeed

NO_METHOD: Final = -32601
"""The code of JSON-RPC for a method that a server does not know."""
_BUSY_CODES: Final = frozenset({-32005, -32016, 429})
_BUSY_WORDS: Final = ("rate limit", "too many requests", "try again", "timed out", "timeout", "busy")
_LAGGING_WORDS: Final = (
    "header not found",
    "header for hash not found",
    "block not found",
    "unknown block",
    "transaction not found",
    "after last accepted block",
)
"""Of something that the chain holds; a server behind a balancer may be some blocks behind the others."""
_LASTING_WORDS: Final = ("execution timeout", "block range", "more than", "too large", "too many results")
"""Refusals for the size of what was asked, under whatever code: asking the same again does not help."""
_STATE_WORDS: Final = (
    "missing trie node",
    "historical state",
    "state is not available",
    "state not available",
    "state unavailable",
    "no state available",
    "state is unavailable",
    "world state",
    "pruned",
    "pruning",
    "archive",
    "proof window",
)
_NO_METHOD_WORDS: Final = (
    "does not exist",
    "not available",
    "not supported",
    "unsupported",
    "not whitelisted",
)
_OUT_OF_RANGE: Final = re.compile(r"block height is (\d{1,19}) but requested was (\d{1,19})")
"""What anvil says of blocks that it does not hold yet, and of those whose state it keeps no longer."""


def is_busy(code: int | None, message: str) -> bool:
    """Whether a refusal says that the server has too much to do."""
    text = message.lower()
    if any(word in text for word in _LASTING_WORDS):
        return False
    return code in _BUSY_CODES or any(word in text for word in _BUSY_WORDS)


def is_lagging(message: str) -> bool:
    """Whether a refusal says that something is not there, which a server that lags behind may have later."""
    beyond = _OUT_OF_RANGE.search(message)
    if beyond is not None:
        return int(beyond[2]) > int(beyond[1])
    text = message.lower()
    return any(word in text for word in _LAGGING_WORDS)


def need_of(method: str, code: int | None, message: str) -> NodeNeed | None:
    """Return what a node that refuses a method lacks, as far as its words tell."""
    text = message.lower()
    beyond = _OUT_OF_RANGE.search(message)
    if any(word in text for word in _STATE_WORDS) or (beyond is not None and not is_lagging(message)):
        return NodeNeed.ARCHIVE
    if method.startswith(("debug_", "trace_")) and (
        code == NO_METHOD or any(word in text for word in _NO_METHOD_WORDS)
    ):
        return NodeNeed.TRACING
    return None
