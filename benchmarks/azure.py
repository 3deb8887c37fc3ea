"""The Azure benchmark: what is mined from the first instances, scored against what the authors declared.

    python -m benchmarks.azure [--data FOLDER] [--databases FOLDER] [NAME ...]

prints for each contract F over ten seeds against ``truth.json`` and against the protocol repaired from the
source where there is one, learned from the first 70, 30 and 10 instances, from 70 that were cut short, and
from 70 with the variable named ``State`` forbidden; and the CPU seconds from stored history to front. *At most* is F
of the repaired protocol without the functions that the mined automaton does not have, as no instance learned from
called them: no automaton over the same functions has more, since it accepts no walk with another one.

``--data`` is the folder of the real histories, by default ``$SPECMINER_REAL_DATA``. The contracts are those
under ``azure`` in it. What is not in ``--databases`` yet is executed again and kept there.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from specminer.automaton import Automaton, reachable
from specminer.comparison.score import Score, language, read, score
from specminer.contracts.artifact import load
from specminer.history.contract_history import History
from specminer.history.excerpt import excerpt
from specminer.pipeline import Export, MineOptions, Rulebook, import_export, mine, same_code
from specminer.sources.txlist import read_transactions
from specminer.specification import Specification
from specminer.store import TraceStore

CHAIN: Final = 1337
"""The chain id under which the private chain's histories are kept."""
LEARNED: Final = 70
"""Instances learned from; the rest of each hundred stays unseen."""
_STATE: Final = "State"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One way of learning."""

    name: str
    instances: int = LEARNED
    cut: bool = False
    """Each instance's history ends at a random point."""
    forbid: tuple[str, ...] = ()


TRIALS: Final = (
    Trial(name="70 instances"),
    Trial(name="30 instances", instances=30),
    Trial(name="10 instances", instances=10),
    Trial(name="70, cut short", cut=True),
    Trial(name="70, no State", forbid=(_STATE,)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one trial gave on one contract."""

    contract: str
    declared: Score
    """Against what the authors declared."""
    repaired: Score
    """Against the protocol repaired from the source; the declared one if that needs no repair."""
    at_most: float
    """F of the repaired protocol over the functions that were called."""
    specification: Specification
    seconds: float
    """CPU time from stored history to front, in this process."""


def run(folder: Path, trial: Trial, database: Path) -> Row:
    """Learn from one contract's instances and score what was learned; ``folder`` has its truths."""
    contract = folder.name
    with TraceStore(str(database)) as store:
        some = store.contracts()[0]
        learned = same_code(store, some.chain_id, some.address)[: trial.instances]
        started = time.process_time()
        history = store.history(some.chain_id, learned)
        if trial.cut:
            history = cut_short(history, seed=0)
        specification = mine(history, MineOptions(forbid=trial.forbid), name=contract).specification
        seconds = time.process_time() - started
    mined = language(specification)
    declared, repaired = (score(mined, language(read(path))) for path in truths(folder))
    return Row(
        contract=contract,
        declared=declared,
        repaired=repaired,
        at_most=_called_only(language(read(truths(folder)[1])), mined),
        specification=specification,
        seconds=seconds,
    )


def _called_only(truth: Automaton, mined: Automaton) -> float:
    """Return F of a true automaton without the functions that a mined one does not have, against itself."""
    called = {transition.symbol for transition in mined.transitions}
    transitions = tuple(item for item in truth.transitions if item.symbol in called)
    return score(reachable(replace(truth, transitions=transitions)), truth).f.mean


def truths(folder: Path) -> tuple[Path, Path]:
    """Return the declared truth, and the repaired one or, without need of repair, the declared one again."""
    declared, repaired = folder / "truth.json", folder / "truth-repaired.json"
    return declared, repaired if repaired.exists() else declared


def cut_short(history: History, seed: int) -> History:
    """Return the history of contracts whose lives are cut at random points, behind their first invocation.

    Invocations stand in the order in which they began, so that each is kept with those around it.
    """
    draw = random.Random(seed)
    keep = np.zeros(len(history), dtype=np.bool_)
    for contract in range(len(history.contracts)):
        rows = np.flatnonzero(history.invocation_contract == contract)
        if len(rows):
            keep[rows[: draw.randint(1, len(rows))]] = True
    return excerpt(history, np.flatnonzero(keep))


def imported(folder: Path, databases: Path) -> Path:
    """Return the database of one contract's export; execute it again if it is not there yet."""
    database = databases / f"{folder.name}.db"
    if not database.exists():
        databases.mkdir(parents=True, exist_ok=True)
        partial = databases / f"{folder.name}.partial.db"
        with TraceStore(str(partial)) as store:
            export = Export(
                transactions=read_transactions(next(folder.glob("txlist.json*"))), origin=folder.name
            )
            artifact = load(folder / "abi.json")
            import_export(store, export, Rulebook(chain_id=CHAIN), artifact=artifact)
        partial.rename(database)
    return database


def table(folders: Sequence[Path], databases: Path) -> Iterator[str]:
    """Yield the lines of the table, a trial at a time."""
    width = max(len(folder.name) for folder in folders)
    yield (
        f"{'':<{width}}  {'declared F':>13}  {'repaired F':>13}  {'at most':>7}  {'precision':>9}  {'recall':>6}  "
        f"{'states':>6}  {'CPU s':>5}"
    )
    means = []
    for trial in TRIALS:
        rows = [run(folder, trial, imported(folder, databases)) for folder in folders]
        yield trial.name
        yield from (_line(row, width) for row in rows)
        declared, repaired, most = (fmean(item) for item in zip(*map(_figures, rows), strict=True))
        means.append(f"{trial.name:<{width}}  {declared:>13.3f}  {repaired:>13.3f}  {most:>7.3f}")
    yield "mean over the contracts"
    yield from means


def _figures(row: Row) -> tuple[float, float, float]:
    return row.declared.f.mean, row.repaired.f.mean, row.at_most


def _line(row: Row, width: int) -> str:
    declared, repaired = (
        f"{item.f.mean:.3f} ± {item.f.deviation:.3f}" for item in (row.declared, row.repaired)
    )
    return (
        f"{row.contract:<{width}}  {declared}  {repaired}  {row.at_most:>7.3f}  {row.repaired.precision.mean:>9.3f}  "
        f"{row.repaired.recall.mean:>6.3f}  {len(row.specification.states):>6}  {row.seconds:>5.2f}"
    )


def main() -> int:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("SPECMINER_REAL_DATA"), metavar="FOLDER")
    parser.add_argument("--databases", type=Path, metavar="FOLDER")
    parser.add_argument("names", nargs="*", metavar="NAME")
    asked = parser.parse_args()
    if asked.data is None:
        parser.error("the histories are needed: --data FOLDER, or SPECMINER_REAL_DATA")
    there = sorted(path.parent for path in (Path(asked.data) / "azure").glob("*/truth.json"))
    folders = [folder for folder in there if folder.name in asked.names or not asked.names]
    if not folders or len(folders) < len(set(asked.names)):
        parser.error(f"the contracts are {', '.join(folder.name for folder in there) or 'none'}")
    with TemporaryDirectory() as scratch:
        for line in table(folders, asked.databases or Path(scratch)):
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
