"""Proxies whose code changes midway are mined as a reader of their source would expect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from specminer.specification import GuardKind, Specification, read_specification
from tests.support import changing_safe
from tests.support.anvil import Anvil, Deployed
from tests.support.command import specminer
from tests.support.exporting import write_txlist
from tests.support.upgrading import compiled, deploy, use_pot

pytestmark = pytest.mark.node


def keep(folder: Path, *names: str) -> list[str]:
    """Write artifacts and return the options that name them."""
    for name in names:
        kept = {key: compiled()[name][key] for key in ("abi", "storageLayout")}
        (folder / f"{name}.json").write_text(json.dumps({"contractName": name, **kept}))
    return [option for name in names for option in ("--abi", f"{name}.json")]


def mined(folder: Path, *arguments: Any) -> Specification:
    done = specminer("mine", *arguments, "--db", "h.db", "--out", "out", cwd=folder)
    assert done.code == 0, done.text
    return read_specification(folder / "out" / "automaton.json")


def required(spec: Specification) -> set[tuple[str, str]]:
    return {(guard.scope, guard.text) for guard in spec.guards if guard.kind is GuardKind.REQUIRED}


@pytest.fixture(scope="module")
def uups(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str], int, str]:
    folder = tmp_path_factory.mktemp("uups")
    with Anvil() as anvil:
        first, second = deploy(anvil, "DustyPot", "CappedPot")
        owner = anvil.accounts[0]
        proxy = anvil.deploy(owner, compiled()["UpgradeableProxy"], first.address, owner)
        pot = anvil.at(proxy.address, compiled()["CappedPot"]["abi"])
        use_pot(anvil, anvil.at(proxy.address, compiled()["DustyPot"]["abi"]))
        anvil.block([pot.call(anvil.accounts[3], "upgradeTo", second.address)])
        (receipt,) = anvil.block([pot.call(owner, "upgradeTo", second.address)])
        use_pot(anvil, pot, moving=True)
        write_txlist(anvil, folder / "list.json")
        spec = mined(folder, proxy.address, "--rpc", anvil.url, *keep(folder, "CappedPot"))
        (folder / "node.json").write_text((folder / "out" / "automaton.json").read_text())
        assert spec.history.limits == ()
    return (
        folder,
        [proxy.address, first.address, second.address],
        int(receipt["blockNumber"], 16),
        "node.json",
    )


@pytest.mark.parametrize("source", ["node", "list"])
def test_an_upgrade_midway_is_an_event_of_the_contract(
    uups: tuple[Path, list[str], int, str], source: str
) -> None:
    folder, (proxy, first, second), block, _ = uups
    if source == "node":
        spec = read_specification(folder / "node.json")
    else:
        abi = keep(folder, "DustyPot", "CappedPot", "UpgradeableProxy")
        done = specminer("import", "list.json", *abi, "--chain-id", "31337", "--db", "i.db", cwd=folder)
        assert done.code == 0, done.text
        done = specminer("mine", proxy, "--db", "i.db", "--out", "listed", cwd=folder)
        assert done.code == 0, done.text
        spec = read_specification(folder / "listed" / "automaton.json")
    changes = spec.history.upgrades or ()
    assert [(item.function, item.added, item.removed) for item in changes] == [
        ("constructor", (first,), ()),
        ("upgradeTo", (second,), (first,)),
    ]
    assert changes[1].block == block
    ran = {item.address: item for item in spec.history.implementations or ()}
    assert ran[first].last_block == block, "the upgrade itself ran in the old code"
    assert ran[second].first_block == block + 1
    assert ("upgradeTo", "owner = sender") in required(spec)
    # what only the newer version demands is told with its first block
    versions = {
        (condition.text, condition.version and condition.version.since is not None)
        for guard in spec.guards
        if guard.scope == "put"
        for condition in guard.conditions
    }
    assert (f"block < {ran[second].first_block} or amount <= 50", True) in versions, versions
    functions = set(ran[first].functions)
    assert {"put", "take", "upgradeTo"} <= functions
    assert "move" in ran[second].functions
    # of the old version's own function only its bytecode tells, where its ABI is not given
    assert len(functions) == 4
    assert ("dust" in functions) == (source == "list")
    assert ("1 further function by the bytecode that ran" in spec.history.names) == (source == "node")


def test_the_report_has_a_timeline(uups: tuple[Path, list[str], int, str]) -> None:
    folder, (proxy, first, second), block, _ = uups
    page = (folder / "out" / "report.html").read_text()
    assert 'id="implementations"' in page
    assert "Code that ran, by block" in page
    assert page.index("Upgrades") > 0
    done = specminer("mine", proxy, "--db", "h.db", "--verbose", "--out", "again", cwd=folder)
    joined = " ".join(done.out.split())
    assert f"Upgraded to {second} from {first} in block {block} by upgradeTo." in joined


def test_a_family_behind_a_beacon_changes_with_it(tools: Path, tmp_path: Path) -> None:
    with Anvil() as anvil:
        first, second = deploy(anvil, "DustyPot", "CappedPot")
        owner = anvil.accounts[0]
        beacon = anvil.deploy(owner, compiled()["Beacon"], first.address)
        pots = []
        for _ in range(2):
            proxy = anvil.deploy(owner, compiled()["BeaconProxy"], beacon.address)
            pots.append(anvil.at(proxy.address, compiled()["CappedPot"]["abi"]))
            use_pot(anvil, anvil.at(proxy.address, compiled()["DustyPot"]["abi"]))
        before = anvil.block_number()
        (receipt,) = anvil.block([beacon.call(owner, "upgradeTo", second.address)])
        for pot in pots:
            use_pot(anvil, pot, moving=True)
        options = ("--rpc", anvil.url, *keep(tmp_path, "CappedPot"))
        alone = mined(tmp_path, pots[0].address, *options)
        family = mined(tmp_path, *[pot.address for pot in pots], *options)
    (change,) = alone.history.upgrades or ()
    assert (change.beacon, change.added, change.removed) == (
        beacon.address,
        (second.address,),
        (first.address,),
    )
    assert change.transaction is None
    assert change.after_block is not None
    assert change.after_block <= before < int(receipt["blockNumber"], 16) < change.block
    assert {item.contract for item in family.history.upgrades or ()} == {pot.address for pot in pots}
    assert [item.address for item in family.history.implementations or ()] == [first.address, second.address]
    assert ("take", "amount <= held[sender]") in required(alone)


def cut(diamond: Deployed, who: str, facet: Deployed, action: int, *functions: str) -> Any:
    selectors = [
        bytes.fromhex(facet.encode(name, *arguments)[2:10]) for name, arguments in map(_call, functions)
    ]
    to = facet.address if action < 2 else "0x" + "00" * 20
    return diamond.call(who, "diamondCut", [(to, action, selectors)], "0x" + "00" * 20, b"")


def _call(name: str) -> tuple[str, tuple[int, ...]]:
    return name, (1, 1) if name == "list" else (1,)


def test_a_diamond_is_its_facets(tools: Path, tmp_path: Path) -> None:
    names = ("DiamondCutFacet", "ListingFacet", "BuyingFacet", "StrictBuyingFacet")
    with Anvil() as anvil:
        cutter, listing, buying, strict = deploy(anvil, *names)
        owner, people = anvil.accounts[0], anvil.accounts[1:9]
        made = anvil.deploy(owner, compiled()["Diamond"], cutter.address)
        abi = [entry for name in names[:3] for entry in compiled()[name]["abi"]]
        diamond = anvil.at(made.address, abi)
        anvil.block([cut(diamond, owner, listing, 0, "list"), cut(diamond, owner, buying, 0, "buy")])
        anvil.block([cut(diamond, people[0], buying, 2, "buy")])

        def trade(ids: range) -> None:
            anvil.block([diamond.call(people[0], "list", item, 10) for item in ids])
            anvil.block([diamond.call(people[1], "list", item, 10) for item in ids[:2]])
            anvil.block(
                [diamond.call(people[row % 8], "buy", item, value=10) for row, item in enumerate(ids)]
            )
            anvil.block(
                [diamond.call(people[row % 8], "buy", item, value=10) for row, item in enumerate(ids)]
            )

        trade(range(1, 9))
        (receipt,) = anvil.block([cut(diamond, owner, strict, 1, "buy")])
        anvil.block([diamond.call(people[0], "list", item, 10) for item in range(20, 26)])
        anvil.block([diamond.call(who, "buy", 20 + row, value=3) for row, who in enumerate(people[:5])])
        trade(range(30, 38))
        write_txlist(anvil, tmp_path / "list.json")
    options = keep(tmp_path, *names)
    done = specminer("import", "list.json", *options, "--chain-id", "31337", "--db", "h.db", cwd=tmp_path)
    assert done.code == 0, done.text
    spec = mined(tmp_path, made.address)
    facets = {item.address: set(item.functions) for item in spec.history.implementations or ()}
    assert facets == {
        cutter.address: {"diamondCut"},
        listing.address: {"list"},
        buying.address: {"buy"},
        strict.address: {"buy"},
    }
    changes = [(item.function, item.added, item.removed) for item in spec.history.upgrades or ()]
    assert changes == [
        ("constructor", (cutter.address,), ()),
        ("diamondCut", (listing.address,), ()),
        ("diamondCut", (buying.address,), ()),
        ("diamondCut", (strict.address,), (buying.address,)),
    ]
    assert spec.history.upgrades is not None
    assert spec.history.upgrades[-1].block == int(receipt["blockNumber"], 16)
    assert {edge.function for edge in spec.transitions} >= {"list", "buy"}
    (demand,) = (text for scope, text in required(spec) if scope == "buy")
    sold, _, paid = demand.partition(" and (block < ")  # what the newer facet alone demands
    assert sold.endswith("[id] = 0")
    assert " or value >= " in paid


def test_a_diamond_from_which_a_function_of_a_facet_is_removed(tools: Path, tmp_path: Path) -> None:
    """The facet's other function is called on; calls of the removed one reach no facet any more."""
    names = ("DiamondCutFacet", "ListingFacet", "LendingFacet")
    with Anvil() as anvil:
        cutter, listing, lending = deploy(anvil, *names)
        owner, people = anvil.accounts[0], anvil.accounts[1:9]
        made = anvil.deploy(owner, compiled()["Diamond"], cutter.address)
        diamond = anvil.at(made.address, [entry for name in names for entry in compiled()[name]["abi"]])
        anvil.block([cut(diamond, owner, listing, 0, "list")])
        anvil.block([cut(diamond, owner, lending, 0, "lend", "giveBack")])

        def trade(ids: range) -> None:
            anvil.block([diamond.call(owner, "list", item, 10) for item in ids])
            for function in ("giveBack", "lend", "lend", "giveBack", "lend"):
                anvil.block([diamond.call(people[row % 8], function, item) for row, item in enumerate(ids)])
                anvil.block([diamond.call(people[-1], function, item) for item in ids[:3]])

        trade(range(1, 9))
        anvil.block([cut(diamond, people[0], lending, 2, "lend")])
        (receipt,) = anvil.block([cut(diamond, owner, lending, 2, "lend")])
        anvil.block([diamond.call(people[row % 8], "giveBack", item) for row, item in enumerate(range(1, 9))])
        trade(range(20, 28))
        write_txlist(anvil, tmp_path / "list.json")
        block = int(receipt["blockNumber"], 16)
        options = keep(tmp_path, *names)
        spec = mined(tmp_path, made.address, "--rpc", anvil.url, *options)
    done = specminer("import", "list.json", *options, "--chain-id", "31337", "--db", "i.db", cwd=tmp_path)
    assert done.code == 0, done.text
    done = specminer("mine", made.address, "--db", "i.db", "--out", "listed", cwd=tmp_path)
    assert done.code == 0, done.text
    listed = read_specification(tmp_path / "listed" / "automaton.json")
    assert (listed.history.upgrades, listed.history.implementations, listed.transitions) == (
        spec.history.upgrades,
        spec.history.implementations,
        spec.transitions,
    )
    changes = [(item.function, item.added, item.removed, item.block) for item in spec.history.upgrades or ()]
    assert changes[-1] == ("diamondCut", (), (lending.address,), block)
    assert len(changes) == 4
    facets = {item.address: item for item in spec.history.implementations or ()}
    assert set(facets[lending.address].functions) == {"lend", "giveBack"}
    assert facets[lending.address].last_block > block
    demands = dict(required(spec))
    # what the facet demands, and that the diamond has the function
    holder, _, installed = demands["lend"].partition(" and ")
    assert holder.endswith("[id] = 0")
    assert installed.endswith("[calldata[0:32]] != 0")
    assert demands["giveBack"].endswith("[id] = sender")


def test_clones_with_arguments_and_proxies_of_proxies_hand_whole_calls_on(
    tools: Path, tmp_path: Path
) -> None:
    with Anvil() as anvil:
        owner, people = anvil.accounts[0], anvil.accounts[1:9]
        (tip,) = deploy(anvil, "Tip")
        clone = anvil.deploy(owner, compiled()["ArgumentClone"], tip.address, 20)
        outer = anvil.deploy(owner, compiled()["UpgradeableProxy"], clone.address, owner)
        for address in (clone.address, outer.address):
            jar = anvil.at(address, compiled()["Tip"]["abi"])
            for amount in (10, 20, 30):
                anvil.block([jar.call(who, "give", amount) for who in people])
        options = ("--rpc", anvil.url, *keep(tmp_path, "Tip"))
        for address in (clone.address, outer.address):
            spec = mined(tmp_path, address, *options)
            (ran,) = spec.history.implementations or ()
            assert (ran.address, ran.functions, ran.calls) == (tip.address, ("give",), 24), address
            assert ("give", "amount >= 20") in required(spec), required(spec)


@pytest.mark.parametrize("source", ["node", "list"])
def test_a_safe_whose_singleton_changes_midway(tools: Path, tmp_path: Path, source: str) -> None:
    """Code that the Safe runs by delegatecall writes slot 0; what fails, inside or whole, changes nothing."""
    names = ("Safe", "PledgingSafe")
    for name in names:
        kept = {key: changing_safe.compiled()[name][key] for key in ("abi", "storageLayout")}
        (tmp_path / f"{name}.json").write_text(json.dumps({"contractName": name, **kept}))
    options = [option for name in names for option in ("--abi", f"{name}.json")]
    with Anvil() as anvil:
        safe = changing_safe.use_safe(anvil)
        if source == "node":
            spec = mined(tmp_path, safe.address, "--rpc", anvil.url, *options)
        else:
            write_txlist(anvil, tmp_path / "list.json")
            done = specminer(
                *("import", "list.json", *options, "--chain-id", "31337", "--db", "h.db"), cwd=tmp_path
            )
            assert done.code == 0, done.text
            spec = mined(tmp_path, safe.address)
    changes = [(item.function, item.added, item.removed, item.block) for item in spec.history.upgrades or ()]
    assert [change[:3] for change in changes] == [
        ("constructor", (safe.first,), ()),
        ("execTransaction", (safe.second,), (safe.first,)),
    ]
    assert changes[1][3] == safe.block
    first, second = spec.history.implementations or ()
    assert (first.address, first.last_block) == (safe.first, safe.block)
    assert (second.address, second.first_block) == (safe.second, safe.block + 1)
    assert {"setup", "approveHash", "execTransaction"} <= set(first.functions)
    # before the change the Safe's fallback answers to the newer function, and accepts it
    assert ("pledge", f"block < {second.first_block} or amount >= 10") in required(spec)
