"""What tuning costs: search apart from what is done once an event, and all of it against reading the history.

    python -m benchmarks.tuning [EVENTS ...]

First, tables of auctions of one behaviour (a life cycle beside a price, a counter and an owner), by default with
10,000, 100,000 and 1,000,000 events. For each the CPU seconds of what looks at every event (evaluating predicates,
building the quotient, evaluating predicates about calls) and of what does not: search, joining, front, names; the
latter also as a ratio to the table before, which has a tenth of the interactions.

Then histories of as many calls in SQLite (see ``benchmarks.market``): in processes of their own, their bare rows are
read, and the split interactions are turned into a front: the table of events is built, with calls and arguments, and
tuned. Prints the ratio of the two, and the peak of memory.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import numpy as np

from benchmarks.market import CHAIN, CONTRACT, make
from benchmarks.steps import PEAK, Numbers, Stopwatch, main, measured, scratch
from specminer.decoding import decode
from specminer.interaction import analyse, split
from specminer.learning.abstraction_definition import Definition, default
from specminer.learning.call_context import with_arguments, with_calls
from specminer.learning.event_table import EntityVariable, EventTable, ValueKind
from specminer.learning.passive_events import without_bookkeeping
from specminer.learning.table_building import build
from specminer.learning.tune import tune
from specminer.store import TraceStore

SIZES: Final = (10_000, 100_000, 1_000_000)
BIDS: Final = 6
"""Most bids of one auction."""


def auctions(events: int, seed: int = 1) -> EventTable:
    """Return a table of about so many events: auctions are created, bid for, closed, and paid out."""
    draw = np.random.default_rng(seed)
    lengths = draw.integers(3, 4 + BIDS, max(1, events // 6))
    n = int(lengths.sum())
    interaction = np.repeat(np.arange(len(lengths)), lengths)
    starts = np.cumsum(lengths) - lengths
    place = np.arange(n) - starts[interaction]
    last = lengths[interaction] - 1
    symbol = np.where(place == 0, 2, np.where(place == last, 3, np.where(place == last - 1, 1, 0)))
    phase = np.array([1, 2, 0, 2])[symbol]
    price = np.where(place == 0, 0, 3 + (place * 7 + interaction) % 500)
    owner = np.where(place == 0, 0, 600 + interaction % 200)
    return EventTable(
        symbols=("bid", "close", "create", "pay"),
        symbol=symbol.astype(np.int64),
        interaction=interaction.astype(np.int64),
        rejected=np.zeros(n, dtype=np.bool_),
        variables=(
            EntityVariable(name="phase", kind=ValueKind.ENUM, members=("Open", "Bidding", "Closed")),
            EntityVariable(name="price", kind=ValueKind.UINT),
            EntityVariable(name="bids", kind=ValueKind.UINT),
            EntityVariable(name="owner", kind=ValueKind.ADDRESS),
        ),
        values=np.array([phase, price, np.minimum(place, last - 1), owner], dtype=np.int64),
        words=(*range(3), *(10**15 * amount for amount in range(1, 598)), *range(1 << 100, (1 << 100) + 300)),
        accepted_as=(0, 1, 2, 3),
    )


def search(events: int) -> Numbers:
    """Tune one table; return the seconds of what looks at every event, and of the rest."""
    events_table = auctions(events)
    spent = Stopwatch()
    with ExitStack() as stack:
        for module, name in _PER_EVENT:
            home = importlib.import_module(module)
            stack.enter_context(patch.object(home, name, _timed(getattr(home, name), name, spent)))
        with spent.timing("everything"):
            tune(events_table, Definition())
    everything = spent.seconds.pop("everything")
    return spent.seconds | {"search": everything - sum(spent.seconds.values()), "events": len(events_table)}


_PER_EVENT: Final = (
    ("specminer.learning.tune", "vocabulary"),
    ("specminer.learning.tune", "quotient"),
    ("specminer.learning.tune", "folds"),
    ("specminer.learning.event_splitting", "find_split"),
)
"""What looks at every event, once a tuning each or a few times."""


def _timed(function: Callable[..., Any], name: str, spent: Stopwatch) -> Callable[..., Any]:
    def timed(*arguments: Any, **named: Any) -> Any:
        with spent.timing(name):
            return function(*arguments, **named)

    return timed


def front(path: Path) -> Numbers:
    """Turn the split interactions of one database into a front; return the seconds from there on."""
    with TraceStore(str(path)) as store:
        history = store.history(CHAIN, [CONTRACT])
    context = decode(history)
    interactions = split(analyse(context), None)
    watch = Stopwatch()
    with watch.timing("front"):
        functions = [context.calls.functions[row] for row in context.calls.function.tolist()]
        table = build(history, context.accesses, context.locations, interactions, functions)
        table = with_calls(table, history, interactions)
        table = with_arguments(table, history, interactions, context.calls)
        table, interactions, _ = without_bookkeeping(table, interactions)
        tuned = tune(table, default())
    return watch.seconds | {"points": len(tuned.front)}


def run(sizes: tuple[int, ...]) -> None:
    """Measure all sizes and print two tables."""
    print("events     predicates s  quotient s  calls s  search s  search, to a tenth")
    search(min(sizes))  # loads and warms what is loaded once
    before = 0.0
    for size in sizes:
        spent = min((search(size) for _ in range(3)), key=lambda item: item["search"])
        ratio = f"{spent['search'] / before:18.2f}" if before else f"{'':18}"
        before = spent["search"]
        print(
            f"{spent['events']:<9.0f}  {spent['vocabulary']:12.2f}  {spent['quotient'] + spent['folds']:10.2f}  "
            f"{spent.get('find_split', 0.0):7.2f}  {spent['search']:8.2f}  {ratio}",
            flush=True,
        )
    print("\ncalls      read rows s  interactions to front s  ratio  peak MB")
    for size in sizes:
        with scratch("market.db") as path:
            make(path, size)
            read = measured("benchmarks.interactions", "read", path)
            made = measured("benchmarks.tuning", "front", path)
        print(
            f"{size:<9}  {read['read']:11.2f}  {made['front']:23.2f}  {made['front'] / read['read']:5.2f}  "
            f"{made[PEAK]:7.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main({"front": front}, run, SIZES)
