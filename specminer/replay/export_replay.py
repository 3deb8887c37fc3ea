"""Walks an export in chain order, executes every transaction again, and compares the end with the record.

What differs is marked (:class:`specminer.history.trace.Fidelity`), and what may be wrong because of it is left out as
unknown (:mod:`specminer.replay.doubt`). :mod:`.settlement` decides what became of a record,
:mod:`.assumption_search` finds the assumptions that explain it, :mod:`.saved_replay` packs how things stand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from specminer.evm.forks import FORKS
from specminer.history.answer_log import foreign_logs
from specminer.history.trace import Address, Block, Fidelity, Hash, Invocation, Tracer, Transaction
from specminer.history.tracer_steps import Enter, Exit, Step, creations, record_steps
from specminer.replay.assumptions import ExecutionJob, Trials
from specminer.replay.diff_check import DiffCheck, DiffCounts
from specminer.replay.doubt import Doubt, with_sure_answers, with_unknown_values, with_unknown_way
from specminer.replay.fork_schedule import Rules
from specminer.replay.inferred_facts import InferredFact
from specminer.replay.machine_calls import Call, VirtualMachine
from specminer.replay.records import block_of, call_of, inner_call, surroundings
from specminer.replay.saved_replay import SavedReplay, decode_replay, restored_slots, saved_slots
from specminer.replay.settlement import SettledRecord, Settler
from specminer.sources.exported import ExportedCall, ExportedTransaction
from specminer.sources.storage_diffs import StorageDiffs


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedTransaction:
    """A transaction as it was executed again."""

    parts: Mapping[Address, Transaction]
    """For each deployed contract that it touched, the transaction with that contract's invocations."""
    fidelity: Fidelity
    block: int
    created: tuple[tuple[Address, Address], ...]
    """(creator, contract) of each contract that it created and that stayed."""
    size: int = 0
    """Bytes of memory that its steps took, about."""


class RecordReplay:
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
        blocks: Mapping[int, Block] | None = None,
        diffs: StorageDiffs | None = None,
        infer: bool = True,
    ) -> None:
        """Prepare.

        Args:
            machine: what executes; a new one.
            chain_id: the chain's.
            rules: the fork of each block.
            targets: the contracts to record, once they exist.
            gas_is_evidence: whether other gas than recorded means that something went otherwise.
            codes: runtime code of contracts whose creation cannot be followed, where it is known otherwise.
            blocks: what is known of blocks, by number.
            diffs: what nodes say of the storage that transactions found and left.
            infer: whether a transaction that ends otherwise than on the chain is tried again under assumptions.

        """
        self.machine = machine
        self.existing_targets: set[Address] = set()
        """Those of the targets that exist."""
        self.targets = targets
        self._chain_id = chain_id
        self._rules = rules
        self._codes = codes or {}
        self._blocks = blocks or {}
        self._trials = Trials(machine, gas_is_evidence=gas_is_evidence)
        self._settler = Settler(self._trials, self._codes, infer=infer)
        self._diff_check = DiffCheck(self._trials, diffs or {})

    @property
    def doubt(self) -> Doubt:
        """What is not known of the contracts' storage."""
        return self._settler.doubt

    @property
    def diff_counts(self) -> DiffCounts:
        """What the comparison with storage differences found."""
        return self._diff_check.counts

    @property
    def questions(self) -> Counter[str]:
        """What the contracts asked for that an export does not tell, with the number of transactions."""
        return self._settler.questions

    @property
    def strangers(self) -> Counter[Address]:
        """Contracts called that are not at hand, with the number of transactions."""
        return self._settler.strangers

    @property
    def funded(self) -> int:
        """Transactions that would have failed without ether whose way to the contract the export does not show."""
        return self._settler.funded

    @property
    def facts(self) -> list[InferredFact]:
        """What no list shows, and nothing else explains."""
        return self._settler.facts

    def step(self, record: ExportedTransaction, index: int) -> ReplayedTransaction:
        """Execute one record; ``index`` is its place in the block."""
        job = self._job(record, call_of(record))
        settled = self._settle(job)
        execution = settled.execution
        transaction = Transaction(
            hash=record.hash,
            block=self._block(record),
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
        return self._assemble(transaction, execution.steps, [settled], 0)

    def inner(self, calls: Sequence[ExportedCall], index: int) -> ReplayedTransaction:
        """Execute calls that one transaction made from contracts that are not at hand, in their order.

        They stand under an outer frame of their own, because the transaction itself was another contract's.
        """
        first = calls[0]
        settled = [self._settle(self._job(call, inner_call(call))) for call in calls]
        gas_used = sum(call.gas_used or 0 for call in calls)
        steps: list[Step] = [Enter("CALL", first.sender, first.sender, 0, 0, b"")]
        for item in settled:
            steps += item.execution.steps
        steps.append(Exit(gas_used, b"", None))
        transaction = Transaction(
            hash=first.hash,
            block=self._block(first),
            index=index,
            sender=first.sender,
            to=first.sender,
            value=0,
            gas=gas_used,
            gas_used=gas_used,
            nonce=0,
            succeeded=True,
            tracer=Tracer.EXECUTION,
            invocations=(),
        )
        return self._assemble(transaction, steps, settled, 1)

    def adopt(self, contract: Address) -> None:
        """Record a contract from now on that existed before the first record; nothing is known of its storage."""
        self.existing_targets.add(contract)
        self._settler.doubt.add_contract(contract)
        if contract in self._codes:
            self.machine.install(contract, self._codes[contract])

    def save(self) -> bytes:
        """Return how things stand after the last step, for :meth:`restore`."""
        settler = self._settler
        return msgspec.msgpack.encode(
            SavedReplay(
                self.machine.save(),
                sorted(self.existing_targets),
                saved_slots(settler.doubt.slots),
                sorted(settler.doubt.contracts),
                dict(sorted(settler.questions.items())),
                sorted(settler.strangers.items()),
                settler.funded,
                saved_slots(settler.doubt.trusted_slots),
                self._trials.attempts,
                [(fact.contract, fact.transaction, fact.text) for fact in settler.facts],
            )
        )

    def restore(self, saved: bytes) -> None:
        """Go on from where :meth:`save` was called; only before the first step.

        Raises:
            ValueError: it is no saved replay.

        """
        replay, settler = decode_replay(saved), self._settler
        self.machine.restore(replay.machine)
        self.existing_targets = {Address(item) for item in replay.deployed}
        settler.doubt = Doubt(
            slots=restored_slots(replay.slots),
            contracts={Address(item) for item in replay.contracts},
            trusted_slots=restored_slots(replay.believed),
        )
        settler.funded = replay.funded
        settler.questions = Counter(replay.asked)
        settler.strangers = Counter({Address(item): count for item, count in replay.strangers})
        settler.facts = [
            InferredFact(contract=Address(contract), transaction=Hash(transaction), text=text)
            for contract, transaction, text in replay.facts
        ]
        self._trials.attempts = replay.attempts

    def _settle(self, job: ExecutionJob) -> SettledRecord:
        """Execute a record, with what is told of the storage that its transaction found and left, if it is alone."""
        diff = self._diff_check.of(job.record.hash, job.contracts)
        if not diff or isinstance(job.record, ExportedCall):
            return self._settler.settle(job)
        self._diff_check.before(job, diff, self.doubt)
        return self._diff_check.after(job, diff, self._settler.settle(job), self.doubt)

    def _block(self, record: ExportedTransaction | ExportedCall) -> Block:
        """Return what is known of a record's block."""
        block = self._blocks.get(record.block)
        return block_of(record) if block is None else block

    def _job(self, record: ExportedTransaction | ExportedCall, call: Call) -> ExecutionJob:
        block = self._block(record)
        return ExecutionJob(
            record=record,
            call=call,
            surroundings=surroundings(record, self._chain_id, block),
            block=block,
            rules=self._rules(record.block, block.timestamp),
            contracts=frozenset(self.targets | self.existing_targets),
            executable=record.to not in self.existing_targets or bool(self.machine.code(record.to)),
        )

    def _assemble(
        self, transaction: Transaction, steps: Sequence[Step], settled: Sequence[SettledRecord], depth: int
    ) -> ReplayedTransaction:
        """Put the contracts' parts together, without the values that are not known.

        Calls down to ``depth`` are the chain's word.
        """
        created = tuple(_find_creations(steps))
        self.existing_targets |= {contract for _, contract in created if contract in self.targets}
        entered_addresses = {step.to: None for step in steps if isinstance(step, Enter)}
        touched_contracts = [contract for contract in entered_addresses if contract in self.existing_targets]
        fidelity = _worst(item.fidelity for item in settled)
        doubtful = frozenset().union(*(item.doubtful for item in settled))
        account = self._codeless_sender(transaction, depth)
        strangers = {address for item in settled for address in item.execution.strangers} - {account}
        sure = fidelity in (Fidelity.EXACT, Fidelity.UNCHECKED) and not strangers
        # of a transaction that another contract made, only the calls are known
        logs = settled[0].execution.logs if sure and not depth else None
        parts: dict[Address, Transaction] = {}
        for contract in touched_contracts:
            part = record_steps(steps, [contract], environment=self.machine.tells_environment)
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
        return ReplayedTransaction(
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


def _worst(marks: Iterable[Fidelity]) -> Fidelity:
    order = list(Fidelity)
    return max(marks, key=order.index)


def _find_creations(steps: Sequence[Step]) -> Iterator[tuple[Address, Address]]:
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
