"""Frames become invocations: compared with an interpreter that copies its whole state at every call."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specminer.history.trace import AccessKind, Address, OutcomeKind
from specminer.history.tracer_steps import (
    Enter,
    Exit,
    LogStep,
    MalformedSteps,
    Read,
    Step,
    Write,
    creations,
    outcome_of,
    record_steps,
)

TARGET = Address(b"\xaa" * 20)
OTHER = Address(b"\xbb" * 20)
THIRD = Address(b"\xcc" * 20)


@dataclass
class Frame:
    """A call to make: who is called and how, what happens inside, and whether it reverts."""

    to: Address
    delegated: bool
    body: list[Frame | tuple[str, int, int]] = field(default_factory=list)
    reverts: bool = False
    value: int = 0
    """Wei that come with it, unless it is delegated."""


actions = st.tuples(st.sampled_from(["read", "write", "log"]), st.integers(0, 2), st.integers(0, 3))


def frames(depth: int) -> st.SearchStrategy[Frame]:
    inner = actions if depth == 0 else st.one_of(actions, frames(depth - 1))
    return st.builds(
        Frame,
        to=st.sampled_from([TARGET, OTHER, THIRD]),
        delegated=st.booleans(),
        body=st.lists(inner, max_size=5),
        reverts=st.booleans(),
        value=st.sampled_from([0, 0, 1, 5]),
    )


@dataclass
class Interpreter:
    """Runs frames on real storages and writes down the steps, and per write whether it lasted."""

    storage: dict[tuple[Address, int], int] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    lasted: list[bool] = field(default_factory=list)
    """Of the target's writes, in order."""
    before: list[int] = field(default_factory=list)
    """What the target's slots held before each access, in order."""
    logged: list[bool] = field(default_factory=list)
    wei: dict[Address, int] = field(default_factory=dict)
    """What each has more than in the beginning, or less."""

    def run(self, frame: Frame, sender: Address, context: Address | None) -> None:
        owner = context if frame.delegated and context is not None else frame.to
        kind = "DELEGATECALL" if frame.delegated and context is not None else "CALL"
        saved, writes, logs, wei = dict(self.storage), len(self.lasted), len(self.logged), dict(self.wei)
        # a delegatecall keeps the value of the call around it, and moves nothing
        self.steps.append(Enter(kind, sender, frame.to, 100, frame.value, b""))
        if kind == "CALL":
            self.wei[sender] = self.wei.get(sender, 0) - frame.value
            self.wei[frame.to] = self.wei.get(frame.to, 0) + frame.value
        for action in frame.body:
            if isinstance(action, Frame):
                self.run(action, owner, owner)
            else:
                self.act(owner, *action)
        if frame.reverts:
            self.storage, self.wei = saved, wei
            self.lasted[writes:] = [False] * (len(self.lasted) - writes)
            self.logged[logs:] = [False] * (len(self.logged) - logs)
        self.steps.append(Exit(1, b"", "execution reverted" if frame.reverts else None))

    def act(self, owner: Address, kind: str, slot: int, value: int) -> None:
        held = self.storage.get((owner, slot), 0)
        if kind == "log":
            self.steps.append(LogStep(owner, (), b""))
            self.logged += [True] if owner == TARGET else []
            return
        if owner == TARGET:
            self.before.append(held)
        if kind == "read":
            self.steps.append(Read(owner, slot, held))
            return
        # as anvil tells it: what the slot held when the transaction began, which is zero here
        self.steps.append(Write(owner, slot, 0, value))
        self.storage[owner, slot] = value
        self.lasted += [True] if owner == TARGET else []


@settings(max_examples=400)
@given(frames(3))
def test_reverts_undo_what_they_undo_on_a_chain(frame: Frame) -> None:
    machine = Interpreter()
    machine.run(frame, THIRD, None)
    found = record_steps(machine.steps, [TARGET]).invocations
    accesses = [access for call in found for access in call.accesses]
    accesses.sort(key=lambda access: access.position)
    writes = [access for access in accesses if access.kind is AccessKind.WRITE]
    assert [not access.undone for access in writes] == machine.lasted
    assert [access.before for access in accesses] == machine.before
    events = sorted((event for call in found for event in call.events), key=lambda event: event.position)
    assert [not event.undone for event in events] == machine.logged


@settings(max_examples=400)
@given(frames(3))
def test_what_came_in_less_what_was_paid_is_what_is_there(frame: Frame) -> None:
    machine = Interpreter()
    machine.run(frame, THIRD, None)
    found = record_steps(machine.steps, [TARGET]).invocations
    received = sum(call.value for call in found if call.outcome.accepted)
    payments = [payment for call in found for payment in call.payments or ()]
    paid = sum(payment.value or 0 for payment in payments if not payment.undone)
    assert received - paid == machine.wei.get(TARGET, 0)
    assert all(payment.value and payment.to != TARGET for payment in payments)
    for call in found:
        assert call.payments is not None
        assert call.outcome.accepted or all(payment.undone for payment in call.payments)


@settings(max_examples=400)
@given(frames(3))
def test_invocations_are_the_frames_that_enter_the_contract_from_outside(frame: Frame) -> None:
    machine = Interpreter()
    machine.run(frame, THIRD, None)
    found = record_steps(machine.steps, [TARGET]).invocations
    entered: list[int] = []
    rejected: list[bool] = []

    def walk(item: Frame, context: Address | None, depth: int, undone: bool) -> None:
        owner = context if item.delegated and context is not None else item.to
        undone = undone or item.reverts
        if owner == TARGET and context != TARGET:
            entered.append(depth)
            rejected.append(undone)
        for action in item.body:
            if isinstance(action, Frame):
                walk(action, owner, depth + 1, undone)

    walk(frame, None, 0, False)
    assert [call.depth for call in found] == entered
    assert [call.position for call in found] == list(range(len(found)))
    assert [not call.outcome.accepted for call in found] == rejected
    for call in found:
        assert call.parent is None or (call.parent < call.position and found[call.parent].depth < call.depth)
        if call.outcome.kind is OutcomeKind.ROLLED_BACK:
            assert all(access.undone for access in call.accesses if access.kind is AccessKind.WRITE)


def test_a_proxy_is_one_that_hands_on_the_whole_call() -> None:
    def delegated(data: bytes) -> Address:
        steps: list[Step] = [
            Enter("CALL", THIRD, TARGET, 9, 0, b"call"),
            Enter("DELEGATECALL", TARGET, OTHER, 8, 0, data),
            Exit(1, b"", None),
            Exit(2, b"", None),
        ]
        return record_steps(steps, [TARGET]).invocations[0].code

    assert delegated(b"call") == OTHER
    assert delegated(b"library") == TARGET


@pytest.mark.parametrize(
    "steps",
    [
        [Exit(1, b"", None)],
        [Enter("CALL", THIRD, TARGET, 1, 0, b"")],
        [Read(TARGET, 0, 0)],
        [Enter("CALL", THIRD, TARGET, 1, 0, b""), Exit(1, b"", None), Exit(1, b"", None)],
    ],
)
def test_steps_that_do_not_nest_are_refused(steps: list[Step]) -> None:
    with pytest.raises(MalformedSteps):
        record_steps(steps, [TARGET])


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("execution reverted", OutcomeKind.REVERTED),
        ("execution reverted: nope", OutcomeKind.REVERTED),
        ("Reverted", OutcomeKind.REVERTED),
        ("out of gas", OutcomeKind.OUT_OF_GAS),
        ("OutOfGas", OutcomeKind.OUT_OF_GAS),
        ("contract creation code storage out of gas", OutcomeKind.OUT_OF_GAS),
        ("Some(ReentrancySentryOOG)", OutcomeKind.OUT_OF_GAS),
        ("invalid opcode: INVALID", OutcomeKind.INVALID_OPCODE),
        ("Some(InvalidFEOpcode)", OutcomeKind.INVALID_OPCODE),
        ("Bad instruction", OutcomeKind.INVALID_OPCODE),
        ("stack underflow (0 <=> 1)", OutcomeKind.HALTED),
        ("write protection", OutcomeKind.HALTED),
        ("invalid jump destination", OutcomeKind.HALTED),
    ],
)
def test_endings_are_told_apart_in_the_words_of_several_nodes(error: str, kind: OutcomeKind) -> None:
    assert outcome_of(error, b"").kind is kind


FACTORY, HELPER, CHILD, STRANGER = (Address(bytes([number]) * 20) for number in (0xFA, 0xFB, 0xC1, 0xC2))


def entering(kind: str, sender: Address, to: Address) -> Enter:
    return Enter(kind, sender, to, 100, 0, b"")


def ending(error: str | None = None) -> Exit:
    return Exit(1, b"", error)


def test_creations_are_those_inside_the_contracts_invocations_that_stayed() -> None:
    steps: list[Step] = [
        entering("CALL", STRANGER, HELPER),
        entering("CREATE", HELPER, STRANGER),  # before the factory is called: nothing of its own
        ending(),
        entering("CALL", HELPER, FACTORY),
        entering("CREATE2", FACTORY, CHILD),
        entering("CREATE", CHILD, STRANGER),  # what a child creates at once
        ending(),
        ending(),
        entering("DELEGATECALL", FACTORY, HELPER),
        entering("CREATE", FACTORY, HELPER),  # by a library's code, in the factory's name
        ending(),
        ending(),
        entering("CALL", FACTORY, HELPER),
        entering("CREATE", HELPER, CHILD),
        ending(),
        ending("execution reverted"),
        ending(),
        ending(),
    ]
    assert [(made.creator, made.created) for made in creations(steps, [FACTORY])] == [
        (FACTORY, CHILD),
        (CHILD, STRANGER),
        (FACTORY, HELPER),
    ]
    assert creations([*steps[:-1], ending("out of gas")], [FACTORY]) == ()
    assert creations(steps, [CHILD])[0].created == STRANGER


def test_a_contracts_own_creation_is_none_of_its_creations() -> None:
    steps: list[Step] = [
        entering("CREATE", STRANGER, FACTORY),
        entering("CREATE", FACTORY, CHILD),
        ending(),
        ending(),
    ]
    assert [made.created for made in creations(steps, [FACTORY])] == [CHILD]
    with pytest.raises(MalformedSteps):
        creations([ending()], [FACTORY])
