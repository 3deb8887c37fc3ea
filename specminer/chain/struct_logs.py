"""The default opcode logger as a fallback: structLogs, one entry an executed opcode.

Call frames are rebuilt from the stack before each call and the depth after it. What a slot held before
it was overwritten unread is not shown; the value is left open. A hundred times the traffic of the
JavaScript tracer.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from specminer.chain.node import octets, quantity
from specminer.chain.steps import SELFDESTRUCT, Enter, Exit, Hashed, Logged, Read, Step, Write
from specminer.errors import NodeLied
from specminer.trace import NO_ADDRESS, Address

_CALLS = {"CALL": 7, "CALLCODE": 7, "DELEGATECALL": 6, "STATICCALL": 6}
_CREATES = ("CREATE", "CREATE2")
_ENDS = ("RETURN", "REVERT", "STOP", "SELFDESTRUCT", "INVALID")

CODE_DEPOSIT = 200
"""Gas for each byte of code that a creation leaves (yellow paper, G_codedeposit)."""

OPTIONS: dict[str, Any] = {"enableMemory": True, "disableStorage": True, "enableReturnData": False}
"""Options of debug_traceTransaction."""


class _Log:
    """One entry, read with care."""

    def __init__(self, entry: Any, row: int) -> None:
        if not isinstance(entry, dict) or not isinstance(entry.get("stack"), list):
            raise NodeLied(f"structLogs entry {row} has no stack")
        self.op: str = str(entry.get("op"))
        self.depth = int(entry.get("depth", 0))
        self.gas = int(entry.get("gas", 0))
        """Gas left before the opcode."""
        self.cost = int(entry.get("gasCost", 0))
        self.stack: list[str] = entry["stack"]
        self.memory: Any = entry.get("memory")
        self.error: str | None = str(entry["error"]) if entry.get("error") else None

    def peek(self, depth: int) -> int:
        if depth >= len(self.stack):
            return 0  # a stack underflow: the frame faults here
        value = self.stack[-1 - depth]
        return quantity(value if value.startswith("0x") else "0x" + value, "a stack entry")

    def slice(self, start: int, size: int) -> bytes:
        """Bytes of memory before the opcode; what it has yet to expand is zero."""
        if size == 0 or size > 1 << 20:
            return b""
        words = self.memory if isinstance(self.memory, list) else []
        first, last = start // 32, (start + size + 31) // 32
        text = "".join(str(word).removeprefix("0x").zfill(64) for word in words[first:last])
        return octets("0x" + text, "memory")[start - first * 32 :][:size].ljust(size, b"\0")


def decode(
    answer: Any, first: Enter, succeeded: bool, gas_used: int, contracts: Sequence[Address]
) -> list[Step]:
    """Translate the answer into steps; ``first`` is the outermost frame, known from the transaction.

    Raises:
        NodeLied: no entries although a traced contract must have run, or malformed entries.

    """
    entries = answer.get("structLogs") if isinstance(answer, dict) else None
    if entries == [] and first.to not in contracts and gas_used in _intrinsic(first.data):
        return [first, Exit(gas_used, b"", None if succeeded else "call failed")]  # no code ran
    if not isinstance(entries, list) or not entries:
        raise NodeLied("the node returned no structLogs (some nodes need a flag to record them)")
    if isinstance(answer.get("failed"), bool) and answer["failed"] == succeeded:
        raise NodeLied("structLogs ended otherwise than the receipt says")
    logs = [_Log(entry, row) for row, entry in enumerate(entries)]
    _check_memory(logs)
    walk = _Walk(first, frozenset(contracts), _created(logs))
    for row, log in enumerate(logs):
        walk.log(row, log, logs[row + 1] if row + 1 < len(logs) else None)
    return walk.finish(answer, None if succeeded else _fault(logs[-1]), gas_used)


def _intrinsic(data: bytes) -> set[int]:
    """Return what a transaction costs in which no code runs (EIP-2028, before it, and EIP-7623)."""
    zeros = data.count(0)
    others = len(data) - zeros
    return {21_000 + 4 * zeros + price * others for price in (16, 68)} | {21_000 + 10 * zeros + 40 * others}


def _check_memory(logs: Sequence[_Log]) -> None:
    """Refuse logs without memory: calldata, preimages and events would silently be zeros.

    Raises:
        NodeLied: memory was written, and is not shown.

    """
    for log, following in pairwise(logs):
        if log.op in ("MSTORE", "MSTORE8") and following.depth == log.depth and log.error is None:
            if not isinstance(following.memory, list) or not following.memory:
                raise NodeLied("the node returned structLogs without memory")
            return


def _created(logs: Sequence[_Log]) -> dict[int, Address]:
    """Return for each row that enters a creation the address it created; zero if it failed."""
    found: dict[int, Address] = {}
    open_rows: list[int] = []
    for row, log in enumerate(logs):
        while open_rows and log.depth <= logs[open_rows[-1]].depth:
            found[open_rows.pop()] = Address((log.peek(0) % (1 << 160)).to_bytes(20, "big"))
        if log.op in _CREATES and row + 1 < len(logs) and logs[row + 1].depth > log.depth:
            open_rows.append(row)
    return found | dict.fromkeys(open_rows, NO_ADDRESS)


class _Walk:
    """Keeps the stack of owners while the entries pass by."""

    def __init__(self, first: Enter, contracts: frozenset[Address], created: dict[int, Address]) -> None:
        self.contracts = contracts
        self.created = created
        self.steps: list[Step] = [first]
        self.owners = [first.to]
        self.gas_at_entry = [first.gas]
        self.creates = [first.kind in _CREATES]
        self.last_output = b""

    def log(self, row: int, log: _Log, following: _Log | None) -> None:
        owner = self.owners[-1]
        watched = owner in self.contracts
        inside = following is not None and following.depth > log.depth
        if log.op in _ENDS or log.error:
            self.last_output = log.slice(log.peek(0), log.peek(1)) if log.op in ("RETURN", "REVERT") else b""
        if watched and log.error is None and following is not None:
            self._observe(log, following, owner)
        if log.op in _CALLS and log.error is None:
            self._call(log, following, inside)
        elif inside and following is not None and row in self.created:
            code = log.slice(log.peek(1), log.peek(2))
            self._open(Enter(log.op, owner, self.created[row], following.gas, log.peek(0), code))
        elif log.op in _CREATES and watched and log.error is None and log.peek(0):
            # it failed before it ran: too little ether, or the address was taken
            self.steps.append(Enter(log.op, owner, NO_ADDRESS, 0, log.peek(0), b""))
            self.steps.append(Exit(0, b"", "creation failed"))
        elif log.op == "SELFDESTRUCT" and watched and log.error is None:
            to = Address((log.peek(0) % (1 << 160)).to_bytes(20, "big"))
            self.steps += (Enter(SELFDESTRUCT, owner, to, 0, None, b""), Exit(0, b"", None))
        if following is None or following.depth < log.depth:
            self._leave(log, following)

    def _observe(self, log: _Log, following: _Log, owner: Address) -> None:
        if log.op == "SLOAD" and following.depth == log.depth:
            self.steps.append(Read(owner, log.peek(0), following.peek(0)))
        elif log.op == "SSTORE":
            self.steps.append(Write(owner, log.peek(0), None, log.peek(1)))
        elif log.op in ("KECCAK256", "SHA3") and log.peek(1):
            self.steps.append(Hashed(owner, log.slice(log.peek(0), log.peek(1))))
        elif log.op.startswith("LOG") and log.op[3:].isdigit():
            topics = tuple(log.peek(2 + i).to_bytes(32, "big") for i in range(int(log.op[3:])))
            self.steps.append(Logged(owner, topics, log.slice(log.peek(0), log.peek(1))))

    def _call(self, log: _Log, following: _Log | None, inside: bool) -> None:
        to = Address((log.peek(1) % (1 << 160)).to_bytes(20, "big"))
        has_value = _CALLS[log.op] == 7
        start, size = (log.peek(3), log.peek(4)) if has_value else (log.peek(2), log.peek(3))
        gas = following.gas if inside and following is not None else 0
        value = log.peek(2) if has_value else 0
        self._open(Enter(log.op, self.owners[-1], to, gas, value, log.slice(start, size)))
        if not inside:  # no code there: a plain account or a precompiled contract
            worked = following is not None and following.depth == log.depth and following.peek(0) != 0
            self._close(Exit(0, b"", None if worked else "call failed"))

    def _open(self, enter: Enter) -> None:
        delegated = enter.kind in ("DELEGATECALL", "CALLCODE")
        self.steps.append(enter)
        self.owners.append(self.owners[-1] if delegated else enter.to)
        self.gas_at_entry.append(enter.gas)
        self.creates.append(enter.kind in _CREATES)

    def _close(self, step: Exit) -> None:
        self.steps.append(step)
        self.owners.pop()
        self.gas_at_entry.pop()
        self.creates.pop()

    def _leave(self, log: _Log, following: _Log | None) -> None:
        if following is None or len(self.owners) == 1:
            return  # the outermost frame is closed by finish()
        if following.peek(0) != 0:
            used = self.gas_at_entry[-1] - log.gas + log.cost
            deposit = CODE_DEPOSIT * len(self.last_output) if self.creates[-1] else 0
            self._close(Exit(max(used + deposit, 0), self.last_output, None))
        elif log.op == "REVERT":
            self._close(Exit(self.gas_at_entry[-1] - log.gas + log.cost, self.last_output, _fault(log)))
        else:  # an exceptional halt takes all the gas the frame had
            self._close(Exit(self.gas_at_entry[-1], b"", _fault(log)))

    def finish(self, answer: dict[str, Any], error: str | None, gas_used: int) -> list[Step]:
        """Close the outermost frame with what the receipt says of it."""
        if len(self.owners) != 1:
            raise NodeLied("structLogs end inside a call")
        output = str(answer.get("returnValue") or "0x")
        data = octets(output if output.startswith("0x") else f"0x{output}", "returnValue")
        self.steps.append(Exit(gas_used, data, error))
        return self.steps


def _fault(log: _Log) -> str:
    """Name what went wrong in a frame from its last entry."""
    if log.error:
        return log.error
    if log.op == "REVERT":
        return "execution reverted"
    return "invalid opcode" if log.op == "INVALID" or "not defined" in log.op else "out of gas"
