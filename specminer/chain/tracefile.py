"""Trace files: a contract's history as JSON lines, gzip or zstd, to keep, to hand on, to read in again.

Format ``specminer/traces``, version 1: a header line, then one transaction a line. Bytes and words are
``0x`` hexadecimal, amounts are decimal strings (JSON numbers lose digits), block numbers, times, gas and
positions are numbers. Any other tracer may write it. The header counts the transactions, so that a
truncated file is noticed.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, TypeVar, cast

import msgspec
import zstandard

from specminer.errors import FileFormatError, OutputError, plain
from specminer.trace import (
    WORD_LIMIT,
    AccessKind,
    Address,
    Block,
    ContractRecord,
    Event,
    Hash,
    Invocation,
    InvocationKind,
    Outcome,
    OutcomeKind,
    StorageAccess,
    Tracer,
    Transaction,
    Word,
)

FORMAT: Final = "specminer/traces"
VERSION: Final = 1
MAX_LINE: Final = 256 << 20
"""Bytes: a longer line is not read, whatever it holds."""

_T = TypeVar("_T")


class _Block(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    number: int
    hash: str
    timestamp: int | None = None


class _Event(msgspec.Struct, array_like=True):
    position: int
    topics: list[str]
    data: str
    undone: bool = False


class _Access(msgspec.Struct, array_like=True):
    """A read repeats its value as before and after."""

    position: int
    kind: AccessKind
    slot: str
    before: str | None
    after: str
    undone: bool = False


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


class _Transaction(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
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


class _Contract(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    address: str
    code: str = "0x"
    created_in_block: int | None = None
    implementations: dict[str, str] = {}
    artifact: msgspec.Raw = msgspec.Raw(b"null")


class _Header(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    format: str
    version: int
    chain_id: int
    contract: _Contract
    first_block: int
    last_block: int
    transactions: int
    tip: _Block | None = None
    limits: list[str] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the first line says of the whole file."""

    record: ContractRecord
    first_block: int
    last_block: int
    transactions: int
    tip: Block | None
    limits: tuple[str, ...]


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def write(path: Path, header: Header, transactions: Iterable[Transaction]) -> None:
    """Write a trace file, whole or not at all; ``.gz`` and ``.zst`` are compressed.

    Raises:
        OutputError: it cannot be written.

    """
    encoder = msgspec.json.Encoder()
    partial = path.with_name(path.name + ".part")
    try:
        with _opened_to_write(partial, path.suffix) as file:
            file.write(encoder.encode(_header_out(header)) + b"\n")
            for transaction in transactions:
                file.write(encoder.encode(_transaction_out(transaction)) + b"\n")
        partial.replace(path)
    except OSError as error:
        raise OutputError(f"{plain(path)} cannot be written: {error.strerror}") from None
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def _opened_to_write(path: Path, suffix: str) -> Iterator[IO[bytes]]:
    with path.open("wb") as raw:
        if suffix == ".gz":
            with gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=9, mtime=0) as packed:
                yield cast(IO[bytes], packed)
        elif suffix == ".zst":
            with zstandard.ZstdCompressor(level=10).stream_writer(raw, closefd=False) as stream:
                yield stream
        else:
            yield raw


def _header_out(header: Header) -> _Header:
    record = header.record
    return _Header(
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
    )


def _block_out(block: Block) -> _Block:
    return _Block(number=block.number, hash=_hex(block.hash), timestamp=block.timestamp)


def _transaction_out(item: Transaction) -> _Transaction:
    return _Transaction(
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
                hex(access.after),
                access.undone,
            )
            for access in call.accesses
        ],
        events=[
            _Event(event.position, [_hex(topic) for topic in event.topics], _hex(event.data), event.undone)
            for event in call.events
        ],
    )


class TraceFile:
    """An open trace file: :attr:`header` first, then :meth:`transactions`, one pass."""

    def __init__(self, path: Path) -> None:
        """Open a file and read its header.

        Raises:
            FileFormatError: unreadable, or no trace file.

        """
        self.path = path
        self._name = plain(path)
        self._lines = self._numbered_lines()
        number, line = next(self._lines, (1, b""))
        if not line:
            raise FileFormatError(f"{self._name} is empty; expected a trace file (format {FORMAT})")
        header = self._decode(line, number, _Header)
        if header.format != FORMAT:
            raise FileFormatError(f"{self._name} is not a trace file: its format is {header.format!r:.60}")
        if header.version != VERSION:
            raise FileFormatError(
                f"{self._name} has version {header.version}; this specminer reads version {VERSION}"
            )
        with self._placed(number):
            self.header = _header_in(header)

    def transactions(self) -> Iterator[Transaction]:
        """Yield the transactions in the file's order, which must be the chain's.

        Raises:
            FileFormatError: a line is malformed, out of order, or lines are missing; names line and field.

        """
        count, before, seen = 0, (-1, -1), set[Hash]()
        for number, line in self._lines:
            item = self._decode(line, number, _Transaction)
            with self._placed(number):
                transaction = _transaction_in(item)
            place = (transaction.block.number, transaction.index)
            if place <= before or transaction.hash in seen:
                raise FileFormatError(
                    f"{self._name}, line {number}: block {place[0]}, index {place[1]} comes after block "
                    f"{before[0]}, index {before[1]}, or stands twice; expected chain order"
                )
            if not self.header.first_block <= place[0] <= self.header.last_block:
                raise FileFormatError(
                    f"{self._name}, line {number}: block {place[0]} is outside the header's blocks "
                    f"{self.header.first_block} to {self.header.last_block}"
                )
            before, count = place, count + 1
            seen.add(transaction.hash)
            yield transaction
        if count != self.header.transactions:
            raise FileFormatError(
                f"{self._name} holds {count} transactions, but its header says {self.header.transactions}; "
                "the file is truncated or was edited"
            )

    def _numbered_lines(self) -> Iterator[tuple[int, bytes]]:
        try:
            with _opened_to_read(self.path) as file:
                number = 0
                while line := file.readline(MAX_LINE + 1):
                    number += 1
                    if len(line) > MAX_LINE:
                        raise FileFormatError(
                            f"{self._name}, line {number} is longer than {MAX_LINE >> 20} MiB"
                        )
                    if line.strip():
                        yield number, line
        except (EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError):
            raise FileFormatError(
                f"{self._name} is damaged: its compressed data ends early or is no data"
            ) from None
        except OSError as error:
            raise FileFormatError(f"{self._name} cannot be read: {error.strerror or error}") from None

    def _decode(self, line: bytes, number: int, shape: type[_T]) -> _T:
        try:
            return msgspec.json.decode(line, type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise FileFormatError(f"{self._name}, line {number}: {plain(error)}") from None

    @contextmanager
    def _placed(self, number: int) -> Iterator[None]:
        try:
            yield
        except _FieldError as error:
            raise FileFormatError(f"{self._name}, line {number}: {error}") from None


def _opened_to_read(path: Path) -> IO[bytes]:
    with path.open("rb") as probe:
        magic = probe.read(4)
    if magic[:2] == b"\x1f\x8b":
        return gzip.open(path, "rb")  # type: ignore[return-value]
    if magic == b"\x28\xb5\x2f\xfd":
        return io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(path.open("rb")))
    return path.open("rb")


class _FieldError(ValueError):
    """A field holds the wrong thing."""


def _bytes(text: str, field: str, length: int | None = None) -> bytes:
    if text.startswith("0x"):
        try:
            data = bytes.fromhex(text[2:])
        except ValueError:
            data = None
        if data is not None and (length is None or len(data) == length):
            return data
    wanted = "hexadecimal bytes" if length is None else f"{length} hexadecimal bytes"
    raise _FieldError(f"{field} should be 0x and {wanted}, got {plain(text, 60)!r}")


def _address(text: str, field: str) -> Address:
    return Address(_bytes(text, field, 20))


def _word(text: str, field: str) -> Word:
    if text.startswith("0x") and 3 <= len(text) <= 66:
        try:
            return Word(int(text, 16))
        except ValueError:
            pass
    raise _FieldError(f"{field} should be a hexadecimal word, got {plain(text, 80)!r}")


def _wei(text: str, field: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 78 and int(text) < WORD_LIMIT:
        return int(text)
    raise _FieldError(f"{field} should be a decimal amount of wei as text, got {plain(text, 80)!r}")


_LONG = 1 << 63


def _count(value: int, field: str) -> int:
    if 0 <= value < _LONG:
        return value
    raise _FieldError(f"{field} should be from 0 to 2**63 - 1, got {value}")


def _header_in(header: _Header) -> Header:
    contract = header.contract
    first, last = _count(header.first_block, "first_block"), _count(header.last_block, "last_block")
    if first > last:
        raise _FieldError(f"first_block {first} is behind last_block {last}")
    created = contract.created_in_block
    return Header(
        record=ContractRecord(
            address=_address(contract.address, "contract.address"),
            chain_id=_count(header.chain_id, "chain_id"),
            code=_bytes(contract.code, "contract.code"),
            created_in_block=None if created is None else _count(created, "contract.created_in_block"),
            implementations=tuple(
                (_address(address, "contract.implementations"), _bytes(code, "contract.implementations"))
                for address, code in sorted(contract.implementations.items())
            ),
            artifact=None if bytes(contract.artifact) == b"null" else bytes(contract.artifact),
        ),
        first_block=first,
        last_block=last,
        transactions=_count(header.transactions, "transactions"),
        tip=None if header.tip is None else _block_in(header.tip, "tip"),
        limits=tuple(header.limits),
    )


def _block_in(block: _Block, field: str) -> Block:
    stamp = block.timestamp
    return Block(
        number=_count(block.number, f"{field}.number"),
        hash=Hash(_bytes(block.hash, f"{field}.hash", 32)),
        timestamp=None if stamp is None else _count(stamp, f"{field}.timestamp"),
    )


def _transaction_in(item: _Transaction) -> Transaction:
    calls = tuple(_invocation_in(call, f"invocations[{row}]") for row, call in enumerate(item.invocations))
    for row, call in enumerate(calls):
        if call.position != row or (call.parent is not None and not 0 <= call.parent < row):
            raise _FieldError(
                f"invocations[{row}] has position {call.position} and parent {call.parent}; expected position "
                f"{row} and a parent before it"
            )
    places = [place.position for call in calls for place in call.accesses]
    places += [place.position for call in calls for place in call.events]
    if len(set(places)) != len(places):
        raise _FieldError("two accesses or events have the same position")
    return Transaction(
        hash=Hash(_bytes(item.hash, "hash", 32)),
        block=_block_in(item.block, "block"),
        index=_count(item.index, "index"),
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
    )


def _invocation_in(call: _Invocation, field: str) -> Invocation:
    return Invocation(
        contract=_address(call.contract, f"{field}.contract"),
        code=_address(call.code, f"{field}.code"),
        position=_count(call.position, f"{field}.position"),
        parent=call.parent,
        depth=_count(call.depth, f"{field}.depth"),
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
    )


def _access_in(access: _Access, field: str) -> StorageAccess:
    before = None if access.before is None else _word(access.before, f"{field}.before")
    after = _word(access.after, f"{field}.after")
    if access.kind is AccessKind.READ and (before != after or access.undone):
        raise _FieldError(f"{field} is a read; expected the same value before and after, and not undone")
    return StorageAccess(
        position=_count(access.position, f"{field}.position"),
        kind=access.kind,
        slot=_word(access.slot, f"{field}.slot"),
        before=before,
        after=after,
        undone=access.undone,
    )


def _event_in(event: _Event, field: str) -> Event:
    return Event(
        position=_count(event.position, f"{field}.position"),
        topics=tuple(_bytes(topic, f"{field}.topics", 32) for topic in event.topics),
        data=_bytes(event.data, f"{field}.data"),
        undone=event.undone,
    )
