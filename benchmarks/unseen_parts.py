"""How far states are borne out by parts of a history that were not seen; of this tree, and of an earlier commit.

    python -m benchmarks.unseen_parts                                    # the shipped datasets
    python -m benchmarks.unseen_parts --before COMMIT --traces FOLDER    # also traces, each beside its artifact.json
    SPECMINER_REAL_DATA=/data python -m benchmarks.unseen_parts --real   # also imports, executed again

Prints of each history *held out*, the share of interactions whose every accepted call was seen in another of ten parts,
and *halves*, what automata learned from random halves have in common, with the number of states and interactions; and
behind them how much each fell since ``--before``. Both commits are measured by the measures of this tree, so that no
difference comes from a measure that was changed: the earlier commit mines in a process of its own, on its own code.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Final

from specminer.contracts.artifact import Artifact, load
from specminer.history.contract_history import History
from specminer.pipeline import Export, MineOptions, Rulebook, import_export, import_traces, mine
from specminer.sources.txlist import read_transactions
from specminer.store import TraceStore

ROOT: Final = Path(__file__).resolve().parent.parent
FALL: Final = 0.0005
"""What is less is no fall: the table has three digits."""
_FOLDERS: Final = (
    ("SPECMINER_REAL_DATA", "mainnet"),
    ("SPECMINER_REAL_DATA", "azure"),
    ("SPECMINER_REAL_HISTORIES", ""),
)
_PRIVATE_CHAIN: Final = 1337


@dataclass(frozen=True, slots=True, kw_only=True)
class Borne:
    """How far one history's states are borne out."""

    states: int
    interactions: int
    held_out: float
    """Share of interactions."""
    halves: float | None
    """Share of random walks, mean of the pairs of halves; ``None`` where there is nothing to halve."""


def main() -> int:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--before", metavar="COMMIT", help="also measure this commit")
    parser.add_argument("--traces", type=Path, metavar="FOLDER", help="histories as traces, a folder each")
    parser.add_argument(
        "--real", action="store_true", help="also the histories that environment variables name"
    )
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these histories")
    asked = parser.parse_args()
    histories = [
        path
        for path in _histories(asked.traces, real=asked.real)
        if not asked.names or path.name in asked.names
    ]
    if asked.child:
        for path in histories:
            print(json.dumps(asdict(measure(path))), flush=True)
        return 0
    with TemporaryDirectory() as folder:
        trees = [ROOT]
        if asked.before is not None:
            trees.append(checked_out(asked.before, Path(folder)))
        earlier = f"  {'held out before':>15} {'halves before':>13} {'states':>6}" if asked.before else ""
        print(f"{'history':20} {'held out':>8} {'halves':>6} {'states':>6} {'interactions':>12}{earlier}")
        fallen = 0
        for path in histories:
            found = [in_tree(tree, path, sys.argv[1:]) for tree in trees]
            line, falls = _line(path.name, found)
            fallen += falls
            print(line, flush=True)
        if asked.before:
            print(f"{fallen} of {2 * len(histories)} figures fell")
    return 0


def _histories(traces: Path | None, *, real: bool) -> Iterator[Path]:
    """Yield the folders of all histories."""
    yield from sorted(path.parent for path in (ROOT / "datasets").glob("*/about.toml"))
    if traces is not None:
        yield from sorted(path.parent for path in traces.glob("*/traces.jsonl.gz"))
    for variable, inner in _FOLDERS if real else ():
        folder = os.environ.get(variable)
        if folder:
            yield from sorted(path.parent for path in (Path(folder) / inner).glob("*/txlist.json.gz"))


def checked_out(commit: str, folder: Path) -> Path:
    """Return the folder of a commit's tree, which is written there."""
    archive = subprocess.run(
        ["git", "-C", str(ROOT), "archive", commit, "specminer", "abstractions", "datasets"],
        check=True,
        capture_output=True,
    ).stdout
    with tarfile.open(fileobj=BytesIO(archive)) as packed:
        packed.extractall(folder, filter="data")
    return folder


def in_tree(tree: Path, history: Path, arguments: Sequence[str]) -> Borne:
    """Mine a history with the code of a tree, in a process of its own, and return what was measured."""
    options = [argument for argument in arguments if argument == "--real"]
    command = [sys.executable, str(Path(__file__).resolve()), "--child", *options]
    if "--traces" in arguments:
        command += ["--traces", str(history.parent)]
    run = subprocess.run(
        [*command, history.name],
        check=True,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(tree)},
    )
    return Borne(**json.loads(run.stdout.splitlines()[-1]))


def measure(folder: Path) -> Borne:
    """Mine a history with the code that is imported, and measure its states by the measures of this file's tree."""
    folds, agreement = (
        _measures(name) for name in ("learning/history_folds", "learning/split_half_agreement")
    )
    history, artifact = _read(folder)
    run = mine(history, MineOptions(), artifact=artifact)
    tuning = run.tuning
    graph, blocks = tuning.graph, tuning.chosen_point.blocks
    cut = folds.folds(graph, tuning.seed)
    shares = agreement.agreements(tuning.table, graph, blocks, cut, tuning.seed)
    return Borne(
        states=len(tuning.states),
        interactions=len(tuning.table.starts),
        held_out=folds.held_out_acceptance(graph, cut, blocks),
        halves=sum(shares) / len(shares) if shares else None,
    )


def _read(folder: Path) -> tuple[History, Artifact | None]:
    """Return the history in a folder."""
    with TraceStore("sqlite://") as store:
        traces = sorted(folder.glob("traces.jsonl.gz")) or sorted(folder.glob("traces/*.jsonl.gz"))
        if traces:
            records = [import_traces(store, path) for path in traces]
            history = store.history(records[0].chain_id, [record.address for record in records])
            return history, load(folder / "artifact.json")
        mainnet = folder.parent.name != "azure"
        export = Export(transactions=read_transactions(folder / "txlist.json.gz"), origin=folder.name)
        import_export(
            store,
            export,
            Rulebook(chain_id=1 if mainnet else _PRIVATE_CHAIN),
            artifact=load(folder / "abi.json"),
        )
        contracts = store.contracts()
        chosen = [item.address for item in contracts][: 1 if mainnet else None]
        return store.history(contracts[0].chain_id, chosen), None


class _ThisTree(MetaPathFinder):
    """Finds modules of this file's tree that the imported tree does not have, as measures may need them."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where a module lies in this file's tree."""
        del path, target
        file = ROOT.joinpath(*fullname.split(".")).with_suffix(".py")
        return importlib.util.spec_from_file_location(fullname, file) if file.is_file() else None


def _measures(name: str) -> ModuleType:
    """Return a module of this file's tree, whatever tree is imported."""
    path = ROOT / "specminer" / f"{name}.py"
    specification = importlib.util.spec_from_file_location(f"measures_{path.stem}", path)
    if not any(isinstance(finder, _ThisTree) for finder in sys.meta_path):
        sys.meta_path.append(_ThisTree())
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[module.__name__] = module
    specification.loader.exec_module(module)
    return module


def _line(name: str, found: Sequence[Borne]) -> tuple[str, int]:
    """Return a line of the table, and how many figures fell."""
    now = found[0]
    line = f"{name:20} {now.held_out:8.3f} {_share(now.halves):>6} {now.states:6} {now.interactions:12}"
    if len(found) == 1:
        return line, 0
    before = found[1]
    pairs = [(now.held_out, before.held_out), (now.halves or 0.0, before.halves or 0.0)]
    falls = [after < earlier - FALL for after, earlier in pairs]
    marks = ["fell" if fall else "" for fall in falls]
    return (
        f"{line}  {before.held_out:10.3f} {marks[0]:4} {_share(before.halves):>8} {marks[1]:4} {before.states:6}",
        sum(falls),
    )


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    sys.exit(main())
