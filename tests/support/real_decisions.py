"""What the calls of the real histories decided, from their transactions executed once more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from specminer._support.keccak import keccak
from specminer.decision import CallRun, FunctionDecisions, FunctionRuns
from specminer.decision.deciding import decide
from specminer.decision.exploring import CallReplay
from specminer.evm.alone import pursue, recordings
from specminer.evm.execution_recorder import EventRecorder
from specminer.evm.forks import FORKS
from specminer.evm.frame import BlockContext
from specminer.evm.halts import Halt
from specminer.evm.taped_instructions import taped_instructions
from specminer.shadow.arena import Arena
from specminer.shadow.observer import Shadow
from tests.support.engine import number, results
from tests.support.real import history


@dataclass(slots=True)
class RecordedFunction:
    """The calls of one function."""

    replays: list[CallReplay] = field(default_factory=list)
    lasting: list[bool] = field(default_factory=list)
    gas_short: int = 0

    def runs(self, accepted: int) -> FunctionRuns:
        """Return the runs of all rejected calls, and of so many accepted ones, spread over the history."""
        arena = Arena()
        runs = []
        returned = [row for row, replay in enumerate(self.replays) if replay.recording.halt is None]
        chosen = set(returned[:: max(1, len(returned) // accepted)])
        for invocation, replay in enumerate(self.replays):
            recording = replay.recording
            if recording.halt is None and invocation not in chosen:
                continue
            shadow = Shadow([recording.contract], arena, foundation=taped_instructions)
            pursuit = pursue(
                recording,
                replay.fork,
                replay.block,
                replay.codes,
                gas_price=replay.gas_price,
                observer=shadow,
            )
            if not pursuit.proved:
                continue
            run = CallRun(
                invocation=invocation,
                record=shadow.records[0],
                halt=pursuit.halt,
                output=pursuit.output,
                accepted=recording.halt is None and self.lasting[invocation],
            )
            runs.append(run)
        return FunctionRuns(function=0, arena=arena, runs=tuple(runs), unproved={}, unpursued=0)


def recorded_functions(name: str, transactions: int | None = None) -> dict[bytes, RecordedFunction]:
    """Return the calls of a real history by code and selector."""
    records, rules = history(name)
    targets = frozenset(found for record in records if (found := number(record.created)) is not None)
    recorder = EventRecorder(targets or None, questions=True)
    codes: dict[int, bytes] = {}
    functions: dict[bytes, RecordedFunction] = defaultdict(RecordedFunction)
    chosen = records[:transactions]
    for record, result in zip(chosen, results(chosen, rules, recorder), strict=True):
        codes.update(recorder.codes)
        timestamp = record.block if record.timestamp is None else record.timestamp
        block = BlockContext(number=record.block, timestamp=timestamp)
        fork = FORKS[rules(record.block, record.timestamp)]
        for recording in recordings(recorder.events, targets or None, with_questions=True):
            if recording.kind.creates or recording.contract not in codes:
                continue
            function = functions[keccak(codes[recording.contract])[:4] + recording.data[:4]]
            if recording.halt is Halt.OUT_OF_GAS or recording.short_inside:
                function.gas_short += 1
                continue
            replay = CallReplay(
                recording=recording,
                fork=fork,
                block=block,
                codes={recording.contract: codes[recording.contract]},
                gas_price=record.gas_price or 0,
            )
            function.replays.append(replay)
            function.lasting.append(result.succeeded)
        recorder.clear()
    return functions


def real_decisions(name: str, accepted: int = 60) -> Iterator[tuple[bytes, FunctionDecisions]]:
    """Yield the decisions of each function of a real history, by code and selector."""
    for key, function in recorded_functions(name).items():
        replays = function.replays
        yield key, decide(function.runs(accepted), replays.__getitem__)
