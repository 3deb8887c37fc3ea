"""The report as a document: what the page, the Markdown and the JSON are three renderings of.

Its first part is the specification, as ``automaton.json`` has it; the second, what only the history tells: how
interactions went, arguments, reasons, values. Texts in it are raw: whoever shows them escapes them. Long lists hold a
sample, and say of how many.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from specminer.explanation import ActorTable, Explanation
from specminer.specification import Occurrence, Specification, document_of
from specminer.specification.absence import absent

FORMAT = "specminer/report"
VERSION = 1

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class CutList(Generic[Item]):
    """A list that may have been cut."""

    items: tuple[Item, ...]
    total: int
    """How many there are; more than ``items`` if the rest was left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One call that took a transition."""

    transaction: str
    block: int
    sender: str
    value: str
    """Wei, decimal."""
    arguments: dict[str, str]
    reason: str
    """Why it was rejected; empty if it was not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ElapsedTime:
    """Seconds since the event before in the same interaction."""

    known: int
    """For how many events."""
    least: int
    median: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitionUse:
    """How a transition was taken."""

    examples: tuple[Example, ...]
    """At most three: the first call, one in the middle, the last."""
    elapsed: ElapsedTime | None
    value: str
    """Wei that came with these calls in all, decimal; of rejected ones none stayed."""
    paid: str | None
    """Wei that these calls paid out in all, decimal; ``None`` if that is not known of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A way through the automaton: accepted events, of equal transitions in a row one."""

    steps: tuple[int, ...]
    """Transitions (their places in the specification); cut after a bearable number."""
    count: int
    """Interactions that went so."""
    least: int
    """Events of the shortest of them, rejected and repeated ones included."""
    most: int
    example: str
    """The first of them."""
    cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedRejections:
    """Calls of one function that were rejected for one reason."""

    function: str
    reason: str
    """The reason's text, an error's name, or a kind of halt; empty if none was given."""
    example: str
    """What the first of them was told, with the values of an error; empty if that is no more than the reason."""
    count: int
    senders: int
    first: Occurrence
    last: Occurrence


@dataclass(frozen=True, slots=True, kw_only=True)
class Reentry:
    """Calls that came back into the contract while one of its calls was still running."""

    function: str
    inside: str
    """The function that was still running."""
    count: int
    accepted: int
    most: int
    """Within one transaction, at most."""
    first: Occurrence
    last: Occurrence


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls a function with success."""

    function: str
    accepted: int
    senders: int
    address: str | None
    """The only one; ``None`` if there are several."""
    refused: int
    """Rejected calls of others."""
    first: Occurrence
    """Of the accepted calls."""
    refusal: Occurrence | None
    """The first rejected call of another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Ether that came in with the calls of one function."""

    function: str
    calls: int
    """Accepted calls that carried value."""
    value: str
    """Wei, decimal, as is ``largest``."""
    largest: str
    transaction: str
    """Of the largest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payout:
    """Ether that calls of one function paid out for good; what calls within them paid is counted there."""

    function: str
    calls: int
    """Accepted calls that paid."""
    payments: int
    value: str
    """Wei, decimal, as is ``largest``."""
    to_sender: str
    """How much of it went to who called."""
    largest: str
    """By one call."""
    transaction: str
    """Of the largest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidAccount:
    """An account that was paid."""

    address: str
    payments: int
    transactions: int
    """In which they came: many payments in one may be an attack."""
    value: str
    """Wei, decimal."""
    functions: tuple[str, ...]
    """Whose calls paid it."""
    created: bool
    """Whether it is a contract that was created with ether."""
    first: Occurrence
    last: Occurrence


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpaid:
    """Payments that failed in calls of one function that were accepted all the same."""

    function: str
    payments: int
    value: str
    """Wei, decimal."""
    receivers: int
    first: Occurrence
    last: Occurrence


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancePoint:
    """What the contracts held after a transaction, by what came and went since the history began."""

    block: int
    timestamp: int | None
    value: str
    """Wei, decimal; less than nothing if ether came in unseen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """Ether that left the contracts."""

    calls: int
    """Accepted calls."""
    unknown: int
    """Those of them whose payments were not recorded, or not how much they were."""
    payouts: tuple[Payout, ...]
    """The most first."""
    created: str
    """Wei of it that contracts were created with, decimal."""
    destroyed: str
    """Wei of it that contracts paid when they destroyed themselves, decimal."""
    receivers: CutList[PaidAccount]
    unpaid: CutList[Unpaid]
    held: tuple[BalancePoint, ...]
    """In chain order, a sample with the highest and the lowest; empty if nothing moved, or not all is known."""
    whole: bool
    """Whether the history begins with the creation of every contract."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEvidence:
    """What only the history tells."""

    transitions: tuple[TransitionUse, ...]
    """One for each of the specification, in its order."""
    variants: CutList[Variant]
    """The most frequent first."""
    timelines: CutList[dict[str, Any]]
    """Lives of some interactions, as ``specminer interactions --entity`` tells them, each event with its
    ``transition``; ``length`` is the number of events, of which the first are told."""
    rejections: CutList[ReportedRejections]
    reentries: CutList[Reentry]
    races: CutList[dict[str, Any]]
    """As ``specminer interactions --races`` lists them."""
    callers: tuple[Caller, ...]
    flows: tuple[Flow, ...]
    """What came in, the most first."""
    money: Money
    """What went out."""
    unseen: tuple[str, ...]
    """Functions of the interface that change state and were never called."""
    unnamed: CutList[str]
    """Variables that have no name of their own."""
    split: dict[str, Any]
    """Sorts of entities with their scores, and the variables that no interaction holds (``environment``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that is reported of one specification."""

    specification: Specification
    evidence: HistoryEvidence | None
    """``None`` if the history was not at hand."""
    actors: ActorTable | None = absent()
    """Who acted, and which tokens moved; left out if the history was not at hand."""
    explanations: tuple[Explanation, ...] | None = absent()
    """The transactions that stand out most, explained; left out if what was recorded of them was not at hand."""

    def to_json(self) -> bytes:
        """Return the document as UTF-8 JSON, indented, ending in a newline; same value, same bytes."""
        document: dict[str, Any] = {"format": FORMAT, "version": VERSION}
        document |= document_of(self)
        return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"
