"""What a node says of its chain: its id, its blocks, since when a contract has code."""

from __future__ import annotations

from typing import Any, Final

from specminer.chain.envelopes import block_of
from specminer.chain.node import Node, octets, quantity
from specminer.errors import NodeLied, NodeRefused, NotOnChain, UsageError
from specminer.trace import Address, Block, Hash

DEVELOPMENT_CHAINS: Final = frozenset({1337, 31337})
"""Their newest block counts as final: blocks 64 back may not exist, and nobody reorganises in earnest."""


def check_chain(node: Node, expected: int | None) -> tuple[int, Hash]:
    """Return chain id and hash of the genesis block.

    Raises:
        NotOnChain: the node serves another chain than ``expected``.

    """
    chain_id = node.read([("eth_chainId", ())], lambda answers: quantity(_granted(answers[0]), "chain id"))
    if expected is not None and chain_id != expected:
        raise NotOnChain(
            f"{node.endpoint.label} serves chain {chain_id}, but chain {expected} was asked for; use a node "
            f"of chain {expected} or drop --chain-id"
        )
    return chain_id, block_at(node, 0).hash


def block_at(node: Node, number: int | str) -> Block:
    """Return the block with this number or tag.

    Raises:
        NotOnChain: there is none.

    """
    tag = hex(number) if isinstance(number, int) else number
    return node.read(
        [("eth_getBlockByNumber", (tag, False))], lambda answers: read_block(_granted(answers[0]), number)
    )


def _granted(answer: Any) -> Any:
    if isinstance(answer, NodeRefused):
        raise answer
    return answer


def read_block(answer: Any, number: int | str) -> Block:
    """Read a block.

    Raises:
        NotOnChain: there is none.
        NodeLied: it is another one.

    """
    if answer is None:
        raise NotOnChain(f"the node has no block {number}")
    block = block_of(answer)
    if isinstance(number, int) and block.number != number:
        raise NodeLied(f"the node returned block {block.number} when asked for block {number}")
    return block


def newest_block(node: Node, chain_id: int) -> int:
    """Return the newest finalized block; on development chains, and where finality is unknown, the latest."""
    if chain_id not in DEVELOPMENT_CHAINS:
        try:
            return block_at(node, "finalized").number
        except (NodeRefused, NotOnChain):
            pass
    return block_at(node, "latest").number


def code_at(node: Node, contract: Address, block: int | str) -> bytes:
    """Return the runtime code of the contract after the block; empty if it has none."""
    tag = hex(block) if isinstance(block, int) else block
    return node.read(
        [("eth_getCode", (f"0x{contract.hex()}", tag))],
        lambda answers: octets(_granted(answers[0]), "code"),
    )


def creation_block(node: Node, contract: Address, head: int) -> int:
    """Return the block that created the contract, by bisection over its code.

    Raises:
        NotOnChain: there is no code at ``head``.
        UsageError: the node keeps no old state; the caller must give ``--from-block``.

    """
    if not code_at(node, contract, head):
        if code_at(node, contract, "latest"):
            raise NotOnChain(
                f"the contract at 0x{contract.hex()} was created after block {head}, the last to be read; wait "
                "until its creation is final, or give a later --to-block"
            )
        raise NotOnChain(
            f"there is no contract at 0x{contract.hex()} on this chain (no code at block {head}); check the "
            "address and the chain, and if the contract destroyed itself give --from-block and --to-block"
        )
    low, high = 0, head
    while low < high:
        middle = (low + high) // 2
        try:
            exists = bool(code_at(node, contract, middle))
        except NodeRefused as error:
            raise UsageError(
                f"the block that created the contract cannot be found, because the node keeps no state of "
                f"block {middle} ({error}); use an archive node, or give --from-block"
            ) from None
        low, high = (low, middle) if exists else (middle + 1, high)
    return low


def check_range(first: int, last: int, newest: int) -> None:
    """Check a range of blocks against the chain.

    Raises:
        UsageError: it is empty, or lies behind the newest block.

    """
    if first > last:
        raise UsageError(f"the range of blocks is empty: it would begin at {first} and end at {last}")
    if last > newest:
        raise UsageError(f"--to-block {last} lies beyond the newest usable block, {newest}")
