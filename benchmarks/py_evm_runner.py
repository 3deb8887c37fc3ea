"""Executes a history on py-evm; :mod:`benchmarks.py_evm` runs this file with a Python that has py-evm.

The history comes as JSON from standard input: ``{"vm": name or null, "transactions": [...]}``, bytes in hexadecimal.
Standard output gets ``{"seconds": CPU seconds of the best round, "succeeded": [whether each transaction did]}``.
Nothing is recorded, signatures are not checked, nothing is written to a database: the machine alone is timed.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from typing import Any

forks = import_module("eth.vm.forks")
"""By name, because this environment has no py-evm: only the one that runs this file does."""
mainnet, constants = import_module("eth.chains.mainnet"), import_module("eth.constants")
AtomicDB = import_module("eth.db.atomic").AtomicDB
ExecutionContext = import_module("eth.vm.execution_context").ExecutionContext
Message = import_module("eth.vm.message").Message

ROUNDS = 2
RICH = 1 << 200
Fields = dict[str, Any]
"""A transaction as it comes from standard input."""


def state_class(vm: str | None, block: int) -> Any:
    """Return the state of the named fork's machine, or of the main chain's at a block."""
    if vm is not None:
        return getattr(forks, vm).get_state_class()
    began = [machine for first, machine in mainnet.MAINNET_VM_CONFIGURATION if first <= block]
    return began[-1].get_state_class()


def surroundings(fields: Fields) -> Any:
    """Return what a transaction's code can ask of its block."""
    return ExecutionContext(
        coinbase=bytes(20),
        timestamp=fields["timestamp"],
        block_number=fields["block"],
        difficulty=0,
        mix_hash=bytes(32),
        gas_limit=fields["gas_limit"],
        prev_hashes=(),
        chain_id=1,
        base_fee_per_gas=0,
        excess_blob_gas=0,
    )


def outcomes(vm: str | None, transactions: list[Fields]) -> Iterator[bool]:
    """Execute transactions one after another; yield whether each succeeded."""
    database, root = AtomicDB(), constants.BLANK_ROOT_HASH
    state: Any = None
    for fields in transactions:
        wanted = state_class(vm, fields["block"])
        if type(state) is not wanted:
            if state is not None:
                state.persist()
                root = state.state_root
            state = wanted(database, surroundings(fields), root)
        state.execution_context = surroundings(fields)
        sender, data = bytes.fromhex(fields["sender"]), bytes.fromhex(fields["data"])
        created = fields["created"] and bytes.fromhex(fields["created"])
        to = constants.CREATE_CONTRACT_ADDRESS if created else bytes.fromhex(fields["to"])
        state.set_balance(sender, RICH)
        state.increment_nonce(sender)
        message = Message(
            gas=fields["gas"],
            to=to,
            sender=sender,
            value=fields["value"],
            data=b"" if created else data,
            code=data if created else state.get_code(to),
            create_address=created or None,
        )
        if hasattr(state, "mark_address_warm"):
            for address in (sender, message.storage_address):
                state.mark_address_warm(address)
        context = state.get_transaction_context_class()(gas_price=fields["gas_price"], origin=sender)
        machine = state.computation_class
        run = machine.apply_create_message if created else machine.apply_message
        computation = run(state, message, context)
        for address in computation.get_accounts_for_deletion():
            state.delete_account(address)
        state.lock_changes()
        yield not computation.is_error


def main() -> None:
    """Execute what standard input has."""
    history = json.load(sys.stdin)
    best, succeeded = float("inf"), []
    for _ in range(ROUNDS):
        began = time.process_time()
        succeeded = list(outcomes(history["vm"], history["transactions"]))
        best = min(best, time.process_time() - began)
    json.dump({"seconds": best, "succeeded": succeeded}, sys.stdout)


if __name__ == "__main__":
    main()
