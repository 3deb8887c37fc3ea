"""Plays shapes and records them as ``NAME.jsonl.gz`` and ``NAME.attack.json``.

``python -m tests.support.shapes.record DIR`` writes all of them into a folder.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from specminer.contracts.artifact import parse
from specminer.pipeline import collect, export_traces
from specminer.sources.endpoint import Endpoint
from specminer.sources.node import Node
from specminer.store import TraceStore
from tests.support.anvil import Anvil
from tests.support.collecting import address
from tests.support.shapes.catalogue import FURTHER, SHAPES, Shape
from tests.support.shapes.stage import Stage, compiled


def record(shape: Shape, folder: Path, *, seed: int = 0, length: float = 1.0) -> Path:
    """Play a shape on a fresh chain and write its two files; return the trace file. A seed gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    trace_file = folder / f"{shape.name}.jsonl.gz"
    with Anvil(automine=False) as anvil:
        stage = Stage(anvil, seed, length)
        subject, hashes = shape.play(stage)
        output = compiled()[shape.contract]
        artifact = {
            "contractName": shape.contract,
            "abi": output["abi"],
            "storageLayout": output["storageLayout"],
        }
        contract = address(subject.address)
        with TraceStore("sqlite://") as store, Node(Endpoint(anvil.url)) as node:
            found = collect(
                store, node, contract, artifact=parse(json.dumps(artifact).encode(), shape.contract)
            )
            export_traces(store, found.chain_id, contract, trace_file)
    about = {"attack": hashes, "who": [stage.thief.account], "address": subject.address}
    (folder / f"{shape.name}.attack.json").write_text(json.dumps(about) + "\n")
    return trace_file


def main() -> None:
    """Record the shapes asked for, all of them by default."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.shapes.record", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR", help="where the files are written")
    parser.add_argument("names", nargs="*", metavar="NAME", help="shapes by name")
    parser.add_argument("--seed", type=int, default=0, help="what all choices follow from")
    options = parser.parse_args()
    for shape in (*SHAPES, *FURTHER):
        if not options.names or shape.name in options.names:
            start = time.monotonic()
            trace_file = record(shape, options.folder, seed=options.seed)
            print(f"{trace_file}: {time.monotonic() - start:.1f} s", flush=True)


if __name__ == "__main__":
    main()
