"""Turns the encodings that editors and shells write text in into UTF-8.

Windows programs put a byte order mark before UTF-8, and PowerShell's ``>`` writes UTF-16. Both are
recognised by their first bytes; a text without a mark is UTF-8.
"""

from __future__ import annotations

import codecs
import io
from typing import IO, Any, Final

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_PIECE: Final = 1 << 16


def encoding_of(head: bytes) -> tuple[str, int]:
    """Return the encoding of a text that begins with ``head`` (4 bytes or more), and the length of its mark."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name, len(mark)
    if len(head) >= 4 and head[1] == head[3] == 0 and head[0] and head[2]:  # two characters of ASCII
        return "utf-16-le", 0
    if len(head) >= 4 and head[0] == head[2] == 0 and head[1] and head[3]:
        return "utf-16-be", 0
    return "utf-8", 0


def to_utf8(data: bytes) -> bytes:
    """Return a text in UTF-8 without a byte order mark, whatever encoding it came in.

    Raises:
        UnicodeDecodeError: it has the mark of an encoding that it is not in.

    """
    name, mark = encoding_of(data[:4])
    return data[mark:] if name == "utf-8" else data[mark:].decode(name).encode("utf-8", "surrogatepass")


def utf8_reader(source: IO[bytes]) -> IO[bytes]:
    """Return a reader of ``source`` whose text is UTF-8 without a byte order mark."""
    head = source.read(4)
    name, mark = encoding_of(head)
    if name == "utf-8" and source.seekable():
        source.seek(mark)
        return source
    return io.BufferedReader(_Utf8Reader(source, head[mark:], name))


class _Utf8Reader(io.RawIOBase):
    """Reads a text in another encoding as UTF-8."""

    def __init__(self, source: IO[bytes], head: bytes, name: str) -> None:
        self._source = source
        self._decoder = codecs.getincrementaldecoder(name)()
        self._plain = name == "utf-8"
        self._head = head
        self._ready = memoryview(b"")
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready and not self._ended:
            piece = self._head or self._source.read(_PIECE)
            self._head = b""
            self._ended = not piece
            text = piece if self._plain else self._decoder.decode(piece, final=self._ended).encode()
            self._ready = memoryview(text)
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count
