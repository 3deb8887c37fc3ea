"""The engine, checked by the executable specification: what both execute has to end alike.

The specification's machine follows the engine's call by call, either all the time or for a sample of executions; for
these it begins with a copy of the engine's state. Where the two differ, the specification counts from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import zip_longest
from random import Random
from typing import Final

from specminer.history.trace import Address
from specminer.history.tracer_steps import Enter, Exit, HashStep, LogStep, QuestionStep, Read, Step, Write
from specminer.replay.engine import load_reference
from specminer.replay.fast_machine import FastMachine
from specminer.replay.machine_calls import Call, ExecutedCall, MachineState, Surroundings, VirtualMachine

SHARE: Final = 0.01
"""Executions of a sample, as a share."""
MAX_SAMPLE: Final = 20
"""Executions of a sample at most."""


class CheckedMachine:
    """Two machines in the place of one."""

    def __init__(
        self,
        fast: FastMachine,
        reference: VirtualMachine | None,
        *,
        note: Callable[[str], None],
        sample: Random | None = None,
    ) -> None:
        """Begin with the engine.

        Args:
            fast: the engine's machine, new.
            reference: the specification's, new, if it is to execute everything.
            note: hears of a difference.
            sample: draws which executions are compared, if not all are.

        """
        self.main: VirtualMachine = fast
        """The one that counts."""
        self._fast = fast
        self._reference = reference
        self._note = note
        self._sample = sample
        self._remaining_samples = MAX_SAMPLE
        self._rules = ""
        self._state = _CheckedState(self)

    @property
    def state(self) -> MachineState:
        """Accounts and storage."""
        return self._state

    @property
    def tells_environment(self) -> bool:
        """Whether the steps of the machine that counts say what code asked of its environment."""
        return self.main.tells_environment

    @property
    def machines(self) -> tuple[VirtualMachine, ...]:
        """Those that execute now."""
        return (self.main,) if self._reference is None else (self.main, self._reference)

    def use(self, name: str) -> object:
        """Take the rules of a fork from now on; by its name in ``FORKS``."""
        self._rules = name
        for machine in self.machines:
            machine.use(name)
        return name

    def run(
        self,
        call: Call,
        around: Surroundings,
        rules: str,
        contracts: Iterable[Address] = (),
        *,
        keep: bool = True,
        record: bool = True,
    ) -> ExecutedCall:
        """Run a transaction on either machine, and compare; see :class:`VirtualMachine`."""
        self._rules = rules
        contracts = frozenset(contracts)
        self.begin_outermost()
        executions = [
            machine.run(call, around, rules, contracts, keep=keep, record=record) for machine in self.machines
        ]
        execution = executions[0]
        if len(executions) > 1:
            execution = self._compare(call, executions[0], executions[1])
        self.end_outermost()
        return execution

    def _compare(self, call: Call, execution: ExecutedCall, expected: ExecutedCall) -> ExecutedCall:
        """Return the execution that counts."""
        if self._sample is not None and (execution.limited or expected.limited):
            self._reference = None  # what limits it depends on what was executed before in its block
            return execution
        difference = describe_difference(execution, expected)
        if difference is None:
            return execution
        name = "a call" if call.transaction is None else f"transaction 0x{call.transaction.hex()}"
        self._note(
            f"{name}: the engine and the executable specification differ: {difference}; the specification counts from "
            "here on (please report this)"
        )
        assert self._reference is not None
        self.main, self._reference, self._sample = self._reference, None, None
        return expected

    def begin_outermost(self) -> None:
        """If nothing is running, decide whether what comes is compared."""
        if (
            self._sample is None
            or self._remaining_samples <= 0
            or self._state.depth
            or self._sample.random() >= SHARE
        ):
            return
        kind = load_reference()
        if kind is None:
            self._sample = None
            return
        self._remaining_samples -= 1
        reference = kind(max_steps=self._fast.max_steps, max_gas=self._fast.max_gas)
        reference.use(self._rules or "osaka")
        reference.state.load((), self._fast.state.dump()[1])
        for address, basics, assumed in self._fast.state.accounts():
            reference.state.put(address, basics, assumed=assumed)
        self._reference = reference

    def end_outermost(self) -> None:
        """If nothing is running any more, leave the machine of a sample."""
        if self._sample is not None and not self._state.depth:
            self._reference = None

    def save(self) -> bytes:
        """Return the state, for :meth:`restore`; only between transactions."""
        return self.main.save()

    def restore(self, saved: bytes) -> None:
        """Take in a state; the machine must be new.

        Raises:
            ValueError: it is none.

        """
        for machine in self.machines:
            machine.restore(saved)

    def storage(self, address: Address, slot: int) -> int:
        """Return what a slot holds now."""
        return self.main.storage(address, slot)

    def put(self, address: Address, slot: int, value: int) -> None:
        """Put a value into a slot, as if it had been there."""
        for machine in self.machines:
            machine.put(address, slot, value)

    def code(self, address: Address) -> bytes:
        """Return an account's code."""
        return self.main.code(address)

    def balance(self, address: Address) -> int:
        """Return an account's balance in wei."""
        return self.main.balance(address)

    def pay(self, address: Address, amount: int) -> None:
        """Add wei to an account, or take them away, down to none."""
        for machine in self.machines:
            machine.pay(address, amount)

    def install(self, address: Address, code: bytes, *, balance: int = 0, nonce: int = 1) -> None:
        """Put a contract somewhere without running its constructor; its storage stays as it is."""
        for machine in self.machines:
            machine.install(address, code, balance=balance, nonce=nonce)


class _CheckedState:
    """The states of the machines that execute."""

    def __init__(self, machine: CheckedMachine) -> None:
        self._machine = machine

    @property
    def _states(self) -> list[MachineState]:
        return [machine.state for machine in self._machine.machines]

    @property
    def fresh(self) -> frozenset[bytes]:
        return self._machine.main.state.fresh

    @property
    def depth(self) -> int:
        return self._machine.main.state.depth

    @contextmanager
    def without(self, addresses: Iterable[bytes]) -> Iterator[None]:
        missing = frozenset(addresses)
        with ExitStack() as stack:
            for state in self._states:
                stack.enter_context(state.without(missing))
            yield

    def forget_fresh(self) -> None:
        for state in self._states:
            state.forget_fresh()

    def begin(self) -> None:
        self._machine.begin_outermost()
        for state in self._states:
            state.begin()

    def commit(self) -> None:
        for state in self._states:
            state.commit()
        self._machine.end_outermost()

    def reset(self, depth: int) -> None:
        for state in self._states:
            state.reset(depth)
        self._machine.end_outermost()

    def refresh(self) -> None:
        for state in self._states:
            state.refresh()

    def adopt(self, address: bytes) -> None:
        for state in self._states:
            state.adopt(address)


def describe_difference(execution: ExecutedCall, expected: ExecutedCall) -> str | None:
    """Return how an execution differs from what is expected, in words; ``None`` if outcome and writes do not."""
    aspects = [
        ("limit", execution.limited, expected.limited),
        ("status", execution.succeeded, expected.succeeded),
        ("gas", execution.gas_used, expected.gas_used),
        ("output", execution.output, expected.output),
        ("writes", _writes(execution), _writes(expected)),
    ]
    names = [name for name, own, other in aspects if own != other]
    if not names:
        return None
    text = " and ".join(names)
    if execution.gas_used != expected.gas_used:
        text += f" ({execution.gas_used:,} gas instead of {expected.gas_used:,})"
    for number, (step, other) in enumerate(zip_longest(execution.steps, expected.steps), 1):
        if step != other:
            return f"{text}; step {number} is {_describe_step(step)} instead of {_describe_step(other)}"
    return text


def _writes(execution: ExecutedCall) -> list[Write]:
    return [step for step in execution.steps if isinstance(step, Write)]


def _describe_step(step: Step | None) -> str:
    match step:
        case None:
            return "none"
        case Enter():
            return f"{step.kind} to 0x{step.to.hex()} with {step.gas:,} gas"
        case Exit():
            end = "a return" if step.error is None else f"a failure ({step.error})"
            return f"{end} after {step.gas_used:,} gas"
        case Read():
            return f"a read of {step.value:#x} from slot {step.slot:#x}"
        case Write():
            return f"a write of {step.value:#x} to slot {step.slot:#x}"
        case HashStep():
            return f"a hash of {len(step.data):,} bytes"
        case LogStep():
            return f"a log of {len(step.topics)} topics and {len(step.data):,} bytes"
        case QuestionStep():
            return f"a question about {step.kind.value}"
