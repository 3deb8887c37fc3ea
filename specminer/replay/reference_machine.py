"""Runs one transaction after another on a state, and records each as steps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import msgspec
import zstandard

from specminer._support.nesting import usual_recursion
from specminer.history.trace import NO_ADDRESS, Address
from specminer.history.tracer_steps import Enter, Exit, Step
from specminer.replay.limits import MAX_GAS, MAX_RECORDED, MAX_STEPS
from specminer.replay.machine_calls import (
    MAX_STATE,
    RICH,
    AccountSource,
    Call,
    ExecutedCall,
    SavedState,
    Surroundings,
    failed_call,
    stopped_call,
)
from specminer.replay.reference_fork import ReferenceFork, fork
from specminer.replay.reference_recorder import ReferenceRecorder, StepLimit, error_text
from specminer.replay.reference_state import ReferenceState

with usual_recursion():
    from ethereum.trace import discard_evm_trace, set_evm_trace

_packer = zstandard.ZstdCompressor(level=3)


class Machine:
    """An Ethereum virtual machine with a state of its own.

    The rules may change from call to call. Only one machine runs at a time in a process, because the
    specification has one place for a tracer.
    """

    tells_environment = False
    """Whether its steps say what code asked of its environment."""

    def __init__(
        self, source: AccountSource | None = None, *, max_steps: int = MAX_STEPS, max_gas: int = MAX_GAS
    ) -> None:
        self.state = ReferenceState(source)
        self.max_steps = max_steps
        self.max_gas = max_gas
        self._fork: ReferenceFork | None = None
        self._block, self._room = -1, MAX_RECORDED

    def use(self, name: str) -> ReferenceFork:
        """Take the rules of a fork from now on; by its name in ``FORKS``."""
        if self._fork is None or self._fork.name != name:
            self._fork = fork(name)
            self.state.use(self._fork.account)
        return self._fork

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
        rule = self.use(rules)
        depth = self.state.depth
        self.state.begin()
        execution = None
        try:
            execution = self._execute(rule, call, around, frozenset(contracts), record)
        except (StepLimit, AssertionError, OverflowError):
            # the specification asserts what holds on every chain, but not in every file: that ether does not overflow
            execution = stopped_call(call)
        finally:
            set_evm_trace(discard_evm_trace)
            if execution is not None and keep and not execution.limited:
                self.state.reset(depth + 1)
                self.state.commit()
            else:
                self.state.reset(depth)
        return execution

    def _execute(
        self,
        rule: ReferenceFork,
        call: Call,
        around: Surroundings,
        contracts: frozenset[Address],
        record: bool,
    ) -> ExecutedCall:
        state, target = self.state, call.to or call.created or NO_ADDRESS
        inner = call.origin is not None
        intrinsic, least = (0, 0) if inner else rule.intrinsic_gas(call.to, call.value, call.data, call.gas)
        state.make_room(call.sender)
        sender = rule.get_account(state, call.sender)
        nonce = int(sender.nonce) if call.nonce is None else call.nonce
        rule.set_account(
            state,
            call.sender,
            nonce=nonce if inner else nonce + 1,
            balance=max(int(sender.balance), call.value, 0 if inner and len(sender.code) else RICH),
            code=bytes(sender.code),
        )
        if max(intrinsic, least) > call.gas:
            return failed_call(call, "out of gas: less than every such transaction costs")
        if around.number != self._block:
            self._block, self._room = around.number, MAX_RECORDED
        recorder = ReferenceRecorder(
            lambda evm, slot: self._slot(rule, evm, slot),
            lambda evm: int(rule.get_account(state, bytes(evm.message.current_target)).balance),
            contracts,
            self.max_steps,
            self._room,
        )
        if record:
            set_evm_trace(recorder)
        message = rule.message(
            state,
            around,
            sender=call.sender,
            target=call.to,
            created=target,
            value=call.value,
            data=call.data,
            gas=call.gas - intrinsic,
            gas_price=call.gas_price,
            origin=call.origin,
        )
        output = rule.process(message)
        set_evm_trace(discard_evm_trace)
        size, self._room = self._room - recorder.room, recorder.room
        before = call.gas - int(output.gas_left)
        refund = 0 if inner else min(before // rule.refund_share, int(output.refund_counter))
        gas_used = max(before - refund, least)
        rule.finish(state, output)
        error = error_text(output.error)
        steps = recorder.steps
        if record and not steps:  # the address to create at was taken
            return failed_call(call, error or "collision")
        last = steps[-1] if steps else None
        data = last.output if isinstance(last, Exit) else b""
        if steps:
            steps[0] = replace(_enter_step(steps[0]), gas=call.gas, value=call.value)
            steps[-1] = Exit(gas_used, data, error)
        return ExecutedCall(
            steps=tuple(steps),
            succeeded=output.error is None,
            gas_used=gas_used,
            output=data,
            error=error,
            unrecorded_opcodes=tuple(recorder.unrecorded_opcodes),
            strangers=tuple(
                dict.fromkeys(
                    (
                        *recorder.strangers,
                        *(() if output.error is None else self._without_code(recorder.measured_accounts)),
                    )
                )
            ),
            own_balance=recorder.own_balance,
            size=size,
        )

    def _without_code(self, addresses: Iterable[Address]) -> list[Address]:
        return [address for address in addresses if not self.code(address)]

    def _slot(self, rule: ReferenceFork, evm: Any, slot: int) -> int:
        return rule.get_storage(self.state, bytes(evm.message.current_target), slot)

    def save(self) -> bytes:
        """Return the state, for :meth:`restore`; only between transactions."""
        return _packer.compress(msgspec.msgpack.encode(self.state.dump()))

    def restore(self, saved: bytes) -> None:
        """Take in a state; the machine must be new.

        Raises:
            ValueError: it is none.

        """
        self._rules()
        try:
            text = zstandard.ZstdDecompressor().decompress(saved, max_output_size=MAX_STATE)
            self.state.load(*msgspec.msgpack.decode(text, type=SavedState))
        except (zstandard.ZstdError, msgspec.DecodeError) as error:
            raise ValueError("this is no saved state of the machine") from error

    def storage(self, address: Address, slot: int) -> int:
        """Return what a slot holds now."""
        return self._rules().get_storage(self.state, address, slot)

    def put(self, address: Address, slot: int, value: int) -> None:
        """Put a value into a slot, as if it had been there."""
        rule = self._rules()
        account = rule.get_account(self.state, address)
        rule.set_account(
            self.state,
            address,
            nonce=int(account.nonce),
            balance=int(account.balance),
            code=bytes(account.code),
        )
        rule.set_storage(self.state, address, slot, value)

    def code(self, address: Address) -> bytes:
        """Return an account's code."""
        return bytes(self._rules().get_account(self.state, address).code)

    def balance(self, address: Address) -> int:
        """Return an account's balance in wei."""
        return int(self._rules().get_account(self.state, address).balance)

    def pay(self, address: Address, amount: int) -> None:
        """Add wei to an account, or take them away, down to none."""
        rule = self._rules()
        account = rule.get_account(self.state, address)
        rule.set_account(
            self.state,
            address,
            nonce=int(account.nonce),
            balance=max(0, int(account.balance) + amount),
            code=bytes(account.code),
        )

    def install(self, address: Address, code: bytes, *, balance: int = 0, nonce: int = 1) -> None:
        """Put a contract somewhere without running its constructor; its storage stays as it is."""
        self._rules().set_account(self.state, address, nonce=nonce, balance=balance, code=code)

    def _rules(self) -> ReferenceFork:
        return self._fork or self.use("osaka")


def _enter_step(step: Step) -> Enter:
    assert isinstance(step, Enter)
    return step
