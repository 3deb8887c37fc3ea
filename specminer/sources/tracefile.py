"""Trace files: a contract's history as JSON lines, gzip or zstd, to keep, to hand on, to read in again.

Format ``specminer/traces``, version 2 (version 1 is read as well): a header line, then one transaction a line.
Bytes and words are ``0x`` hexadecimal, amounts are decimal strings (JSON numbers lose digits), block numbers, times,
gas and positions are numbers. Any other tracer may write it: ``docs/trace-file.md`` has every field. The header
counts the transactions, so that a truncated file is noticed.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, TypeVar, cast

import msgspec
import zstandard

from specminer._support.errors import FileFormatError, OutputError, plain
from specminer._support.files import replacing
from specminer._support.nesting import check_nesting
from specminer._support.opening import open_text
from specminer.history.trace import Block, Hash, Transaction
from specminer.sources.field_notation import FieldError, format_number
from specminer.sources.traceline import (
    FORMAT,
    VERSION,
    VERSIONS,
    Header,
    HeaderLine,
    MagicLine,
    TransactionLine,
    header_in,
    header_out,
    transaction_in,
    transaction_out,
)

__all__ = ["FORMAT", "MAX_LINE", "VERSION", "Header", "TraceFile", "write"]

MAX_LINE: Final = 256 << 20
"""Bytes: a longer line is not read, whatever it holds."""

_T = TypeVar("_T")


def write(path: Path, header: Header, transactions: Iterable[Transaction]) -> None:
    """Write a trace file, whole or not at all; ``.gz`` and ``.zst`` are compressed.

    Each line is read back before it is written, so that what comes from a damaged database makes no file.

    Raises:
        OutputError: it cannot be written, the header counts other transactions, or a line cannot be read back.

    """
    count = 0
    try:
        with replacing(path) as partial:
            with _opened_to_write(partial, path.suffix) as file:
                file.write(_header_line(header, path) + b"\n")
                for transaction in transactions:
                    file.write(_transaction_line(transaction, path) + b"\n")
                    count += 1
            if count != header.transactions:
                raise OutputError(
                    f"{plain(path)} is not written: the header counts {header.transactions} transactions, but "
                    f"{count} came; if the database is being filled, export again when that is done"
                )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or plain(error)
        raise OutputError(f"{plain(path)} cannot be written: {reason}") from None


def _header_line(header: Header, path: Path) -> bytes:
    try:
        line = msgspec.json.encode(header_out(header))
        header_in(msgspec.json.decode(line, type=HeaderLine), "contract.artifact")
    except (*_UNREADABLE, FileFormatError) as error:
        raise _not_sound(path, "the header", error) from error
    return line


def _transaction_line(transaction: Transaction, path: Path) -> bytes:
    try:
        line = msgspec.json.encode(transaction_out(transaction))
        transaction_in(msgspec.json.decode(line, type=TransactionLine))
    except _UNREADABLE as error:
        raise _not_sound(path, "a transaction", error) from error
    return line


_UNREADABLE: Final = (msgspec.MsgspecError, LookupError, TypeError, ValueError, AttributeError)
"""What writing or reading back a value of another type or form ends with."""


def _not_sound(path: Path, noun: str, error: Exception) -> OutputError:
    return OutputError(
        f"{plain(path)} is not written: {noun} in the database is damaged ({plain(error, 160)}); restore the database "
        "from a copy, or collect the history anew into another --db"
    )


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
        try:
            magic = self._decode(line, number, MagicLine)
        except FileFormatError as error:
            raise FileFormatError(
                f"{error.message}; expected a trace file as `specminer export` writes it"
            ) from None
        if magic.format != FORMAT:
            raise FileFormatError(
                f"{self._name}, line 1: the format is {plain(magic.format, 60)!r}, expected {FORMAT!r}; give a "
                "trace file"
            )
        self.version = magic.version
        """The version of the file."""
        if magic.version not in VERSIONS:
            raise FileFormatError(
                f"{self._name}, line 1: the version is {format_number(magic.version)}; this specminer reads versions "
                f"{VERSIONS[0]} to {VERSION}"
            )
        header = self._decode(line, number, HeaderLine)
        with self._naming_line(number):
            self.header = header_in(header, f"{self._name}, line {number}: contract.artifact")

    def transactions(self) -> Iterator[Transaction]:
        """Yield the transactions in the file's order, which must be the chain's.

        Raises:
            FileFormatError: a line is malformed, out of order, or lines are missing; names line and field.

        """
        count, before, hashes = 0, (-1, -1), set[Hash]()
        block = self.header.tip
        for number, line in self._lines:
            if count == self.header.transactions:
                raise FileFormatError(
                    f"{self._name}, line {number}: the header says that there are only {count} transactions; "
                    "the file was edited"
                )
            item = self._decode(line, number, TransactionLine)
            with self._naming_line(number):
                transaction = transaction_in(item, self.version)
                self._check(transaction, before, hashes, block)
            block, before = transaction.block, (transaction.block.number, transaction.index)
            count += 1
            hashes.add(transaction.hash)
            yield transaction
        if count != self.header.transactions:
            raise FileFormatError(
                f"{self._name} holds {count} transactions, but its header says {self.header.transactions}; "
                "the file is truncated or was edited"
            )

    def _check(
        self, item: Transaction, before: tuple[int, int], hashes: set[Hash], block: Block | None
    ) -> None:
        """Check a transaction against the header and those before it; ``block`` is the last one's."""
        header, number = self.header, item.block.number
        if (number, item.index) <= before:
            raise FieldError(
                f"block {number}, index {item.index} comes after block {before[0]}, index {before[1]}; expected "
                "the chain's order"
            )
        if item.hash in hashes:
            raise FieldError(f"the transaction with hash 0x{item.hash.hex()} stands twice")
        if not header.first_block <= number <= header.last_block:
            raise FieldError(
                f"block {number} is outside the header's blocks {header.first_block} to {header.last_block}"
            )
        for earlier_block in (block, header.tip):
            if earlier_block is not None and earlier_block.number == number and earlier_block != item.block:
                raise FieldError(f"block {number} has another hash, timestamp or value than before")
        for row, call in enumerate(item.invocations):
            if call.contract != header.record.address:
                raise FieldError(
                    f"invocations[{row}].contract is 0x{call.contract.hex()}, expected the header's "
                    f"0x{header.record.address.hex()}; a file holds one contract"
                )

    def _numbered_lines(self) -> Iterator[tuple[int, bytes]]:
        with open_text(self.path) as file:
            number = 0
            while line := file.readline(MAX_LINE + 1):
                number += 1
                if len(line) > MAX_LINE:
                    raise FileFormatError(f"{self._name}, line {number} is longer than {MAX_LINE >> 20} MiB")
                if not line.strip():
                    raise FileFormatError(f"{self._name}, line {number} is empty; expected an object")
                yield number, line

    def _decode(self, line: bytes, number: int, shape: type[_T]) -> _T:
        try:
            check_nesting(line)
            return msgspec.json.decode(line, type=shape)
        except (msgspec.DecodeError, ValueError) as error:
            raise FileFormatError(f"{self._name}, line {number}: {plain(error)}") from None

    @contextmanager
    def _naming_line(self, number: int) -> Iterator[None]:
        try:
            yield
        except FieldError as error:
            raise FileFormatError(f"{self._name}, line {number}: {error}") from None
