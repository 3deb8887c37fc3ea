"""Of several ABIs each tells what calls meant that its code ran, whatever the others say."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from specminer.specification import Specification, read_specification
from tests.support.anvil import Anvil
from tests.support.command import specminer
from tests.support.exporting import write_txlist
from tests.support.modes import Upgraded, artifact, keep, run_shop, versions

pytestmark = pytest.mark.node

History = tuple[Path, Upgraded]


@pytest.fixture(scope="module")
def shop(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> History:
    """Record a shop that was upgraded midway from a node without any ABI, and as an explorer's list."""
    folder = tmp_path_factory.mktemp("shop")
    with Anvil() as anvil:
        upgraded = run_shop(anvil)
        write_txlist(anvil, folder / "list.json")
        done = specminer("collect", upgraded.proxy, "--rpc", anvil.url, "--db", "h.db", cwd=folder)
        assert done.code == 0, done.text
    keep(folder / "abis")
    keep(folder / "same", names=("Shop", "Shop"))
    return folder, upgraded


def mined(shop: History, *abi: Any, database: str = "h.db") -> Specification:
    folder, upgraded = shop
    options = [option for item in abi for option in ("--abi", item)]
    done = specminer("mine", upgraded.proxy, "--db", database, "--out", "out", *options, cwd=folder)
    assert done.code == 0, done.text
    return read_specification(folder / "out" / "automaton.json")


def functions(spec: Specification) -> set[str]:
    return {edge.function for edge in spec.transitions} | set(spec.interactions.outside)


EXPECTED = {"constructor", "put", "setMode", "setMode (ShopV1)", "setFee", "upgradeTo"}


def test_a_folder_of_abis_names_each_implementation(shop: History) -> None:
    spec = mined(shop, "abis")
    assert spec.name == "ShopV2"
    assert functions(spec) == EXPECTED
    _, upgraded = shop
    ran = {item.address: set(item.functions) for item in spec.history.implementations or ()}
    assert ran[upgraded.old] == {"put", "setMode (ShopV1)", "setFee", "upgradeTo"}
    assert ran[upgraded.new] == {"put", "setMode", "setFee"}
    limits = " ".join(spec.history.limits)
    assert "setMode(uint8)" in limits
    assert "enums Shop.Mode differ between the ABIs; stored values of them are shown as numbers" in limits
    assert "slot 2 is cap in the newest and fee in an older one" in limits
    texts = {text for state in spec.states for text in state.predicates}
    assert "mode = 0" in texts or any("mode = 0" in state.name for state in spec.states)
    assert not any(word in repr(spec.guards) for word in ("mode = Open", "mode = Closed"))


def test_files_in_any_order_and_copies_change_nothing(shop: History) -> None:
    folder, _ = shop
    spec = mined(shop, "abis")
    names = sorted(item.name for item in (folder / "abis").iterdir())
    files = [f"abis/{name}" for name in names]
    assert mined(shop, *files) == spec
    assert mined(shop, *files[::-1], files[0], "abis") == spec


def test_versions_of_one_name_are_told_apart_by_their_address(shop: History) -> None:
    assert functions(mined(shop, "same")) == EXPECTED - {"setMode (ShopV1)"} | {
        f"setMode ({shop[1].old[:10]})"
    }


def test_an_import_decodes_in_the_same_way(shop: History) -> None:
    folder, _ = shop
    done = specminer(
        "import", "list.json", "--abi", "abis", "--chain-id", "31337", "--db", "i.db", cwd=folder
    )
    assert done.code == 0, done.text
    assert functions(mined(shop, database="i.db")) == EXPECTED


def test_a_transaction_is_explained_as_its_code_meant_it(shop: History) -> None:
    """Modes are numbered otherwise in the two versions, arguments are called otherwise, ``put`` answers otherwise."""
    folder, upgraded = shop
    records = json.loads((folder / "list.json").read_text())

    def explained(function: str, *, after: bool) -> str:
        selector = "0x" + versions()[0]["evm"]["methodIdentifiers"][function]
        name = next(
            item["hash"]
            for item in records
            if item["input"].startswith(selector)
            and item["isError"] == "0"
            and (int(item["blockNumber"]) > upgraded.block) == after
        )
        done = specminer("explain", name, upgraded.proxy, "--db", "h.db", "--abi", "abis", cwd=folder)
        assert done.code == 0, done.text
        return " ".join(done.out.split())

    assert "wanted" in explained("setMode(uint8)", after=False)
    assert "Closed" in explained("setMode(uint8)", after=False)
    assert "next" in explained("setMode(uint8)", after=True)
    assert "Open" in explained("setMode(uint8)", after=True)
    assert "more" not in explained("put(uint256)", after=False)
    assert "more=true, total=" in explained("put(uint256)", after=True)


def test_abis_that_the_code_does_not_tell_apart_are_named(shop: History, tmp_path: Path) -> None:
    """Two files of one interface with other members of its enum, and no compiled code."""
    kept = keep(tmp_path / "bare", code=False)
    rival = artifact(versions()[1], "Rival", code=False)
    rival["source"] = rival["source"].replace("Closed, Paused, Open", "Paused, Closed, Open")
    (kept / "Zival.json").write_text(json.dumps(rival))
    limits = " ".join(mined(shop, kept).history.limits)
    assert "the ABIs ShopV2 and Rival fit the code at" in limits
    assert "deployedBytecode" in limits


def junk(folder: Path) -> None:
    """Write what such folders hold besides: nothing, noise, bombs, broken links."""
    (folder / "empty.json").write_bytes(b"")
    (folder / "noise.json").write_bytes(os.urandom(2_000))
    (folder / "deep.json").write_text("[" * 200_000)
    (folder / "package.json").write_text('{"name": "shop"}')
    (folder / "layout.json").write_text(
        '{"abi": [], "storageLayout": {"storage": [{"label": "x"}], "types": {}}}'
    )
    (folder / "gone.json").symlink_to(folder / "nowhere.json")
    (folder / "loop").symlink_to(folder)
    (folder / "folder.json").mkdir()
    (folder / "wrong.json").write_text(
        '{"contractName": "Zoo", "abi": [{"type": "function", "name": "zoo"}]}'
    )


def test_junk_in_a_folder_is_passed_over(shop: History, tmp_path: Path) -> None:
    kept = keep(tmp_path / "abis")
    junk(kept)
    assert mined(shop, kept) == mined(shop, "abis")


def _only_junk(folder: Path) -> Path:
    folder.mkdir()
    junk(folder)
    (folder / "wrong.json").unlink()
    return folder


def _empty(folder: Path) -> Path:
    folder.mkdir()
    return folder


@pytest.mark.parametrize("make", [_only_junk, _empty])
def test_a_folder_without_abis_is_refused(
    shop: History, tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    folder, upgraded = shop
    options = ("--abi", make(tmp_path / "abis"), "--out", tmp_path / "out")
    done = specminer("mine", upgraded.proxy, "--db", "h.db", *options, cwd=folder)
    assert done.code == 2, done.text
    assert "holds no JSON file with an ABI" in done.text
    assert not (tmp_path / "out").exists()


def test_abis_of_other_contracts_name_nothing(shop: History, tmp_path: Path) -> None:
    for name in ("Zoo", "Ark"):
        (tmp_path / f"{name}.json").write_text(
            json.dumps({"contractName": name, "abi": [{"type": "function", "name": name.lower()}]})
        )
    spec = mined(shop, tmp_path)
    assert spec.name not in ("Zoo", "Ark")
    assert "knows none of the selectors" in " ".join(spec.history.limits)
