"""An answer that holds nothing is checked: by the block, by a bloom, by the contract's state, by asking again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from specminer._support.errors import InvalidNodeResponse
from specminer._support.keccak import keccak
from specminer.history.trace import Address, Transaction
from specminer.sources.emptiness import bloom_of, check_logs_shown, check_transactions, may_log
from specminer.store import TraceStore
from tests.support import till
from tests.support.anvil import Anvil
from tests.support.collecting import CHAIN, address, gather
from tests.support.lying_node import LyingNode, refuse

OWNER = Address(bytes(19) + b"\x07")
EMPTY_ROOT = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"


def bloom(*addresses: bytes) -> str:
    """Return the bloom of logs without topics."""
    bits = 0
    for item in addresses:
        digest = keccak(item)
        for start in (0, 2, 4):
            bits |= 1 << (int.from_bytes(digest[start : start + 2], "big") % 2048)
    return f"0x{bits:0512x}"


def test_a_bloom_holds_who_logged() -> None:
    assert may_log(bloom_of({"logsBloom": bloom(OWNER)}), OWNER)
    assert not may_log(bloom_of({"logsBloom": bloom(bytes(20))}), OWNER)


@pytest.mark.parametrize("text", [None, 7, "0x", "0x" + "zz" * 256, "0x" + "ff" * 256, "0x" + "00" * 256])
def test_a_bloom_that_tells_nothing_holds_nobody(text: object) -> None:
    assert not may_log(bloom_of({"logsBloom": text}), OWNER)


def test_a_block_without_transactions_has_the_root_of_none() -> None:
    check_transactions({"transactions": [], "transactionsRoot": EMPTY_ROOT})
    check_transactions({"transactions": []})
    check_transactions({"transactions": ["0x01"], "transactionsRoot": "0x" + "12" * 32})
    with pytest.raises(InvalidNodeResponse, match="root of its transactions"):
        check_transactions({"transactions": [], "transactionsRoot": "0x" + "12" * 32})


def test_a_receipt_without_logs_has_an_empty_bloom() -> None:
    check_logs_shown({"logs": [], "logsBloom": "0x" + "00" * 256}, "it")
    check_logs_shown({"logs": [{}], "logsBloom": bloom(OWNER)}, "it")
    with pytest.raises(InvalidNodeResponse, match="shows no logs"):
        check_logs_shown({"logs": [], "logsBloom": bloom(OWNER)}, "it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A contract that logs and is called by others, and what is true of it."""

    anvil: Anvil
    contract: str
    true: list[Transaction]


@pytest.fixture(scope="module")
def chain(tools: Path) -> Iterator[Chain]:
    with Anvil() as anvil:
        deployed = anvil.deploy(anvil.accounts[0], till.compiled()["Till"])
        till.drive(anvil, deployed, rounds=2)
        yield Chain(anvil=anvil, contract=deployed.address, true=collected(anvil.url, deployed.address))


def collected(url: str, contract: str) -> list[Transaction]:
    with TraceStore("sqlite://") as store:
        gather(store, url, contract)
        return list(store.transactions(CHAIN, address(contract)))


def emptied(answer: dict[str, Any]) -> dict[str, Any]:
    return answer | {"result": []} if isinstance(answer.get("result"), list) else answer


@pytest.mark.parametrize("kept", [0, 7])
def test_an_index_that_leaves_out_is_noticed_by_the_state(chain: Chain, kept: int) -> None:
    """Neither traces of ranges nor logs show what came behind some block."""

    def change(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if method == "eth_getLogs":
            return emptied(answer)
        if method != "trace_filter" or params[0]["fromBlock"] == params[0]["toBlock"]:
            return answer
        return answer | {"result": [trace for trace in answer["result"] if trace["blockNumber"] <= kept]}

    with LyingNode(chain.anvil.url, change) as node, TraceStore("sqlite://") as store:
        heard = gather(store, node.url, chain.contract)
        assert list(store.transactions(CHAIN, address(chain.contract))) == chain.true
    assert any("leaves out transactions" in note for note in heard.notes)


@pytest.mark.parametrize("method", ["debug_traceBlockByNumber", "trace_block"])
def test_blocks_without_traces_are_gone_through(chain: Chain, method: str) -> None:
    other = {"debug_traceBlockByNumber": "trace_block", "trace_block": "debug_traceBlockByNumber"}[method]

    def change(asked: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if asked in ("trace_filter", other):
            return refuse(answer)
        return emptied(answer) if asked == method and int(params[0], 16) % 2 else answer

    with LyingNode(chain.anvil.url, change) as node:
        assert collected(node.url, chain.contract) == chain.true


def test_logs_that_a_node_leaves_out_are_found_by_blooms(chain: Chain) -> None:
    """Blocks and logs are scanned: calls by others are found by logs alone."""

    def scanned(method: str, _params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        refused = ("trace_filter", "trace_block", "debug_traceBlockByNumber")
        return refuse(answer) if method in refused else answer

    def change(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        return emptied(answer) if method == "eth_getLogs" else scanned(method, params, answer)

    with LyingNode(chain.anvil.url, scanned) as honest:
        expected = collected(honest.url, chain.contract)
    with LyingNode(chain.anvil.url, change) as node:
        assert collected(node.url, chain.contract) == expected


def test_code_that_is_missing_now_and_then_does_not_hide_the_creation(chain: Chain) -> None:
    count = 0

    def change(method: str, _params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        nonlocal count
        if method != "eth_getCode":
            return answer
        count += 1
        return answer | {"result": "0x"} if count % 3 else answer

    with LyingNode(chain.anvil.url, change) as node:
        assert collected(node.url, chain.contract) == chain.true
