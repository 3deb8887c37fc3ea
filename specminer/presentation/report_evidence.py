"""From a split history and its automaton to the evidence of a report."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from specminer._support.addresses import checksum_address
from specminer._support.errors import plain
from specminer.contracts.interface import Interface
from specminer.contracts.value_text import value_text
from specminer.decoding.occurrences import occurrence_of
from specminer.history.contract_history import MISSING, OUTCOMES, History, IntColumn
from specminer.history.trace import Outcome, OutcomeKind
from specminer.interaction import Analysis, Interactions
from specminer.interaction.races import races
from specminer.presentation import interaction_documents
from specminer.presentation.money import flows, ledger, money
from specminer.presentation.report_document import (
    Caller,
    CutList,
    ElapsedTime,
    Example,
    HistoryEvidence,
    Item,
    Reentry,
    ReportedRejections,
    TransitionUse,
    Variant,
)
from specminer.specification import Occurrence

MAX_VARIANTS: Final = 100
MAX_STEPS: Final = 60
"""Steps of one variant."""
MAX_TIMELINES: Final = 40
MAX_EVENTS: Final = 60
"""Events of one timeline."""
MAX_ROWS: Final = 200
"""Rows of the other lists."""
MAX_REASON: Final = 300
"""Characters of a reason."""
_NUMBERED: Final = re.compile(r"(slot|mapping|array)(0x)?[0-9a-f]+(?![0-9A-Za-z_])")
"""How variables are called of which only the slot is known."""


def gather(
    analysis: Analysis,
    interactions: Interactions,
    interface: Interface,
    transition: IntColumn,
    notable: Iterable[str] = (),
) -> HistoryEvidence:
    """Return the evidence; ``transition`` is the index in the specification of each event's transition.

    ``notable`` names interactions whose lives are told in any case, the most important first.
    """
    reader = _EvidenceReader(analysis, interactions, interface, transition)
    variants = reader.variants()
    all_races = races(analysis.context, interactions)
    return HistoryEvidence(
        transitions=reader.transition_uses(),
        variants=variants,
        timelines=reader.timelines([*notable, *(item.example for item in variants.items)]),
        rejections=reader.rejections(),
        reentries=reader.reentries(),
        races=_cut(
            interaction_documents.race_list(analysis, interactions, all_races[:MAX_ROWS]), len(all_races)
        ),
        callers=reader.callers(),
        flows=flows(reader.book, reader.called.name, reader.transaction),
        money=money(reader.book, reader.called.name, reader.occurrence, MAX_ROWS),
        unseen=reader.unseen(),
        unnamed=reader.unnamed_variables(),
        split=interaction_documents.sorts_and_environment(analysis, interactions),
    )


def _cut(items: Sequence[Item], total: int | None = None, most: int = MAX_ROWS) -> CutList[Item]:
    return CutList(items=tuple(items[:most]), total=len(items) if total is None else total)


class _EvidenceReader:
    """Reads the parts from one history."""

    def __init__(
        self, analysis: Analysis, interactions: Interactions, interface: Interface, transition: IntColumn
    ) -> None:
        self.analysis, self.interactions, self.interface = analysis, interactions, interface
        self.transition = transition
        self.history: History = analysis.context.history
        self.called = analysis.context.calls
        self.book = ledger(self.history)
        self.bounds = np.searchsorted(interactions.slice, np.arange(len(interactions.names) + 1))

    def transition_uses(self) -> tuple[TransitionUse, ...]:
        """Return how each transition was taken."""
        history, interactions = self.history, self.interactions
        time = history.transaction_time[history.invocation_transaction[interactions.invocation]]
        elapsed = np.full(len(time), MISSING, dtype=np.int64)
        happened = np.flatnonzero(~interactions.clocked)
        later, earlier = happened[1:], happened[:-1]
        is_timed = interactions.slice[later] == interactions.slice[earlier]
        is_timed &= (time[later] != MISSING) & (time[earlier] != MISSING)
        elapsed[later[is_timed]] = time[later[is_timed]] - time[earlier[is_timed]]
        order = np.lexsort((interactions.invocation, self.transition))
        count = int(self.transition.max(initial=-1)) + 1
        starts = np.searchsorted(self.transition[order], np.arange(count + 1))
        return tuple(
            self._transition_use(order[starts[index] : starts[index + 1]], elapsed) for index in range(count)
        )

    def _transition_use(self, events: IntColumn, elapsed: IntColumn) -> TransitionUse:
        rows = self.interactions.invocation[events]
        example_indices = dict.fromkeys((0, len(rows) // 2, len(rows) - 1))
        seconds = np.sort(elapsed[events][elapsed[events] >= 0])
        between = None
        if len(seconds):
            least, median, most = (int(seconds[at]) for at in (0, (len(seconds) - 1) // 2, -1))
            between = ElapsedTime(known=len(seconds), least=least, median=median, most=most)
        clocked = self.interactions.deadline_of(int(events[0])) is not None
        own = rows[:0] if clocked else rows[~self.interactions.passive[events]]
        return TransitionUse(
            examples=tuple(self._example(int(rows[index]), clocked=clocked) for index in example_indices),
            elapsed=between,
            value=str(sum(map(self.book.received_wei, own.tolist()))),
            paid=str(sum(map(self.book.paid_wei, own.tolist())))
            if all(map(self.book.is_known, own.tolist()))
            else None,
        )

    def _example(self, row: int, *, clocked: bool) -> Example:
        """Return a case; where the clock brought it about, of the first call afterwards only where it stands."""
        if clocked:
            transaction, block = interaction_documents.transaction_of(self.history, row), self._block(row)
            return Example(
                transaction=transaction, block=block, sender="", value="0", arguments={}, reason=""
            )
        version = self.interface.of_code(self.history.addresses[int(self.history.invocation_code[row])])
        arguments = version.arguments(self.history.invocation_data[row])
        return Example(
            transaction=interaction_documents.transaction_of(self.history, row),
            block=self._block(row),
            sender=self._sender(row),
            value=str(self.book.received_wei(row)),
            arguments={name: value_text(value) for name, value in arguments.items()},
            reason=self._reason(row),
        )

    def variants(self) -> CutList[Variant]:
        """Return the ways interactions went, the most frequent first, the earliest of equals first."""
        is_effective = self.history.accepted[self.interactions.invocation] | self.interactions.clocked
        follows = np.zeros(len(is_effective), dtype=np.bool_)
        transitions, number = self.transition[is_effective], self.interactions.slice[is_effective]
        fresh = np.ones(len(transitions), dtype=np.bool_)
        fresh[1:] = (transitions[1:] != transitions[:-1]) | (number[1:] != number[:-1])
        follows[np.flatnonzero(is_effective)[fresh]] = True
        steps, owners = self.transition[follows], self.interactions.slice[follows]
        bounds = np.searchsorted(owners, np.arange(len(self.interactions.names) + 1))
        ways: dict[bytes, list[int]] = defaultdict(list)
        for row in range(len(self.interactions.names)):
            ways[steps[bounds[row] : bounds[row + 1]].tobytes()].append(row)
        ranked = sorted(ways.values(), key=lambda rows: (-len(rows), rows[0]))[:MAX_VARIANTS]
        return CutList(
            items=tuple(
                self._variant(rows, steps[bounds[rows[0]] : bounds[rows[0] + 1]].tolist()) for rows in ranked
            ),
            total=len(ways),
        )

    def _variant(self, rows: list[int], steps: list[int]) -> Variant:
        lengths = np.diff(self.bounds)[rows]
        return Variant(
            steps=tuple(steps[:MAX_STEPS]),
            count=len(rows),
            least=int(lengths.min()),
            most=int(lengths.max()),
            example=self.interactions.names[rows[0]],
            cut=len(steps) > MAX_STEPS,
        )

    def timelines(self, wished: Sequence[str]) -> CutList[dict[str, Any]]:
        """Return the lives of the interactions named, each once."""
        number_by_name = {name: number for number, name in enumerate(self.interactions.names)}
        numbers = [number_by_name[name] for name in dict.fromkeys(wished) if name in number_by_name][
            :MAX_TIMELINES
        ]
        return _cut([self._timeline(number) for number in numbers], len(number_by_name))

    def _timeline(self, number: int) -> dict[str, Any]:
        low, high = int(self.bounds[number]), int(self.bounds[number + 1])
        life = interaction_documents.timeline(
            self.analysis, self.interactions, self.interface, number, MAX_EVENTS, self.book
        )
        for event, transition in zip(life["events"], self.transition[low:high].tolist(), strict=False):
            event["transition"] = transition
            event["reason"] = event["reason"][:MAX_REASON]
            event["changes"] = event["changes"][:20]
        return life | {"length": high - low}

    def rejections(self) -> CutList[ReportedRejections]:
        """Return what was rejected, by function and reason, the most frequent first."""
        groups: dict[tuple[str, str], list[int]] = defaultdict(list)
        context = self.analysis.context
        for row in np.flatnonzero(context.is_event & ~self.history.accepted).tolist():
            groups[self.called.name(row), self._cause(row)].append(row)
        ranked = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
        return _cut(
            [
                ReportedRejections(
                    function=function,
                    reason=reason,
                    example=self._example_of(rows[0], reason),
                    count=len(rows),
                    senders=len(np.unique(self.history.invocation_sender[rows])),
                    first=self.occurrence(rows[0]),
                    last=self.occurrence(rows[-1]),
                )
                for (function, reason), rows in ranked
            ]
        )

    def reentries(self) -> CutList[Reentry]:
        """Return the calls within calls by function and the one they interrupted."""
        groups: dict[tuple[str, str], list[int]] = defaultdict(list)
        parent = self.history.invocation_parent
        for row in np.flatnonzero((parent != MISSING) & ~self.called.read_only).tolist():
            groups[self.called.name(row), self.called.name(int(parent[row]))].append(row)
        ranked = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
        return _cut(
            [
                Reentry(
                    function=function,
                    inside=inside,
                    count=len(rows),
                    accepted=int(np.sum(self.history.accepted[rows])),
                    most=int(
                        np.unique(self.history.invocation_transaction[rows], return_counts=True)[1].max()
                    ),
                    first=self.occurrence(rows[0]),
                    last=self.occurrence(rows[-1]),
                )
                for (function, inside), rows in ranked
            ]
        )

    def callers(self) -> tuple[Caller, ...]:
        """Return who calls each function with success, the functions of fewest callers first."""
        sender = self.history.invocation_sender
        accepted: dict[str, list[int]] = defaultdict(list)
        refused: dict[str, list[int]] = defaultdict(list)
        for row in np.flatnonzero(self.analysis.context.is_call).tolist():
            (accepted if self.history.accepted[row] else refused)[self.called.name(row)].append(row)
        function_callers = []
        for function, rows in accepted.items():
            by = {int(sender[row]) for row in rows}
            others = [row for row in refused[function] if int(sender[row]) not in by]
            function_callers.append(
                Caller(
                    function=function,
                    accepted=len(rows),
                    senders=len(by),
                    address=self._address(min(by)) if len(by) == 1 else None,
                    refused=len(others),
                    first=self.occurrence(rows[0]),
                    refusal=self.occurrence(others[0]) if others else None,
                )
            )
        return tuple(sorted(function_callers, key=lambda item: (item.senders, -item.accepted, item.function)))

    def unseen(self) -> tuple[str, ...]:
        """Return the functions that could have changed state and were never called."""
        called_names = {self.called.name(row) for row in range(len(self.history))}
        functions = self.interface.functions.values()
        return tuple(sorted({item.name for item in functions if not item.read_only} - called_names))

    def unnamed_variables(self) -> CutList[str]:
        """Return the variables that are called by their slot's number."""
        locations = self.analysis.context.locations
        names = {item.text(None, index) for item in locations.variables for index in range(len(item.fields))}
        return _cut(sorted(name for name in names if _NUMBERED.match(name)))

    def _reason(self, row: int) -> str:
        kind = OUTCOMES[int(self.history.invocation_outcome[row])]
        if kind is OutcomeKind.RETURNED:
            return ""
        outcome = Outcome(kind=kind, data=self.history.invocation_output[row])
        return self.interface.reason(outcome)[:MAX_REASON]

    def _cause(self, row: int) -> str:
        """Return why a call was rejected, without the values of an error."""
        kind = OUTCOMES[int(self.history.invocation_outcome[row])]
        return self.interface.cause(kind, self.history.invocation_output[row])[:MAX_REASON]

    def _example_of(self, row: int, reason: str) -> str:
        full = self._reason(row)
        return "" if not reason or full in (reason, plain(reason)) else full

    def _block(self, row: int) -> int:
        return int(self.history.transaction_block[self.history.invocation_transaction[row]])

    def _sender(self, row: int) -> str:
        return self._address(int(self.history.invocation_sender[row]))

    def _address(self, number: int) -> str:
        return checksum_address(self.history.addresses[number])

    def transaction(self, row: int) -> str:
        """Return the hash of a call's transaction."""
        return interaction_documents.transaction_of(self.history, row)

    def occurrence(self, row: int) -> Occurrence:
        """Return where a call stands."""
        return occurrence_of(self.history, int(self.history.invocation_transaction[row]))
