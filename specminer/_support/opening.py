"""Opens a file that may be plain, gzip or zstd; which one is told by its first bytes, never by its name.

Nothing is unpacked further than it is read, so a small file that would unpack to a huge one costs what
its reader is ready to take.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import zstandard

from specminer._support.encoding import utf8_reader
from specminer._support.errors import FileFormatError, plain

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_PIECE: Final = 512
"""Bytes of zstd data unpacked at a time: four of them can stand for 128 KiB, so this gives 16 MiB at most."""


@contextmanager
def open_text(path: Path) -> Iterator[IO[bytes]]:
    """Open a file of text to read it as UTF-8; an error while it is read becomes one of ours.

    A byte order mark is left out, and UTF-16 (as PowerShell writes it) is turned into UTF-8.

    Raises:
        FileFormatError: it cannot be read, or its compressed data is damaged or ends early.

    """
    try:
        with path.open("rb") as raw:
            magic = raw.read(4)
            raw.seek(0)
            if magic[:2] == _GZIP:
                with gzip.open(raw) as unpacked:
                    yield utf8_reader(unpacked)  # type: ignore[arg-type]
            elif magic == _ZSTD:
                with io.BufferedReader(_Zstd(raw)) as reader:
                    yield utf8_reader(reader)
            else:
                yield utf8_reader(raw)
    except (EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError):
        raise FileFormatError(
            f"{plain(path)} is damaged: its compressed data ends early or is no data"
        ) from None
    except UnicodeDecodeError as error:
        raise FileFormatError(
            f"{plain(path)} is damaged: it is no text in {error.encoding}", path=path
        ) from None
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) or "null byte" in str(error):
            reason = getattr(error, "strerror", None) or plain(error)
            raise FileFormatError(f"{plain(path)} cannot be read: {reason}", path=path) from None
        raise


class _Zstd(io.RawIOBase):
    """Unpacks frame after frame; unlike the library's own reader it notices a frame that ends early."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._has_begun = False
        self._compressed = b""
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            piece = self._compressed or self._source.read(_PIECE)
            if not piece:
                if self._has_begun:
                    raise EOFError
                return 0
            if self._frame.eof:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            self._ready = memoryview(self._frame.decompress(piece))
            self._compressed = self._frame.unused_data if self._frame.eof else b""
            self._has_begun = not self._frame.eof
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count
