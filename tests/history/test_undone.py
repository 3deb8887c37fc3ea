"""What a revert undoes and what a slot held before, compared with an interpreter that copies all state."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from specminer.history.trace import AccessKind, Address, Invocation
from specminer.history.tracer_steps import (
    Enter,
    Exit,
    HashStep,
    LogStep,
    Read,
    RecordedSteps,
    Step,
    Write,
    record_steps,
)

TRACED = Address(b"\x01" * 20)
OTHER = Address(b"\x02" * 20)
THIRD = Address(b"\x03" * 20)


@dataclass
class Frame:
    """A call to be made: its kind, target, whether it fails, and what happens inside."""

    kind: str
    to: Address
    fails: bool
    body: list[Frame | tuple[str, int, int]] = field(default_factory=list)


actions = st.tuples(st.sampled_from(("read", "write", "log")), st.integers(0, 2), st.integers(0, 3))
kinds = st.sampled_from(("CALL", "CALL", "DELEGATECALL", "STATICCALL", "CREATE"))
targets = st.sampled_from((TRACED, OTHER, THIRD))
frames = st.recursive(
    st.builds(Frame, kinds, targets, st.booleans(), st.lists(actions, max_size=4)),
    lambda inner: st.builds(Frame, kinds, targets, st.booleans(), st.lists(actions | inner, max_size=5)),
    max_leaves=12,
)


@dataclass
class Seen:
    """What the naive interpreter says of an invocation."""

    parent: int | None
    depth: int
    ending: str = "returned"
    accesses: list[tuple[str, int, int, int, bool]] = field(default_factory=list)
    events: list[tuple[int, bool]] = field(default_factory=list)


class Naive:
    """Runs frames with a full copy of the state before each, and collects the steps a tracer would report."""

    def __init__(self) -> None:
        self.state: dict[tuple[Address, int], int] = {}
        self.at_start = dict(self.state)
        self.steps: list[Step] = []
        self.seen: list[Seen] = []
        self.path: list[int | None] = []
        self.owners: list[Address] = []
        self.undone = 0

    def run(self, frame: Frame, blind: bool) -> None:
        sender = self.owners[-1] if self.owners else OTHER
        delegated = frame.kind == "DELEGATECALL" and bool(self.owners)
        owner = self.owners[-1] if delegated else frame.to
        row: int | None = None
        if owner == TRACED:
            if self.owners and self.owners[-1] == TRACED:
                row = self.path[-1]
            else:
                row = len(self.seen)
                opened = [place for place in self.path if place is not None]
                self.seen.append(Seen(parent=opened[-1] if opened else None, depth=len(self.owners)))
        self.steps.append(Enter(frame.kind, sender, frame.to, 9, 0, b"data"))
        copy = dict(self.state)
        marks = [(len(item.accesses), len(item.events)) for item in self.seen]
        begun = len(self.seen) - (1 if row == len(self.seen) - 1 and row not in self.path else 0)
        opens = row is not None and row not in self.path
        self.path.append(row)
        self.owners.append(owner)
        for item in frame.body:
            if isinstance(item, Frame):
                self.run(item, blind)
            else:
                self.act(item, owner, row, blind)
        self.path.pop()
        self.owners.pop()
        self.steps.append(Exit(5, b"", "execution reverted" if frame.fails else None))
        if opens and row is not None:
            self.seen[row].ending = "reverted" if frame.fails else "returned"
        if frame.fails:
            self.state = copy
            self.undo(marks, begun)

    def undo(self, marks: list[tuple[int, int]], begun: int) -> None:
        for row, item in enumerate(self.seen):
            accesses, events = marks[row] if row < len(marks) else (0, 0)
            item.accesses = [
                (kind, slot, before, after, undone or (kind == "write" and place >= accesses))
                for place, (kind, slot, before, after, undone) in enumerate(item.accesses)
            ]
            item.events = [(what, gone or place >= events) for place, (what, gone) in enumerate(item.events)]
            if row >= begun and item.ending == "returned":
                item.ending = "rolled back"

    def act(self, action: tuple[str, int, int], owner: Address, row: int | None, blind: bool) -> None:
        kind, slot, value = action
        held = self.state.get((owner, slot), 0)
        item = None if row is None else self.seen[row]
        if kind == "read":
            self.steps.append(Read(owner, slot, held))
            if item:
                item.accesses.append(("read", slot, held, held, False))
        elif kind == "write":
            began = self.at_start.get((owner, slot), 0)
            self.steps.append(Write(owner, slot, None if blind else began, value))
            self.state[owner, slot] = value
            if item:
                item.accesses.append(("write", slot, held, value, False))
        else:
            self.steps.append(LogStep(owner, (bytes([slot] * 32),), b""))
            if item:
                item.events.append((slot, False))


def told(call: Invocation) -> Seen:
    return Seen(
        parent=call.parent,
        depth=call.depth,
        ending=call.outcome.kind.value,
        accesses=[
            (
                access.kind.value,
                int(access.slot),
                -1 if access.before is None else int(access.before),
                -1 if access.after is None else int(access.after),
                access.undone,
            )
            for access in call.accesses
        ],
        events=[(event.topics[0][0], event.undone) for event in call.events],
    )


@given(frames)
def test_invocations_are_what_a_naive_interpreter_sees(frame: Frame) -> None:
    naive = Naive()
    naive.run(frame, blind=False)
    found = record_steps(naive.steps, [TRACED]).invocations
    assert [told(call) for call in found] == naive.seen
    assert [call.position for call in found] == list(range(len(found)))


@given(frames)
def test_a_blind_tracer_never_tells_a_wrong_value(frame: Frame) -> None:
    naive = Naive()
    naive.run(frame, blind=True)
    found = record_steps(naive.steps, [TRACED]).invocations
    for call, true in zip(found, naive.seen, strict=True):
        for access, right in zip(call.accesses, true.accesses, strict=True):
            assert access.before is None or access.before == right[2]
            assert access.after == right[3]
            assert access.undone == right[4]


@given(frames)
def test_positions_order_all_accesses_and_events(frame: Frame) -> None:
    naive = Naive()
    naive.run(frame, blind=False)
    found = record_steps(naive.steps, [TRACED]).invocations
    places = [access.position for call in found for access in call.accesses]
    places += [event.position for call in found for event in call.events]
    assert sorted(places) == list(range(len(places)))
    for call in found:
        own = [access.position for access in call.accesses]
        assert own == sorted(own)


@given(frames)
def test_lasting_writes_give_the_state_at_the_end(frame: Frame) -> None:
    naive = Naive()
    naive.run(frame, blind=False)
    found = record_steps(naive.steps, [TRACED]).invocations
    writes = [
        access
        for made in found
        for access in made.accesses
        if access.kind is AccessKind.WRITE and not access.undone
    ]
    held = {access.slot: access.after for access in sorted(writes, key=lambda access: access.position)}
    assert held == {slot: value for (owner, slot), value in naive.state.items() if owner == TRACED}


def call(kind: str, sender: Address, to: Address, data: bytes = b"data") -> Enter:
    return Enter(kind, sender, to, 100, 0, data)


DONE = Exit(10, b"", None)


def test_a_proxy_that_hands_the_whole_call_on_runs_the_implementations_code() -> None:
    steps: list[Step] = [call("CALL", OTHER, TRACED), call("DELEGATECALL", TRACED, THIRD), DONE, DONE]
    assert record_steps(steps, [TRACED]).invocations[0].code == THIRD
    steps = [call("CALL", OTHER, TRACED), call("DELEGATECALL", TRACED, THIRD, b"else"), DONE, DONE]
    assert record_steps(steps, [TRACED]).invocations[0].code == TRACED, "a library is no implementation"


def test_code_of_the_contract_run_by_another_is_no_invocation() -> None:
    steps: list[Step] = [
        call("CALL", OTHER, THIRD),
        call("DELEGATECALL", THIRD, TRACED),
        Write(THIRD, 0, 0, 1),
        DONE,
        DONE,
    ]
    assert record_steps(steps, [TRACED]) == RecordedSteps(invocations=(), preimages=())


def test_preimages_are_kept_once_in_order_and_of_the_contract_alone() -> None:
    hashed: list[Step] = [
        HashStep(TRACED, b"b"),
        HashStep(TRACED, b"a"),
        HashStep(OTHER, b"c"),
        HashStep(TRACED, b"b"),
    ]
    hashed.append(HashStep(TRACED, b"x" * 2_000))
    steps: list[Step] = [call("CALL", OTHER, TRACED), *hashed, DONE]
    assert record_steps(steps, [TRACED]).preimages == (b"b", b"a")


def test_a_halt_takes_all_the_gas() -> None:
    for error, used in (("out of gas", 100), ("execution reverted", 10), (None, 10)):
        steps: list[Step] = [call("CALL", OTHER, TRACED), Exit(10, b"", error)]
        assert record_steps(steps, [TRACED]).invocations[0].gas_used == used
