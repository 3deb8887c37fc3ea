"""Writes a drawn contract as bytecode, with idioms drawn for each place, so that those of no compiler help.

Sums, differences and products that do not fit are rejected without data, as a check of the contract's own.
"""

from __future__ import annotations

import re
from random import Random
from typing import Final

from benchmarks.guard_grammar import (
    Argument,
    Arithmetic,
    Assignment,
    Branch,
    Check,
    Comparison,
    Condition,
    Constant,
    Context,
    Contract,
    Expression,
    Fact,
    Function,
    Junction,
    Length,
    Statement,
    Stored,
    Truth,
    Type,
    Voice,
)
from specminer._support.keccak import keccak
from specminer.evm.opcodes import Op

_WORD: Final = 1 << 256
_PUSH2: Final = Op.PUSH1 + 1
_FAMILY: Final = re.compile(r"(DUP|SWAP)(\d+)")
_FAIL: Final = "fail"
"""The label of a rejection without data."""
_FACTS: Final = {
    Fact.SENDER: "CALLER",
    Fact.VALUE: "CALLVALUE",
    Fact.NOW: "TIMESTAMP",
    Fact.BLOCK: "NUMBER",
    Fact.BALANCE: "SELFBALANCE",
}
_OPERATIONS: Final = {"+": "ADD", "-": "SUB", "*": "MUL"}
_OPPOSITE: Final = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def creation_of(contract: Contract) -> bytes:
    """Return the code that creates a contract."""
    writer = _Writer(contract, Random(f"idioms of {contract.name}"))
    body = writer.runtime()
    initial = _Writer(contract, Random(f"constructor of {contract.name}")).constructor()
    size = len(initial) + 16
    return b"".join(
        (
            initial,
            bytes([_PUSH2]) + len(body).to_bytes(2, "big"),
            bytes([Op.DUP1, _PUSH2]) + size.to_bytes(2, "big"),
            bytes([Op.PUSH0, Op.CODECOPY, Op.PUSH0, Op.RETURN]).ljust(9, b"\0"),
            body,
        )
    )


def _opcode(name: str) -> int:
    family = _FAMILY.fullmatch(name)
    return Op[name] if family is None else Op[f"{family[1]}1"] + int(family[2]) - 1


class _Writer:
    """Bytecode that is being written; jumps are to labels."""

    def __init__(self, contract: Contract, rng: Random) -> None:
        self.contract = contract
        self.rng = rng
        self.parts: list[bytes | str] = []
        self.labels = 0
        self.arguments: tuple[Argument, ...] = ()
        self.memory = rng.choice((0, 0x80, 0x200))
        """Where keys are hashed."""

    # -- opcodes ------------------------------------------------------------------------------------

    def op(self, *names: str) -> _Writer:
        """Append opcodes."""
        self.parts.append(bytes(map(_opcode, names)))
        return self

    def push(self, *values: int) -> _Writer:
        """Append pushes, one after another; negative numbers in two's complement."""
        for value in values:
            word = value % _WORD
            data = word.to_bytes((word.bit_length() + 7) // 8, "big")
            self.parts.append(bytes([Op.PUSH0 + len(data)]) + data)
        return self

    def jump(self, label: str, name: str = "JUMPI") -> _Writer:
        """Append a jump to a label."""
        self.parts += [bytes([_PUSH2]), label, bytes([Op[name]])]
        return self

    def label(self, name: str) -> _Writer:
        """Mark a place that is jumped to."""
        self.parts += [f":{name}", bytes([Op.JUMPDEST])]
        return self

    def fresh(self) -> str:
        """Return a label that is not used yet."""
        self.labels += 1
        return f"place{self.labels}"

    def code(self) -> bytes:
        """Return what was written."""
        places: dict[str, int] = {}
        counter = 0
        for part in self.parts:
            if isinstance(part, str) and part.startswith(":"):
                places[part[1:]] = counter
            else:
                counter += len(part) if isinstance(part, bytes) else 2
        return b"".join(
            part if isinstance(part, bytes) else places[part].to_bytes(2, "big")
            for part in self.parts
            if isinstance(part, bytes) or not part.startswith(":")
        )

    # -- contracts ----------------------------------------------------------------------------------

    def constructor(self) -> bytes:
        """Return what runs once."""
        for item in self.contract.initial:
            self.statement(item)
        end = self.fresh()
        self.jump(end, "JUMP").label(_FAIL).push(0, 0).op("REVERT").label(end)
        return self.code()

    def runtime(self) -> bytes:
        """Return the contract's code."""
        started = self.fresh()
        self.op("CALLDATASIZE").jump(started).op("STOP").label(started)
        functions = list(self.contract.functions)
        self.rng.shuffle(functions)
        labels = [self.fresh() for _ in functions]
        for function, label in zip(functions, labels, strict=True):
            self._chosen(function, label)
        self.push(0, 0).op("REVERT").label(_FAIL).push(0, 0).op("REVERT")
        for function, label in zip(functions, labels, strict=True):
            self.arguments = function.arguments
            self.label(label)
            for item in function.body:
                self.statement(item)
            self.op("STOP")
        return self.code()

    def _chosen(self, function: Function, label: str) -> None:
        """Jump to a function if it is called."""
        self.push(0).op("CALLDATALOAD")
        if self.rng.random() < 0.5:
            self.push(224).op("SHR")
        else:
            self.push(1 << 224).op("SWAP1", "DIV")
        self.push(int.from_bytes(function.selector, "big"))
        if self.rng.random() < 0.7:
            self.op("EQ")
        else:
            self.op(self.rng.choice(("XOR", "SUB")), "ISZERO")
        self.jump(label)

    # -- statements ---------------------------------------------------------------------------------

    def statement(self, item: Statement) -> None:
        """Write a statement."""
        match item:
            case Assignment():
                self._assign(item)
            case Branch():
                otherwise, end = self.fresh(), self.fresh()
                self.condition(item.condition).op("ISZERO").jump(otherwise)
                for part in item.then:
                    self.statement(part)
                self.jump(end, "JUMP").label(otherwise)
                for part in item.otherwise:
                    self.statement(part)
                self.label(end)
            case Check():
                self._check(item)

    def _check(self, check: Check) -> None:
        self.condition(check.condition)
        if check.voice is Voice.NOTHING and self.rng.random() < 0.6:
            self.op("ISZERO").jump(_FAIL)
            return
        passed = self.fresh()
        if self.rng.random() < 0.3:
            self.op("ISZERO", "ISZERO")
        self.jump(passed)
        match check.voice:
            case Voice.ASSERT:
                self.op("INVALID")
            case Voice.NOTHING:
                self.push(0, 0).op("REVERT")
            case Voice.TEXT:
                text = f"refused: {check.number}".encode()
                self.push(0x08C379A0 << 224, 0).op("MSTORE").push(32, 4).op("MSTORE").push(len(text), 36)
                self.op("MSTORE").push(int.from_bytes(text.ljust(32, b"\0"), "big"), 68).op("MSTORE")
                self.push(100, 0).op("REVERT")
            case Voice.ERROR | Voice.ERROR_VALUE:
                selector = keccak(f"Refused{check.number}()".encode())[:4]
                self.push(int.from_bytes(selector, "big") << 224, 0).op("MSTORE").push(4, 0).op("REVERT")
        self.label(passed)

    def _assign(self, item: Assignment) -> None:
        _, kind, place = item.target.variable.fields[item.target.field]
        if kind.bits == 256:
            self.value(item.value)
            self._slot(item.target).op("SSTORE")
            return
        mask = (1 << kind.bits) - 1
        self.value(item.value).push(mask).op("AND").push(place.shift).op("SHL")
        self._slot(item.target).op("SLOAD").push(~(mask << place.shift)).op("AND", "OR")
        self._slot(item.target).op("SSTORE")

    def _slot(self, item: Stored) -> _Writer:
        """Push the slot of a value."""
        variable = item.variable
        self.push(variable.slot)
        for key in item.keys:
            self.push(self.memory + 32).op("MSTORE")
            self.value(key).push(self.memory).op("MSTORE").push(64, self.memory).op("KECCAK256")
        behind = variable.fields[item.field][2].slot
        return self.push(behind).op("ADD") if behind and variable.keys else self

    # -- conditions ---------------------------------------------------------------------------------

    def condition(self, item: Condition) -> _Writer:
        """Push a truth."""
        match item:
            case Truth():
                self.value(item.value)
                return self if item.holds else self.op("ISZERO")
            case Comparison():
                return self._compare(item)
            case Junction():
                if self.rng.random() < 0.3:
                    return self._joined_without_jumps(item)
                end = self.fresh()
                for place, part in enumerate(item.parts):
                    self.condition(part)
                    if place < len(item.parts) - 1:
                        self.op("DUP1", *(["ISZERO"] if item.word == "and" else [])).jump(end).op("POP")
                return self.label(end)

    def _joined_without_jumps(self, item: Junction) -> _Writer:
        for place, part in enumerate(item.parts):
            self.condition(part)
            if place:
                self.op("AND" if item.word == "and" else "OR")
        return self

    def _compare(self, item: Comparison) -> _Writer:
        sign, left, right = item.sign, item.left, item.right
        opposite = self.rng.random() < 0.5
        if opposite:
            sign = _OPPOSITE[sign]
        if sign in ("=", "!="):
            self.value(left).value(right)
            if sign == "=":
                self.op("EQ") if self.rng.random() < 0.5 else self.op("SUB", "ISZERO")
            else:
                self.op("XOR", "ISZERO", "ISZERO") if self.rng.random() < 0.5 else self.op("EQ", "ISZERO")
        else:
            less = "SLT" if left.type.signed else "LT"
            first, second = (left, right) if sign in ("<", ">=") else (right, left)
            if self.rng.random() < 0.5:
                self.value(second).value(first).op(less)
            else:
                self.value(first).value(second).op(less.replace("LT", "GT"))
            if sign in (">=", "<="):
                self.op("ISZERO")
        return self.op("ISZERO") if opposite else self

    # -- values -------------------------------------------------------------------------------------

    def value(self, item: Expression) -> _Writer:
        """Push a value."""
        match item:
            case Constant():
                return self.push(item.value)
            case Argument():
                return self._position(item).op("CALLDATALOAD")
            case Context():
                return self.op(_FACTS[item.fact])
            case Length():
                return self._position(item.argument).op("CALLDATALOAD").push(4).op("ADD", "CALLDATALOAD")
            case Stored():
                self._slot(item).op("SLOAD")
                return self._part(item.type, item.variable.fields[item.field][2].shift)
            case Arithmetic():
                return self._arithmetic(item)

    def _position(self, item: Argument) -> _Writer:
        place = next(row for row, each in enumerate(self.arguments) if each.name == item.name)
        return self.push(4 + 32 * place)

    def _part(self, kind: Type, shift: int) -> _Writer:
        """Replace a word on the stack by some of its bits."""
        if kind.bits == 256:
            return self
        if shift:
            if self.rng.random() < 0.5:
                self.push(shift).op("SHR")
            else:
                self.push(1 << shift).op("SWAP1", "DIV")
        if kind.signed:
            return self.push(kind.bits // 8 - 1).op("SIGNEXTEND")
        return self.push((1 << kind.bits) - 1).op("AND")

    def _arithmetic(self, item: Arithmetic) -> _Writer:
        if item.sign in ("/", "%"):
            signed = "S" if item.type.signed else ""
            self.value(item.right).value(item.left)
            return self.op(f"{signed}{'DIV' if item.sign == '/' else 'MOD'}")
        self.value(item.right).value(item.left)
        if item.type.signed:
            return self._signed(item.sign)
        if item.sign == "+":  # left > not right
            self.op("DUP2", "NOT", "DUP2", "GT").jump(_FAIL)
        elif item.sign == "-":  # left < right
            self.op("DUP2", "DUP2", "LT").jump(_FAIL)
        else:  # right > -1 / left, which is 0 for 0
            fits = self.fresh()
            self.op("DUP1", "ISZERO").jump(fits).op("DUP1").push(-1).op("DIV", "DUP3", "GT").jump(
                _FAIL
            ).label(fits)
        return self.op(_OPERATIONS[item.sign])

    def _signed(self, sign: str) -> _Writer:
        """Add or subtract, or fail if the sign of the result is neither operand's."""
        self.op("DUP2", "DUP2", _OPERATIONS[sign])  # right left result
        self.op("DUP1", "DUP3", "XOR")  # right left result (result ^ left)
        if sign == "+":
            self.op("DUP4", "DUP3", "XOR", "AND")  # ... & (right ^ result)
        else:
            self.op("DUP4", "DUP4", "XOR", "AND")  # ... & (right ^ left)
        self.push(0).op("SGT").jump(_FAIL)
        return self.op("SWAP2", "POP", "POP")
