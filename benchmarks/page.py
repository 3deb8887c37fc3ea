"""Writes ``docs/benchmarks.md`` and its pictures from results, and tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Final

from benchmarks.corpus_folder import corpus
from benchmarks.corpus_measures import EXERCISED, OWN
from benchmarks.measures import MEASURES, Measure, View
from benchmarks.result_chart import bars, lines
from benchmarks.results import Cell, Results, Table

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = Path("docs") / "benchmarks.md"
PICTURES: Final = Path("docs") / "pictures" / "benchmarks"
TEXT: Final = Path(__file__).with_name("page.md")
"""What of the page is no result."""
AIMED: Final = 0.95
"""F on a contract; where it is lower, the contract's folder says why."""
NOTICED: Final = 0.01
"""A peer is ahead on a contract if it has so much more."""
_NOTHING: Final = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A table as it is shown."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, tuple[float | None, ...]], ...]
    """The name of each row, and its numbers."""
    whole: frozenset[int]
    """Positions of the numbers that are counts."""


def page_files(results: Results) -> dict[Path, str]:
    """Return the texts of the page and its pictures, by path."""
    pictures: dict[Path, str] = {}
    sections = []
    for item in MEASURES:
        table = results.measures.get(item.name)
        if table is not None:
            sections.append("\n".join(_section(item, table, pictures)))
    missing = [f"`{item.name}`" for item in MEASURES if item.name not in results.measures]
    if missing:
        sections.append(f"## Not in these results\n\nNot taken: {', '.join(missing)}.\n")
    text = TEXT.read_text(encoding="utf-8")
    for mark, part in (
        ("corpus", _corpus()),
        ("limits", "\n".join(_limits(results))),
        ("summary", "\n".join(_summary(results))),
        ("machines", _machines(results)),
        ("duration", _duration(results)),
        ("measures", "\n".join(sections)),
    ):
        text = text.replace(f"<!-- {mark} -->", part)
    return {ROOT / PAGE: text, **{ROOT / path: picture for path, picture in pictures.items()}}


def _section(item: Measure, table: Table, pictures: dict[Path, str]) -> Iterator[str]:
    yield f"## {item.title}\n"
    yield f"{item.text}\n"
    yield f"{_provenance(item, table)}\n"
    for note in table.notes:
        yield f"Left out: {_escaped(note)}.\n"
    for view in item.views:
        grid = grid_of(view, table)
        if view.chart is not None:
            path = PICTURES / f"{item.name}.svg"
            pictures[path] = _chart(item, view, grid)
            yield f"![{item.title}: {view.values[0]}]({path.relative_to(PAGE.parent)})\n"
        if len(item.views) > 1:
            yield f"### {view.title}\n"
        yield "\n".join(_markdown(grid)) + "\n"
    if item.peers:
        yield "### Where a peer is ahead\n"
        yield "\n".join(_ahead(item, table)) + "\n"


def _provenance(item: Measure, table: Table) -> str:
    part = "a part only (`--quick`); " if table.quick else ""
    seeds = f"{table.seeds} seeds; " if table.seeds else ""
    return (
        f"`python -m benchmarks {item.name}`: {part}{seeds}{table.date}, {table.seconds:,.0f} s, machine "
        f"{table.run + 1}, load {table.load:g}."
    )


def grid_of(view: View, table: Table) -> Grid:
    """Return the numbers of a view."""
    by = table.columns.index(view.by)
    positions = [table.columns.index(name) for name in view.values]
    keys = list(dict.fromkeys(row[by] for row in table.rows))
    if view.across is None:
        counted = view.how == "mean"
        rows = []
        for key in keys:
            own = [row for row in table.rows if row[by] == key]
            numbers = [_together([row[place] for row in own], view.how) for place in positions]
            filled = sum(row[positions[0]] is not None for row in own)
            rows.append((_named(key, view.by), tuple([*numbers, float(filled)] if counted else numbers)))
        if view.total:
            sums = [
                _together([row[place] for row in table.rows], view.how if _counts(table, place) else "mean")
                for place in positions
            ]
            rows.append(("all", tuple([*sums, float(len(table.rows))] if counted else sums)))
        whole = {place for place, name in enumerate(positions) if view.how == "sum" and _counts(table, name)}
        head = (view.by, *view.values, *(("rows",) if counted else ()))
        return Grid(
            head=head, rows=tuple(rows), whole=frozenset(whole | ({len(positions)} if counted else set()))
        )
    across = table.columns.index(view.across)
    names = list(dict.fromkeys(row[across] for row in table.rows))
    found = [
        (
            _named(key, view.by),
            tuple(
                _together(
                    [r[positions[0]] for r in table.rows if r[by] == key and r[across] == name], view.how
                )
                for name in names
            ),
        )
        for key in keys
    ]
    found = [item for item in found if any(number is not None for number in item[1])]
    if view.total:
        columns = zip(*(numbers for _, numbers in found), strict=True)
        found.append(("all", tuple(_together(list(column), view.how) for column in columns)))
    return Grid(
        head=(view.by, *(_named(name, view.across) for name in names)), rows=tuple(found), whole=frozenset()
    )


def _counts(table: Table, position: int) -> bool:
    return all(isinstance(row[position], int) or row[position] is None for row in table.rows)


def _together(cells: Sequence[Cell], how: str) -> float | None:
    numbers = [float(cell) for cell in cells if isinstance(cell, int | float)]
    if not numbers:
        return None
    return fmean(numbers) if how == "mean" else sum(numbers)


def _named(cell: Cell, column: str) -> str:
    if isinstance(cell, float) and column == "share":
        return f"{cell:.0%}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def _shown(number: float | None, *, whole: bool) -> str:
    if number is None:
        return _NOTHING
    if whole:
        return f"{number:,.0f}"
    return f"{number:.3f}" if abs(number) < 10 else f"{number:,.1f}"


def _markdown(grid: Grid) -> Iterator[str]:
    yield f"| {' | '.join(map(_escaped, grid.head))} |"
    yield f"| --- |{' ---: |' * (len(grid.head) - 1)}"
    for name, numbers in grid.rows:
        cells = (_shown(number, whole=place in grid.whole) for place, number in enumerate(numbers))
        yield f"| {_escaped(name)} | {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def _chart(item: Measure, view: View, grid: Grid) -> str:
    if view.chart == "bars":
        rows = [(name, numbers[0]) for name, numbers in grid.rows if numbers[0] is not None]
        return bars([(name, number) for name, number in rows], label=item.title, own=OWN)
    shares = [float(name.rstrip("%")) / 100 for name, _ in grid.rows]
    series = {
        method: [
            (share, number)
            for share, (_, numbers) in zip(shares, grid.rows, strict=True)
            if (number := numbers[place]) is not None
        ]
        for place, method in enumerate(grid.head[1:])
    }
    return lines(series, label=item.title, own=OWN)


def _ahead(item: Measure, table: Table) -> Iterator[str]:
    """Yield a sentence for each column in which methods are compared, on the rows that a peer fills."""
    method = table.columns.index("method")
    for column, more in item.peers.items():
        position = table.columns.index(column)
        numbers: dict[str, dict[tuple[Cell, ...], float]] = {}
        for row in table.rows:
            value = row[position]
            if isinstance(value, int | float):
                numbers.setdefault(str(row[method]), {})[tuple(row[:method])] = float(value)
        own = numbers.pop(OWN, {})
        ahead = list(_peers_ahead(own, numbers, more=more))
        rows = {
            key
            for name, values in numbers.items()
            if name != EXERCISED
            for key, value in values.items()
            if key in own and (value - own[key] if more else own[key] - value) > NOTICED
        }
        if ahead:
            yield f"- `{column}`: {'; '.join(ahead)}."
        else:
            yield f"- `{column}`: no peer is ahead on the mean of the rows that it fills."
        if rows:
            names = sorted({str(key[0]) for key in rows})
            shown = ", ".join(f"`{_escaped(name)}`" for name in names)
            count = len({key[0] for key in own})
            yield f"  Some peer is ahead on {len(names)} of {count} contracts: {shown}."


def _peers_ahead(
    own: Mapping[tuple[Cell, ...], float],
    numbers: Mapping[str, Mapping[tuple[Cell, ...], float]],
    *,
    more: bool,
) -> Iterator[str]:
    for name, values in numbers.items():
        common = own.keys() & values.keys()
        if name == EXERCISED or not common:
            continue
        mine, theirs = (fmean(each[key] for key in common) for each in (own, values))
        if (theirs > mine) if more else (theirs < mine):
            yield f"{name} is ahead, {theirs:.3f} against {mine:.3f} on {len(common)} rows"


def _corpus() -> str:
    lines_ = ["| contract | what it is | history |", "| --- | --- | --- |"]
    for folder in corpus():
        source = (
            "shipped dataset"
            if folder.dataset
            else "recorded on a node"
            if folder.needs_node
            else "beside it"
        )
        lines_.append(f"| `{folder.name}` | {_escaped(folder.title)} | {source} |")
    return "\n".join(lines_)


def low_scores(results: Results) -> dict[str, float]:
    """Return F of the contracts on which it is below what is aimed at, by their names."""
    table = results.measures.get("automata")
    if table is None:
        return {}
    name, method, f = (table.columns.index(column) for column in ("contract", "method", "f"))
    scores = {str(row[name]): float(row[f] or 0) for row in table.rows if row[method] == OWN}
    return {contract: score for contract, score in sorted(scores.items()) if score < AIMED}


def _limits(results: Results) -> Iterator[str]:
    """Yield a table of the contracts with a low score, and of what stands in the way."""
    low = low_scores(results)
    if not low:
        return
    limits = {folder.name: folder.limit for folder in corpus()}
    yield f"Where F is below {AIMED:g}, this stands in the way:\n"
    yield "| contract | F | limit |"
    yield "| --- | ---: | --- |"
    for name, score in low.items():
        yield f"| `{name}` | {score:.3f} | {_escaped(limits.get(name) or _NOTHING)} |"


def shares(results: Results) -> dict[str, float]:
    """Return the figures that the page begins with, by what they are; those of measures that were taken."""
    sums = {
        (name, column): [row[place] for row in table.rows]
        for name, table in results.measures.items()
        for place, column in enumerate(table.columns)
    }

    def mean(name: str, column: str) -> float | None:
        return _together(sums.get((name, column), []), "mean")

    def share(name: str, part: str, whole: str) -> float | None:
        parts, all_ = (_together(sums.get((name, column), []), "sum") for column in (part, whole))
        return None if parts is None or not all_ else parts / all_

    own = [
        row
        for row in (results.measures["automata"].rows if "automata" in results.measures else [])
        if row[1] == OWN
    ]
    found = {
        "entities: pairwise F1, mean": mean("splits", "f1"),
        "automata: F, mean": _together([row[5] for row in own], "mean"),
        "guards by which somebody was rejected: found": share("conditions", "required found", "required"),
        "guards that nobody broke: found": share("conditions", "coded found", "coded"),
        "guards: wrong": share("conditions", "wrong", "told"),
        "effects: found": share("effects", "found", "listed"),
        "effects: wrong": share("effects", "wrong", "mined"),
        "attacks: first of all transactions": share("attacks", "first", "attacked"),
        "benign transactions: alarms": share("attacks", "benign alarms", "benign"),
    }
    return {name: number for name, number in found.items() if number is not None}


def _summary(results: Results) -> Iterator[str]:
    yield "| what | measured |"
    yield "| --- | ---: |"
    for name, number in shares(results).items():
        yield f"| {name} | {number:.1%} |"


def _duration(results: Results) -> str:
    minutes = sum(table.seconds for table in results.measures.values()) / 60
    return f"All measures below took {minutes:.0f} minutes together."


def _machines(results: Results) -> str:
    lines_ = [
        "| machine | system | processor | cores | memory | Python | packages |",
        "| --- | --- | --- | ---: | ---: | --- | --- |",
    ]
    for place, item in enumerate(results.surroundings):
        packages = ", ".join(f"{name} {version}" for name, version in item.versions.items())
        lines_.append(
            f"| {place + 1} | {item.system} | {_escaped(item.processor)} | {item.cores} | {item.memory_gb:g} GB | "
            f"{item.python} | {packages} |"
        )
    return "\n".join(lines_)


def text_tables(item: Measure, table: Table) -> str:
    """Return the views of a table for a terminal."""
    parts = []
    for view in item.views:
        grid = grid_of(view, table)
        rows = [grid.head] + [
            (name, *(_shown(number, whole=place in grid.whole) for place, number in enumerate(numbers)))
            for name, numbers in grid.rows
        ]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        parts.append(f"  {view.title}")
        parts += [
            "  "
            + row[0].ljust(widths[0])
            + "".join(f"  {cell.rjust(width)}" for cell, width in zip(row[1:], widths[1:], strict=True))
            for row in rows
        ]
    return "\n".join(parts)
