"""A chain on which the engine executes calls of one contract, and records them as from a node that tells everything."""

from __future__ import annotations

from typing import Final

from specminer.history.contract_history import History
from specminer.history.trace import (
    NO_ADDRESS,
    Address,
    Block,
    ContractRecord,
    Fidelity,
    Hash,
    Tracer,
    Transaction,
    Word,
)
from specminer.history.tracer_steps import record_steps
from specminer.replay.fast_machine import FastMachine
from specminer.replay.machine_calls import Call, ExecutedCall, Surroundings
from specminer.store import TraceStore

FORK: Final = "cancun"
CHAIN: Final = 1337
USERS: Final = tuple(int.from_bytes(bytes([0xA0 + place]) * 20, "big") for place in range(5))
CONTRACT: Final = int.from_bytes(b"\xc0" * 20, "big")
GAS: Final = 3_000_000

_CONTRACT: Final = Address(b"\xc0" * 20)


class RecordedChain:
    """A chain on which one contract is called; what happens is recorded as from a node that tells everything."""

    def __init__(self, creation: bytes, *, start: int, first_block: int, value: int = 0) -> None:
        """Create the contract in a block, at a time in Unix seconds, with so many wei."""
        self.transactions: list[Transaction] = []
        self.time, self.block = start, first_block
        self._machine = FastMachine()
        created = self._run(USERS[0], None, creation, value, start, first_block)
        assert created.succeeded, created
        self._record(USERS[0], None, value, created)

    def word(self, slot: int) -> int:
        """Return what a slot of the contract holds."""
        return self._machine.storage(_CONTRACT, slot)

    @property
    def balance(self) -> int:
        """The contract's balance."""
        return self._machine.balance(_CONTRACT)

    def would_accept(self, sender: int, data: bytes, value: int, time: int, block: int) -> bool:
        """Return whether a call would be accepted; nothing is changed."""
        return self._run(sender, CONTRACT, data, value, time, block, keep=False).succeeded

    def call(self, sender: int, data: bytes, value: int, time: int, block: int) -> bool:
        """Make a call, and record it; return whether it was accepted."""
        self.time, self.block = time, block
        execution = self._run(sender, CONTRACT, data, value, time, block)
        self._record(sender, CONTRACT, value, execution)
        return execution.succeeded

    def history(self) -> History:
        """Return what was recorded so far."""
        record = ContractRecord(
            address=_CONTRACT,
            chain_id=CHAIN,
            code=self._machine.code(_CONTRACT),
            created_in_block=self.transactions[0].block.number,
        )
        blocks = self.transactions[0].block.number, self.block
        with TraceStore("sqlite://") as store:
            store.add_history(record, self.transactions, complete=blocks)
            return store.history(CHAIN, [_CONTRACT])

    def _run(
        self,
        sender: int,
        to: int | None,
        data: bytes,
        value: int,
        time: int,
        block: int,
        *,
        keep: bool = True,
    ) -> ExecutedCall:
        call = Call(
            sender=_address(sender),
            to=None if to is None else _address(to),
            created=_CONTRACT if to is None else None,
            value=value,
            data=data,
            gas=GAS,
        )
        around = Surroundings(chain_id=CHAIN, number=block, timestamp=time, gas_limit=30_000_000)
        return self._machine.run(call, around, FORK, (_CONTRACT,), keep=keep, record=keep)

    def _record(self, sender: int, to: int | None, value: int, execution: ExecutedCall) -> None:
        number = len(self.transactions) + 1
        part = record_steps(execution.steps, [_CONTRACT], environment=True)
        self.transactions.append(
            Transaction(
                hash=Hash(number.to_bytes(32, "big")),
                block=Block(
                    number=self.block,
                    hash=Hash((1 << 128 | self.block).to_bytes(32, "big")),
                    timestamp=self.time,
                    base_fee=0,
                    beneficiary=NO_ADDRESS,
                    gas_limit=30_000_000,
                    randomness=Word(0),
                ),
                index=0,
                sender=_address(sender),
                to=None if to is None else _address(to),
                value=value,
                gas=GAS,
                gas_used=execution.gas_used,
                nonce=number,
                succeeded=execution.succeeded,
                tracer=Tracer.EXECUTION,
                invocations=part.invocations,
                preimages=part.preimages,
                fidelity=Fidelity.EXACT,
                logs=(),
            )
        )


def _address(number: int) -> Address:
    return Address(number.to_bytes(20, "big"))
