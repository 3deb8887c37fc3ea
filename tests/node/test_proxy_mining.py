"""A proxy is mined by its own address, with its implementation's functions and variables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from specminer.specification import Specification, read_specification
from tests.support import till
from tests.support.anvil import Anvil
from tests.support.command import specminer


@pytest.fixture(scope="module")
def mined(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Specification, Specification, str]:
    """Mine a till behind a proxy by the proxy's address, with and without the till's artifact."""
    folder = tmp_path_factory.mktemp("proxy")
    output = till.compiled()
    abi = {name: output["Till"][name] for name in ("abi", "storageLayout")}
    (folder / "till.json").write_text(json.dumps({"contractName": "Till", **abi}))
    with Anvil() as anvil:
        owner = anvil.accounts[0]
        code = anvil.deploy(owner, output["Till"])
        proxy = anvil.deploy(owner, output["Proxy"], code.address)
        till.drive(anvil, anvil.at(proxy.address, output["Till"]["abi"]))
        till.drive(anvil, code, rounds=1)  # what happens to the implementation itself is not the proxy's
        rpc = ("--rpc", anvil.url, "--db", "h.db")
        named = specminer("mine", proxy.address, *rpc, "--abi", "till.json", "--out", "named", cwd=folder)
        assert named.code == 0, named.text
        bare = specminer(
            "mine", proxy.address, "--rpc", anvil.url, "--db", "b.db", "--out", "bare", cwd=folder
        )
        assert bare.code == 0, bare.text
    first, second = (read_specification(folder / name / "automaton.json") for name in ("named", "bare"))
    return first, second, proxy.address


def test_the_functions_are_the_implementations(mined: tuple[Specification, Specification, str]) -> None:
    named, _, _ = mined
    assert {edge.function for edge in named.transitions} == {"put", "take"}
    assert set(named.interactions.outside) == {"constructor", "start"}
    assert named.name == "Till"
    assert not named.history.limits


def test_the_accesses_are_the_proxys(mined: tuple[Specification, Specification, str]) -> None:
    named, _, proxy = mined
    calls = sum(edge.count for edge in named.transitions) + named.interactions.outside["start"]
    expected = 2 + 3 * (7 + 3) + 7 + 6 + 7
    assert named.contracts == (proxy,)
    assert named.history.transactions == expected + 1
    assert calls == expected


def test_the_variables_are_named_by_the_implementations_layout(
    mined: tuple[Specification, Specification, str],
) -> None:
    named, _, _ = mined
    predicates = {text for state in named.states for text in state.predicates}
    assert "held[·] = 0" in predicates
    assert "storage layout" in named.history.names


def test_without_an_artifact_the_implementations_code_names_the_functions(
    mined: tuple[Specification, Specification, str],
) -> None:
    named, bare, _ = mined
    assert [state.visits for state in bare.states] == [state.visits for state in named.states]
    assert {edge.count for edge in bare.transitions} == {edge.count for edge in named.transitions}
