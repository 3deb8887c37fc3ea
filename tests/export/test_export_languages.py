"""``specminer export-spec`` for provers, fuzzers and monitors: accepted by the tool where it can be had."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from eth_abi.abi import encode

from specminer import select
from specminer._support.errors import UsageError
from specminer._support.keccak import keccak
from specminer.export.corpora import MEDUSA_TARGET, haskell_bytes
from specminer.export.export_text import ExportText
from specminer.export.formats import FORMATS, ExportRequest, export_as
from specminer.export.replayed_calls import read_calls
from specminer.pipeline.datasets import dataset
from specminer.pipeline.inputs import read_artifact
from specminer.pipeline.selecting import SelectionOptions
from specminer.specification import Specification, encode_specification
from tests.support.anvil import MissingPart, tools_dir
from tests.support.command import specminer
from tests.support.mined import mined
from tests.support.solc import compile_sources, package_folder
from tests.support.specifications import HOSTILE_NAMES

MADE: Final = ["auction_house", "escrow", "nft_market"]
LIBRARY: Final = {
    "credible-std/PhEvm.sol": """\
// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.13;
interface PhEvm {
    struct CallInputs {
        bytes input; uint64 gas_limit; address bytecode_address; address target_address; address caller;
        uint256 value; uint256 id;
    }
    struct TxObject {
        address from; address to; uint256 value; uint64 chain_id; uint64 gas_limit; uint128 gas_price; bytes input;
    }
    struct StaticCallResult { bool ok; bytes data; }
    struct ForkId { uint8 forkType; uint256 callIndex; }
    function loadStateAt(address, bytes32, ForkId calldata) external view returns (bytes32);
    function staticcallAt(address, bytes calldata, uint64, ForkId calldata)
        external view returns (StaticCallResult memory);
    function getCallInputs(address, bytes4) external view returns (CallInputs[] memory);
    function getAssertionAdopter() external view returns (address);
    function getTxObject() external view returns (TxObject memory);
}
""",
    "credible-std/SpecRecorder.sol": """\
// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.13;
enum AssertionSpec { Legacy, Reshiram, Experimental }
""",
    "credible-std/Assertion.sol": """\
// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.13;
import {PhEvm} from "credible-std/PhEvm.sol";
import {AssertionSpec} from "credible-std/SpecRecorder.sol";
abstract contract Assertion {
    PhEvm internal constant ph = PhEvm(address(1));
    function triggers() external view virtual;
    function registerFnCallTrigger(bytes4, bytes4) internal view {}
    function registerAssertionSpec(AssertionSpec) internal view {}
}
""",
}
"""What of Phylax' library the assertions use, with its signatures."""


def request(name: str, specification: Specification | None = None) -> ExportRequest:
    artifact = read_artifact(dataset(name).folder / "artifact.json")
    assert artifact is not None
    return ExportRequest(
        specification=specification or mined(name).specification,
        artifact=artifact,
        history=select(None, SelectionOptions(targets=(name,))).history,
        most_calls=2_000,
    )


def export(language: str, name: str = "auction_house") -> ExportText:
    return export_as(language, request(name))


@pytest.mark.parametrize("language", [name for name in FORMATS if name not in ("foundry", "solidity")])
def test_an_export_is_the_same_to_the_byte(language: str) -> None:
    assert export(language) == export(language)


def hostile() -> Specification:
    """Return a specification in which all texts of people are hostile."""
    spec = mined("auction_house").specification
    guards = tuple(
        replace(guard, conditions=tuple(replace(item, text=text) for item in guard.conditions))
        for guard, text in zip(spec.guards, HOSTILE_NAMES * len(spec.guards), strict=False)
    )
    return replace(spec, name=HOSTILE_NAMES[0], guards=guards)


@pytest.mark.parametrize("language", [name for name in FORMATS if name not in ("foundry", "solidity")])
def test_hostile_texts_stay_on_their_lines(language: str) -> None:
    before = export(language).text.splitlines()
    after = export_as(language, request("auction_house", hostile())).text.splitlines()
    assert len(after) == len(before)
    assert all(line.isprintable() for line in after)


@pytest.mark.parametrize("name", MADE)
def test_assertions_compile(name: str, tools: Path) -> None:
    assert tools
    text = export("phylax", name).text
    assert "registerFnCallTrigger(" in text
    compile_sources({**LIBRARY, "Assertions.sol": text})
    compile_sources(
        {**LIBRARY, "Assertions.sol": export_as("phylax", request("auction_house", hostile())).text}
    )


_SYNTAX: Final = """\
const solc = require(process.argv[1]);
const fs = require("fs");
const text = fs.readFileSync(process.argv[2], "utf8");
const input = {language: "Solidity", sources: {"S.sol": {content: text}},
  settings: {outputSelection: {"*": {"": ["ast"]}}}};
const output = JSON.parse(solc.compile(JSON.stringify(input)));
output.sources["S.sol"].source = text;
fs.writeFileSync(process.argv[3], JSON.stringify(output));
"""


@pytest.mark.parametrize(
    ("name", "contract"), [("auction_house", "AuctionHouse"), ("escrow", "Escrow"), ("vaults", "Vaults")]
)
def test_scribble_takes_the_annotations_and_its_contract_compiles(
    name: str, contract: str, tools: Path, tmp_path: Path
) -> None:
    try:
        scribble = package_folder("eth-scribble") / "dist" / "bin" / "scribble.js"
        compiler = package_folder("solc-0.8.25").resolve()
    except MissingPart as error:
        pytest.skip(str(error))
    assert tools == tools_dir()
    text = export("scribble", name).text
    (tmp_path / "export.scribble.yaml").write_text(text)
    source = (dataset(name).folder / f"{contract}.sol").read_text()
    annotated = source.replace(f"contract {contract} {{", f"/// #macro {contract}();\ncontract {contract} {{")
    assert annotated != source
    (tmp_path / "S.sol").write_text(annotated)
    subprocess.run(
        ["node", "-e", _SYNTAX, str(compiler), str(tmp_path / "S.sol"), str(tmp_path / "S.json")],
        check=True,
        timeout=300,
    )
    options = ["--input-mode", "json", "--compiler-version", "0.8.25", "--macro-path", ".", "-m", "files"]
    outputs = ["--instrumentation-metadata-file", "meta.json", "--utils-output-path", "."]
    done = subprocess.run(
        ["node", str(scribble), *options, *outputs, "S.json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    count = text.count("- msg: ")
    assert count > 20
    assert f"Found {count} annotations" in done.stdout + done.stderr
    instrumented = (tmp_path / "S.sol.instrumented").read_text()
    compile_sources({"S.sol": instrumented}, package="solc-0.8.25", evm_version="cancun")


def test_rules_of_cvl_read_storage_before_the_call() -> None:
    text = export("cvl").text
    assert (
        "rule setFee_4_1(uint16 newFee) {\n"
        "    env e;\n"
        "    bool held = (newFee <= 1000);\n"
        "    setFee@withrevert(e, newFee);\n"
        '    assert !lastReverted => held, "newFee <= 1000";\n'
        "}\n"
    ) in text
    assert "    uint256 key0 = currentContract.auctionCount;\n" in text
    assert "assert currentContract.auctions[key0].seller == expected" in text
    assert text.count("{") == text.count("}")


def test_daikon_tells_entries_and_exits() -> None:
    lines = export("daikon").text.splitlines()
    entry = lines.index("AuctionHouse.setFee(uint16):::ENTER")
    assert lines[entry + 1 : entry + 3] == ["(this.owner == sender)", "(newFee <= 1000)"]
    leaving = lines.index("AuctionHouse.setFee(uint16):::EXIT")
    assert lines[leaving + 1] == "(this.fee == orig(newFee))"


def _encoded(value: dict[str, Any]) -> tuple[str, Any]:
    """Return the type and the value of an argument in echidna's form."""
    tag, contents = value["tag"], value["contents"]
    if tag in ("AbiUInt", "AbiInt"):
        return f"{tag[3:].lower()}{contents[0]}", int(contents[1])
    if tag == "AbiBytes":
        return f"bytes{contents[0]}", _haskell(contents[1])
    kinds = {"AbiBool": "bool", "AbiAddress": "address"}
    if tag in kinds:
        return kinds[tag], contents
    return ("string", _haskell(contents).decode()) if tag == "AbiString" else ("bytes", _haskell(contents))


def _haskell(text: str) -> bytes:
    """Read bytes as Haskell does."""
    inner, found, place = text[1:-1], bytearray(), 0
    while place < len(inner):
        if inner[place] != "\\":
            found.append(ord(inner[place]))
            place += 1
        elif inner[place + 1] == "&":
            place += 2
        elif inner[place + 1].isdigit():
            end = place + 1
            while end < len(inner) and inner[end].isdigit():
                end += 1
            found.append(int(inner[place + 1 : end]))
            place = end
        else:
            found.append(ord(inner[place + 1]))
            place += 2
    return bytes(found)


def test_bytes_are_written_as_haskell_reads_them() -> None:
    data = bytes(range(256)) + b'12"\\\x0034'
    assert _haskell(haskell_bytes(data)) == data
    assert haskell_bytes(b"a\x001\xff") == '"a\\0\\&1\\255"'


@pytest.mark.parametrize("name", MADE)
def test_corpora_hold_the_accepted_calls(name: str) -> None:
    given = request(name)
    assert given.history is not None
    accepted = [call for call in read_calls(given.history, given.artifact, 2_000).calls if call.accepted]
    echidna = json.loads(export("echidna", name).text)
    medusa = json.loads(export("medusa", name).text)
    assert [bytes.fromhex(item["call"]["data"][2:]) for item in medusa] == [call.data for call in accepted]
    assert [int(item["call"]["value"], 16) for item in medusa] == [call.value for call in accepted]
    assert sum(item["blockTimestampDelay"] for item in medusa) == sum(
        int(item["delay"][0], 16) for item in echidna
    )
    for item, call in zip(echidna, accepted, strict=True):
        function, values = item["call"]["contents"]
        arguments = [_encoded(value) for value in values]
        types = [kind for kind, _ in arguments]
        data = keccak(f"{function}({','.join(types)})".encode())[:4] + encode(
            types, [value for _, value in arguments]
        )
        assert data == call.data
        assert item["src"] == f"0x{call.sender.hex()}"


def test_medusa_finds_the_contract_where_its_deployer_creates_the_first() -> None:
    deployer = (0x30000).to_bytes(20, "big")
    assert f"0x{keccak(bytes([0xD6, 0x94]) + deployer + bytes([0x80]))[12:].hex()}" == MEDUSA_TARGET


def test_the_monitor_runs_the_filter_on_successful_calls() -> None:
    document = json.loads(export("monitor").text)
    assert set(document) == {
        *("name", "paused", "networks", "addresses", "match_conditions", "trigger_conditions", "triggers")
    }
    assert {"signature": "bid(uint256)", "expression": None} in document["match_conditions"]["functions"]
    assert not any("owner()" in item["signature"] for item in document["match_conditions"]["functions"])
    assert document["trigger_conditions"][0]["script_path"].endswith("specminer_filter.py")


def test_the_filter_needs_no_abi_and_its_configuration_does(tmp_path: Path) -> None:
    (tmp_path / "automaton.json").write_bytes(encode_specification(mined("auction_house").specification))
    done = specminer("export-spec", "automaton.json", "--format", "monitor-filter", cwd=tmp_path)
    assert done.code == 0, done.text
    assert done.out == export("monitor-filter").text
    refused = specminer("export-spec", "automaton.json", "--format", "monitor", cwd=tmp_path)
    assert refused.code == 2
    assert "give the contract's ABI with --abi" in refused.text


def test_the_filter_drops_what_fits_and_sends_on_what_cannot_be_judged(tmp_path: Path) -> None:
    spec = mined("auction_house").specification
    (tmp_path / "automaton.json").write_bytes(encode_specification(spec))
    (tmp_path / "filter.py").write_text(export("monitor-filter").text)
    traces = dataset("auction_house").traces
    done = specminer("import", str(traces), "--db", "house.db", cwd=tmp_path)
    assert done.code == 0, done.text
    history = select(None, SelectionOptions(targets=("auction_house",))).history
    known = f"0x{history.transaction_hash[5].hex()}"
    for transaction, expected in ((known, "true"), ("0x" + "11" * 32, "false"), ("; ls", "false")):
        match = {"EVM": {"transaction": {"hash": transaction}}}
        told = subprocess.run(
            [sys.executable, "filter.py"],
            input=json.dumps({"args": ["automaton.json", "house.db"], "monitor_match": match}),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
            env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"},
            timeout=300,
        )
        assert told.stdout.splitlines()[-1] == expected, told.stderr


@pytest.mark.parametrize("language", sorted(FORMATS))
def test_an_abi_of_another_contract_is_refused(language: str) -> None:
    artifact = read_artifact(dataset("token").folder / "artifact.json")
    assert artifact is not None
    foreign = replace(artifact, abi=tuple(item for item in artifact.abi if item.name == "transfer"))
    request = ExportRequest(
        specification=mined("auction_house").specification, artifact=foreign, history=None, most_calls=10
    )
    with pytest.raises(UsageError, match="is it of another contract"):
        export_as(language, request)
