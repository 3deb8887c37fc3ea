"""Mines one contract of a list, here or on a Dask worker."""

from __future__ import annotations

import tempfile
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from specminer._support.addresses import checksum_address
from specminer._support.errors import SpecminerError, StoreError, UsageError
from specminer.contracts.artifact import Artifact
from specminer.history.trace import Address
from specminer.pipeline.listed_updates import NoteList
from specminer.pipeline.miner import mine
from specminer.pipeline.output import make_folder, remove_file, replace_file
from specminer.pipeline.progress import Observer
from specminer.pipeline.selecting import SelectionOptions, select
from specminer.pipeline.shared_database import SharedDatabase
from specminer.pipeline.state import MineOptions
from specminer.presentation.overview import OverviewRow, row_of

_OPTIONAL: Final = ("automaton.svg", "second-view.svg")
"""Files of an earlier run that would show something else than the new ones, if there are no new ones."""
_LOCK: Final = threading.Lock()
"""Solvers keep their formulas in one place for the whole process, so a worker mines one contract at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedMining:
    """A contract of a list that is to be mined."""

    name: str
    address: Address
    artifact: Artifact | None = field(repr=False)
    selection: SelectionOptions
    options: MineOptions
    report: bool
    """Whether ``report.html`` is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedResult:
    """What came of a contract of a list."""

    row: OverviewRow
    picture: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MiningPiece:
    """A contract of a list on its way to a worker."""

    database: SharedDatabase
    mining: ListedMining


@dataclass(frozen=True, slots=True, kw_only=True)
class MinedPiece:
    """What a worker mined: the files, by name, and what is told."""

    result: ListedResult
    files: dict[str, bytes] = field(repr=False)
    notes: tuple[str, ...]


def mine_into(folder: Path, database: str, mining: ListedMining, observer: Observer) -> ListedResult:
    """Mine a contract of a list and write its files; one that cannot be mined has the reason in its row.

    Raises:
        OutputError: the folder cannot be written to.

    """
    own = replace(mining.selection, targets=(checksum_address(mining.address),))
    try:
        selection = select(database, own, abi=mining.artifact, observer=observer)
        mined = mine(selection, options=mining.options, observer=observer)
    except (UsageError, StoreError) as error:
        return failure_row(mining, error)
    written = mined.write(folder, report=mining.report)
    return ListedResult(
        row=row_of(mining.name, mining.name, mined.specification, report=mining.report),
        picture=None if written.picture is None else written.picture.read_bytes(),
    )


def failure_row(mining: ListedMining, error: SpecminerError) -> ListedResult:
    """Return the row of a contract that was not mined."""
    row = OverviewRow(
        name=mining.name,
        address=checksum_address(mining.address),
        chain_id=mining.selection.chain_id,
        failure=error.message,
    )
    return ListedResult(row=row)


def mine_piece(piece: MiningPiece) -> MinedPiece:
    """Mine a contract of a list; called on a worker.

    Raises:
        StoreError: the worker cannot reach the database.

    """
    piece.database.check()
    note_list = NoteList()
    with _LOCK, tempfile.TemporaryDirectory(prefix="specminer-") as scratch:
        folder = Path(scratch)
        result = mine_into(folder, piece.database.location, piece.mining, note_list)
        files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    return MinedPiece(result=result, files=files, notes=tuple(note_list.texts))


def write_piece(piece: MinedPiece, folder: Path) -> None:
    """Write what a worker mined.

    Raises:
        OutputError: the folder cannot be written to.

    """
    if not piece.files:
        return
    make_folder(folder)
    for name, content in piece.files.items():
        replace_file(folder / name, content)
    for name in _OPTIONAL:
        if name not in piece.files:
            remove_file(folder / name)
