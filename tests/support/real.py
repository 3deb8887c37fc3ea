"""The real histories beside the project: re-executed once a test session, for whoever needs them.

They are never part of the project. Environment variables name their folders; without one, its tests are skipped.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from specminer.contracts.artifact import load
from specminer.pipeline import Export, Rulebook, import_export
from specminer.replay.fork_schedule import Rules, rules_of_chain, rules_of_fork
from specminer.sources.exported import ExportedTransaction
from specminer.sources.txlist import read_transactions
from specminer.store import TraceStore

MAINNET: Final = ("ArkToken", "CryptoLandmarks", "GetTheHorse", "MobSquads")
AZURE: Final = ("BasicProvenance", "DigitalLocker", "HelloBlockchain", "RoomThermostat", "SimpleMarketplace")
PRIVATE: Final = 1337
"""The chain id under which the private chain's histories are kept."""

RealDatabase = Callable[[str], Path]
"""From a history's name to its database, which must not be written to."""


def real_data() -> Path:
    """Return the folder of the real histories, ``mainnet/NAME`` and ``azure/NAME``; skip the test without it."""
    return _folder("SPECMINER_REAL_DATA")


def entangled_histories() -> Path:
    """Return the folder of real histories that depend on contracts outside of them; skip the test without it."""
    return _folder("SPECMINER_REAL_HISTORIES")


def attacks() -> Path:
    """Return the folder of recorded attacks, ``NAME.jsonl.gz`` and ``NAME.attack.json``; skip the test without it."""
    return _folder("SPECMINER_ATTACKS")


def _folder(variable: str) -> Path:
    folder = os.environ.get(variable)
    if not folder:
        pytest.skip(f"{variable} is not set: what is in its folder is not part of the project")
    return Path(folder)


def folder_of(name: str) -> Path:
    """Return the folder of one history."""
    return real_data() / ("mainnet" if name in MAINNET else "azure") / name


def history(name: str) -> tuple[list[ExportedTransaction], Rules]:
    """Return a history's transactions and the rules of its chain; skip the test without it."""
    rules = rules_of_chain(1) if name in MAINNET else rules_of_fork("istanbul")
    assert rules is not None
    return list(read_transactions(folder_of(name) / "txlist.json.gz")), rules


def imported(name: str, shared: Path) -> Path:
    """Return a history's database in a folder that all test processes share; the first that asks makes it."""
    shared.mkdir(exist_ok=True)
    database = shared / f"{name}.db"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not database.exists():
            partial = shared / f"{name}.partial.db"
            with TraceStore(str(partial)) as store:
                execute(store, name)
            partial.rename(database)
            for left in shared.glob(f"{name}.partial.db-*"):
                left.unlink()
    return database


def execute(store: TraceStore, name: str) -> None:
    """Fill a database with one history."""
    folder = folder_of(name)
    chain_id = 1 if name in MAINNET else PRIVATE
    export = Export(transactions=read_transactions(folder / "txlist.json.gz"), origin=name)
    import_export(store, export, Rulebook(chain_id=chain_id), artifact=load(folder / "abi.json"))
