"""The stages of decisions: recorded calls are executed alone, and what their code decided is put into words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from specminer.decision import FunctionRuns, Wording
from specminer.decision.history_decisions import decide_history
from specminer.decision.runs import run_calls
from specminer.decoding import HistoryContext
from specminer.inference.decided_clauses import FollowedFunction
from specminer.pipeline.progress import SILENT, FunctionFollowed, Observer
from specminer.pipeline.state import Mining


def execute_calls(mining: Mining) -> Mining:
    """Execute calls of each function alone, as far as the code is known."""
    return replace(mining, runs=execute(mining.context))


def follow_decisions(mining: Mining) -> Mining:
    """Say what the executed calls of each function decided."""
    return replace(mining, followed_functions=follow(mining.context, mining.runs, mining.observer))


def execute(context: HistoryContext) -> tuple[FunctionRuns, ...]:
    """Return the calls of each function that could be executed alone."""
    return run_calls(context)


def follow(
    context: HistoryContext, runs: Sequence[FunctionRuns], observer: Observer = SILENT
) -> dict[int, FollowedFunction]:
    """Return what the calls of each function decided, by number; of functions whose calls can be executed alone."""
    functions: dict[int, FollowedFunction] = {}
    for done, decisions in enumerate(decide_history(context, runs), 1):
        item = decisions.runs
        if item.runs:
            functions[item.function] = FollowedFunction(decisions=decisions, wording=Wording(context, item))
        observer.progress(FunctionFollowed(done=done, total=len(runs)))
    return functions
