"""What a reader of a stored history should know of it, as sentences: gaps and unseen writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from specminer._support.errors import plain
from specminer.history.continuity import unseen_writes
from specminer.history.contract_history import History
from specminer.history.trace import Tracer
from specminer.store import schema
from specminer.store.code_instances import among

_MAX_NAMES = 3
"""Transactions that a sentence names at most."""


def remarks(connection: sa.Connection, history: History, owners: Sequence[int]) -> Iterator[str]:
    """Yield what should be known of contracts' history."""
    yield from _gaps(connection, owners, history)
    if set(history.tracers) - {Tracer.EXECUTION}:
        yield from _unseen(history)


def _gaps(connection: sa.Connection, owners: Sequence[int], history: History) -> Iterator[str]:
    table = schema.gap
    query = sa.select(table.c.hash, table.c.reason).where(
        among(table.c.contract_id, owners),
        table.c.block >= history.first_block,
        table.c.block <= history.last_block,
    )
    rows = connection.execute(query.order_by(table.c.block, table.c.hash)).all()
    if rows:
        examples = "; ".join(f"0x{row.hash.hex()} ({plain(row.reason, 120)})" for row in rows[:_MAX_NAMES])
        more = f" and {len(rows) - _MAX_NAMES:,} more" if len(rows) > _MAX_NAMES else ""
        yield (
            f"{len(rows):,} transactions could not be recorded and are missing, and what they wrote is not known: "
            f"{examples}{more}; the next run of collect tries them again"
        )


def _unseen(history: History) -> Iterator[str]:
    writes = unseen_writes(history)
    if not len(writes):
        return
    calls = history.access_invocation[writes.access]
    transactions = dict.fromkeys(history.invocation_transaction[calls].tolist())
    examples = ", ".join(
        f"0x{history.transaction_hash[row].hex()}" for row in sorted(transactions)[:_MAX_NAMES]
    )
    yield (
        f"{len(writes):,} times a slot held another value than the last recorded call had left there: somebody unseen "
        f"wrote, such as a call that was not found, or a recording is wrong; first in {examples}"
    )
