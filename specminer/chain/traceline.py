"""The lines of a trace file: what each field may hold, from values to JSON and back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from specminer.chain.artifact import parse
from specminer.errors import plain
from specminer.trace import (
    WORD_LIMIT,
    AccessKind,
    Address,
    Block,
    ContractRecord,
    Creation,
    Event,
    Fidelity,
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
    Word,
)

FORMAT: Final = "specminer/traces"
VERSION: Final = 1
MAX_LIMIT: Final = 500
"""Characters of a sentence in ``limits``, as the database keeps it."""


class _Block(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    number: int
    hash: str
    timestamp: int | None = None


class _Event(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    position: int
    topics: list[str]
    data: str
    undone: bool = False


class _Access(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
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
    accesses: list[_Access] = []
    events: list[_Event] = []
    payments: list[_Payment] | msgspec.UnsetType = msgspec.UNSET
    """Left out of the file if they were not recorded."""


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


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def header_out(header: Header) -> HeaderLine:
    """Return the first line."""
    record = header.record
    return HeaderLine(
        format=FORMAT,
        version=VERSION,
        chain_id=record.chain_id,
        contract=_Contract(
            address=_hex(record.address),
            code=_hex(record.code),
            created_in_block=record.created_in_block,
            implementations={_hex(address): _hex(code) for address, code in record.implementations},
            artifact=msgspec.Raw(record.artifact or b"null"),
        ),
        first_block=header.first_block,
        last_block=header.last_block,
        transactions=header.transactions,
        tip=None if header.tip is None else _block_out(header.tip),
        limits=list(header.limits),
        genesis=msgspec.UNSET if header.genesis is None else _hex(header.genesis),
        gaps=[_Gap(gap.block, _hex(gap.hash), gap.reason) for gap in header.gaps] or msgspec.UNSET,
    )


def _block_out(block: Block) -> _Block:
    return _Block(number=block.number, hash=_hex(block.hash), timestamp=block.timestamp)


def transaction_out(item: Transaction) -> TransactionLine:
    """Return a transaction's line."""
    return TransactionLine(
        hash=_hex(item.hash),
        block=_block_out(item.block),
        index=item.index,
        sender=_hex(item.sender),
        to=None if item.to is None else _hex(item.to),
        value=str(item.value),
        gas=item.gas,
        gas_used=item.gas_used,
        nonce=item.nonce,
        succeeded=item.succeeded,
        tracer=item.tracer,
        invocations=[_invocation_out(call) for call in item.invocations],
        preimages=[_hex(data) for data in item.preimages],
        creations=[_Creation(_hex(made.creator), _hex(made.created)) for made in item.creations]
        or msgspec.UNSET,
        fidelity=msgspec.UNSET if item.fidelity is None else item.fidelity,
    )


def _invocation_out(call: Invocation) -> _Invocation:
    return _Invocation(
        contract=_hex(call.contract),
        code=_hex(call.code),
        position=call.position,
        parent=call.parent,
        depth=call.depth,
        kind=call.kind,
        sender=_hex(call.sender),
        value=str(call.value),
        data=_hex(call.data),
        outcome=call.outcome.kind,
        output=_hex(call.outcome.data),
        gas=call.gas,
        gas_used=call.gas_used,
        accesses=[
            _Access(
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
            _Event(event.position, [_hex(topic) for topic in event.topics], _hex(event.data), event.undone)
            for event in call.events
        ],
        payments=msgspec.UNSET
        if call.payments is None
        else [
            _Payment(
                payment.position,
                payment.kind,
                _hex(payment.to),
                None if payment.value is None else str(payment.value),
                payment.undone,
            )
            for payment in call.payments
        ],
    )


class FieldError(ValueError):
    """A field holds the wrong thing."""


_HEX: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})*", re.ASCII)
_WORD: Final = re.compile(r"0x[0-9a-fA-F]{1,64}", re.ASCII)


def shown(value: int) -> str:
    """Return a number for a message, however large it is."""
    return str(value) if value.bit_length() < 300 else f"a number of {value.bit_length()} bits"


def _bytes(text: str, field: str, length: int | None = None) -> bytes:
    if _HEX.fullmatch(text) and (length is None or len(text) == 2 + 2 * length):
        return bytes.fromhex(text[2:])
    wanted = "hexadecimal bytes" if length is None else f"{length} hexadecimal bytes"
    raise FieldError(f"{field} should be 0x and {wanted}, got {plain(text, 60)!r}")


def _address(text: str, field: str) -> Address:
    return Address(_bytes(text, field, 20))


def _word(text: str, field: str) -> Word:
    if _WORD.fullmatch(text):
        return Word(int(text, 16))
    raise FieldError(f"{field} should be a hexadecimal word, got {plain(text, 80)!r}")


def _wei(text: str, field: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 78 and int(text) < WORD_LIMIT:
        return int(text)
    raise FieldError(f"{field} should be a decimal amount of wei as text, got {plain(text, 80)!r}")


_LONG: Final = 1 << 63
_SHORT: Final = 1 << 31


def _count(value: int, field: str) -> int:
    if 0 <= value < _LONG:
        return value
    raise FieldError(f"{field} should be from 0 to 2**63 - 1, got {shown(value)}")


def _place(value: int, field: str) -> int:
    if 0 <= value < _SHORT:
        return value
    raise FieldError(f"{field} should be from 0 to 2**31 - 1, got {shown(value)}")


def header_in(header: HeaderLine, origin: str) -> Header:
    """Return what the first line says; ``origin`` names the artifact's place in messages.

    Raises:
        FieldError: a field is malformed, or contradicts another.
        FileFormatError: the artifact is malformed.

    """
    contract = header.contract
    first, last = _count(header.first_block, "first_block"), _count(header.last_block, "last_block")
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
        _address(address, "contract.implementations"): _bytes(code, f"contract.implementations.{address}")
        for address, code in contract.implementations.items()
    }
    return Header(
        record=ContractRecord(
            address=_address(contract.address, "contract.address"),
            chain_id=_count(header.chain_id, "chain_id"),
            code=_bytes(contract.code, "contract.code"),
            created_in_block=None if created is None else _count(created, "contract.created_in_block"),
            implementations=tuple(sorted(implementations.items())),
            artifact=None if artifact == b"null" else artifact,
        ),
        first_block=first,
        last_block=last,
        transactions=_count(header.transactions, "transactions"),
        tip=tip,
        limits=tuple(sorted(set(header.limits))),
        genesis=None
        if isinstance(header.genesis, msgspec.UnsetType)
        else Hash(_bytes(header.genesis, "genesis", 32)),
        gaps=() if isinstance(header.gaps, msgspec.UnsetType) else _gaps_in(header.gaps, first, last),
    )


def _gaps_in(items: list[_Gap], first: int, last: int) -> tuple[Gap, ...]:
    found: dict[Hash, Gap] = {}
    for row, gap in enumerate(items):
        hashed = Hash(_bytes(gap.hash, f"gaps[{row}].hash", 32))
        if not first <= gap.block <= last:
            raise FieldError(f"gaps[{row}].block is {shown(gap.block)}, outside the header's blocks")
        if not 0 < len(gap.reason) <= MAX_LIMIT:
            raise FieldError(
                f"gaps[{row}].reason has {len(gap.reason)} characters; expected 1 to {MAX_LIMIT}"
            )
        if hashed in found:
            raise FieldError(f"gaps[{row}].hash stands twice")
        found[hashed] = Gap(hash=hashed, block=gap.block, reason=gap.reason)
    return tuple(found.values())


def _block_in(block: _Block, field: str) -> Block:
    stamp = block.timestamp
    return Block(
        number=_count(block.number, f"{field}.number"),
        hash=Hash(_bytes(block.hash, f"{field}.hash", 32)),
        timestamp=None if stamp is None else _count(stamp, f"{field}.timestamp"),
    )


def transaction_in(item: TransactionLine) -> Transaction:
    """Return a line's transaction.

    Raises:
        FieldError: a field is malformed, or contradicts another.

    """
    calls = tuple(_invocation_in(call, f"invocations[{row}]") for row, call in enumerate(item.invocations))
    _check_order([call.position for call in calls], "invocations")
    known: set[int] = set()
    for row, call in enumerate(calls):
        if call.parent is not None and call.parent not in known:
            raise FieldError(
                f"invocations[{row}].parent is {shown(call.parent)}, expected the position of an earlier one"
            )
        known.add(call.position)
    places = [place.position for call in calls for place in call.accesses]
    places += [place.position for call in calls for place in call.events]
    if len(set(places)) != len(places):
        raise FieldError("two accesses or events have the same position")
    return Transaction(
        hash=Hash(_bytes(item.hash, "hash", 32)),
        block=_block_in(item.block, "block"),
        index=_place(item.index, "index"),
        sender=_address(item.sender, "sender"),
        to=None if item.to is None else _address(item.to, "to"),
        value=_wei(item.value, "value"),
        gas=_count(item.gas, "gas"),
        gas_used=_count(item.gas_used, "gas_used"),
        nonce=_count(item.nonce, "nonce"),
        succeeded=item.succeeded,
        tracer=item.tracer,
        invocations=calls,
        preimages=tuple(_bytes(data, f"preimages[{row}]") for row, data in enumerate(item.preimages)),
        creations=_creations_in(item.creations),
        fidelity=None if isinstance(item.fidelity, msgspec.UnsetType) else item.fidelity,
    )


def _creations_in(items: list[_Creation] | msgspec.UnsetType) -> tuple[Creation, ...]:
    if isinstance(items, msgspec.UnsetType):
        return ()
    return tuple(
        Creation(
            creator=_address(made.creator, f"creations[{row}].creator"),
            created=_address(made.created, f"creations[{row}].created"),
        )
        for row, made in enumerate(items)
    )


def _check_order(positions: Sequence[int], field: str) -> None:
    for row in range(1, len(positions)):
        if positions[row] <= positions[row - 1]:
            raise FieldError(
                f"{field}[{row}] has position {shown(positions[row])} after {shown(positions[row - 1])}; expected "
                "ascending positions"
            )


def _invocation_in(call: _Invocation, field: str) -> Invocation:
    _check_order([access.position for access in call.accesses], f"{field}.accesses")
    _check_order([event.position for event in call.events], f"{field}.events")
    return Invocation(
        contract=_address(call.contract, f"{field}.contract"),
        code=_address(call.code, f"{field}.code"),
        position=_place(call.position, f"{field}.position"),
        parent=call.parent,
        depth=_place(call.depth, f"{field}.depth"),
        kind=call.kind,
        sender=_address(call.sender, f"{field}.sender"),
        value=_wei(call.value, f"{field}.value"),
        data=_bytes(call.data, f"{field}.data"),
        outcome=Outcome(kind=call.outcome, data=_bytes(call.output, f"{field}.output")),
        gas=_count(call.gas, f"{field}.gas"),
        gas_used=_count(call.gas_used, f"{field}.gas_used"),
        accesses=tuple(
            _access_in(access, f"{field}.accesses[{row}]") for row, access in enumerate(call.accesses)
        ),
        events=tuple(_event_in(event, f"{field}.events[{row}]") for row, event in enumerate(call.events)),
        payments=None
        if isinstance(call.payments, msgspec.UnsetType)
        else tuple(
            _payment_in(payment, f"{field}.payments[{row}]") for row, payment in enumerate(call.payments)
        ),
    )


def _payment_in(payment: _Payment, field: str) -> Payment:
    value = None if payment.value is None else _wei(payment.value, f"{field}.value")
    if value == 0:
        raise FieldError(
            f"{field}.value is 0; expected a payment of some wei, or null where that is not known"
        )
    return Payment(
        position=_place(payment.position, f"{field}.position"),
        kind=payment.kind,
        to=_address(payment.to, f"{field}.to"),
        value=value,
        undone=payment.undone,
    )


def _access_in(access: _Access, field: str) -> StorageAccess:
    before = None if access.before is None else _word(access.before, f"{field}.before")
    after = None if access.after is None else _word(access.after, f"{field}.after")
    if access.kind is AccessKind.READ and (before != after or access.undone):
        raise FieldError(f"{field} is a read; expected the same value before and after, and not undone")
    return StorageAccess(
        position=_place(access.position, f"{field}.position"),
        kind=access.kind,
        slot=_word(access.slot, f"{field}.slot"),
        before=before,
        after=after,
        undone=access.undone,
    )


def _event_in(event: _Event, field: str) -> Event:
    return Event(
        position=_place(event.position, f"{field}.position"),
        topics=tuple(_bytes(topic, f"{field}.topics", 32) for topic in event.topics),
        data=_bytes(event.data, f"{field}.data"),
        undone=event.undone,
    )
