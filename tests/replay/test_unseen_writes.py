"""Calls that an export does not show leave traces: what they wrote is found out, or is said to be unknown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from specminer.history.contract_history import MISSING
from specminer.history.trace import Address, Fidelity, OutcomeKind, StorageAccess
from specminer.pipeline import Export, MineOptions, Rulebook, import_export, mine
from specminer.replay.export_replay import RecordReplay, ReplayedTransaction
from specminer.replay.fast_machine import FastMachine
from specminer.replay.fork_schedule import rules_of_fork
from specminer.replay.records import call_of, surroundings
from specminer.sources.exported import ExportedTransaction
from specminer.store import TraceStore
from tests.support.bytecode import CONTRACT, COUNT, OWNER, creation, record

OTHER: Final = Address(b"\x0b" * 20)

GIVE: Final = bytes.fromhex("600054801560135780331460135760006000fd5b60003560005500")
"""Slot 0 is the owner, at first nobody: the owner, or the first who comes, names the next one."""
SPEND: Final = bytes.fromhex(
    "604035602257" + "60003533548181101560175760006000fd5b03335560203560005500" + "5b6000356020355500"
)
"""Takes the first word from the sender's slot, or reverts if that holds less, and puts the second word into slot 0.
With a third word: puts the first word into the slot that the second names."""


def words(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(32, "big") for number in numbers)


def of(account: Address) -> int:
    return int.from_bytes(account, "big")


def replay() -> RecordReplay:
    return RecordReplay(
        FastMachine(), 1, rules_of_fork("istanbul"), frozenset({CONTRACT}), gas_is_evidence=True
    )


def on_the_chain(records: Sequence[ExportedTransaction]) -> list[ExportedTransaction]:
    """Return the records with how they end, and the gas that they use."""
    machine = FastMachine()
    told = []
    for item in records:
        done = machine.run(call_of(item), surroundings(item, 1), "istanbul")
        told.append(replace(item, gas_used=done.gas_used, succeeded=done.succeeded))
    return told


def without(
    records: Sequence[ExportedTransaction], *missing: int
) -> tuple[RecordReplay, list[ReplayedTransaction]]:
    """Execute the records again, but for some, by number."""
    run = replay()
    return run, [run.step(item, 0) for item in records if item.record not in missing]


def accesses(done: ReplayedTransaction) -> list[StorageAccess]:
    return [access for call in done.parts[CONTRACT].invocations for access in call.accesses]


def test_the_code_of_this_page_jumps_where_it_should() -> None:
    assert (GIVE[0x13], SPEND[0x17], SPEND[0x22]) == (0x5B, 0x5B, 0x5B)


def test_an_owner_that_somebody_unseen_set_is_found_out() -> None:
    """Only with the sender as owner the call ends as on the chain, so that the value is known."""
    records = on_the_chain(
        [
            creation(GIVE),
            record(2, data=words(of(OWNER))),
            record(3, data=words(of(OTHER))),
            record(4, data=words(7), sender=OTHER),
        ]
    )
    run, done = without(records, 3)
    assert [item.fidelity for item in done] == [Fidelity.EXACT, Fidelity.EXACT, Fidelity.UNSEEN]
    assert accesses(done[-1])[0].after == of(OTHER)
    assert accesses(done[-1])[-1].after == 7
    assert (CONTRACT, 0) not in run.doubt


def test_a_balance_that_somebody_unseen_raised_is_unknown_and_what_does_not_depend_on_it_is_known() -> None:
    fund, spend = words(1_000, of(OWNER), 1), words(400, 9)
    records = on_the_chain(
        [creation(SPEND), record(2, data=fund), record(3, data=spend), record(4, data=spend)]
    )
    assert [item.succeeded for item in records] == [True] * 4
    run, done = without(records, 2)
    assert done[1].fidelity is Fidelity.UNSEEN
    read, written, other = accesses(done[1])
    assert (read.after, written.before, written.after) == (None, None, None)
    assert other.after == 9  # whatever the balance was
    assert done[2].fidelity is Fidelity.TAINTED
    assert (CONTRACT, of(OWNER)) in run.doubt
    assert (CONTRACT, 0) not in run.doubt


def test_a_balance_that_was_spent_to_the_last_is_known_again() -> None:
    """The refund for a slot that becomes empty shows what was in it."""
    records = on_the_chain(
        [creation(SPEND), record(2, data=words(1_000, of(OWNER), 1)), record(3, data=words(1_000, 9))]
    )
    run, done = without(records, 2)
    read, written, _ = accesses(done[1])
    assert (read.after, written.after) == (1_000, 0)
    assert not run.doubt.slots


def test_a_rejection_by_what_somebody_unseen_wrote_is_explained() -> None:
    records = on_the_chain(
        [
            creation(SPEND),
            record(2, data=words(1_000, of(OWNER), 1)),
            record(3, data=words(10, of(OWNER), 1)),
            record(4, data=words(400, 9)),
        ]
    )
    assert records[-1].succeeded is False
    _, done = without(records, 3)
    assert done[-1].fidelity is Fidelity.UNSEEN
    (call,) = done[-1].parts[CONTRACT].invocations
    assert call.outcome.kind is OutcomeKind.REVERTED
    assert accesses(done[-1])[0].after is None


def test_every_listed_transaction_stays_in_the_history() -> None:
    """Whatever is missing, calls and outcomes are the chain's word; values are the chain's, or unknown."""
    fund, spend = words(1_000, of(OWNER), 1), words(400, 9)
    records = on_the_chain(
        [
            creation(SPEND),
            *(record(number, data=fund if number % 4 == 2 else spend) for number in range(2, 22)),
        ]
    )
    with TraceStore("sqlite://") as store:
        whole = _history(store, records, 5)
        truth = dict(zip(whole.transaction_hash, whole.accepted.tolist(), strict=True))
        for missing in range(2, 22):
            listed = [item for item in records if item.record != missing]
            history = _history(store, listed, 100 + missing)
            assert len(history) == len(listed)
            assert [truth[item] for item in history.transaction_hash] == history.accepted.tolist()


def _history(store: TraceStore, records: Sequence[ExportedTransaction], chain: int):  # type: ignore[no-untyped-def]
    export = Export(transactions=tuple(records), origin="by hand")
    import_export(store, export, Rulebook(chain_id=chain, fork="istanbul"))
    return store.history(chain, [CONTRACT])


def test_a_contract_whose_creation_is_missing_is_kept() -> None:
    """Without its code only the calls are known; with it storage is known as far as it was written since."""
    records = on_the_chain([creation(SPEND), *(record(n, data=words(n, 77, 1)) for n in range(2, 6))])
    for codes, known in (({}, 0), ({CONTRACT: SPEND}, 4)):
        with TraceStore("sqlite://") as store:
            export = Export(transactions=tuple(records[1:]), origin="by hand", codes=codes)
            done = import_export(store, export, Rulebook(chain_id=9, fork="istanbul"))
            history = store.history(9, [CONTRACT])
        assert done.contracts == (CONTRACT,)
        assert len(history) == 4
        assert history.accepted.all()
        assert int((history.access_after != MISSING).sum()) == known
        assert any("does not create the contract" in text for text in history.limits)


def test_the_summary_of_the_document_counts_what_is_unknown() -> None:
    fund, spend = words(1_000, of(OWNER), 1), words(400, 9)
    records = on_the_chain(
        [creation(SPEND), record(2, data=fund), record(3, data=spend), record(4, data=spend)]
    )
    with TraceStore("sqlite://") as store:
        history = _history(store, [item for item in records if item.record != 2], 9)
        unknown = mine(history, MineOptions()).specification.history.unknown
        assert unknown is not None
        assert (unknown.calls, unknown.reads, unknown.unknown_reads) == (2, 2, 2)
        complete = mine(_history(store, records, 10), MineOptions()).specification.history.unknown
        assert complete is None


def test_counting_goes_on_behind_a_value_in_doubt() -> None:
    """A counter that skipped a call nobody shows uses the same gas: nothing hints at it."""
    records = on_the_chain([creation(COUNT), *(record(number) for number in range(2, 6))])
    run, done = without(records, 4)
    assert {item.fidelity for item in done} == {Fidelity.EXACT}
    assert not run.doubt
