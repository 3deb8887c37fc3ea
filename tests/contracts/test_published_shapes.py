"""Artifacts as published packages and tools write them, 30 shapes: each is read, with the functions that it has.

What is expected is read here in the plainest way, from the file itself or from another file of the same contract, and
selectors are computed by another library than specminer's.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, cast

import pytest
from eth_utils.abi import function_abi_to_4byte_selector

from specminer._support.errors import FileFormatError
from specminer.contracts.artifact import load
from specminer.contracts.interface import from_artifact
from tests.support.anvil import MissingPart
from tests.support.forge import ForgeProject, forge_binary
from tests.support.solc import package_folder
from tests.support.till import SOURCE as TILL

Abi = list[dict[str, Any]]
Shape = Callable[[Path], tuple[Path | str, Abi]]
"""Returns, in a folder of its own, what is given to ``--abi``, and the ABI that is meant."""

VYPER: Final = """
total: public(uint256)

@external
def add(amount: uint256):
    self.total += amount
"""


def in_package(package: str, path: str, *keys: str | int, contract: str = "") -> Shape:
    """Return a file of a package; its ABI stands behind these keys."""

    def shape(_folder: Path) -> tuple[Path | str, Abi]:
        file = package_folder(package) / path
        found: Any = json.loads(file.read_text(encoding="utf-8"))
        for key in keys:
            found = found[key]
        return f"{file}:{contract}" if contract else file, found

    return shape


def build_info(_folder: Path) -> tuple[Path | str, Abi]:
    root = package_folder("@safe-global/safe-contracts") / "build" / "artifacts"
    linked = json.loads((root / "contracts" / "Safe.sol" / "Safe.dbg.json").read_text())
    info = root / "build-info" / Path(linked["buildInfo"]).name
    artifact = json.loads((root / "contracts" / "Safe.sol" / "Safe.json").read_text())
    return f"{info}:Safe", artifact["abi"]


def _node(expression: str, *arguments: str) -> str:
    """Return what an expression of JavaScript is, as text."""
    command = ["node", "-e", f"process.stdout.write({expression})", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def module(_folder: Path) -> tuple[Path | str, Abi]:
    file = package_folder("human-standard-token-abi") / "index.js"
    return file, json.loads(_node(f"JSON.stringify(require({json.dumps(str(file))}))"))


def weth() -> Abi:
    file = package_folder("canonical-weth") / "build" / "contracts" / "WETH9.json"
    abi: Abi = json.loads(file.read_text())["abi"]
    return abi


def written(name: str, make: Callable[[Abi], Any], contract: str = "") -> Shape:
    """Return a published ABI, written as another tool writes it."""

    def shape(folder: Path) -> tuple[Path | str, Abi]:
        made, file = make(weth()), folder / name
        file.write_text(made if isinstance(made, str) else json.dumps(made))
        return f"{file}:{contract}" if contract else file, weth()

    return shape


def readable(abi: Abi) -> list[str]:
    """Return an ABI as ethers formats it."""

    def listed(items: Iterable[Mapping[str, Any]]) -> str:
        return ", ".join(
            " ".join(filter(None, (item["type"], "indexed" * bool(item.get("indexed")), item["name"])))
            for item in items
        )

    lines = []
    for item in abi:
        if item["type"] == "fallback":
            lines.append("fallback() payable")
            continue
        words = [f"{item['type']} {item['name']}({listed(item['inputs'])})"]
        if item["type"] == "function":
            words += [item["stateMutability"]] * (item["stateMutability"] != "nonpayable")
            words += [f"returns ({listed(item['outputs'])})"] * bool(item["outputs"])
        lines.append(" ".join(words))
    return lines


def bare_keys(abi: Abi) -> str:
    """Return a factory as TypeChain writes it: keys are bare, commas trail."""
    lines = [
        line.replace('": ', ": ", 1).replace('"', "", 1) for line in json.dumps(abi, indent=2).splitlines()
    ]
    text = "\n".join(line + "," if line.strip() in ("}", "]") else line for line in lines[:-1])
    return (
        "import { Contract, Interface } from 'ethers';\n"
        f"const _abi = {text}\n] as const;\nconst _bytecode = '0x60';\n"
        "export class WETH9__factory {\n  static readonly abi = _abi;\n}\n"
    )


def solc(package: str, form: str) -> Shape:
    """Return what a compiler of this age answers to standard JSON: whole, or the metadata in it."""

    def shape(folder: Path) -> tuple[Path | str, Abi]:
        place = "" if package == "solc-0.4.26" else "memory"
        put = f"function put(uint a, address[2] {place} b) public {{ held = a; b; }}"
        source = f"contract Box {{ uint public held; {put} }}"
        asked = {
            "language": "Solidity",
            "sources": {"Box.sol": {"content": source}},
            "settings": {"outputSelection": {"*": {"*": ["abi", "metadata", "evm.bytecode.object"]}}},
        }
        compile_ = "compileStandardWrapper" if package == "solc-0.4.26" else "compile"
        folder_of_compiler = json.dumps(str(package_folder(package)))
        answer = _node(f"require({folder_of_compiler}).{compile_}(process.argv[1])", json.dumps(asked))
        document = json.loads(answer)
        box = document["contracts"]["Box.sol"]["Box"]
        content = {
            "output": document,
            "metadata": json.loads(box["metadata"]),
            # as `solc --combined-json abi,bin` of older compilers, and dapptools, write it
            "combined": {
                "contracts": {
                    "Box.sol:Box": {"abi": json.dumps(box["abi"]), "bin": box["evm"]["bytecode"]["object"]}
                },
                "version": "0",
            },
        }[form]
        file = folder / "output.json"
        file.write_text(json.dumps(content))
        return file, box["abi"]

    return shape


def vyper(form: str) -> Shape:
    def shape(folder: Path) -> tuple[Path | str, Abi]:
        source = folder / "box.vy"
        source.write_text(VYPER)
        outputs = {}
        for name in ("abi", form):
            command = [sys.executable, "-P", "-m", "vyper", "-f", name, source.name]
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, check=True, timeout=300
            )
            outputs[name] = done.stdout
        file = folder / "output.json"
        file.write_text(outputs[form])
        return file, json.loads(outputs["abi"])

    return shape


def forge_out(folder: Path) -> tuple[Path | str, Abi]:
    ForgeProject(folder, {"Till.sol": TILL}, {})
    subprocess.run([str(forge_binary()), "build"], cwd=folder, capture_output=True, check=True, timeout=300)
    (file,) = sorted(folder.rglob("out/Till.sol/Till.json"))
    return file, json.loads(file.read_text())["abi"]


SHAPES: Final[dict[str, Shape]] = {
    "Truffle 4": in_package("@ensdomains/ens", "build/contracts/HashRegistrar.json", "abi"),
    "Truffle 5": in_package("openzeppelin-solidity", "build/contracts/ERC20.json", "abi"),
    "Truffle, with networks": in_package("canonical-weth", "build/contracts/WETH9.json", "abi"),
    "Hardhat 2": in_package("@openzeppelin/contracts", "build/contracts/ERC20.json", "abi"),
    "Hardhat 2, with build info": in_package(
        "@safe-global/safe-contracts", "build/artifacts/contracts/Safe.sol/Safe.json", "abi"
    ),
    "Hardhat build info": build_info,
    "Hardhat, an interface": in_package(
        "@uniswap/v3-core", "artifacts/contracts/interfaces/IUniswapV3Pool.sol/IUniswapV3Pool.json", "abi"
    ),
    "Waffle": in_package("@uniswap/v2-core", "build/UniswapV2Pair.json", "abi"),
    "Waffle, combined": in_package(
        "@uniswap/v2-core",
        "build/Combined-Json.json",
        *("contracts", "contracts/UniswapV2Pair.sol:UniswapV2Pair", "abi"),
        contract="UniswapV2Pair",
    ),
    "0x": in_package("@0x/contract-artifacts", "lib/artifacts/Exchange.json", "compilerOutput", "abi"),
    "Safe's deployments": in_package(
        "@safe-global/safe-deployments", "dist/assets/v1.3.0/gnosis_safe.json", "abi"
    ),
    "Synthetix' deployment": in_package(
        "synthetix",
        "publish/deployed/sepolia/deployment.json",
        "sources",
        "Synthetix",
        "abi",
        contract="Synthetix",
    ),
    "bare ABI": in_package("erc-20-abi", "src/abi.json"),
    "CommonJS module": module,
    "solc 0.4, standard JSON": solc("solc-0.4.26", "output"),
    "solc 0.5, standard JSON": solc("solc-0.5.17", "output"),
    "solc 0.8, standard JSON": solc("solc", "output"),
    "solc 0.8, metadata (Sourcify)": solc("solc", "metadata"),
    "combined JSON (dapptools)": solc("solc-0.5.17", "combined"),
    "Vyper, ABI": vyper("abi"),
    "Vyper, combined JSON": vyper("combined_json"),
    "Foundry out": forge_out,
    "hardhat-deploy": written("WETH9.json", lambda abi: {"address": "0x", "abi": abi, "receipt": {}}),
    "hardhat-deploy, exported": written(
        "all.json",
        lambda abi: {"1": [{"name": "mainnet", "chainId": "1", "contracts": {"WETH9": {"abi": abi}}}]},
    ),
    "human-readable": written("abi.json", readable),
    "TypeChain": written("WETH9__factory.ts", bare_keys),
    "Etherscan's getabi": written(
        "abi.json", lambda abi: {"status": "1", "message": "OK", "result": json.dumps(abi)}
    ),
    "Etherscan's getsourcecode": written(
        "source.json",
        lambda abi: {
            "status": "1",
            "message": "OK",
            "result": [{"SourceCode": "", "ABI": json.dumps(abi), "ContractName": "WETH9"}],
        },
    ),
    "Remix": written(
        "WETH9.json", lambda abi: {"deploy": {}, "data": {"bytecode": {"object": ""}}, "abi": abi}
    ),
    "Brownie": written(
        "WETH9.json",
        lambda abi: {"abi": abi, "ast": {}, "bytecode": "60", "contractName": "WETH9", "type": "contract"},
    ),
    "ape": written(
        "__local__.json", lambda abi: {"manifest": "ethpm/3", "contractTypes": {"WETH9": {"abi": abi}}}
    ),
    "Embark": written("WETH9.json", lambda abi: {"className": "WETH9", "abiDefinition": abi}),
    "ABIs by name (Compound)": written("abi.json", lambda abi: {"WETH9": abi, "Other": abi[:3]}, "WETH9"),
}


def selector_of(entry: dict[str, Any]) -> bytes:
    return function_abi_to_4byte_selector(cast("Any", entry))


@pytest.mark.parametrize("name", SHAPES)
def test_an_artifact_of_this_shape_is_read(tools: Path, tmp_path: Path, name: str) -> None:
    try:
        path, abi = SHAPES[name](tmp_path)
    except MissingPart as error:
        pytest.skip(str(error))
    expected = {selector_of(item): item["name"] for item in abi if item.get("type") == "function"}
    assert expected
    found = from_artifact(load(Path(path))).functions
    assert {selector: item.name for selector, item in found.items()} == expected


def test_there_are_thirty_shapes() -> None:
    assert len(SHAPES) >= 30


MODULE: Final = """
exports.TokenAbi = [{ type: 'function', name: 'say', inputs: [{ type: 'string', name: 'it\\'s "so"' }] }, ];
exports.TokenByteCode = "0x60";
exports.VaultAbi = [ // the vault's
  { "type": "function", "name": "open", "inputs": [], outputs: undefined, constant: true }
];
exports.links = ["a", "b"];
exports.madeAbi = [...exports.TokenAbi, fragment("x")];
"""


def test_a_module_of_several_contracts_is_asked_for_one(tmp_path: Path) -> None:
    path = tmp_path / "contracts.js"
    path.write_text(MODULE)
    with pytest.raises(FileFormatError, match="several contracts: Token, Vault; say which: FILE:CONTRACT"):
        load(path)
    (entry,) = load(Path(f"{path}:Token")).abi
    assert (entry.name, entry.inputs[0].name) == ("say", 'it\'s "so"')
    (entry,) = load(Path(f"{path}:Vault")).abi
    assert (entry.name, entry.constant) == ("open", True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "const abi = [",
        "const abi = [{type: f()}];",
        "const abi = `[]`;",
        "const names = ['a'];",
        "x" * (5 << 20),
    ],
)
def test_a_module_without_a_literal_abi_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "abi.ts"
    path.write_text(text)
    with pytest.raises(FileFormatError, match="no ABI was found in the module"):
        load(path)


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ("function f(uint256", "cut off"),
        ("function f(uint256 a b", "cut off"),
        ("function f", "lacks its arguments"),
        ("function f(,)", "without a type"),
        ("struct S { uint256 a; }", "write structs as tuple"),
        ("function f" + "(" * 40, "too deep"),
        ("function (uint256 a)", "has no name"),
    ],
)
def test_a_malformed_readable_entry_is_refused(tmp_path: Path, line: str, match: str) -> None:
    path = tmp_path / "abi.json"
    path.write_text(json.dumps(["event E(address indexed who)", line]))
    with pytest.raises(FileFormatError, match=match):
        load(path)


def test_readable_tuples_and_arrays_give_the_compilers_signatures(tmp_path: Path) -> None:
    path = tmp_path / "abi.json"
    path.write_text(
        json.dumps(
            [
                "function fill((address maker, tuple(uint amount, bytes data)[2] parts)[] orders, uint8[3][] memory x)"
                " external payable returns (bool done)",
                "receive() external payable",
                "error Bad(uint256 code)",
            ]
        )
    )
    found = load(path)
    (function,) = from_artifact(found).functions.values()
    assert function.signature == "fill((address,(uint256,bytes)[2])[],uint8[3][])"
    assert found.abi[0].state_mutability == "payable"
    assert [entry.type for entry in found.abi] == ["function", "receive", "error"]
