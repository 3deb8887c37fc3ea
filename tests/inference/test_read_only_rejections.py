"""Rejected calls of read-only functions have their causes, and count nowhere else."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

from eth_utils.crypto import keccak

from benchmarks.rejections import examine
from specminer.contracts.artifact import parse
from specminer.decoding import decode
from specminer.history.contract_history import History
from specminer.pipeline import Export, MineOptions, Rulebook, import_export, mine
from specminer.presentation.claim_sections import claim_sections
from specminer.presentation.summary import summary
from specminer.specification import GuardKind, Specification
from specminer.store import TraceStore
from tests.support.bytecode import CONTRACT, creation, record

CODE = bytes.fromhex("600435" + "600054" + "10" + "600b57" + "00" + "5b60006000fd")
"""Rejects a number that is greater than slot 0, whatever function is called."""
LEVEL = 5
ABI = [
    {
        "type": "function",
        "name": name,
        "inputs": [{"name": "level", "type": "uint256"}],
        "outputs": [],
        "stateMutability": mutability,
    }
    for name, mutability in (("check", "view"), ("note", "nonpayable"))
]
ARTIFACT = parse(json.dumps(ABI).encode(), "by hand")


def called(name: str, level: int) -> bytes:
    return keccak(text=f"{name}(uint256)")[:4] + level.to_bytes(32, "big")


@cache
def history() -> History:
    calls = [record(2 + number, data=called("note", 0)) for number in range(4)]
    calls += [record(6 + number, data=called("check", 0)) for number in range(3)]
    calls += [
        record(9 + number, data=called("check", LEVEL + number), succeeded=False) for number in range(5)
    ]
    with TraceStore("sqlite://") as store:
        export = Export(transactions=(creation(CODE), *calls), origin="by hand")
        import_export(store, export, Rulebook(chain_id=9, fork="istanbul"))
        return store.history(9, [CONTRACT])


@cache
def specification() -> Specification:
    return mine(history(), MineOptions(), artifact=ARTIFACT).specification


def test_a_rejected_call_of_a_read_only_function_has_its_condition() -> None:
    (guard,) = specification().read_only_guards or ()
    assert (guard.scope, guard.kind) == ("check", GuardKind.REQUIRED)
    assert (guard.accepted, guard.rejected, guard.explained) == (3, 5, 5)
    (condition,) = guard.conditions
    assert condition.text == "level <= slot0"
    assert condition.decisions is not None
    assert (condition.decisions.stopped, condition.decisions.passed) == (5, 3)
    found = examine(decode(history(), ARTIFACT))
    assert (found.rejected, found.caused, found.readable) == (5, 5, 5)


def test_it_counts_nowhere_else() -> None:
    spec = specification()
    assert "check" not in {guard.scope for guard in spec.guards}
    assert "check" not in {edge.function for edge in spec.transitions}
    alone = replace(spec, read_only_guards=None)
    assert "check" not in summary(alone)


def test_summary_and_report_tell_it() -> None:
    text = " ".join(summary(specification(), width=200).split())
    assert "check: level <= slot0 (3 accepted, 5 rejected, 5 explained" in text
    (section,) = (item for item in claim_sections(specification()) if item.id == "read-only-guards")
    assert len(section.rows) == 1
