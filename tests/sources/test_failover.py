"""Of several endpoints the first that can answer a request does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from specminer._support.errors import NodeRefused, NotOnChain
from specminer.sources.chain_blocks import check_chain
from specminer.sources.endpoint import Endpoint
from specminer.sources.node import Node
from tests.support.anvil import Anvil
from tests.support.collecting import collected
from tests.support.command import specminer
from tests.support.counting import counted
from tests.support.lying_node import LyingNode, refuse
from tests.support.refusing_node import RefusingNode

NOBODY = "http://127.0.0.1:1"


def test_what_one_cannot_another_is_asked(tools: object) -> None:
    with Anvil() as anvil:
        contract = counted(anvil, 20)
        whole, _ = collected(anvil.url, contract)
        with RefusingNode(anvil.url) as public:
            assert collected(public.url, contract, anvil.url)[0] == whole
            tracing = [method for method, _, _ in public.seen if method.startswith(("debug_", "trace_"))]
            assert len(set(tracing)) <= len(tracing) < 10, "it is not asked again for what it lacks"
            with pytest.raises(NodeRefused, match="no way to trace"):
                collected(public.url, contract, public.url)


def test_state_that_one_has_forgotten_another_is_asked_for(tools: object) -> None:
    def forget(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        old = method == "eth_getCode" and params[1].startswith("0x") and int(params[1], 16) < 15
        return refuse(answer, "missing trie node", -32000) if old else answer

    with Anvil() as anvil:
        contract = counted(anvil, 20)
        whole, _ = collected(anvil.url, contract)
        with LyingNode(anvil.url, forget) as pruned:
            assert collected(pruned.url, contract, anvil.url)[0] == whole


def test_an_endpoint_that_is_down_is_left_out_and_one_that_fails_later_is_passed_over(tools: Path) -> None:
    with Anvil() as anvil:
        contract = counted(anvil, 20)
        whole, _ = collected(anvil.url, contract)
        found, notes = collected(NOBODY, contract, anvil.url)
        assert found == whole
        assert any("is left out" in note for note in notes)
        calls = 0

        def die(_method: str, _params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
            nonlocal calls
            calls += 1
            return answer if calls < 25 else {}

        with LyingNode(anvil.url, die) as dying:
            assert collected(dying.url, contract, anvil.url)[0] == whole
        assert calls >= 25


def test_endpoints_of_two_chains_are_refused(tools: object) -> None:
    with (
        Anvil() as one,
        Anvil(chain_id=7) as other,
        Node(Endpoint(one.url), Endpoint(other.url), pause=0.01) as node,
        pytest.raises(NotOnChain, match="all --rpc have to be of one chain"),
    ):
        check_chain(node, None)


def test_the_command_takes_several_and_limits(tools: object, tmp_path: Path) -> None:
    with Anvil() as anvil:
        contract = counted(anvil, 5)
        limits = ("--retries", "3", "--timeout", "20", "--concurrency", "2", "--rps", "500")
        rpc = ("--rpc", f"{NOBODY}/k3ysecret", "--rpc", anvil.url)
        done = specminer("collect", contract, *rpc, *limits, "--db", "h.db", cwd=tmp_path)
        assert done.code == 0, done.text
        assert "6 new transactions" in done.out
        assert "k3ysecret" not in done.text
