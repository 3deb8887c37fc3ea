"""The default opcode logger as a fallback: structLogs, one entry an executed opcode.

Call frames are rebuilt from the stack before each call and the depth after it. The depth decides what an entry is, not
the texts beside it, because clients write an ``error`` at calls that go on. Steps that contradict each other (a depth
that rises without a call, a frame that goes on behind its end) are refuted, and so are those of another transaction:
the outermost frame shows its caller, value and calldata where the code looks at them. What a slot held before it was
overwritten unread is not shown; the value is left open. A hundred times the traffic of the JavaScript tracer.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from specminer._support.errors import InvalidNodeResponse
from specminer.history.answer_log import UNKNOWN_SIZE, is_precompiled
from specminer.history.trace import NO_ADDRESS, WORD_LIMIT, Address
from specminer.history.tracer_steps import (
    SELFDESTRUCT,
    Enter,
    Exit,
    HashStep,
    LogStep,
    QuestionStep,
    Read,
    Step,
    Write,
)
from specminer.sources.node import octets, quantity
from specminer.sources.opcode_names import NAMES, QUESTIONS, name_of
from specminer.sources.precompiled_answers import precompiled_answer
from specminer.sources.trace_matching import Envelope

_CALLS = {"CALL": 7, "CALLCODE": 7, "DELEGATECALL": 6, "STATICCALL": 6}
_CREATES = ("CREATE", "CREATE2")
_RETURNS = ("RETURN", "STOP", "SELFDESTRUCT")
_ENDS = (*_RETURNS, "REVERT", "INVALID")
_LONGEST_MEMORY = 1 << 20
_QUESTIONS_BY_NAME = {NAMES[opcode]: question for opcode, question in QUESTIONS.items()}

CODE_DEPOSIT = 200
"""Gas for each byte of code that a creation leaves (yellow paper, G_codedeposit)."""

OPTIONS: dict[str, Any] = {"enableMemory": True, "disableStorage": True, "enableReturnData": False}
"""Options of debug_traceTransaction."""


class _Log:
    """One entry, read with care: clients write numbers as JSON numbers, in hexadecimal and in decimal."""

    __slots__ = ("cost", "depth", "error", "gas", "memory", "op", "stack")

    def __init__(self, entry: Any, row: int) -> None:
        if not isinstance(entry, dict) or not isinstance(entry.get("stack"), list):
            raise InvalidNodeResponse(f"structLogs entry {row} has no stack")
        self.op = name_of(entry.get("op"))
        depth = _number(entry.get("depth"))
        if depth is None:
            raise InvalidNodeResponse(f"structLogs entry {row} has no depth")
        self.depth = depth
        self.gas = _number(entry.get("gas"))
        """Gas left before the opcode; ``None`` where it cannot be told."""
        self.cost = _number(entry.get("gasCost"))
        self.stack: list[Any] = entry["stack"]
        self.memory: Any = entry.get("memory")
        self.error: str | None = str(entry["error"]) if entry.get("error") else None

    def peek(self, depth: int) -> int:
        if depth >= len(self.stack):
            return 0  # a stack underflow: the frame faults here
        value = self.stack[-1 - depth]
        if type(value) is int and 0 <= value < WORD_LIMIT:
            return value
        if value in ("", "0x"):
            return 0
        return quantity(value if value.startswith("0x") else "0x" + value, "a stack entry")

    def slice(self, start: int, size: int) -> bytes:
        """Bytes of memory before the opcode; what it has yet to expand is zero."""
        if size == 0 or size > _LONGEST_MEMORY:
            return b""
        words = self.memory if isinstance(self.memory, list) else []
        first, last = start // 32, (start + size + 31) // 32
        text = "".join(str(word).removeprefix("0x").zfill(64) for word in words[first:last])
        return octets("0x" + text, "memory")[start - first * 32 :][:size].ljust(size, b"\0")

    @property
    def gas_after(self) -> int | None:
        """Gas left behind the opcode, where gas and cost are plausible."""
        if self.gas is None or self.cost is None or self.cost > self.gas:
            return self.gas
        return self.gas - self.cost


def _number(value: Any) -> int | None:
    """Return a number that a counter can hold; ``None`` for what is none (negative, or 2^64 - n)."""
    if isinstance(value, str):
        try:
            value = int(value, 16 if value[:2].lower() == "0x" else 10) if len(value) <= 66 else None
        except ValueError:
            return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value < 1 << 63 else None


def decode(answer: Any, envelope: Envelope, contracts: Sequence[Address]) -> list[Step]:
    """Translate the answer into steps.

    Raises:
        InvalidNodeResponse: no entries although a traced contract must have run, entries that are malformed or
            contradict each other, or entries of another transaction.

    """
    entries = answer.get("structLogs") if isinstance(answer, dict) else None
    target = envelope.to or envelope.created or NO_ADDRESS
    kind = "CALL" if envelope.to else "CREATE"
    first = Enter(kind, envelope.sender, target, envelope.gas, envelope.value, envelope.data)
    succeeded = envelope.succeeded is not False
    if entries == [] and first.to not in contracts and envelope.gas_used in _intrinsic(first.data):
        return [first, Exit(envelope.gas_used, b"", None if succeeded else "call failed")]  # no code ran
    if not isinstance(entries, list) or not entries:
        raise InvalidNodeResponse("the node returned no structLogs (some nodes need a flag to record them)")
    if isinstance(answer.get("failed"), bool) and answer["failed"] == succeeded:
        raise InvalidNodeResponse("structLogs ended otherwise than the receipt says")
    logs = [_Log(entry, row) for row, entry in enumerate(entries)]
    _check_memory(logs)
    walk = _Walk(envelope, first, frozenset(contracts), _created_addresses(logs), logs[0].depth)
    for row, log in enumerate(logs):
        walk.log(row, log, logs[row + 1] if row + 1 < len(logs) else None)
    return walk.finish(answer, logs[-1], succeeded)


def gas_of(answer: Any) -> int | None:
    """Return the gas that a transaction used, as its structLogs say; ``None`` if they do not."""
    return _number(answer.get("gas")) if isinstance(answer, dict) else None


def _shown_size(size: int) -> int | None:
    """Return whether memory of this size is shown whole, as steps say it."""
    return UNKNOWN_SIZE if size > _LONGEST_MEMORY else None


def _address(word: int) -> Address:
    return Address((word % (1 << 160)).to_bytes(20, "big"))


def _intrinsic(data: bytes) -> set[int]:
    """Return what a transaction costs in which no code runs (EIP-2028, before it, and EIP-7623)."""
    zeros = data.count(0)
    others = len(data) - zeros
    return {21_000 + 4 * zeros + price * others for price in (16, 68)} | {21_000 + 10 * zeros + 40 * others}


def _check_memory(logs: Sequence[_Log]) -> None:
    """Refuse logs without memory: calldata, preimages and events would silently be zeros.

    Raises:
        InvalidNodeResponse: memory was written, and is not shown.

    """
    for log, following in pairwise(logs):
        if log.op in ("MSTORE", "MSTORE8") and following.depth == log.depth:
            if not isinstance(following.memory, list) or not following.memory:
                raise InvalidNodeResponse("the node returned structLogs without memory")
            return


def _created_addresses(logs: Sequence[_Log]) -> dict[int, Address]:
    """Return for each row that enters a creation the address it created; zero if it failed."""
    addresses: dict[int, Address] = {}
    open_rows: list[int] = []
    for row, log in enumerate(logs):
        while open_rows and log.depth <= logs[open_rows[-1]].depth:
            addresses[open_rows.pop()] = _address(log.peek(0))
        if log.op in _CREATES and row + 1 < len(logs) and logs[row + 1].depth > log.depth:
            open_rows.append(row)
    return addresses | dict.fromkeys(open_rows, NO_ADDRESS)


class _Walk:
    """Keeps the stack of owners while the entries pass by."""

    def __init__(
        self,
        envelope: Envelope,
        first: Enter,
        contracts: frozenset[Address],
        created: dict[int, Address],
        base: int,
    ) -> None:
        self.envelope = envelope
        self.contracts = contracts
        self.created = created
        self.base = base
        """The depth of the outermost frame: 1 in geth, 0 in some clients."""
        self.steps: list[Step] = [first]
        self.owners = [first.to]
        self.gas_at_entry = [first.gas]
        self.kinds = [first.kind]
        self.last_output = b""
        self.last_size: int | None = None

    def log(self, row: int, log: _Log, following: _Log | None) -> None:
        owner = self.owners[-1]
        watched = owner in self.contracts
        inside = following is not None and following.depth > log.depth
        goes_on = following is not None and following.depth >= log.depth
        self._check(log, following)
        if goes_on and log.error and not (log.op in _CALLS or log.op in _CREATES):
            raise InvalidNodeResponse("structLogs contradict themselves: a frame goes on behind an error")
        if not goes_on:
            answers = log.op in ("RETURN", "REVERT")
            self.last_output = log.slice(log.peek(0), log.peek(1)) if answers else b""
            self.last_size = _shown_size(log.peek(1)) if answers else None
        if following is not None and goes_on:
            if len(self.owners) == 1 and not inside:
                self._compare(log, following)
            if watched:
                self._observe(log, following, owner)
        if log.op in _CALLS and goes_on:
            self._call(log, following, inside)
        elif inside and following is not None and row in self.created:
            code = log.slice(log.peek(1), log.peek(2))
            code_size = _shown_size(log.peek(2))
            self._open(
                Enter(log.op, owner, self.created[row], following.gas or 0, log.peek(0), code, code_size)
            )
        elif log.op in _CREATES and watched and following is not None and goes_on:
            # it failed before it ran (too little ether, or the address was taken), or has no code to run
            code, created = log.slice(log.peek(1), log.peek(2)), _address(following.peek(0))
            self.steps.append(Enter(log.op, owner, created, 0, log.peek(0), code, _shown_size(log.peek(2))))
            self.steps.append(Exit(0, b"", "creation failed" if created == NO_ADDRESS else None))
        elif log.op == "SELFDESTRUCT" and watched and log.error is None:
            to = _address(log.peek(0))
            self.steps += (Enter(SELFDESTRUCT, owner, to, 0, None, b""), Exit(0, b"", None))
        if following is not None and not goes_on:
            self._leave(log, following)

    def _check(self, log: _Log, following: _Log | None) -> None:
        """Refuse steps that contradict each other.

        Raises:
            InvalidNodeResponse: they do.

        """
        wrong = ""
        if log.depth - self.base != len(self.owners) - 1:
            wrong = "the depth changes without a call"
        elif following is not None:
            rise = following.depth - log.depth
            if rise > 1 or (rise == 1 and log.op not in _CALLS and log.op not in _CREATES):
                wrong = "the depth rises without a call"
            elif rise >= 0 and log.op in _ENDS:
                wrong = "a frame goes on behind its end"
            elif following.depth < self.base:
                wrong = "more frames end than began"
        if wrong:
            raise InvalidNodeResponse(f"structLogs contradict themselves: {wrong}")

    def _compare(self, log: _Log, following: _Log) -> None:
        """Compare what the outermost frame sees of the transaction with the transaction.

        Raises:
            InvalidNodeResponse: the trace is of another one.

        """
        expected: int | None = None
        data = self.envelope.data if self.envelope.to else b""
        if log.op == "CALLER":
            expected = int.from_bytes(self.envelope.sender, "big")
        elif log.op == "CALLVALUE":
            expected = self.envelope.value
        elif log.op == "ADDRESS":
            expected = int.from_bytes(self.owners[0], "big")
        elif log.op == "CALLDATASIZE":
            expected = len(data)
        elif log.op == "CALLDATALOAD":
            start = log.peek(0)
            part = data[start : start + 32] if start < len(data) else b""
            expected = int.from_bytes(part.ljust(32, b"\0"), "big")
        if expected is not None and following.peek(0) != expected:
            raise InvalidNodeResponse(
                f"the trace of {self.envelope.name} is of another transaction ({log.op} differs)"
            )

    def _observe(self, log: _Log, following: _Log, owner: Address) -> None:
        if log.op == "SLOAD" and following.depth == log.depth:
            self.steps.append(Read(owner, log.peek(0), following.peek(0)))
        elif log.op in _QUESTIONS_BY_NAME and following.depth == log.depth:
            kind, takes = _QUESTIONS_BY_NAME[log.op]
            self.steps.append(QuestionStep(owner, kind, log.peek(0) if takes else 0, following.peek(0)))
        elif log.op == "SSTORE":
            self.steps.append(Write(owner, log.peek(0), None, log.peek(1)))
        elif log.op == "KECCAK256" and log.peek(1):
            self.steps.append(HashStep(owner, log.slice(log.peek(0), log.peek(1))))
        elif log.op.startswith("LOG"):
            topics = tuple(log.peek(2 + i).to_bytes(32, "big") for i in range(int(log.op[3:])))
            self.steps.append(LogStep(owner, topics, log.slice(log.peek(0), log.peek(1))))

    def _complete(self, log: _Log) -> None:
        """Take in what the last entry of a frame did that returned behind it: some clients do not show the last STOP.

        Raises:
            InvalidNodeResponse: what it did cannot be told.

        """
        if log.op in _ENDS or log.error is not None or self.owners[-1] not in self.contracts:
            return
        if log.op in _CALLS or log.op in _CREATES or log.op == "SLOAD" or log.op in _QUESTIONS_BY_NAME:
            raise InvalidNodeResponse("structLogs do not show how a call's last step ended")
        self._observe(log, log, self.owners[-1])

    def _call(self, log: _Log, following: _Log | None, inside: bool) -> None:
        to = _address(log.peek(1))
        has_value = _CALLS[log.op] == 7
        start, size = (log.peek(3), log.peek(4)) if has_value else (log.peek(2), log.peek(3))
        gas = (following.gas or 0) if inside and following is not None else 0
        value = log.peek(2) if has_value else 0
        data = log.slice(start, size)
        watched = self.owners[-1] in self.contracts
        self._open(Enter(log.op, self.owners[-1], to, gas, value, data, _shown_size(size)))
        if not inside:  # no code there: a plain account or a precompiled contract
            worked = following is not None and following.peek(0) != 0
            answer: bytes | None = b""
            if worked and following is not None and is_precompiled(to):
                answer = (
                    _precompiled_answer(log, following, to, data) if watched and size == len(data) else None
                )
            output_size = UNKNOWN_SIZE if answer is None else None
            self._close(Exit(0, answer or b"", None if worked else "call failed", output_size))

    def _open(self, enter: Enter) -> None:
        delegated = enter.kind in ("DELEGATECALL", "CALLCODE")
        self.steps.append(enter)
        self.owners.append(self.owners[-1] if delegated else enter.to)
        self.gas_at_entry.append(enter.gas)
        self.kinds.append(enter.kind)

    def _close(self, step: Exit) -> None:
        self.steps.append(step)
        self.owners.pop()
        self.gas_at_entry.pop()
        self.kinds.pop()

    def _leave(self, log: _Log, following: _Log) -> None:
        """Close the frames that end between two entries: one, or more where clients do not show the last STOP."""
        ended = log.depth - following.depth
        if following.peek(0) != 0 and ended == 1:
            self._complete(log)
        for index in range(ended):
            innermost, outermost = index == 0, index == ended - 1
            worked = following.peek(0) != 0 if outermost else not innermost or log.op in _RETURNS
            creates = self.kinds[-1] in _CREATES
            if innermost and (
                (worked and log.op in ("REVERT", "INVALID"))
                or (not worked and log.op in _RETURNS and not creates and log.error is None)
            ):
                raise InvalidNodeResponse(
                    "structLogs contradict themselves: a call ends otherwise than its last step says"
                )
            self._end(log, worked=worked, innermost=innermost)

    def _end(self, log: _Log, *, worked: bool, innermost: bool) -> None:
        gas = self.gas_at_entry[-1]
        output, size = (self.last_output, self.last_size) if innermost else (b"", None)
        left = log.gas_after if innermost else gas
        used = gas if left is None else min(max(gas - left, 0), gas)
        if worked:
            deposit = CODE_DEPOSIT * len(output) if self.kinds[-1] in _CREATES else 0
            self._close(Exit(used + deposit, output, None, size))
        elif innermost and _is_reverted(log):
            self._close(Exit(used, output, _fault(log), size))
        else:  # an exceptional halt takes all the gas the frame had
            self._close(Exit(gas, b"", _fault(log)))

    def finish(self, answer: dict[str, Any], last: _Log, succeeded: bool) -> list[Step]:
        """Close the outermost frame with what the receipt says of it."""
        if len(self.owners) != 1:
            raise InvalidNodeResponse("structLogs end inside a call")
        if succeeded and last.op in ("REVERT", "INVALID"):
            raise InvalidNodeResponse("structLogs ended otherwise than the receipt says")
        if not succeeded and last.op in ("STOP", "SELFDESTRUCT") and last.error is None:
            raise InvalidNodeResponse("structLogs ended otherwise than the receipt says")
        if succeeded:
            self._complete(last)
        output = str(answer.get("returnValue") or "0x")
        data = octets(output if output.startswith("0x") else f"0x{output}", "returnValue")
        # some clients leave it out: it stands in memory at the last step
        self.steps.append(
            Exit(self.envelope.gas_used, data or self.last_output, None if succeeded else _fault(last))
        )
        return self.steps


def _precompiled_answer(log: _Log, following: _Log, to: Address, data: bytes) -> bytes | None:
    """Return what a precompiled contract answered; ``None`` if that cannot be told."""
    first = 5 if _CALLS[log.op] == 7 else 4
    start, size = log.peek(first), log.peek(first + 1)
    if size > _LONGEST_MEMORY:
        return None
    return precompiled_answer(to, data, log.slice(start, size), following.slice(start, size))


def _is_reverted(log: _Log) -> bool:
    return log.op == "REVERT" and (log.error is None or "revert" in log.error.lower())


def _fault(log: _Log) -> str:
    """Name what went wrong in a frame from its last entry."""
    if _is_reverted(log):
        return "execution reverted"
    if log.error:
        return log.error
    return "invalid opcode" if log.op == "INVALID" else "out of gas"
