"""Walks an export in chain order, executes every transaction again, and compares the end with the record.

What differs is marked (:class:`specminer.trace.Fidelity`), and what may be wrong because of it is left out as unknown
(:mod:`specminer.chain.execution.doubt`).

A transaction that ends otherwise than on the chain is tried again under assumptions, until one explains it:

- A difference of a multiple of 25,000 gas is what transfers to accounts that did not exist cost, so the one or the
  other receiver that was not heard of before did not exist.
- Its contract had more ether, because an export does not show all that reaches it.
- Contracts that are not at hand answered something.
- Somebody unseen wrote to a slot (:mod:`specminer.chain.execution.unseen`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, islice
from typing import Final

import msgspec

from specminer.chain.answer_log import foreign_logs
from specminer.chain.execution.calls import Call, Execution, Surroundings, VirtualMachine
from specminer.chain.execution.doubt import Doubt, with_sure_answers, with_unknown_values, with_unknown_way
from specminer.chain.execution.reporting import address_of
from specminer.chain.execution.schedule import Rules
from specminer.chain.execution.unseen import (
    Answers,
    Examination,
    Guesses,
    Nearness,
    Slot,
    compare,
    examine,
    explain,
    external_reads,
    lasting_writes,
    touched_slots,
    words_of,
)
from specminer.chain.exported import ExportedCall, ExportedTransaction
from specminer.chain.steps import UNKNOWN_FAILURE, Enter, Exit, Step, creations, recorded
from specminer.errors import FileFormatError
from specminer.evm.addresses import creation_address
from specminer.evm.forks import FORKS
from specminer.trace import (
    NO_ADDRESS,
    NO_HASH,
    Address,
    Block,
    Fidelity,
    Invocation,
    Tracer,
    Transaction,
)

NEW_ACCOUNT = 25_000
"""Gas that a transfer costs more if the account does not exist."""
LOAN = 1 << 128
"""Wei that a contract is lent to see whether it only lacks ether."""
GUESSES = 20
"""Sets of accounts that are tried at most."""
ATTEMPTS: Final = 2_000
"""Further attempts to execute records under assumptions, ..."""
ATTEMPTS_EACH: Final = 10
"""... and how many more each record brings."""
ATTEMPTS_SEARCH: Final = 100
"""Attempts to explain one record by unseen writes."""
_ROUNDS: Final = 3
"""Contracts that are not at hand, one behind the answer of another, that one record may ask."""
INNER_GAS = 10_000_000
"""Gas of an internal call where the export does not tell it."""
BLOCK_GAS = 30_000_000
"""The block's gas limit where nothing tells it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A transaction as it was executed again."""

    parts: Mapping[Address, Transaction]
    """For each deployed contract that it touched, the transaction with that contract's invocations."""
    fidelity: Fidelity
    block: int
    created: tuple[tuple[Address, Address], ...]
    """(creator, contract) of each contract that it created and that stayed."""
    size: int = 0
    """Bytes of memory that its steps took, about."""


class SavedReplay(msgspec.Struct, frozen=True):
    """What a replay must know to go on: see :meth:`Replay.save`."""

    machine: bytes
    deployed: list[bytes]
    slots: list[tuple[bytes, bytes]]
    contracts: list[bytes]
    asked: dict[str, int]
    strangers: list[tuple[bytes, int]]
    funded: int
    believed: list[tuple[bytes, bytes]] = []
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """What an export does not tell, and a transaction is executed under."""

    missing: frozenset[bytes] = frozenset()
    """Accounts that do not exist."""
    loan: int = 0
    """Wei that its contract has in addition."""
    answers: Answers = field(default_factory=dict)
    guesses: Guesses = field(default_factory=dict)


NOTHING: Final = Assumption()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One record to execute: a transaction, or an internal call."""

    record: ExportedTransaction | ExportedCall
    call: Call
    around: Surroundings
    rules: str
    contracts: frozenset[Address]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settled:
    """A record as it was executed in the end; its effects stay in the machine, if it had any on the chain."""

    execution: Execution
    fidelity: Fidelity
    doubtful: frozenset[Slot] = frozenset()
    """Slots whose values are not known when it begins."""
    dependent: frozenset[Slot] = frozenset()
    """Slots whose new values are not known."""
    wrote: bool = True
    """Whether it may have written."""


class Replay:
    """Executes records on a machine, one after another, in the chain's order."""

    def __init__(
        self,
        machine: VirtualMachine,
        chain_id: int,
        rules: Rules,
        targets: frozenset[Address],
        *,
        gas_is_evidence: bool,
        codes: Mapping[Address, bytes] | None = None,
    ) -> None:
        """Prepare.

        Args:
            machine: what executes; a new one.
            chain_id: the chain's.
            rules: the fork of each block.
            targets: the contracts to record, once they exist.
            gas_is_evidence: whether other gas than recorded means that something went otherwise.
            codes: runtime code of contracts whose creation cannot be followed, where it is known otherwise.

        """
        self.machine = machine
        self.deployed: set[Address] = set()
        """Those of the targets that exist."""
        self.doubt = Doubt()
        self.asked: Counter[str] = Counter()
        """What the contracts asked for that an export does not tell, with the number of transactions."""
        self.strangers: Counter[Address] = Counter()
        """Contracts called that are not at hand, with the number of transactions."""
        self.funded = 0
        """Transactions that would have failed without ether whose way to the contract the export does not show."""
        self._chain_id = chain_id
        self._rules = rules
        self.targets = targets
        self._evidence = gas_is_evidence
        self._codes = codes or {}
        self._attempts = ATTEMPTS
        """How many further attempts there may be."""

    def step(self, record: ExportedTransaction, index: int) -> Replayed:
        """Execute one record; ``index`` is its place in the block."""
        job = self._job(record, call_of(record))
        settled = self._settle(job)
        execution = settled.execution
        transaction = Transaction(
            hash=record.hash,
            block=Block(number=record.block, hash=record.block_hash or NO_HASH, timestamp=record.timestamp),
            index=index,
            sender=record.sender,
            to=record.to,
            value=record.value,
            gas=record.gas,
            gas_used=execution.gas_used if record.gas_used is None else record.gas_used,
            nonce=record.nonce or 0,
            succeeded=execution.succeeded if record.succeeded is None else record.succeeded,
            tracer=Tracer.EXECUTION,
            invocations=(),
        )
        return self._replayed(transaction, execution.steps, [settled], 0)

    def inner(self, calls: Sequence[ExportedCall], index: int) -> Replayed:
        """Execute calls that one transaction made from contracts that are not at hand, in their order.

        They stand under an outer frame of their own, because the transaction itself was another contract's.
        """
        block = calls[0]
        settled = [self._settle(self._job(call, _inner_call(call))) for call in calls]
        used = sum(call.gas_used or 0 for call in calls)
        steps: list[Step] = [Enter("CALL", block.sender, block.sender, 0, 0, b"")]
        for item in settled:
            steps += item.execution.steps
        steps.append(Exit(used, b"", None))
        transaction = Transaction(
            hash=block.hash,
            block=Block(number=block.block, hash=NO_HASH, timestamp=block.timestamp),
            index=index,
            sender=block.sender,
            to=block.sender,
            value=0,
            gas=used,
            gas_used=used,
            nonce=0,
            succeeded=True,
            tracer=Tracer.EXECUTION,
            invocations=(),
        )
        return self._replayed(transaction, steps, settled, 1)

    def adopt(self, contract: Address) -> None:
        """Record a contract from now on that existed before the first record; nothing is known of its storage."""
        self.deployed.add(contract)
        self.doubt.add_contract(contract)
        if contract in self._codes:
            self.machine.install(contract, self._codes[contract])

    def save(self) -> bytes:
        """Return how things stand after the last step, for :meth:`restore`."""
        return msgspec.msgpack.encode(
            SavedReplay(
                self.machine.save(),
                sorted(self.deployed),
                _saved_slots(self.doubt.slots),
                sorted(self.doubt.contracts),
                dict(sorted(self.asked.items())),
                sorted(self.strangers.items()),
                self.funded,
                _saved_slots(self.doubt.believed),
                self._attempts,
            )
        )

    def restore(self, saved: bytes) -> None:
        """Go on from where :meth:`save` was called; only before the first step.

        Raises:
            ValueError: it is no saved replay.

        """
        try:
            found = msgspec.msgpack.decode(saved, type=SavedReplay)
        except msgspec.DecodeError as error:
            raise ValueError("this is no saved replay") from error
        self.machine.restore(found.machine)
        self.deployed = {Address(item) for item in found.deployed}
        self.doubt = Doubt(
            slots=_restored_slots(found.slots),
            contracts={Address(item) for item in found.contracts},
            believed=_restored_slots(found.believed),
        )
        self.funded = found.funded
        self.asked = Counter(found.asked)
        self.strangers = Counter({Address(item): count for item, count in found.strangers})
        self._attempts = found.attempts

    def _job(self, record: ExportedTransaction | ExportedCall, call: Call) -> _Job:
        return _Job(
            record=record,
            call=call,
            around=surroundings(record, self._chain_id),
            rules=self._rules(record.block, record.timestamp),
            contracts=frozenset(self.targets | self.deployed),
        )

    def _settle(self, job: _Job) -> _Settled:
        """Execute a record, under assumptions if it ends otherwise than on the chain; keep its effects."""
        self._attempts += ATTEMPTS_EACH
        record = job.record
        known = record.to not in self.deployed or bool(self.machine.code(record.to))
        assumption = NOTHING
        execution = self._run(job, NOTHING)
        if not self._fits(job, execution):
            fresh = self.machine.state.fresh
            self._take_back()
            assumption = self._search(job, execution, fresh) if known else NOTHING
            execution = self._run(job, assumption)
        if not known or not self._fits(job, execution):
            return self._unexplained(job, execution, executed=known)
        doubtful = [
            slot
            for slot in external_reads(execution.steps)
            if slot in self.doubt or slot in assumption.guesses
        ]
        examination = None
        if doubtful or assumption.answers:
            self._take_back()
            examination = self._examine(job, execution, assumption, doubtful)
            execution = self._run(job, assumption)
        self.machine.state.commit()
        self._count(execution)
        self.funded += assumption.loan > 0
        return self._believed(job, execution, assumption, examination)

    def _believed(
        self, job: _Job, execution: Execution, assumption: Assumption, examination: Examination | None
    ) -> _Settled:
        """Take in an execution that ended as on the chain."""
        self.doubt.add(assumption.guesses)
        dependent: frozenset[Slot] = frozenset()
        fidelity = self._fidelity(job.record, execution)
        if examination is not None:
            self.doubt.remove(examination.confirmed)
            dependent = examination.dependent
            execution = execution if not examination.output else _without_output(execution)
        touched = touched_slots(execution.steps)
        doubtful = frozenset(slot for slot in touched if slot in self.doubt)
        reads = external_reads(execution.steps)
        if assumption.answers:
            fidelity = Fidelity.ANSWER
        elif assumption.guesses:
            fidelity = Fidelity.UNSEEN
        elif any(slot in doubtful for slot in reads):
            fidelity = Fidelity.TAINTED
        written = lasting_writes(execution.steps)
        self.doubt.add(slot for slot in written if slot in dependent)
        self.doubt.remove(slot for slot in written if slot not in dependent)
        return _Settled(execution=execution, fidelity=fidelity, doubtful=doubtful, dependent=dependent)

    def _unexplained(self, job: _Job, execution: Execution, *, executed: bool) -> _Settled:
        """Take in a record of which only the chain's word is known."""
        record, state = job.record, self.machine.state
        alike = not execution.limited and record.succeeded in (None, execution.succeeded)
        fidelity = Fidelity.GAS if alike else Fidelity.STATUS
        fidelity = fidelity if executed else Fidelity.NOT_EXECUTED
        self._count(execution)
        touched = touched_slots(execution.steps)
        doubtful = frozenset(slot for slot in touched if slot in self.doubt)
        if record.succeeded is False:
            state.reset(0)
        else:
            state.commit()
            # where it ended alike, it may have gone another way; else nothing is known of what it wrote
            self.doubt.add(lasting_writes(execution.steps) if fidelity is Fidelity.GAS else touched)
            target = job.call.to or job.call.created
            if target in job.contracts and (record.to is None or not touched):
                self.doubt.add_contract(target)
                if record.to is None and target in self._codes:
                    self.machine.install(target, self._codes[target])
        execution = _as_on_the_chain(job, execution)
        return _Settled(
            execution=execution, fidelity=fidelity, doubtful=doubtful, wrote=record.succeeded is not False
        )

    def _search(self, job: _Job, failed: Execution, fresh: frozenset[bytes]) -> Assumption:
        """Return an assumption under which a record ends as on the chain; none if there is none."""
        record = job.record
        for missing in _absent(record, failed, fresh):
            if self._fits(job, self._attempt(job, Assumption(missing=missing))):
                return Assumption(missing=missing)
        if failed.limited or record.to is None:
            return NOTHING
        if record.succeeded and not failed.succeeded:
            lent = self._attempt(job, Assumption(loan=LOAN))
            if self._fits(job, lent) and not lent.own_balance:
                return Assumption(loan=LOAN)
        answers = self._answers(job, failed)
        if answers:
            return Assumption(answers=answers)
        guesses = explain(
            failed,
            words_of(record.sender, record.value, record.data),
            lambda guesses: self._attempt(job, Assumption(guesses=guesses)),
            lambda execution: self._nearness(job, execution),
            self.doubt,
            min(self._attempts, ATTEMPTS_SEARCH),
        )
        return Assumption(guesses=guesses)

    def _answers(self, job: _Job, failed: Execution) -> dict[Address, int]:
        """Return words that contracts which are not at hand may have answered, if that explains the record."""
        for word in (1, 1 << 128, 0, int.from_bytes(job.record.sender, "big")):
            answers: dict[Address, int] = {}
            execution = failed
            for _ in range(_ROUNDS):
                asked = [item for item in execution.strangers if item not in answers]
                if not asked:
                    break
                answers |= dict.fromkeys(asked, word)
                execution = self._attempt(job, Assumption(answers=answers))
                if self._fits(job, execution):
                    return answers
        return {}

    def _examine(
        self, job: _Job, execution: Execution, assumption: Assumption, doubtful: Sequence[Slot]
    ) -> Examination:
        """Find out what of an execution depends on what is not known."""
        writes = frozenset(lasting_writes(execution.steps))
        if self._attempts <= 0:
            return Examination(confirmed=frozenset(), dependent=writes, output=True)

        def fits(other: Execution) -> bool:
            return self._fits(job, other)

        examination = examine(
            execution,
            doubtful,
            lambda guesses: self._attempt(
                job, replace(assumption, guesses={**assumption.guesses, **guesses})
            ),
            fits,
        )
        if not assumption.answers:
            return examination
        others = [
            self._attempt(job, replace(assumption, answers=dict.fromkeys(assumption.answers, word)))
            for word in (1, 2, 1 << 128, 1 << 100)
        ]
        return compare(execution, [other for other in others if fits(other)], examination)

    def _run(self, job: _Job, assumption: Assumption) -> Execution:
        """Execute a record; its effects stay until they are taken back or committed."""
        machine, state = self.machine, self.machine.state
        machine.use(job.rules)
        for slot, value in assumption.guesses.items():
            machine.put(*slot, value)
        state.begin()
        target = job.record.to
        if assumption.loan and target is not None:
            machine.pay(target, assumption.loan)
        for address, word in assumption.answers.items():
            machine.install(address, _answering(word), balance=machine.balance(address))
        with state.without(assumption.missing):
            execution = machine.run(job.call, job.around, job.rules, job.contracts)
        for address in assumption.answers:
            machine.install(address, b"", nonce=0, balance=machine.balance(address))
        if assumption.loan and target is not None:
            machine.pay(target, -assumption.loan)
        return execution

    def _attempt(self, job: _Job, assumption: Assumption) -> Execution:
        """Execute a record under an assumption, and leave nothing behind."""
        self._attempts -= 1
        self.machine.use(job.rules)
        held = {slot: self.machine.storage(*slot) for slot in assumption.guesses}
        execution = self._run(job, assumption)
        self._take_back()
        for slot, value in held.items():
            self.machine.put(*slot, value)
        return execution

    def _take_back(self) -> None:
        self.machine.state.reset(0)
        self.machine.state.forget_fresh()

    def _replayed(
        self, transaction: Transaction, steps: Sequence[Step], settled: Sequence[_Settled], depth: int
    ) -> Replayed:
        """Put the contracts' parts together, without the values that are not known.

        Calls down to ``depth`` are the chain's word.
        """
        created = tuple(_created(steps))
        self.deployed |= {contract for _, contract in created if contract in self.targets}
        entered = {step.to: None for step in steps if isinstance(step, Enter)}
        touched = [contract for contract in entered if contract in self.deployed]
        fidelity = _worst(item.fidelity for item in settled)
        doubtful = frozenset().union(*(item.doubtful for item in settled))
        account = self._codeless_sender(transaction, depth)
        strangers = {address for item in settled for address in item.execution.strangers} - {account}
        sure = fidelity in (Fidelity.EXACT, Fidelity.UNCHECKED) and not strangers
        # of a transaction that another contract made, only the calls are known
        logs = settled[0].execution.logs if sure and not depth else None
        parts: dict[Address, Transaction] = {}
        for contract in touched:
            part = recorded(steps, [contract], environment=self.machine.tells_environment)
            if not part.invocations:
                continue
            calls: tuple[Invocation, ...] = part.invocations
            if fidelity.explained:
                dependent = frozenset().union(*(item.dependent for item in settled))
                calls = with_unknown_values(calls, doubtful, dependent)
                exact = fidelity is Fidelity.EXACT
                calls = with_sure_answers(calls, sure=sure, exact=exact, codeless=account)
            else:
                calls = with_unknown_way(
                    [call for call in calls if call.depth <= depth],
                    doubtful,
                    wrote=any(item.wrote for item in settled),
                )
            parts[contract] = replace(
                transaction,
                invocations=calls,
                preimages=part.preimages,
                creations=creations(steps, [contract]),
                fidelity=fidelity,
                logs=None if logs is None else foreign_logs(logs, [contract]),
            )
        return Replayed(
            parts=parts,
            fidelity=fidelity,
            block=transaction.block.number,
            created=created,
            size=sum(item.execution.size for item in settled),
        )

    def _codeless_sender(self, transaction: Transaction, depth: int) -> Address | None:
        """Return who sent a transaction, if that account has no code for sure."""
        block = transaction.block
        rules = FORKS[self._rules(block.number, block.timestamp)]
        return None if depth or rules.delegations else transaction.sender

    def _count(self, execution: Execution) -> None:
        self.asked.update(execution.asked)
        self.strangers.update(execution.strangers)

    def _fits(self, job: _Job, execution: Execution) -> bool:
        """Whether an execution ended as on the chain, as far as the export tells."""
        record = job.record
        if execution.limited or record.succeeded not in (None, execution.succeeded):
            return False
        if record.gas_used is None or not self._evidence or record.gas_used == execution.gas_used:
            return True
        # what contracts that are not at hand did cost gas, too
        return bool(execution.strangers) and record.gas_used > execution.gas_used

    def _nearness(self, job: _Job, execution: Execution) -> Nearness:
        record = job.record
        if self._fits(job, execution):
            return True, 0
        ended = not execution.limited and record.succeeded in (None, execution.succeeded)
        return ended, -abs((record.gas_used or 0) - execution.gas_used) if ended else 0

    def _fidelity(self, record: ExportedTransaction | ExportedCall, execution: Execution) -> Fidelity:
        """Return the mark of a record that ended as on the chain."""
        exact = self._evidence and record.gas_used == execution.gas_used
        return Fidelity.EXACT if exact else Fidelity.UNCHECKED


def _as_on_the_chain(job: _Job, execution: Execution) -> Execution:
    """Return an execution that ends as the chain says, if only it is known how it ended."""
    record, call = job.record, job.call
    target = call.to or call.created or NO_ADDRESS
    succeeded = execution.succeeded if record.succeeded is None else record.succeeded
    gas_used = call.gas if record.gas_used is None else record.gas_used
    begin = Enter(
        "CREATE" if call.to is None else "CALL", call.sender, target, call.gas, call.value, call.data
    )
    return replace(
        execution,
        steps=(
            *(execution.steps[:-1] or (begin,)),
            Exit(gas_used, b"", None if succeeded else UNKNOWN_FAILURE),
        ),
    )


def _without_output(execution: Execution) -> Execution:
    """Return an execution without what it returned and how much it paid, which are not known."""
    steps = [
        replace(step, output=b"") if isinstance(step, Exit) and step.error is None else step
        for step in execution.steps
    ]
    return replace(execution, steps=tuple(steps))


def _answering(word: int) -> bytes:
    """Return code that answers every call with a word."""
    return b"\x7f" + word.to_bytes(32, "big") + bytes.fromhex("60005260206000f3")


def _saved_slots(slots: Iterable[Slot]) -> list[tuple[bytes, bytes]]:
    return sorted((address, slot.to_bytes(32, "big")) for address, slot in slots)


def _restored_slots(saved: Iterable[tuple[bytes, bytes]]) -> set[Slot]:
    return {(Address(address), int.from_bytes(slot, "big")) for address, slot in saved}


def _inner_call(call: ExportedCall) -> Call:
    return Call(
        sender=call.sender,
        to=call.to,
        value=call.value,
        data=call.data,
        gas=INNER_GAS if call.gas is None else call.gas,
        origin=call.sender,
        transaction=call.hash,
    )


def _worst(marks: Iterable[Fidelity]) -> Fidelity:
    order = list(Fidelity)
    return max(marks, key=order.index)


def call_of(record: ExportedTransaction) -> Call:
    """Return the call that a record stands for.

    Raises:
        FileFormatError: it creates a contract, but nothing tells where.

    """
    created = record.created
    if record.to is None and created is None:
        if record.nonce is None:
            raise FileFormatError(
                f"record {record.record} creates a contract, but has neither contractAddress nor nonce: nothing tells "
                "its address; add one of them"
            )
        created = address_of(creation_address(int.from_bytes(record.sender, "big"), record.nonce))
    return Call(
        sender=record.sender,
        to=record.to,
        created=created,
        value=record.value,
        data=record.data,
        gas=record.gas,
        gas_price=record.gas_price or 0,
        nonce=record.nonce,
        transaction=record.hash,
    )


def _absent(
    record: ExportedTransaction | ExportedCall, execution: Execution, fresh: frozenset[bytes]
) -> Iterator[frozenset[bytes]]:
    """Yield which accounts may not have existed, if that explains the gas."""
    if record.gas_used is None or record.succeeded not in (None, execution.succeeded):
        return
    more, rest = divmod(record.gas_used - execution.gas_used, NEW_ACCOUNT)
    paid = [step.to for step in execution.steps[1:] if isinstance(step, Enter) and step.value]
    receivers = [address for address in dict.fromkeys(paid) if address in fresh]
    if rest or not 0 < more <= len(receivers):
        return
    for chosen in islice(combinations(receivers, more), GUESSES):
        yield frozenset(chosen)


def surroundings(record: ExportedTransaction | ExportedCall, chain_id: int) -> Surroundings:
    """Return what a record tells of its block; where the time is not known, its number stands for it."""
    return Surroundings(
        chain_id=chain_id,
        number=record.block,
        timestamp=record.block if record.timestamp is None else record.timestamp,
        gas_limit=max(BLOCK_GAS, record.gas or 0),
    )


def _created(steps: Sequence[Step]) -> Iterator[tuple[Address, Address]]:
    """Yield (creator, contract) of the creations that stayed, in order of entry."""
    open_frames: list[tuple[Enter, list[tuple[Address, Address]]]] = []
    for step in steps:
        if isinstance(step, Enter):
            open_frames.append((step, []))
        elif isinstance(step, Exit):
            enter, inside = open_frames.pop()
            if step.error is not None:
                continue
            if enter.kind in ("CREATE", "CREATE2"):
                inside = [(enter.sender, enter.to), *inside]
            if open_frames:
                open_frames[-1][1].extend(inside)
            else:
                yield from inside
