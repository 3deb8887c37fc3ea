"""What decisions, guards and effects cost, beside reading and splitting the same history.

    python -m benchmarks.decision_cost [--invocations N]

Makes a market with bytecode and N calls (see ``benchmarks.coded_market``), about every ninth of them rejected for a
reason. One process of its own reads the history from SQLite, decodes and splits it, then mines it up to the guards as
``mine`` does. Prints the CPU seconds and the peak of memory of the process behind each part, and last the ratio of
decisions, guards and effects to reading and splitting.

*Decisions* are the calls that are executed alone or matched to the path of one that was, the clauses and causes that
follow, and what they tell of the variables of entities. Tuning and the search for invariants, which the guards wait
for, count on neither side, but for the memory. So do the guards of transitions.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Final

from benchmarks.coded_market import make_coded
from benchmarks.market import CHAIN, CONTRACT
from benchmarks.steps import PEAK, Numbers, Stopwatch, measured, peak, scratch
from specminer.decision.access_facts import access_facts
from specminer.interaction import analyse, split
from specminer.pipeline.automata import choose_abstraction, count_transitions
from specminer.pipeline.division import decode_history, divide
from specminer.pipeline.effecting import find_effects
from specminer.pipeline.following import execute_calls, follow_decisions
from specminer.pipeline.guarding import find_guards
from specminer.pipeline.state import MineOptions, Mining, Stage
from specminer.store import TraceStore

_NAME: Final = "benchmarks.decision_cost"
_STEP: Final = "follow"
_BASE: Final = ("read", "split")
_STAGES: Final[tuple[tuple[str, Stage], ...]] = (
    ("execute", execute_calls),
    ("decide", follow_decisions),
    ("divide, tune", divide),
    ("divide, tune", choose_abstraction),
    ("divide, tune", count_transitions),
    ("effects", find_effects),
    ("guards", find_guards),
)
"""The stages after decoding, with the part that each counts as."""
_COUNTED: Final = ("execute", "decide", "facts", "effects", "guards")


def follow(path: Path) -> Numbers:
    """Do all for one database; return the seconds of each part, the peak of memory after it, and what was found."""
    watch = Stopwatch()
    peaks: Numbers = {}
    with watch.timing("read"):
        with TraceStore(str(path)) as store:
            history = store.history(CHAIN, [CONTRACT])
        mining = decode_history(Mining(history=history, options=MineOptions()))
    peaks["read"] = peak()
    with watch.timing("split"):
        split(analyse(mining.context), None)
    peaks["split"] = peak()
    for name, stage in _STAGES:
        if stage is divide:
            with watch.timing("facts"):
                access_facts(mining.context, mining.runs)
            peaks["facts"] = peak()
        with watch.timing(name):
            mining = stage(mining)
        peaks[name] = peak()
    runs = mining.runs
    causes = [cause for item in mining.followed_functions.values() for cause in item.decisions.causes]
    return (
        watch.seconds
        | {f"{name} MB": megabytes for name, megabytes in peaks.items()}
        | {
            "executed": sum(len(item.runs) for item in runs),
            "matched": sum(len(item.matched_rows) for item in runs),
            "left": sum(item.unpursued + sum(item.unproved.values()) for item in runs),
            "rejected": int((~mining.context.history.accepted).sum()),
            "caused": sum(cause.clause is not None for cause in causes),
            "effects found": len(mining.effects),
            "guards found": len(mining.guards.learned_guards.guards),
        }
    )


def report(invocations: int) -> None:
    """Measure a market of so many calls and print what it took."""
    with scratch("market.db") as path:
        make_coded(path, invocations)
        found = measured(_NAME, _STEP, path)
    print(f"{'part':14} {'CPU s':>9} {'peak MB':>8}")
    for name in (*_BASE, "execute", "decide", "facts", "divide, tune", "effects", "guards"):
        aside = "  (not counted)" if name not in (*_BASE, *_COUNTED) else ""
        print(f"{name:14} {found[name]:9,.2f} {found[f'{name} MB']:8,.0f}{aside}")
    print(
        f"{found['executed']:,.0f} calls executed, {found['matched']:,.0f} matched, {found['left']:,.0f} left; "
        f"{found['rejected']:,.0f} rejected, {found['caused']:,.0f} of them with a cause; "
        f"{found['effects found']:,.0f} effects, {found['guards found']:,.0f} guards"
    )
    base, counted = (sum(found[name] for name in names) for names in (_BASE, _COUNTED))
    print(
        f"{invocations:,} invocations: decisions, guards and effects take {counted / base:.2f} of the time of reading "
        f"and splitting; {found[PEAK]:,.0f} MB at most"
    )


def main() -> None:
    """Run the benchmark from the command line, or its one step in a process of its own."""
    if sys.argv[1:2] == [_STEP]:
        print(json.dumps(follow(Path(sys.argv[2])) | {PEAK: peak()}))
        return
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--invocations", type=int, default=100_000, metavar="N")
    report(parser.parse_args().invocations)


if __name__ == "__main__":
    main()
