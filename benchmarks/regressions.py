"""Which numbers of a run are worse than before, by more than chance makes them."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean

from benchmarks.corpus_measures import OWN
from benchmarks.measures import Measure, Watch, measure
from benchmarks.results import Results, Table


def regressions(before: Results, now: Results) -> list[str]:
    """Return a sentence for each watched number that got worse, in the measures that both hold."""
    return [
        text
        for name, table in now.measures.items()
        if name in before.measures
        for text in _of_measure(measure(name), before.measures[name], table)
    ]


def _of_measure(item: Measure, before: Table, now: Table) -> Iterator[str]:
    for watch in item.watches:
        earlier, later = values(item, before, watch.column), values(item, now, watch.column)
        common = earlier.keys() & later.keys()
        if not common:
            continue
        old, new = (fmean(numbers[key] for key in common) for numbers in (earlier, later))
        if _is_worse(watch, old, new):
            yield (
                f"{item.name}: the mean of `{watch.column}` over {len(common)} rows is {new:.4f}; it was {old:.4f}, "
                f"and {watch.noise:g} is what chance explains"
            )


def _is_worse(watch: Watch, old: float, new: float) -> bool:
    loss = old - new if watch.more else new - old
    return loss > watch.noise + 1e-9


def values(item: Measure, table: Table, column: str) -> dict[tuple[object, ...], float]:
    """Return the numbers in a column, of specminer's rows where methods are compared, by what the row is about."""
    numbers = {name for view in item.views for name in view.values} | {watch.column for watch in item.watches}
    position = table.columns.index(column)
    method = table.columns.index("method") if "method" in table.columns else None
    found: dict[tuple[object, ...], float] = {}
    for row in table.rows:
        value = row[position]
        if isinstance(value, int | float) and (method is None or row[method] == OWN):
            # a name, or a number that is no result, says what the row is about
            key = tuple(
                cell
                for name, cell in zip(table.columns, row, strict=True)
                if name not in numbers and (isinstance(cell, str) or name == "share")
            )
            found[key] = float(value)
    return found
