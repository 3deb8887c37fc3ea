"""A node may fail in every way that is known: one run ends, and the database is that of a faultless run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from specminer.store import TraceStore
from tests.support import till
from tests.support.anvil import Anvil
from tests.support.collecting import content, gather
from tests.support.faulty_node import Fault, FaultyNode

pytestmark = pytest.mark.slow

SHARE_OF_ALL: Final = 0.2
SHARE_OF_ONE: Final = 0.3
Tables = dict[str, list[tuple[object, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A contract, and what a faultless run collects of it."""

    anvil: Anvil
    contract: str
    tables: Tables


def collected(url: str, contract: str, database: Path) -> Tables:
    """Collect in one run, impatiently."""
    with TraceStore(str(database)) as store:
        gather(store, url, contract, pause=0.02, timeout=2)
    return content(str(database))


@pytest.fixture(scope="module")
def reference(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reference]:
    with Anvil() as anvil:
        deployed = anvil.deploy(anvil.accounts[0], till.compiled()["Till"])
        till.drive(anvil, deployed, rounds=14)
        tables = collected(anvil.url, deployed.address, tmp_path_factory.mktemp("whole") / "h.db")
        assert len(tables["transaction_"]) >= 200
        yield Reference(anvil=anvil, contract=deployed.address, tables=tables)


def check(reference: Reference, node: FaultyNode, database: Path) -> None:
    tables = collected(node.url, reference.contract, database)
    assert sum(node.failed.values()) > 10
    for table, rows in reference.tables.items():
        assert tables[table] == rows, table


def test_faults_of_all_kinds_change_nothing(reference: Reference, tmp_path: Path) -> None:
    with FaultyNode(reference.anvil.url, share=SHARE_OF_ALL) as node:
        check(reference, node, tmp_path / "h.db")


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.value)
def test_each_kind_of_fault_changes_nothing(reference: Reference, tmp_path: Path, fault: Fault) -> None:
    with FaultyNode(reference.anvil.url, share=SHARE_OF_ONE, faults=[fault]) as node:
        check(reference, node, tmp_path / "h.db")
