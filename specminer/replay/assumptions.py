"""Executes records under assumptions about what an export does not tell, within a budget of attempts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from specminer.history.trace import Address, Block, Fidelity
from specminer.replay.machine_calls import Call, ExecutedCall, Surroundings, VirtualMachine
from specminer.replay.unseen_causes import Answers, Guesses, Nearness
from specminer.sources.exported import ExportedCall, ExportedTransaction

ATTEMPTS: Final = 2_000
"""Further attempts to execute records under assumptions, ..."""
ATTEMPTS_EACH: Final = 10
"""... and how many more each record brings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """What an export does not tell, and a transaction is executed under."""

    missing: frozenset[bytes] = frozenset()
    """Accounts that do not exist."""
    spending: Mapping[Address, int] = field(default_factory=dict)
    """Accounts that have code, with the gas that it uses when they are paid."""
    loans: Mapping[Address, int] = field(default_factory=dict)
    """Wei that contracts have in addition."""
    answers: Answers = field(default_factory=dict)
    guesses: Guesses = field(default_factory=dict)


NOTHING: Final = Assumption()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionJob:
    """One record to execute: a transaction, or an internal call."""

    record: ExportedTransaction | ExportedCall
    call: Call
    surroundings: Surroundings
    block: Block
    """What is known of its block."""
    rules: str
    contracts: frozenset[Address]
    executable: bool
    """Whether the code that it calls is at hand, if it calls a recorded contract."""

    @property
    def undone(self) -> bool:
        """Whether something around the call failed, so that how it ended itself is no evidence of what it met."""
        return isinstance(self.record, ExportedCall) and self.record.undone


class Trials:
    """Executes records under assumptions, and tells which ended as on the chain."""

    def __init__(self, machine: VirtualMachine, *, gas_is_evidence: bool) -> None:
        self.machine = machine
        self.attempts = ATTEMPTS
        """How many further attempts there may be."""
        self.fresh: frozenset[bytes] = frozenset()
        """Accounts that the last attempt heard of for the first time."""
        self._evidence = gas_is_evidence

    def run(self, job: ExecutionJob, assumption: Assumption) -> ExecutedCall:
        """Execute a record; its effects stay until they are taken back or committed."""
        machine, state = self.machine, self.machine.state
        machine.use(job.rules)
        for slot, value in assumption.guesses.items():
            machine.put(*slot, value)
        state.begin()
        for address, amount in assumption.loans.items():
            machine.pay(address, amount)
        codes = {address: _answering(word) for address, word in assumption.answers.items()}
        codes |= {address: _using(gas) for address, gas in assumption.spending.items()}
        for address, code in codes.items():
            machine.install(address, code, balance=machine.balance(address))
        with state.without(assumption.missing):
            execution = machine.run(job.call, job.surroundings, job.rules, job.contracts)
        for address in codes:
            machine.install(address, b"", nonce=0, balance=machine.balance(address))
        return execution

    def attempt(self, job: ExecutionJob, assumption: Assumption) -> ExecutedCall:
        """Execute a record under an assumption, and leave nothing behind."""
        self.attempts -= 1
        self.machine.use(job.rules)
        old_values = {slot: self.machine.storage(*slot) for slot in assumption.guesses}
        execution = self.run(job, assumption)
        self.fresh = self.machine.state.fresh
        self.take_back()
        for slot, value in old_values.items():
            self.machine.put(*slot, value)
        return execution

    def take_back(self) -> None:
        """Undo what was executed and not committed."""
        self.machine.state.reset(0)
        self.machine.state.forget_fresh()

    def fits(self, job: ExecutionJob, execution: ExecutedCall) -> bool:
        """Whether an execution ended as on the chain, as far as the export tells."""
        record = job.record
        if execution.limited or record.succeeded not in (None, execution.succeeded):
            return False
        if record.gas_used is None or record.gas_used == execution.gas_used or not self._proves(record):
            return True
        # what contracts that are not at hand did cost gas, too
        return bool(execution.strangers) and record.gas_used > execution.gas_used

    def _proves(self, record: ExportedTransaction | ExportedCall) -> bool:
        """Whether other gas than recorded means that a record went another way."""
        return self._evidence and (isinstance(record, ExportedCall) or record.gas_is_evidence)

    def nearness(self, job: ExecutionJob, execution: ExecutedCall) -> Nearness:
        """Return how near an execution is to what the chain says; more is nearer."""
        record = job.record
        if self.fits(job, execution):
            return True, 0
        ended = not execution.limited and record.succeeded in (None, execution.succeeded)
        return ended, -abs((record.gas_used or 0) - execution.gas_used) if ended else 0

    def fidelity(self, record: ExportedTransaction | ExportedCall, execution: ExecutedCall) -> Fidelity:
        """Return the mark of a record that ended as on the chain."""
        exact = self._evidence and record.gas_used == execution.gas_used
        return Fidelity.EXACT if exact else Fidelity.UNCHECKED


def _using(gas: int) -> bytes:
    """Return code that does nothing but use gas."""
    return b"\x5b" * gas  # JUMPDEST, 1 each


def _answering(word: int) -> bytes:
    """Return code that answers every call with a word."""
    return b"\x7f" + word.to_bytes(32, "big") + bytes.fromhex("60005260206000f3")
