"""Reads the fields of exported records: numbers, bytes, times and flags as explorers and spreadsheets write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from specminer._support.errors import plain
from specminer._support.times import unix_seconds
from specminer.history.trace import Address

NUMBER_LIMIT: Final = 1 << 63
"""Block numbers, gas, times and nonces are smaller, so that a database can hold them."""
INDEX_LIMIT: Final = 1 << 31
_CELL: Final = 32_767
"""Characters that a cell of a spreadsheet holds; what is longer was cut off there."""

Fields = Mapping[str, Any]
"""A record as it came: the fields by their names."""


class RecordError(ValueError):
    """A record holds the wrong thing; the text names the field, what was expected and what came."""


def describe_value(value: object) -> str:
    """Return what came in place of what was expected, for messages."""
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 300:
        return f"a number of {value.bit_length()} bits"
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    if value is None:
        return "null"
    return repr(plain(value, 60)) if isinstance(value, str) else plain(value, 60)


def is_given(fields: Fields, name: str) -> bool:
    """Whether a field that may be left out is there."""
    value = fields.get(name)
    return value not in (None, "") and str(value).lower() not in ("nan", "null", "none", "<na>")


def read_number(fields: Fields, name: str, limit: int = NUMBER_LIMIT) -> int:
    """Read a whole number below ``limit``, in decimal digits.

    Raises:
        RecordError: it is none.

    """
    value = fields.get(name)
    number = -1
    if type(value) is int:
        number = value
    elif isinstance(value, float) and value.is_integer() and abs(value) < 1 << 53:
        number = int(value)  # through a table that holds no whole numbers beside missing ones
    elif isinstance(value, str) and re.fullmatch(r"0x[0-9a-fA-F]{1,64}", value, re.ASCII):
        number = int(value, 16)  # as nodes write it
    elif (
        isinstance(value, str)
        and len(value) <= 82
        and (match := _INTEGER_PATTERN.fullmatch(value)) is not None
    ):
        number = int(match[1])
    if 0 <= number < limit:
        return number
    raise RecordError(
        f"{name} should be a whole decimal number from 0 to 2**{limit.bit_length() - 1} - 1, "
        f"got {describe_value(value)}"
    )


_INTEGER_PATTERN: Final = re.compile(r"([0-9]{1,78})(?:\.0{1,3})?", re.ASCII)


def read_time(fields: Fields) -> int | None:
    """Read a block's time in Unix seconds, from a number of any usual unit or a date; ``None`` if it is not given.

    Raises:
        RecordError: it is malformed.

    """
    if not is_given(fields, "timeStamp"):
        return None
    value = fields["timeStamp"]
    if isinstance(value, str) and len(value) <= 40 and "-" in value[1:]:
        text = value.strip().removesuffix("UTC").strip()
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise RecordError(
                f"timeStamp should be a number of Unix seconds or a date, got {describe_value(value)}"
            ) from None
        seconds = int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp())
        return max(seconds, 0)
    return unix_seconds(read_number(fields, "timeStamp"))


def read_optional(fields: Fields, name: str, limit: int = NUMBER_LIMIT) -> int | None:
    """Read a number as :func:`read_number` does; ``None`` if it is not given."""
    return read_number(fields, name, limit) if is_given(fields, name) else None


def read_bytes(fields: Fields, name: str, length: int | None = None) -> bytes:
    """Read bytes in ``0x`` hexadecimal, ``length`` of them if given.

    Raises:
        RecordError: it is malformed.

    """
    value = fields.get(name)
    if isinstance(value, str) and value[:2] == "0x" and length in (None, (len(value) - 2) / 2):
        try:
            if value.isascii() and not re.search(r"\s", value):
                return bytes.fromhex(value[2:])
        except ValueError:
            pass
    expected = "hexadecimal digits, two a byte" if length is None else f"{2 * length} hexadecimal digits"
    hint = ""
    if isinstance(value, str) and len(value) == _CELL:
        hint = f"; it has {_CELL:,} characters, where spreadsheets cut a cell off: export again, without one"
    raise RecordError(f"{name} should be 0x and {expected}, got {describe_value(value)}{hint}")


def read_address(fields: Fields, name: str) -> Address | None:
    """Read an address; ``None`` if it is not given."""
    return Address(read_bytes(fields, name, 20)) if is_given(fields, name) else None


def read_sender(fields: Fields) -> Address:
    """Read who sent a transaction, or called."""
    return Address(read_bytes(fields, "from", 20))


def read_flag(fields: Fields, name: str) -> bool | None:
    """Read a flag, 0 or 1; ``None`` if it is not given.

    Raises:
        RecordError: it is something else.

    """
    if not is_given(fields, name):
        return None
    value = fields[name]
    if not isinstance(value, bool) and str(value) in ("0", "1", "0.0", "1.0", "0x0", "0x1"):
        return str(value) in ("1", "1.0", "0x1")
    raise RecordError(f"{name} should be 0 or 1, got {describe_value(value)}")
