"""What a run of the benchmark found, as it is kept in ``benchmarks/results.json``."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

RESULTS: Final = Path(__file__).with_name("results.json")
"""The results that ``docs/benchmarks.md`` shows."""
PACKAGES: Final = ("specminer", "numpy", "pysmt", "z3-solver", "aalpy", "ethereum-execution")
"""Packages whose versions may change a result."""

Cell: TypeAlias = str | int | float | None
"""A name or a number; ``None`` where a method gives nothing."""


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """Where a measure ran."""

    system: str
    processor: str
    cores: int
    """That the process may use."""
    memory_gb: float
    """Of the machine, in 10^9 bytes."""
    python: str
    versions: dict[str, str]


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a measure."""

    date: str
    """Of the run, as ``2026-12-01``, UTC."""
    quick: bool
    """Whether only a part was measured."""
    seeds: int
    """How many samples are drawn of what is random; 0 if nothing is."""
    seconds: float
    """Wall time."""
    load: float
    """Average of processes that wanted to run in the last minute, at the end."""
    run: int
    """Position in the surroundings of the results."""
    columns: list[str]
    rows: list[list[Cell]]
    notes: list[str] = msgspec.field(default_factory=list)
    """What was left out, and why."""


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """All measures, each from its newest run."""

    format: int = 1
    surroundings: list[Surroundings]
    measures: dict[str, Table]


def surroundings() -> Surroundings:
    """Return what this process runs on; packages that are not installed are left out."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Surroundings(
        system=f"{platform.system()} {platform.machine()}",
        processor=processor(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_gb=round(memory / 1e9, 1),
        python=platform.python_version(),
        versions=versions,
    )


def processor() -> str:
    """Return the model of the processor, as far as the system tells it."""
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def today() -> str:
    """Return the date, UTC."""
    return datetime.now(UTC).date().isoformat()


def load() -> float:
    """Return how many processes wanted to run, on average of the last minute."""
    return round(os.getloadavg()[0], 2)


def read_results(path: Path) -> Results:
    """Return what a file holds; nothing if there is no such file."""
    if not path.is_file():
        return Results(surroundings=[], measures={})
    return msgspec.json.decode(path.read_bytes(), type=Results)


def write_results(results: Results, path: Path) -> None:
    """Write results, a row a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(results_text(results).encode())


def results_text(results: Results) -> str:
    """Return results as JSON, a row a line, the same for the same results."""
    measures = []
    for name, table in results.measures.items():
        head = msgspec.to_builtins(table)
        rows = head.pop("rows")
        lines = ",\n".join(f"   {_text(row)}" for row in rows)
        fields = "".join(f"   {_text(key)}: {_text(value)},\n" for key, value in head.items())
        measures.append(f'  {_text(name)}: {{\n{fields}   "rows": [\n{lines}\n   ]\n  }}')
    around = ",\n".join(f"  {_text(msgspec.to_builtins(item))}" for item in results.surroundings)
    inner = ",\n".join(measures)
    return f'{{\n "format": {results.format},\n "surroundings": [\n{around}\n ],\n "measures": {{\n{inner}\n }}\n}}\n'


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def with_table(
    results: Results, name: str, table: Table, around: Surroundings, order: Sequence[str]
) -> Results:
    """Return results with a table in the place of an earlier one of the measure, and surroundings that are used."""
    places = [*results.surroundings, around]
    tables = {
        key: (places[item.run], item)
        for key, item in results.measures.items()
        if key != name and key in order
    }
    tables[name] = (around, table)
    used: list[Surroundings] = []
    ordered = {}
    for key in sorted(tables, key=order.index):
        place, item = tables[key]
        if place not in used:
            used.append(place)
        ordered[key] = msgspec.structs.replace(item, run=used.index(place))
    return Results(surroundings=used, measures=ordered)
