"""A chain that is replaced while it is read: what is stored afterwards is what a fresh collection stores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from specminer._support.errors import ChainError, SpecminerError
from specminer.history.trace import Block, Transaction
from specminer.store import TraceStore
from tests.support.anvil import Anvil, Deployed
from tests.support.collecting import CHAIN, address, gather
from tests.support.lying_node import LyingNode
from tests.support.machine import compiled

Stored = tuple[list[Transaction], list[tuple[int, int]], int | None]


def stored(store: TraceStore, contract: str) -> Stored:
    """Return what the database holds of a contract that can be compared."""
    key = address(contract)
    return (
        list(store.transactions(CHAIN, key)),
        store.ranges(CHAIN, key),
        store.record(CHAIN, key).created_in_block,
    )


def fresh(anvil: Anvil, contract: str) -> tuple[Stored, list[Block]]:
    with TraceStore("sqlite://") as store:
        gather(store, anvil.url, contract)
        return stored(store, contract), store.blocks(CHAIN)


@dataclass(frozen=True, kw_only=True)
class Chain:
    anvil: Anvil
    machine: Deployed

    def write(self, *values: int) -> None:
        """Mine a block for each value, which is written to a slot."""
        peers = [self.machine.address] * 3
        for value in values:
            script = bytes([1, 0, value])
            self.anvil.block([self.machine.call(self.anvil.accounts[1], "run", peers, script)])


@pytest.fixture
def chain(tools: Path) -> Iterator[Chain]:
    with Anvil() as anvil:
        anvil.mine(2)
        machine = anvil.deploy(anvil.accounts[0], compiled()["Machine"])
        made = Chain(anvil=anvil, machine=machine)
        made.write(1, 2, 3, 4, 5, 6)
        yield made


def test_a_snapshot_that_is_restored_takes_the_creation_along(chain: Chain) -> None:
    """The contract is created anew in a later block; what was known of its creation no longer holds."""
    anvil, contract = chain.anvil, chain.machine.address
    anvil.rpc("anvil_rollback", anvil.block_number() - 2)
    snapshot = anvil.rpc("evm_snapshot")
    anvil.deploy(anvil.accounts[0], compiled()["Machine"])
    chain.write(1)
    with TraceStore("sqlite://") as store:
        gather(store, anvil.url, contract)
        before = stored(store, contract)
        anvil.rpc("evm_revert", snapshot)
        with pytest.raises(ChainError, match="is at block 2, but the database holds block 4"):
            gather(store, anvil.url, contract)
        assert stored(store, contract) == before, "a shorter chain may be one that lags behind"
        anvil.mine(3)
        assert anvil.deploy(anvil.accounts[0], compiled()["Machine"]).address == contract
        chain.write(7, 8)
        heard = gather(store, anvil.url, contract)
        assert sum("reorganised" in note for note in heard.notes) == 1
        transactions, _, created = fresh(anvil, contract)[0]
        assert stored(store, contract)[::2] == (transactions, created) == (transactions, 6)


def test_blocks_replaced_by_the_nodes_own_reorganisation(chain: Chain) -> None:
    anvil, contract = chain.anvil, chain.machine.address
    with TraceStore("sqlite://") as store:
        gather(store, anvil.url, contract)
        anvil.rpc("anvil_reorg", 3, [])
        heard = gather(store, anvil.url, contract)
        assert sum("reorganised" in note for note in heard.notes) == 1
        assert (stored(store, contract), store.blocks(CHAIN)) == fresh(anvil, contract)


MOMENTS = [
    *(("trace_filter", row) for row in (0, 2)),
    *(("eth_getBlockByNumber", row) for row in (2, 3, 4, 6, 9, 11)),
    *(("eth_getTransactionByHash", row) for row in (0, 3)),
    *(("eth_getTransactionReceipt", row) for row in (0, 4)),
    *(("debug_traceTransaction", row) for row in (0, 1, 5)),
    *(("eth_getCode", row) for row in (0, 3)),
]
"""A method, and which of its answers the chain is replaced after."""


@pytest.mark.parametrize(("moment", "skipped"), MOMENTS)
def test_a_chain_replaced_in_the_middle_of_a_collection(chain: Chain, moment: str, skipped: int) -> None:
    """Right after an answer the newest blocks are replaced, once, by others with other transactions."""
    anvil, contract = chain.anvil, chain.machine.address
    asked = 0

    def change(method: str, _params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        nonlocal asked
        if method == moment:
            if asked == skipped:
                anvil.rpc("anvil_rollback", 3)
                chain.write(21, 22, 23)
            asked += 1
        return answer

    with LyingNode(anvil.url, change) as node, TraceStore("sqlite://") as store:
        gather(store, node.url, contract)
        assert asked > skipped, "the chain was replaced"
        gather(store, node.url, contract)
        assert stored(store, contract)[0] == fresh(anvil, contract)[0][0]
        assert stored(store, contract)[1] == fresh(anvil, contract)[0][1]


def test_earlier_pieces_replaced_while_a_later_one_is_read(chain: Chain) -> None:
    """What the database holds already is compared with the same chain as what is read now."""
    anvil, contract = chain.anvil, chain.machine.address
    done = False

    def change(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        nonlocal done
        if method == "debug_traceTransaction" and not done:
            done = True
            anvil.rpc("anvil_rollback", 5)
            chain.write(31, 32, 33, 34, 35)
        return answer

    with TraceStore("sqlite://") as store:
        gather(store, anvil.url, contract, last=6)
        with LyingNode(anvil.url, change) as node:
            heard = gather(store, node.url, contract)
        assert done
        assert any("while it was read" in note for note in heard.notes)
        assert (stored(store, contract), store.blocks(CHAIN)) == fresh(anvil, contract)


def test_a_chain_that_never_rests_is_an_error_and_stores_nothing_wrong(chain: Chain) -> None:
    anvil, contract = chain.anvil, chain.machine.address
    value = 40

    def change(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        nonlocal value
        if method == "eth_getTransactionReceipt" and params:
            value += 1
            anvil.rpc("anvil_rollback", 1)
            chain.write(value)
        return answer

    with TraceStore("sqlite://") as store:
        with LyingNode(anvil.url, change) as node, pytest.raises(SpecminerError, match="reorganised"):
            gather(store, node.url, contract)
        gather(store, anvil.url, contract)
        assert stored(store, contract) == fresh(anvil, contract)[0]
