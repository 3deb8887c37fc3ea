"""Bare code on a node: a counter, called a number of times."""

from __future__ import annotations

from tests.support.anvil import Anvil, Call
from tests.support.bytecode import COUNT, deploying


def deployed(anvil: Anvil, code: bytes) -> str:
    """Create a contract with some code and return its address."""
    (receipt,) = anvil.block([Call(sender=anvil.accounts[0], to=None, data="0x" + deploying(code).hex())])
    return str(receipt["contractAddress"])


def counted(anvil: Anvil, calls: int) -> str:
    """Create a counter, call it in a block for each call, and return its address."""
    contract = deployed(anvil, COUNT)
    for _ in range(calls):
        anvil.block([Call(sender=anvil.accounts[0], to=contract, data="0x06661abd", gas=200_000)])
    return contract
