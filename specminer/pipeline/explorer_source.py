"""A block explorer as a source of histories: what it lists of a contract is executed again, here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from specminer._support.errors import UsageError
from specminer.contracts.bytecode_file import read_code
from specminer.history.trace import Address
from specminer.pipeline.node_source import NodeOptions
from specminer.pipeline.progress import SILENT, Observer
from specminer.pipeline.source import UpdateRequest, of_contract
from specminer.replay.engine import Engine
from specminer.replay.limits import MAX_GAS, MAX_STEPS
from specminer.store import TraceStore

if TYPE_CHECKING:  # these load the machine and the libraries that ask
    from specminer.pipeline.executing import ImportResult, Rulebook
    from specminer.pipeline.explorer_update import ExplorerRecords
    from specminer.sources.explorer import ExplorerClient
    from specminer.sources.node import Node

AUTO: Final = "auto"
"""The rules of the chain's schedule where it is known, else of the one fork that fits the recorded gas best."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOptions:
    """How listed transactions are executed again."""

    fork: str = AUTO
    """A fork's name, or ``auto``: the chain's schedule where it is known, else the one fork that fits best."""
    max_steps: int = MAX_STEPS
    """Opcodes of one transaction at most."""
    max_gas: int = MAX_GAS
    """Gas limit of one transaction at most."""
    engine: Engine = Engine.FAST
    """What executes: specminer's own engine, the executable specification, or both."""
    infer: bool = True
    """Whether balances, receivers and unseen writes are inferred where the recorded end leaves one choice."""
    code: Path | None = None
    """A file with the runtime code of the contract, for where its creation is missing or cannot be executed."""
    node: NodeOptions | None = None
    """Asked for code and storage of contracts that the list does not create."""

    def codes(self, contract: Address | None) -> dict[Address, bytes]:
        """Return the runtime code of a contract, if there is a file with it.

        Raises:
            FileFormatError: the file cannot be read, or holds no code.

        """
        if self.code is None or contract is None:
            return {}
        return {contract: read_code(self.code)}

    def rulebook(self, chain_id: int) -> Rulebook:
        """Return the rules for a chain."""
        from specminer.pipeline.executing import Rulebook

        return Rulebook(
            chain_id=chain_id,
            fork=self.fork,
            max_steps=self.max_steps,
            max_gas=self.max_gas,
            engine=self.engine,
            infer=self.infer,
        )

    @contextmanager
    def open_node(self) -> Iterator[Node | None]:
        """Open the node, if there is one.

        Raises:
            UsageError: its URL or a header is malformed.

        """
        if self.node is None:
            yield None
            return
        with self.node.connect() as node:
            yield node


DEFAULT_REPLAY: Final = ReplayOptions()
"""By the usual rules and limits, without a node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplorerOptions:
    """A block explorer to collect from, whose API speaks Etherscan's dialect: what it lists is executed again."""

    noun: ClassVar[str] = "explorer"
    from_creation: ClassVar[bool] = True

    url: str = field(repr=False)
    """The URL of its API."""
    key: str | None = field(default=None, repr=False)
    key_env: str | None = field(default=None, repr=False)
    """The environment variable that holds the key, in place of ``key``; somebody may give the key itself by mistake."""
    replay: ReplayOptions = DEFAULT_REPLAY

    def explorer(self, chain_id: int | None) -> ExplorerClient:
        """Return the explorer; its key is never quoted.

        Raises:
            UsageError: the URL, the key or the chain is missing or malformed.

        """
        from specminer.sources.explorer import ExplorerClient, chain_of_url, explorer_endpoint

        endpoint = explorer_endpoint(self.url, key := self._key())
        own = chain_of_url(self.url)
        if own is None and chain_id is None:
            raise UsageError(
                "an explorer's API does not say which chain it means; give --chain-id (1 is Ethereum's main chain)"
            )
        if own is not None and chain_id not in (None, own):
            raise UsageError(f"the explorer's URL asks for chain {own}, but --chain-id says {chain_id}")
        return ExplorerClient(endpoint, own or chain_id or 0, key=key)

    def with_key(self) -> ExplorerOptions:
        """Return the same with the key itself in place of the variable that holds it, which other processes lack.

        Raises:
            UsageError: the variable is not set.

        """
        return replace(self, key=self._key(), key_env=None)

    def _key(self) -> str | None:
        if self.key_env is None:
            return self.key
        key = os.environ.get(self.key_env, "").strip()
        if not key:  # the name is not quoted: it may be the key, given by mistake
            raise UsageError(
                "the environment variable named by --explorer-key-env is not set; give the name of a variable that "
                "holds the key, not the key itself"
            )
        return key

    @contextmanager
    def open(self, chain_id: int | None) -> Iterator[OpenExplorer]:
        """Open the explorer, and the node that is asked for other contracts.

        Raises:
            UsageError: the URL, the key or the chain is missing or malformed.

        """
        with ExitStack() as stack:
            explorer = stack.enter_context(self.explorer(chain_id))
            node = stack.enter_context(self.replay.open_node())
            yield OpenExplorer(explorer=explorer, node=node, replay=self.replay)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenExplorer:
    """An explorer that answers."""

    explorer: ExplorerClient
    node: Node | None
    replay: ReplayOptions

    def update(
        self, store: TraceStore, request: UpdateRequest, observer: Observer = SILENT
    ) -> ExplorerUpdate:
        """Read what the explorer lists, up to the last block asked for, and execute it; see :class:`OpenSource`."""
        from specminer.pipeline.explorer_update import collect_explored

        explored, imported = collect_explored(
            store,
            self.explorer,
            request.contract,
            self.replay.rulebook(self.explorer.chain_id),
            artifact=request.artifact,
            node=self.node,
            codes=self.replay.codes(request.contract),
            last=request.blocks.last,
            observer=observer,
        )
        return ExplorerUpdate(
            contract=request.contract,
            chain_id=self.explorer.chain_id,
            explored=explored,
            imported=imported,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplorerUpdate:
    """What a collection from an explorer did."""

    contract: Address
    chain_id: int
    explored: ExplorerRecords
    imported: ImportResult

    @property
    def added(self) -> int:
        """How many records are new."""
        return self.explored.read

    def note(self, database: str, *, with_address: bool) -> str:
        """Return what was done as a sentence."""
        new = f"{self.added:,} new records" if self.added else "nothing new"
        again = f"{self.imported.executed:,} were executed again by {self.imported.rules}"
        return f"{new}{of_contract(self.contract, with_address)} from the explorer; {again}; they are in {database}"

    def summary(self, store: TraceStore) -> str:
        """Return what was done in lines for a terminal."""
        until = "" if self.explored.last is None else f" up to block {self.explored.last:,}"
        total = len(self.explored.transactions) + len(self.explored.calls)
        read = f"read {self.added:,} new records from the explorer{until}; it lists {total:,} in all"
        return f"{read}\n{self.imported.summary(self.chain_id, store.label)}"
