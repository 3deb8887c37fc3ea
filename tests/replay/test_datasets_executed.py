"""The shipped datasets executed again from their trace files: as the node recorded them, and as the reference does."""

from __future__ import annotations

from typing import Final

import pytest

from specminer.history.trace import Fidelity, Transaction
from specminer.pipeline import Rulebook, import_export
from specminer.pipeline.datasets import dataset, list_datasets
from specminer.replay.export_replay import RecordReplay
from specminer.replay.fast_machine import FastMachine
from specminer.replay.fork_schedule import rules_of_fork
from specminer.replay.reference_machine import Machine
from specminer.sources.tracefile import Header, TraceFile
from specminer.store import TraceStore
from tests.support.agreement import differing_fields
from tests.support.engine import comparable
from tests.support.trace_exports import is_direct, rebuilt_export, rebuilt_transaction

COMPLETE: Final = ("lottery", "tender")
"""Those whose trace files hold all that happened: no other contract calls, or is called."""
CREATED: Final = tuple(item.name for item in list_datasets() if len(item.trace_files) == 1)
"""Those whose trace files begin with the creation, by a transaction of its own."""
COMPARED: Final = 25
"""Transactions that the reference executes as well."""


def contents(name: str) -> tuple[Header, list[Transaction]]:
    """Return a dataset's header and transactions."""
    file = TraceFile(dataset(name).traces)
    return file.header, list(file.transactions())


@pytest.mark.parametrize("name", COMPLETE)
def test_a_dataset_executed_again_is_what_the_node_recorded(name: str) -> None:
    header, recorded = contents(name)
    chain_id, contract = header.record.chain_id, header.record.address
    with TraceStore("sqlite://") as store:
        export = rebuilt_export(header, recorded, name)
        done = import_export(store, export, Rulebook(chain_id=chain_id, fork="cancun"))
        again = list(store.transactions(chain_id, contract))
    assert done.fidelity == {Fidelity.EXACT: len(recorded)}
    for own, other in zip(again, recorded, strict=True):
        assert differing_fields(own, other) == [], f"0x{other.hash.hex()}"


@pytest.mark.parametrize("name", CREATED)
def test_both_machines_execute_a_dataset_alike(name: str) -> None:
    header, recorded = contents(name)
    assert recorded[0].to is None
    direct = [item for item in recorded if is_direct(item)][:COMPARED]
    replays = [
        RecordReplay(
            machine,
            header.record.chain_id,
            rules_of_fork("cancun"),
            frozenset({header.record.address}),
            gas_is_evidence=True,
            codes=dict(header.record.implementations),
        )
        for machine in (FastMachine(), Machine())
    ]
    for row, item in enumerate(direct, 1):
        record = rebuilt_transaction(item, row)
        first, second = (comparable(replay.step(record, item.index)) for replay in replays)
        assert first == second, f"0x{item.hash.hex()}"
