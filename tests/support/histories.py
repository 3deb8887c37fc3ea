"""Random but possible histories: contracts with storage are really run, call each other and revert.

What is drawn is a seed and a size; :func:`simulate` plays the history and knows each value at each moment,
so that tests can compare what the analyses say with what was.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from eth_utils.crypto import keccak
from hypothesis import strategies as st

from specminer.history.trace import (
    MAX_CALL_DATA,
    MAX_CALL_OUTPUT,
    MAX_LOG_DATA,
    AccessKind,
    Address,
    Block,
    CallKind,
    ContractRecord,
    Creation,
    EnvironmentAnswer,
    EnvironmentKind,
    Event,
    ExternalCall,
    Fidelity,
    ForeignLog,
    FrameCode,
    Hash,
    Invocation,
    InvocationKind,
    Outcome,
    OutcomeKind,
    Payment,
    PaymentKind,
    StorageAccess,
    Tracer,
    Transaction,
    Word,
)
from specminer.store import TraceStore

CHAIN: Final = 1
CONTRACTS: Final = (Address(b"\xc0" * 20), Address(b"\xc1" * 20))
_EXPLAINED = tuple(mark for mark in Fidelity if mark.explained)
ACCOUNTS: Final = tuple(Address(keccak(bytes([number]))[:20]) for number in range(5))
SELECTORS: Final = (b"\x00\x00\x00\x01", b"\x00\x00\x00\x02", b"\xff\xff\xff\xff")
BALANCES: Final = 4
"""Base slot of a mapping by account; slots 0 to 3 are plain variables."""
VALUES: Final = (0, 0, 1, 2, 255, 1 << 160, (1 << 256) - 1, int.from_bytes(ACCOUNTS[0], "big"))
_FAILURES: Final = (
    OutcomeKind.REVERTED,
    OutcomeKind.PANIC,
    OutcomeKind.INVALID_OPCODE,
    OutcomeKind.OUT_OF_GAS,
    OutcomeKind.HALTED,
)


def balance_preimage(account: Address) -> bytes:
    """Return what is hashed to find an account's entry in the mapping."""
    return account.rjust(32, b"\0") + BALANCES.to_bytes(32, "big")


def balance_slot(account: Address) -> int:
    return int.from_bytes(keccak(balance_preimage(account)), "big")


def block_of(number: int, *, timed: bool = True) -> Block:
    """Return a block; of those whose number is odd, more is known."""
    digest = keccak(b"block%d" % number)
    told = timed and number % 2 == 1
    return Block(
        number=number,
        hash=Hash(digest),
        timestamp=1_600_000_000 + 12 * number if timed else None,
        base_fee=number % 5 * 10**9 if told else None,
        beneficiary=Address(digest[:20]) if told else None,
        gas_limit=30_000_000 + number if told else None,
        randomness=Word(int.from_bytes(digest, "big") >> number % 200) if told else None,
    )


@dataclass
class Access:
    """A storage access while it may still be undone."""

    position: int
    write: bool
    slot: int
    before: int
    after: int
    undone: bool = False
    blind: bool = False


@dataclass
class Frame:
    """An invocation while it runs."""

    contract: Address
    position: int
    parent: int | None
    depth: int
    kind: InvocationKind
    sender: Address
    data: bytes
    outcome: OutcomeKind = OutcomeKind.RETURNED
    accesses: list[Access] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    found: dict[int, int] = field(default_factory=dict)
    """The contract's storage when the frame began."""


@dataclass(frozen=True)
class Simulated:
    """A history with what only its maker knows."""

    transactions: tuple[Transaction, ...]
    initial: dict[Address, dict[int, int]]
    """Storage before the first transaction; empty if that is the creation."""
    found: tuple[dict[int, int], ...]
    """For each invocation, in order, its contract's storage when it began."""
    left: tuple[dict[int, int], ...]
    """For each invocation, in order, its contract's storage when the transaction ended."""


class _Run:
    """One transaction while it runs."""

    def __init__(self, rng: random.Random, storage: dict[Address, dict[int, int]], tracer: Tracer) -> None:
        self.rng = rng
        self.storage = storage
        self.tracer = tracer
        self.frames: list[Frame] = []
        self.preimages: dict[bytes, None] = {}
        self.clock = 0
        self.journal: list[tuple[Frame, Access | int]] = []

    def tick(self) -> int:
        self.clock += self.rng.choice((1, 1, 1, 3))
        return self.clock - 1

    def call(
        self, contract: Address, sender: Address, depth: int, kind: InvocationKind, open_frames: list[Frame]
    ) -> None:
        """Run an invocation, with what it calls."""
        parent = next((frame.position for frame in reversed(open_frames) if frame.contract == contract), None)
        data = b"" if kind is InvocationKind.CONSTRUCTOR else self.rng.choice(SELECTORS)
        if data and self.rng.random() < 0.5:
            data += self.rng.randbytes(self.rng.choice((1, 32, 64)))
        found = dict(self.storage[contract])
        frame = Frame(contract, len(self.frames), parent, depth, kind, sender, data, found=found)
        self.frames.append(frame)
        saved, mark = self.save(), len(self.journal)
        self.body(frame, [*open_frames, frame], depth, self.rng.randint(0, 5))
        self.touch(frame, write=False)
        if kind is not InvocationKind.CONSTRUCTOR and self.rng.random() < 0.25:
            frame.outcome = self.rng.choice(_FAILURES)
            self.undo(saved, mark, frame.position + 1)

    def body(self, frame: Frame, open_frames: list[Frame], depth: int, steps: int) -> None:
        for _ in range(steps):
            choice = self.rng.random()
            if choice < 0.3:
                self.touch(frame, write=False)
            elif choice < 0.7:
                self.touch(frame, write=True)
            elif choice < 0.78:
                topics = tuple(self.rng.randbytes(32) for _ in range(self.rng.randint(0, 4)))
                data = self.rng.randbytes(self.rng.choice((0, 32)))
                self.journal.append((frame, len(frame.events)))
                frame.events.append(Event(position=self.tick(), topics=topics, data=data))
            elif choice < 0.9 and len(self.frames) < 6:
                # through another contract back into a traced one
                target = self.rng.choice(list(self.storage))
                self.call(target, self.rng.choice(ACCOUNTS), depth + 2, InvocationKind.INTERNAL, open_frames)
            elif len(open_frames) < 4:
                # a call to itself that reverts, inside the same invocation
                saved, mark, inside = self.save(), len(self.journal), len(self.frames)
                self.body(frame, [*open_frames, frame], depth + 1, self.rng.randint(0, 3))
                self.undo(saved, mark, inside)

    def touch(self, frame: Frame, *, write: bool) -> None:
        storage = self.storage[frame.contract]
        if self.rng.random() < 0.5:
            slot = self.rng.randint(0, 3)
        else:
            account = self.rng.choice((frame.sender, self.rng.choice(ACCOUNTS)))
            slot = balance_slot(account)
            if self.tracer is not Tracer.PRESTATE:
                self.preimages[balance_preimage(account)] = None
        before = storage.get(slot, 0)
        access = Access(self.tick(), write, slot, before, before)
        if write:
            access.after = storage[slot] = self.rng.choice(VALUES)
            access.blind = self.tracer is Tracer.STRUCT_LOGS and self.rng.random() < 0.5
            self.journal.append((frame, access))
        frame.accesses.append(access)

    def save(self) -> dict[Address, dict[int, int]]:
        return {contract: dict(storage) for contract, storage in self.storage.items()}

    def undo(self, saved: dict[Address, dict[int, int]], mark: int, inside: int) -> None:
        """Restore the storage; frames from ``inside`` on that returned are rolled back."""
        for contract, storage in saved.items():
            self.storage[contract].clear()
            self.storage[contract].update(storage)
        undone = self.journal[mark:]
        for frame, item in undone:
            if isinstance(item, Access):
                item.undone = True
            else:
                frame.events[item] = replace(frame.events[item], undone=True)
        for frame in self.frames[inside:]:
            if frame.outcome is OutcomeKind.RETURNED:
                frame.outcome = OutcomeKind.ROLLED_BACK

    def values(self) -> tuple[Invocation, ...]:
        return tuple(self.value(frame) for frame in self.frames)

    def value(self, frame: Frame) -> Invocation:
        return Invocation(
            contract=frame.contract,
            code=frame.contract if self.rng.random() < 0.8 else Address(b"\xdd" * 20),
            position=frame.position,
            parent=frame.parent,
            depth=frame.depth,
            kind=frame.kind,
            sender=frame.sender,
            value=self.rng.choice((0, 10**18, (1 << 256) - 1)),
            data=frame.data,
            outcome=Outcome(kind=frame.outcome, data=self.rng.choice((b"", b"\x08\xc3\x79\xa0", b"\0" * 32))),
            gas=100_000,
            gas_used=self.rng.randint(0, 100_000),
            accesses=tuple(
                StorageAccess(
                    position=access.position,
                    kind=AccessKind.WRITE if access.write else AccessKind.READ,
                    slot=Word(access.slot),
                    before=None if access.blind else Word(access.before),
                    after=Word(access.after),
                    undone=access.undone,
                )
                for access in frame.accesses
            ),
            events=tuple(frame.events),
            payments=self.payments(frame),
            calls=self.external_calls(frame),
            codes=self.codes(frame),
            environment=self.environment(frame),
        )

    def payments(self, frame: Frame) -> tuple[Payment, ...] | None:
        """Return what a frame paid; a source of its own, so that the rest of a history does not depend on it."""
        rng = random.Random(f"{self.clock} {frame.position} {len(frame.accesses)}")
        if rng.random() < 0.2:
            return None
        blind = self.tracer is Tracer.STRUCT_LOGS
        return tuple(
            Payment(
                position=place,
                kind=PaymentKind.SELFDESTRUCT if blind else rng.choice(list(PaymentKind)),
                to=rng.choice((*ACCOUNTS, Address(rng.randbytes(20)))),
                value=None if blind else rng.choice((1, 10**18, (1 << 256) - 1)),
                undone=frame.outcome is not OutcomeKind.RETURNED or rng.random() < 0.2,
            )
            for place in range(rng.choice((0, 0, 1, 3)))
        )

    def source(self, frame: Frame, name: str) -> random.Random | None:
        """Return a source of its own for a part of the record; ``None`` where that part is not recorded."""
        rng = random.Random(f"{name} {self.clock} {frame.position} {len(frame.accesses)}")
        return None if rng.random() < 0.2 else rng

    def external_calls(self, frame: Frame) -> tuple[ExternalCall, ...] | None:
        rng = self.source(frame, "calls")
        return (
            None if rng is None else tuple(external_call(rng, row) for row in range(rng.choice((0, 0, 1, 3))))
        )

    def codes(self, frame: Frame) -> tuple[FrameCode, ...] | None:
        rng = self.source(frame, "codes")
        if rng is None:
            return None
        return tuple(
            FrameCode(
                position=row,
                address=rng.choice(ACCOUNTS),
                hash=rng.choice((None, Hash(b"\0" * 4 + keccak(b"code")[4:]), Hash(keccak(b"other")))),
            )
            for row in range(rng.choice((0, 1, 1, 2)))
        )

    def environment(self, frame: Frame) -> tuple[EnvironmentAnswer, ...] | None:
        rng = self.source(frame, "environment")
        if rng is None or self.tracer is Tracer.PRESTATE:
            return None
        return tuple(
            EnvironmentAnswer(
                position=row // 2,
                kind=rng.choice(list(EnvironmentKind)),
                subject=Word(rng.choice(VALUES)),
                value=Word(rng.choice(VALUES)),
            )
            for row in range(rng.choice((0, 0, 2, 3)))
        )


def external_call(rng: random.Random, position: int) -> ExternalCall:
    """Return a random call of another contract."""
    data_size, output_size = (
        rng.choice((0, 4, 68, limit, limit + 1)) for limit in (MAX_CALL_DATA, MAX_CALL_OUTPUT)
    )
    succeeded = rng.random() < 0.7
    told = rng.random() < 0.8
    return ExternalCall(
        position=position,
        kind=rng.choice(list(CallKind)),
        to=rng.choice(ACCOUNTS),
        value=rng.choice((0, 0, 10**18, (1 << 256) - 1)),
        data=rng.randbytes(min(data_size, MAX_CALL_DATA)),
        data_size=data_size,
        succeeded=succeeded,
        output=rng.randbytes(min(output_size, MAX_CALL_OUTPUT)) if told else b"",
        output_size=output_size if told else None,
        undone=succeeded and rng.random() < 0.2,
    )


def logs_in(place: int) -> tuple[ForeignLog, ...] | None:
    """Return what others log in a transaction; of every fourth it is not recorded."""
    rng = random.Random(place)
    sizes = [rng.choice((0, 32, MAX_LOG_DATA + 1)) for _ in range(place % 3)]
    logs = tuple(
        ForeignLog(
            index=2 * row + 1,
            address=rng.choice(ACCOUNTS),
            topics=tuple(rng.randbytes(32) for _ in range(rng.randint(0, 4))),
            data=rng.randbytes(min(size, MAX_LOG_DATA)),
            data_size=size,
        )
        for row, size in enumerate(sizes)
    )
    return None if place % 4 == 3 else logs


def made_in(place: int) -> tuple[Creation, ...]:
    """Return what every third transaction creates."""
    created = (Address(keccak(b"created%d.%d" % (place, number))[:20]) for number in range(place % 4))
    return tuple(Creation(creator=CONTRACTS[0], created=item) for item in created) if place % 3 == 2 else ()


def simulate(
    seed: int,
    count: int,
    *,
    contracts: Sequence[Address] = CONTRACTS[:1],
    created: bool = True,
    tracers: Sequence[Tracer] = (Tracer.JAVASCRIPT,),
    first_block: int = 10,
) -> Simulated:
    """Play ``count`` transactions; ``created``: the first ones create the contracts."""
    rng = random.Random(seed)
    storage: dict[Address, dict[int, int]] = {contract: {} for contract in contracts}
    if not created:
        for slots in storage.values():
            for slot in (*range(4), *map(balance_slot, ACCOUNTS)):
                slots[slot] = rng.choice(VALUES)
    initial = {contract: dict(slots) for contract, slots in storage.items()}
    timed = rng.random() < 0.8
    number, index = first_block, 0
    transactions: list[Transaction] = []
    found: list[dict[int, int]] = []
    left: list[dict[int, int]] = []
    for place in range(count):
        if rng.random() < 0.6:
            number, index = number + rng.choice((1, 1, 7)), 0
        else:
            index += rng.choice((1, 2))
        run = _Run(rng, storage, rng.choice(list(tracers)))
        if created and place < len(contracts):
            run.call(contracts[place], ACCOUNTS[0], 0, InvocationKind.CONSTRUCTOR, [])
        elif rng.random() < 0.7:
            run.call(rng.choice(contracts), rng.choice(ACCOUNTS), 0, InvocationKind.EXTERNAL, [])
        else:
            saved = run.save()
            for _ in range(rng.randint(1, 3)):
                run.call(rng.choice(contracts), ACCOUNTS[4], 1, InvocationKind.INTERNAL, [])
            if rng.random() < 0.2:  # the contract that called them reverts
                run.undo(saved, 0, 0)
        top = run.frames[0]
        transactions.append(
            Transaction(
                hash=Hash(keccak(b"tx%d.%d" % (seed, place))),
                block=block_of(number, timed=timed),
                index=index,
                sender=top.sender if top.depth == 0 else rng.choice(ACCOUNTS),
                to=None if top.kind is InvocationKind.CONSTRUCTOR else top.contract,
                value=rng.choice((0, 1)),
                gas=1_000_000,
                gas_used=21_000,
                nonce=place,
                succeeded=top.outcome is OutcomeKind.RETURNED,
                tracer=run.tracer,
                invocations=run.values(),
                preimages=tuple(run.preimages),
                creations=made_in(place),
                logs=logs_in(place),
                fidelity=rng.choice(_EXPLAINED) if run.tracer is Tracer.EXECUTION else None,
            )
        )
        found += [frame.found for frame in run.frames]
        left += [dict(storage[frame.contract]) for frame in run.frames]
    return Simulated(tuple(transactions), initial, tuple(found), tuple(left))


def simulations(
    *, max_size: int = 12, contracts: int = 1, tracers: Sequence[Tracer] = (Tracer.JAVASCRIPT,)
) -> st.SearchStrategy[Simulated]:
    """Histories of up to ``max_size`` transactions, with or without the contracts' creation."""
    return st.builds(
        lambda seed, count, created: simulate(
            seed, count, contracts=CONTRACTS[:contracts], created=created, tracers=tracers
        ),
        st.integers(0, 1 << 32),
        st.integers(0, max_size),
        st.booleans(),
    )


def part_of(transactions: Iterable[Transaction], contract: Address) -> list[Transaction]:
    """Return one contract's part of transactions."""
    parts = [
        replace(item, invocations=tuple(call for call in item.invocations if call.contract == contract))
        for item in transactions
    ]
    return [item for item in parts if item.invocations]


def without_answers(item: Transaction) -> Transaction:
    """Return a transaction as it was recorded before answers were."""
    block = replace(item.block, base_fee=None, beneficiary=None, gas_limit=None, randomness=None)
    calls = (replace(call, calls=None, codes=None, environment=None) for call in item.invocations)
    return replace(item, block=block, invocations=tuple(calls), logs=None)


def record_of(contract: Address = CONTRACTS[0]) -> ContractRecord:
    return ContractRecord(
        address=contract,
        chain_id=CHAIN,
        code=b"\x60\x00" + contract,
        created_in_block=10,
        implementations=((Address(b"\xdd" * 20), b"\x60\x01"), (Address(b"\xde" * 20), b"")),
        artifact=b'{"abi":[],"contractName":null,"storageLayout":null}',
        codes=(b"", b"\x60\x00" + contract, b"\x60\x02"),
    )


def stored(
    transactions: Sequence[Transaction],
    contracts: Sequence[Address] = CONTRACTS[:1],
    location: str = "sqlite://",
) -> TraceStore:
    """Return a database with the history in one chunk a contract."""
    store = TraceStore(location)
    last = max((item.block.number for item in transactions), default=10)
    for contract in contracts:
        store.add_history(record_of(contract), part_of(transactions, contract), complete=(10, last))
    return store
