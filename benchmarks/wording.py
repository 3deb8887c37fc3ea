"""How many rejections are told in a reader's words.

    python -m benchmarks.wording                          # the shipped datasets
    python -m benchmarks.wording --traces FOLDER          # trace files (.jsonl, .jsonl.gz) in a folder
    SPECMINER_REAL_DATA=/data python -m benchmarks.wording --real  # re-executed imports

A line a history: the rejected calls that decided something, in how many of them the last decision is readable, and how
many different decisions there are in all runs, with how many of them are readable. ``--list`` prints what rejected
calls decided last, by function, those that are cut marked by an exclamation mark.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.decisions import histories
from specminer.decision import FunctionRuns, Wording
from specminer.decision.runs import run_calls
from specminer.decoding import HistoryContext
from specminer.decoding.decode import decode


def main() -> None:
    """Print the shares of each history."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--real", action="store_true", help="the real histories beside the project")
    parser.add_argument("--traces", type=Path, help="a folder of trace files")
    parser.add_argument("--name", help="only the history with this name")
    parser.add_argument("--list", action="store_true", help="what rejected calls decided last")
    arguments = parser.parse_args()
    for name, history in histories(arguments.real, arguments.traces):
        if arguments.name in (None, name):
            context = decode(history)
            report(name, context, run_calls(context), listed=arguments.list)


def report(name: str, context: HistoryContext, functions: Sequence[FunctionRuns], *, listed: bool) -> None:
    """Print how much of a history's decisions is readable."""
    last: Counter[bool] = Counter()
    every: Counter[bool] = Counter()
    lines: list[str] = []
    for runs in functions:
        wording = Wording(context, runs)
        texts: Counter[str] = Counter()
        for run in runs.runs:
            if run.accepted or not run.record.decisions:
                continue
            decision = run.record.decisions[-1]
            relation = wording.relation((decision.condition, decision.taken))
            readable = relation is not None and relation.readable
            last[readable] += 1
            texts[f"{' ' if readable else '!'} {'' if relation is None else relation.text}"] += 1
        for node, taken in sorted(
            {(item.condition, item.taken) for run in runs.runs for item in run.record.decisions}
        ):
            relation = wording.relation((node, taken))
            every[relation is not None and relation.readable] += 1
        lines += [f"  {context.calls.functions[runs.function]}"] if texts else []
        lines += [f"    {count:>5} {text}" for text, count in texts.most_common()]
    print(f"{name}: {_share(last)} of the last decisions of rejections are readable, {_share(every)} of all")
    if listed:
        print("\n".join(lines))


def _share(counts: Counter[bool]) -> str:
    """Return how many are so, of how many."""
    total = counts.total()
    return f"{counts[True]:,} of {total:,} ({100 * counts[True] / max(1, total):.1f} %)"


if __name__ == "__main__":
    main()
