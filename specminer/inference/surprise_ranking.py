"""What stands out, ranked, each with a sentence that says why.

Texts are raw: whoever shows them escapes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from specminer.history.contract_history import History, IntColumn
from specminer.inference.alarm import check_alarms, threshold
from specminer.inference.leave_one_out import FloatColumn
from specminer.inference.surprise_measures import MeasuredBits, SurpriseKind
from specminer.interaction import Interactions
from specminer.learning.tuning_result import Tuning
from specminer.specification import (
    DEFAULT_LISTED,
    MAX_LISTED,
    Surprise,
    SurpriseUnit,
    SurprisingEvent,
    SurprisingInteraction,
)

MAX_REASONS: Final = 5
"""Events told of an interaction at most."""
LEAST_TOLD: Final = 2.0
"""Events of fewer bits than this above what is usual explain nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Tells what was measured."""

    history: History
    interactions: Interactions
    tuning: Tuning
    measured_bits: MeasuredBits
    _names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_names", tuple(state.name for state in self.tuning.states))

    def surprise(self, requested: int = DEFAULT_LISTED) -> Surprise:
        """Return what stands out as the specification has it; of interactions and of events the ``requested`` first.

        What has no more bits than usual is not listed. Interactions are what may be alarming, or events where there
        are too few interactions to leave one out.
        """
        measured = self.measured_bits
        scores = measured.excess if measured.whole else measured.score
        unit = measured.units.transaction if measured.whole else None
        limit = threshold(scores, unit)
        count = min(requested, MAX_LISTED)
        return Surprise(
            unit=SurpriseUnit.EVENT if measured.whole else SurpriseUnit.INTERACTION,
            threshold=round(limit, 3),
            flagged=int((scores > limit).sum()),
            of=len(scores),
            held_out=check_alarms(scores, unit),
            interactions=() if measured.whole else tuple(self._interactions(count, limit)),
            events=tuple(self._events(count, limit if measured.whole else None)),
        )

    def _interactions(self, count: int, limit: float) -> Iterator[SurprisingInteraction]:
        measured, table = self.measured_bits, self.tuning.table
        starts = np.append(table.starts, len(table))
        for row in _first(measured.score, count).tolist():
            events = np.arange(starts[row], starts[row + 1])
            top_events = events[_first(measured.excess[events], MAX_REASONS)]
            top_events = top_events[measured.excess[top_events] >= LEAST_TOLD].tolist()
            name = self.interactions.names[int(table.interaction[starts[row]])]
            yield SurprisingInteraction(
                interaction=name,
                score=round(float(measured.score[row]), 3),
                bits=round(float(measured.bits[row]), 3),
                usual=round(float(measured.usual_score[row]), 3),
                length=int(measured.length[row]),
                flagged=bool(measured.score[row] > limit),
                events=tuple(self._event(event) for event in top_events),
                text=self._interaction_sentence(row, name, top_events),
            )

    def _interaction_sentence(self, row: int, name: str, top_events: list[int]) -> str:
        """Return the sentence about an interaction: its most surprising event, and how often the like happened."""
        measured = self.measured_bits
        if not top_events:
            return f"{name} stopped where interactions usually go on ({measured.stop[row]:.1f} bits)."
        table, before = self.tuning.table, self.tuning.state_before
        like = (table.symbol == table.symbol[top_events[0]]) & (before == before[top_events[0]])
        like &= (table.interaction == table.interaction[top_events[0]]) & (measured.excess >= LEAST_TOLD)
        times = int(like.sum())
        again = f" {times} times" if times > 1 else ""
        return f"{name}: {self._sentence(top_events[0], again)}"

    def _events(self, count: int, limit: float | None) -> Iterator[SurprisingEvent]:
        measured = self.measured_bits
        for event in _first(measured.excess, count).tolist():
            yield replace(
                self._event(event),
                interaction=self.interactions.names[int(self.tuning.table.interaction[event])],
                text=self._sentence(event, ""),
                flagged=None if limit is None else bool(measured.excess[event] > limit),
            )

    def _event(self, event: int) -> SurprisingEvent:
        history, measured = self.history, self.measured_bits
        transaction = int(measured.units.transaction[event])
        return SurprisingEvent(
            event=self.tuning.table.symbols[int(self.tuning.table.symbol[event])],
            state=int(self.tuning.state_before[event]),
            target=int(self.tuning.state_after[event]),
            transaction=self._hash(event),
            block=int(history.transaction_block[transaction]),
            bits=round(float(measured.event[event]), 3),
            excess=round(float(measured.excess[event]), 3),
            evidence={
                kind.value: round(float(column[event]), 3)
                for kind, column in measured.evidence.items()
                if column[event] > 0
            },
        )

    def _hash(self, event: int) -> str:
        return f"0x{self.history.transaction_hash[int(self.measured_bits.units.transaction[event])].hex()}"

    def _sentence(self, event: int, again: str) -> str:
        """Return one sentence about an event; ``again`` says how often the like happened here."""
        table = self.tuning.table
        label = table.symbols[int(table.symbol[event])]
        state = self._names[int(self.tuning.state_before[event])]
        reasons = [self._reason(kind, event) for kind in self._order_kinds(event)]
        bits = f"{self.measured_bits.event[event]:.1f} bits"
        return (
            f"{label} was accepted{again} in state '{state}': {'; '.join(reasons)} "
            f"(transaction {self._hash(event)}, {bits})."
        )

    def _order_kinds(self, event: int) -> list[SurpriseKind]:
        """Return what speaks against an event, the strongest first; the bare transition only if nothing else."""
        bits = {kind: float(column[event]) for kind, column in self.measured_bits.evidence.items()}
        others = [kind for kind in bits if kind is not SurpriseKind.TRANSITION and bits[kind] > 0]
        return sorted(others, key=lambda kind: -bits[kind]) or [SurpriseKind.TRANSITION]

    def path_reason(self, event: int) -> str:
        """Say of an event what speaks against its place and its transition."""
        evidence = self.measured_bits.evidence
        strange = evidence[SurpriseKind.PLACE][event] > 0
        table = self.tuning.table
        state = self._names[int(self.tuning.state_before[event])]
        reason = self._reason(SurpriseKind.PLACE if strange else SurpriseKind.TRANSITION, event)
        return f"{table.symbols[int(table.symbol[event])]} was accepted in state '{state}': {reason}"

    def _reason(self, kind: SurpriseKind, event: int) -> str:
        table, units = self.tuning.table, self.measured_bits.units
        if kind in (SurpriseKind.BROKEN, SurpriseKind.BEFORE):
            broken = self.measured_bits.broken_claims[int(self.measured_bits.worst_claims[kind][event])]
            return f"it broke what held in {broken.held_count:,} other cases, {broken.text}"
        if kind is SurpriseKind.PLACE:
            return self._elsewhere(event)
        if kind is SurpriseKind.NESTED:
            calls = self._others(table.symbol, event)
            return f"it was made while another call of the contract was running, unlike its {calls:,} other calls"
        before = self.tuning.state_before
        like = (before == before[event]) & (table.symbol == table.symbol[event])
        like &= self.tuning.state_after == self.tuning.state_after[event]
        matches = int((like & (units.unit != units.unit[event])).sum())
        events = self._others(before, event)
        how = "none" if not matches else f"only {matches:,}"
        return f"{how} of the {events:,} other events in this state did the same"

    def _elsewhere(self, event: int) -> str:
        """Say where a function is called otherwise."""
        table, before = self.tuning.table, self.tuning.state_before
        apart = self.measured_bits.units.unit != self.measured_bits.units.unit[event]
        calls = np.flatnonzero(apart & (table.symbol == table.symbol[event]))
        calls_by_state = np.bincount(before[calls], minlength=len(self._names))
        here = int(calls_by_state[int(before[event])])
        usual = int(np.argmax(calls_by_state))
        share = "all" if calls_by_state[usual] == len(calls) else f"{calls_by_state[usual]:,}"
        rarely = f"only {here:,} were made here" if here else "none was made here"
        most = f"{share} in state '{self._names[usual]}'"
        return f"of its {len(calls):,} other calls {rarely}, {most}"

    def _others(self, column: IntColumn, event: int) -> int:
        """Return how many events of other units have the same value in a column."""
        unit = self.measured_bits.units.unit
        return int(((column == column[event]) & (unit != unit[event])).sum())


def _first(scores: FloatColumn, count: int) -> IntColumn:
    """Return the rows of the highest scores above zero, the highest first, equal ones in their order."""
    order = np.argsort(-scores, kind="stable")[: max(count, 0)]
    return order[scores[order] > 0]
