"""Asks a node for the code that ran in a contract's storage, so that each frame says by hash what ran."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from eth_utils.crypto import keccak

from specminer.chain.node import Node, octets
from specminer.errors import NodeLied
from specminer.trace import Address, FrameCode, Hash, Transaction

MAX_ADDRESSES: Final = 64
"""Addresses that are asked for: a hostile contract can delegate to any number of them."""


class CodeHashes:
    """The code at addresses; each is asked for once, as of the block in which it first ran."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self._hashes: dict[Address, Hash | None] = {}
        self._codes: dict[Hash, bytes] = {}

    @property
    def codes(self) -> tuple[bytes, ...]:
        """The code that was found, in order of its bytes."""
        return tuple(sorted(self._codes.values()))

    def fill(self, transactions: Sequence[Transaction]) -> tuple[Transaction, ...]:
        """Return transactions in whose frames the hashes of code are filled in, as far as the node tells.

        Code is taken to stay what it was when it first ran. Where the node has forgotten the state of that block, or
        the code was gone at its end, the hash stays unknown.
        """
        self._ask(transactions)
        return tuple(
            replace(
                item,
                invocations=tuple(
                    replace(call, codes=tuple(map(self._filled, call.codes))) if call.codes else call
                    for call in item.invocations
                ),
            )
            for item in transactions
        )

    def _ask(self, transactions: Sequence[Transaction]) -> None:
        missing: dict[Address, int] = {}
        for item in transactions:
            for call in item.invocations:
                for code in call.codes or ():
                    if code.hash is None and code.address not in self._hashes:
                        missing.setdefault(code.address, item.block.number)
        wanted = list(missing.items())[: MAX_ADDRESSES - len(self._hashes)]
        answers = self.node.each(
            [("eth_getCode", (f"0x{address.hex()}", hex(number))) for address, number in wanted]
        )
        for (address, _), answer in zip(wanted, answers, strict=True):
            self._hashes[address] = self._hash_of(answer)

    def _hash_of(self, answer: object) -> Hash | None:
        try:
            code = octets(answer, "code")
        except NodeLied:
            return None
        if not code:
            return None
        digest = Hash(keccak(code))
        self._codes[digest] = code
        return digest

    def _filled(self, code: FrameCode) -> FrameCode:
        if code.hash is not None:
            return code
        return replace(code, hash=self._hashes.get(code.address))
