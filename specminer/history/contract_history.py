"""A contract's history as integer columns: what every analysis works on.

The costly part of a history, its storage accesses, is read from the store once into numpy arrays of
small integers; words and addresses are coded by their row in :attr:`History.words` and
:attr:`History.addresses`. Rows stand in chain order: by block, index in the block, position.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from specminer._support.parts import spans
from specminer._support.scratch import ColumnWriter, in_file
from specminer.history.flows import TokenStandard
from specminer.history.trace import (
    Address,
    CallKind,
    ContractRecord,
    EnvironmentKind,
    Fidelity,
    Hash,
    InvocationKind,
    OutcomeKind,
    PaymentKind,
    Tracer,
)
from specminer.history.words import WordArray

IntColumn = npt.NDArray[np.int64]
RowColumn = npt.NDArray[np.int32]
"""Rows of other columns and places, in half the space: for what there is of each storage access. Products of them may
not fit, so one side is made an :data:`IntColumn` first."""
BoolColumn = npt.NDArray[np.bool_]

KINDS = tuple(InvocationKind)
"""``invocation_kind`` holds positions in this tuple."""
OUTCOMES = tuple(OutcomeKind)
"""``invocation_outcome`` holds positions in this tuple."""
PAYMENTS = tuple(PaymentKind)
"""``payment_kind`` holds positions in this tuple."""
CALLS = tuple(CallKind)
"""``AnswerColumns.call_kind`` holds positions in this tuple."""
ENVIRONMENT = tuple(EnvironmentKind)
"""``AnswerColumns.environment_kind`` holds positions in this tuple."""
TRACERS = tuple(Tracer)
"""``AnswerColumns.transaction_tracer`` holds positions in this tuple."""
TOKENS = tuple(TokenStandard)
"""``TransferColumns.standard`` holds positions in this tuple."""
RETURNED = OUTCOMES.index(OutcomeKind.RETURNED)
CONSTRUCTOR = KINDS.index(InvocationKind.CONSTRUCTOR)
MISSING = -1
"""In any column: there is no such value (no parent, not seen by the tracer, no timestamp)."""


SmallColumn = npt.NDArray[np.int8]
"""Positions in short tuples."""
CodeList = tuple[tuple[int, Hash | None], ...]
"""Runtime code that ran in an invocation, in order of entry: the row in ``History.addresses`` of whose it is, and its
hash, ``None`` if that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerColumns:
    """What invocations heard from others, and which code ran in them: what executing one alone needs besides.

    Of ``n`` invocations in ``t`` transactions; ``c`` external calls, ``e`` answers of the environment.
    """

    transaction_tracer: SmallColumn
    """Shape (t,)."""
    invocation_calls: RowColumn
    """How many external calls there are; ``MISSING`` if they were not recorded; shape (n,)."""
    invocation_environment: RowColumn
    """How many answers of the environment there are; ``MISSING`` if they were not recorded; shape (n,)."""
    invocation_codes: RowColumn
    """Position in ``code_lists``; ``MISSING`` if it was not recorded which code ran; shape (n,)."""
    code_lists: tuple[CodeList, ...]
    """Each once."""

    call_invocation: RowColumn
    """Row of the invocation that called, ascending; shape (c,), as all columns of this group, in order of entry."""
    call_kind: SmallColumn
    call_to: RowColumn
    """Row in ``History.addresses``; of a creation what was created, zero if it failed."""
    call_value: RowColumn
    """Row in ``History.words``: wei."""
    call_selector: IntColumn
    """The first four bytes of the calldata as a number; ``MISSING`` if there are fewer."""
    call_succeeded: BoolColumn
    call_undone: BoolColumn
    """It returned, but what it belongs to reverted later."""
    call_output: RowColumn
    """Position in ``outputs``."""
    call_output_size: IntColumn
    """Bytes of the whole output; ``MISSING`` if that is not known."""
    outputs: tuple[bytes, ...]
    """What was answered, as far as it was recorded, each once."""

    environment_invocation: RowColumn
    """Row of the invocation that asked, ascending; shape (e,), as all columns of this group, in order."""
    environment_kind: SmallColumn
    environment_subject: WordArray
    """What was asked for, as the opcode took it; 0 if it takes nothing."""
    environment_value: WordArray

    def calls(self, invocation: int) -> slice:
        """Return where the external calls of an invocation stand."""
        return bounds(self.call_invocation, invocation)

    def environment(self, invocation: int) -> slice:
        """Return where the answers of the environment of an invocation stand."""
        return bounds(self.environment_invocation, invocation)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockColumns:
    """What code can ask of blocks apart from their number and time; a row for each block that has any of it, ``b``."""

    number: IntColumn
    """Ascending; shape (b,), as all columns."""
    gas_limit: IntColumn
    """``MISSING`` if it is not known."""
    has_base_fee: BoolColumn
    base_fee: WordArray
    """Wei for each gas."""
    has_randomness: BoolColumn
    randomness: WordArray
    beneficiary: RowColumn
    """Position in ``beneficiaries``, or ``MISSING``."""
    beneficiaries: tuple[Address, ...]
    """Each once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferColumns:
    """Token flows that log entries tell of (:mod:`specminer.history.flows`), ``f`` of them in ``t`` transactions.

    In the order of transactions; within one those that other contracts emitted, then those of the traced contracts
    themselves, each in the order of their log entries.
    """

    recorded: BoolColumn
    """Transactions of which the log entries of other contracts were recorded; of others only the traced contracts'
    own flows are here; shape (t,)."""
    transaction: RowColumn
    """Row of the transaction, ascending; shape (f,), as all columns of this group."""
    token: RowColumn
    """Position in ``parties``."""
    standard: SmallColumn
    sender: RowColumn
    """Position in ``parties``; of tokens that are created, that of the zero address."""
    recipient: RowColumn
    """Position in ``parties``; of tokens that are destroyed, that of the zero address."""
    has_amount: BoolColumn
    amount: WordArray
    """In the token's smallest unit, or, of an unstated kind of token, an amount or an identifier."""
    has_identifier: BoolColumn
    identifier: WordArray
    parties: tuple[Address, ...]
    """Each once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """A contract from a creation to the end of the code and the storage that this creation gave it."""

    number: int
    """1, 2, ... among the lives of the contract that the history shows."""
    of: int
    """How many lives of the contract the history shows."""
    created: int | None
    """Row of the transaction that created it; ``None`` if the history does not hold it."""
    destroyed: int | None
    """Row of the last transaction in which it destroyed itself, or tried to: that is in vain from Cancun on, unless
    the same transaction created it. ``None`` if the history holds none."""
    ended: bool | None
    """Whether the life is over; ``None`` if that is not known."""
    code: int | None
    """Row in ``History.words`` of the KECCAK256 hash of its runtime code; ``None`` if it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One or more contracts' invocations in chain order, as columns; ``n`` invocations, ``a`` accesses."""

    contracts: tuple[ContractRecord, ...]
    """The traced contracts; ``invocation_contract`` holds positions in this tuple. Where lives are told apart, a
    contract stands here once for each of its lives."""
    first_block: int
    last_block: int
    ranges: tuple[tuple[int, int], ...]
    """The block ranges known to be complete, ascending, both ends inclusive."""
    tracers: tuple[Tracer, ...]
    """Who recorded the transactions, each once."""
    fidelity: Mapping[Fidelity, int]
    """How many of the transactions that were executed again ended how; those left out of the columns included."""
    limits: tuple[str, ...]
    """What the way of collecting may have missed, as sentences."""

    words: Sequence[int]
    """Slots and values, each once."""
    addresses: tuple[Address, ...]
    preimages: dict[int, bytes]
    """KECCAK256 image (as an integer) to what was hashed."""

    transaction_hash: Sequence[Hash]
    transaction_block: IntColumn
    transaction_index: IntColumn
    transaction_time: IntColumn
    """Unix seconds of the block, or ``MISSING``."""
    transaction_origin: IntColumn
    transaction_gas_used: IntColumn
    """Gas that the chain charged, refunds taken off; what executing it again took, where an export does not tell."""

    invocation_transaction: IntColumn
    """Row of the transaction; shape (n,), as all columns of this group."""
    invocation_contract: IntColumn
    invocation_position: IntColumn
    invocation_parent: IntColumn
    """Row of the enclosing invocation of the same contract, or ``MISSING``."""
    invocation_kind: IntColumn
    invocation_code: IntColumn
    """Row in ``addresses`` of the contract whose code ran."""
    invocation_code_hash: IntColumn
    """Row in ``words`` of the KECCAK256 hash of the contract's own runtime code as it ran; ``MISSING`` if that was not
    recorded, and for constructors."""
    invocation_sender: IntColumn
    """Row in ``addresses``."""
    invocation_newborn: BoolColumn
    """Whether the caller is known to be a contract that the same transaction created. That it is not is never known: a
    contract of which nothing was recorded may have created it."""
    invocation_value: IntColumn
    """Row in ``words``: wei."""
    invocation_outcome: IntColumn
    invocation_payments: IntColumn
    """How many payments it made, undone ones included; ``MISSING`` if that was not recorded."""
    invocation_data: Sequence[bytes]
    """Calldata."""
    invocation_output: Sequence[bytes]
    """What was returned or reverted with."""

    access_invocation: RowColumn
    """Row of the invocation, ascending, and by position within one; shape (a,), as all columns of this group."""
    access_write: BoolColumn
    access_slot: RowColumn
    """Row in ``words``."""
    access_before: RowColumn
    """Row in ``words``, or ``MISSING`` if not known."""
    access_after: RowColumn
    """Row in ``words`` of the value written or read, or ``MISSING`` if not known."""
    access_undone: BoolColumn
    access_position: RowColumn
    """Order in the transaction, over all its invocations."""

    payment_invocation: IntColumn
    """Row of the invocation that paid, ascending; shape (p,), as all columns of this group, in order of payment."""
    payment_kind: IntColumn
    payment_to: IntColumn
    """Row in ``addresses``."""
    payment_value: IntColumn
    """Row in ``words``: wei; ``MISSING`` if not seen."""
    payment_undone: BoolColumn
    """Failed or reverted: the ether stayed."""
    lives: tuple[Life, ...] = ()
    """The life that each of ``contracts`` stands for; none while lives are not told apart, or if each contract has one
    in which it never destroyed itself."""

    @property
    def accounts(self) -> tuple[Address, ...]:
        """The addresses of the contracts, each once."""
        return tuple(dict.fromkeys(item.address for item in self.contracts))

    answers: AnswerColumns | None = None
    """What invocations heard from others; ``None`` where nobody said."""
    blocks: BlockColumns | None = None
    """Values of blocks; ``None`` where none is known."""
    transfers: TransferColumns | None = None
    """Token flows; ``None`` where nobody said."""

    @property
    def accepted(self) -> BoolColumn:
        """For each invocation, whether its effects lasted; shape (n,)."""
        return np.equal(self.invocation_outcome, RETURNED)

    def accesses(self, invocation: int) -> slice:
        """Return where the accesses of an invocation stand."""
        return bounds(self.access_invocation, invocation)

    def __len__(self) -> int:
        return len(self.invocation_transaction)


def bounds(ascending: RowColumn, value: int) -> slice:
    """Return where a value stands in an ascending column."""
    # of the column's own type: else numpy would copy the column to compare
    low, high = np.searchsorted(ascending, np.array([value, value + 1], dtype=ascending.dtype))
    return slice(int(low), int(high))


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """The distinct (contract, slot) pairs that a history accesses, by contract and row of the slot; ``s`` pairs.

    Whatever is said of storage, by slot or by location, uses these numbers.
    """

    contract: IntColumn
    """Position in ``History.contracts``; shape (s,)."""
    word: IntColumn
    """Row in ``History.words`` of the slot; shape (s,)."""
    access: RowColumn
    """Number of the pair, 0 .. s-1, that each access touches; shape (a,)."""

    def __len__(self) -> int:
        return len(self.word)


def _slot_codes(history: History, span: int, some: slice) -> IntColumn:
    """Return a number for contract and slot of some accesses."""
    contract: IntColumn = history.invocation_contract[history.access_invocation[some]]
    return contract * span + history.access_slot[some]


def slots(history: History) -> Slots:
    """Return the storage slots that a history accesses, numbered; linear in accesses, words and contracts."""
    span = len(history.words) + 1
    count = len(history.access_slot)
    if span * len(history.contracts) <= 8 * (count + span):
        present = np.zeros(span * len(history.contracts), dtype=np.bool_)
        for some in spans(count):
            present[_slot_codes(history, span, some)] = True
        pairs = np.flatnonzero(present)
        number = np.cumsum(present, dtype=np.int32) - np.int32(1)
        numbers = ColumnWriter()
        for some in spans(count):
            numbers.append(number[_slot_codes(history, span, some)].tobytes())
        access = numbers.column(np.int32)
    else:  # many contracts, each of few slots
        code = _slot_codes(history, span, slice(0, count))
        pairs, inverse = np.unique(code, return_inverse=True)
        access = in_file(inverse.astype(np.int32))
    return Slots(contract=pairs // span, word=pairs % span, access=access)
