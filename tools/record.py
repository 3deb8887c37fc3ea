"""Records a shipped dataset anew: compile, live its scenario (``tools/scenarios``) on a fresh chain, collect, export.

Run as ``python -m tools.record auction_house``, from the project root, after ``make setup tools``.
The chain is the same each time, so the export is too, unless the contract, the scenario, anvil or
specminer's file format changed. ``--artifact-only`` stops after the artifact is written.

Beside the traces stands ``intended.json``, the split that the scenario meant. Writing it checks every invocation
against the scenario: none may be missing, none be there that was not meant, none end for another reason.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from specminer.contracts.artifact import load
from specminer.contracts.enum_members import enum_members
from specminer.history.trace import Address
from specminer.pipeline import collect, export_traces
from specminer.sources.endpoint import Endpoint
from specminer.sources.node import Node
from specminer.store import TraceStore
from tests.support.anvil import PROJECT, Anvil, creation_code
from tests.support.solc import compile_files, has_solc
from tools.intended import MeantOtherwise, intended_text
from tools.life import Lived


class RecordFailed(RuntimeError):
    """The recording contradicts the dataset's ``about.toml``."""


def record(name: str, *, out: Path | None = None) -> Lived:
    """Record the dataset in ``datasets/NAME`` and return what its scenario told.

    Writes ``artifact.json``, ``intended.json`` and the traces beside the sources, or into the folder ``out``.

    Raises:
        RecordFailed: address, compiler, node or marked transactions differ from ``about.toml``.
        MeantOtherwise: the recorded invocations are not those that the scenario meant.
    """
    out = out or PROJECT / "datasets" / name
    with living(name, out) as (anvil, told):
        artifact = out / "artifact.json"
        traces = trace_files(out, len(told.addresses))
        for address, path in zip(told.addresses, traces, strict=True):
            path.parent.mkdir(exist_ok=True)
            _export(anvil.url, address, artifact, path)
    (out / "intended.json").write_text(intended_text(traces, load(artifact), told.meant))
    return told


@contextmanager
def living(name: str, out: Path) -> Iterator[tuple[Anvil, Lived]]:
    """Compile a dataset's sources, live its scenario on a fresh chain, and yield both while the node runs.

    Writes ``artifact.json`` into the folder ``out``. Raises like :func:`record`.
    """
    folder = PROJECT / "datasets" / name
    about = tomllib.loads((folder / "about.toml").read_text())
    recorded = about["recorded_with"]
    artifacts = write_artifact(name, out)
    with Anvil(hardfork=recorded["hardfork"], chain_id=about["chain_id"]) as anvil:
        _expect("recorded_with.node", recorded["node"], anvil.rpc("web3_clientVersion"))
        told: Lived = import_module(f"tools.scenarios.{name}").run(anvil, artifacts)
        _expect("address", about["address"], told.addresses[0])
        _expect("intended.marked", about["intended"].get("marked", {}), told.marked)
        yield anvil, told


def write_artifact(name: str, out: Path) -> dict[str, dict[str, Any]]:
    """Compile a dataset's sources, write ``artifact.json`` into ``out``, and return solc's output by contract."""
    folder = PROJECT / "datasets" / name
    about = tomllib.loads((folder / "about.toml").read_text())
    version, contract = about["recorded_with"]["compiler"], about["contract"]
    artifacts = compile_files(*sorted(folder.glob("*.sol")), package=compiler_package(version))
    _expect("recorded_with.compiler", version, artifacts[contract]["compiler"])
    sources = {path.name: {"content": path.read_text()} for path in sorted(folder.glob("*.sol"))}
    enums = enum_members({"sources": sources})
    (out / "artifact.json").write_text(compact_artifact(contract, artifacts[contract], enums))
    return artifacts


def compiler_package(version: str) -> str:
    """Return the npm package of a compiler's version, such as ``0.4.26+commit.4563c3fc.Emscripten.clang``."""
    package = f"solc-{version.partition('+')[0]}"
    return package if has_solc(package) else "solc"


def trace_files(folder: Path, count: int) -> list[Path]:
    """Return where the traces of so many contracts of a dataset are kept."""
    if count == 1:
        return [folder / "traces.jsonl.gz"]
    return [folder / "traces" / f"{number:02}.jsonl.gz" for number in range(count)]


def _export(url: str, address: str, artifact: Path, path: Path) -> None:
    contract = Address(bytes.fromhex(address[2:]))
    with TraceStore("sqlite://") as store, Node(Endpoint(url)) as node:
        done = collect(store, node, contract, artifact=load(artifact))
        export_traces(store, done.chain_id, contract, path)


def compact_artifact(
    name: str, output: Mapping[str, Any], enums: Mapping[str, Sequence[str]] | None = None
) -> str:
    """Return solc's output for a contract as the JSON text of an artifact, the same bytes each time.

    Of the members of enums, by the enum's name, those are kept that ABI or layout name; the compiler's output has them
    in the syntax tree alone, which is large.
    """
    named = set(re.findall(r'"enum ([\w.$]+)"', json.dumps([output["abi"], output.get("storageLayout")])))
    told = {enum: list(members) for enum, members in sorted((enums or {}).items()) if enum in named}
    artifact: dict[str, Any] = {
        "contractName": name,
        "compiler": output["compiler"],
        "abi": output["abi"],
        "storageLayout": output.get("storageLayout"),
        "bytecode": creation_code(output),
        "deployedBytecode": "0x" + output["evm"]["deployedBytecode"]["object"],
    }
    if told:
        artifact["enums"] = told
    return json.dumps(artifact, separators=(",", ":")) + "\n"


def _expect(field: str, stated: object, found: object) -> None:
    if stated != found:
        raise RecordFailed(f"about.toml says {field} = {stated!r}, but the recording has {found!r}")


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.record", description="Record a dataset.")
    parser.add_argument("dataset", help="a folder in datasets/, such as auction_house")
    parser.add_argument("--artifact-only", action="store_true", help="only compile and write artifact.json")
    options = parser.parse_args()
    try:
        if options.artifact_only:
            write_artifact(options.dataset, PROJECT / "datasets" / options.dataset)
            return
        told = record(options.dataset)
    except (RecordFailed, MeantOtherwise) as error:
        sys.exit(f"record: {error}")
    print(json.dumps(told.facts, indent=2))


if __name__ == "__main__":
    _main()
