"""The columns of a history that sources are read from, for any of its calls."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from specminer._support.texts import read_windows, sizes_of
from specminer.decision.feeds import Feed
from specminer.decision.vectors import Value, Vector
from specminer.evm.frame import FrameKind
from specminer.history.contract_history import CALLS, ENVIRONMENT, MISSING, BoolColumn, History, RowColumn
from specminer.history.trace import EnvironmentKind
from specminer.history.words import to_integers
from specminer.shadow.arena import MASK

_GAS = ENVIRONMENT.index(EnvironmentKind.GAS)
_OPCODES = np.array([int(FrameKind[kind.name]) for kind in CALLS], dtype=object)
_Positions = npt.NDArray[np.int64]


def objects(values: Sequence[int]) -> Vector:
    """Return integers as an array of objects."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


class CallColumns:
    """Reads sources of calls; where one is not known, its value is 0 and the call is told."""

    def __init__(self, history: History) -> None:
        """Prepare; words and addresses are held as objects once."""
        self._history = history
        self.words = objects(history.words)
        self._addresses = objects([int.from_bytes(address, "big") for address in history.addresses])
        self._contracts = objects([int.from_bytes(record.address, "big") for record in history.contracts])
        self._chains = objects([record.chain_id for record in history.contracts])
        self._answer_words: dict[int, Vector] = {}
        answers = history.answers
        rows = np.zeros(0, dtype=np.int64)
        self._environment_values = objects([])
        if answers is not None:
            rows = np.flatnonzero(answers.environment_kind != _GAS)
            self._environment_values = objects(to_integers(answers.environment_value[rows]))
        none = np.zeros(0, dtype=np.int32)
        self._environment_invocations = none if answers is None else answers.environment_invocation[rows]
        self._call_invocations = none if answers is None else answers.call_invocation

    def column(self, feed: Feed, rows: RowColumn) -> tuple[Vector, BoolColumn]:
        """Return a source of calls, and of which of them it is known; shape (r,) each.

        Args:
            feed: the source.
            rows: the invocations, ``r``.

        """
        if feed.kind == "calldata":
            return self._calldata(feed.number, rows), np.ones(len(rows), dtype=np.bool_)
        if feed.kind == "access":
            return self._access_column(self._history.access_after, feed.number, rows)
        if feed.kind == "told":
            positions, is_recorded = _entries(self._environment_invocations, feed.number, rows)
            return _take(self._environment_values, positions, is_recorded), is_recorded
        if feed.kind in ("answer", "answer_size", "success", "created"):
            return self._answer_column(feed, rows)
        if feed.kind in ("slot", "call_kind", "call_to", "call_value"):
            return self._effect_column(feed, rows)
        if feed.kind in ("base_fee", "beneficiary", "gas_limit", "randomness"):
            return self._of_block(feed.kind, rows)
        return self._of_call(feed.kind, rows)

    def _calldata(self, offset: int, rows: RowColumn) -> Vector:
        words = read_windows(self._history.invocation_data, rows, offset, 32)
        return objects(to_integers(words.reshape(-1).view("S32")))

    def calldata_at(self, offsets: Value, added: int, rows: RowColumn) -> Vector:
        """Return words of the calldata at offsets that differ from call to call, with something added; shape (r,)."""
        data = self._history.invocation_data
        bases = offsets.tolist() if isinstance(offsets, np.ndarray) else [offsets] * len(rows)
        words = []
        for row, base in zip(rows.tolist(), bases, strict=True):
            offset = (base + added) & MASK
            text = data[row][offset : offset + 32] if offset < len(data[row]) else b""
            words.append(int.from_bytes(text.ljust(32, b"\0"), "big"))
        return objects(words)

    def access_slot(self, number: int, rows: RowColumn) -> tuple[Vector, BoolColumn]:
        """Return the slot of an access, the first one having number 0."""
        return self._access_column(self._history.access_slot, number, rows)

    def _access_column(self, column: RowColumn, number: int, rows: RowColumn) -> tuple[Vector, BoolColumn]:
        positions, is_recorded = _entries(self._history.access_invocation, number, rows)
        word = (
            np.where(is_recorded, column[np.where(is_recorded, positions, 0)], MISSING)
            if len(column)
            else positions * 0 - 1
        )
        is_recorded = word != MISSING
        return _take(self.words, word, is_recorded), is_recorded

    def _answer_column(self, feed: Feed, rows: RowColumn) -> tuple[Vector, BoolColumn]:
        answers = self._history.answers
        positions, is_recorded = _entries(self._call_invocations, feed.number, rows)
        if answers is None or not len(self._call_invocations):
            return objects([0] * len(rows)), np.zeros(len(rows), dtype=np.bool_)
        at = np.where(is_recorded, positions, 0)
        if feed.kind == "success":
            return answers.call_succeeded[at].astype(object), is_recorded
        if feed.kind == "created":
            addresses = self._addresses[answers.call_to[at]] * answers.call_succeeded[at].astype(object)
            return addresses, is_recorded
        is_recorded &= answers.call_output_size[at] != MISSING
        if feed.kind == "answer_size":
            return answers.call_output_size[at].astype(object), is_recorded
        words = self._answer_words.get(feed.start)
        if words is None:
            end = feed.start + 32
            words = self._answer_words[feed.start] = objects(
                [int.from_bytes(text[feed.start : end].ljust(32, b"\0"), "big") for text in answers.outputs]
            )
        return words[answers.call_output[at]], is_recorded

    def _effect_column(self, feed: Feed, rows: RowColumn) -> tuple[Vector, BoolColumn]:
        """Return the slot of an access, or what a call of another contract was, by its opcode, address or ether."""
        if feed.kind == "slot":
            return self.access_slot(feed.number, rows)
        answers = self._history.answers
        if answers is None or not len(self._call_invocations):
            return objects([0] * len(rows)), np.zeros(len(rows), dtype=np.bool_)
        positions, is_recorded = _entries(self._call_invocations, feed.number, rows)
        at = np.where(is_recorded, positions, 0)
        if feed.kind == "call_to":
            return self._addresses[answers.call_to[at]], is_recorded
        if feed.kind == "call_value":
            return self.words[answers.call_value[at]], is_recorded
        return _OPCODES[answers.call_kind[at]], is_recorded

    def asks_nothing(self, rows: RowColumn) -> BoolColumn:
        """Return of which calls no question about accounts is recorded; shape (r,)."""
        invocations = rows.astype(self._environment_invocations.dtype)
        end = np.searchsorted(self._environment_invocations, invocations, side="right")
        return np.equal(np.searchsorted(self._environment_invocations, invocations), end)

    def _of_block(self, kind: str, rows: RowColumn) -> tuple[Vector, BoolColumn]:
        history, blocks = self._history, self._history.blocks
        nothing = objects([0] * len(rows)), np.zeros(len(rows), dtype=np.bool_)
        if blocks is None or not len(blocks.number):
            return nothing
        number = history.transaction_block[history.invocation_transaction[rows]]
        at = np.minimum(np.searchsorted(blocks.number, number), len(blocks.number) - 1)
        is_recorded = blocks.number[at] == number
        if kind == "gas_limit":
            return blocks.gas_limit[at].astype(object), is_recorded & (blocks.gas_limit[at] != MISSING)
        if kind == "beneficiary":
            beneficiaries = objects([int.from_bytes(item, "big") for item in blocks.beneficiaries])
            is_recorded &= blocks.beneficiary[at] != MISSING
            return _take(beneficiaries, blocks.beneficiary[at].astype(np.int64), is_recorded), is_recorded
        words, has = (
            (blocks.base_fee, blocks.has_base_fee)
            if kind == "base_fee"
            else (blocks.randomness, blocks.has_randomness)
        )
        return objects(to_integers(words[at])), is_recorded & has[at]

    def _of_call(self, kind: str, rows: RowColumn) -> tuple[Vector, BoolColumn]:
        history = self._history
        transaction, contract = history.invocation_transaction[rows], history.invocation_contract[rows]
        is_recorded = np.ones(len(rows), dtype=np.bool_)
        if kind == "data_size":
            return sizes_of(history.invocation_data)[rows].astype(object), is_recorded
        if kind == "sender":
            return self._addresses[history.invocation_sender[rows]], is_recorded
        if kind == "origin":
            return self._addresses[history.transaction_origin[transaction]], is_recorded
        if kind == "value":
            return self.words[history.invocation_value[rows]], is_recorded
        if kind == "this":
            return self._contracts[contract], is_recorded
        if kind == "chain":
            return self._chains[contract], is_recorded
        if kind == "block":
            return history.transaction_block[transaction].astype(object), is_recorded
        assert kind == "time", kind
        time = history.transaction_time[transaction]
        return time.astype(object), time != MISSING


def _entries(ascending: RowColumn, number: int, rows: RowColumn) -> tuple[_Positions, BoolColumn]:
    """Return where the numbered entry of each invocation stands, and whether it has so many."""
    invocations = rows.astype(ascending.dtype)
    positions = np.searchsorted(ascending, invocations) + number
    return positions, positions < np.searchsorted(ascending, invocations, side="right")


def _take(values: Vector, positions: _Positions, is_recorded: BoolColumn) -> Vector:
    """Return values at positions; 0 where none is recorded."""
    if not len(values):
        return objects([0] * len(positions))
    taken_values: Vector = values[np.where(is_recorded, positions, 0)]
    taken_values[~is_recorded] = 0
    return taken_values
