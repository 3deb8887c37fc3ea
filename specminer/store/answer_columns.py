"""What invocations heard from others, as numpy columns; what was not recorded costs next to nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from specminer._support.scratch import in_file
from specminer.history.contract_history import (
    CALLS,
    ENVIRONMENT,
    MISSING,
    AnswerColumns,
    BlockColumns,
    CodeList,
    IntColumn,
    RowColumn,
    SmallColumn,
)
from specminer.history.trace import Address, Hash
from specminer.store import schema
from specminer.store.code_instances import among
from specminer.store.damage import blob, pad_words
from specminer.store.history_columns import Row, fetch_rows, look_up

_CALLS: Final = {kind.value: position for position, kind in enumerate(CALLS)}
_ENVIRONMENT: Final = {kind.value: position for position, kind in enumerate(ENVIRONMENT)}
_CALL_COLUMNS: Final = 10
"""Integers that are read of an external call: invocation, place, receiver, value, kind, succeeded, undone, size of the
output, selector, output."""


def answer_columns(
    connection: sa.Connection,
    owners: Sequence[int],
    *,
    call_place: IntColumn,
    counts: Sequence[IntColumn],
    tracers: SmallColumn,
    address_place: IntColumn,
    words: tuple[IntColumn, Sequence[int]],
) -> AnswerColumns:
    """Return the answers of contracts' invocations.

    Args:
        connection: to the database.
        owners: rows of the contracts.
        call_place: from an invocation's id to its row.
        counts: how many external calls, codes and answers of the environment each invocation has; ``MISSING`` where
            that was not recorded; shape (n,) each.
        tracers: of each transaction.
        address_place: from an address's id to its row.
        words: from a word's id to its row, and the words.

    """
    calls, codes, environment = (in_file(column.astype(np.int32)) for column in counts)
    lists, list_numbers = _codes(connection, owners, call_place, codes, address_place, words)
    return AnswerColumns(
        transaction_tracer=tracers,
        invocation_calls=calls,
        invocation_environment=environment,
        invocation_codes=in_file(list_numbers),
        code_lists=lists,
        **_calls(connection, owners, call_place, calls, address_place, words[0]),
        **_environment(connection, owners, call_place, environment),
    )


def _of_owners(
    query: sa.Select[Any], table: sa.Table, owners: Sequence[int], counts: RowColumn
) -> sa.Select[Any] | None:
    """Return a query of the contracts' own rows; ``None`` if there are none."""
    if not np.any(counts > 0):
        return None
    calls = schema.invocation
    joined = query.join(calls, calls.c.id == table.c.invocation_id)
    return joined.where(among(calls.c.contract_id, owners))


def _rows(connection: sa.Connection, query: sa.Select[Any] | None) -> Iterable[list[Row]]:
    return () if query is None else fetch_rows(connection, query)


def _calls(
    connection: sa.Connection,
    owners: Sequence[int],
    call_place: IntColumn,
    counts: RowColumn,
    address_place: IntColumn,
    word_place: IntColumn,
) -> dict[str, Any]:
    """Return the columns of the external calls, by invocation and place."""
    table = schema.external_call
    query = sa.select(
        table.c.invocation_id,
        table.c.place,
        table.c.to_id,
        table.c.value_id,
        table.c.kind,
        table.c.succeeded,
        table.c.undone,
        sa.func.coalesce(table.c.output_size, MISSING),
        sa.func.substr(table.c.data, 1, 4),
        table.c.output,
    )
    parts = [np.zeros((_CALL_COLUMNS, 0), dtype=np.int64)]
    outputs: dict[bytes, int] = {}
    for rows in _rows(connection, _of_owners(query, table, owners, counts)):
        *numbers, kind, succeeded, undone, size, data, output = zip(*rows, strict=True)
        coded = [_CALLS[name] for name in kind]
        # some databases have nothing for the start of nothing
        starts = (blob(text or b"") for text in data)
        selector = [int.from_bytes(text, "big") if len(text) == 4 else MISSING for text in starts]
        answered = [outputs.setdefault(text, len(outputs)) for text in map(blob, output)]
        parts.append(np.array([*numbers, coded, succeeded, undone, size, selector, answered], dtype=np.int64))
    raw = np.concatenate(parts, axis=1)
    call, order = _order_rows(call_place, raw[0], raw[1])
    raw = raw[:, order]
    texts, answered_by_use = _by_first_use(tuple(outputs), raw[9])
    return {
        "call_invocation": call,
        "call_to": look_up(address_place, raw[2]).astype(np.int32),
        "call_value": look_up(word_place, raw[3]).astype(np.int32),
        "call_kind": raw[4].astype(np.int8),
        "call_succeeded": raw[5].astype(np.bool_),
        "call_undone": raw[6].astype(np.bool_),
        "call_output_size": raw[7].copy(),
        "call_selector": raw[8].copy(),
        "call_output": answered_by_use.astype(np.int32),
        "outputs": texts,
    }


def _by_first_use(texts: Sequence[bytes], uses: IntColumn) -> tuple[tuple[bytes, ...], IntColumn]:
    """Return texts in the order in which they are used, and the uses numbered so; a database orders no rows itself."""
    used, first, number = np.unique(uses, return_index=True, return_inverse=True)
    order = np.argsort(first)
    new_rows = np.empty_like(order)
    new_rows[order] = np.arange(len(order))
    return tuple(texts[row] for row in used[order].tolist()), new_rows[number.reshape(-1)]


def _order_rows(
    call_place: IntColumn, invocation: IntColumn, position: IntColumn
) -> tuple[RowColumn, npt.NDArray[np.intp]]:
    """Return the rows of invocations, ascending, and which rows of a table belong there, in order of place."""
    call = look_up(call_place, invocation)
    rows = np.flatnonzero(call != MISSING)
    rows = rows[np.lexsort((position[rows], call[rows]))]
    return call[rows].astype(np.int32), rows


def _environment(
    connection: sa.Connection, owners: Sequence[int], call_place: IntColumn, counts: RowColumn
) -> dict[str, Any]:
    """Return the columns of the environment's answers, by invocation and place."""
    table = schema.environment_answer
    query = sa.select(table.c.invocation_id, table.c.place, table.c.kind, table.c.subject, table.c.value)
    parts = [np.zeros((3, 0), dtype=np.int64)]
    subjects, values = bytearray(), bytearray()
    for rows in _rows(connection, _of_owners(query, table, owners, counts)):
        invocation, position, kind, subject, value = zip(*rows, strict=True)
        coded = [_ENVIRONMENT[name] for name in kind]
        parts.append(np.array([invocation, position, coded], dtype=np.int64))
        subjects += pad_words(subject)
        values += pad_words(value)
    raw = np.concatenate(parts, axis=1)
    call, order = _order_rows(call_place, raw[0], raw[1])
    return {
        "environment_invocation": call,
        "environment_kind": raw[2, order].astype(np.int8),
        "environment_subject": np.frombuffer(subjects, dtype="S32")[order],
        "environment_value": np.frombuffer(values, dtype="S32")[order],
    }


def _codes(
    connection: sa.Connection,
    owners: Sequence[int],
    call_place: IntColumn,
    counts: RowColumn,
    address_place: IntColumn,
    words: tuple[IntColumn, Sequence[int]],
) -> tuple[tuple[CodeList, ...], RowColumn]:
    """Return the distinct lists of code that ran, and which of them each invocation has."""
    table = schema.frame_code
    query = sa.select(
        table.c.invocation_id, table.c.place, table.c.address_id, sa.func.coalesce(table.c.hash_id, 0)
    )
    parts = [np.zeros((4, 0), dtype=np.int64)]
    for rows in _rows(connection, _of_owners(query, table, owners, counts)):
        parts.append(np.array(rows, dtype=np.int64).T)
    raw = np.concatenate(parts, axis=1)
    call, order = _order_rows(call_place, raw[0], raw[1])
    address, digest = raw[2:, order]
    span = int(digest.max(initial=0)) + 1
    pairs, number = np.unique(address * span + digest, return_inverse=True)
    word_place, values = words
    ran = [
        (
            row,
            None if word is None else Hash(values[word].to_bytes(32, "big")),
        )
        for row, word in _code_rows(pairs // span, pairs % span, address_place, word_place)
    ]
    lists: dict[tuple[int, ...], int] = {(): 0}
    list_numbers = np.where(counts == 0, 0, MISSING).astype(np.int32)
    starts = np.flatnonzero(np.diff(call, prepend=-1)).tolist()
    numbers = number.reshape(-1).tolist()
    for start, end in zip(starts, [*starts[1:], len(numbers)], strict=False):
        key = tuple(numbers[start:end])
        list_numbers[call[start]] = lists.setdefault(key, len(lists))
    return tuple(tuple(ran[number] for number in key) for key in lists), list_numbers


def _code_rows(
    address: IntColumn, digest: IntColumn, address_place: IntColumn, word_place: IntColumn
) -> list[tuple[int, int | None]]:
    """Return the rows of addresses and of hashes, ``None`` for a hash that is not known.

    Raises:
        ValueError: there is no such row.

    """
    rows, words = look_up(address_place, address), look_up(word_place, digest)
    if np.any(rows == MISSING) or np.any((words == MISSING) & (digest != 0)):
        raise ValueError("code refers to an address or a hash that is not there")
    return [
        (row, word if has_hash else None)
        for row, word, has_hash in zip(rows.tolist(), words.tolist(), digest.tolist(), strict=True)
    ]


def block_columns(
    connection: sa.Connection, chain_id: int, first: int | None, last: int | None
) -> BlockColumns | None:
    """Return the values of a chain's blocks ``first .. last``; ``None`` if none is known."""
    table = schema.block
    values = (table.c.base_fee, table.c.randomness, table.c.beneficiary, table.c.gas_limit)
    query = sa.select(table.c.number, *values).where(
        table.c.chain_id == chain_id, sa.or_(*(value.is_not(None) for value in values))
    )
    query = query if first is None else query.where(table.c.number >= first)
    query = query if last is None else query.where(table.c.number <= last)
    parts = [np.zeros((5, 0), dtype=np.int64)]
    fees, randomness = bytearray(), bytearray()
    beneficiaries: dict[bytes, int] = {}
    for rows in fetch_rows(connection, query.order_by(table.c.number)):
        number, fee, random, beneficiary, limit = zip(*rows, strict=True)
        paid = [
            MISSING if text is None else beneficiaries.setdefault(blob(text), len(beneficiaries))
            for text in beneficiary
        ]
        limits = [MISSING if value is None else value for value in limit]
        has_fee, has_random = ([text is not None for text in texts] for texts in (fee, random))
        parts.append(np.array([number, limits, paid, has_fee, has_random], dtype=np.int64))
        fees += pad_words(fee)
        randomness += pad_words(random)
    raw = np.concatenate(parts, axis=1)
    if not raw.shape[1]:
        return None
    return BlockColumns(
        number=raw[0].copy(),
        gas_limit=raw[1].copy(),
        beneficiary=raw[2].astype(np.int32),
        beneficiaries=tuple(map(Address, beneficiaries)),
        has_base_fee=raw[3].astype(np.bool_),
        base_fee=np.frombuffer(bytes(fees), dtype="S32"),
        has_randomness=raw[4].astype(np.bool_),
        randomness=np.frombuffer(bytes(randomness), dtype="S32"),
    )
