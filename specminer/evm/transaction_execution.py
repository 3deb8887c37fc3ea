"""Whole transactions in a world: what they cost before they run, the outermost frame, refunds and fees.

Whether a transaction is one that a block may hold (its nonce, its signature, what the sender can afford) is not
checked here: it is on the chain already. System calls at the beginning of a block (EIP-4788, EIP-2935) and
withdrawals are not made either: the contracts behind them answer what the world holds of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from specminer._support.creation_addresses import creation_address, encode_bytes, encode_integer, encode_list
from specminer._support.keccak import keccak
from specminer.evm.call_instructions import delegate_of
from specminer.evm.calling import enter_call, enter_creation
from specminer.evm.environment_instructions import blob_price
from specminer.evm.forks import Fork
from specminer.evm.frame import BlockContext, Frame, FrameKind, FrameObserver, Log, TransactionRun
from specminer.evm.halts import Halt, LimitReached
from specminer.evm.instruction_sets import instruction_set
from specminer.evm.interpreter import run_frames
from specminer.evm.opcodes import Op
from specminer.evm.precompiles import precompiles_of
from specminer.evm.signature_recovery import SECP256K1, recover
from specminer.evm.world import ADDRESS_MASK, World

MAX_STEPS: Final = 20_000_000
"""Opcodes, and what takes as long; a full block of today takes about as many."""
BASE_COST: Final = 21_000
AUTHORIZATION: Final = 25_000
AUTHORIZATION_REFUND: Final = 12_500
"""What an authorization gives back if its account exists already."""
LISTED_ADDRESS: Final = 2_400
LISTED_SLOT: Final = 1_900
BLOB_GAS: Final = 1 << 17
_LAST_NONCE: Final = (1 << 64) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """A signed permission to run an account with other code (EIP-7702)."""

    chain_id: int
    address: int
    """Whose code."""
    nonce: int
    parity: int
    r: int
    s: int

    def signer(self) -> int | None:
        """Return the account that signed it; ``None`` if the signature is none."""
        if self.parity not in (0, 1) or self.s > SECP256K1.order // 2:
            return None
        fields = [
            encode_integer(self.chain_id),
            encode_bytes(self.address.to_bytes(20, "big")),
            encode_integer(self.nonce),
        ]
        key = recover(keccak(b"\x05" + encode_list(fields)), self.parity, self.r, self.s)
        return None if key is None else int.from_bytes(keccak(key)[12:], "big")


@dataclass(frozen=True, slots=True, kw_only=True)
class EvmTransaction:
    """A transaction of any type, or a call that stands for one."""

    sender: int
    to: int | None
    """``None`` creates a contract."""
    value: int = 0
    data: bytes = b""
    gas: int
    gas_price: int = 0
    """What the sender pays for a unit of gas, tip included."""
    nonce: int | None = None
    """``None`` for the next one of the sender."""
    created: int | None = None
    """Where the contract is created, if that does not follow from sender and nonce."""
    access_list: tuple[tuple[int, tuple[int, ...]], ...] = ()
    """Addresses with their slots."""
    blob_hashes: tuple[int, ...] = ()
    authorizations: tuple[Authorization, ...] = ()
    origin: int | None = None
    """``tx.origin`` where the call comes from inside another transaction; nothing is then paid before it runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a transaction did."""

    halt: Halt | None
    """How it failed; ``None`` if it succeeded."""
    gas_used: int
    output: bytes = b""
    logs: tuple[Log, ...] = ()
    created: int | None = None
    """The contract that it was to create."""
    limited: bool = False
    """It was stopped because it took too long; nothing of it stayed."""
    ran: bool = True
    """Whether its outermost frame began."""

    @property
    def succeeded(self) -> bool:
        """Whether its effects stayed."""
        return self.halt is None and not self.limited


def intrinsic_costs(fork: Fork, transaction: EvmTransaction) -> tuple[int, int]:
    """Return what a transaction pays before its first opcode, and the least that it pays at all."""
    data, zeros = transaction.data, transaction.data.count(0)
    cost = BASE_COST + 4 * zeros + fork.data_byte * (len(data) - zeros)
    if transaction.to is None:
        cost += fork.create_transaction + fork.init_code_word * ((len(data) + 31) // 32)
    for _, slots in transaction.access_list:
        cost += LISTED_ADDRESS + LISTED_SLOT * len(slots)
    cost += AUTHORIZATION * len(transaction.authorizations)
    least = BASE_COST + 10 * (zeros + 4 * (len(data) - zeros)) if fork.calldata_floor else 0
    return cost, least


def execute(
    world: World,
    fork: Fork,
    block: BlockContext,
    transaction: EvmTransaction,
    *,
    observer: FrameObserver | None = None,
    max_steps: int = MAX_STEPS,
    charge_fees: bool = False,
) -> Result:
    """Execute a transaction.

    The world's journal still holds everything at the end, so that the caller can take it back; whoever does not want
    to calls :meth:`~specminer.evm.world.World.forget_journal` from time to time.

    Args:
        world: accounts and storage; changed.
        fork: the rules.
        block: what code can ask of the block.
        transaction: what to do.
        observer: who hears of it.
        max_steps: how many opcodes it may take.
        charge_fees: whether the sender pays for gas and blobs, and the block's beneficiary gets the tip.

    """
    mark = world.mark()
    try:
        return _Execution(world, fork, block, transaction, observer, max_steps, charge_fees).result()
    except LimitReached:
        world.revert(mark)
        return Result(halt=None, gas_used=transaction.gas, limited=True)


class _Execution:
    """One transaction on its way."""

    def __init__(
        self,
        world: World,
        fork: Fork,
        block: BlockContext,
        transaction: EvmTransaction,
        observer: FrameObserver | None,
        max_steps: int,
        charge_fees: bool,
    ) -> None:
        self.world, self.fork, self.block, self.transaction = world, fork, block, transaction
        self.fees = charge_fees
        self.run = run = TransactionRun(world, fork, block, instruction_set(fork), precompiles_of(fork))
        run.observer = observer
        run.watched_instructions = run.instructions if observer is None else observer.watch(fork)
        run.steps = max_steps
        run.origin = transaction.sender if transaction.origin is None else transaction.origin
        run.gas_price = transaction.gas_price
        run.blob_hashes = transaction.blob_hashes
        self.inner = transaction.origin is not None

    def result(self) -> Result:
        transaction, world = self.transaction, self.world
        cost, least = (0, 0) if self.inner else intrinsic_costs(self.fork, transaction)
        sender = world.account(transaction.sender)
        nonce = sender.nonce if transaction.nonce is None else transaction.nonce
        if not self.inner:
            world.save(sender)
            sender.exists, sender.nonce = True, nonce + 1
            if self.fees:
                self._charge(sender.balance)
        if max(cost, least) > transaction.gas:
            return Result(halt=Halt.OUT_OF_GAS, gas_used=transaction.gas, ran=False)
        target = transaction.to
        created = None
        if target is None:
            created = target = (
                creation_address(transaction.sender, nonce)
                if transaction.created is None
                else transaction.created
            )
        frame = self._frame(target, transaction.gas - cost)
        if created is not None and frame.account.occupied:
            self._settle(transaction.gas)
            return Result(halt=Halt.COLLISION, gas_used=transaction.gas, created=created, ran=False)
        delegation_refund = self._delegate(frame) if created is None else 0
        self._warm(target)
        self._enter(frame)
        return self._finish(frame, delegation_refund, least, created)

    def _charge(self, balance: int) -> None:
        transaction = self.transaction
        price = blob_price(self.fork, self.block.excess_blob_gas) * BLOB_GAS * len(transaction.blob_hashes)
        sender = self.world.account(transaction.sender)
        self.world.set_balance(sender, balance - transaction.gas * transaction.gas_price - price)

    def _settle(self, used: int) -> None:
        """Give back what was not used, and pay the block's beneficiary."""
        if not self.fees:
            return
        transaction, world = self.transaction, self.world
        sender = world.account(transaction.sender)
        rest = (transaction.gas - used) * transaction.gas_price
        world.set_balance(sender, sender.balance + rest)
        beneficiary = world.account(self.block.coinbase)
        burnt = self.block.base_fee if Op.BASEFEE in self.fork.opcodes else 0  # nothing before London
        tip = used * (transaction.gas_price - burnt)
        if tip or not self.fork.new_account_by_value:
            world.set_balance(beneficiary, beneficiary.balance + tip)
        elif beneficiary.exists and beneficiary.empty:
            world.destroy(beneficiary)

    def _frame(self, target: int, gas: int) -> Frame:
        transaction = self.transaction
        creates = transaction.to is None
        frame = Frame(
            self.run, None, FrameKind.CREATE if creates else FrameKind.CALL, self.world.account(target)
        )
        frame.gas = frame.limit = gas
        frame.caller, frame.value = transaction.sender, transaction.value
        frame.data = b"" if creates else transaction.data
        return frame

    def _delegate(self, frame: Frame) -> int:
        """Put delegations into force, and return the gas that they give back."""
        world, refund = self.world, 0
        for item in self.transaction.authorizations:
            if item.chain_id not in (0, self.block.chain_id) or item.nonce >= _LAST_NONCE:
                continue
            signer = item.signer()
            if signer is None:
                continue
            world.add(self.run.warm, signer)
            account = world.account(signer)
            if (account.code and delegate_of(account.code) is None) or account.nonce != item.nonce:
                continue
            if account.exists:
                refund += AUTHORIZATION_REFUND
            target = item.address & ADDRESS_MASK
            world.set_code(account, b"\xef\x01\x00" + target.to_bytes(20, "big") if target else b"")
            world.raise_nonce(account)
        return refund

    def _warm(self, target: int) -> None:
        run, transaction = self.run, self.transaction
        run.warm.update((transaction.sender, target), run.precompiles)
        if self.fork.warm_coinbase:
            run.warm.add(self.block.coinbase)
        for address, slots in transaction.access_list:
            run.warm.add(address)
            run.warm_slots.setdefault(address, set()).update(slots)

    def _enter(self, frame: Frame) -> None:
        frame.warm_slots = self.run.warm_slots.get(frame.address)
        target, world = self.transaction.to, self.world
        if target is None:
            run_frames(enter_creation(frame, self.transaction.data))
            return
        code, precompiled = frame.account.code, True
        if self.fork.delegations:
            other = delegate_of(code)
            if other is not None:
                world.add(self.run.warm, other)
                code, target, precompiled = world.account(other).code, other, False
        run_frames(enter_call(frame, code, target, transfer=True, precompiled=precompiled))

    def _finish(self, frame: Frame, delegation_refund: int, least: int, created: int | None) -> Result:
        run, world, fork = self.run, self.world, self.fork
        refund = delegation_refund + (run.refund if frame.halt is None else 0)
        spent = self.transaction.gas - frame.gas
        used = spent if self.inner else max(spent - min(spent // fork.refund_share, refund), least)
        self._settle(used)
        if frame.halt is None:
            for address in sorted(run.deleted):
                world.destroy(world.account(address))
            for address in sorted(run.touched_accounts):
                account = world.account(address)
                if account.exists and account.empty:
                    world.destroy(account)
        return Result(
            halt=frame.halt, gas_used=used, output=frame.output, logs=tuple(run.logs), created=created
        )
