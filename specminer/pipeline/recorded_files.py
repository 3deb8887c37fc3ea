"""Histories from traces that somebody saved, with the list of transactions that they are of; nothing is executed again.

A trace is checked against its transaction as a node's answer is. What does not fit, or has no trace, is a gap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from specminer._support.creation_addresses import creation_address
from specminer._support.errors import ChainError, FileFormatError, UsageError, plain
from specminer._support.keccak import keccak
from specminer.contracts.artifact import Artifact
from specminer.contracts.fitting_abi import fitting_artifact
from specminer.contracts.transaction_types import is_of_system
from specminer.history.trace import (
    Address,
    Block,
    ContractRecord,
    FrameCode,
    Gap,
    Hash,
    InvocationKind,
    Tracer,
    Transaction,
)
from specminer.sources.export_blocks import merge_blocks
from specminer.sources.export_fields import RecordError
from specminer.sources.exported import ExportedTransaction
from specminer.sources.listings import ListedWorld, merge_lists
from specminer.sources.saved_traces import Answer
from specminer.sources.trace_matching import Envelope
from specminer.sources.tracing import decode
from specminer.store import TraceStore

_CONTRACT_ROWS: Final = frozenset("RWKLQD")
"""Rows of our tracer that it writes for the contracts it was made for only; the second field is the contract."""
_OUTPUTS: Final = {Answer.JAVASCRIPT: "output", Answer.STRUCT_LOGS: "returnValue", Answer.CALLS: "output"}
"""Where an answer has what the transaction returned: of a creation, the contract's code."""
_NO_TRACE: Final = "the files hold no trace of it"
_ONLY: Final = "read from saved traces: calls by transactions that are not in the files are missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedFiles:
    """What was read from saved traces."""

    contracts: tuple[Address, ...]
    transactions: int
    gaps: int
    tracers: tuple[Tracer, ...]


def import_recorded(
    store: TraceStore,
    world: ListedWorld,
    chain_id: int,
    *,
    artifacts: Sequence[Artifact] = (),
    note: Callable[[str], None],
) -> RecordedFiles:
    """Fill the database from saved traces and the transactions that they are of; each contract whole or not at all.

    Raises:
        FileFormatError: transactions contradict each other, lack what a trace is compared with, or none has a trace
            that fits.
        UsageError: blocks overlap with what is there.
        StoreError: the database failed, or holds another chain of the same id.

    """
    if not world.lists or not any(item.transactions for item in world.lists):
        raise FileFormatError(
            "traces do not tell the block, the nonce and the gas limit of their transactions; give a list or table of "
            "transactions as well"
        )
    transactions = merge_lists(world.lists).transactions
    envelopes = _envelopes(transactions, world.lists[0].origin)
    contracts = _contracts(world, envelopes)
    histories: list[tuple[ContractRecord, list[Transaction], list[Gap]]] = []
    tracers: set[Tracer] = set()
    for contract in contracts:
        parts, gaps = _read_transactions(envelopes, world.traces, contract)
        tracers |= {item.tracer for item in parts}
        code = world.codes.get(contract) or _runtime_code(envelopes, world.traces, contract)
        parts = list(_with_code(parts, code, contract))
        if parts:
            artifact = fitting_artifact(artifacts, [code])
            histories.append((_record(contract, chain_id, parts, code, artifact), parts, gaps))
        elif gaps:
            note(
                f"0x{contract.hex()}: none of its {len(gaps):,} transactions can be recorded ({gaps[0].reason})"
            )
    if not histories:
        raise FileFormatError(
            f"no trace fits a transaction of {plain(world.lists[0].origin)}; are they of the same chain and contract?"
        )
    span = (transactions[0].block, transactions[-1].block)
    for record, _, _ in histories:
        _check_overlap(store, record, span)
    for record, parts, gaps in histories:
        limits = [
            _ONLY,
            *(tracer.blind_spots for tracer in Tracer if tracer in {item.tracer for item in parts}),
        ]
        store.add_history(record, parts, complete=span, limits=[text for text in limits if text], gaps=gaps)
    return RecordedFiles(
        contracts=tuple(record.address for record, _, _ in histories),
        transactions=len({item.hash for _, parts, _ in histories for item in parts}),
        gaps=len({gap.hash for _, _, gaps in histories for gap in gaps}),
        tracers=tuple(tracer for tracer in Tracer if tracer in tracers),
    )


def _envelopes(transactions: Sequence[ExportedTransaction], origin: str) -> dict[Hash, Envelope]:
    try:
        blocks = merge_blocks(item.of_block() for item in transactions)
    except RecordError as error:
        raise FileFormatError(f"{plain(origin)}: {error}") from None
    return {item.hash: _envelope(item, blocks[item.block], origin) for item in transactions}


def _envelope(item: ExportedTransaction, block: Block, origin: str) -> Envelope:
    lacking = [
        name
        for name, value in (
            ("transactionIndex", item.index),
            ("gasUsed", item.gas_used),
            ("nonce", item.nonce),
        )
        if value is None
    ]
    if lacking:
        raise FileFormatError(
            f"{plain(origin)}, transaction 0x{item.hash.hex()}: {', '.join(lacking)} missing, which its "
            "trace is compared with"
        )
    nonce = item.nonce or 0
    created = item.created
    if item.to is None and created is None:
        number = creation_address(int.from_bytes(item.sender, "big"), nonce)
        created = Address(number.to_bytes(20, "big"))
    return Envelope(
        hash=item.hash,
        block=block,
        index=item.index or 0,
        sender=item.sender,
        to=item.to,
        created=created,
        value=item.value,
        gas=item.gas,
        gas_used=item.gas_used or 0,
        block_gas_used=None,
        nonce=nonce,
        data=item.data,
        succeeded=item.succeeded,
        logs=None,
        type=item.type,
        of_system=is_of_system(item.type, item.sender, item.to, item.gas_price),
    )


def _contracts(world: ListedWorld, envelopes: Mapping[Hash, Envelope]) -> tuple[Address, ...]:
    """Return the contracts to record: those that our tracer was made for, else those whose lists these are."""
    address_texts = {
        row[1]
        for answers in world.traces.values()
        for row in _rows(answers.get(Answer.JAVASCRIPT))
        if isinstance(row, list) and len(row) > 1 and isinstance(row[0], str) and isinstance(row[1], str)
        if row[0] in _CONTRACT_ROWS
    }
    traced_contracts = {Address(bytes.fromhex(text[2:])) for text in address_texts if _is_address(text)}
    created = {item.created for item in envelopes.values() if item.created is not None}
    owners = {item.owner for item in world.lists}
    return tuple(sorted(traced_contracts | (owners & (created | traced_contracts)) or owners))


def _rows(answer: Any) -> Iterable[Any]:
    rows = answer.get("steps") if isinstance(answer, dict) else None
    return rows if isinstance(rows, list) else ()


def _is_address(text: str) -> bool:
    try:
        return len(text) == 42 and text[:2] == "0x" and len(bytes.fromhex(text[2:])) == 20
    except ValueError:
        return False


def _read_transactions(
    envelopes: Mapping[Hash, Envelope], traces: Mapping[Hash, Mapping[Answer, Any]], contract: Address
) -> tuple[list[Transaction], list[Gap]]:
    """Return a contract's part of the transactions, and those that concern it and cannot be recorded."""
    parts: list[Transaction] = []
    gaps: list[Gap] = []
    for envelope in envelopes.values():
        reason = _NO_TRACE
        for tracer, answers in _choices(traces.get(envelope.hash, {})):
            try:
                item = decode(tracer, envelope, answers, [contract])
            except ChainError as error:
                reason = error.message
                continue
            reason = ""
            if item.invocations:
                parts.append(item)
            break
        if reason and (envelope.of_system or contract in (envelope.to, envelope.created)):
            kind = f"{envelope.peculiarity}: " if envelope.peculiarity else ""
            gaps.append(
                Gap(hash=envelope.hash, block=envelope.block.number, reason=plain(f"{kind}{reason}", 400))
            )
    return parts, gaps


def _with_code(parts: Iterable[Transaction], code: bytes, contract: Address) -> Iterator[Transaction]:
    """Yield transactions in which the contract's own code is named by its hash; unchanged where it is not known."""
    own = Hash(keccak(code)) if code else None
    for item in parts:
        calls = (
            replace(call, codes=tuple(_name_code(frame, own, contract) for frame in call.codes))
            if call.codes and call.kind is not InvocationKind.CONSTRUCTOR
            else call
            for call in item.invocations
        )
        yield replace(item, invocations=tuple(calls))


def _name_code(frame: FrameCode, own: Hash | None, contract: Address) -> FrameCode:
    return replace(frame, hash=own) if frame.address == contract and frame.hash is None else frame


def _runtime_code(
    envelopes: Mapping[Hash, Envelope], traces: Mapping[Hash, Mapping[Answer, Any]], contract: Address
) -> bytes:
    """Return what the transaction that created a contract returned; nothing if it created it twice, or none did."""
    codes = set()
    for envelope in envelopes.values():
        if envelope.to is None and envelope.created == contract and envelope.succeeded is not False:
            answers = traces.get(envelope.hash, {})
            for kind, name in _OUTPUTS.items():
                text = answers.get(kind, {}).get(name)
                if isinstance(text, str) and (code := _bytes(text)):
                    codes.add(code)
    return codes.pop() if len(codes) == 1 else b""


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        return b""


def _choices(answers: Mapping[Answer, Any]) -> Iterable[tuple[Tracer, list[Any]]]:
    """Yield the tracers whose answers are all there, the one that sees most first."""
    needed = {
        Tracer.JAVASCRIPT: (Answer.JAVASCRIPT,),
        Tracer.STRUCT_LOGS: (Answer.STRUCT_LOGS,),
        Tracer.PRESTATE: (Answer.CALLS, Answer.BEFORE, Answer.CHANGES),
    }
    for tracer, kinds in needed.items():
        if all(kind in answers for kind in kinds):
            yield tracer, [answers[kind] for kind in kinds]


def _record(
    contract: Address, chain_id: int, parts: Sequence[Transaction], code: bytes, artifact: Artifact | None
) -> ContractRecord:
    created = [
        item.block.number
        for item in parts
        for call in item.invocations
        if call.kind is InvocationKind.CONSTRUCTOR and call.outcome.accepted
    ]
    return ContractRecord(
        address=contract,
        chain_id=chain_id,
        code=code,
        created_in_block=created[-1] if created else None,
        artifact=None if artifact is None else artifact.to_json(),
        codes=(code,) if code else (),
    )


def _check_overlap(store: TraceStore, record: ContractRecord, span: tuple[int, int]) -> None:
    ranges = store.ranges(record.chain_id, record.address)
    if any(low <= span[1] and span[0] <= high for low, high in ranges) and span not in ranges:
        raise UsageError(
            f"the database already holds blocks of 0x{record.address.hex()} that overlap with blocks {span[0]} to "
            f"{span[1]} of the traces; import into a database of its own (--db)"
        )
