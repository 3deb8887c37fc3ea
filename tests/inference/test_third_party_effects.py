"""Effects and conservation of contracts of others: what their sources say, listed in ``tests/data/effects``."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from specminer.pipeline.miner import mine
from specminer.specification import Specification
from tests.support.third_party.recording import Recording

FOLDER = Path(__file__).parent.parent / "data" / "effects"
CONSERVED = {
    "erc4626": "transfer keeps the sum of _balances[]",
    "uups": "transfer keeps the sum of ERC20.balances[]",
    "weth9": "transfer keeps the sum of balanceOf[]",
}
"""By history: what follows from the code of ``transfer``."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def mined(third_party: Callable[[str], Recording]) -> Callable[[str], Specification]:
    def specification(name: str) -> Specification:
        recording = third_party(name)
        return mine(recording.trace_file, abi=recording.artifact_file).specification

    return cache(specification)


@pytest.mark.parametrize("name", CONSERVED)
def test_effects_are_those_of_the_source(name: str, mined: Callable[[str], Specification]) -> None:
    listed = tomllib.loads((FOLDER / f"{name}.toml").read_text())
    effects = mined(name).effects
    for function, expected in listed.items():
        own = {item.text: item for item in effects if item.function == function}
        assert set(own) == set(expected)
        for text, item in own.items():
            told = set(item.condition.split(" and ")) - {""}
            assert told <= set(expected[text].split(" and ")), text
            assert bool(told) == (item.happened < item.calls), text


@pytest.mark.parametrize("name", CONSERVED)
def test_transfer_is_proved_to_keep_the_sum(name: str, mined: Callable[[str], Specification]) -> None:
    proved = {item.text: item for item in mined(name).invariants if item.derivation is not None}
    assert CONSERVED[name] in proved
    assert proved[CONSERVED[name]].exceptions == 0
