"""Internal calls in each format, written from a node's answers, are executed to what the node itself tells of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from specminer import import_history
from specminer.history.trace import Address, InvocationKind, OutcomeKind, StorageAccess, Transaction
from specminer.pipeline import collect
from specminer.pipeline.progress import SILENT, Observer
from specminer.sources.endpoint import Endpoint
from specminer.sources.node import Node
from specminer.store import TraceStore
from tests.support.anvil import Anvil
from tests.support.collecting import Notes
from tests.support.inner_calls import WRITERS, InnerCalls, compiled, record, replay_answer, use_chest
from tests.support.tables import write_json

pytestmark = pytest.mark.node
History = tuple[InnerCalls, list[Any]]


def facts(transactions: Sequence[Transaction]) -> list[Any]:
    """Return what the calls of a history were and did, in order."""
    return [
        (
            item.block.number,
            call.kind,
            call.sender.hex()[:8],
            call.value,
            call.data.hex()[:8],
            call.outcome.kind,
            call.outcome.data.hex(),
            call.accesses,
        )
        for item in transactions
        for call in item.invocations
    ]


@pytest.fixture(scope="module")
def history(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> History:
    folder = tmp_path_factory.mktemp("inner")
    with Anvil() as anvil:
        calls = record(anvil, use_chest(anvil))
        contract = Address(bytes.fromhex(calls.chest[2:]))
        with Node(Endpoint(anvil.url)) as node, TraceStore(str(folder / "node.db")) as store:
            collect(store, node, contract)
            recorded = facts(list(store.transactions(31337, contract)))
    inner = [item for item in recorded if item[1] is InvocationKind.INTERNAL]
    assert len(inner) == 32
    assert len({item[5] for item in inner}) >= 3
    return calls, recorded


def imported(calls: InnerCalls, folder: Path, *files: Path, observer: Observer = SILENT) -> list[Any]:
    listed = write_json(folder / "list.json", calls.records)
    import_history(folder / "h.db", *files, listed, chain_id=31337, observer=observer)
    with TraceStore(str(folder / "h.db")) as store:
        return facts(list(store.transactions(31337, Address(bytes.fromhex(calls.chest[2:])))))


def accepted(item: tuple[Any, ...]) -> bool:
    return item[5] is OutcomeKind.RETURNED


def agrees_with_any(access: StorageAccess, others: Sequence[StorageAccess]) -> bool:
    """Whether one of the others is the same, but for values that are not known."""
    return any(
        (access.kind, access.slot) == (other.kind, other.slot)
        and access.before in (None, other.before)
        and access.after in (None, other.after)
        for other in others
    )


@pytest.mark.parametrize("name", sorted(set(WRITERS) - {"explorer", "Blockscout"}))
def test_internal_calls_are_what_the_node_tells(history: History, tmp_path: Path, name: str) -> None:
    """All but how calls ended that were undone around them, or that pay a contract which no list creates."""
    calls, recorded = history
    found = imported(calls, tmp_path, WRITERS[name](calls, tmp_path))
    assert [item[:5] for item in found] == [item[:5] for item in recorded]
    assert [accepted(item) for item in found] == [accepted(item) for item in recorded]
    take = compiled()["Chest"]["evm"]["methodIdentifiers"]["take(uint256)"]
    differing = 0
    for item, known in zip(found, recorded, strict=True):
        if item[5:7] != known[5:7]:
            pays_the_relay = known[1] is InvocationKind.INTERNAL and known[4] == take
            assert known[5] is OutcomeKind.ROLLED_BACK or pays_the_relay
            assert (item[5], item[7]) == (OutcomeKind.FAILED, ())
        assert all(agrees_with_any(access, known[7]) for access in item[7]), item
        differing += item != known
    assert differing <= 12


def test_blockscout_does_not_tell_what_failed_around_a_call(history: History, tmp_path: Path) -> None:
    calls, recorded = history
    found = imported(calls, tmp_path, WRITERS["Blockscout"](calls, tmp_path))
    assert [item[:5] for item in found] == [item[:5] for item in recorded]
    for item, known in zip(found, recorded, strict=True):
        assert accepted(item) == accepted(known) or known[5] is OutcomeKind.ROLLED_BACK


def test_etherscan_does_not_tell_calldata_either(history: History, tmp_path: Path) -> None:
    calls, recorded = history
    found = imported(calls, tmp_path, WRITERS["explorer"](calls, tmp_path))
    assert [item[:4] for item in found] == [item[:4] for item in recorded]
    assert {item[4] for item in found if item[1] is InvocationKind.INTERNAL} == {""}


def test_answers_that_tell_no_block_are_named_and_change_nothing(history: History, tmp_path: Path) -> None:
    """Their calls are missing, as without them."""
    calls, recorded = history
    path = write_json(tmp_path / "inner", [replay_answer(item) for item in calls.traces.values()])
    observer = Notes()
    found = imported(calls, tmp_path, path, observer=observer)
    assert any("does not tell the blocks of" in note for note in observer.notes)
    known = [item[:5] for item in recorded if item[1] is not InvocationKind.INTERNAL]
    assert [item[:5] for item in found] == known
