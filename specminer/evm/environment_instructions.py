"""What code asks of its call, its block and other accounts, and KECCAK256."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from specminer._support.keccak import keccak
from specminer.evm.forks import COLD_ACCOUNT, WORD_COPY, WORD_HASH, Fork
from specminer.evm.frame import Frame
from specminer.evm.halts import GasShort
from specminer.evm.memory_instructions import reach, slice_of
from specminer.evm.opcodes import Op
from specminer.evm.program import Handler, Site
from specminer.evm.world import ADDRESS_MASK, Account

_SHORT: Final = 128
"""Bytes: hashes of texts up to this length are remembered, because keys of mappings come again and again."""


@lru_cache(maxsize=1 << 14)
def _hash_of_short(data: bytes) -> int:
    return int.from_bytes(keccak(data), "big")


def hash_word(data: bytes) -> int:
    """Return the KECCAK256 of some bytes as a word."""
    return _hash_of_short(data) if len(data) <= _SHORT else int.from_bytes(keccak(data), "big")


def keccak256(stack: list[int], frame: Frame, argument: Site) -> None:
    """KECCAK256."""
    offset, size = stack[-1], stack[-2]
    reach(frame, offset, size, WORD_HASH * ((size + 31) // 32))
    stack.pop()
    stack[-1] = hash_word(bytes(frame.memory[offset : offset + size]))


def warm_up(frame: Frame, address: int) -> Account:
    """Return an account that code asks about, and charge if it is cold."""
    run = frame.run
    if run.fork.access_lists and address not in run.warm:
        gas = frame.gas - COLD_ACCOUNT
        if gas < 0:
            raise GasShort
        frame.gas = gas
        run.world.add(run.warm, address)
    return run.world.account(address)


def balance(stack: list[int], frame: Frame, argument: Site) -> None:
    """BALANCE."""
    stack[-1] = warm_up(frame, stack[-1] & ADDRESS_MASK).balance


def extcodesize(stack: list[int], frame: Frame, argument: Site) -> None:
    """EXTCODESIZE."""
    stack[-1] = len(warm_up(frame, stack[-1] & ADDRESS_MASK).code)


def extcodehash(stack: list[int], frame: Frame, argument: Site) -> None:
    """EXTCODEHASH; zero for an account that is empty or does not exist."""
    account = warm_up(frame, stack[-1] & ADDRESS_MASK)
    stack[-1] = 0 if account.empty else hash_word(account.code)


def extcodecopy(stack: list[int], frame: Frame, argument: Site) -> None:
    """EXTCODECOPY."""
    address, target, source, size = stack[-1] & ADDRESS_MASK, stack[-2], stack[-3], stack[-4]
    run = frame.run
    cold = run.fork.access_lists and address not in run.warm
    reach(frame, target, size, WORD_COPY * ((size + 31) // 32) + (COLD_ACCOUNT if cold else 0))
    if cold:
        run.world.add(run.warm, address)
    del stack[-4:]
    if size:
        frame.memory[target : target + size] = slice_of(run.world.account(address).code, source, size)


def calldataload(stack: list[int], frame: Frame, argument: Any) -> None:
    """CALLDATALOAD."""
    offset = stack[-1]
    part = frame.data[offset : offset + 32] if offset < len(frame.data) else b""
    value = int.from_bytes(part, "big")
    stack[-1] = value if len(part) == 32 else value << 8 * (32 - len(part))


def address(stack: list[int], frame: Frame, argument: Any) -> None:
    """ADDRESS."""
    stack.append(frame.address)


def origin(stack: list[int], frame: Frame, argument: Any) -> None:
    """ORIGIN."""
    stack.append(frame.run.origin)


def caller(stack: list[int], frame: Frame, argument: Any) -> None:
    """CALLER."""
    stack.append(frame.caller)


def callvalue(stack: list[int], frame: Frame, argument: Any) -> None:
    """CALLVALUE."""
    stack.append(frame.value)


def calldatasize(stack: list[int], frame: Frame, argument: Any) -> None:
    """CALLDATASIZE."""
    stack.append(len(frame.data))


def codesize(stack: list[int], frame: Frame, argument: Any) -> None:
    """CODESIZE."""
    stack.append(len(frame.code))


def gasprice(stack: list[int], frame: Frame, argument: Any) -> None:
    """GASPRICE."""
    stack.append(frame.run.gas_price)


def returndatasize(stack: list[int], frame: Frame, argument: Any) -> None:
    """RETURNDATASIZE."""
    stack.append(len(frame.answer))


def blockhash(stack: list[int], frame: Frame, argument: Any) -> None:
    """BLOCKHASH of one of the last 256 blocks."""
    number, current = stack[-1], frame.run.block.number
    stack[-1] = frame.run.block.hashes(number) if number < current <= number + 256 else 0


def coinbase(stack: list[int], frame: Frame, argument: Any) -> None:
    """COINBASE."""
    stack.append(frame.run.block.coinbase)


def timestamp(stack: list[int], frame: Frame, argument: Any) -> None:
    """TIMESTAMP."""
    stack.append(frame.run.block.timestamp)


def number(stack: list[int], frame: Frame, argument: Any) -> None:
    """Push the block's number: NUMBER."""
    stack.append(frame.run.block.number)


def prevrandao(stack: list[int], frame: Frame, argument: Any) -> None:
    """PREVRANDAO, or DIFFICULTY."""
    stack.append(frame.run.block.randomness)


def gaslimit(stack: list[int], frame: Frame, argument: Any) -> None:
    """GASLIMIT."""
    stack.append(frame.run.block.gas_limit)


def chainid(stack: list[int], frame: Frame, argument: Any) -> None:
    """CHAINID."""
    stack.append(frame.run.block.chain_id)


def selfbalance(stack: list[int], frame: Frame, argument: Any) -> None:
    """SELFBALANCE."""
    stack.append(frame.account.balance)


def basefee(stack: list[int], frame: Frame, argument: Any) -> None:
    """BASEFEE."""
    stack.append(frame.run.block.base_fee)


def blobhash(stack: list[int], frame: Frame, argument: Any) -> None:
    """BLOBHASH."""
    index, hashes = stack[-1], frame.run.blob_hashes
    stack[-1] = hashes[index] if index < len(hashes) else 0


def blobbasefee(stack: list[int], frame: Frame, argument: Any) -> None:
    """BLOBBASEFEE."""
    run = frame.run
    stack.append(blob_price(run.fork, run.block.excess_blob_gas))


@lru_cache(maxsize=256)
def blob_price(fork: Fork, excess: int) -> int:
    """Return what a unit of blob gas costs: e to the power of excess over the fork's fraction (EIP-4844)."""
    index, total, term = 1, 0, fork.blob_fraction
    while term > 0:
        total += term
        term = term * excess // (fork.blob_fraction * index)
        index += 1
    return total // fork.blob_fraction


def gas(stack: list[int], frame: Frame, argument: Site) -> None:
    """GAS: the block has paid in advance for what stands behind it."""
    stack.append(frame.gas + argument.prepaid_gas)


def exp(stack: list[int], frame: Frame, argument: Site) -> None:
    """EXP."""
    power = stack[-2]
    left = frame.gas - frame.run.fork.exponent_byte * ((power.bit_length() + 7) // 8)
    if left < 0:
        raise GasShort
    frame.gas = left
    stack[-2] = pow(stack[-1], power, 1 << 256)
    stack.pop()


HANDLERS: Final[dict[int, Handler]] = {
    Op.EXP: exp,
    Op.KECCAK256: keccak256,
    Op.ADDRESS: address,
    Op.BALANCE: balance,
    Op.ORIGIN: origin,
    Op.CALLER: caller,
    Op.CALLVALUE: callvalue,
    Op.CALLDATALOAD: calldataload,
    Op.CALLDATASIZE: calldatasize,
    Op.CODESIZE: codesize,
    Op.GASPRICE: gasprice,
    Op.EXTCODESIZE: extcodesize,
    Op.EXTCODECOPY: extcodecopy,
    Op.RETURNDATASIZE: returndatasize,
    Op.EXTCODEHASH: extcodehash,
    Op.BLOCKHASH: blockhash,
    Op.COINBASE: coinbase,
    Op.TIMESTAMP: timestamp,
    Op.NUMBER: number,
    Op.PREVRANDAO: prevrandao,
    Op.GASLIMIT: gaslimit,
    Op.CHAINID: chainid,
    Op.SELFBALANCE: selfbalance,
    Op.BASEFEE: basefee,
    Op.BLOBHASH: blobhash,
    Op.BLOBBASEFEE: blobbasefee,
    Op.GAS: gas,
}
LOCATED: Final = frozenset(
    {Op.EXP, Op.KECCAK256, Op.BALANCE, Op.EXTCODESIZE, Op.EXTCODECOPY, Op.EXTCODEHASH, Op.GAS}
)
"""Opcodes that may run out of gas, or ask for it, and so have to know where they are."""
