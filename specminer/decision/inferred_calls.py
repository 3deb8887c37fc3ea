"""Finds the only way that a rejected call can have gone which read values that are not known.

Which slots such a call accessed is recorded, and how it ended. It is run along its recording, and each decision that
depends on a value in doubt is forced both ways, until all ways through the code are seen. Those that access other
slots, or end otherwise, are none. If gas is known, so are those that take other gas: a transaction pays for its own
call alone, and what that took follows from the way. If one way is left, the call took it, also if nobody else did.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Final

from specminer.decision.call_runs import Inference
from specminer.decision.recordings import NotRecorded, RecordedCall, Recordings
from specminer.decision.steps import StepReader, each_once
from specminer.evm.alone import CallRecording
from specminer.evm.execution_events import SlotRead
from specminer.evm.forks import COLD_SLOT, Fork
from specminer.evm.halts import Halt
from specminer.evm.taped_instructions import UNKNOWN_VALUE
from specminer.evm.transaction_execution import EvmTransaction, intrinsic_costs
from specminer.history.contract_history import MISSING, History
from specminer.history.trace import Fidelity
from specminer.shadow.arena import UNKNOWN, Arena
from specminer.shadow.doubtful_runs import DoubtfulTape
from specminer.shadow.forced_calls import ForcedRun, force
from specminer.shadow.record import Decision, ShadowRecord

MAX_WAYS: Final = 64
"""Runs that are tried for one call; if there are more ways, nothing is said of it."""
MAX_OPCODES: Final = 2_000_000
"""Opcodes that the runs of one function's calls may take together."""
_OPCODES_BEFORE: Final = 500
"""What it takes to begin a run counts like so many opcodes."""
_MAX_STEPS: Final = 20_000
"""Opcodes of one run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InferredWay:
    """The only way that a call can have gone."""

    run: ForcedRun
    """Its inputs hold assumed values, too."""
    key: object
    """Equal for runs that went the same way."""
    inference: Inference
    call: RecordedCall
    variant: int
    """Which of :attr:`RecordedCall.variants` went it."""

    @property
    def output(self) -> bytes:
        """What the call is recorded to have reverted with."""
        output = self.call.variants[self.variant][1].output
        return self.run.output if output is None else output

    def known_record(self) -> ShadowRecord:
        """Return what the shadow tells of the way, without the values that are not known."""
        record, unknown = self.run.record, _unknown_nodes(self.run, self.call.variants[self.variant][1])
        depends = [node for node in record.inputs if not unknown.isdisjoint(record.arena.sources(node))]
        for node in depends:
            del record.inputs[node]
        record.decisions = [item._replace(value=_agreeing(item)) for item in record.decisions]
        return record


class _UndecidedCall(Exception):  # it is no error but a result
    """Not all ways of a call can be seen."""


class InferredCalls:
    """Infers the ways of one function's calls."""

    def __init__(self, history: History, recordings: Recordings, arena: Arena) -> None:
        """Prepare; ``arena`` holds the expressions of the function's runs."""
        self._history, self._recordings, self._arena = history, recordings, arena
        self._reader = StepReader(arena=arena)
        self._remaining_opcodes = MAX_OPCODES
        marks = history.fidelity
        self._tells_gas = bool(marks.get(Fidelity.EXACT)) and not marks.get(Fidelity.UNCHECKED)

    def way(self, row: int) -> InferredWay | None:
        """Return the only way that a rejected call can have gone; ``None`` if that cannot be told."""
        try:
            call = self._recordings.of(row, doubtful=True)
            fits = list(self._fitting(row, call))
        except (NotRecorded, _UndecidedCall):
            return None
        keys = [self.key(run.record, run.halt) for _, run, _ in fits]
        left = {key: fit for key, fit in zip(keys, fits, strict=True) if fit[2]}
        if len(left) != 1:
            return None
        ((key, (variant, run, _)),) = left.items()
        how = Inference.WAY if len(set(keys)) == 1 else Inference.GAS
        return InferredWay(run=run, key=key, inference=how, call=call, variant=variant)

    def key(self, record: ShadowRecord, halt: Halt | None) -> object:
        """Return what runs that went one way have in common."""
        steps = each_once(self._reader.visits(record))
        return halt is None, tuple((step.condition, step.counter) for step in steps)

    def _fitting(self, row: int, call: RecordedCall) -> Iterator[tuple[int, ForcedRun, bool]]:
        """Yield the ways that access what a call accessed and end like it; whether their gas is right as well."""
        for variant, (fork, recording) in enumerate(call.variants):
            gas = self._gas(row, fork, recording)
            for run, unknown in self._ways(fork, recording, call):
                if not self._is_like(run, recording, unknown):
                    continue
                if run.record.calls and recording.answers is None:
                    raise _UndecidedCall
                run_gas = _gas_taken(run, fork, recording)
                yield variant, run, gas is None or run_gas is None or gas == run_gas

    def _ways(
        self, fork: Fork, recording: CallRecording, call: RecordedCall
    ) -> Iterator[tuple[ForcedRun, frozenset[int]]]:
        """Yield all ways through the code that come to an end, each with the nodes of what is not known there."""
        waiting: list[frozenset[int]] = [frozenset()]
        tries = 0
        while waiting:
            flips = waiting.pop()
            tries += 1
            within = tries <= MAX_WAYS and self._remaining_opcodes > 0
            run = _follow(self._reader, fork, recording, call, flips) if within else None
            self._remaining_opcodes -= _OPCODES_BEFORE + (0 if run is None else run.opcodes)
            if run is None or run.record.is_truncated or not (run.ended or run.contradicted):
                raise _UndecidedCall
            unknown = _unknown_nodes(run, recording)
            waiting += [flips | {position} for position in self._open(run, unknown, flips)]
            if run.ended:
                yield run, unknown

    def _open(self, run: ForcedRun, unknown: frozenset[int], flips: Collection[int]) -> Iterator[int]:
        """Yield the positions of decisions behind the last forced one that could have gone the other way."""
        last, decided = max(flips, default=-1), set[int]()
        for position, decision in enumerate(run.record.decisions):
            if decision.condition == UNKNOWN:
                raise _UndecidedCall
            node = self._reader.condition(decision.condition, decision.taken).node
            depends = not unknown.isdisjoint(self._arena.sources(decision.condition))
            if position > last and depends and node not in decided:
                yield position
            decided.add(node)

    def _is_like(self, run: ForcedRun, recording: CallRecording, unknown: frozenset[int]) -> bool:
        """Return whether a way accesses the recorded slots and ends as recorded."""
        record = run.record
        if run.halt is not recording.halt and run.halt not in recording.other_halts:
            return False
        if len(record.access_slots) != len(recording.accesses):
            return False
        for (node, slot), access in zip(record.access_slots, recording.accesses, strict=True):
            if slot != access.slot and (not node or unknown.isdisjoint(self._arena.sources(node))):
                return False
        output = recording.output
        if output is None or run.output == output:
            return True
        varies = record.output_varies or bool(record.output)
        return varies and run.output[:4] == output[:4]

    def _gas(self, row: int, fork: Fork, recording: CallRecording) -> int | None:
        """Return what a call took; ``None`` if its transaction does not tell."""
        history = self._history
        transaction = int(history.invocation_transaction[row])
        direct = history.invocation_sender[row] == history.transaction_origin[transaction]
        if not self._tells_gas or not direct or history.invocation_parent[row] != MISSING:
            return None
        paid = int(history.transaction_gas_used[transaction])
        cost, least = intrinsic_costs(
            fork, EvmTransaction(sender=recording.caller, to=recording.contract, data=recording.data, gas=0)
        )
        return paid - cost if paid > least else None


def _follow(
    reader: StepReader, fork: Fork, recording: CallRecording, call: RecordedCall, flips: frozenset[int]
) -> ForcedRun | None:
    tape = DoubtfulTape(recording, call.codes)
    run = force(
        recording,
        fork,
        call.block,
        call.codes,
        arena=reader.arena,
        flips=flips,
        fact=reader.condition,
        max_steps=_MAX_STEPS,
        tape=tape,
    )
    if run is not None and run.ended and tape.describe_rest():
        return replace(run, ended=False, contradicted=True)
    return run


def _agreeing(decision: Decision) -> int:
    """Return a value of what was decided upon that leads the way that a forced decision went."""
    return decision.value if bool(decision.value) is decision.taken else int(decision.taken)


def _unknown_nodes(run: ForcedRun, recording: CallRecording) -> frozenset[int]:
    """Return the nodes of values that a call read and that are not known."""
    accesses = recording.accesses
    return frozenset(
        node
        for node, number in run.record.read_at.items()
        if number < len(accesses)
        and isinstance(access := accesses[number], SlotRead)
        and access.value == UNKNOWN_VALUE
    )


def _gas_taken(run: ForcedRun, fork: Fork, recording: CallRecording) -> int | None:
    """Return what a way takes on the chain; ``None`` if that does not follow from the way."""
    record = run.record
    if run.halt is not Halt.REVERT or record.writes or record.calls or record.questions:
        return None  # what writes cost depends on what was there, and other contracts take gas of their own
    cold = len({access.slot for access in recording.accesses}) if fork.access_lists else 0
    return run.gas + cold * COLD_SLOT
