"""``specminer doctor`` tells what was tried and what came of it, on a real node and on crippled ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.anvil import Anvil
from tests.support.command import Done, specminer
from tests.support.lying_node import LyingNode, refuse, without_javascript
from tests.support.probe import drive
from tests.support.refusing_node import RefusingNode


@pytest.fixture(scope="module")
def node(tools: Path) -> Iterator[Anvil]:
    with Anvil(code_size_limit=False, steps_tracing=True) as anvil:
        drive(anvil)
        yield anvil


def told(done: Done) -> dict[str, tuple[bool | None, str]]:
    return {item["what"]: (item["works"], item["detail"]) for item in json.loads(done.out)}


def examine(url: str, cwd: Path) -> tuple[int, dict[str, tuple[bool | None, str]]]:
    done = specminer("doctor", "--rpc", url, "--format", "json", cwd=cwd)
    assert not done.err
    return done.code, told(done)


def test_everything_works_on_a_full_node(node: Anvil, tmp_path: Path) -> None:
    code, found = examine(node.url, tmp_path)
    assert code == 0
    tried = {"batches", "old state", "trace_filter", "debug_traceBlockByNumber", "trace_block"}
    tried |= {"javascript", "structLogs", "prestate+callTracer", "renderer", "client"}
    assert {what for what in tried if found[what][0]} == tried
    assert "archive" in found["old state"][1]
    assert found["database"] == (None, "specminer.db: not there yet; `collect` or `import` makes it")
    assert not (tmp_path / "specminer.db").exists(), "asking must not create it"


def test_a_node_that_cannot_trace_is_a_finding(node: Anvil, tmp_path: Path) -> None:
    with RefusingNode(node.url) as public:
        code, found = examine(public.url, tmp_path)
        text = specminer("doctor", "--rpc", public.url, cwd=tmp_path)
    assert code == text.code == 1
    assert found["javascript"][0] is found["structLogs"][0] is found["prestate+callTracer"][0] is False
    assert found["chain"][0] is True
    assert "✗ trace_filter" in text.out


def test_what_is_crippled_is_named(node: Anvil, tmp_path: Path) -> None:
    newest = node.block_number()

    def change(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if method == "eth_getBalance" and int(params[1], 16) < newest - 3:
            return refuse(answer, "missing trie node", -32000)
        if method == "trace_filter":
            return {"jsonrpc": "2.0", "id": answer["id"], "result": []}
        return without_javascript(method, params, answer)

    with LyingNode(node.url, change) as crippled:
        code, found = examine(crippled.url, tmp_path)
    assert code == 0, "structLogs are enough"
    assert found["javascript"][0] is False
    assert found["structLogs"][0] is True
    assert found["trace_filter"][0] is False
    assert f"of block {newest - 2:,} and later" in found["old state"][1]


def test_an_empty_chain_leaves_the_tracers_untried(tools: Path, tmp_path: Path) -> None:
    with Anvil() as anvil:
        code, found = examine(anvil.url, tmp_path)
    assert code == 0
    assert found["javascript"][0] is None


def test_the_database_is_told(tmp_path: Path) -> None:
    dataset = Path(__file__).parent.parent.parent / "datasets" / "auction_house" / "traces.jsonl.gz"
    assert specminer("import", dataset, "--db", "h.db", cwd=tmp_path).code == 0
    done = specminer("doctor", "--db", "h.db", "--format", "json", cwd=tmp_path)
    assert "contracts: 1, transactions: 374" in told(done)["database"][1]


def test_a_node_that_is_down_is_an_error(tmp_path: Path) -> None:
    done = specminer("doctor", "--rpc", "http://127.0.0.1:1/secretkey", cwd=tmp_path)
    assert done.code == 3
    assert "cannot be reached" in done.err
    assert "secretkey" not in done.text
