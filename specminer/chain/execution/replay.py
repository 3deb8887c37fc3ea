"""Walks an export in chain order, executes every transaction again, and compares the end with the record.

What differs is marked (:class:`specminer.trace.Fidelity`), and so is what may be wrong because of it
(:mod:`specminer.chain.execution.doubt`).

A difference of a multiple of 25,000 gas is what transfers to accounts that did not exist cost: such a
transaction is tried again without the one or the other receiver that was not heard of before. One that fails here but
not on the chain is tried again as if its contract had more ether, because an export does not show all that reaches it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice

import msgspec
from ethereum.forks.istanbul.utils.address import compute_contract_address
from ethereum_types.bytes import Bytes20
from ethereum_types.numeric import Uint

from specminer.chain.execution.doubt import Doubt
from specminer.chain.execution.fork import Surroundings
from specminer.chain.execution.machine import Call, Execution, Machine
from specminer.chain.execution.schedule import Rules
from specminer.chain.exported import ExportedCall, ExportedTransaction
from specminer.chain.steps import Enter, Exit, Step, creations, recorded
from specminer.errors import FileFormatError
from specminer.trace import (
    NO_HASH,
    Address,
    Block,
    Fidelity,
    Tracer,
    Transaction,
)

NEW_ACCOUNT = 25_000
"""Gas that a transfer costs more if the account does not exist."""
LOAN = 1 << 128
"""Wei that a contract is lent to see whether it only lacks ether."""
GUESSES = 20
"""Sets of accounts that are tried at most."""
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


class Replay:
    """Executes records on a machine, one after another, in the chain's order."""

    def __init__(
        self,
        machine: Machine,
        chain_id: int,
        rules: Rules,
        targets: frozenset[Address],
        *,
        gas_is_evidence: bool,
    ) -> None:
        """Prepare; ``targets`` are the contracts to record, once they exist."""
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

    def step(self, record: ExportedTransaction, index: int) -> Replayed:
        """Execute one record; ``index`` is its place in the block."""
        rules = self._rules(record.block, record.timestamp)
        state = self.machine.state
        depth = state.depth
        state.begin()
        execution = self._run(record, rules)
        for missing in _absent(record, execution, state.fresh):
            state.reset(depth)
            state.forget_fresh()
            state.begin()
            with state.without(missing):
                execution = self._run(record, rules)
            if execution.gas_used == record.gas_used:
                break
        if record.succeeded and not execution.succeeded:
            execution = self._with_ether(record, rules, execution, depth)
        undone = record.succeeded is False and execution.succeeded
        if undone:
            state.reset(depth)
            execution = _failed_on_chain(execution, record.gas)
        else:
            state.commit()
        return self._replayed(record, execution, index, kept=not undone)

    def save(self) -> bytes:
        """Return how things stand after the last step, for :meth:`restore`."""
        return msgspec.msgpack.encode(
            SavedReplay(
                self.machine.save(),
                sorted(self.deployed),
                sorted((address, slot.to_bytes(32, "big")) for address, slot in self.doubt.slots),
                sorted(self.doubt.contracts),
                dict(sorted(self.asked.items())),
                sorted(self.strangers.items()),
                self.funded,
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
            slots={(Address(address), int.from_bytes(slot, "big")) for address, slot in found.slots},
            contracts={Address(item) for item in found.contracts},
        )
        self.funded = found.funded
        self.asked = Counter(found.asked)
        self.strangers = Counter({Address(item): count for item, count in found.strangers})

    def inner(self, calls: Sequence[ExportedCall], index: int) -> Replayed:
        """Execute calls that one transaction made from contracts that are not at hand, in their order.

        They stand under an outer frame of their own, because the transaction itself was another contract's.
        """
        block = calls[0]
        rules = self._rules(block.block, block.timestamp)
        steps: list[Step] = [Enter("CALL", block.sender, block.sender, 0, 0, b"")]
        executions = []
        for call in calls:
            self.machine.state.begin()
            execution = self.machine.run(
                Call(
                    sender=call.sender,
                    to=call.to,
                    value=call.value,
                    data=call.data,
                    gas=INNER_GAS if call.gas is None else call.gas,
                    origin=call.sender,
                ),
                surroundings(call, self._chain_id),
                rules,
                self.targets | self.deployed,
            )
            executions.append(execution)
            self._count(execution)
            if call.succeeded is False and execution.succeeded:
                self.machine.state.rollback()
                execution = _failed_on_chain(execution, call.gas or 0)
            else:
                self.machine.state.commit()
            steps += execution.steps
        used = sum(call.gas_used or 0 for call in calls)
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
        found = self._judged(transaction, steps, _worst(map(self._fidelity, calls, executions)), kept=True)
        return replace(found, size=sum(execution.size for execution in executions))

    def _with_ether(
        self, record: ExportedTransaction, rules: str, failed: Execution, depth: int
    ) -> Execution:
        """Try again as if the contract had more ether: exports do not show all that reaches it.

        That counts only if the contract did not ask how much it has, and, where gas is evidence, if the gas is right.
        """
        state, contract = self.machine.state, record.to
        if contract is None or failed.limited:
            return failed
        state.reset(depth)
        state.begin()
        self.machine.use(rules)
        self.machine.pay(contract, LOAN)
        execution = self._run(record, rules)
        right = record.gas_used in (None, execution.gas_used) or not self._evidence
        if execution.succeeded and not execution.own_balance and right:
            self.machine.pay(contract, -LOAN)
            self.funded += 1
            return execution
        state.reset(depth)
        state.begin()
        return self._run(record, rules)

    def _run(self, record: ExportedTransaction, rules: str) -> Execution:
        return self.machine.run(
            call_of(record), surroundings(record, self._chain_id), rules, self.targets | self.deployed
        )

    def _replayed(
        self, record: ExportedTransaction, execution: Execution, index: int, *, kept: bool
    ) -> Replayed:
        self._count(execution)
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
        found = self._judged(transaction, execution.steps, self._fidelity(record, execution), kept=kept)
        return replace(found, size=execution.size)

    def _judged(
        self, transaction: Transaction, steps: Sequence[Step], fidelity: Fidelity, *, kept: bool
    ) -> Replayed:
        """Put the contracts' parts together, and decide whether the values are to be believed."""
        created = tuple(_created(steps))
        self.deployed |= {contract for _, contract in created if contract in self.targets}
        entered = {step.to: None for step in steps if isinstance(step, Enter)}
        touched = [contract for contract in entered if contract in self.deployed]
        found = {contract: recorded(steps, [contract]) for contract in touched}
        calls = [call for part in found.values() for call in part.invocations]
        if fidelity.trusted and self.doubt.read_by(calls):
            fidelity = Fidelity.TAINTED
        self.doubt.note(calls, fidelity, kept)
        parts = {
            contract: replace(
                transaction,
                invocations=part.invocations,
                preimages=part.preimages,
                creations=creations(steps, [contract]),
                fidelity=fidelity,
            )
            for contract, part in found.items()
            if part.invocations
        }
        return Replayed(parts=parts, fidelity=fidelity, block=transaction.block.number, created=created)

    def _count(self, execution: Execution) -> None:
        self.asked.update(execution.asked)
        self.strangers.update(execution.strangers)

    def _fidelity(self, record: ExportedTransaction | ExportedCall, execution: Execution) -> Fidelity:
        if execution.limited or record.succeeded not in (None, execution.succeeded):
            return Fidelity.STATUS
        if record.gas_used is None or not self._evidence:
            return Fidelity.UNCHECKED
        return Fidelity.EXACT if record.gas_used == execution.gas_used else Fidelity.GAS


def _failed_on_chain(execution: Execution, gas: int) -> Execution:
    return replace(execution, steps=(*execution.steps[:-1], Exit(gas, b"", "failed on the chain")))


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
        created = Address(bytes(compute_contract_address(Bytes20(record.sender), Uint(record.nonce))))
    return Call(
        sender=record.sender,
        to=record.to,
        created=created,
        value=record.value,
        data=record.data,
        gas=record.gas,
        gas_price=record.gas_price or 0,
        nonce=record.nonce,
    )


def _absent(
    record: ExportedTransaction, execution: Execution, fresh: frozenset[bytes]
) -> Iterator[frozenset[bytes]]:
    """Yield which accounts may not have existed, if that explains the gas; at last none."""
    if record.gas_used is None or record.succeeded not in (None, execution.succeeded):
        return
    more, rest = divmod(record.gas_used - execution.gas_used, NEW_ACCOUNT)
    paid = [step.to for step in execution.steps[1:] if isinstance(step, Enter) and step.value]
    receivers = [address for address in dict.fromkeys(paid) if address in fresh]
    if rest or not 0 < more <= len(receivers):
        return
    for chosen in islice(combinations(receivers, more), GUESSES):
        yield frozenset(chosen)
    yield frozenset()


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
