"""Large columns in files that the operating system may drop from memory, and read again, whenever it needs room.

A file has no name: it is gone with the last column that it holds, also if the process is killed. Where a file cannot
be written (a full disk, a folder that is read-only), its column stays in memory, which changes nothing else. What
is mapped can only be read.
"""

from __future__ import annotations

import mmap
import tempfile
from dataclasses import fields, replace
from typing import IO, Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

FILE_THRESHOLD: int = 1 << 20
"""Columns of fewer bytes stay in memory."""
_PIECE: Final = 1 << 22
"""Bytes written at a time."""

_Scalar = TypeVar("_Scalar", bound=np.generic)


class ColumnWriter:
    """A column that grows at its end, of which little is held in memory."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._file: IO[bytes] | None = None
        self._size = 0
        self._is_refused = False

    def append(self, data: bytes | bytearray | memoryview) -> None:
        """Append bytes."""
        self._buffer += data
        self._size += len(data)
        if len(self._buffer) >= _PIECE and self._size >= FILE_THRESHOLD:
            self._empty()

    def column(self, kind: type[_Scalar] | np.dtype[_Scalar]) -> npt.NDArray[_Scalar]:
        """Return what was appended as a column that can only be read; nothing can be appended any more."""
        if self._size >= FILE_THRESHOLD:
            self._empty()
        if self._file is None:
            buffer, self._buffer = self._buffer, bytearray()
            return np.frombuffer(buffer, dtype=kind)
        with self._file as file:
            # numpy holds on to the mapping, and the mapping to what is in the file
            mapped = mmap.mmap(file.fileno(), self._size, access=mmap.ACCESS_READ)
        return np.frombuffer(mapped, dtype=kind)

    def _empty(self) -> None:
        """Move what is held into the file; all back into memory if that fails."""
        if self._is_refused or not self._buffer:
            return
        written = self._size - len(self._buffer)
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="specminer-", buffering=0)  # noqa: SIM115
            rest = memoryview(bytes(self._buffer))
            while rest:
                rest = rest[self._file.write(rest) :]
            self._buffer.clear()
        except OSError:
            self._is_refused = True
            if self._file is not None:
                with self._file as file:
                    file.seek(0)
                    self._buffer = bytearray(file.read(written)) + self._buffer
                self._file = None


def in_file(column: npt.NDArray[_Scalar]) -> npt.NDArray[_Scalar]:
    """Return a column that can only be read, with the same values, in a file if it is large."""
    if column.nbytes < FILE_THRESHOLD or column.dtype.hasobject or is_mapped(column):
        return column
    writer = ColumnWriter()
    flat: npt.NDArray[Any] = np.ascontiguousarray(column).reshape(-1)
    step = max(1, _PIECE // max(1, column.itemsize))
    for start in range(0, len(flat), step):
        writer.append(flat[start : start + step].tobytes())
    return writer.column(column.dtype).reshape(column.shape)


_Columns = TypeVar("_Columns")


def columns_in_files(value: _Columns) -> _Columns:
    """Return a dataclass's value whose large columns, and those in tuples and dictionaries of its own, are in files."""
    whole: Any = value
    columns = {item.name: _put_in_files(getattr(whole, item.name)) for item in fields(whole) if item.init}
    changed: _Columns = replace(whole, **columns)
    return changed


def _put_in_files(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return in_file(value)
    if type(value) is tuple and any(isinstance(item, np.ndarray) for item in value):
        return tuple(map(_put_in_files, value))
    if type(value) is dict and any(isinstance(item, np.ndarray) for item in value.values()):
        return {key: _put_in_files(item) for key, item in value.items()}
    return value


def is_mapped(column: npt.NDArray[Any]) -> bool:
    """Whether a column, or what it is a view of, is in a file."""
    base: Any = column
    while isinstance(base, np.ndarray):
        base = base.base
    return isinstance(base, mmap.mmap) or (isinstance(base, memoryview) and isinstance(base.obj, mmap.mmap))
