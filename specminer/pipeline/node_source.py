"""A node as a source of histories: it finds the transactions of a contract and traces them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from specminer._support.addresses import checksum_address
from specminer._support.errors import UsageError
from specminer.history.trace import Address
from specminer.pipeline.progress import SILENT, Observer
from specminer.pipeline.slot_memory import SlotMemory
from specminer.pipeline.source import UpdateRequest, of_contract
from specminer.sources.endpoint import Endpoint
from specminer.sources.traffic import CONCURRENCY, RETRIES, TIMEOUT
from specminer.store import TraceStore

if TYPE_CHECKING:  # these load the libraries that ask
    from specminer.pipeline.collecting import CollectionResult
    from specminer.pipeline.state_verification import VerificationResult
    from specminer.sources.node import Node

_NO_SCHEME: Final = re.compile(r"[\w.-]+:\d+(/.*)?")
"""Host and port, as people write them; the path of a socket has neither."""
_HEADER_VALUE: Final = re.compile(r"[\x20-\x7e]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeOptions:
    """A node to collect from, or to ask for code and storage."""

    noun: ClassVar[str] = "node"
    from_creation: ClassVar[bool] = False

    url: str | tuple[str, ...] = field(repr=False)
    """``http(s)://``, ``ws(s)://``, or the path of an IPC socket. Of several the first that can answer does."""
    headers: tuple[str, ...] = field(default=(), repr=False)
    """``NAME=VALUE`` each, sent with every request to the first URL."""
    retries: int = RETRIES
    """How often a request that failed is sent again."""
    timeout: float = TIMEOUT
    """Seconds to wait for an answer at most."""
    concurrency: int = CONCURRENCY
    """Messages under way to one URL at most; how many it takes is learned."""
    rate: float | None = None
    """Requests a second to one URL at most."""
    verify: float | None = None
    """Share of the contract's storage that is compared with the node's; ``None`` for none."""
    confirmations: int | None = None
    """How many blocks stand on the newest one that is read; ``None`` for the newest that is final."""

    def endpoint(self) -> Endpoint:
        """Return the node's first address; its secrets are never quoted.

        Raises:
            UsageError: a URL or a header is malformed.

        """
        return self.endpoints()[0]

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Return the node's addresses; their secrets are never quoted.

        Raises:
            UsageError: a URL or a header is malformed.

        """
        urls = (self.url,) if isinstance(self.url, str) else self.url
        for url in urls:
            if _NO_SCHEME.fullmatch(url) and not Path(url).exists():
                raise UsageError(
                    "--rpc wants a whole URL, such as http://127.0.0.1:8545; this one lacks http:// or ws://"
                )
        headers = self._headers()
        return tuple(Endpoint(url, () if row else headers) for row, url in enumerate(urls))

    def connect(self) -> Node:
        """Return the node, which is to be closed after use.

        Raises:
            UsageError: a URL or a header is malformed.

        """
        from specminer.sources.node import Node

        return Node(
            *self.endpoints(),
            retries=self.retries,
            timeout=self.timeout,
            concurrency=self.concurrency,
            rate=self.rate,
            confirmations=self.confirmations,
        )

    def _headers(self) -> tuple[tuple[str, str], ...]:
        pairs = []
        for header in self.headers:
            name, separator, value = header.partition("=")
            if (
                not separator
                or not re.fullmatch(r"[A-Za-z0-9-]+", name)
                or not _HEADER_VALUE.fullmatch(value)
            ):
                raise UsageError(
                    "--rpc-header should be NAME=VALUE, the name of letters, digits and dashes, the value of printable "
                    "ASCII characters"
                )
            pairs.append((name, value))
        return tuple(pairs)

    @contextmanager
    def open(self, chain_id: int | None) -> Iterator[OpenNode]:
        """Open the node; ``chain_id`` is compared with the node's.

        Raises:
            UsageError: the URL or a header is malformed.

        """
        with self.connect() as node:
            yield OpenNode(node=node, chain_id=chain_id, verify=self.verify)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenNode:
    """A node that answers."""

    node: Node
    chain_id: int | None
    verify: float | None = None
    memory: SlotMemory = field(default_factory=SlotMemory)
    """What slots held when they were read last."""

    def update(self, store: TraceStore, request: UpdateRequest, observer: Observer = SILENT) -> NodeUpdate:
        """Bring the history of a contract in the database up to date with the chain; see :class:`OpenSource`."""
        from specminer.pipeline.collecting import collect
        from specminer.pipeline.state_verification import verify

        collected = collect(
            store,
            self.node,
            request.contract,
            artifact=request.artifact,
            chain_id=self.chain_id,
            first=request.blocks.first,
            last=request.blocks.last,
            created=request.created,
            memory=self.memory,
            observer=observer,
        )
        verified = None
        if self.verify is not None:
            verified = verify(store, self.node, collected.chain_id, request.contract, self.verify)
        return NodeUpdate(contract=request.contract, collected=collected, verified=verified)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeUpdate:
    """What a collection from a node did."""

    contract: Address
    collected: CollectionResult
    verified: VerificationResult | None = None

    @property
    def chain_id(self) -> int:
        """The node's chain."""
        return self.collected.chain_id

    @property
    def added(self) -> int:
        """How many transactions are new."""
        return self.collected.added

    def note(self, database: str, *, with_address: bool) -> str:
        """Return what was done as a sentence."""
        new = f"{self.added:,} new transactions" if self.added else "nothing new"
        blocks = f"blocks {self.collected.first:,} to {self.collected.last:,}"
        return f"{new}{of_contract(self.contract, with_address)} in {blocks}; they are in {database}"

    def summary(self, store: TraceStore) -> str:
        """Return what was done in a line for a terminal."""
        total = store.transaction_count(self.chain_id, self.contract)
        done = self.collected
        mended = f"; {done.mended:,} recorded again" if done.mended else ""
        gaps = (
            f"; {done.gaps:,} could not be recorded and are tried again by the next run" if done.gaps else ""
        )
        line = (
            f"{checksum_address(self.contract)}: {self.added:,} new transactions in blocks "
            f"{done.first:,} to {done.last:,} of chain {self.chain_id}{mended}; {total:,} in {store.label}{gaps}"
        )
        return line if self.verified is None else f"{line}\n{self.verified.sentence}"
