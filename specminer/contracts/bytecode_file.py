"""Reads a contract's runtime code from a file that somebody saved."""

from __future__ import annotations

import re
from os import PathLike
from typing import Final

from specminer._support.errors import FileFormatError, plain
from specminer._support.files import read_bounded

MAX_FILE: Final = 1 << 20
"""Bytes of the file; code itself has 24,576 on the main chain."""
_HEXADECIMAL: Final = re.compile(rb"\s*\"?(?:0[xX])?((?:[0-9a-fA-F]{2})*)\"?\s*")


def read_code(path: str | PathLike[str]) -> bytes:
    """Return runtime code: of a file that holds it as hexadecimal digits, with or without ``0x``, or as bytes.

    Raises:
        FileFormatError: the file cannot be read, is too large, or holds no code.

    """
    content = read_bounded(path, MAX_FILE, "runtime code")
    digits = _HEXADECIMAL.fullmatch(content)
    code = content if digits is None else bytes.fromhex(digits[1].decode())
    if not code or (digits is None and content.isascii()):
        raise FileFormatError(
            f"{plain(path)} holds no runtime code; expected hexadecimal digits, as eth_getCode answers, or the bytes"
        )
    return code
