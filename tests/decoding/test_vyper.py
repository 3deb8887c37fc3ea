"""Vyper's storage: nothing packed, arrays in place, mappings hashed with the key last."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from specminer._support.errors import FileFormatError
from specminer.contracts.artifact import load, parse
from specminer.contracts.vyper_layout import VyperLayoutError, from_vyper, is_vyper
from specminer.decoding import decode
from specminer.decoding.location_columns import Locations
from specminer.decoding.slot_resolution import locate
from specminer.decoding.storage_layout import Layout
from specminer.history.contract_history import History
from specminer.store import TraceStore
from tests.support.anvil import Anvil
from tests.support.collecting import CHAIN, address, gather

RECORDED = Path(__file__).parent.parent / "data" / "orders.json"
WHO = to_checksum_address("0x" + "a1" * 20)


@pytest.fixture(scope="module")
def history(tools: Path) -> History:
    output = json.loads(RECORDED.read_text())["orders.vy"]
    with Anvil() as anvil, TraceStore("sqlite://") as store:
        sender = anvil.accounts[0]
        deployed = anvil.deploy(sender, output)
        for key in (1, 2, 500):
            (receipt,) = anvil.block([deployed.call(sender, "place", key, WHO, 10**18 + key)])
            assert receipt["status"] == "0x1"
        gather(store, anvil.url, deployed.address)
        return store.history(CHAIN, [address(deployed.address)])


def texts(locations: Locations) -> list[str]:
    return [locations.text(row) for row in range(len(locations.variable))]


def layout() -> Layout:
    document = load(RECORDED).storage_layout
    assert document is not None
    return Layout(document, "test")


def test_every_slot_has_its_name(history: History) -> None:
    locations = locate(history, layout())
    found = set(texts(locations))
    assert {
        "owner", "total", "orders[500].owner", "orders[500].amount", "orders[500].open", "orders[500].tags",
        f"nested[{WHO}][500]", "byName['alice']", "numbers.length", "numbers[2]", "items.length", "items[2].open",
        "fixed3[1]", "grid[2][1]", "title.length", "title[0]", "single.open", f"roles[{WHO}]", "flagged",
    } <= found  # fmt: skip
    assert not [text for text in found if "slot" in text or "mapping" in text or "unresolved" in text]
    byte32 = "0x" + (500).to_bytes(32, "big").hex()
    assert f"byKey[{byte32}]" in found


def test_keys_are_told_without_a_layout_and_without_hashes(history: History) -> None:
    told = locate(history, layout())
    plain, blind = locate(history), locate(replace(history, preimages={}))
    for row, text in enumerate(texts(told)):
        ports = [told.ports[port] for port in told.variables[told.variable[row]].ports]
        if text.startswith(("orders", "nested", "byKey", "roles")):
            for other in (plain, blind):
                keys = [other.key_table.data(int(code)) for code in other.keys[row, : len(ports)]]
                assert keys == [told.key_table.data(int(code)) for code in told.keys[row, : len(ports)]]
    assert not [text for text in texts(plain) if "unresolved" in text]


def test_getters_name_them_too(history: History) -> None:
    artifact = load(RECORDED)
    found = decode(history, replace(artifact, storage_layout=None))
    assert {
        "owner", "total", "orders[500].owner", "orders[500].amount", "orders[500].open", f"nested[{WHO}][500]",
        "flagged", f"roles[{WHO}]", "numbers[2]", "fixed3[1]", "single.open",
    } <= set(texts(found.locations))  # fmt: skip
    assert found.coverage.resolved_share == 1.0
    assert found.notes == ()
    assert decode(history, artifact).notes == ()


@pytest.mark.parametrize(
    "document",
    [
        {"x": {"type": "uint256", "slot": -1}},
        {"x": {"type": "uint256", "slot": 1 << 256}},
        {"x": {"type": 5, "slot": 1}},
        {"x": {"type": "uint256", "slot": 1, "n_slots": 0}},
        {"x": {"type": "uint256", "slot": 1, "n_slots": "2"}},
        {"x": {"type": "HashMap[uint256]", "slot": 1}},
        {"x": {"type": "DynArray[" * 40 + "uint8" + ", 2]" * 40, "slot": 1}},
        {"x": 7},
        {"x": {"type": "a" * 20_000, "slot": 1}},
        {"x": {"type": "uint256", "slot": True}},
    ],
)
def test_malformed_layouts_are_refused(document: dict[str, Any]) -> None:
    text = json.dumps({"abi": [], "layout": {"storage_layout": document}}).encode()
    with pytest.raises(FileFormatError, match="the storage layout is malformed"):
        parse(text, "x.json")


types = st.recursive(
    st.sampled_from(
        ["uint256", "address", "bool", "bytes4", "Odd", "decimal", "String[5]", "Bytes[100]", ""]
    ),
    lambda inner: st.one_of(
        st.builds("HashMap[{}, {}]".format, inner, inner),
        st.builds("DynArray[{}, {}]".format, inner, st.integers(0, 9)),
        st.builds("{}[{}]".format, inner, st.integers(0, 9)),
    ),
    max_leaves=5,
)


@given(
    st.dictionaries(
        st.text(max_size=5), st.tuples(types, st.integers(0, 200), st.integers(1, 50) | st.none())
    )
)
def test_any_types_may_come(variables: dict[str, tuple[str, int, int | None]]) -> None:
    document = {
        name: {"type": kind, "slot": slot} | ({} if size is None else {"n_slots": size})
        for name, (kind, slot, size) in variables.items()
    }
    assert is_vyper({"storage_layout": document})
    try:
        converted = from_vyper({"storage_layout": document}, {"x": [("a", "uint256"), ("b", "uint8[]")]})
        Layout(converted, "test")
    except (VyperLayoutError, FileFormatError):
        pass
