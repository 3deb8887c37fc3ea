"""Storage layouts are found wherever tools put them, and standard slots have names without any."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from specminer._support.errors import FileFormatError
from specminer.contracts.artifact import load, parse
from specminer.decoding.hash_paths import hashes
from specminer.decoding.location_columns import NameSource
from specminer.decoding.slot_resolution import resolve
from specminer.decoding.standard_slots import erc7201, standards
from specminer.decoding.storage_layout import Layout
from specminer.history.words import from_integers

WORD = {"encoding": "inplace", "label": "uint256", "numberOfBytes": "32"}
LAYOUT = {"storage": [{"label": "count", "slot": "0", "offset": 0, "type": "u"}], "types": {"u": WORD}}
ABI = [{"type": "function", "name": "f", "inputs": [], "outputs": []}]
OTHER: dict[str, Any] = {"abi": [], "evm": {"bytecode": {"object": ""}}}
ITEM: dict[str, Any] = {"abi": ABI, "storageLayout": LAYOUT, "evm": {"bytecode": {"object": "6000"}}}


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ({"abi": ABI, "storageLayout": LAYOUT}, None),
        ({"contractName": "C", "abi": ABI, "storageLayout": LAYOUT}, "C"),  # Foundry
        ({"contracts": {"C.sol": {"C": ITEM, "I": OTHER}}}, "C"),  # solc's standard JSON
        ({"output": {"contracts": {"a/C.sol": {"C": ITEM, "I": OTHER}}}, "input": {}}, "C"),  # a build info
        ({"version": "0.4.3", "C.vy": ITEM}, "C"),  # Vyper's combined JSON
        (
            {"abi": ABI, "storageLayout": LAYOUT, "compilation": {"name": "C"}, "match": "exact_match"},
            "C",
        ),  # Sourcify
    ],
)
def test_a_layout_is_found(document: dict[str, Any], name: str | None) -> None:
    found = parse(json.dumps(document).encode(), "x.json")
    assert (found.name, found.storage_layout) == (name, LAYOUT)
    assert [entry.name for entry in found.abi] == ["f"]
    assert parse(found.to_json(), "again") == found


def test_a_layout_may_come_alone() -> None:
    found = parse(json.dumps(LAYOUT).encode(), "layout.json")
    assert (found.abi, found.storage_layout) == ((), LAYOUT)
    vyper = {"storage_layout": {"owner": {"type": "address", "slot": 3}}, "code_layout": {}}
    converted = parse(json.dumps(vyper).encode(), "layout.json").storage_layout
    assert converted is not None
    assert [(item["label"], item["slot"]) for item in converted["storage"]] == [("owner", "3")]
    assert Layout(converted, "test").key_last


def test_the_compilers_metadata_has_an_abi_but_no_layout() -> None:
    document = {"output": {"abi": ABI}, "settings": {"compilationTarget": {"a/C.sol": "C"}}, "version": 1}
    found = parse(json.dumps(document).encode(), "metadata.json")
    assert (found.name, len(found.abi), found.storage_layout) == ("C", 1, None)


def test_one_of_several_contracts_is_chosen(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    second = ITEM | {"storageLayout": LAYOUT | {"storage": []}}
    path.write_text(json.dumps({"contracts": {"C.sol": {"C": ITEM}, "D.sol": {"D": second}}}))
    with pytest.raises(
        FileFormatError, match=r"several contracts: C\.sol:C, D\.sol:D; say which: FILE:CONTRACT"
    ):
        load(path)
    assert load(tmp_path / "out.json:C").storage_layout == LAYOUT
    assert load(tmp_path / "out.json:D").storage_layout is None
    with pytest.raises(FileFormatError, match=r"no such contract: C\.sol:C, D\.sol:D"):
        load(tmp_path / "out.json:E")
    with pytest.raises(FileFormatError, match="cannot be read"):
        load(tmp_path / "none.json:C")


@pytest.mark.parametrize("version", [2, 3])
def test_hardhats_layout_stands_in_the_build_info(tmp_path: Path, version: int) -> None:
    folder = tmp_path / "artifacts" / "contracts" / "C.sol"
    folder.mkdir(parents=True)
    info = tmp_path / "artifacts" / "build-info"
    info.mkdir()
    artifact = {
        "_format": f"hh{version}-artifact-1",
        "contractName": "C",
        "sourceName": "contracts/C.sol",
        "abi": ABI,
    }
    (info / "ab-12.output.json").write_text(
        json.dumps({"output": {"contracts": {"contracts/C.sol": {"C": ITEM}}}})
    )
    if version == 3:
        artifact["buildInfoId"] = "ab-12"
    else:
        (folder / "C.dbg.json").write_text(json.dumps({"buildInfo": "../../build-info/ab-12.output.json"}))
    (folder / "C.json").write_text(json.dumps(artifact))
    assert load(folder / "C.json").storage_layout == LAYOUT
    (info / "ab-12.output.json").write_text("{}")
    assert load(folder / "C.json").storage_layout is None  # not an error: the ABI is there


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("abi"),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "abi",
                        "contracts",
                        "output",
                        "storageLayout",
                        "layout",
                        "storage",
                        "types",
                        "version",
                        "x",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_any_document_is_read_or_refused(document: Any) -> None:
    try:
        found = parse(json.dumps(document).encode(), "x.json")
    except FileFormatError:
        return
    assert parse(found.to_json(), "again") == found


# -- slots with names of their own --------------------------------------------------------------------


def test_proxies_and_namespaces_have_names() -> None:
    begin = erc7201("openzeppelin.storage.ERC20")
    assert begin == 0x52C63247E1F47DB19D5CE0460030C497F067CA4CEBF71BA98EEADABE20BACE00
    owner = b"\x11" * 20
    entry = owner.rjust(32, b"\0") + begin.to_bytes(32, "big")
    slots = [
        0x360894A13BA1A3210667C828492DB98DCA3E2076CC3735A920A3CA505D382BBC,
        0xB53127684A568B3173AE13B9F8A6016E243E63B6E8EE1178D6A717850B5D6103,
        0x7050C9E0F4CA769C69BD3A8EF740BC37934F8E2C036E5A723FD8EE048ED3F8C3,
        begin + 2,
        int.from_bytes(keccak(entry), "big"),
        erc7201("openzeppelin.storage.Ownable"),
    ]
    found = resolve(from_integers(slots), hashes({slots[4]: entry}), None)
    assert [found.text(row) for row in range(len(slots))] == [
        "implementation",
        "admin",
        "zeppelinos.implementation",
        "ERC20.totalSupply",
        "ERC20.balances[0x1111111111111111111111111111111111111111]",
        "Ownable.owner",
    ]
    assert {item.naming for item in found.variables} == {NameSource.STANDARD}
    assert np.all(found.resolution >= 0)


def test_a_layout_outranks_a_standard() -> None:
    slot = standards().variables[0].slot
    document = {
        "storage": [{"label": "mine", "slot": str(slot), "offset": 0, "type": "u"}],
        "types": {"u": WORD},
    }
    found = resolve(from_integers([slot]), hashes({}), Layout(document, "test"))
    assert found.text(0) == "mine"


def test_namespaces_follow_the_rule() -> None:
    """The example of ERC-7201 itself."""
    assert erc7201("example.main") == 0x183A6125C38840424C4A85FA12BAB2AB606C4B6D0E7CC73C0C06BA5300EAB500
