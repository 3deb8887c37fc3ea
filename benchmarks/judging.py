"""What guards, invariants, confidence and surprise cost, against reading and splitting the same history.

    python -m benchmarks.judging [SIZE ...]

Makes histories of 1,000 to 1,000,000 calls with 8 storage accesses each (see ``benchmarks.market``), about every eighth
call rejected for a reason. In a process of its own for each size, the history is read from SQLite and split, and an
abstraction is tuned, which counts on neither side; then guards and roles are learned and the guards proved, those of
transitions compared, invariants searched, halves compared, all events and interactions measured, and transactions
ranked. Prints the CPU seconds of each, the sum of the latter as a ratio to reading and splitting, and that of ranking
transactions alone, which should be at most a half; the peak of memory, and what was found.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.market import CHAIN, CONTRACT, SIZES, make
from benchmarks.steps import PEAK, Numbers, Stopwatch, main, measured, scratch
from specminer.decoding import decode
from specminer.inference.caller_roles import roles
from specminer.inference.competing_transitions import siblings
from specminer.inference.entity_terms import Entities
from specminer.inference.function_guards import learn
from specminer.inference.guard_proofs import obligations
from specminer.inference.implied_claims import RedundancyFilter
from specminer.inference.invariant_search import search
from specminer.inference.ranked_transactions import weigh
from specminer.inference.reasons import StateFacts
from specminer.inference.solver_questions import ObligationLog
from specminer.inference.state_formulas import Frames, StateSpace
from specminer.inference.surprise_measures import measure
from specminer.inference.surprise_ranking import Ranking
from specminer.inference.transition_guards import ways
from specminer.inference.transition_implications import passable
from specminer.interaction import analyse, split
from specminer.learning.abstraction_definition import default
from specminer.learning.call_context import with_arguments, with_calls
from specminer.learning.passive_events import without_bookkeeping
from specminer.learning.split_half_agreement import agreement
from specminer.learning.table_building import build
from specminer.learning.transition_support import count_exits
from specminer.learning.tune import tune
from specminer.pipeline.assessment import breakable, broken, units
from specminer.pipeline.guarding import causes
from specminer.specification import DEFAULT_LISTED, GuardKind, ObligationSubject
from specminer.store import TraceStore

_NAME = "benchmarks.judging"


def judge(path: Path) -> Numbers:
    """Do all for one database, as ``mine`` does; return the seconds of each part, and what was found."""
    watch = Stopwatch()
    with watch.timing("read"):
        with TraceStore(str(path)) as store:
            history = store.history(CHAIN, [CONTRACT])
        context = decode(history)
        interactions = split(analyse(context), None)
    with watch.timing("tune"):
        functions = [context.calls.functions[row] for row in context.calls.function.tolist()]
        table = build(history, context.accesses, context.locations, interactions, functions)
        table = with_calls(table, history, interactions)
        table = with_arguments(table, history, interactions, context.calls)
        table, interactions, _ = without_bookkeeping(table, interactions)
        tuning = tune(table, default())
    with watch.timing("guards"):
        entities = Entities(context, interactions)
        learned = learn(context, causes(history, context.interface), 0, entities)
        found = learned.guards
        obligations(found)
        roles(context, found)
    with watch.timing("transitions"):
        space = StateSpace(tuning)
        frames, asked, known = Frames(space, entities), ObligationLog(ObligationSubject.CLAIM), StateFacts(())
        taken = ways(learned, tuning, interactions, entities)
        siblings(space, passable(frames, known, taken, asked), asked)
        RedundancyFilter(space, frames, learned, taken, known, asked).redundant_observed()
    with watch.timing("invariants"):
        held = search(context, tuning, interactions)
    with watch.timing("halves"):
        halves = agreement(tuning, 0)
        for point in tuning.front:
            count_exits(tuning, point)
    with watch.timing("surprise"):
        claims = broken(held, history, units(history, interactions))
        measured_ = measure(history, interactions, tuning, claims)
        ranking = Ranking(history=history, interactions=interactions, tuning=tuning, measured_bits=measured_)
        ranking.surprise()
    with watch.timing("ranking"):
        weigh(context, ranking, breakable(held)).surprise(DEFAULT_LISTED)
    assert halves is not None
    guards = [item.guard for item in found if item.guard.kind is GuardKind.LEARNED]
    return watch.seconds | {
        "invariant count": len(held),
        "rejected": sum(guard.rejected for guard in guards),
        "explained": sum(guard.explained for guard in guards),
    }


def run(sizes: tuple[int, ...]) -> None:
    """Measure all sizes and print a table."""
    print(
        "calls      read+split s  tune s  guards s  transitions s  invariants s  halves s  surprise s  "
        "ranking s  ratio  of ranking  peak MB  rejected  explained  invariants"
    )
    for size in sizes:
        with scratch("market.db") as path:
            make(path, size)
            found = measured(_NAME, "judge", path)
        parts = [
            found[name] for name in ("guards", "transitions", "invariants", "halves", "surprise", "ranking")
        ]
        ratio, alone = sum(parts) / found["read"], found["ranking"] / found["read"]
        print(
            f"{size:<9}  {found['read']:12.2f}  {found['tune']:6.2f}  {parts[0]:8.2f}  {parts[1]:13.2f}  "
            f"{parts[2]:12.2f}  {parts[3]:8.2f}  {parts[4]:10.2f}  {parts[5]:9.2f}  {ratio:5.2f}  {alone:10.2f}  "
            f"{found[PEAK]:7.0f}  "
            f"{found['rejected']:8.0f}  {found['explained']:9.0f}  {found['invariant count']:10.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main({"judge": judge}, run, SIZES)
