"""``specminer export-spec --format solidity``: the modifiers compile with the contract, and refuse by name."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Final

import pytest

from specminer.contracts.artifact import AbiEntry, Artifact, Parameter
from specminer.export.solidity import solidity
from specminer.pipeline.datasets import dataset
from specminer.pipeline.inputs import read_artifact
from specminer.specification import (
    CodeVersion,
    ConditionPath,
    Guard,
    GuardCondition,
    GuardKind,
    Specification,
    SymbolSort,
    encode_specification,
)
from tests.support.anvil import Anvil
from tests.support.command import specminer
from tests.support.mined import mined
from tests.support.solc import CompileFailed, compile_sources
from tests.support.specifications import HOSTILE_NAMES, auction

WORD: Final = SymbolSort.WORD
SHOP: Final = """\
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;
contract Shop {
    enum Stage { Open, Sold }
    struct Item { address seller; Stage stage; string label; bytes4 code; uint64 until; }
    mapping(uint256 => Item) public items;
    address public owner;
    function buy(uint256 id, uint256 value, Stage stage, bytes calldata data) external payable {}
    function give(uint256 id, address to) external {}
}
"""
ARTIFACT: Final = Artifact(
    name="Shop",
    abi=(
        AbiEntry(
            name="buy",
            inputs=(
                Parameter(type="uint256", name="id"),
                Parameter(type="uint256", name="value"),
                Parameter(type="uint8", name="stage", internal_type="enum Shop.Stage"),
                Parameter(type="bytes", name="data"),
            ),
        ),
        AbiEntry(
            name="give",
            inputs=(Parameter(type="uint256", name="id"), Parameter(type="address", name="to")),
        ),
        AbiEntry(name="owner", outputs=(Parameter(type="address"),), state_mutability="view"),
    ),
    storage_layout=None,
)


def guard(scope: str, smt: str, *words: str, text: str = "it holds", **changes: object) -> Guard:
    """Return a guard of one condition over words, by their whole names."""
    values: dict[str, object] = {
        "conditions": (GuardCondition(text=text),),
        "names": {f"n{place}": name for place, name in enumerate(words)},
        "symbols": {f"|n{place}|": WORD for place in range(len(words))},
    }
    return Guard(scope=scope, text=text, smt=smt, kind=GuardKind.REQUIRED, **(values | changes))  # type: ignore[arg-type]


def shop(*guards: Guard) -> str:
    return solidity(replace(auction(), name="Shop", guards=guards), ARTIFACT).text


def requires(text: str) -> list[str]:
    """Return what the ``require`` statements of an export demand."""
    return re.findall(r'^ +require\((.*), "(?:[^"\\]|\\.)*"\);$', text, flags=re.MULTILINE)


def test_types_of_arguments_and_calls_are_used() -> None:
    text = shop(
        guard("buy", "(= |n0| |n1|)", "items[id].seller", "sender"),
        guard("give", "(not (= |n0| 0))", "items[id].seller"),
        guard("give", "(not (= |n0| 0))", "to"),
        guard("buy", "(= |n0| 1)", "items[id].stage"),
        guard("buy", "(= |n0| |n1|)", "items[id].stage", "stage"),
        guard("buy", "(or (< |n0| |n1|) (= |n2| 0))", "now", "items[id].until", "items[id].code"),
    )
    assert requires(text) == [
        "items[id].seller == msg.sender",
        "uint256(items[id].stage) == 1",
        "items[id].stage == stage",
        "(block.timestamp < items[id].until || specminerIsZero(abi.encode(items[id].code)))",
        "items[id].seller != address(0)",
        "to != address(0)",
    ]
    assert "modifier guard_buy(uint256 id, Shop.Stage stage) {" in text
    assert "modifier guard_give(uint256 id, address to) {" in text
    compile_sources({"Guards.sol": SHOP + body(text)})


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("value", "may be a variable"),  # the argument, or the ether
        ("success of payment to sender", "expression"),
        ("items[id].until + 1", "expression"),
        ("items[id].bytes0to15", "no name"),
        ("mapping3[id]", "no name"),
        ("length(data)", "expression"),
        ("data", "no single word"),
        ("randomness", "no expression"),
        ("items[value].until", "may be a variable"),
        ("items[id", "expression"),
    ],
)
def test_what_cannot_be_said_is_a_comment(name: str, reason: str) -> None:
    text = shop(guard("buy", "(< |n0| 5)", name, text="a condition"))
    assert requires(text) == []
    assert "// not stated: a condition\n" in text
    assert reason in next(line for line in text.splitlines() if "// because" in line)


@pytest.mark.parametrize(
    ("detail", "reason"),
    [
        (GuardCondition(text="first", each=True), "each element of a loop"),
        (GuardCondition(text="old", version=CodeVersion(demand="old", until=212)), "an earlier version"),
        (GuardCondition(text="loose", exceptions=1), "did not hold in all accepted calls"),
    ],
)
def test_a_condition_that_not_all_calls_meet_is_a_comment(detail: GuardCondition, reason: str) -> None:
    text = shop(guard("buy", "(< |n0| 5)", "items[id].until", conditions=(detail,)))
    assert requires(text) == []
    assert reason in text


def test_a_condition_of_some_paths_keeps_its_premise() -> None:
    path = ConditionPath(premise="now < 7", demand="until < 500")
    text = shop(
        guard(
            "buy",
            "(or (not (< |n0| 7)) (< |n1| 500))",
            "now",
            "items[id].until",
            conditions=(GuardCondition(text="now >= 7 or until < 500", path=path),),
        )
    )
    assert requires(text) == ["(block.timestamp >= 7 || items[id].until < 500)"]


def test_overloaded_and_foreign_functions_are_comments() -> None:
    text = shop(guard("0x12345678", "(= |n0| |n1|)", "owner", "sender"))
    assert requires(text) == []
    assert "the ABI has no function of this name" in text


@pytest.mark.parametrize("name", ["items[id].label", "items[id].seller", "items[id].code"])
def test_a_number_beside_another_type_does_not_compile(name: str) -> None:
    text = shop(guard("buy", "(= |n0| 1)", name))
    with pytest.raises(CompileFailed):
        compile_sources({"Guards.sol": SHOP + body(text)})


def test_hostile_names_stay_in_comments_and_strings() -> None:
    guards = [
        *(guard(name, "(= |n0| 7)", name, text=f"x{name}") for name in HOSTILE_NAMES),
        *(guard("give", "(= |n0| |n1|)", "sender", "origin", text=f"x{name}") for name in HOSTILE_NAMES),
    ]
    text = solidity(replace(auction(), name=HOSTILE_NAMES[2], guards=tuple(guards)), ARTIFACT).text
    assert requires(text) == ["msg.sender == tx.origin"] * len(HOSTILE_NAMES)
    compile_sources({"Guards.sol": text})


def body(text: str) -> str:
    """Return an export without its pragma, to follow the contract's source."""
    return text[text.index("abstract contract") :]


def applied(source: str, text: str) -> str:
    """Return a contract's source with the export's modifiers in it and before each function's body."""
    contract = text[text.index("{\n", text.index("abstract contract")) + 2 : text.rindex("}")]
    for function, parameters in re.findall(r"modifier guard_(\w+)\(([^)]*)\)", contract):
        names = ", ".join(parameter.split()[-1] for parameter in parameters.split(", ") if parameter)
        source, count = re.subn(
            rf"(function {function}\([^)]*\)[^{{;]*?)( returns|\s*\{{)",
            rf"\1 guard_{function}({names})\2",
            source,
            count=1,
        )
        assert count == 1, function
    return source[: source.rindex("}")] + contract + "}\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "file"),
    [("auction_house", "AuctionHouse.sol"), ("escrow", "Escrow.sol"), ("vaults", "Vaults.sol")],
)
def test_modifiers_of_datasets_compile_in_the_contract(name: str, file: str, tmp_path: Path) -> None:
    folder = dataset(name).folder
    artifact = folder / "artifact.json"
    (tmp_path / "automaton.json").write_bytes(encode_specification(mined(name).specification))
    done = specminer(
        *("export-spec", "automaton.json", "--format", "solidity", "--abi", str(artifact)), cwd=tmp_path
    )
    assert done.code == 0, done.text
    assert len(requires(done.out)) >= 10
    source = (folder / file).read_text()
    compile_sources({file: source, "Guards.sol": f'import "./{file}";\n' + body(done.out)})
    compile_sources({file: applied(source, done.out)})


def _outcomes(name: str, sources: dict[str, str]) -> list[str]:
    """Live a dataset's scenario with these sources; return the status of each transaction."""
    about = tomllib.loads((dataset(name).folder / "about.toml").read_text())
    artifacts = compile_sources(sources)
    with Anvil(hardfork=about["recorded_with"]["hardfork"], chain_id=about["chain_id"]) as anvil:
        import_module(f"tools.scenarios.{name}").run(anvil, artifacts)
        last = int(anvil.rpc("eth_blockNumber"), 16)
        blocks = [anvil.rpc("eth_getBlockByNumber", hex(number), False) for number in range(last + 1)]
        hashes = [each for block in blocks for each in block["transactions"]]
        return [anvil.rpc("eth_getTransactionReceipt", each)["status"] for each in hashes]


@pytest.mark.slow
@pytest.mark.node
@pytest.mark.parametrize(
    ("name", "file"),
    [("auction_house", "AuctionHouse.sol"), ("escrow", "Escrow.sol"), ("vaults", "Vaults.sol")],
)
def test_with_its_modifiers_a_contract_decides_every_call_as_before(name: str, file: str) -> None:
    folder = dataset(name).folder
    artifact = read_artifact(folder / "artifact.json")
    assert artifact is not None
    text = solidity(mined(name).specification, artifact).text
    sources = {path.name: path.read_text() for path in sorted(folder.glob("*.sol"))}
    before = _outcomes(name, sources)
    assert {"0x0", "0x1"} <= set(before)
    assert _outcomes(name, sources | {file: applied(sources[file], text)}) == before


def _without_checks(source: str) -> str:
    """Return a source without the statements that refuse calls on a condition."""
    source = re.sub(r"^\s*if \([^;{]*\) revert [^;]*;", "{}", source, flags=re.MULTILINE)
    return re.sub(r"^\s*require\([^;]*\);", "{}", source, flags=re.MULTILINE)


@pytest.mark.slow
@pytest.mark.node
@pytest.mark.parametrize(("name", "file"), [("escrow", "Escrow.sol"), ("vaults", "Vaults.sol")])
def test_modifiers_alone_refuse_what_the_contract_refused(name: str, file: str) -> None:
    folder = dataset(name).folder
    artifact = read_artifact(folder / "artifact.json")
    assert artifact is not None
    text = solidity(mined(name).specification, artifact).text
    sources = {path.name: path.read_text() for path in sorted(folder.glob("*.sol"))}
    twin = _without_checks(sources[file])
    with pytest.raises(RuntimeError, match="should have been refused"):
        _outcomes(name, sources | {file: twin})
    assert _outcomes(name, sources | {file: applied(twin, text)}) == _outcomes(name, sources)


def test_a_file_without_functions_is_refused(tmp_path: Path) -> None:
    spec: Specification = auction()
    (tmp_path / "automaton.json").write_bytes(encode_specification(spec))
    (tmp_path / "abi.json").write_text("[]")
    options = ("export-spec", "automaton.json", "--format", "solidity", "--abi", "abi.json")
    done = specminer(*options, cwd=tmp_path)
    assert done.code == 2, done.text
    assert "expects functions" in done.err
    assert read_artifact(tmp_path / "abi.json") is not None
