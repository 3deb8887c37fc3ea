"""What a source of histories is, and what is asked of it.

A source is a frozen value that says where and how (:class:`HistorySource`). Opened, it brings a contract's history in a
database up to date (:class:`OpenSource`). URLs, headers and keys are secrets: no ``repr`` shows them, and no message
quotes them.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from specminer._support.addresses import checksum_address
from specminer._support.errors import UsageError
from specminer.contracts.artifact import Artifact
from specminer.history.trace import Address
from specminer.pipeline.progress import SILENT, Observer
from specminer.store import TraceStore

if TYPE_CHECKING:  # loads the libraries that ask
    from specminer.sources.node import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockRange:
    """A range of blocks, both ends included."""

    first: int | None = None
    """``None`` for the block that created the contract."""
    last: int | None = None
    """``None`` for the newest final block (the latest on development chains)."""

    def check(self) -> None:
        """Check that the range is not empty.

        Raises:
            UsageError: its first block lies behind its last.

        """
        if self.first is not None and self.last is not None and self.first > self.last:
            raise UsageError(
                f"the range of blocks is empty: --from-block {self.first} is after --to-block {self.last}"
            )


ALL_BLOCKS: Final = BlockRange()
"""From the creation of the contract to the newest final block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateRequest:
    """What of a contract is collected."""

    contract: Address
    artifact: Artifact | None = None
    """Stored with the contract."""
    blocks: BlockRange = ALL_BLOCKS
    created: int | None = None
    """The block that created the contract, where that is known."""


class Update(Protocol):
    """What a collection did."""

    @property
    def chain_id(self) -> int:
        """The chain that was read."""

    @property
    def added(self) -> int:
        """How many transactions, or records of an explorer, are new."""

    def note(self, database: str, *, with_address: bool) -> str:
        """Return what was done as a sentence; ``with_address`` says of which contract."""

    def summary(self, store: TraceStore) -> str:
        """Return what was done in lines for a terminal."""


class OpenSource(Protocol):
    """A source that answers."""

    @property
    def node(self) -> Node | None:
        """A node that can be asked for code, if the source has one."""

    def update(self, store: TraceStore, request: UpdateRequest, observer: Observer = SILENT) -> Update:
        """Bring the history of a contract in the database up to date.

        Raises:
            ChainError: the source failed; what was stored before is kept.
            UsageError: the range of blocks is empty or lies beyond the chain.
            StoreError: the database failed, or holds another chain of the same id.

        """


class HistorySource(Protocol):
    """Where histories are collected from."""

    @property
    def noun(self) -> str:
        """What messages call it."""

    @property
    def from_creation(self) -> bool:
        """Whether it can only give histories from the creation of the contract on."""

    def open(self, chain_id: int | None) -> AbstractContextManager[OpenSource]:
        """Open it for use in a ``with`` statement; ``chain_id`` is the chain that is meant, if that was said.

        Raises:
            UsageError: a URL, a header, a key or the chain is missing or malformed.

        """


def of_contract(contract: Address, with_address: bool) -> str:
    """Return the words that say of which contract a sentence is, if they are wanted."""
    return f" of {checksum_address(contract)}" if with_address else ""
