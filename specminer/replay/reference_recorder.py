"""From what happens in the machine to the steps that every tracer reports.

The machine tells of each opcode before and after it. A frame is seen when its first event comes, and has ended
when an event of a frame around it comes; what an opcode would have done, had it not halted its frame, is never
reported, because it counts only once it is over. Frames that run no code (a plain transfer) count as well.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from specminer._support.keccak import keccak
from specminer._support.nesting import usual_recursion
from specminer.history.answer_log import UNKNOWN_SIZE
from specminer.history.trace import NO_ADDRESS, Address, Hash
from specminer.history.tracer_steps import (
    MAX_PREIMAGE,
    SELFDESTRUCT,
    Enter,
    Exit,
    HashStep,
    LogStep,
    Read,
    Step,
    Write,
)

with usual_recursion():
    from ethereum.trace import EvmStop, OpEnd, OpException, OpStart, PrecompileStart, TransactionEnd

_KINDS: Final = {
    0xF0: "CREATE",
    0xF1: "CALL",
    0xF2: "CALLCODE",
    0xF4: "DELEGATECALL",
    0xF5: "CREATE2",
    0xFA: "STATICCALL",
}
_ERRORS: Final = {
    "Revert": "execution reverted",
    "OutOfGasError": "out of gas",
    "InvalidOpcode": "invalid opcode",
}
_PRECOMPILES: Final = 0x1FF
"""The highest address that a precompiled contract may have."""
_SLOAD, _SSTORE, _KECCAK, _SELFDESTRUCT = 0x54, 0x55, 0x20, 0xFF
_CALL, _CREATES = 0xF1, frozenset({0xF0, 0xF5})
_UNKNOWN: Final = {
    0x31: "BALANCE",
    0x3B: "EXTCODESIZE",
    0x3C: "EXTCODECOPY",
    0x3F: "EXTCODEHASH",
    0x40: "BLOCKHASH",
    0x41: "COINBASE",
    0x44: "DIFFICULTY or PREVRANDAO",
    0x45: "GASLIMIT",
    0x48: "BASEFEE",
    0x49: "BLOBHASH",
    0x4A: "BLOBBASEFEE",
}
"""Opcodes that ask for what an export does not tell."""
_BALANCE, _SELFBALANCE, _EXTCODESIZE, _EXTCODEHASH = 0x31, 0x47, 0x3B, 0x3F
_ABOUT_ACCOUNTS: Final = frozenset({_BALANCE, _EXTCODESIZE, 0x3C, _EXTCODEHASH})
_WATCHED: Final = frozenset(
    {_SLOAD, _SSTORE, _KECCAK, _CALL, *_CREATES, _SELFDESTRUCT, *range(0xA0, 0xA5), _SELFBALANCE, *_UNKNOWN}
)


_STEP: Final = 200
"""Bytes of memory that a step takes, apart from its data."""
_BLAKE2: Final = 0x09
_EFFORT: Final = {
    0x07: (96, 6_000, 1_000),
    0x08: (192, 34_000, 60_000),
    0x0C: (160, 6_000, 1_000),
    0x0E: (288, 11_000, 10_000),
    0x0F: (384, 32_600, 120_000),
    0x10: (64, 5_500, 1_000),
    0x11: (128, 23_800, 30_000),
    0x100: (160, 3_450, 5_000),
}
"""Precompiled contracts of elliptic curves: so many bytes of input cost at least so much gas and take as long as so
many opcodes. They are written in Python here: their gas says little of their time. The rest is quick for its gas."""
_ROUND: Final = 50
"""Opcodes that take as long as one round of BLAKE2, whose gas is 1."""


class StepLimit(Exception):
    """The transaction took more opcodes, or its record more memory, than it was allowed to."""


class ReferenceRecorder:
    """Listens to the machine during one transaction; :attr:`steps` has what happened."""

    def __init__(
        self,
        storage: Callable[[Any, int], int],
        balance: Callable[[Any], int],
        contracts: frozenset[Address],
        limit: int,
        room: int,
    ) -> None:
        """Record storage, hashes and logs of ``contracts`` only; stop after ``limit`` opcodes or ``room`` bytes.

        ``storage`` and ``balance`` tell what the contract whose frame they are given holds.
        """
        self.steps: list[Step] = []
        self.unrecorded_opcodes: dict[str, None] = {}
        """What was asked for that an export does not tell."""
        self.strangers: dict[Address, None] = {}
        """Accounts without code that were called with calldata: contracts that are not at hand."""
        self.own_balance = False
        """Whether a recorded contract asked for its own balance, or paid out all of it."""
        self.measured_accounts: dict[Address, None] = {}
        """Accounts that were asked for the size or the hash of their code."""
        self._storage = storage
        self._balance = balance
        self._contracts = contracts
        self._remaining = limit
        self.room = room
        """Bytes that are left."""
        self._frames: list[Any] = []
        self._is_own = False
        self._op = 0
        self._pending: Step | None = None

    def __call__(self, evm: Any, event: Any) -> None:
        """Take in an event of the frame ``evm``, as :class:`ethereum.trace.EvmTracer` says."""
        kind = type(event)
        if kind is OpStart:
            if not self._frames or evm is not self._frames[-1]:
                self._turn_to(evm)
            self._remaining -= 1
            if self._remaining < 0:
                raise StepLimit
            op = event.op.value
            self._op = op
            if self._is_own and op in _WATCHED:
                self._prepare(evm, op)
        elif kind is OpEnd:
            if self._pending is not None:
                self._settle(evm)
        elif kind is OpException:
            self._pending = None
            if not self._frames or evm is not self._frames[-1]:
                self._turn_to(evm)
        elif kind is EvmStop or kind is PrecompileStart:
            if not self._frames or evm is not self._frames[-1]:
                self._turn_to(evm)
            if kind is PrecompileStart:
                self._remaining -= _effort(
                    int.from_bytes(event.address, "big"), evm.message.data, int(evm.gas_left)
                )
                if self._remaining < 0:
                    raise StepLimit
        elif kind is TransactionEnd:
            while self._frames:
                self._leave()

    def _turn_to(self, evm: Any) -> None:
        """Leave the frames that have ended and enter the one that has begun."""
        self._pending = None
        while self._frames and self._frames[-1] is not evm:
            if evm.message.parent_evm is self._frames[-1]:
                break
            self._leave()
        if not self._frames or self._frames[-1] is not evm:
            self._enter(evm)
        self._is_own = Address(bytes(evm.message.current_target)) in self._contracts

    def _enter(self, evm: Any) -> None:
        message = evm.message
        created = message.code_address is None
        kind = _KINDS.get(self._op, "CALL") if self._frames else "CREATE" if created else "CALL"
        sender, to = Address(bytes(message.caller)), Address(bytes(message.current_target))
        if kind in ("DELEGATECALL", "CALLCODE"):
            sender, to = (
                Address(bytes(self._frames[-1].message.current_target)),
                Address(bytes(message.code_address)),
            )
        data = bytes(message.code if created else message.data)
        if data and not created and not len(message.code) and int.from_bytes(to, "big") > _PRECOMPILES:
            self.strangers[to] = None
        is_recorded = not created and Address(bytes(message.current_target)) in self._contracts
        code = _hash_of(bytes(message.code)) if is_recorded else None
        enter = Enter(kind, sender, to, int(message.gas), int(message.value), data, code=code)
        self._add(enter, len(data))
        self._frames.append(evm)

    def _leave(self) -> None:
        evm = self._frames.pop()
        gas_used = int(evm.message.gas) - int(evm.gas_left)
        output = bytes(evm.output)
        self._add(Exit(gas_used, output, error_text(evm.error)), len(output))

    def _add(self, step: Step, size: int = 0) -> None:
        self.room -= _STEP + size
        if self.room < 0:
            raise StepLimit
        self.steps.append(step)

    def _prepare(self, evm: Any, op: int) -> None:
        """Note what an opcode is about to do; it counts when the opcode is over."""
        if op in _UNKNOWN or op == _SELFBALANCE:
            self._ask(evm, op)
            return
        stack, owner = evm.stack, Address(bytes(evm.message.current_target))
        if op == _CALL or op in _CREATES:
            self._pending = _unpaid(owner, op, stack)
            return
        operands = 1 if op in (_SLOAD, _SELFDESTRUCT) else 2 if op in (_SSTORE, _KECCAK) else op - 0xA0 + 2
        if len(stack) < operands:
            return  # the opcode is about to fail
        first = int(stack[-1])
        if op == _SLOAD:
            self._pending = Read(owner, first, 0)
        elif op == _SSTORE:
            before = self._storage(evm, first)
            self._pending = Write(owner, first, before, int(stack[-2]))
        elif op == _SELFDESTRUCT:
            self.own_balance = True
            self._pending = Enter(SELFDESTRUCT, owner, _address(first), 0, self._balance(evm), b"")
        elif op == _KECCAK:
            length = int(stack[-2])
            if 0 < length <= MAX_PREIMAGE and first + length <= len(evm.memory):
                self._pending = HashStep(owner, bytes(evm.memory[first : first + length]))
        else:
            length = int(stack[-2])
            inside = length > 0 and first + length <= len(evm.memory)
            data = bytes(evm.memory[first : first + length]) if inside else b""
            topics = tuple(int(stack[-3 - row]).to_bytes(32, "big") for row in range(op - 0xA0))
            self._pending = LogStep(owner, topics, data)

    def _ask(self, evm: Any, op: int) -> None:
        """Note a question that an export does not answer, unless it is about a recorded contract."""
        if op == _SELFBALANCE:
            self.own_balance = True
            return
        about = op in _ABOUT_ACCOUNTS and evm.stack and int(evm.stack[-1]) & ((1 << 160) - 1)
        if about and Address(about.to_bytes(20, "big")) in self._contracts:
            self.own_balance |= op == _BALANCE
            return
        if op in (_EXTCODESIZE, _EXTCODEHASH):
            self.measured_accounts[Address(int(about).to_bytes(20, "big"))] = None
        self.unrecorded_opcodes[_UNKNOWN[op]] = None

    def _settle(self, evm: Any) -> None:
        done, self._pending = self._pending, None
        if type(done) is Read:
            done = Read(done.owner, done.slot, int(evm.stack[-1]))
        if done is not None:
            self._add(done, len(done.data) if isinstance(done, HashStep | LogStep) else 0)
        if type(done) is Enter:
            self._add(Exit(0, b"", None if done.kind == SELFDESTRUCT else "too little ether or too deep"))


@lru_cache(maxsize=1 << 8)
def _hash_of(code: bytes) -> Hash:
    return Hash(keccak(code))


def _address(word: int) -> Address:
    return Address((word & ((1 << 160) - 1)).to_bytes(20, "big"))


def _unpaid(owner: Address, op: int, stack: Any) -> Enter | None:
    """Return the frame that a call with ether opens, in case that it never does: then it has failed at once."""
    depth = 2 if op == _CALL else 0
    value = int(stack[-1 - depth]) if len(stack) > depth else 0
    if not value:
        return None
    to = _address(int(stack[-2])) if op == _CALL else NO_ADDRESS
    return Enter(_KINDS[op], owner, to, 0, value, b"", UNKNOWN_SIZE)


def _effort(precompiled: int, data: bytes, gas: int) -> int:
    """Return the opcodes that take as long as a precompiled contract, as far as the gas pays for it."""
    if precompiled == _BLAKE2:
        return min(int.from_bytes(data[:4], "big"), gas) * _ROUND
    size, price, steps = _EFFORT.get(precompiled, (1, 1, 0))
    return min(-(-len(data) // size), gas // price) * steps


def error_text(error: Any) -> str | None:
    """Return how a frame ended in the words that nodes use; ``None`` if it returned."""
    if error is None:
        return None
    return _ERRORS.get(type(error).__name__, type(error).__name__)
