"""Checks with a stored state read new transactions only, and find what a check of the whole history finds."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from specminer import CheckOptions, CheckResult
from specminer._support.addresses import checksum_address
from specminer._support.errors import StoreError
from specminer.history.contract_history import History
from specminer.history.trace import Address
from specminer.monitoring.journal import DeliveryJournal, Message, key_of
from specminer.monitoring.state_file import StateFile
from specminer.pipeline.checking import check_history
from specminer.pipeline.datasets import dataset
from specminer.pipeline.progress import SILENT, Observer
from specminer.pipeline.stored_checking import StoredCheck
from specminer.pipeline.watching import Watch, WatchOptions
from specminer.sources.tracefile import TraceFile
from specminer.specification import Specification
from specminer.specification.deviation import Severity
from specminer.store import RecordedPiece, Replacement, TraceStore
from tests.support.cut_datasets import recording, specification


@dataclass
class Notes:
    """An observer that keeps what it is told."""

    told: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        self.told.append(text)

    def progress(self, event: object) -> None:
        """Progress is of no interest here."""


class CountingStore(TraceStore):
    """A database that counts how often a whole history is read."""

    wholes = 0

    def history(self, *arguments: Any, **options: Any) -> History:
        self.wholes += 1
        return super().history(*arguments, **options)


@dataclass
class Growing:
    """A dataset that comes into a database piece by piece."""

    name: str
    store: CountingStore = field(default_factory=lambda: CountingStore("sqlite://"))
    next_block: int | None = None

    def __post_init__(self) -> None:
        self.files = [TraceFile(path) for path in dataset(self.name).trace_files]
        self.transactions = [list(file.transactions()) for file in self.files]
        self.chain = self.files[0].header.record.chain_id

    @property
    def specification(self) -> Specification:
        return specification(self.name)

    @property
    def contracts(self) -> Sequence[Address]:
        return self.store.by_creation(self.chain, [file.header.record.address for file in self.files])

    def later_blocks(self) -> list[int]:
        """Return the blocks behind the specification's last one."""
        blocks = {item.block.number for part in self.transactions for item in part}
        return sorted(block for block in blocks if block > recording(self.name).cut)

    def grow(self, last: int) -> None:
        """Store what there is up to a block."""
        for file, part in zip(self.files, self.transactions, strict=True):
            first = file.header.first_block if self.next_block is None else self.next_block
            new = [item for item in part if first <= item.block.number <= last]
            self.store.add_history(file.header.record, new, complete=(first, last))
        self.next_block = last + 1

    def check(self, state: StateFile, observer: Observer = SILENT) -> CheckResult:
        """Judge what is behind the specification's last block, with a state."""
        self.store.wholes = 0
        return StoredCheck(
            specification=self.specification,
            store=self.store,
            contracts=self.contracts,
            state=state,
            observer=observer,
            min_calls=0,
        ).result(CheckOptions())

    def whole(self) -> CheckResult:
        """Judge the same without a state."""
        return check_history(self.specification, self.store.history(self.chain, self.contracts))


def telling(result: CheckResult) -> list[object]:
    """Return what a check says, in its order."""
    found = [
        (item.severity, item.basis, item.function, item.interaction, item.where, item.sentence, item.claim)
        for item in result.findings
    ]
    return [result.transactions, result.events, result.first_block, result.last_block, *found]


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateFile]:
    with StateFile(tmp_path / "automaton.state") as file:
        yield file


@pytest.mark.parametrize(
    ("name", "seed"),
    [
        ("token", 1),
        ("single_auction", 3),
        pytest.param("savings", 2, marks=pytest.mark.slow),
        pytest.param("loans", 4, marks=pytest.mark.slow),
        pytest.param("auction_house", 5, marks=pytest.mark.slow),
    ],
)
def test_any_cut_gives_the_same_findings(name: str, seed: int, state: StateFile) -> None:
    growing = Growing(name)
    later = growing.later_blocks()
    # behind an attack the whole history is read again, so that the last step is a short one
    cuts = sorted({recording(name).cut, random.Random(seed).choice(later[:-2]), *later[-2:]})
    short = 0
    for cut in cuts:
        growing.grow(cut)
        result = growing.check(state)
        short += not growing.store.wholes
        assert telling(result) == telling(growing.whole()), cut
    assert short, "the state was never used"


@pytest.mark.parametrize("name", ["token", "single_auction"])
def test_a_check_that_goes_on_finds_what_a_whole_one_finds(name: str, state: StateFile) -> None:
    growing = Growing(name)
    later = growing.later_blocks()
    growing.grow(recording(name).cut)
    check = StoredCheck(
        specification=growing.specification,
        store=growing.store,
        contracts=growing.contracts,
        state=state,
        min_calls=0,
    )
    short = 0
    for cut in later[:8]:
        growing.grow(cut)
        growing.store.wholes = 0
        result = check.result(CheckOptions())
        short += not growing.store.wholes
        assert telling(result) == telling(growing.whole()), cut
    assert short, "the state was never used"


def test_what_is_remembered_is_forgotten_when_it_was_replaced(state: StateFile) -> None:
    growing = Growing("token")
    later = growing.later_blocks()
    growing.grow(later[3])
    check = StoredCheck(
        specification=growing.specification,
        store=growing.store,
        contracts=growing.contracts,
        state=state,
        min_calls=0,
    )
    check.result(CheckOptions())
    growing.grow(later[5])
    check.result(CheckOptions())
    before = telling(growing.whole())
    # the chain took the last transaction back, and another block holds it
    moved = [
        replace(item, block=replace(item.block, number=later[5] + 1))
        for part in growing.transactions
        for item in part
        if item.block.number == later[5]
    ]
    record = growing.files[0].header.record
    piece = RecordedPiece(
        transactions=moved,
        complete=(later[4] + 1, later[5] + 1),
        tip=moved[0].block,
        gaps=(),
        limits=(),
    )
    growing.store.replace_after(growing.chain, later[4], [Replacement(record=record, pieces=[piece])])
    result = check.result(CheckOptions())
    assert telling(result) == telling(growing.whole()) != before


def test_nothing_new_reads_nothing(state: StateFile) -> None:
    growing = Growing("token")
    growing.grow(growing.later_blocks()[3])
    first = growing.check(state)
    assert growing.store.wholes
    assert telling(growing.check(state)) == telling(first)
    assert not growing.store.wholes


@dataclass
class Prepared:
    """A state that fits, and the history with a few transactions more."""

    growing: Growing
    path: Path

    def check(self) -> tuple[CheckResult, list[str]]:
        """Judge the transactions that are new, with the file as it is; return the notes, too."""
        notes = Notes()
        with StateFile(self.path) as state:
            return self.growing.check(state, notes), notes.told


@pytest.fixture
def prepared(tmp_path: Path) -> Prepared:
    growing = Growing("token")
    later = growing.later_blocks()
    growing.grow(later[2])
    made = Prepared(growing=growing, path=tmp_path / "automaton.state")
    made.check()
    growing.grow(later[4])
    return made


def test_a_kill_while_it_is_written_leaves_what_was_there(
    prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(StateFile, "_beginnings", killed)
        with pytest.raises(KeyboardInterrupt):
            prepared.check()
    result, notes = prepared.check()
    assert not prepared.growing.store.wholes, "the state of before is still used"
    assert telling(result) == telling(prepared.growing.whole())
    assert not notes


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + bytes(4096)])
def test_a_damaged_file_is_written_anew(prepared: Prepared, content: bytes) -> None:
    prepared.path.write_bytes(content)
    result, notes = prepared.check()
    assert telling(result) == telling(prepared.growing.whole())
    assert all("is not used and written anew" in note for note in notes)
    assert len(notes) == 1
    assert prepared.check()[1] == []


def test_a_state_of_another_history_is_not_used(prepared: Prepared) -> None:
    other = Growing("token")
    other.transactions = [part[:-40] + part[-39:] for part in other.transactions]
    other.grow(other.later_blocks()[-1])
    with StateFile(prepared.path) as state:
        other.check(state)
    result, notes = prepared.check()
    assert telling(result) == telling(prepared.growing.whole())
    assert "transactions that it was made of were replaced" in notes[0]


def test_a_state_of_another_specification_is_not_used(prepared: Prepared) -> None:
    notes = Notes()
    other = Growing("single_auction")
    other.grow(other.later_blocks()[0])
    with StateFile(prepared.path) as state:
        result = other.check(state, notes)
    assert telling(result) == telling(other.whole())
    assert "it was kept for another specification" in notes.told[0]


def test_a_file_that_cannot_be_written_is_one_sentence(prepared: Prepared, tmp_path: Path) -> None:
    with StateFile(tmp_path / "missing" / "automaton.state") as state, pytest.raises(StoreError) as caught:
        prepared.growing.check(state)
    assert "cannot be written" in str(caught.value)


def test_chosen_transactions_that_are_new_are_judged_alone(prepared: Prepared) -> None:
    growing = prepared.growing
    history = growing.store.history(growing.chain, growing.contracts)
    last = int(np.argmax(history.transaction_block))
    options = CheckOptions(transactions=(f"0x{history.transaction_hash[last].hex()}",))
    want = check_history(growing.specification, history, options)
    growing.store.wholes = 0
    with StateFile(prepared.path) as state:
        got = StoredCheck(
            specification=growing.specification,
            store=growing.store,
            contracts=growing.contracts,
            state=state,
            min_calls=0,
        ).result(options)
    assert telling(got) == telling(want)
    assert got.transactions == 1
    assert not growing.store.wholes


@dataclass
class Chain:
    """A source that brings the next blocks of a dataset in each round."""

    growing: Growing
    ends: list[int]

    def update(self, store: TraceStore, request: object, observer: object) -> None:
        """Store the next blocks, if there are any."""
        if self.ends:
            self.growing.grow(self.ends.pop(0))


@dataclass
class Delivered:
    """A receiver that keeps keys."""

    keys: list[str] = field(default_factory=list)

    def deliver(self, message: Message) -> None:
        """Take a message."""
        self.keys.append(message.key)


def forgetful(known: Specification) -> Specification:
    """Return a specification without the transition that was taken most often, so that much is unknown."""
    most = max(
        (edge for edge in known.transitions if edge.outcome == "returned"), key=lambda edge: edge.count
    )
    return replace(known, transitions=tuple(edge for edge in known.transitions if edge is not most))


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (StateFile, "extend"),
        (DeliveryJournal, "record"),
        pytest.param(StateFile, "write", marks=pytest.mark.slow),
        pytest.param(DeliveryJournal, "mark", marks=pytest.mark.slow),
    ],
)
def test_a_watch_that_is_killed_loses_no_finding(
    kind: type, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    growing, received = Growing("token"), Delivered()
    later = growing.later_blocks()
    chain = Chain(growing, [later[0], later[2], later[5], later[6]])
    known = forgetful(growing.specification)
    work, calls = getattr(kind, name), []

    def killed_once(*arguments: object) -> None:
        calls.append(name)
        if len(calls) == 1:
            raise KeyboardInterrupt
        work(*arguments)

    monkeypatch.setattr(kind, name, killed_once)
    for _ in range(6):
        with (
            StateFile(tmp_path / "automaton.state") as state,
            DeliveryJournal(tmp_path / "automaton.watch") as journal,
            suppress(KeyboardInterrupt),
        ):
            Watch(
                specification=known,
                store=growing.store,
                source=chain,  # type: ignore[arg-type]  # it brings histories up to date, which is all that is asked
                journal=journal,
                receivers=[received],
                options=WatchOptions(once=True),
                state=state,
                kept_from=0,
            ).run()
    whole = check_history(known, growing.store.history(growing.chain, growing.contracts))
    wanted = {key_of(item) for item in whole.at_least(Severity.UNKNOWN)}
    assert wanted
    assert set(received.keys) == wanted


@dataclass
class Uneven:
    """A source that brings one of several contracts up to date later than the others."""

    growing: Growing
    ends: dict[Address, int]
    """The last block of each contract in the next round."""
    held: dict[Address, int] = field(default_factory=dict)

    def update(self, store: TraceStore, request: Any, _observer: Observer = SILENT) -> None:
        contract = request.contract
        for file, part in zip(self.growing.files, self.growing.transactions, strict=True):
            if file.header.record.address != contract:
                continue
            first = self.held.get(contract, file.header.first_block - 1) + 1
            last = self.ends[contract]
            if first <= last:
                new = [item for item in part if first <= item.block.number <= last]
                store.add_history(file.header.record, new, complete=(first, last))
            self.held[contract] = last


def test_a_contract_that_is_read_later_than_another_one_is_judged_too(tmp_path: Path) -> None:
    growing = Growing("single_auction")
    known, blocks = growing.specification, growing.later_blocks()
    parts = {
        file.header.record.address: part
        for file, part in zip(growing.files, growing.transactions, strict=True)
        if checksum_address(file.header.record.address) in known.contracts
    }
    early, late = blocks[0] - 1, blocks[-1]
    slow = next(
        address for address, part in parts.items() if any(early < item.block.number < late for item in part)
    )
    source = Uneven(growing, {address: early if address == slow else late for address in parts})
    with DeliveryJournal(tmp_path / "automaton.watch") as journal:
        watch = Watch(
            specification=known,
            store=growing.store,
            source=source,  # type: ignore[arg-type]  # as above
            journal=journal,
            receivers=[],
            options=WatchOptions(once=True),
        )
        watch.round()
        source.ends = dict.fromkeys(parts, late)
        watch.round()
        judged = set(journal.judged_transactions())
    after = known.history.last_block or -1
    assert judged == {
        f"0x{item.hash.hex()}" for part in parts.values() for item in part if item.block.number > after
    }
