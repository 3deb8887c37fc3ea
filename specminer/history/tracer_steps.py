"""What a tracer reports of one transaction, as a flat sequence of steps, and how it becomes invocations.

Each tracer translates its output into these steps; :func:`record_steps` alone decides what an invocation
is, what a revert undoes and what a slot held before. The steps of the outermost frame are enclosed in an
``Enter`` and an ``Exit`` like all others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from specminer.history.answer_log import AnswerLog, Room, external_call, is_precompiled
from specminer.history.trace import (
    NO_ADDRESS,
    AccessKind,
    Address,
    Creation,
    EnvironmentAnswer,
    EnvironmentKind,
    Event,
    Hash,
    Invocation,
    InvocationKind,
    Outcome,
    OutcomeKind,
    Payment,
    PaymentKind,
    StorageAccess,
    Word,
)

MAX_PREIMAGE = 1024
"""Bytes: longer hash inputs are no mapping keys worth naming."""


@dataclass(frozen=True, slots=True)
class Enter:
    """A call frame begins. ``kind`` is the opcode: CALL, DELEGATECALL, CREATE2, ...

    What a contract that destroys itself pays out is told as a frame, too, of kind ``SELFDESTRUCT``.
    """

    kind: str
    sender: Address
    to: Address
    gas: int
    value: int | None
    """Wei; ``None`` if it is not known, for ``SELFDESTRUCT`` alone."""
    data: bytes
    """Calldata or creation code; whole where a traced contract owns the storage."""
    size: int | None = None
    """Bytes of the whole calldata where less of it is told; ``UNKNOWN_SIZE`` if none of it is."""
    code: Hash | None = None
    """KECCAK256 of the runtime code that runs; ``None`` if it is not known."""


@dataclass(frozen=True, slots=True)
class Exit:
    """The innermost open frame ends; ``error`` is the node's text, ``None`` if it returned."""

    gas_used: int
    output: bytes
    error: str | None
    size: int | None = None
    """Bytes of the whole output where less of it is told; ``UNKNOWN_SIZE`` if none of it is."""


@dataclass(frozen=True, slots=True)
class Read:
    """SLOAD."""

    owner: Address
    slot: int
    value: int


@dataclass(frozen=True, slots=True)
class Write:
    """SSTORE; ``before`` is what the slot held when the transaction began, or ``None`` if not seen."""

    owner: Address
    slot: int
    before: int | None
    value: int


@dataclass(frozen=True, slots=True)
class HashStep:
    """KECCAK256 over ``data`` in the owner's context."""

    owner: Address
    data: bytes


@dataclass(frozen=True, slots=True)
class LogStep:
    """LOG0 to LOG4 in the owner's context."""

    owner: Address
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class QuestionStep:
    """The owner's code asked for something outside its storage, and was told."""

    owner: Address
    kind: EnvironmentKind
    subject: int
    """The word that the opcode took; 0 if it takes none."""
    value: int


Step = Enter | Exit | Read | Write | HashStep | LogStep | QuestionStep

SELFDESTRUCT: Final = "SELFDESTRUCT"
_PANIC = bytes.fromhex("4e487b71")
_PAYING: Final = {
    "CALL": PaymentKind.CALL,
    "CREATE": PaymentKind.CREATION,
    "CREATE2": PaymentKind.CREATION,
    SELFDESTRUCT: PaymentKind.SELFDESTRUCT,
}


UNKNOWN_FAILURE: Final = "failed on the chain"
"""The error of a frame of which only that it failed is known."""
_CREATES: Final = ("CREATE", "CREATE2")
_SELECTOR: Final = 4
"""Bytes of a selector; shorter calldata may be the beginning of any other."""
_HALTS = (OutcomeKind.OUT_OF_GAS, OutcomeKind.INVALID_OPCODE, OutcomeKind.HALTED)


class MalformedSteps(ValueError):
    """The steps do not nest: an exit without an entry, a frame left open."""


def outcome_of(error: str | None, output: bytes) -> Outcome:
    """Classify how a frame ended from the node's error text (wordings of geth, revm and others)."""
    if error is None:
        return Outcome(kind=OutcomeKind.RETURNED, data=output)
    if error == UNKNOWN_FAILURE:
        return Outcome(kind=OutcomeKind.FAILED)
    text = error.lower().replace(" ", "").replace("_", "")
    if "revert" in text:
        kind = OutcomeKind.PANIC if output[:4] == _PANIC and len(output) == 36 else OutcomeKind.REVERTED
        return Outcome(kind=kind, data=output)
    if "outofgas" in text or "oog" in text or "gasuintoverflow" in text:
        return Outcome(kind=OutcomeKind.OUT_OF_GAS)
    if "invalidopcode" in text or "invalidfe" in text or "opcodenotfound" in text or "badinstruction" in text:
        return Outcome(kind=OutcomeKind.INVALID_OPCODE)
    return Outcome(kind=OutcomeKind.HALTED)


@dataclass(slots=True, eq=False)
class _OpenInvocation:
    """An invocation being recorded."""

    enter: Enter
    contract: Address
    position: int
    parent: int | None
    depth: int
    code: Address
    answers: AnswerLog
    outcome: Outcome = field(default_factory=lambda: Outcome(kind=OutcomeKind.RETURNED))
    gas_used: int = 0
    accesses: list[StorageAccess] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)


_Marks = tuple[int, int, int, int]
"""How many accesses, events, payments and external calls there were."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedSteps:
    """What the steps of a transaction say of some contracts."""

    invocations: tuple[Invocation, ...]
    """In order of entry."""
    preimages: tuple[bytes, ...]
    """What was hashed in them, each once."""


@dataclass(slots=True)
class _Frame:
    """An open call frame."""

    enter: Enter
    owner: Address
    record: _OpenInvocation | None
    """The invocation its steps belong to; ``None`` outside the traced contracts."""
    opens: bool
    """Whether it is the invocation's own frame, not one inside it."""
    marks: dict[_OpenInvocation, _Marks] = field(default_factory=dict)
    journal: dict[tuple[Address, int], int | None] = field(default_factory=dict)
    """What slots written in this frame held when it began."""
    records_before: int = 0
    position: int = 0
    """How many accesses and events came before it."""
    whole: bool = False
    """Whether it has the invocation's calldata: its own frame, or one to which the whole call was handed on."""


def _hands_on(data: bytes, inner: bytes) -> bool:
    """Return whether a call is handed on whole: clones with immutable arguments put these behind its calldata."""
    return inner == data or (len(data) >= _SELECTOR and inner.startswith(data))


class _Recorder:
    """Walks the steps once, with a journal of values that reverts unwind."""

    def __init__(self, contracts: frozenset[Address]) -> None:
        self.contracts = contracts
        self.records: list[_OpenInvocation] = []
        self.stack: list[_Frame] = []
        self.values: dict[tuple[Address, int], int] = {}
        self.preimages: dict[bytes, None] = {}
        self.position = 0
        self.room = Room()

    def step(self, step: Step) -> None:
        match step:
            case Enter():
                self._enter(step)
            case Exit():
                self._exit(step)
            case Read(owner, slot, value):
                self.values[owner, slot] = value
                self._access(owner, AccessKind.READ, slot, value, value)
            case Write(owner, slot, before, value):
                key = (owner, slot)
                earlier = self.values.get(key, before)
                if self.stack:
                    self.stack[-1].journal.setdefault(key, earlier)
                self.values[key] = value
                self._access(owner, AccessKind.WRITE, slot, earlier, value)
            case HashStep(owner, data):
                if owner in self.contracts and len(data) <= MAX_PREIMAGE:
                    self.preimages.setdefault(data)
            case LogStep(owner, topics, data):
                record = self._record_of(owner)
                if record is not None:
                    record.events.append(Event(position=self._next(), topics=topics, data=data))
            case QuestionStep(owner, kind, subject, value):
                record = self._record_of(owner)
                if record is not None:
                    answer = EnvironmentAnswer(
                        position=self.position, kind=kind, subject=Word(subject), value=Word(value)
                    )
                    record.answers.add_answer(answer)

    def _next(self) -> int:
        self.position += 1
        return self.position - 1

    def _record_of(self, owner: Address) -> _OpenInvocation | None:
        if not self.stack:
            raise MalformedSteps("a step outside every call frame")
        record = self.stack[-1].record
        return record if record is not None and record.contract == owner else None

    def _access(self, owner: Address, kind: AccessKind, slot: int, before: int | None, after: int) -> None:
        record = self._record_of(owner)
        if record is not None:
            record.accesses.append(
                StorageAccess(
                    position=self._next(),
                    kind=kind,
                    slot=Word(slot),
                    before=None if before is None else Word(before),
                    after=Word(after),
                )
            )

    def _enter(self, step: Enter) -> None:
        outer = self.stack[-1] if self.stack else None
        delegated = step.kind in ("DELEGATECALL", "CALLCODE")
        owner = outer.owner if delegated and outer is not None else step.to
        record: _OpenInvocation | None = None
        opens = hands_on = False
        if owner in self.contracts and step.kind != SELFDESTRUCT:
            if outer is not None and outer.owner == owner and outer.record is not None:
                record = outer.record  # a delegatecall, or the contract calling itself
                hands_on = delegated and outer.whole and _hands_on(outer.enter.data, step.data)
                if hands_on:
                    record.code = step.to  # a proxy, or one behind another
            else:
                opens = True
                record = _OpenInvocation(
                    enter=step,
                    contract=owner,
                    position=len(self.records),
                    parent=self._open_parent(owner),
                    depth=len(self.stack),
                    code=owner,
                    answers=AnswerLog(self.room),
                )
                self.records.append(record)
        frame = _Frame(step, owner, record, opens, records_before=len(self.records), position=self.position)
        frame.whole = opens or hands_on
        self.stack.append(frame)
        if record is not None and step.kind not in _CREATES and not is_precompiled(step.to):
            record.answers.add_code(self.position, step.to, step.code)
        frame.marks = {
            open_record: (
                len(open_record.accesses),
                len(open_record.events),
                len(open_record.payments),
                open_record.answers.call_count,
            )
            for open_record in ({frame.record for frame in self.stack} - {None})
            if open_record is not None
        }
        # behind the marks: it is undone if the frame that it pays fails
        if outer is not None and outer.record is not None:
            self._pay(outer.record, step)

    def _pay(self, record: _OpenInvocation, step: Enter) -> None:
        kind = _PAYING.get(step.kind)
        value = 0 if step.to == record.contract else step.value
        # that the contract destroyed itself is told even if it had nothing to pay
        if kind is not None and (value != 0 or kind is PaymentKind.SELFDESTRUCT):
            record.payments.append(Payment(position=self.position, kind=kind, to=step.to, value=value))

    def _open_parent(self, owner: Address) -> int | None:
        for frame in reversed(self.stack):
            if frame.record is not None and frame.record.contract == owner:
                return frame.record.position
        return None

    def _exit(self, step: Exit) -> None:
        if not self.stack:
            raise MalformedSteps("an exit without a call frame")
        frame = self.stack.pop()
        outcome = outcome_of(step.error, step.output)
        if frame.opens and frame.record is not None:
            frame.record.outcome = outcome
            # an exceptional halt takes all the gas; some nodes report what was spent until then
            halted = outcome.kind in _HALTS
            frame.record.gas_used = frame.enter.gas if halted else step.gas_used
        if outcome.accepted:
            if self.stack:
                for key, value in frame.journal.items():
                    self.stack[-1].journal.setdefault(key, value)
        else:
            for key, value in frame.journal.items():
                if value is None:
                    self.values.pop(key, None)
                else:
                    self.values[key] = value
            self._undo(frame)
        self._answer(frame, step, outcome)

    def _answer(self, frame: _Frame, step: Exit, outcome: Outcome) -> None:
        """Note the end of a frame with the invocation that called it, unless the frame is a part of that."""
        enter, record = frame.enter, self.stack[-1].record if self.stack else None
        inside = record is frame.record and not is_precompiled(enter.to)
        if record is None or inside or enter.kind == SELFDESTRUCT:
            return
        # nobody hears anything of a frame that halted, whatever a node tells of it
        silent = outcome.kind in _HALTS
        sent, answer = (enter.data, enter.size), (b"", 0) if silent else (step.output, step.size)
        record.answers.add_call(
            external_call(frame.position, enter.kind, enter.to, enter.value, sent, answer, outcome)
        )

    def _undo(self, frame: _Frame) -> None:
        """Mark everything since the frame began as undone: in invocations open then, and begun since."""
        began = frame.records_before - (1 if frame.opens else 0)
        for record in self.records[began:]:
            _mark(record, (0, 0, 0, 0))
            if record.outcome.accepted:
                record.outcome = Outcome(kind=OutcomeKind.ROLLED_BACK, data=record.outcome.data)
        for record, counts in frame.marks.items():
            if record.position < began:
                _mark(record, counts)


def _mark(record: _OpenInvocation, counts: _Marks) -> None:
    """Mark what a record did since ``counts`` as undone."""
    accesses, events, payments, calls = counts
    record.answers.undo_calls(calls)
    for row in range(accesses, len(record.accesses)):
        access = record.accesses[row]
        if access.kind is AccessKind.WRITE and not access.undone:
            record.accesses[row] = StorageAccess(
                position=access.position,
                kind=access.kind,
                slot=access.slot,
                before=access.before,
                after=access.after,
                undone=True,
            )
    for row in range(events, len(record.events)):
        event = record.events[row]
        record.events[row] = Event(position=event.position, topics=event.topics, data=event.data, undone=True)
    record.payments[payments:] = [
        # whether a creation that failed is told with its address depends on the tracer
        replace(item, undone=True, to=NO_ADDRESS if item.kind is PaymentKind.CREATION else item.to)
        for item in record.payments[payments:]
    ]


def record_steps(
    steps: Iterable[Step], contracts: Sequence[Address], *, environment: bool = False
) -> RecordedSteps:
    """Return the invocations of ``contracts``, and the preimages hashed in them.

    Args:
        steps: of one transaction.
        contracts: whose invocations.
        environment: whether the steps tell what code asked of its environment.

    Raises:
        MalformedSteps: the steps do not nest.

    """
    recorder = _Recorder(frozenset(contracts))
    for step in steps:
        recorder.step(step)
    if recorder.stack:
        raise MalformedSteps("a call frame that never ends")
    return RecordedSteps(
        invocations=tuple(_invocation(record, environment) for record in recorder.records),
        preimages=tuple(recorder.preimages),
    )


def creations(steps: Iterable[Step], contracts: Sequence[Address]) -> tuple[Creation, ...]:
    """Return what was created inside invocations of ``contracts`` and stayed, in order of entry.

    Raises:
        MalformedSteps: the steps do not nest.

    """
    traced = frozenset(contracts)
    new_contracts: list[Creation] = []
    stack: list[tuple[Address, bool, int]] = []  # owner, whether inside an invocation, creations before
    for step in steps:
        if isinstance(step, Enter):
            owner, inside, _ = stack[-1] if stack else (NO_ADDRESS, False, 0)
            stack.append((owner, inside, len(new_contracts)))
            if step.kind not in ("DELEGATECALL", "CALLCODE"):
                stack[-1] = (step.to, inside or step.to in traced, len(new_contracts))
            if inside and step.kind in ("CREATE", "CREATE2") and step.to != NO_ADDRESS:
                new_contracts.append(Creation(creator=step.sender, created=step.to))
        elif isinstance(step, Exit):
            if not stack:
                raise MalformedSteps("an exit without a call frame")
            _, _, before = stack.pop()
            if step.error is not None:
                del new_contracts[before:]
    return tuple(new_contracts)


def _invocation(record: _OpenInvocation, environment: bool) -> Invocation:
    created = record.enter.kind in _CREATES
    answers = record.answers
    if created:
        kind = InvocationKind.CONSTRUCTOR
    else:
        kind = InvocationKind.EXTERNAL if record.depth == 0 else InvocationKind.INTERNAL
    return Invocation(
        contract=record.contract,
        code=record.code,
        position=record.position,
        parent=record.parent,
        depth=record.depth,
        kind=kind,
        sender=record.enter.sender,
        value=record.enter.value or 0,
        data=record.enter.data,
        # the runtime code that a constructor returns is stored with the contract
        outcome=Outcome(kind=record.outcome.kind) if created else record.outcome,
        gas=record.enter.gas,
        gas_used=record.gas_used,
        accesses=tuple(record.accesses),
        events=tuple(record.events),
        payments=tuple(record.payments),
        calls=None if answers.calls is None else tuple(answers.calls),
        codes=None if answers.codes is None else tuple(answers.codes),
        environment=None if answers.environment is None or not environment else tuple(answers.environment),
    )
