"""Records a shipped dataset anew: compile, live the scenario on a fresh chain, collect, export.

Run as ``python -m tests.support.record auction_house``, from the project root, after ``make setup tools``.
The chain is the same each time, so the export is too, unless the contract, the scenario, anvil or
specminer's file format changed. ``--artifact-only`` stops after the artifact is written.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.support.anvil import PROJECT, Anvil, creation_code
from tests.support.solc import compile_files


class RecordFailed(RuntimeError):
    """The recording contradicts the dataset's ``about.toml``, or a command failed."""


def record(name: str, *, artifact_only: bool = False, out: Path | None = None) -> dict[str, Any]:
    """Record the dataset in ``datasets/NAME`` and return what its scenario told.

    Writes ``artifact.json`` and ``traces.jsonl.gz`` beside the scenario, or into the folder ``out``.

    Raises:
        RecordFailed: address, chain or node differ from ``about.toml``; nothing was exported then.
    """
    folder = PROJECT / "datasets" / name
    about = tomllib.loads((folder / "about.toml").read_text())
    artifacts = compile_files(*sorted(folder.glob("*.sol")))
    out = out or folder
    artifact = out / "artifact.json"
    artifact.write_text(compact_artifact(about["contract"], artifacts[about["contract"]]))
    print(f"wrote {artifact}")
    if artifact_only:
        return {}
    with Anvil(hardfork=about["recorded_with"]["hardfork"], chain_id=about["chain_id"]) as anvil:
        told: dict[str, Any] = _scenario(folder).run(anvil, artifacts)
        _expect("address", about["address"], told["address"])
        _expect("recorded_with.node", about["recorded_with"]["node"], anvil.rpc("web3_clientVersion"))
        print(json.dumps(told, indent=2), f"last block {anvil.block_hashes()[-1]}", sep="\n")
        with tempfile.TemporaryDirectory(prefix="specminer-record-") as scratch:
            database = str(Path(scratch) / "recording.db")
            traces = out / "traces.jsonl.gz"
            _specminer(
                *("collect", told["address"], "--rpc", anvil.url, "--abi", str(artifact), "--db", database)
            )
            _specminer("export", told["address"], "--db", database, "--out", str(traces))
        with gzip.open(traces) as lines:
            count = sum(1 for _ in lines)
        print(f"wrote {traces}: {count} lines, {traces.stat().st_size} bytes")
    return told


def compact_artifact(name: str, output: Mapping[str, Any]) -> str:
    """Return solc's output for a contract as the JSON text of an artifact, the same bytes each time."""
    artifact = {
        "contractName": name,
        "compiler": output["compiler"],
        "abi": output["abi"],
        "storageLayout": output["storageLayout"],
        "bytecode": creation_code(output),
        "deployedBytecode": "0x" + output["evm"]["deployedBytecode"]["object"],
    }
    return json.dumps(artifact, separators=(",", ":")) + "\n"


def _scenario(folder: Path) -> ModuleType:
    """Load a dataset's scenario by its path: ``datasets`` may be another package's name, too."""
    spec = importlib.util.spec_from_file_location(f"{folder.name}_scenario", folder / "scenario.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    spec.loader.exec_module(module)
    return module


def _expect(field: str, stated: object, found: object) -> None:
    if stated != found:
        raise RecordFailed(f"about.toml says {field} = {stated!r}, but the recording has {found!r}")


def _specminer(*arguments: str) -> None:
    """Run a command of specminer as its users do."""
    code = "import sys; from specminer.cli import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", code, *arguments], cwd=PROJECT, check=False)
    if done.returncode != 0:
        raise RecordFailed(f"`specminer {' '.join(arguments)}` ended with code {done.returncode}")


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.support.record", description="Record a dataset.")
    parser.add_argument("dataset", help="a folder in datasets/, such as auction_house")
    parser.add_argument("--artifact-only", action="store_true", help="only compile and write artifact.json")
    options = parser.parse_args()
    try:
        record(options.dataset, artifact_only=options.artifact_only)
    except RecordFailed as error:
        sys.exit(f"record: {error}")


if __name__ == "__main__":
    _main()
