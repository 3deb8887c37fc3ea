"""A transaction explained, and who acted in a history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from os import PathLike
from typing import TYPE_CHECKING

from specminer._support.errors import InvalidNodeResponse, NodeRefused, UsageError
from specminer.explanation import ActorTable, Explanation
from specminer.history.trace import Address
from specminer.pipeline.explaining import Explainer, Question, find_transaction
from specminer.pipeline.inputs import parse_address
from specminer.pipeline.miner import inspect, mine, selection_of
from specminer.pipeline.node_source import NodeOptions
from specminer.pipeline.progress import SILENT, Observer
from specminer.pipeline.reporting import explainer_of, labels_of
from specminer.pipeline.selecting import Selection
from specminer.pipeline.state import MineOptions

if TYPE_CHECKING:  # loads the libraries that ask
    from specminer.sources.node import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainOptions:
    """What an explanation rests on."""

    fast: bool = False
    """Split the history only, and mine nothing: no comparison with other transactions, no roles."""
    mining: MineOptions = field(default_factory=MineOptions)
    """How to split and tune."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Names of addresses, by address; they stand in place of recorded symbols of tokens."""
    node: NodeOptions | None = None
    """A node that is asked for symbols and decimals of tokens that the history does not tell."""


def explain(
    source: str | PathLike[str] | Selection,
    transaction: str,
    *addresses: str,
    options: ExplainOptions | None = None,
    observer: Observer = SILENT,
) -> Explanation:
    """Explain one transaction of a history: what it did, moved and changed, what is unusual, who took part.

    Args:
        source: as in :func:`mine`.
        transaction: its hash, or as many of its first digits as are unique.
        addresses: contracts in the database, all of one code if there are several.
        options: what it rests on; ``None`` for the defaults.
        observer: sees notes and progress.

    Raises:
        UsageError: the hash is none or not unique, or as :func:`mine`.
        StoreError: the history does not hold the transaction, or as :func:`mine`.
        FileFormatError: as :func:`mine`.

    """
    selection = selection_of(source, addresses, None, observer)
    find_transaction(selection.history, transaction)  # before the long work
    with ExitStack() as stack:
        return _explainer(selection, options or ExplainOptions(), observer, stack).explain(transaction)


def actors(
    source: str | PathLike[str] | Selection,
    *addresses: str,
    options: ExplainOptions | None = None,
    limit: int | None = None,
    observer: Observer = SILENT,
) -> ActorTable:
    """Return who acted in a history, what each put in and took out, and all token flows, summed by token.

    Args:
        source: as in :func:`mine`.
        addresses: contracts in the database, all of one code if there are several.
        options: what it rests on; ``None`` for the defaults.
        limit: actors that are listed at most; ``None`` for all.
        observer: sees notes and progress.

    Raises:
        UsageError: as :func:`mine`.
        StoreError: as :func:`mine`.
        FileFormatError: as :func:`mine`.

    """
    selection = selection_of(source, addresses, None, observer)
    with ExitStack() as stack:
        return _explainer(selection, options or ExplainOptions(), observer, stack).actors(limit)


def _explainer(
    selection: Selection, options: ExplainOptions, observer: Observer, stack: ExitStack
) -> Explainer:
    labels = {parse_address(address): name for address, name in options.labels.items()}
    if selection.recording is None:
        raise UsageError("the selection does not say where its transactions are; make it with select")
    ask = None
    if options.node is not None:
        node = stack.enter_context(options.node.connect())
        ask = _asker(node, selection.recording.chain_id)
    if options.fast:
        split = inspect(selection, interactions=options.mining.interactions)
        return Explainer(
            context=split.context,
            recording=selection.recording,
            interactions=split.interactions,
            labels=labels,
            ask=ask,
        )
    mined = mine(selection, options=options.mining, observer=observer)
    run = mined.details
    assert run is not None, "what was mined just now has its history"
    return explainer_of(run, mined.specification.roles, labels_of(mined.specification) | labels, ask)


def _asker(node: Node, chain_id: int) -> Question:
    """Return what asks a node's contracts as they are now.

    Raises:
        UsageError: the node is of another chain.

    """
    from specminer.sources.node import octets, quantity

    node_chain = quantity(node.call("eth_chainId"), "the chain's id")
    if node_chain != chain_id:
        raise UsageError(
            f"the node of --rpc is of chain {node_chain}, but the history is of chain {chain_id}"
        )

    def ask(questions: Sequence[tuple[Address, bytes]]) -> list[bytes | None]:
        calls = [
            ("eth_call", ({"to": f"0x{to.hex()}", "data": f"0x{data.hex()}"}, "latest"))
            for to, data in questions
        ]
        return [_bytes_of(answer) for answer in node.batch(calls)]

    def _bytes_of(answer: object) -> bytes | None:
        try:
            return None if isinstance(answer, NodeRefused) else octets(answer, "answer")
        except InvalidNodeResponse:
            return None  # a token's name is worth no failure

    return ask
