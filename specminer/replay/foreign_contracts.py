"""Contracts that the history did not create, read from a node: the state before each block where it keeps that."""

from __future__ import annotations

from collections.abc import Callable

from specminer._support.errors import NodeRefused
from specminer.replay.machine_calls import Basics
from specminer.sources.node import Node, octets, quantity


class NodeSource:
    """Accounts of a chain as they were before the block :attr:`block`.

    A node that keeps no old state is asked for the newest instead; ``note`` then hears that the values may be
    others than they were. It is asked once a block for each thing, however many machines want to know.
    """

    def __init__(self, node: Node, note: Callable[[str], None]) -> None:
        self._block = 0
        self._answers: dict[tuple[str, ...], object] = {}
        self._node = node
        self._note = note
        self._old_state = True

    @property
    def block(self) -> int:
        """The block whose transactions are executed."""
        return self._block

    @block.setter
    def block(self, number: int) -> None:
        self._block = number
        self._answers.clear()

    def basics(self, address: bytes) -> Basics | None:
        """Return an account; ``None`` if there is none."""
        address_text = f"0x{address.hex()}"
        code = octets(self._ask("eth_getCode", address_text), "code")
        balance = quantity(self._ask("eth_getBalance", address_text), "balance")
        nonce = quantity(self._ask("eth_getTransactionCount", address_text), "nonce")
        if not (code or balance or nonce):
            return None
        return Basics(nonce=nonce, balance=min(balance, (1 << 256) - 1), code=code)

    def storage(self, address: bytes, slot: int) -> int:
        """Return the value in a slot."""
        word = octets(self._ask("eth_getStorageAt", f"0x{address.hex()}", hex(slot)), "storage")
        return int.from_bytes(word[-32:], "big")

    def _ask(self, *question: str) -> object:
        if question not in self._answers:
            self._answers[question] = self._ask_node(*question)
        return self._answers[question]

    def _ask_node(self, method: str, *values: str) -> object:
        if self._old_state:
            try:
                return self._node.call(method, *values, hex(max(0, self.block - 1)))
            except NodeRefused:
                self._old_state = False
                self._note(
                    "the node keeps no old state: code and storage of other contracts are read as they are now, not as "
                    "they were"
                )
        return self._node.call(method, *values, "latest")
