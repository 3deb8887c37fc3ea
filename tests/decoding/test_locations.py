"""All slots at once: every pair of contract and slot is one variable with its own keys, in whatever order."""

from __future__ import annotations

import random

import numpy as np
import pytest
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from specminer.decoding.hash_paths import Hashes, hashes
from specminer.decoding.location_columns import RESOLUTIONS, Locations, PortKind, Resolution
from specminer.decoding.slot_resolution import locate, resolve
from specminer.decoding.storage_layout import Layout
from specminer.history.contract_history import MISSING, slots
from specminer.history.trace import WORD_LIMIT
from specminer.history.words import difference, find, from_integers, from_numbers, to_integers, word_at
from tests.support.divisions import history_of
from tests.support.histories import ACCOUNTS, CONTRACTS, Simulated, simulate, simulations, stored
from tests.support.layouts import good, image

LAYOUT = Layout(good(), "test")
WORDS = st.integers(0, WORD_LIMIT - 1)
EDGES = st.sampled_from([0, 1, 1 << 32, (1 << 64) - 1, 1 << 64, (1 << 128) - 1, 1 << 192, WORD_LIMIT - 1])


def storage(seed: int) -> tuple[dict[int, bytes], list[int]]:
    """Return preimages that lead into each other in any way, and slots in and around what they lead to."""
    rng = random.Random(seed)
    preimages: dict[int, bytes] = {}
    bases = [0, 1, 2, 3, 4, 5, 6, 300]
    for _ in range(rng.randint(0, 25)):
        base = (rng.choice(bases) + rng.choice([0, 0, 0, 1, 2, 3, 100])) % WORD_LIMIT
        number = rng.choice([0, 7, 1 << 159]).to_bytes(32, "big")
        data = rng.choice([b"", number, b"alice", rng.randbytes(32)]) + base.to_bytes(32, "big")
        preimages[image(data)] = data
        bases.append(image(data))
    found = {rng.choice(bases) + rng.choice([0, 0, 1, 2, 3, 5, 70, 200, 1 << 32, -1]) for _ in range(60)}
    return preimages, [slot % WORD_LIMIT for slot in sorted(found)]


def table(preimages: dict[int, bytes], layout: Layout | None = None) -> Hashes:
    return hashes(preimages, layout.array_slots() if layout is not None else ())


def parts_of(locations: Locations, row: int) -> tuple[str, list[str]]:
    return locations.text(row), [item.text for item in locations.variables[locations.variable[row]].fields]


@given(st.integers(0, 1 << 40), st.sampled_from([LAYOUT, None]), st.randoms())
def test_no_two_slots_are_one_place(seed: int, layout: Layout | None, order: random.Random) -> None:
    preimages, words = storage(seed)
    locations = resolve(from_integers(words), table(preimages, layout), layout)
    assert len(
        {(int(row), *keys.tolist()) for row, keys in zip(locations.variable, locations.keys, strict=True)}
    ) == len(words)
    for row, keys in zip(locations.variable.tolist(), locations.keys.tolist(), strict=True):
        ports = locations.variables[row].ports
        assert [code != MISSING for code in keys] == [at < len(ports) for at in range(len(keys))]
        assert all(0 <= code < len(locations.key_table) for code in keys[: len(ports)])
        assert [locations.ports[port].depth for port in ports] == list(range(len(ports)))
        for inner, outer in zip(ports[1:], ports, strict=False):
            assert locations.ports[inner].parent == outer
            stem = locations.ports[outer].name.partition(" #")[0]
            assert locations.ports[inner].name.startswith(stem)
    templates = [item.text(field=at) for item in locations.variables for at in range(len(item.fields))]
    assert len(set(templates)) == len(templates)
    assert len({port.name for port in locations.ports}) == len(locations.ports)
    # in another order, the same rows
    shuffled = order.sample(range(len(words)), len(words))
    again = resolve(from_integers([words[row] for row in shuffled]), table(preimages, layout), layout)
    assert again.variables == locations.variables
    assert again.ports == locations.ports
    assert np.array_equal(again.variable, locations.variable[shuffled])
    assert np.array_equal(again.keys, locations.keys[shuffled])
    assert np.array_equal(again.resolution, locations.resolution[shuffled])


@pytest.mark.slow
@settings(max_examples=40)
@given(simulations(contracts=2))
def test_names_of_a_history(simulated: Simulated) -> None:
    with stored(simulated.transactions, CONTRACTS) as store:
        history = store.history(1, list(CONTRACTS))
    numbered = slots(history)
    touched = history.invocation_contract[history.access_invocation]
    assert np.array_equal(numbered.contract[numbered.access], touched)
    assert np.array_equal(numbered.word[numbered.access], history.access_slot)
    assert len(set(zip(numbered.contract.tolist(), numbered.word.tolist(), strict=True))) == len(numbered)
    locations = locate(history)
    accounts = from_integers(int.from_bytes(item, "big") for item in ACCOUNTS)
    codes = locations.key_table.find(accounts)
    for row in range(len(numbered)):
        word = history.words[numbered.word[row]]
        variable = locations.variables[locations.variable[row]]
        if word < 4:
            assert locations.text(row) == f"slot{word}"
            assert RESOLUTIONS[locations.resolution[row]] is Resolution.FIXED
        else:
            assert variable.text() == "mapping4[]"
            (owner,) = [
                item for item in ACCOUNTS if image(item.rjust(32, b"\0") + (4).to_bytes(32, "big")) == word
            ]
            assert locations.keys[row, 0] == codes[ACCOUNTS.index(owner)]
            assert locations.key_table.like_addresses[locations.keys[row, 0]]
            assert RESOLUTIONS[locations.resolution[row]] is Resolution.PREIMAGE


def test_what_nothing_explains_is_one_variable_unless_most_calls_touch_it() -> None:
    history = history_of(simulate(3, 30))
    locations = resolve(from_integers([5, 1 << 200, 1 << 201]), table({}), None, constants=[1 << 201])
    assert [locations.text(row) for row in range(3)] == [
        "slot5",
        f"unresolved[{1 << 200:#066x}]",
        f"slot{1 << 201:#066x}",
    ]
    assert locations.ports[0].port_kind is PortKind.UNRESOLVED
    assert [RESOLUTIONS[item] for item in locations.resolution] == [
        Resolution.FIXED,
        Resolution.UNRESOLVED,
        Resolution.FIXED,
    ]
    assert len(locate(history).variables) <= 5


def test_branches_behind_one_key_share_its_port() -> None:
    document = good()
    outer = bytes(12) + b"\xaa" * 20 + (1).to_bytes(32, "big")
    inner = b"\xbb" * 32 + keccak(outer)
    array = (image(outer) + 2).to_bytes(32, "big")
    words = [image(outer), image(outer) + 2, image(array) + 4, image(array) + 3]
    preimages = {image(data): data for data in (outer, inner, array)}
    locations = resolve(from_integers(words), table(preimages), Layout(document, "test"))
    key = f"m[{locations.key_table.text(int(locations.keys[0, 0]), locations.ports[0].kind)}]"
    assert [parts_of(locations, row) for row in range(4)] == [
        (f"{key}.x", [".x", ".y"]),
        (f"{key}.l.length", [".l.length"]),
        ("mapping1" + key[1:] + "+2[4]", [""]),  # a mapping's own slot, that nothing should touch
        (f"{key}.l[1].x", [".x", ".y"]),
    ]
    assert [port.name for port in locations.ports][:2] == ["m[]", "m[].l[]"]
    assert len({int(locations.port[row, 0]) for row in (0, 1, 3)}) == 1


@given(st.lists(WORDS | EDGES, max_size=30), st.lists(WORDS | EDGES, max_size=30))
def test_word_arrays_agree_with_integers(one: list[int], other: list[int]) -> None:
    words = from_integers(one)
    assert to_integers(words) == one
    assert [word_at(words, row) for row in range(len(one))] == one
    ordered = sorted(set(other))
    places = find(from_integers(ordered), words)
    assert places.tolist() == [ordered.index(item) if item in ordered else MISSING for item in one]
    assert to_integers(np.sort(words)) == sorted(one)
    pairs = list(zip(one, other, strict=False))
    gaps = difference(from_integers(a for a, _ in pairs), from_integers(b for _, b in pairs), 1 << 40)
    assert gaps.tolist() == [a - b if 0 <= a - b < 1 << 40 else MISSING for a, b in pairs]
    small = [item % (1 << 62) for item in one]
    assert to_integers(from_numbers(np.array(small, dtype=np.int64))) == small
