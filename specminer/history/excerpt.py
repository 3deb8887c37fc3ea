"""A history of some of the invocations of another."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np

from specminer._support.texts import Texts
from specminer.history.contract_history import MISSING, AnswerColumns, History, IntColumn, TransferColumns


def excerpt(history: History, rows: IntColumn, transactions: IntColumn | None = None) -> History:
    """Return what a history holds of some of its invocations.

    Args:
        history: the whole.
        rows: the invocations, ascending; those around each that is among them should be, too.
        transactions: theirs, ascending; the others are left out. ``None``: all stay.

    """
    if transactions is None:
        transactions = np.arange(len(history.transaction_hash))
    position = positions(rows, len(history))
    transaction = positions(transactions, len(history.transaction_hash))
    columns = _columns(
        history,
        {
            "transaction": transactions,
            "invocation": rows,
            "access": np.flatnonzero(position[history.access_invocation] != MISSING),
            "payment": np.flatnonzero(position[history.payment_invocation] != MISSING),
        },
    )
    parent = columns["invocation_parent"]
    columns |= {
        "invocation_transaction": transaction[columns["invocation_transaction"]],
        "invocation_parent": np.where(parent == MISSING, MISSING, position[np.maximum(parent, 0)]),
        "access_invocation": position[columns["access_invocation"]].astype(np.int32),
        "payment_invocation": position[columns["payment_invocation"]],
    }
    answers = history.answers
    if answers is not None:
        columns["answers"] = _answers(answers, rows, transactions, position)
    if history.transfers is not None:
        columns["transfers"] = _transfers(history.transfers, transactions, transaction)
    return replace(history, **columns)


def positions(rows: IntColumn, count: int) -> IntColumn:
    """Return for each of ``count`` rows its position among some; ``MISSING`` if it is none of them."""
    position = np.full(count, MISSING, dtype=np.int64)
    position[rows] = np.arange(len(rows))
    return position


def _columns(whole: History | AnswerColumns, rows_of_group: dict[str, IntColumn]) -> dict[str, Any]:
    """Return the chosen rows of the columns whose names begin with a group, by name."""
    columns: dict[str, Any] = {}
    for item in fields(whole):
        rows = rows_of_group.get(item.name.partition("_")[0])
        if rows is not None:
            column = getattr(whole, item.name)
            if isinstance(column, Texts):
                columns[item.name] = column.take(rows)
            elif isinstance(column, np.ndarray):
                columns[item.name] = column[rows]
            else:
                columns[item.name] = tuple(column[row] for row in rows.tolist())
    return columns


def _answers(
    answers: AnswerColumns, rows: IntColumn, transactions: IntColumn, position: IntColumn
) -> AnswerColumns:
    """Return what some invocations heard from others; ``position`` is that of each invocation among them."""
    columns = _columns(
        answers,
        {
            "transaction": transactions,
            "invocation": rows,
            "call": np.flatnonzero(position[answers.call_invocation] != MISSING),
            "environment": np.flatnonzero(position[answers.environment_invocation] != MISSING),
        },
    )
    for name in ("call_invocation", "environment_invocation"):
        columns[name] = position[columns[name]].astype(np.int32)
    return replace(answers, **columns)


def _transfers(transfers: TransferColumns, transactions: IntColumn, position: IntColumn) -> TransferColumns:
    """Return the token flows of some transactions; ``position`` is that of each transaction among them."""
    rows = np.flatnonzero(position[transfers.transaction] != MISSING)
    columns = {
        item.name: getattr(transfers, item.name)[rows]
        for item in fields(transfers)
        if item.name not in ("recorded", "parties")
    }
    columns["transaction"] = position[columns["transaction"]].astype(np.int32)
    return replace(transfers, recorded=transfers.recorded[transactions], **columns)
