"""What it takes to run the calls of a history again, for whoever forces their decisions."""

from __future__ import annotations

from collections.abc import Iterable

from specminer.decision.call_runs import FunctionRuns
from specminer.decision.exploring import CallReplay, Replays
from specminer.decision.recordings import Recordings
from specminer.history.contract_history import History


def replays_of(history: History, runs: Iterable[FunctionRuns]) -> Replays:
    """Return what tells how a call that was proved runs again; nothing of other calls, nor of inferred ones."""
    recordings = Recordings(history)
    variants = {run.invocation: run.variant for item in runs for run in item.runs if not run.inferred}

    def replay(invocation: int) -> CallReplay | None:
        if invocation not in variants:
            return None
        call = recordings.of(invocation)
        fork, recording = call.variants[variants[invocation]]
        return CallReplay(recording=recording, fork=fork, block=call.block, codes=call.codes)

    return replay
