"""What executing a history again costs: recording against the bare machine, and the memory of an import.

    python -m benchmarks.reexecution [NAME ...]

Needs SPECMINER_REAL_DATA, the folder of the real histories. For each history the same transactions run on the same
machine without a recorder and with one, in turn, and the best CPU time of each counts; ``recorded`` includes
turning steps into invocations. The last line is the peak memory of a process that imports all mainnet histories
into one SQLite file.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from specminer.contracts.artifact import load
from specminer.pipeline import Export, Rulebook, import_export
from specminer.replay.export_replay import RecordReplay
from specminer.replay.fork_schedule import Rules, rules_of_chain, rules_of_fork
from specminer.replay.records import call_of, surroundings
from specminer.replay.reference_machine import Machine
from specminer.sources.exported import ExportedTransaction
from specminer.sources.txlist import read_transactions
from specminer.store import TraceStore

MAINNET: Final = ("ArkToken", "CryptoLandmarks", "GetTheHorse", "MobSquads")
AZURE: Final = ("BasicProvenance", "DigitalLocker", "HelloBlockchain", "RoomThermostat", "SimpleMarketplace")
ROUNDS: Final = 3


def read_history(folder: Path, name: str) -> tuple[Sequence[ExportedTransaction], Rules]:
    """Return the transactions of a real history below a folder, and the rules under which its chain ran."""
    kind, rules = ("mainnet", rules_of_chain(1)) if name in MAINNET else ("azure", rules_of_fork("istanbul"))
    assert rules is not None
    return read_transactions(folder / kind / name / "txlist.json.gz"), rules


def bare(records: Sequence[ExportedTransaction], rules: Rules) -> float:
    """Return the CPU seconds of the machine alone."""
    machine = Machine()
    began = time.process_time()
    for record in records:
        machine.run(
            call_of(record), surroundings(record, 1), rules(record.block, record.timestamp), record=False
        )
    return time.process_time() - began


def recorded(records: Sequence[ExportedTransaction], rules: Rules) -> float:
    """Return the CPU seconds of executing and recording."""
    targets = frozenset(made for record in records if (made := call_of(record).created) is not None)
    replay = RecordReplay(Machine(), 1, rules, targets, gas_is_evidence=True)
    began = time.process_time()
    for record in records:
        replay.step(record, record.index or 0)
    return time.process_time() - began


def memory(folder: Path) -> float:
    """Return the peak memory, in MB, of a process that imports the mainnet histories."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.reexecution", "--import", str(folder)],
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout)


def import_all(folder: Path) -> None:
    """Import the mainnet histories and print this process's peak memory in MB."""
    with tempfile.TemporaryDirectory() as scratch, TraceStore(f"{scratch}/h.db") as store:
        for name in MAINNET:
            place = folder / "mainnet" / name
            export = Export(transactions=read_transactions(place / "txlist.json.gz"), origin=name)
            import_export(store, export, Rulebook(chain_id=1), artifact=load(place / "abi.json"))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main(names: Sequence[str]) -> None:
    """Print the table."""
    folder = Path(os.environ["SPECMINER_REAL_DATA"])
    print(f"{'history':<18}{'transactions':>13}{'bare/s':>9}{'recorded/s':>12}{'ratio':>8}")
    for name in names or (*AZURE, *MAINNET):
        records, rules = read_history(folder, name)
        times = [(bare(records, rules), recorded(records, rules)) for _ in range(ROUNDS)]
        one, other = (min(column) for column in zip(*times, strict=True))
        count = len(records)
        print(
            f"{name:<18}{count:>13,}{count / one:>9.0f}{count / other:>12.0f}{other / one:>8.2f}", flush=True
        )
    if not names:
        print(f"peak memory of importing the mainnet histories: {memory(folder):.0f} MB")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--import"]:
        import_all(Path(sys.argv[2]))
    else:
        main(sys.argv[1:])
