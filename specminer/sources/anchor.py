"""Notices that a chain was reorganised while it was read."""

from __future__ import annotations

from specminer._support.errors import ChainError, NotOnChain
from specminer.history.trace import Block
from specminer.sources.chain_blocks import read_block
from specminer.sources.node import Node, Request

TRIES = 5
"""Times to read again what a reorganisation replaced, before it is given up."""


class ReplacedBlocks(ChainError):
    """Blocks at or before the end of the range were replaced while it was read; begin anew."""


class Anchor:
    """A block that was read before anything else: while the chain holds it, all that was read since is of one chain."""

    def __init__(self, node: Node, block: Block) -> None:
        self._node = node
        self._block = block

    def check(self, tip: int) -> Block:
        """Return the block with the number ``tip`` if the anchor still stands.

        Raises:
            ReplacedBlocks: it does not.

        """
        numbers = list(dict.fromkeys((tip, self._block.number)))
        requests: list[Request] = [("eth_getBlockByNumber", (hex(number), False)) for number in numbers]

        try:
            read = self._node.read_each(requests, lambda row, answer: read_block(answer, numbers[row]))
            blocks = dict(zip(numbers, read, strict=True))
        except NotOnChain:
            blocks = {}
        standing = blocks.get(self._block.number)
        if standing is None or standing.hash != self._block.hash:
            raise ReplacedBlocks(
                f"the chain was reorganised at or before block {self._block.number} while it was read, {TRIES} times; "
                "try again later, or give a --to-block that is final"
            )
        return blocks[tip]
