"""A history with what its calls and its storage mean, in one value that every later stage takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Self

import numpy as np

from specminer._support.scratch import in_file
from specminer.contracts.artifact import Artifact
from specminer.contracts.interface import Interface
from specminer.decoding.accesses import AccessSummary, summarize_accesses
from specminer.decoding.artifacts import label
from specminer.decoding.calldata import Calls, decode_calls
from specminer.decoding.location_columns import RESOLUTIONS, Locations, NameSource, Resolution
from specminer.decoding.own_answers import OwnAnswers, own_answers
from specminer.history.contract_history import CONSTRUCTOR, MISSING, OUTCOMES, BoolColumn, History, RowColumn
from specminer.history.lives import calls_in_vain
from specminer.history.trace import OutcomeKind
from specminer.history.words import LimbArray, integer_limbs
from specminer.specification import LocationCoverage

ROLLED_BACK: Final = OUTCOMES.index(OutcomeKind.ROLLED_BACK)
PROTOCOL: Final = tuple(
    OUTCOMES.index(kind) for kind in (OutcomeKind.REVERTED, OutcomeKind.PANIC, OutcomeKind.INVALID_OPCODE)
)
"""Rejections by the contract's code; running out of gas and the like prove nothing about it."""
_NAME_SOURCES: Final = {
    NameSource.LAYOUT: "the storage layout",
    NameSource.STANDARD: "a standard's fixed slots",
    NameSource.GETTER: "the ABI's getters",
    NameSource.NUMBER: "their slots alone",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageCoverage:
    """How many of the accesses to storage are understood."""

    resolved_share: float
    """Share of the accesses whose variable and keys are known; 1 if there are none."""
    named_share: float
    """Share of the accesses whose variable has a real name."""
    sources: Mapping[NameSource, float]
    """Share of the accesses by where the variable's name comes from; those that occur."""

    @property
    def text(self) -> str:
        """Return the shares in a sentence, without its full stop."""
        if not self.sources:
            return "Nothing is in storage"
        phrases = [f"{_percent(share)} by {_NAME_SOURCES[naming]}" for naming, share in self.sources.items()]
        sentence = (
            f"{_percent(self.resolved_share)} of the accesses to storage are resolved to variable and keys"
        )
        return f"{sentence}; variables are named {', '.join(phrases)}"

    def round_shares(self) -> LocationCoverage:
        """Return the shares as they stand in the specification."""
        return LocationCoverage(
            resolved=round(self.resolved_share, 6),
            named=round(self.named_share, 6),
            sources={naming.value: round(share, 6) for naming, share in self.sources.items()},
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class HistoryContext:
    """A history of ``n`` invocations with what is known of its calls and its storage.

    Columns that are derived are computed when they are first asked for, and once.
    """

    history: History
    interface: Interface
    """Names the functions, their arguments, and errors."""
    locations: Locations
    """What each of ``s`` slots means."""
    accesses: AccessSummary
    """What each invocation read from each slot and left there."""
    calls: Calls
    """Which function each invocation called."""
    artifact: Artifact | None = None
    """The one given or stored; ``None`` too if it is another contract's."""
    known_share: float = 1.0
    """Share of the calls whose selectors the artifact given knows; 1 without one."""
    layout_used: bool = False
    """Whether a storage layout was at hand, and fit."""
    notes: tuple[str, ...] = ()
    """What speaks against the artifacts, as sentences without full stops."""
    window: BoolColumn | None = None
    """Which invocations are events, of those that can be; shape (n,). ``None`` for all."""

    def within(self, window: BoolColumn) -> Self:
        """Return the same history with events in a part of it only; what storage held is known from all of it."""
        return replace(self, window=window)

    def of_rejecting_readers(self) -> Self | None:
        """Return the same history whose events are the calls of the read-only functions that rejected some call.

        ``None`` if none did. Calls of read-only functions are no events otherwise.
        """
        calls, outcome = self.calls, self.history.invocation_outcome
        rejected = calls.read_only & ~self.is_in_vain & np.isin(outcome, PROTOCOL)
        rejected &= True if self.window is None else self.window
        if not rejected.any():
            return None
        by_rejecting_readers = calls.read_only & np.isin(calls.function, np.unique(calls.function[rejected]))
        return replace(self, calls=replace(calls, read_only=~by_rejecting_readers))

    @classmethod
    def of(cls, history: History, interface: Interface, locations: Locations) -> Self:
        """Summarise the accesses and decode the calls of a history whose locations are at hand."""
        return cls(
            history=history,
            interface=interface,
            locations=locations,
            accesses=summarize_accesses(history),
            calls=decode_calls(history, interface),
        )

    @property
    def title(self) -> str:
        """The contract's name where it is known, else what it calls itself, else its shortened address."""
        return self.known_title or label(self.history)

    @property
    def known_title(self) -> str | None:
        """The contract's name, or what it calls itself; ``None`` if neither is known."""
        return (self.artifact.name if self.artifact else None) or self.own_answers.title

    @cached_property
    def own_answers(self) -> OwnAnswers:
        """What the contracts call themselves."""
        return own_answers(self.history)

    @cached_property
    def is_event(self) -> BoolColumn:
        """Invocations that count; shape (n,).

        No calls of read-only functions, none rolled back by its caller, and none of a contract that was gone.
        """
        lasting: BoolColumn = self.history.invocation_outcome != ROLLED_BACK
        events: BoolColumn = ~self.calls.read_only & lasting & ~self.is_in_vain
        return events if self.window is None else events & self.window

    @cached_property
    def is_in_vain(self) -> BoolColumn:
        """Calls of a contract that had destroyed itself in an earlier transaction: no code ran; shape (n,)."""
        return calls_in_vain(self.history)

    @cached_property
    def is_constructor(self) -> BoolColumn:
        """Invocations that created a contract; shape (n,)."""
        return np.equal(self.history.invocation_kind, CONSTRUCTOR)

    @cached_property
    def is_call(self) -> BoolColumn:
        """Events that are no constructor; shape (n,)."""
        return self.is_event & ~self.is_constructor

    @cached_property
    def is_accepted(self) -> BoolColumn:
        """Calls whose effects lasted; shape (n,)."""
        return self.is_call & self.history.accepted

    @cached_property
    def is_rejected(self) -> BoolColumn:
        """Calls that the contract's own code rejected; shape (n,)."""
        return self.is_call & np.isin(self.history.invocation_outcome, PROTOCOL)

    @cached_property
    def has_creations(self) -> bool:
        """Whether the history holds the creation of all its contracts, so that all storage began at zero."""
        created = self.history.invocation_contract[self.is_constructor & self.history.accepted]
        return len(np.unique(created)) == len(self.history.contracts)

    @cached_property
    def word_limbs(self) -> LimbArray:
        """``History.words`` as limbs; shape (words, 4)."""
        return in_file(integer_limbs(self.history.words))

    @cached_property
    def lasting_accesses(self) -> RowColumn:
        """Rows of ``accesses`` of accepted invocations whose values are known, by variable, then in their order."""
        accesses = self.accesses
        has_values = (accesses.value_before != MISSING) & (accesses.value_after != MISSING)
        accepted = self.history.accepted if self.window is None else self.history.accepted & self.window
        rows = np.flatnonzero(accepted[accesses.invocation] & has_values).astype(np.int32)
        return in_file(rows[np.argsort(self.locations.variable[accesses.slot[rows]], kind="stable")])

    @cached_property
    def coverage(self) -> StorageCoverage:
        """How many of the accesses to storage are understood."""
        locations = self.locations
        count = np.bincount(self.accesses.slot[self.accesses.touch], minlength=len(locations.variable))
        total = max(1, int(count.sum()))
        is_unresolved = locations.resolution == RESOLUTIONS.index(Resolution.UNRESOLVED)
        by_variable = np.bincount(locations.variable, weights=count, minlength=len(locations.variables))
        by_naming: Counter[NameSource] = Counter()
        for variable, weight in zip(locations.variables, by_variable.tolist(), strict=True):
            by_naming[variable.naming] += int(weight)
        return StorageCoverage(
            resolved_share=1.0 - float(count[is_unresolved].sum()) / total,
            named_share=1.0 - by_naming[NameSource.NUMBER] / total,
            sources={naming: by_naming[naming] / total for naming in NameSource if by_naming[naming]},
        )


def _percent(share: float) -> str:
    """Return a share so that only all is 100% and only nothing is 0%."""
    tenths = min(max(round(share * 1000), 1), 999) if 0 < share < 1 else round(share * 1000)
    return f"{tenths / 10:g}%"
