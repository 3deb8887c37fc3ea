"""The lines of a trace file: what each field may hold, from values to JSON and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, TypeVar

import msgspec

from specminer.contracts.artifact import parse
from specminer.history.trace import (
    AccessKind,
    Block,
    ContractRecord,
    Creation,
    Event,
    Fidelity,
    ForeignLog,
    Gap,
    Hash,
    Invocation,
    InvocationKind,
    Outcome,
    OutcomeKind,
    Payment,
    PaymentKind,
    StorageAccess,
    Tracer,
    Transaction,
)
from specminer.sources.answerline import (
    AnswerLine,
    CallLine,
    CodeLine,
    LogLine,
    answer_in,
    answer_out,
    call_in,
    call_out,
    code_in,
    code_out,
    log_in,
    log_out,
)
from specminer.sources.field_notation import (
    FieldError,
    format_number,
    read_address,
    read_amount,
    read_bytes,
    read_count,
    read_place,
    read_word,
    to_hex,
)

FORMAT: Final = "specminer/traces"
VERSION: Final = 2
"""What is written."""
VERSIONS: Final = (1, 2)
"""What is read."""
MAX_LIMIT: Final = 500
"""Characters of a sentence in ``limits``, as the database keeps it."""


class _Block(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    number: int
    hash: str
    timestamp: int | None = None
    base_fee: str | msgspec.UnsetType = msgspec.UNSET
    beneficiary: str | msgspec.UnsetType = msgspec.UNSET
    gas_limit: int | msgspec.UnsetType = msgspec.UNSET
    randomness: str | msgspec.UnsetType = msgspec.UNSET
    """The last four are left out of the file where they are not known."""


class _EventLine(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    position: int
    topics: list[str]
    data: str
    undone: bool = False


class _AccessLine(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A read repeats its value as before and after; a value that is not known is null."""

    position: int
    kind: AccessKind
    slot: str
    before: str | None
    after: str | None
    undone: bool = False


class _Payment(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    position: int
    kind: PaymentKind
    to: str
    value: str | None
    undone: bool = False


class _Creation(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    creator: str
    created: str


class _Invocation(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    contract: str
    code: str
    position: int
    parent: int | None = None
    depth: int
    kind: InvocationKind
    sender: str
    value: str
    data: str
    outcome: OutcomeKind
    output: str = "0x"
    gas: int
    gas_used: int
    accesses: list[_AccessLine] = []
    events: list[_EventLine] = []
    payments: list[_Payment] | msgspec.UnsetType = msgspec.UNSET
    """Left out of the file if they were not recorded, as the following are."""
    calls: list[CallLine] | msgspec.UnsetType = msgspec.UNSET
    codes: list[CodeLine] | msgspec.UnsetType = msgspec.UNSET
    environment: list[AnswerLine] | msgspec.UnsetType = msgspec.UNSET


class TransactionLine(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Each further line."""

    hash: str
    block: _Block
    index: int
    sender: str
    to: str | None = None
    value: str
    gas: int
    gas_used: int
    nonce: int
    succeeded: bool
    tracer: Tracer
    invocations: list[_Invocation]
    preimages: list[str] = []
    creations: list[_Creation] | msgspec.UnsetType = msgspec.UNSET
    """Left out of the file if there are none."""
    fidelity: Fidelity | msgspec.UnsetType = msgspec.UNSET
    """Left out of the file unless the transaction was executed again."""
    logs: list[LogLine] | msgspec.UnsetType = msgspec.UNSET
    """Left out of the file if they were not recorded."""


class _Gap(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    block: int
    hash: str
    reason: str


class _Contract(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    address: str
    code: str = "0x"
    created_in_block: int | None = None
    implementations: dict[str, str] = {}
    artifact: msgspec.Raw = msgspec.Raw(b"null")
    codes: list[str] | msgspec.UnsetType = msgspec.UNSET
    """Left out of the file if there are none."""


class MagicLine(msgspec.Struct, kw_only=True):
    """What every version begins with."""

    format: str
    version: int


class HeaderLine(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The first line."""

    format: str
    version: int
    chain_id: int
    contract: _Contract
    first_block: int
    last_block: int
    transactions: int
    tip: _Block | None = None
    limits: list[str] = []
    genesis: str | msgspec.UnsetType = msgspec.UNSET
    """Left out of the file if it is not known."""
    gaps: list[_Gap] | msgspec.UnsetType = msgspec.UNSET
    """Left out of the file if there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the first line says of the whole file."""

    record: ContractRecord
    first_block: int
    last_block: int
    transactions: int
    tip: Block | None
    limits: tuple[str, ...]
    genesis: Hash | None = None
    """The hash of the chain's first block, which tells chains of one id apart."""
    gaps: tuple[Gap, ...] = ()
    """Transactions of these blocks that could not be recorded."""


def header_out(header: Header) -> HeaderLine:
    """Return the first line."""
    record = header.record
    return HeaderLine(
        format=FORMAT,
        version=VERSION,
        chain_id=record.chain_id,
        contract=_Contract(
            address=to_hex(record.address),
            code=to_hex(record.code),
            created_in_block=record.created_in_block,
            implementations={to_hex(address): to_hex(code) for address, code in record.implementations},
            artifact=msgspec.Raw(record.artifact or b"null"),
            codes=[to_hex(code) for code in record.codes] or msgspec.UNSET,
        ),
        first_block=header.first_block,
        last_block=header.last_block,
        transactions=header.transactions,
        tip=None if header.tip is None else _block_out(header.tip),
        limits=list(header.limits),
        genesis=msgspec.UNSET if header.genesis is None else to_hex(header.genesis),
        gaps=[_Gap(gap.block, to_hex(gap.hash), gap.reason) for gap in header.gaps] or msgspec.UNSET,
    )


def _block_out(block: Block) -> _Block:
    return _Block(
        number=block.number,
        hash=to_hex(block.hash),
        timestamp=block.timestamp,
        base_fee=msgspec.UNSET if block.base_fee is None else str(block.base_fee),
        beneficiary=msgspec.UNSET if block.beneficiary is None else to_hex(block.beneficiary),
        gas_limit=msgspec.UNSET if block.gas_limit is None else block.gas_limit,
        randomness=msgspec.UNSET if block.randomness is None else hex(block.randomness),
    )


def transaction_out(item: Transaction) -> TransactionLine:
    """Return a transaction's line."""
    return TransactionLine(
        hash=to_hex(item.hash),
        block=_block_out(item.block),
        index=item.index,
        sender=to_hex(item.sender),
        to=None if item.to is None else to_hex(item.to),
        value=str(item.value),
        gas=item.gas,
        gas_used=item.gas_used,
        nonce=item.nonce,
        succeeded=item.succeeded,
        tracer=item.tracer,
        invocations=[_invocation_out(call) for call in item.invocations],
        preimages=[to_hex(data) for data in item.preimages],
        creations=[
            _Creation(to_hex(creation.creator), to_hex(creation.created)) for creation in item.creations
        ]
        or msgspec.UNSET,
        fidelity=msgspec.UNSET if item.fidelity is None else item.fidelity,
        logs=msgspec.UNSET if item.logs is None else list(map(log_out, item.logs)),
    )


def _invocation_out(call: Invocation) -> _Invocation:
    return _Invocation(
        contract=to_hex(call.contract),
        code=to_hex(call.code),
        position=call.position,
        parent=call.parent,
        depth=call.depth,
        kind=call.kind,
        sender=to_hex(call.sender),
        value=str(call.value),
        data=to_hex(call.data),
        outcome=call.outcome.kind,
        output=to_hex(call.outcome.data),
        gas=call.gas,
        gas_used=call.gas_used,
        accesses=[
            _AccessLine(
                access.position,
                access.kind,
                hex(access.slot),
                None if access.before is None else hex(access.before),
                None if access.after is None else hex(access.after),
                access.undone,
            )
            for access in call.accesses
        ],
        events=[
            _EventLine(
                event.position, [to_hex(topic) for topic in event.topics], to_hex(event.data), event.undone
            )
            for event in call.events
        ],
        payments=msgspec.UNSET
        if call.payments is None
        else [
            _Payment(
                payment.position,
                payment.kind,
                to_hex(payment.to),
                None if payment.value is None else str(payment.value),
                payment.undone,
            )
            for payment in call.payments
        ],
        calls=msgspec.UNSET if call.calls is None else list(map(call_out, call.calls)),
        codes=msgspec.UNSET if call.codes is None else list(map(code_out, call.codes)),
        environment=msgspec.UNSET if call.environment is None else list(map(answer_out, call.environment)),
    )


def header_in(header: HeaderLine, origin: str) -> Header:
    """Return what the first line says; ``origin`` names the artifact's place in messages.

    Raises:
        FieldError: a field is malformed, or contradicts another.
        FileFormatError: the artifact is malformed.

    """
    contract = header.contract
    if header.version == 1:
        later = [] if header.tip is None else [(name, header.tip) for name in _BLOCK_VALUES]
        _check_absent([("codes", contract), *later])
    first, last = read_count(header.first_block, "first_block"), read_count(header.last_block, "last_block")
    if first > last:
        raise FieldError(f"first_block {first} is behind last_block {last}")
    tip = None if header.tip is None else _block_in(header.tip, "tip")
    if tip is not None and tip.number != last:
        raise FieldError(f"tip.number is {tip.number}, expected last_block {last}")
    for row, text in enumerate(header.limits):
        if not 0 < len(text) <= MAX_LIMIT:
            raise FieldError(f"limits[{row}] has {len(text)} characters; expected 1 to {MAX_LIMIT}")
    created = contract.created_in_block
    artifact = bytes(contract.artifact)
    if artifact != b"null":
        parse(artifact, origin)
    implementations = {
        read_address(address, "contract.implementations"): read_bytes(
            code, f"contract.implementations.{address}"
        )
        for address, code in contract.implementations.items()
    }
    return Header(
        record=ContractRecord(
            address=read_address(contract.address, "contract.address"),
            chain_id=read_count(header.chain_id, "chain_id"),
            code=read_bytes(contract.code, "contract.code"),
            created_in_block=None if created is None else read_count(created, "contract.created_in_block"),
            implementations=tuple(sorted(implementations.items())),
            artifact=None if artifact == b"null" else artifact,
            codes=_codes_in(contract.codes),
        ),
        first_block=first,
        last_block=last,
        transactions=read_count(header.transactions, "transactions"),
        tip=tip,
        limits=tuple(sorted(set(header.limits))),
        genesis=None
        if isinstance(header.genesis, msgspec.UnsetType)
        else Hash(read_bytes(header.genesis, "genesis", 32)),
        gaps=() if isinstance(header.gaps, msgspec.UnsetType) else _gaps_in(header.gaps, first, last),
    )


def _codes_in(items: list[str] | msgspec.UnsetType) -> tuple[bytes, ...]:
    codes = () if isinstance(items, msgspec.UnsetType) else items
    return tuple(sorted({read_bytes(code, f"contract.codes[{row}]") for row, code in enumerate(codes)}))


def _gaps_in(items: list[_Gap], first: int, last: int) -> tuple[Gap, ...]:
    gaps: dict[Hash, Gap] = {}
    for row, gap in enumerate(items):
        hashed = Hash(read_bytes(gap.hash, f"gaps[{row}].hash", 32))
        if not first <= gap.block <= last:
            raise FieldError(f"gaps[{row}].block is {format_number(gap.block)}, outside the header's blocks")
        if not 0 < len(gap.reason) <= MAX_LIMIT:
            raise FieldError(
                f"gaps[{row}].reason has {len(gap.reason)} characters; expected 1 to {MAX_LIMIT}"
            )
        if hashed in gaps:
            raise FieldError(f"gaps[{row}].hash stands twice")
        gaps[hashed] = Gap(hash=hashed, block=gap.block, reason=gap.reason)
    return tuple(gaps.values())


def _block_in(block: _Block, field: str) -> Block:
    stamp = block.timestamp
    return Block(
        number=read_count(block.number, f"{field}.number"),
        hash=Hash(read_bytes(block.hash, f"{field}.hash", 32)),
        timestamp=None if stamp is None else read_count(stamp, f"{field}.timestamp"),
        base_fee=_read_optional(block.base_fee, f"{field}.base_fee", read_amount),
        beneficiary=_read_optional(block.beneficiary, f"{field}.beneficiary", read_address),
        gas_limit=_read_optional(block.gas_limit, f"{field}.gas_limit", read_count),
        randomness=_read_optional(block.randomness, f"{field}.randomness", read_word),
    )


_T = TypeVar("_T")
_V = TypeVar("_V")


def _read_optional(value: _T | msgspec.UnsetType, field: str, read: Callable[[_T, str], _V]) -> _V | None:
    """Return what a field that may be left out holds."""
    return None if isinstance(value, msgspec.UnsetType) else read(value, field)


def _read_list(
    values: list[_T] | msgspec.UnsetType, field: str, read: Callable[[_T, str], _V]
) -> tuple[_V, ...] | None:
    """Return what a list that may be left out holds."""
    if isinstance(values, msgspec.UnsetType):
        return None
    return tuple(read(value, f"{field}[{row}]") for row, value in enumerate(values))


_DOUBTED: Final = (Fidelity.GAS, Fidelity.STATUS, Fidelity.TAINTED)
"""Marks of transactions whose values version 1 kept, although they are not to be believed."""


def transaction_in(item: TransactionLine, version: int = VERSION) -> Transaction:
    """Return the transaction of a line in a file of some version.

    Values of a line of version 1 that are not to be believed are unknown, whatever stands there.

    Raises:
        FieldError: a field is malformed, or contradicts another.

    """
    if version == 1:
        _check_first_version(item)
    calls = tuple(_invocation_in(call, f"invocations[{row}]") for row, call in enumerate(item.invocations))
    if version == 1 and item.fidelity in _DOUBTED:
        calls = tuple(map(_without_values, calls))
    _check_order([call.position for call in calls], "invocations")
    earlier: set[int] = set()
    for row, call in enumerate(calls):
        if call.parent is not None and call.parent not in earlier:
            raise FieldError(
                f"invocations[{row}].parent is {format_number(call.parent)}, expected the position of an earlier one"
            )
        earlier.add(call.position)
    positions = [step.position for call in calls for step in call.accesses]
    positions += [step.position for call in calls for step in call.events]
    if len(set(positions)) != len(positions):
        raise FieldError("two accesses or events have the same position")
    return Transaction(
        hash=Hash(read_bytes(item.hash, "hash", 32)),
        block=_block_in(item.block, "block"),
        index=read_place(item.index, "index"),
        sender=read_address(item.sender, "sender"),
        to=None if item.to is None else read_address(item.to, "to"),
        value=read_amount(item.value, "value"),
        gas=read_count(item.gas, "gas"),
        gas_used=read_count(item.gas_used, "gas_used"),
        nonce=read_count(item.nonce, "nonce"),
        succeeded=item.succeeded,
        tracer=item.tracer,
        invocations=calls,
        preimages=tuple(read_bytes(data, f"preimages[{row}]") for row, data in enumerate(item.preimages)),
        creations=_creations_in(item.creations),
        fidelity=None if isinstance(item.fidelity, msgspec.UnsetType) else item.fidelity,
        logs=_logs_in(item.logs),
    )


def _without_values(call: Invocation) -> Invocation:
    accesses = (replace(access, before=None, after=None) for access in call.accesses)
    return replace(call, accesses=tuple(accesses))


def _check_first_version(item: TransactionLine) -> None:
    """Refuse fields that version 1 does not have.

    Raises:
        FieldError: there is one.

    """
    later: list[tuple[str, msgspec.Struct]] = [("logs", item)]
    later += [(name, item.block) for name in _BLOCK_VALUES]
    later += [(name, call) for call in item.invocations for name in ("calls", "codes", "environment")]
    _check_absent(later)


_BLOCK_VALUES: Final = ("base_fee", "beneficiary", "gas_limit", "randomness")


def _check_absent(later: Sequence[tuple[str, msgspec.Struct]]) -> None:
    for name, part in later:
        if getattr(part, name) is not msgspec.UNSET:
            raise FieldError(f"version 1 has no field {name!r}; expected it in a file of version {VERSION}")


def _logs_in(items: list[LogLine] | msgspec.UnsetType) -> tuple[ForeignLog, ...] | None:
    logs = _read_list(items, "logs", log_in)
    for row, (log, following) in enumerate(pairwise(logs or ())):
        if following.index <= log.index:
            raise FieldError(f"logs[{row + 1}] has position {following.index}; expected ascending positions")
    return logs


def _creations_in(items: list[_Creation] | msgspec.UnsetType) -> tuple[Creation, ...]:
    if isinstance(items, msgspec.UnsetType):
        return ()
    return tuple(
        Creation(
            creator=read_address(creation.creator, f"creations[{row}].creator"),
            created=read_address(creation.created, f"creations[{row}].created"),
        )
        for row, creation in enumerate(items)
    )


def _check_order(positions: Sequence[int], field: str) -> None:
    for row in range(1, len(positions)):
        if positions[row] <= positions[row - 1]:
            raise FieldError(
                f"{field}[{row}] has position {format_number(positions[row])} after "
                f"{format_number(positions[row - 1])}; expected ascending positions"
            )


def _invocation_in(call: _Invocation, field: str) -> Invocation:
    _check_order([access.position for access in call.accesses], f"{field}.accesses")
    _check_order([event.position for event in call.events], f"{field}.events")
    return Invocation(
        contract=read_address(call.contract, f"{field}.contract"),
        code=read_address(call.code, f"{field}.code"),
        position=read_place(call.position, f"{field}.position"),
        parent=call.parent,
        depth=read_place(call.depth, f"{field}.depth"),
        kind=call.kind,
        sender=read_address(call.sender, f"{field}.sender"),
        value=read_amount(call.value, f"{field}.value"),
        data=read_bytes(call.data, f"{field}.data"),
        outcome=Outcome(kind=call.outcome, data=read_bytes(call.output, f"{field}.output")),
        gas=read_count(call.gas, f"{field}.gas"),
        gas_used=read_count(call.gas_used, f"{field}.gas_used"),
        accesses=tuple(
            _access_in(access, f"{field}.accesses[{row}]") for row, access in enumerate(call.accesses)
        ),
        events=tuple(_event_in(event, f"{field}.events[{row}]") for row, event in enumerate(call.events)),
        payments=_read_list(call.payments, f"{field}.payments", _payment_in),
        calls=_read_list(call.calls, f"{field}.calls", call_in),
        codes=_read_list(call.codes, f"{field}.codes", code_in),
        environment=_read_list(call.environment, f"{field}.environment", answer_in),
    )


def _payment_in(payment: _Payment, field: str) -> Payment:
    value = None if payment.value is None else read_amount(payment.value, f"{field}.value")
    if value == 0 and payment.kind is not PaymentKind.SELFDESTRUCT:
        raise FieldError(
            f"{field}.value is 0; expected a payment of some wei, or null where that is not known"
        )
    return Payment(
        position=read_place(payment.position, f"{field}.position"),
        kind=payment.kind,
        to=read_address(payment.to, f"{field}.to"),
        value=value,
        undone=payment.undone,
    )


def _access_in(access: _AccessLine, field: str) -> StorageAccess:
    before = None if access.before is None else read_word(access.before, f"{field}.before")
    after = None if access.after is None else read_word(access.after, f"{field}.after")
    if access.kind is AccessKind.READ and (before != after or access.undone):
        raise FieldError(f"{field} is a read; expected the same value before and after, and not undone")
    return StorageAccess(
        position=read_place(access.position, f"{field}.position"),
        kind=access.kind,
        slot=read_word(access.slot, f"{field}.slot"),
        before=before,
        after=after,
        undone=access.undone,
    )


def _event_in(event: _EventLine, field: str) -> Event:
    return Event(
        position=read_place(event.position, f"{field}.position"),
        topics=tuple(read_bytes(topic, f"{field}.topics", 32) for topic in event.topics),
        data=read_bytes(event.data, f"{field}.data"),
        undone=event.undone,
    )
