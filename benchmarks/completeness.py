"""How complete imported histories are: ``python -m benchmarks.completeness [FOLDER ...]``.

Each FOLDER holds an explorer's lists of one contract: ``txlist.json.gz``, and maybe ``abi.json``,
``txlistinternal.json.gz`` and ``traces-bigquery.json.gz``; by default those in the folders that
``SPECMINER_REAL_HISTORIES`` and ``SPECMINER_REAL_DATA`` name. Prints for each, without internal calls and with each
list of them:

- listed: transactions to the contract, or that create it, and how many of them are in the history;
- internal: transactions of others in which the list has a call of the contract, and how many of them are in the
  history;
- calls that are events, and those that should be: neither read-only by the ABI nor rolled back;
- the share of the reads of storage whose value is unknown.

Exits with 1 if a listed transaction or a given internal call is missing, or a call that should be an event is none.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from specminer.contracts.artifact import load
from specminer.decoding import HistoryContext, decode
from specminer.history.contract_history import CONSTRUCTOR, OUTCOMES
from specminer.history.trace import Address, OutcomeKind
from specminer.pipeline import Export, Rulebook, import_export
from specminer.pipeline.facts import unknown_values
from specminer.replay.fork_schedule import rules_of_chain
from specminer.sources.exported import CallType, ExportedCall, ExportedTransaction
from specminer.sources.listings import main_contract
from specminer.sources.txlist import read_calls, read_transactions
from specminer.store import TraceStore

LISTS: Final = ("", "txlistinternal.json.gz", "traces-bigquery.json.gz")
ROLLED_BACK: Final = OUTCOMES.index(OutcomeKind.ROLLED_BACK)
PRIVATE: Final = 1337


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """What became of one history."""

    listed: int
    listed_kept: int
    internal: int
    internal_kept: int
    calls: int
    wanted_events: int
    events: int
    reads: int
    unknown_reads: int

    @property
    def whole(self) -> bool:
        """Whether nothing that was given is missing."""
        return (
            self.listed == self.listed_kept
            and self.internal == self.internal_kept
            and self.events == self.wanted_events
        )


def folders() -> list[Path]:
    """Return the folders of histories that the environment names."""
    found: list[Path] = []
    for name in ("SPECMINER_REAL_HISTORIES", "SPECMINER_REAL_DATA"):
        if os.environ.get(name):
            found += sorted(path.parent for path in Path(os.environ[name]).rglob("txlist.json.gz"))
    return found


def measure(folder: Path, internal: str) -> Completeness:
    """Import a history, with the internal calls of a file if named, and count."""
    transactions = read_transactions(folder / "txlist.json.gz")
    calls = read_calls(folder / internal) if internal else ()
    contract = main_contract(transactions)
    assert contract is not None, "a history has calls"
    chain_id = 1 if rules_of_chain(1) is not None and "azure" not in folder.parts else PRIVATE
    with TraceStore("sqlite://") as store:
        export = Export(transactions=transactions, calls=calls, origin=str(folder))
        artifact = load(folder / "abi.json") if (folder / "abi.json").exists() else None
        import_export(store, export, Rulebook(chain_id=chain_id), artifact=artifact)
        context = decode(store.history(chain_id, [contract]))
    return count(context, contract, transactions, calls)


def count(
    context: HistoryContext,
    contract: Address,
    transactions: tuple[ExportedTransaction, ...],
    calls: tuple[ExportedCall, ...],
) -> Completeness:
    """Compare a history with what was given."""
    history = context.history
    kept = {history.transaction_hash[row] for row in np.unique(history.invocation_transaction).tolist()}
    listed = {item.hash for item in transactions if contract in (item.to, item.created)}
    inner = {call.hash for call in calls if _reaches(call, contract)} - {item.hash for item in transactions}
    selectors = {selector for selector, function in context.interface.functions.items() if function.read_only}
    reading = np.array([data[:4] in selectors for data in history.invocation_data], dtype=np.bool_)
    wanted = (history.invocation_outcome != ROLLED_BACK) & (
        ~reading | (history.invocation_kind == CONSTRUCTOR)
    )
    unknown = unknown_values(context)
    return Completeness(
        listed=len(listed),
        listed_kept=len(listed & kept),
        internal=len(inner),
        internal_kept=len(inner & kept),
        calls=len(history),
        wanted_events=int(wanted.sum()),
        events=int(context.is_event.sum()),
        reads=0 if unknown is None else unknown.reads,
        unknown_reads=0 if unknown is None else unknown.unknown_reads,
    )


def _reaches(call: ExportedCall, contract: Address) -> bool:
    """Return whether code of the contract ran in a call that another made."""
    plain = call.type in (CallType.CALL, CallType.CALLCODE)
    return plain and call.to == contract and call.sender != contract


def rows(paths: list[Path]) -> Iterator[tuple[str, str, Completeness]]:
    """Yield name, list and counts of each history."""
    for folder in paths:
        for internal in LISTS:
            if not internal or (folder / internal).exists():
                yield folder.name, internal.partition(".")[0] or "without", measure(folder, internal)


def main() -> None:
    """Run from the command line."""
    paths = [Path(text) for text in sys.argv[1:]] or folders()
    print(
        f"{'history':<20}{'internal calls':<20}{'listed':>15}{'internal':>13}{'events':>15}{'unknown reads':>16}"
    )
    whole = True
    for name, internal, found in rows(paths):
        whole &= found.whole
        share = found.unknown_reads / found.reads if found.reads else 0.0
        print(
            f"{name:<20}{internal:<20}"
            f"{f'{found.listed_kept:,}/{found.listed:,}':>15}"
            f"{f'{found.internal_kept:,}/{found.internal:,}':>13}"
            f"{f'{found.events:,}/{found.wanted_events:,}':>15}"
            f"{share:>15.1%}{'' if found.whole else '  something is missing'}",
            flush=True,
        )
    sys.exit(0 if whole else 1)


if __name__ == "__main__":
    main()
