"""The benchmark: all measures, with peers, in one run.

    python -m benchmarks                     # all but what is nightly; writes benchmarks/results.json and the page
    python -m benchmarks --quick             # a part, in three minutes; writes nothing of these
    python -m benchmarks --nightly           # also histories of 1,000,000 and 10,000,000 calls
    python -m benchmarks automata learning   # these measures; the others stay as they are
    python -m benchmarks --contract FOLDER   # automata of one contract more: see docs/benchmarks.md
    python -m benchmarks --page              # docs/benchmarks.md from the results, without a run
    python -m benchmarks --list              # the measures

``--results FILE`` writes there, and not the page; ``--against FILE`` compares with earlier results, and ends with exit
code 1 if a number got worse by more than chance makes it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.corpus_folder import CorpusFolder, FolderError, corpus, read_folder
from benchmarks.measures import MEASURES, Effort, LeftOut, Measure, Pace, measure
from benchmarks.page import PAGE, page_files, text_tables
from benchmarks.regressions import regressions
from benchmarks.results import (
    RESULTS,
    Results,
    Table,
    load,
    read_results,
    surroundings,
    today,
    with_table,
    write_results,
)

_ORDER = [item.name for item in MEASURES]


def main(given: Sequence[str] | None = None) -> int:
    """Run the measures, and write what they found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a part of the measures, in three minutes")
    parser.add_argument("--nightly", action="store_true", help="also what takes hours")
    parser.add_argument(
        "--contract", type=Path, metavar="FOLDER", help="measure the automata of this contract alone"
    )
    parser.add_argument("--results", type=Path, metavar="FILE", help="where results are written")
    parser.add_argument("--against", type=Path, metavar="FILE", help="compare with these results")
    parser.add_argument("--page", action="store_true", help="write docs/benchmarks.md without a run")
    parser.add_argument("--list", action="store_true", help="list the measures")
    parser.add_argument("names", nargs="*", metavar="MEASURE", help=f"any of: {', '.join(_ORDER)}")
    arguments = parser.parse_args(given)
    if unknown := [name for name in arguments.names if name not in _ORDER]:
        parser.error(f"the measures are {', '.join(_ORDER)}; not {', '.join(unknown)}")
    if arguments.list:
        for item in MEASURES:
            print(f"{item.name:12} {item.pace.value:8} {item.minutes:4g} min  {item.title}")
        return 0
    if arguments.page:
        write_page(read_results(RESULTS))
        return 0
    try:
        folders = corpus() if arguments.contract is None else [read_folder(arguments.contract)]
        chosen = chosen_measures(
            arguments.names, arguments.contract, quick=arguments.quick, nightly=arguments.nightly
        )
        results = run(chosen, arguments, folders)
    except FolderError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    return _compared(results, arguments.against)


def chosen_measures(
    names: Sequence[str], contract: Path | None, *, quick: bool, nightly: bool
) -> list[Measure]:
    """Return the measures that are asked for, in their order."""
    if names:
        return [item for item in MEASURES if item.name in names]
    if contract is not None:
        return [measure("automata")]
    paces = {Pace.QUICK} | (set() if quick else {Pace.NORMAL}) | ({Pace.NIGHTLY} if nightly else set())
    return [item for item in MEASURES if item.pace in paces]


def run(chosen: Sequence[Measure], arguments: argparse.Namespace, folders: Sequence[CorpusFolder]) -> Results:
    """Take the measures one after another; each is printed and written when it is done."""
    partial = arguments.quick or arguments.contract is not None
    path: Path | None = arguments.results or (None if partial else RESULTS)
    results = Results(surroundings=[], measures={}) if path is None else read_results(path)
    fresh = Results(surroundings=[], measures={})
    around = surroundings()
    for item in chosen:
        table = taken(item, arguments, folders)
        if table is None:
            continue
        fresh = with_table(fresh, item.name, table, around, _ORDER)
        results = with_table(results, item.name, table, around, _ORDER)
        print(text_tables(item, table), flush=True)
        if path is not None:
            write_results(results, path)
    if path == RESULTS:
        write_page(results)
    return fresh


def taken(item: Measure, arguments: argparse.Namespace, folders: Sequence[CorpusFolder]) -> Table | None:
    """Take a measure; ``None`` if it cannot be taken here, which is said."""
    notes: list[str] = []
    effort = Effort(
        quick=arguments.quick,
        nightly=arguments.nightly,
        corpus=folders,
        note=notes.append,
    )
    print(f"{item.name}: {item.title} (about {item.minutes:g} min)", flush=True)
    start = time.perf_counter()
    try:
        rows = list(item.run(effort))
    except LeftOut as error:
        print(f"  left out: {error}", flush=True)
        return None
    for note in dict.fromkeys(notes):
        print(f"  {note}", flush=True)
    return Table(
        date=today(),
        quick=arguments.quick,
        seeds=item.seeds,
        seconds=round(time.perf_counter() - start, 1),
        load=load(),
        run=0,
        columns=list(item.columns),
        rows=rows,
        notes=list(dict.fromkeys(notes)),
    )


def write_page(results: Results) -> None:
    """Write the page and its pictures."""
    for path, text in page_files(results).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    print(f"{PAGE} and its pictures are written")


def _compared(results: Results, against: Path | None) -> int:
    if against is None:
        return 0
    worse = regressions(read_results(against), results)
    for line in worse:
        print(f"worse: {line}", file=sys.stderr)
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
