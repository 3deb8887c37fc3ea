"""Keeps what is nested too deep from overflowing the stack, which would end the process.

msgspec leaves the depth of JSON to Python's recursion limit, which a library (py_ecc) lifts to 100,000 where it is
imported.
Source: https://github.com/msgspec/msgspec/issues/1033.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

MAX_NESTING: Final = 64
"""Lists and objects inside each other; what chains and compilers write needs about 20."""
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NO_BRACKETS: Final = bytes(byte for byte in range(256) if byte not in b"[]{}")


class NestingError(ValueError):
    """The text is nested too deep, or its brackets do not match."""


def check_nesting(text: bytes) -> None:
    """Check that JSON text can be decoded safely, in a time that grows with its length alone.

    Raises:
        NestingError: it is nested deeper than about ``MAX_NESTING``.

    """
    if text.count(b"[") + text.count(b"{") <= MAX_NESTING:
        return
    brackets = _STRING.sub(b"", text).translate(None, _NO_BRACKETS)
    for _ in range(MAX_NESTING):
        shorter = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if len(shorter) == len(brackets):
            break
        brackets = shorter
    if len(brackets) > MAX_NESTING:
        raise NestingError(f"lists or objects are nested deeper than {MAX_NESTING}, or never closed")


@contextmanager
def usual_recursion() -> Iterator[None]:
    """Put Python's recursion limit back after importing a library that lifts it."""
    limit = sys.getrecursionlimit()
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
