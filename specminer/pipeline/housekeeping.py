"""Databases that are looked after: checked as a whole, and told about in text and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from specminer._support.addresses import checksum_address
from specminer._support.errors import StoreError, plain
from specminer._support.text import count_of
from specminer.store import TraceStore
from specminer.store.upkeep import DatabaseSize, Flaw


def check(store: TraceStore) -> Iterator[Flaw]:
    """Yield what is wrong in a database; every transaction is read once."""
    yield from store.flaws()
    for item in store.contracts():
        try:
            for _ in store.transactions(item.chain_id, item.address):
                pass
        except StoreError as error:
            name = f"{checksum_address(item.address)} on chain {item.chain_id}"
            yield Flaw(text=f"{name} cannot be read: {error.message}", lasting=True)


def sizes_text(size: DatabaseSize) -> str:
    """Return the rows and bytes of each table for a terminal."""
    lines = [f"{'table':<20} {'rows':>14} {'bytes':>16} {'bytes/invocation':>18}"]
    for table in size.tables:
        if table.rows:
            lines.append(_row(table.name, table.rows, table.size, size.invocations))
    lines.append(_row("database", sum(table.rows for table in size.tables), size.size, size.invocations))
    if size.free:
        lines.append(f"{size.free:,} bytes hold nothing; `specminer db vacuum` gives them back")
    return "\n".join(lines)


def _row(name: str, rows: int, size: int | None, invocations: int) -> str:
    whole = "?" if size is None else f"{size:,}"
    share = "?" if size is None or not invocations else f"{size / invocations:,.1f}"
    return f"{name:<20} {rows:>14,} {whole:>16} {share:>18}"


def sizes_json(size: DatabaseSize) -> str:
    """Return the rows and bytes of each table as JSON; a size that is not known is null."""
    tables = [{"name": table.name, "rows": table.rows, "bytes": table.size} for table in size.tables]
    document = {"bytes": size.size, "free": size.free, "invocations": size.invocations, "tables": tables}
    return json.dumps(document, indent=2)


def flaws_text(flaws: Sequence[Flaw]) -> str:
    """Return what is wrong for a terminal, a line each, and a sentence that sums up."""
    lines = [f"{'damaged' if flaw.lasting else 'note'}: {plain(flaw.text, 500)}" for flaw in flaws]
    damaged = sum(flaw.lasting for flaw in flaws)
    end = (
        f"{count_of(damaged, 'damage')}: restore the database from a copy, or collect the history anew into "
        "another --db"
        if damaged
        else "the database is sound"
    )
    return "\n".join([*lines, end])


def flaws_json(flaws: Sequence[Flaw]) -> str:
    """Return what is wrong as JSON."""
    return json.dumps([{"damaged": flaw.lasting, "text": plain(flaw.text, 500)} for flaw in flaws], indent=2)
