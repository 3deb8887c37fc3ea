"""Whether what a database holds can be what specminer wrote.

A database may be damaged on its disk or edited by hand. SQLite stores a value of any type in any column, and does not
look at references of rows that are there already; so what is read is checked before anything is concluded from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from specminer.history.contract_history import MISSING, History, IntColumn, RowColumn

WORD: Final = 32
"""Bytes of a word, at most."""
_ADDRESS: Final = 20
_HASH: Final = 32
READING_ERRORS: Final = (LookupError, TypeError, ValueError, AttributeError)
"""What reading ends with if values have other types, or rows refer to rows that are not there."""


def blob(value: object) -> bytes:
    """Return bytes as the driver gave them.

    Raises:
        TypeError: they are none; a number would be taken for so many zeros.

    """
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    raise TypeError(f"a {type(value).__name__} stands where bytes are expected")


def check_sizes(values: Iterable[bytes], noun: str, least: int, most: int) -> None:
    """Check the lengths of values.

    Raises:
        ValueError: one is shorter or longer.

    """
    for value in values:
        if not least <= len(value) <= most:
            raise ValueError(f"{noun} has {len(value)} bytes")


def pad_words(texts: Iterable[bytes | None]) -> bytes:
    """Return stored words as 32 bytes each; zero for what is not there.

    Raises:
        ValueError: one is longer.

    """
    values = [blob(text or b"") for text in texts]
    check_sizes(values, "a word", 0, WORD)
    return b"".join([value.rjust(WORD, b"\0") for value in values])


def check_history(history: History) -> None:
    """Check that each column refers to what is there.

    Raises:
        ValueError: one does not; says which.

    """
    check_sizes((record.address for record in history.contracts), "a contract's address", _ADDRESS, _ADDRESS)
    check_sizes(history.addresses, "an address", _ADDRESS, _ADDRESS)
    check_sizes(history.transaction_hash, "a transaction's hash", _HASH, _HASH)
    check_sizes(history.transfers.parties if history.transfers else (), "an address", _ADDRESS, _ADDRESS)
    words, addresses = len(history.words), len(history.addresses)
    calls, transactions = len(history), len(history.transaction_hash)
    for name, first, end in (
        ("transaction_block", 0, 1 << 63),
        ("transaction_time", MISSING, 1 << 63),
        ("transaction_origin", 0, addresses),
        ("transaction_gas_used", 0, 1 << 63),
        ("invocation_transaction", 0, transactions),
        ("invocation_code", 0, addresses),
        ("invocation_sender", 0, addresses),
        ("invocation_value", 0, words),
        ("invocation_parent", MISSING, calls),
        ("access_invocation", 0, calls),
        ("access_slot", 0, words),
        ("access_before", MISSING, words),
        ("access_after", MISSING, words),
        ("payment_invocation", 0, calls),
        ("payment_to", 0, addresses),
        ("payment_value", MISSING, words),
    ):
        _check_column(getattr(history, name), name, first, end)
    if history.answers is not None:
        answers = history.answers
        for name, first, end in (
            ("call_invocation", 0, calls),
            ("call_to", 0, addresses),
            ("call_value", 0, words),
            ("environment_invocation", 0, calls),
        ):
            _check_column(getattr(answers, name), name, first, end)
    if history.blocks is not None:
        check_sizes(history.blocks.beneficiaries, "a beneficiary's address", _ADDRESS, _ADDRESS)
    inner = np.flatnonzero(history.invocation_parent != MISSING)
    if np.any(history.invocation_parent[inner] >= inner):
        raise ValueError("an invocation stands before the one that encloses it")


def _check_column(column: IntColumn | RowColumn, name: str, first: int, end: int) -> None:
    if len(column) and (int(column.min()) < first or int(column.max()) >= end):
        raise ValueError(f"{name} holds a number that is none of {first} to {end - 1}")
