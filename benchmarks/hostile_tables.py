"""Mutated tables and saved traces, in every format that ``specminer import`` reads: whole, or not at all."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow
import pyarrow.parquet

from specminer import import_history
from specminer._support.errors import SpecminerError
from specminer.sources.parquet_rows import is_parquet
from specminer.store import TraceStore
from tests.support.exports import Record
from tests.support.mutations import mutated, scrambled
from tests.support.tables import FORMATS, octets, write_json, write_parquet

CHAIN: Final = 31337
_TRACERS: Final = ("JavaScript", "structLogs", "prestates")
Originals = Mapping[str, Mapping[str, bytes]]
"""The files of each format, by name."""


def table_originals(
    export: Sequence[Record], answers: Sequence[Mapping[tuple[str, str], Any]], state: bytes, folder: Path
) -> Originals:
    """Return a history in every format of transactions, its traces as they may have been saved, and its beginning.

    Args:
        export: the history as an explorer lists it.
        answers: what a node answered to collections with each tracer.
        state: the state in which the contract is there, as a node dumps it.
        folder: where files may be written.

    """
    found: dict[str, Mapping[str, bytes]] = {}
    for name, write in FORMATS.items():
        (place := folder / name).mkdir(parents=True)
        found[name] = {path.name: path.read_bytes() for path in write(place, export)}
    listed = write_json(folder / "list.json", list(export)).read_bytes()
    diffs, nested = _beside(export)
    for name, path in (
        ("storage differences", write_parquet(folder / "diffs.parquet", diffs)),
        ("nested traces", write_json(folder / "nested.json", nested)),
    ):
        found[name] = {"list.json": listed, path.name: path.read_bytes()}
    for tracer, told in zip(_TRACERS, answers, strict=True):
        traces = [
            {"txHash": json.loads(params)[0], "result": answer["result"]}
            for (method, params), answer in told.items()
            if method == "debug_traceTransaction" and "result" in answer
        ]
        found[f"saved traces, {tracer}"] = {"list.json": listed, "traces.json": json.dumps(traces).encode()}
    begun = write_json(folder / "begun.json", [record for record in export if record["to"]]).read_bytes()
    accounts = json.loads(state)["accounts"]
    genesis = {"config": {"chainId": CHAIN}, "alloc": {name[2:]: item for name, item in accounts.items()}}
    for form, content in (("dump", state), ("genesis", json.dumps(genesis).encode())):
        found[f"state, {form}"] = {"list.json": begun, "state.json": content}
    return found


def _beside(export: Sequence[Record]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return what may be said beside an export of its calls: differences of storage, and nested traces."""
    calls = [record for record in export if record["to"]]
    diffs = [
        {
            "block_number": int(record["blockNumber"]),
            "transaction_hash": octets(record["hash"]),
            "address": octets(record["to"]),
            "slot": row.to_bytes(32, "big"),
            "from_value": bytes(32),
            "to_value": (row + 1).to_bytes(32, "big"),
        }
        for row, record in enumerate(calls)
    ]
    nested = [
        {
            "output": "0x",
            "stateDiff": {
                record["to"]: {
                    "balance": "=",
                    "storage": {f"0x{row:064x}": {"*": {"from": "0x0", "to": "0x1"}}},
                }
            },
            "trace": [
                {
                    "action": {
                        "callType": "call",
                        "from": record["from"],
                        "to": record["to"],
                        "gas": "0x5208",
                        "input": record["input"],
                        "value": "0x0",
                    },
                    "blockNumber": int(record["blockNumber"]),
                    "result": {"gasUsed": "0x0", "output": "0x"},
                    "subtraces": 0,
                    "traceAddress": [row],
                    "transactionPosition": int(record["transactionIndex"]),
                    "type": "call",
                }
            ],
            "transactionHash": record["hash"],
        }
        for row, record in enumerate(calls)
    ]
    return diffs, nested


def attack_by_table(given: Originals, source: random.Random, folder: Path) -> str:
    """Import a format's files, one of them mutated; return which format it was.

    Raises:
        SpecminerError: they were refused, and nothing of them was stored.

    """
    name = source.choice(sorted(given))
    files = given[name]
    target = source.choice(sorted(files))
    paths = []
    for file, content in files.items():
        path = folder / file
        path.write_bytes(content)
        if file == target:
            _mutate(path, source)
        paths.append(path)
    source.shuffle(paths)
    database = folder / "tables.db"
    for path in folder.glob("tables.db*"):
        path.unlink()
    try:
        import_history(database, *paths, chain_id=CHAIN)
    except SpecminerError:
        _check_nothing(database)
        raise
    finally:
        for path in paths:
            path.unlink()
    return name


def _check_nothing(database: Path) -> None:
    if database.exists():
        with TraceStore(str(database)) as store:
            assert not any(item.transactions for item in store.contracts()), "something was stored"


def _mutate(path: Path, source: random.Random) -> None:
    if source.random() < 0.5:
        path.write_bytes(scrambled(path.read_bytes(), source))
    elif is_parquet(path):
        rows = pyarrow.parquet.read_table(path).to_pylist()
        _change_cell(rows, source)
        try:
            pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
        except (pyarrow.ArrowException, TypeError, ValueError, OverflowError):
            path.write_bytes(scrambled(path.read_bytes(), source))
    elif path.read_bytes()[:1] in (b"[", b"{") and path.suffix == ".json" and b"\n" not in path.read_bytes():
        document = mutated(json.loads(path.read_bytes()), source)
        path.write_bytes(json.dumps(document).encode("utf-8", "surrogatepass"))
    else:
        lines = path.read_bytes().splitlines(keepends=True)
        row = source.randrange(len(lines))
        lines[row] = scrambled(lines[row], source)
        path.write_bytes(b"".join(lines))


def _change_cell(rows: list[dict[str, Any]], source: random.Random) -> None:
    """Give a column another value, in one row or in all of them, so that its type changes."""
    name = source.choice(sorted(rows[0]))
    value = source.choice(
        (None, -1, 1 << 62, 0.5, "", "0x", b"", b"\xff" * 40, True, "nan", [1], {"a": b"1"})
    )
    chosen = rows if source.random() < 0.5 else [source.choice(rows)]
    for row in chosen:
        row[name] = value
