"""Random worlds of programs that call and create each other, for comparing two machines.

Code is made of snippets that mostly find what they need on the stack, so that programs get far; some lines are
plain random bytes. Everything follows from the seed.
"""

from __future__ import annotations

import random
from typing import Final

from specminer.evm.forks import FORKS
from specminer.evm.frame import BlockContext
from specminer.evm.opcodes import Op
from specminer.evm.transaction_execution import Authorization, EvmTransaction
from tests.support.reference import Given, Scenario

SENDER: Final = 0xA11CE << 100
COINBASE: Final = 0xC01 << 120
CONTRACTS: Final = tuple(0xC0DE0000 + number << 80 for number in range(5))
STRANGER: Final = 0x5712A << 90
RICH: Final = 1 << 90
_WORDS: Final = (
    0,
    1,
    2,
    3,
    31,
    32,
    33,
    64,
    255,
    256,
    1 << 128,
    (1 << 160) - 1,
    1 << 255,
    (1 << 255) - 1,
    (1 << 256) - 1,
)
_UNARY: Final = (Op.ISZERO, Op.NOT, Op.CALLDATALOAD, Op.BLOCKHASH)
_BINARY: Final = (
    *(
        Op.ADD,
        Op.MUL,
        Op.SUB,
        Op.DIV,
        Op.SDIV,
        Op.MOD,
        Op.SMOD,
        Op.EXP,
        Op.SIGNEXTEND,
        Op.LT,
        Op.GT,
        Op.SLT,
        Op.SGT,
    ),
    *(Op.EQ, Op.AND, Op.OR, Op.XOR, Op.BYTE),
)
_ASKING: Final = (
    *(
        Op.ADDRESS,
        Op.ORIGIN,
        Op.CALLER,
        Op.CALLVALUE,
        Op.CALLDATASIZE,
        Op.CODESIZE,
        Op.GASPRICE,
        Op.COINBASE,
        Op.GAS,
    ),
    *(Op.TIMESTAMP, Op.NUMBER, Op.PREVRANDAO, Op.GASLIMIT, Op.PC, Op.MSIZE),
)
_SINCE: Final = (
    (Op.SHL, "constantinople"),
    (Op.SHR, "constantinople"),
    (Op.SAR, "constantinople"),
    (Op.CLZ, "osaka"),
    (Op.CHAINID, "istanbul"),
    (Op.SELFBALANCE, "istanbul"),
    (Op.BASEFEE, "london"),
    (Op.BLOBBASEFEE, "cancun"),
    (Op.RETURNDATASIZE, "byzantium"),
)


def push(value: int) -> bytes:
    """Return the shortest PUSH of a word; PUSH1 for zero."""
    size = max(1, (value.bit_length() + 7) // 8)
    return bytes([Op.PUSH0 + size]) + value.to_bytes(size, "big")


class Writer:
    """Writes one program."""

    def __init__(self, draw: random.Random, fork: str, depth: int = 0, *, asks_gas: bool = True) -> None:
        self.draw = draw
        self.fork = FORKS[fork]
        self.code = bytearray()
        self.height = 0
        self.asks_gas = asks_gas
        """Whether programs look at the gas that is left."""
        self.depth = depth
        """How many creations this program's text stands in."""

    def word(self) -> int:
        """Return a word that is likely to matter."""
        pick = self.draw.random()
        if pick < 0.4:
            return self.draw.choice(_WORDS)
        if pick < 0.7:
            return self.draw.randrange(300)
        return self.draw.getrandbits(self.draw.choice((8, 16, 64, 160, 256)))

    def offset(self) -> int:
        """Return a place in memory: mostly small, seldom far away, very seldom out of reach."""
        pick = self.draw.random()
        if pick < 0.93:
            return self.draw.choice((0, 0, 1, 31, 32, 64, 100, 200))
        return (
            self.draw.randrange(40_000)
            if pick < 0.985
            else self.draw.choice((1 << 40, 1 << 255, (1 << 256) - 1))
        )

    def size(self) -> int:
        """Return a number of bytes."""
        pick = self.draw.random()
        if pick < 0.95:
            return self.draw.choice((0, 1, 4, 20, 32, 33, 64, 96, 128, 192, 213))
        return self.draw.randrange(3_000) if pick < 0.985 else self.draw.choice((1 << 33, (1 << 256) - 1))

    def address(self) -> int:
        """Return an account: a contract, a precompiled one, the sender, one that does not exist."""
        pick = self.draw.random()
        if pick < 0.55:
            return self.draw.choice(CONTRACTS)
        if pick < 0.8:
            return self.draw.choice((1, 2, 3, 4, 5, 9, 6, 0x100))
        extra = self.draw.getrandbits(96) << 160 if self.draw.random() < 0.1 else 0
        return extra | self.draw.choice((SENDER, STRANGER, COINBASE, 0, 0xDEAD, self.draw.getrandbits(160)))

    def gas(self) -> int:
        """Return what to give to a call."""
        return self.draw.choice((0, 100, 700, 2_300, 5_000, 20_000, 30_000, 60_000, 1 << 60, (1 << 256) - 1))

    def value(self) -> int:
        """Return ether for a call, mostly none."""
        return self.draw.choice((0, 0, 0, 1, 5, 1_000, RICH * 2))

    def slot(self) -> int:
        """Return a storage slot."""
        return self.draw.choice((0, 0, 1, 2, 3, (1 << 256) - 1))

    def emit(self, *parts: int | bytes) -> None:
        """Append opcodes, and bytes as they are."""
        for part in parts:
            self.code += part if isinstance(part, bytes) else bytes([part])

    def take(self, *values: int) -> None:
        """Push values so that the first is on top; now and then one is what happens to be on the stack."""
        for value in reversed(values):
            if self.height and self.draw.random() < 0.06:
                self.emit(Op.DUP1 + self.draw.randrange(min(self.height, 16)))
            else:
                self.emit(push(value))
            self.height += 1

    def done(self, opcode: int, takes: int, gives: int) -> None:
        """Append an opcode whose operands were pushed."""
        self.emit(opcode)
        self.height += gives - takes

    def snippet(self) -> None:
        """Append something meaningful."""
        kind = self.draw.choices(
            (
                self.compute,
                self.ask,
                self.remember,
                self.store,
                self.shuffle,
                self.inquire,
                self.write_log,
                self.copy,
            ),
            (20, 6, 12, 14, 8, 4, 3, 6),
        )[0]
        pick = self.draw.random()
        if pick < 0.72:
            kind()
        elif pick < 0.85:
            self.call()
        elif pick < 0.89:
            self.create()
        elif pick < 0.95:
            self.branch()
        elif pick < 0.97:
            self.transient()
        else:
            self.end()

    def compute(self) -> None:
        """Append arithmetic."""
        pick = self.draw.random()
        if pick < 0.15:
            self.take(self.word())
            self.done(self.draw.choice(_UNARY), 1, 1)
        elif pick < 0.8:
            self.take(self.word(), self.word())
            self.done(self.draw.choice(_BINARY), 2, 1)
        elif pick < 0.9:
            self.take(self.word(), self.word(), self.word())
            self.done(self.draw.choice((Op.ADDMOD, Op.MULMOD)), 3, 1)
        else:
            opcode, since = self.draw.choice(_SINCE)
            if self.fork.number >= FORKS[since].number or self.draw.random() < 0.05:
                takes = {Op.SHL: 2, Op.SHR: 2, Op.SAR: 2, Op.CLZ: 1}.get(opcode, 0)
                self.take(*(self.word() if number else self.draw.randrange(300) for number in range(takes)))
                self.done(opcode, takes, 1)

    def ask(self) -> None:
        """Append a question about the call or the block."""
        opcode = self.draw.choice(_ASKING)
        self.done(opcode if self.asks_gas or opcode != Op.GAS else Op.CALLER, 0, 1)

    def remember(self) -> None:
        """Append work on memory."""
        pick = self.draw.random()
        if pick < 0.5:
            self.take(self.offset(), self.word())
            self.done(self.draw.choice((Op.MSTORE, Op.MSTORE, Op.MSTORE8)), 2, 0)
        elif pick < 0.8:
            self.take(self.offset())
            self.done(Op.MLOAD, 1, 1)
        else:
            self.take(self.offset(), self.size())
            self.done(Op.KECCAK256, 2, 1)

    def store(self) -> None:
        """Append work on storage."""
        if self.draw.random() < 0.5:
            self.take(self.slot())
            self.done(Op.SLOAD, 1, 1)
        else:
            self.take(self.slot(), self.draw.choice((0, 0, 1, 2, self.word())))
            self.done(Op.SSTORE, 2, 0)

    def transient(self) -> None:
        """Append work on transient storage."""
        if self.fork.number < FORKS["cancun"].number:
            return
        if self.draw.random() < 0.5:
            self.take(self.slot())
            self.done(Op.TLOAD, 1, 1)
        else:
            self.take(self.slot(), self.word())
            self.done(Op.TSTORE, 2, 0)

    def shuffle(self) -> None:
        """Append what moves words on the stack."""
        if not self.height:
            return
        pick, last = self.draw.random(), min(self.height, 16)
        if pick < 0.4:
            self.done(Op.DUP1 + self.draw.randrange(last), 0, 1)
        elif pick < 0.7 and self.height > 1:
            self.done(Op.SWAP1 + self.draw.randrange(min(self.height - 1, 16)), 0, 0)
        else:
            self.done(Op.POP, 1, 0)

    def inquire(self) -> None:
        """Append a question about an account."""
        choices = [Op.BALANCE, Op.EXTCODESIZE]
        if self.fork.number >= FORKS["constantinople"].number:
            choices.append(Op.EXTCODEHASH)
        self.take(self.address())
        self.done(self.draw.choice(choices), 1, 1)

    def write_log(self) -> None:
        """Append a log."""
        count = self.draw.randrange(5)
        self.take(self.offset(), self.size(), *(self.word() for _ in range(count)))
        self.done(Op.LOG0 + count, 2 + count, 0)

    def copy(self) -> None:
        """Append a copy into memory."""
        choices = [Op.CALLDATACOPY, Op.CODECOPY, Op.EXTCODECOPY]
        if self.fork.number >= FORKS["byzantium"].number:
            choices.append(Op.RETURNDATACOPY)
        if self.fork.number >= FORKS["cancun"].number:
            choices.append(Op.MCOPY)
        opcode = self.draw.choice(choices)
        source = 0 if opcode == Op.RETURNDATACOPY and self.draw.random() < 0.7 else self.offset()
        size = self.draw.choice((0, 1, 32)) if opcode == Op.RETURNDATACOPY else self.size()
        address = (self.address(),) if opcode == Op.EXTCODECOPY else ()
        self.take(*address, self.offset(), source, size)
        self.done(opcode, 3 + len(address), 0)

    def call(self) -> None:
        """Append a call."""
        choices = [Op.CALL, Op.CALL, Op.CALLCODE]
        if self.fork.number >= 1:
            choices.append(Op.DELEGATECALL)
        if self.fork.number >= FORKS["byzantium"].number:
            choices.append(Op.STATICCALL)
        opcode = self.draw.choice(choices)
        value = (self.value(),) if opcode in (Op.CALL, Op.CALLCODE) else ()
        self.take(self.gas(), self.address(), *value, self.offset(), self.size(), self.offset(), self.size())
        self.done(opcode, 6 + len(value), 1)
        if self.draw.random() < 0.5:
            self.take(self.slot())
            self.done(Op.SSTORE, 2, 0)

    def create(self) -> None:
        """Append a creation, mostly of a small program that is in the text."""
        if self.depth >= 2:
            return
        inner = Writer(self.draw, self.fork.name, self.depth + 1, asks_gas=self.asks_gas)
        if self.draw.random() < 0.5:
            inner.write(self.draw.randrange(6))
        result = self.draw.choice((0, 1, 3, 32, 100, 0x6001, 0xC001))
        if self.draw.random() < 0.2:
            inner.take(0, self.draw.choice((0xEF, 0xFE, 0x00)))
            inner.done(Op.MSTORE8, 2, 0)
        inner.take(0, result)
        inner.done(self.draw.choice((Op.RETURN, Op.RETURN, Op.RETURN, Op.REVERT)), 2, 0)
        text = bytes(inner.code)[:480]
        for start in range(0, len(text), 32):
            part = text[start : start + 32].ljust(32, b"\0")
            self.emit(bytes([Op.PUSH32]), part, push(start), Op.MSTORE)
        size = len(text) if self.draw.random() < 0.9 else self.size()
        value = self.draw.choice((0, 0, 1, RICH * 2))
        if self.fork.number >= FORKS["constantinople"].number and self.draw.random() < 0.5:
            self.take(value, 0, size, self.draw.randrange(2))
            self.done(Op.CREATE2, 4, 1)
        else:
            self.take(value, 0, size)
            self.done(Op.CREATE, 3, 1)
        if self.draw.random() < 0.3:
            # call what was created: gas, address, value, input, output
            self.emit(push(0), push(0), push(0), push(0), push(0), Op.DUP1 + 5, push(50_000), Op.CALL)
            self.height += 1

    def branch(self) -> None:
        """Append a conditional jump over some bytes, or one to somewhere."""
        if self.draw.random() < 0.1:
            self.take(self.word(), self.word())
            self.done(Op.JUMPI, 2, 0)
            return
        inner = Writer(self.draw, self.fork.name, self.depth, asks_gas=self.asks_gas)
        inner.height = 0
        for _ in range(self.draw.randrange(4)):
            inner.snippet()
        inner.emit(*[Op.POP] * max(0, inner.height))
        self.take(self.word()) if self.draw.random() < 0.7 else self.done(
            Op.GAS if self.asks_gas else Op.CALLER, 0, 1
        )
        target = len(self.code) + 4 + len(inner.code)
        self.emit(bytes([Op.PUSH1 + 1]), target.to_bytes(2, "big"), Op.JUMPI, bytes(inner.code), Op.JUMPDEST)
        self.height -= 1

    def loop(self) -> None:
        """Append a loop that ends with the gas."""
        start = len(self.code)
        self.emit(Op.JUMPDEST, push(self.slot()), Op.SLOAD, push(1), Op.ADD, push(self.slot()), Op.SSTORE)
        self.emit(push(start) if start < 256 else push(0), Op.GAS, push(9_000), Op.LT, Op.SWAP1, Op.JUMPI)

    def end(self) -> None:
        """Append what ends the program."""
        pick = self.draw.random()
        if pick < 0.4:
            self.take(self.offset(), self.size())
            self.done(Op.RETURN, 2, 0)
        elif pick < 0.6 and self.fork.number >= FORKS["byzantium"].number:
            self.take(self.offset(), self.size())
            self.done(Op.REVERT, 2, 0)
        elif pick < 0.8:
            self.take(self.address())
            self.done(Op.SELFDESTRUCT, 1, 0)
        else:
            self.emit(self.draw.choice((Op.STOP, Op.INVALID, 0x0C, 0xEF, 0x21, Op.JUMP)))

    def write(self, count: int) -> bytes:
        """Write a program of so many snippets, and return it."""
        pick = self.draw.random()
        if pick < 0.04 and self.asks_gas:
            self.emit(self.draw.randbytes(self.draw.randrange(60)))
        elif pick < 0.06:  # more than the stack can hold
            self.emit(Op.JUMPDEST, Op.CALLER, Op.MSIZE, Op.DUP1, push(0), Op.JUMP)
        elif pick < 0.1 and self.asks_gas:
            self.loop()
        for _ in range(count):
            self.snippet()
        if self.height and self.draw.random() < 0.5:
            self.emit(push(0), Op.MSTORE, push(32), push(0), Op.RETURN)
        return bytes(self.code)


def scenario(seed: int, fork: str, *, asks_gas: bool = True) -> Scenario:
    """Return the scenario of a seed under a fork's rules; its programs may look at the gas that is left."""
    draw = random.Random(f"{fork} {seed}")
    rules = FORKS[fork]
    accounts = {SENDER: Given(nonce=draw.choice((0, 1, 7, 200)), balance=RICH), COINBASE: Given(balance=7)}
    for address in CONTRACTS:
        writer = Writer(draw, fork, asks_gas=asks_gas)
        code = writer.write(draw.randrange(1, 24))
        if rules.delegations and draw.random() < 0.1:
            code = b"\xef\x01\x00" + draw.choice((*CONTRACTS, 4, STRANGER)).to_bytes(20, "big")
        accounts[address] = Given(
            nonce=draw.randrange(3),
            balance=draw.choice((0, 1, 5_000, RICH)),
            code=code,
            storage={slot: draw.randrange(1, 4) for slot in (0, 1, 2) if draw.random() < 0.4},
        )
    data = draw.randbytes(draw.choice((0, 0, 4, 36, 68))) + bytes(draw.choice((0, 0, 32)))
    creates = draw.random() < 0.12
    if creates:
        data = Writer(draw, fork, asks_gas=asks_gas).write(draw.randrange(8))
    base = 21_000 + 68 * len(data) + (60_000 if creates else 0)
    gas = base + int(10 ** draw.uniform(2, 6.2))
    return Scenario(
        fork=fork,
        accounts=accounts,
        transaction=EvmTransaction(
            sender=SENDER,
            to=None if creates else draw.choice((*CONTRACTS, CONTRACTS[0], CONTRACTS[0], STRANGER, 2, 5)),
            value=draw.choice((0, 0, 0, 1, 10_000)),
            data=data,
            gas=gas + _listed_gas(rules.access_lists) if rules.access_lists else gas,
            gas_price=draw.choice((0, 1, 10**9)),
            access_list=_access_list(draw) if rules.access_lists and draw.random() < 0.3 else (),
            blob_hashes=(5, 6) if rules.number >= FORKS["cancun"].number and draw.random() < 0.3 else (),
            authorizations=_authorizations(draw)
            if rules.delegations and not creates and draw.random() < 0.15
            else (),
        ),
        block=BlockContext(
            chain_id=draw.choice((1, 1337)),
            number=1_000,
            timestamp=1_700_000_000,
            coinbase=COINBASE,
            base_fee=draw.choice((0, 7)),
            randomness=draw.getrandbits(200),
            excess_blob_gas=draw.choice((0, 50_000_000)),
            hashes=lambda number: number * 7919 % (1 << 256),
        ),
    )


def _listed_gas(listed: bool) -> int:
    return 4 * (2_400 + 3 * 1_900) + 2 * 25_000 if listed else 0


def _access_list(draw: random.Random) -> tuple[tuple[int, tuple[int, ...]], ...]:
    return tuple(
        (address, tuple(slot for slot in (0, 1, (1 << 256) - 1) if draw.random() < 0.5))
        for address in (*CONTRACTS, STRANGER, 0xDEAD)
        if draw.random() < 0.4
    )[:4]


def _authorizations(draw: random.Random) -> tuple[Authorization, ...]:
    """Return authorizations with signatures that nobody made: whom they are from is recovered all the same."""
    return tuple(
        Authorization(
            chain_id=draw.choice((0, 1, 1337)),
            address=draw.choice((*CONTRACTS, 0, 4)),
            nonce=draw.choice((0, 0, 1, (1 << 64) - 1)),
            parity=draw.choice((0, 1, 1, 2)),
            r=draw.getrandbits(draw.choice((255, 256))),
            s=draw.getrandbits(draw.choice((254, 256))),
        )
        for _ in range(draw.choice((1, 2)))
    )
