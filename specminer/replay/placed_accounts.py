"""Puts accounts of a dumped state into a machine, before it executes anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from specminer.history.trace import Address
from specminer.replay.engine import MachineMaker
from specminer.replay.machine_calls import AccountSource, VirtualMachine
from specminer.sources.state_dumps import StateAccount


def place_accounts(machine: VirtualMachine, accounts: Mapping[Address, StateAccount]) -> None:
    """Put accounts into a machine, before it executes anything."""
    for contract, account in accounts.items():
        machine.install(contract, account.code, balance=account.balance, nonce=account.nonce)
        for slot, value in account.storage.items():
            machine.put(contract, slot, value)


@dataclass(frozen=True, kw_only=True)
class StateMaker(MachineMaker):
    """Makes machines in which accounts are placed."""

    accounts: Mapping[Address, StateAccount]

    def make(self, source: AccountSource | None, note: Callable[[str], None]) -> VirtualMachine:
        """Return a machine; see :meth:`MachineMaker.make`."""
        machine = MachineMaker.make(self, source, note)
        place_accounts(machine, self.accounts)
        return machine
