"""The clauses of each function of a history, and what rejected its calls.

    python -m benchmarks.clauses                          # the shipped datasets
    python -m benchmarks.clauses --traces FOLDER          # trace files (.jsonl, .jsonl.gz) in a folder
    SPECMINER_REAL_DATA=/data python -m benchmarks.clauses --real  # re-executed imports

A clause is one line: its kind, its conditions, what it is for, how many calls it stopped, how many passed it, and how
many accepted calls never came to it. ``--brief`` prints one line a history: rejections, how many of them have a cause,
clauses, seconds.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.decisions import histories
from specminer.decision import Clause, FunctionDecisions, Wording
from specminer.decision.history_decisions import decide_history
from specminer.decision.paths import ClauseKind
from specminer.decoding import HistoryContext
from specminer.decoding.decode import decode


def main() -> None:
    """Print the clauses of each history."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--real", action="store_true", help="the real histories beside the project")
    parser.add_argument("--traces", type=Path, help="a folder of trace files")
    parser.add_argument("--brief", action="store_true", help="one line a history")
    parser.add_argument("--name", help="only the history with this name")
    arguments = parser.parse_args()
    for name, history in histories(arguments.real, arguments.traces):
        if arguments.name in (None, name):
            context = decode(history)
            begin = time.perf_counter()
            decisions = tuple(decide_history(context))
            report(name, context, decisions, time.perf_counter() - begin, brief=arguments.brief)


def report(
    name: str, context: HistoryContext, decisions: Sequence[FunctionDecisions], seconds: float, *, brief: bool
) -> None:
    """Print what the calls of a history decided."""
    causes = [cause for item in decisions for cause in item.causes]
    known = sum(cause.clause is not None for cause in causes)
    kinds = Counter(clause.kind for item in decisions for clause in item.clauses)
    print(
        f"{name}: {len(causes):,} rejections, {known:,} with a cause, {kinds[ClauseKind.REQUIRED]} required and "
        f"{kinds[ClauseKind.CODED]} coded clauses, {seconds:.2f} s"
    )
    for item in () if brief else decisions:
        accepted = sum(run.accepted for run in item.runs.runs)
        function = context.calls.functions[item.runs.function]
        print(f"  {function}: {accepted} accepted, {len(item.causes)} rejected, {len(item.paths)} paths")
        wording = Wording(context, item.runs)
        for clause in item.clauses:
            print(f"    {clause_text(wording, clause)}")
        for reason, count in Counter(cause.reason for cause in item.causes if cause.reason).items():
            print(f"    {count} calls: {reason}")


def clause_text(wording: Wording, clause: Clause) -> str:
    """Return a clause as one line."""
    texts = [_condition_text(wording, (item.node, item.holds)) for item in clause.conditions]
    counts = f"stopped {len(clause.rejected_calls)}, passed {clause.pass_count}, undecided {clause.undecided}"
    each = " each" if clause.each else ""
    return f"{clause.kind}{each}: {' or '.join(texts)}  [{clause.check}] {counts}"


def _condition_text(wording: Wording, condition: tuple[int, bool]) -> str:
    relation = wording.relation(condition)
    if relation is None:
        return f"a condition of {', '.join(term.name for term in wording.sources(condition[0]))}"
    return f"{relation.text}{' (signed)' if relation.signed else ''}"


if __name__ == "__main__":
    main()
