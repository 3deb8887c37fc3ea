"""What all calls of a history decided."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from specminer.decision.argument_names import enum_places
from specminer.decision.call_replaying import replays_of
from specminer.decision.call_runs import FunctionRuns
from specminer.decision.context_names import names_of
from specminer.decision.paths import FunctionDecisions
from specminer.decision.runs import run_calls
from specminer.decision.versions import decide_by_version, spans_of_runs
from specminer.decoding.history_context import HistoryContext


def decide_history(
    context: HistoryContext, runs: Sequence[FunctionRuns] | None = None
) -> Iterator[FunctionDecisions]:
    """Find what rejected the calls of each function, and what its code demands.

    Args:
        context: the history.
        runs: its calls, executed alone, if that has been done already.

    Yields:
        The decisions of the functions that were called, in the order of the runs.

    """
    of_functions = run_calls(context) if runs is None else runs
    replays = replays_of(context.history, of_functions)
    history, names = context.history, names_of(context)
    spans = spans_of_runs(
        of_functions,
        lambda row: int(history.transaction_block[history.invocation_transaction[row]]),
    )
    for item in of_functions:
        entry = names.entry(context.calls.interface_functions[item.function])
        enums = frozenset[int]() if entry is None else enum_places(entry.inputs)
        yield decide_by_version(replace(item, enums=enums), spans, replays)
