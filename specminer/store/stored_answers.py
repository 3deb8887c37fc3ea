"""Answers in the database: external calls, code that ran, what code asked of its environment, logs of others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from specminer.history.trace import (
    Address,
    CallKind,
    EnvironmentAnswer,
    EnvironmentKind,
    ExternalCall,
    ForeignLog,
    FrameCode,
    Hash,
    Invocation,
    Transaction,
    Word,
)
from specminer.store import schema
from specminer.store.damage import blob
from specminer.store.dictionary_coding import code_id, encode_word

CALL_TABLES = (schema.external_call, schema.frame_code, schema.environment_answer)
"""Tables whose rows belong to an invocation."""


def addresses_of(call: Invocation) -> Iterator[Address]:
    """Yield the addresses in an invocation's answers, in the order in which they are numbered."""
    yield from (answer.to for answer in call.calls or ())
    yield from (code.address for code in call.codes or ())


def words_of(call: Invocation) -> Iterator[int]:
    """Yield the words in an invocation's answers that stand in the dictionary."""
    yield from (answer.value for answer in call.calls or ())
    yield from (int.from_bytes(code.hash, "big") for code in call.codes or () if code.hash is not None)


def log_addresses(item: Transaction) -> Iterator[Address]:
    """Yield the addresses in a transaction's logs of others."""
    yield from (log.address for log in item.logs or ())


def counts(call: Invocation) -> dict[str, int | None]:
    """Return the columns of an invocation that say how many rows belong to it."""
    return {
        "external_calls": None if call.calls is None else len(call.calls),
        "frame_codes": None if call.codes is None else len(call.codes),
        "environment_answers": None if call.environment is None else len(call.environment),
    }


def call_rows(
    call: Invocation, row: int, addresses: Mapping[bytes, int], words: Mapping[int, int]
) -> list[dict[str, Any]]:
    """Return the rows of an invocation's external calls."""
    return [
        {
            "invocation_id": row,
            "place": index,
            "position": answer.position,
            "kind": answer.kind.value,
            "to_id": addresses[answer.to],
            "value_id": words[answer.value],
            "data": answer.data,
            "data_size": answer.data_size,
            "succeeded": answer.succeeded,
            "output": answer.output,
            "output_size": answer.output_size,
            "undone": answer.undone,
        }
        for index, answer in enumerate(call.calls or ())
    ]


def code_rows(
    call: Invocation, row: int, addresses: Mapping[bytes, int], words: Mapping[int, int]
) -> list[dict[str, Any]]:
    """Return the rows of the code that ran in an invocation."""
    return [
        {
            "invocation_id": row,
            "place": index,
            "position": code.position,
            "address_id": addresses[code.address],
            "hash_id": None if code.hash is None else words[int.from_bytes(code.hash, "big")],
        }
        for index, code in enumerate(call.codes or ())
    ]


def environment_rows(call: Invocation, row: int) -> list[dict[str, Any]]:
    """Return the rows of what an invocation asked of its environment."""
    return [
        {
            "invocation_id": row,
            "place": index,
            "position": answer.position,
            "kind": answer.kind.value,
            "subject": encode_word(answer.subject),
            "value": encode_word(answer.value),
        }
        for index, answer in enumerate(call.environment or ())
    ]


def log_rows(item: Transaction, key: dict[str, Any], addresses: Mapping[bytes, int]) -> list[dict[str, Any]]:
    """Return the rows of a transaction's logs of others; ``key`` names transaction and contract."""
    return [
        key
        | {
            "position": log.index,
            "address_id": addresses[log.address],
            "topics": b"".join(log.topics),
            "data": log.data,
            "data_size": log.data_size,
        }
        for log in item.logs or ()
    ]


def write_codes(connection: sa.Connection, owner: int, codes: Iterable[bytes]) -> None:
    """Note code that ran in a contract's storage."""
    table = schema.contract_code
    code_ids = set(connection.scalars(sa.select(table.c.code_id).where(table.c.contract_id == owner)))
    for code in codes:
        row = code_id(connection, code)
        if row not in code_ids:
            code_ids.add(row)
            connection.execute(table.insert().values(contract_id=owner, code_id=row))


def read_codes(connection: sa.Connection, owner: int) -> tuple[bytes, ...]:
    """Return code that ran in a contract's storage, in order of its bytes."""
    table = schema.contract_code
    query = sa.select(schema.code.c.bytes).join(table, table.c.code_id == schema.code.c.id)
    return tuple(sorted(map(blob, connection.scalars(query.where(table.c.contract_id == owner)))))


class Answers:
    """Answers of the invocations that ``own`` selects, by their rows."""

    def __init__(
        self,
        connection: sa.Connection,
        own: sa.ColumnElement[bool],
        addresses: Mapping[int, Address],
        words: Mapping[int, int],
    ) -> None:
        self._calls: dict[int, list[ExternalCall]] = defaultdict(list)
        self._codes: dict[int, list[FrameCode]] = defaultdict(list)
        self._environment: dict[int, list[EnvironmentAnswer]] = defaultdict(list)
        for row in _rows(connection, schema.external_call, own):
            self._calls[row.invocation_id].append(
                ExternalCall(
                    position=row.position,
                    kind=CallKind(row.kind),
                    to=addresses[row.to_id],
                    value=words[row.value_id],
                    data=row.data,
                    data_size=row.data_size,
                    succeeded=row.succeeded,
                    output=row.output,
                    output_size=row.output_size,
                    undone=row.undone,
                )
            )
        for row in _rows(connection, schema.frame_code, own):
            digest = None if row.hash_id is None else Hash(words[row.hash_id].to_bytes(32, "big"))
            self._codes[row.invocation_id].append(
                FrameCode(position=row.position, address=addresses[row.address_id], hash=digest)
            )
        for row in _rows(connection, schema.environment_answer, own):
            self._environment[row.invocation_id].append(
                EnvironmentAnswer(
                    position=row.position,
                    kind=EnvironmentKind(row.kind),
                    subject=Word(int.from_bytes(row.subject, "big")),
                    value=Word(int.from_bytes(row.value, "big")),
                )
            )

    def calls(self, row: Any) -> tuple[ExternalCall, ...] | None:
        """Return the external calls of an invocation's row."""
        return None if row.external_calls is None else tuple(self._calls[row.id])

    def codes(self, row: Any) -> tuple[FrameCode, ...] | None:
        """Return the code that ran in the invocation of a row."""
        return None if row.frame_codes is None else tuple(self._codes[row.id])

    def environment(self, row: Any) -> tuple[EnvironmentAnswer, ...] | None:
        """Return what the invocation of a row asked."""
        return None if row.environment_answers is None else tuple(self._environment[row.id])


def _rows(connection: sa.Connection, table: sa.Table, own: sa.ColumnElement[bool]) -> sa.CursorResult[Any]:
    calls = schema.invocation
    query = sa.select(table).join(calls, calls.c.id == table.c.invocation_id).where(own)
    return connection.execute(query.order_by(table.c.invocation_id, table.c.place))


def read_logs(
    connection: sa.Connection, owner: int, ids: Sequence[int], addresses: Mapping[int, Address]
) -> dict[int, list[ForeignLog]]:
    """Return logs of other contracts in transactions, by the transactions' rows."""
    table = schema.foreign_log
    query = sa.select(table).where(table.c.contract_id == owner, table.c.transaction_id.in_(ids))
    logs: dict[int, list[ForeignLog]] = defaultdict(list)
    for row in connection.execute(query.order_by(table.c.transaction_id, table.c.position)):
        logs[row.transaction_id].append(
            ForeignLog(
                index=row.position,
                address=addresses[row.address_id],
                topics=tuple(row.topics[at : at + 32] for at in range(0, len(row.topics), 32)),
                data=row.data,
                data_size=row.data_size,
            )
        )
    return logs
