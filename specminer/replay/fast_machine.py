"""The engine as a machine: the same calls and results as the specification's, some twenty times as fast.

:class:`FastMachine` offers what :class:`~specminer.replay.reference_machine.Machine` does, so that a replay
runs on either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from typing import Final

import msgspec
import zstandard

from specminer._support.keccak import keccak
from specminer.evm.execution_recorder import EventRecorder, names_of_questions
from specminer.evm.forks import FORKS, Fork
from specminer.evm.frame import BlockContext, Log
from specminer.evm.transaction_execution import EvmTransaction, Result, execute
from specminer.evm.world import Account, AccountFields, World
from specminer.history.trace import NO_ADDRESS, Address, Hash
from specminer.history.tracer_steps import Enter, Exit, Step
from specminer.replay.limits import MAX_GAS, MAX_RECORDED, MAX_STEPS
from specminer.replay.machine_calls import (
    EXISTS,
    MAX_STATE,
    RICH,
    AccountSource,
    Basics,
    Call,
    ExecutedCall,
    LoggedEntry,
    SavedAccount,
    SavedState,
    SavedStorage,
    Surroundings,
    failed_call,
    stopped_call,
)
from specminer.replay.step_reporting import address_of, steps_of

_packer = zstandard.ZstdCompressor(level=3)
_ASSUMED: Final = AccountFields(balance=EXISTS, assumed=EXISTS)


def number_of(address: bytes) -> int:
    """Return an address as the engine counts it."""
    return int.from_bytes(address, "big")


class _UntouchedAccounts:
    """What the world knows of accounts that nobody touched yet, and which of them were asked for."""

    def __init__(self, source: AccountSource | None) -> None:
        self.source = source
        self.missing: frozenset[int] = frozenset()
        """Accounts that do not exist for now."""
        self.fresh: list[int] = []
        """Looked at for the first time since the outermost moment remembered."""
        self.foreign: set[int] = set()
        """Contracts of the source, whose state others change as well."""

    def account(self, address: int) -> AccountFields | None:
        self.fresh.append(address)
        if address in self.missing:
            return None
        if self.source is None:
            return _ASSUMED
        basics = self.source.basics(address_of(address))
        if basics is None:
            return None
        if basics.code:
            self.foreign.add(address)
        return AccountFields(nonce=basics.nonce, balance=basics.balance, code=bytes(basics.code))

    def slot(self, address: int, slot: int) -> int:
        return 0 if self.source is None else self.source.storage(address_of(address), slot)


class FastState:
    """The engine's world, with moments that can be returned to."""

    def __init__(self, source: AccountSource | None = None) -> None:
        """Begin with the empty world, or with what ``source`` tells of it."""
        self._accounts = _UntouchedAccounts(source)
        self.world = World(self._accounts)
        self._marks: list[int] = []

    @contextmanager
    def without(self, addresses: Iterable[bytes]) -> Iterator[None]:
        """For a while, these accounts do not exist, unless they were heard of before."""
        self._accounts.missing = frozenset(map(number_of, addresses))
        try:
            yield
        finally:
            for address in self._accounts.missing:
                account = self.world.accounts.get(address)
                if account is not None and not account.exists:
                    del self.world.accounts[address]
            self._accounts.missing = frozenset()

    def make_room(self, address: bytes) -> None:
        """Take away the wei that was only assumed: the account is created now, or certainly exists."""
        self.world.make_room(self.world.account(number_of(address)))

    @property
    def fresh(self) -> frozenset[bytes]:
        """Accounts looked at for the first time since the outermost moment remembered."""
        return frozenset(map(address_of, self._accounts.fresh))

    def forget_fresh(self) -> None:
        """Look at those accounts anew when they are needed again; only after what they did was taken back."""
        for address in self._accounts.fresh:
            self.world.accounts.pop(address, None)
        self._accounts.fresh.clear()

    @property
    def depth(self) -> int:
        """How many moments are remembered."""
        return len(self._marks)

    def begin(self) -> None:
        """Remember this moment; moments nest."""
        if not self._marks:
            self.world.forget_journal()
            self._accounts.fresh.clear()
        self._marks.append(self.world.mark())

    def commit(self) -> None:
        """Keep what was done since the last moment remembered."""
        self._marks.pop()

    def rollback(self) -> None:
        """Take back what was done since the last moment remembered."""
        self.world.revert(self._marks.pop())

    def reset(self, depth: int) -> None:
        """Take back everything down to ``depth`` moments."""
        while len(self._marks) > depth:
            self.rollback()

    def refresh(self) -> None:
        """Ask the source again for its contracts when they are needed: another block has come."""
        accounts = self.world.accounts
        for address in self._accounts.foreign:
            accounts.pop(address, None)
        for address in [address for address, account in accounts.items() if _unknown(account)]:
            del accounts[address]
        self._accounts.foreign.clear()

    def adopt(self, address: bytes) -> None:
        """Keep a contract of the source from now on: the history alone changes it."""
        self._accounts.foreign.discard(number_of(address))

    def dump(self) -> SavedState:
        """Return what is known here and nowhere else, for :meth:`load`; only between transactions."""
        accounts, storage = [], []
        for number, account in self.world.accounts.items():
            if number in self._accounts.foreign:
                continue
            address, balance = address_of(number), account.balance - account.assumed
            if account.exists and (balance or account.nonce or account.code):
                accounts.append((bytes(address), account.nonce, balance.to_bytes(32, "big"), account.code))
            if account.storage:
                slots = [
                    (slot.to_bytes(32, "big"), value.to_bytes(32, "big"))
                    for slot, value in account.storage.items()
                ]
                storage.append((bytes(address), not account.foreign, slots))
        return sorted(accounts), sorted(storage)

    def accounts(self) -> Iterator[tuple[bytes, Basics | None, bool]]:
        """Yield every account heard of: address, account (``None`` if there is none), whether that is assumed."""
        for number, account in self.world.accounts.items():
            basics = Basics(nonce=account.nonce, balance=account.balance, code=account.code)
            yield address_of(number), basics if account.exists else None, bool(account.assumed)

    def load(self, accounts: Iterable[SavedAccount], storage: Iterable[SavedStorage]) -> None:
        """Take in what :meth:`dump` returned; the state must be new."""
        for address, nonce, balance, code in accounts:
            account = self._new(number_of(address))
            account.exists = True
            account.nonce, account.balance, account.code = nonce, number_of(balance), code
        for address, is_own, slots in storage:
            account = self.world.accounts.get(number_of(address)) or self.world.account(number_of(address))
            account.foreign = not is_own
            account.storage.update((number_of(slot), number_of(value)) for slot, value in slots)

    def _new(self, number: int) -> Account:
        account = self.world.accounts[number] = Account(number)
        account.foreign = True
        return account


def _unknown(account: Account) -> bool:
    """Return whether all that is known of an account is that the source had none."""
    return not (account.exists or account.storage)


class FastMachine:
    """An Ethereum virtual machine with a state of its own; the rules may change from call to call."""

    tells_environment = True
    """Whether its steps say what code asked of its environment."""

    def __init__(
        self, source: AccountSource | None = None, *, max_steps: int = MAX_STEPS, max_gas: int = MAX_GAS
    ) -> None:
        self.state = FastState(source)
        self.max_steps = max_steps
        self.max_gas = max_gas
        self._recorder = EventRecorder((), questions=True)
        self._contracts: frozenset[Address] = frozenset()
        self._block, self._room = -1, MAX_RECORDED

    def use(self, name: str) -> Fork:
        """Return the rules of a fork; nothing has to be prepared for them."""
        return FORKS[name]

    def run(
        self,
        call: Call,
        around: Surroundings,
        rules: str,
        contracts: Iterable[Address] = (),
        *,
        keep: bool = True,
        record: bool = True,
    ) -> ExecutedCall:
        """Run a transaction and record what it does to ``contracts``; see :class:`VirtualMachine`."""
        if call.gas > self.max_gas:
            return stopped_call(call)
        self.state.begin()
        execution = self._execute(FORKS[rules], call, around, frozenset(contracts), record)
        if keep and not execution.limited:
            self.state.commit()
        else:
            self.state.rollback()
        return execution

    def _execute(
        self, fork: Fork, call: Call, around: Surroundings, contracts: frozenset[Address], record: bool
    ) -> ExecutedCall:
        transaction = self._prepare(call)
        if around.number != self._block:
            self._block, self._room = around.number, MAX_RECORDED
        recorder = self._recorder
        if contracts != self._contracts:
            self._contracts = contracts
            recorder.contracts = frozenset(map(number_of, contracts))
        recorder.clear()
        recorder.room = self._room
        result = execute(
            self.state.world,
            fork,
            BlockContext(
                chain_id=around.chain_id,
                number=around.number,
                timestamp=around.timestamp,
                gas_limit=around.gas_limit,
                base_fee=around.base_fee,
                coinbase=number_of(around.beneficiary),
                randomness=around.randomness,
            ),
            transaction,
            observer=recorder if record else None,
            max_steps=self.max_steps,
        )
        if result.limited:
            return stopped_call(call)
        size, self._room = self._room - recorder.room, recorder.room
        error = None if result.halt is None else result.halt.value
        if not result.ran:
            return failed_call(call, error or "")
        return ExecutedCall(
            steps=_steps(call, result, recorder) if record else (),
            succeeded=error is None,
            gas_used=result.gas_used,
            output=result.output,
            error=error,
            unrecorded_opcodes=names_of_questions(recorder.chain_opcodes),
            strangers=self._strangers(recorder, result),
            own_balance=recorder.own_balance,
            size=size,
            logs=tuple(map(_log, result.logs)) if record else None,
        )

    def _prepare(self, call: Call) -> EvmTransaction:
        """Return the transaction of a call, whose sender can pay for everything."""
        world, inner = self.state.world, call.origin is not None
        sender = world.account(number_of(call.sender))
        world.make_room(sender)
        world.save(sender)
        sender.exists = True
        sender.balance = max(sender.balance, call.value, 0 if inner and sender.code else RICH)
        if inner and call.nonce is not None:
            sender.nonce = call.nonce
        return EvmTransaction(
            sender=sender.address,
            to=None if call.to is None else number_of(call.to),
            created=None if call.to is not None else number_of(call.created or NO_ADDRESS),
            value=call.value,
            data=call.data,
            gas=call.gas,
            gas_price=call.gas_price,
            nonce=call.nonce,
            origin=None if call.origin is None else number_of(call.origin),
        )

    def _strangers(self, recorder: EventRecorder, result: Result) -> tuple[Address, ...]:
        strangers = dict.fromkeys(recorder.codeless)
        if not result.succeeded:
            accounts = self.state.world
            strangers |= {
                address: None for address in recorder.measured_accounts if not accounts.account(address).code
            }
        return tuple(map(address_of, strangers))

    def save(self) -> bytes:
        """Return the state, for :meth:`restore`; only between transactions."""
        return _packer.compress(msgspec.msgpack.encode(self.state.dump()))

    def restore(self, saved: bytes) -> None:
        """Take in a state; the machine must be new.

        Raises:
            ValueError: it is none.

        """
        try:
            text = zstandard.ZstdDecompressor().decompress(saved, max_output_size=MAX_STATE)
            self.state.load(*msgspec.msgpack.decode(text, type=SavedState))
        except (zstandard.ZstdError, msgspec.DecodeError) as error:
            raise ValueError("this is no saved state of the machine") from error

    def _account(self, address: Address) -> Account:
        return self.state.world.account(number_of(address))

    def storage(self, address: Address, slot: int) -> int:
        """Return what a slot holds now."""
        return self.state.world.slot(number_of(address), slot)

    def put(self, address: Address, slot: int, value: int) -> None:
        """Put a value into a slot, as if it had been there."""
        account = self._account(address)
        self.state.world.come_to_be(account)
        self.state.world.set_slot(account, slot, value)

    def code(self, address: Address) -> bytes:
        """Return an account's code."""
        return self._account(address).code

    def balance(self, address: Address) -> int:
        """Return an account's balance in wei."""
        return self._account(address).balance

    def pay(self, address: Address, amount: int) -> None:
        """Add wei to an account, or take them away, down to none."""
        account = self._account(address)
        self.state.world.set_balance(account, max(0, account.balance + amount))

    def install(self, address: Address, code: bytes, *, balance: int = 0, nonce: int = 1) -> None:
        """Put a contract somewhere without running its constructor; its storage stays as it is."""
        account = self._account(address)
        self.state.world.make_room(account)
        self.state.world.set_code(account, code)
        account.nonce, account.balance = nonce, balance


def _steps(call: Call, result: Result, recorder: EventRecorder) -> tuple[Step, ...]:
    """Return what was recorded; the outermost frame has what the transaction had."""
    codes = recorder.codes
    steps = [
        replace(step, code=_hash_of(codes[number]))
        if isinstance(step, Enter)
        and (number := number_of(step.to)) in codes
        and _is_recorded(recorder, step)
        else step
        for step in steps_of(recorder.events)
    ]
    first, last = steps[0], steps[-1]
    if isinstance(first, Enter) and isinstance(last, Exit):
        steps[0] = replace(first, gas=call.gas, value=call.value)
        steps[-1] = Exit(result.gas_used, last.output, last.error)
    return tuple(steps)


def _is_recorded(recorder: EventRecorder, step: Enter) -> bool:
    """Return whether a recorded contract owns the storage in a frame."""
    owner = step.sender if step.kind in ("DELEGATECALL", "CALLCODE") else step.to
    return recorder.watches(number_of(owner))


@lru_cache(maxsize=1 << 10)
def _hash_of(code: bytes) -> Hash:
    return Hash(keccak(code))


def _log(log: Log) -> LoggedEntry:
    return address_of(log.address), tuple(topic.to_bytes(32, "big") for topic in log.topics), log.data
