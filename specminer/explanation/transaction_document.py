"""What is told of one transaction, as values that become JSON, a page, Markdown or text.

Texts are raw, as they stand in calldata, ABIs and logs: whoever shows them escapes them. Amounts are decimal texts.
``None`` means not known, never nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

import msgspec

from specminer.specification import SurprisingTransaction, document_of

FORMAT: Final = "specminer/explanation"
VERSION: Final = 1


class CallStep(Enum):
    """What a line of the call tree is."""

    TRANSACTION = "transaction"
    """The transaction's own call, of a contract that was not traced."""
    INVOCATION = "invocation"
    """A call of a traced contract: what happened in it is known."""
    OUTSIDE = "outside"
    """A call that a traced contract makes of another one; only its data and its answer are known."""
    CREATION = "creation"
    """A contract that a traced contract creates."""
    UNSEEN = "unseen"
    """Calls between other contracts, which were not recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedValue:
    """An argument, a result, or a field of a log entry."""

    name: str
    value: str
    """Exact."""
    shown: str = ""
    """The same with its unit, ``0.5 ETH``, where the code shows what it measures; empty elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeCall:
    """A line of the call tree."""

    level: int
    """How many calls are around it."""
    step: CallStep
    caller: str
    callee: str
    function: str
    """Its name; a selector where that is not known; empty where nothing is."""
    arguments: tuple[NamedValue, ...] = ()
    data: str | None = None
    """The calldata as far as it was recorded, hexadecimal, where it could not be decoded; cut."""
    value: str = "0"
    """Wei that came with it."""
    outcome: str | None = None
    """``returned``, ``reverted`` and so on; ``None`` if it is not known."""
    reason: str = ""
    """Why it was rejected."""
    answer: tuple[NamedValue, ...] = ()
    output: str | None = None
    """The answer as far as it was recorded, hexadecimal, where it could not be decoded; cut."""
    unusual: tuple[str, ...] = ()
    """Which evidence against the transaction names this call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageChange:
    """A value that the transaction left different from what it found."""

    contract: str
    location: str
    before: str | None
    after: str | None
    before_shown: str = ""
    """What stood there before with its unit, where the code shows what it measures; empty elsewhere."""
    after_shown: str = ""
    """The same of what stands there now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmittedLog:
    """A log entry that lasted."""

    log: int | None
    """Position among the transaction's log entries; ``None`` if it is not known."""
    contract: str
    event: str
    """Its name; the first topic where that is not known; empty without one."""
    fields: tuple[NamedValue, ...]
    data: str | None = None
    """Topics and data, hexadecimal, where they could not be decoded; cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """Ether or a token that moved."""

    asset: str
    """``ETH``, or the token's contract."""
    standard: str | None
    """``ERC-20`` and so on; ``None`` for ether."""
    sender: str
    recipient: str
    amount: str | None
    """In the smallest unit; of an unstated kind of token perhaps an identifier."""
    identifier: str | None = None
    log: int | None = None
    """Of the log entry that tells of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """What one address had more of one asset after the transaction than before, as far as its flows tell."""

    address: str
    asset: str
    received: str
    sent: str
    net: str
    """Negative for a loss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """An address that took part in the transaction, with what the history knows of it."""

    address: str
    name: str | None
    kind: str
    """``traced contract``, ``contract``, ``account``, or ``unknown``."""
    parts: tuple[str, ...]
    """What it did here: sent the transaction, called, was paid."""
    first: str | None
    """The first transaction of the history in which it took part; ``None`` if that is not known."""
    first_block: int | None
    transactions_before: int
    """Of the history, in which it sent or called before this one."""
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeStep:
    """An event of an interaction."""

    transaction: str
    """Hash of its transaction."""
    block: int
    timestamp: int | None
    event: str
    sender: str
    outcome: str
    here: bool
    """Whether it is of the explained transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeAround:
    """What came before and after in an interaction that the transaction took part in."""

    interaction: str
    events: int
    """In its whole life."""
    earlier: int
    """Events before those listed."""
    steps: tuple[LifeStep, ...]
    later: int
    """Events after those listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFacts:
    """What is known of a token."""

    address: str
    symbol: str | None
    decimals: int | None
    source: str | None
    """Where that comes from; ``None`` if neither is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionFacts:
    """The transaction itself."""

    hash: str
    block: int
    index: int
    timestamp: int | None
    sender: str
    to: str | None
    """``None`` for a creation."""
    value: str
    gas_used: int
    succeeded: bool
    tracer: str
    blind_spots: str
    """What the tracer cannot see; empty if nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Everything that is told of one transaction."""

    name: str
    """Of the traced contract."""
    chain_id: int
    """The number of the chain."""
    contracts: tuple[str, ...]
    """The traced contracts that took part."""
    transaction: TransactionFacts
    """What is told of the transaction."""
    summary: tuple[str, ...]
    """What happened and who gained, in sentences."""
    rank: int | None
    """Place among the judged transactions by what speaks against them, from 1; ``None`` if nothing does."""
    of: int | None
    """How many were judged; ``None`` if none were."""
    threshold: float | None
    """The score above which one is an alarm, in bits."""
    unusual: SurprisingTransaction | None
    """``None`` if it was not judged."""
    names: dict[str, str]
    """Names of addresses."""
    calls: tuple[TreeCall, ...]
    """What the traced contracts were called for, in order."""
    calls_total: int
    """How many there are; more than are listed if the rest was cut."""
    calls_known: bool
    """Whether calls of other contracts were recorded."""
    storage: tuple[StorageChange, ...]
    """What changed in storage, before and after."""
    logs: tuple[EmittedLog, ...]
    """The log entries that lasted, in order."""
    logs_total: int
    """How many log entries there are; the list may be cut."""
    logs_known: bool
    """Whether log entries of other contracts were recorded."""
    movements: tuple[Movement, ...]
    """The flows of ether and tokens, in order."""
    movements_total: int
    """How many flows there are; the list may be cut."""
    ether_known: bool
    """Whether what the traced contracts paid was recorded."""
    gains: tuple[Gain, ...]
    """The largest first, ether before tokens."""
    tokens: tuple[TokenFacts, ...]
    """The tokens that moved."""
    participants: tuple[Participant, ...]
    """Who took part, with what each gained and lost."""
    lives: tuple[LifeAround, ...]
    """The lives of the interactions that it is part of."""
    lives_total: int
    """How many such interactions there are; the list may be cut."""
    notes: tuple[str, ...] = field(default=())
    """What was cut or is not known, as sentences."""

    def to_json(self) -> bytes:
        """Return the document as UTF-8 JSON, indented, ending in a newline; same value, same bytes."""
        document: dict[str, Any] = {"format": FORMAT, "version": VERSION}
        document |= document_of(self)
        return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"
