"""Where no tracer saw what was hashed, trying finds the same: from the words at hand in the calls."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specminer.decoding.hash_paths import hashes
from specminer.decoding.location_columns import RESOLUTIONS, Locations, Resolution
from specminer.decoding.preimages import Dictionary
from specminer.decoding.slot_resolution import locate
from specminer.decoding.storage_layout import Layout
from specminer.history.contract_history import History, slots
from specminer.history.hashing import keccak_many
from specminer.history.words import from_integers
from tests.support.divisions import history_of
from tests.support.histories import ACCOUNTS, Simulated, balance_slot, simulations
from tests.support.step_histories import made
from tests.support.storages import lived


def texts(locations: Locations) -> list[str]:
    return [locations.text(row) for row in range(len(locations.variable))]


def without_code(history: History) -> History:
    """Return the history as if it was not known which compiler made the contract."""
    return replace(history, contracts=tuple(replace(item, code=b"") for item in history.contracts))


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("code", [True, False])
def test_a_rich_storage_is_resolved_without_any_preimage(tools: Path, named: bool, code: bool) -> None:
    contract = lived()
    layout = Layout(contract.artifact.storage_layout or {}, "test") if named else None
    blind = contract.without_preimages()
    found = locate(blind if code else without_code(blind), layout)
    assert texts(found) == texts(locate(contract.history, layout))
    kinds = {RESOLUTIONS[row] for row in found.resolution.tolist()}
    assert kinds == {Resolution.FIXED, Resolution.DICTIONARY}


@pytest.mark.slow
@settings(max_examples=25)
@given(simulations(contracts=1))
def test_accounts_entries_are_found_where_the_accounts_occur(simulated: Simulated) -> None:
    history = history_of(simulated)
    blind = replace(history, preimages={})
    one, other = locate(history), locate(blind)
    assert {*texts(other)} <= {*texts(one)} | {
        # nobody but the entry itself speaks of this account
        f"unresolved[{balance_slot(item):#066x}]"
        for item in ACCOUNTS
        if item not in history.addresses
    } | {f"slot{balance_slot(item):#066x}" for item in ACCOUNTS if item not in history.addresses}


@settings(max_examples=10)
@given(st.integers(0, 1 << 32))
def test_nothing_is_found_where_nothing_was_hashed(seed: int) -> None:
    """Slots at random places: a hit would be a collision, or a defect."""
    rng = np.random.default_rng(seed)
    history = history_of_words([int.from_bytes(rng.bytes(32), "big") for _ in range(5)])
    assert all(RESOLUTIONS[row] is not Resolution.DICTIONARY for row in locate(history).resolution.tolist())


def history_of_words(words: list[int]) -> History:
    """Return a history that reads these slots, one in each call."""
    return made(*[[(0, "r", word, 0, 0)] for word in words])


def test_vyper_hashes_the_key_last() -> None:
    keys = [int.from_bytes(item, "big") for item in ACCOUNTS[:3]]
    base = (7).to_bytes(32, "big")
    blocks = np.frombuffer(b"".join(base + key.to_bytes(32, "big") for key in keys), dtype=np.uint8)
    images = [
        int.from_bytes(bytes(word).ljust(32, b"\0"), "big") for word in keccak_many(blocks.reshape(-1, 64))
    ]
    history = history_of_words(images)
    found = texts(locate(history))
    assert found[0].startswith("mapping7[0x")


def test_the_cost_is_bounded() -> None:
    history = history_of_words([(1 << 255) + 7 * number for number in range(300)])
    numbered = slots(history)
    words = from_integers(history.words[row] for row in numbered.word.tolist())
    attack = Dictionary(history, numbered, words)
    attack.run(hashes({}))
    assert attack.matches == []
    assert 0 < attack.hash_count < 20_000_000
