"""Trace files into and out of the database."""

from __future__ import annotations

from pathlib import Path

from specminer._support.errors import StoreError, UsageError, plain
from specminer.history.trace import Address, ContractRecord
from specminer.sources.tracefile import Header, TraceFile, write
from specminer.store import TraceStore


def export_traces(store: TraceStore, chain_id: int, contract: Address, path: Path) -> int:
    """Write a contract's history to a trace file; return the number of transactions.

    Raises:
        StoreError: the database holds nothing complete of it, or more than one range of blocks.
        OutputError: the file cannot be written.

    """
    ranges = store.ranges(chain_id, contract)
    record = store.record(chain_id, contract)
    if len(ranges) != 1:
        raise StoreError(
            f"the database holds {len(ranges)} separate ranges of blocks of 0x{contract.hex()}; a trace file "
            "holds one: collect what lies between them first"
        )
    first, last = ranges[0]
    header = Header(
        record=record,
        first_block=first,
        last_block=last,
        transactions=store.transaction_count(chain_id, contract),
        tip=next((block for block in store.blocks(chain_id) if block.number == last), None),
        limits=tuple(store.limits(chain_id, contract)),
        genesis=store.genesis(chain_id),
        gaps=tuple(gap for gap in store.gaps(chain_id, contract) if first <= gap.block <= last),
    )
    write(path, header, store.transactions(chain_id, contract))
    return header.transactions


def import_traces(store: TraceStore, path: Path) -> ContractRecord:
    """Fill the database from a trace file, whole or not at all; return the contract.

    Raises:
        FileFormatError: the file is malformed; nothing was stored.
        UsageError: it overlaps with a history that is already there.
        StoreError: the database failed, or holds another chain of the same id.

    """
    file = TraceFile(path)
    header = file.header
    record = header.record
    ranges = store.ranges(record.chain_id, record.address)
    span = (header.first_block, header.last_block)
    if any(low <= span[1] and span[0] <= high for low, high in ranges) and span not in ranges:
        raise UsageError(
            f"the database already holds blocks of 0x{record.address.hex()} that overlap with blocks {span[0]} to "
            f"{span[1]} of {plain(path)}; import into a database of its own (--db)"
        )
    store.add_history(
        record,
        file.transactions(),
        complete=span,
        tip=header.tip,
        limits=header.limits,
        genesis=header.genesis,
        gaps=header.gaps,
    )
    return record
