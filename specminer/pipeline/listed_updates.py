"""Brings contracts that an explorer lists up to date on Dask workers: each is executed again by one of them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Final

from specminer._support.errors import ChainError
from specminer.contracts.artifact import Artifact
from specminer.history.trace import Address
from specminer.pipeline.explorer_source import ExplorerOptions
from specminer.pipeline.progress import ProgressEvent
from specminer.pipeline.shared_database import SharedDatabase
from specminer.pipeline.source import BlockRange, UpdateRequest
from specminer.store import TraceStore

_LOCK: Final = threading.Lock()
"""A worker executes one contract at a time: each takes a processor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatePiece:
    """A contract that a worker brings up to date in the database."""

    database: SharedDatabase
    source: ExplorerOptions
    chain_id: int | None
    contract: Address
    artifact: Artifact | None = field(repr=False)
    blocks: BlockRange


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateResult:
    """What a worker did for a contract."""

    added: int
    """Records of the explorer that are new in the database."""
    failure: str | None
    """Why nothing was collected; ``None`` if it was."""
    notes: tuple[str, ...]


def update_piece(piece: UpdatePiece) -> UpdateResult:
    """Read what an explorer lists of a contract and execute it again; called on a worker.

    What another worker had done before it died is in the database, and is not done again.

    Raises:
        StoreError: the worker cannot reach the database, or it failed.
        UsageError: the URL, the key or the chain is malformed.

    """
    piece.database.check()
    note_list = NoteList()
    request = UpdateRequest(contract=piece.contract, artifact=piece.artifact, blocks=piece.blocks)
    added, failure = 0, None
    with (
        _LOCK,
        piece.source.open(piece.chain_id) as opened,
        TraceStore(piece.database.location, note_list.note) as store,
    ):
        try:
            added = opened.update(store, request, note_list).added
        except ChainError as error:
            failure = error.message
    return UpdateResult(added=added, failure=failure, notes=tuple(note_list.texts))


class NoteList:
    """Hears what a worker is told, for whoever gave it the work."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        """Hear a sentence."""
        self.texts.append(text)

    def progress(self, event: ProgressEvent) -> None:
        """Ignore a step."""
