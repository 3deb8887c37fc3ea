"""The stage of decisions: recorded calls are executed alone, and what their code decided is put into words."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from specminer.decision import Wording
from specminer.decision.history_decisions import decide_history
from specminer.decision.runs import run_calls
from specminer.decoding import HistoryContext
from specminer.guard import FollowedFunction
from specminer.pipeline.progress import SILENT, FunctionFollowed, Observer
from specminer.pipeline.state import Mining

ALIKE: Final = 24
"""Calls of one kind that are followed, at most."""


def follow_decisions(mining: Mining) -> Mining:
    """Follow calls of each function through the code, as far as it is known."""
    return replace(mining, followed=follow(mining.context, mining.observer))


def follow(context: HistoryContext, observer: Observer = SILENT) -> dict[int, FollowedFunction]:
    """Return what the calls of each function decided, by number; of functions whose calls can be executed alone."""
    runs = run_calls(context, bound=ALIKE)
    followed: dict[int, FollowedFunction] = {}
    for done, decisions in enumerate(decide_history(context, runs), 1):
        item = decisions.runs
        if item.runs:
            followed[item.function] = FollowedFunction(decisions=decisions, wording=Wording(context, item))
        observer.progress(FunctionFollowed(done=done, total=len(runs)))
    return followed
