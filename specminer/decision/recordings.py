"""From a row of a history to what executing that call alone takes: its recording, its block, its code, its rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from specminer._support.errors import UsageError
from specminer._support.keccak import keccak
from specminer.evm.alone import CallRecording
from specminer.evm.execution_events import Question, SlotRead, SlotWrite
from specminer.evm.forks import FORKS, Fork
from specminer.evm.frame import BlockContext, FrameKind
from specminer.evm.halts import Halt
from specminer.evm.opcodes import Op
from specminer.evm.taped_instructions import UNKNOWN_VALUE, CallEnding
from specminer.history.contract_history import (
    CALLS,
    CONSTRUCTOR,
    ENVIRONMENT,
    MISSING,
    OUTCOMES,
    TRACERS,
    AnswerColumns,
    History,
)
from specminer.history.trace import (
    LAST_PRECOMPILED,
    MAX_CALL_OUTPUT,
    CallKind,
    EnvironmentKind,
    OutcomeKind,
    Tracer,
)
from specminer.history.words import word_at
from specminer.replay.fork_schedule import rules_of_chain

GAS: Final = 100_000_000
"""What a call alone may spend: more than any call on a chain, but memory stays bounded."""
NEWEST: Final = tuple(FORKS.values())[-1]
_ENDS: Final = {
    OutcomeKind.RETURNED: None,
    OutcomeKind.ROLLED_BACK: None,
    OutcomeKind.REVERTED: Halt.REVERT,
    OutcomeKind.PANIC: Halt.REVERT,
    OutcomeKind.INVALID_OPCODE: Halt.INVALID_OPCODE,
    OutcomeKind.HALTED: Halt.INVALID_JUMP,
}
_OTHER_ENDS: Final = frozenset(Halt) - {
    Halt.REVERT,
    Halt.OUT_OF_GAS,
    Halt.INVALID_OPCODE,
    Halt.INVALID_JUMP,
}
"""What else :attr:`OutcomeKind.HALTED` stands for."""
_UNKNOWN_ENDS: Final = {
    OutcomeKind.OUT_OF_GAS: "it ran out of gas",
    OutcomeKind.FAILED: "how it failed is not known",
}
_QUESTIONS: Final = {
    EnvironmentKind.BALANCE: Op.BALANCE,
    EnvironmentKind.SELF_BALANCE: Op.SELFBALANCE,
    EnvironmentKind.CODE_SIZE: Op.EXTCODESIZE,
    EnvironmentKind.CODE_HASH: Op.EXTCODEHASH,
    EnvironmentKind.BLOCK_HASH: Op.BLOCKHASH,
    EnvironmentKind.BLOB_HASH: Op.BLOBHASH,
    EnvironmentKind.TRANSIENT: Op.TLOAD,
}
_DELEGATING: Final = (CallKind.DELEGATECALL, CallKind.CALLCODE)
_NEVER_KNOWN: Final = frozenset({Op.GASPRICE, Op.BLOBBASEFEE})
"""Opcodes that ask for what no source records."""


UNKNOWN_READ: Final = "it reads a slot whose value is not known"
"""Why a call cannot be executed alone that met a value in doubt."""


class NotRecorded(Exception):  # it is no error but a result
    """A call cannot be executed alone; the text says what its recording lacks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCall:
    """What executing one call of a history alone takes."""

    recordings: tuple[CallRecording, ...]
    """What may have been recorded, the likeliest first: more than one where the columns do not tell."""
    block: BlockContext
    codes: Mapping[int, bytes]
    """Code of the contract and of those to which it delegates, as far as known, by address."""
    forks: tuple[Fork, ...]
    """The rules that may have been in force, the likeliest first."""

    @property
    def variants(self) -> tuple[tuple[Fork, CallRecording], ...]:
        """What the call may have been, the likeliest first."""
        return tuple((fork, recording) for fork in self.forks for recording in self.recordings)


class Recordings:
    """Makes recordings out of a history's columns."""

    def __init__(self, history: History) -> None:
        """Prepare; codes are hashed once."""
        self._history = history
        records = history.contracts
        texts = {record.code for record in records} | {code for record in records for code in record.codes}
        texts |= {code for record in records for _, code in record.implementations}
        self._by_hash = {keccak(code): code for code in texts if code}
        self._by_hash[keccak(b"")] = b""
        self._handed_on = [
            {int.from_bytes(address, "big"): code for address, code in record.implementations if code}
            for record in records
        ]
        self._addresses = [int.from_bytes(address, "big") for address in history.addresses]
        self._rules = rules_of_chain(records[0].chain_id) if records else None
        self._block_rows: dict[int, int] = {}
        if history.blocks is not None:
            self._block_rows = {number: row for row, number in enumerate(history.blocks.number.tolist())}

    def lack(self, invocation: int) -> str | None:
        """Return why no call that ended as this one did can be executed alone; ``None`` if that is no reason."""
        return _UNKNOWN_ENDS.get(OUTCOMES[int(self._history.invocation_outcome[invocation])])

    def of(self, invocation: int, *, doubtful: bool = False) -> RecordedCall:
        """Return what executing a call alone takes.

        Args:
            invocation: its row in the history.
            doubtful: whether it may have read values that are not known: they are ``UNKNOWN_VALUE`` then.

        Raises:
            NotRecorded: its recording lacks what every call needs; what only some code asks for is missed when it
                does so.

        """
        history = self._history
        outcome, lack = OUTCOMES[int(history.invocation_outcome[invocation])], self.lack(invocation)
        if lack is not None:
            raise NotRecorded(lack)
        if self._tracer(invocation) is Tracer.PRESTATE:
            raise NotRecorded("its tracer does not tell the order of accesses")
        creates = int(history.invocation_kind[invocation]) == CONSTRUCTOR
        transaction = int(history.invocation_transaction[invocation])
        contract = self._contract(invocation)
        questions, gas_left = self._questions(invocation, contract)
        block, unknown = self._block(invocation, transaction)
        recording = CallRecording(
            contract=contract,
            kind=FrameKind.CREATE if creates else FrameKind.CALL,
            caller=self._addresses[int(history.invocation_sender[invocation])],
            value=history.words[int(history.invocation_value[invocation])],
            data=history.invocation_data[invocation],
            gas=GAS,
            halt=_ENDS[outcome],
            other_halts=_OTHER_ENDS if outcome is OutcomeKind.HALTED else frozenset(),
            output=None if creates else history.invocation_output[invocation],
            origin=self._addresses[int(history.transaction_origin[transaction])],
            accesses=self._accesses(invocation, contract, doubtful=doubtful),
            answers=self._answers(invocation),
            questions=questions,
            gas_left=gas_left,
            unknown=unknown,
        )
        return RecordedCall(
            recordings=_variants(recording),
            block=block,
            codes=self._codes(invocation, contract, creates=creates),
            forks=self._forks(block.number, int(history.transaction_time[transaction])),
        )

    def _contract(self, invocation: int) -> int:
        number = int(self._history.invocation_contract[invocation])
        return int.from_bytes(self._history.contracts[number].address, "big")

    def _tracer(self, invocation: int) -> Tracer:
        history = self._history
        if history.answers is None:
            return history.tracers[0]
        row = int(history.invocation_transaction[invocation])
        return TRACERS[int(history.answers.transaction_tracer[row])]

    def _accesses(self, invocation: int, contract: int, *, doubtful: bool) -> list[SlotRead | SlotWrite]:
        history, words = self._history, self._history.words
        rows = history.accesses(invocation)
        accesses: list[SlotRead | SlotWrite] = []
        for write, slot, before, after in zip(
            history.access_write[rows].tolist(),
            history.access_slot[rows].tolist(),
            history.access_before[rows].tolist(),
            history.access_after[rows].tolist(),
            strict=True,
        ):
            if write:
                earlier = UNKNOWN_VALUE if before == MISSING else words[before]
                value = UNKNOWN_VALUE if after == MISSING else words[after]
                accesses.append(SlotWrite(contract, words[slot], earlier, value))
            elif after == MISSING and not doubtful:
                raise NotRecorded(UNKNOWN_READ)
            else:
                value = UNKNOWN_VALUE if after == MISSING else words[after]
                accesses.append(SlotRead(contract, words[slot], value))
        return accesses

    def _answers(self, invocation: int) -> list[CallEnding] | None:
        columns = self._history.answers
        if columns is None or columns.invocation_calls[invocation] == MISSING:
            return None
        rows = columns.calls(invocation)
        return [self._answer(columns, row) for row in range(rows.start, rows.stop)]

    def _answer(self, columns: AnswerColumns, row: int) -> CallEnding:
        kind = CALLS[int(columns.call_kind[row])]
        to = self._addresses[int(columns.call_to[row])]
        succeeded = bool(columns.call_succeeded[row])
        output = columns.outputs[int(columns.call_output[row])]
        size = int(columns.call_output_size[row])
        precompiled = 0 < to <= LAST_PRECOMPILED
        is_whole = size == len(output) or (size == MISSING and 0 < len(output) < MAX_CALL_OUTPUT)
        if not is_whole and not precompiled:
            raise NotRecorded("another contract's answer is too long to be recorded")
        return CallEnding(
            FrameKind[kind.name],
            0 if kind.creates else to,
            self._history.words[int(columns.call_value[row])],
            (to if succeeded else 0) if kind.creates else int(succeeded),
            output,
            computed=not is_whole and succeeded,
        )

    def _questions(self, invocation: int, contract: int) -> tuple[list[Question] | None, list[int]]:
        """Return what code was told of accounts, ``None`` if that was not recorded, and gas that was left."""
        columns = self._history.answers
        if columns is None or columns.invocation_environment[invocation] == MISSING:
            return None, []
        rows = columns.environment(invocation)
        questions: list[Question] = []
        gas_left: list[int] = []
        for row in range(rows.start, rows.stop):
            kind = ENVIRONMENT[int(columns.environment_kind[row])]
            value = word_at(columns.environment_value, row)
            if kind is EnvironmentKind.GAS:
                gas_left.append(value)
            else:
                subject = word_at(columns.environment_subject, row)
                questions.append(Question(contract, int(_QUESTIONS[kind]), subject, value))
        return questions, gas_left

    def _codes(self, invocation: int, contract: int, *, creates: bool) -> dict[int, bytes]:
        history, columns = self._history, self._history.answers
        number = int(history.invocation_contract[invocation])
        own, handed_on = history.contracts[number].code, self._handed_on[number]
        codes: dict[int, bytes] = {}
        list_number = MISSING if columns is None else int(columns.invocation_codes[invocation])
        if columns is None or list_number == MISSING:
            codes = {**handed_on, **({contract: own} if own else {})}
        else:
            for row, digest in columns.code_lists[list_number]:
                address = self._addresses[row]
                default = own if address == contract else handed_on.get(address)
                code = (default or None) if digest is None else self._by_hash.get(digest)
                if code is not None:
                    codes[address] = code
            outermost = next((self._addresses[row] for row, _ in columns.code_lists[list_number]), contract)
            if outermost in codes:  # not the contract's own where its account delegates (EIP-7702)
                codes.setdefault(contract, codes[outermost])
        if creates:
            codes[contract] = b""  # there is none before its creation has ended
        return codes

    def _block(self, invocation: int, transaction: int) -> tuple[BlockContext, frozenset[int]]:
        """Return a transaction's block, and opcodes that ask for what is not known of it."""
        history, columns = self._history, self._history.blocks
        unknown: set[int] = set(_NEVER_KNOWN)
        number, time = (
            int(column[transaction]) for column in (history.transaction_block, history.transaction_time)
        )
        if time == MISSING:
            # what was executed again without a time had the block's number in its place
            time = number if self._tracer(invocation) is Tracer.EXECUTION else 0
            unknown |= set() if time else {Op.TIMESTAMP}
        row = self._block_rows.get(number)
        limit, beneficiary, fee, randomness = MISSING, MISSING, MISSING, MISSING
        if columns is not None and row is not None:
            limit = int(columns.gas_limit[row])
            beneficiary = int(columns.beneficiary[row])
            fee = word_at(columns.base_fee, row) if columns.has_base_fee[row] else MISSING
            randomness = word_at(columns.randomness, row) if columns.has_randomness[row] else MISSING
        for value, opcode in (
            (limit, Op.GASLIMIT),
            (beneficiary, Op.COINBASE),
            (fee, Op.BASEFEE),
            (randomness, Op.PREVRANDAO),
        ):
            if value == MISSING:
                unknown.add(opcode)
        address = columns.beneficiaries[beneficiary] if columns and beneficiary != MISSING else b""
        context = BlockContext(
            chain_id=history.contracts[int(history.invocation_contract[invocation])].chain_id,
            number=number,
            timestamp=time,
            coinbase=int.from_bytes(address, "big"),
            gas_limit=max(limit, 0),
            base_fee=max(fee, 0),
            randomness=max(randomness, 0),
        )
        return context, frozenset(unknown)

    def _forks(self, number: int, time: int) -> tuple[Fork, ...]:
        """Return the chain's rules at a block, and the newest, for chains that only have the main chain's number."""
        if self._rules is None:
            return (NEWEST,)
        try:
            fork = FORKS[self._rules(number, None if time == MISSING else time)]
        except UsageError:
            return (NEWEST,)
        return (fork, NEWEST) if fork is not NEWEST else (NEWEST,)


def _variants(recording: CallRecording) -> tuple[CallRecording, ...]:
    """Return a recording with what the columns do not tell of it: failed calls, and whether it had to be static."""
    variants = [recording]
    if recording.answers is None:
        variants = [replace(recording, assumed=succeeded) for succeeded in (True, False)]
    if recording.other_halts:
        variants += [replace(item, static=True) for item in variants]
    return tuple(variants)
