"""A chain that nothing but the engine runs: contracts are created and called, then it is a history like any other."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from eth_abi.abi import encode

from specminer.contracts.artifact import Artifact, load
from specminer.contracts.interface import from_artifact
from specminer.decoding import HistoryContext, decode
from specminer.history.trace import Address, Hash
from specminer.pipeline import Export, Rulebook, import_export
from specminer.replay.fork_schedule import rules_of_fork
from specminer.sources.exported import ExportedTransaction
from specminer.store import TraceStore
from tests.support.engine import results

CHAIN: Final = 1337
START: Final = 1_700_000_000
USERS: Final = tuple(Address(bytes([0xA0 + place]) * 20) for place in range(6))
"""Who calls."""


class SmallChain:
    """Transactions one after another, each in a block of its own."""

    def __init__(self, folder: Path, *, fork: str = "cancun", start: int = START) -> None:
        """Begin an empty chain; files are written into ``folder``."""
        self._folder = folder
        self._fork = fork
        self._start = start
        self._transactions: list[ExportedTransaction] = []
        self._outputs: dict[Address, dict[str, Any]] = {}

    def create(self, output: dict[str, Any], *arguments: object, sender: Address = USERS[0]) -> Address:
        """Create a contract from what a compiler said of it; return its address."""
        address = Address(bytes([0xC0 + len(self._outputs)]) * 20)
        self._outputs[address] = output
        kinds = next(
            (
                [item["type"] for item in entry["inputs"]]
                for entry in output["abi"]
                if entry["type"] == "constructor"
            ),
            [],
        )
        code = output["evm"]["bytecode"]["object"] if "evm" in output else output["bytecode"]
        data = bytes.fromhex(code.removeprefix("0x")) + encode(kinds, arguments)
        self._append(sender, None, data, created=address)
        return address

    def call(
        self,
        address: Address,
        name: str,
        *arguments: object,
        sender: Address = USERS[0],
        value: int = 0,
        seconds: int | None = None,
    ) -> None:
        """Call a function, ``seconds`` after the chain began."""
        interface = from_artifact(self.artifact(address))
        found = {item.name: (chosen, item) for chosen, item in interface.functions.items()}
        chosen, function = found[name]
        data = chosen + encode(list(function.types), list(arguments))
        self._append(sender, address, data, value=value, seconds=seconds)

    def artifact(self, address: Address) -> Artifact:
        """Return what the compiler said of a contract, as the project reads it."""
        output = self._outputs[address]
        path = self._folder / f"{address.hex()}.json"
        if not path.exists():
            document = {"abi": output["abi"]}
            if "storageLayout" in output:
                document["storageLayout"] = output["storageLayout"]
            path.write_text(json.dumps(document))
        return load(path)

    def _append(
        self,
        sender: Address,
        to: Address | None,
        data: bytes,
        *,
        value: int = 0,
        created: Address | None = None,
        seconds: int | None = None,
    ) -> None:
        number = len(self._transactions) + 1
        time = self._transactions[-1].timestamp if self._transactions else self._start
        assert time is not None
        self._transactions.append(
            ExportedTransaction(
                hash=Hash(number.to_bytes(32, "big")),
                block=number,
                block_hash=None,
                index=0,
                timestamp=time + 12 if seconds is None else self._start + seconds,
                sender=sender,
                to=to,
                created=created,
                value=value,
                gas=5_000_000,
                gas_price=0,
                gas_used=None,
                nonce=None,
                succeeded=None,
                data=data,
                record=number,
            )
        )

    def context(self, address: Address, *, named: bool = True) -> HistoryContext:
        """Return a contract's history; without names if its ABI is not to be known."""
        rules = rules_of_fork(self._fork)
        records = [
            replace(record, succeeded=result.succeeded)
            for record, result in zip(
                self._transactions, results(self._transactions, rules, chain_id=CHAIN), strict=True
            )
        ]
        with TraceStore(str(self._folder / "chain.db")) as store:
            export = Export(transactions=tuple(records), origin="a small chain")
            import_export(store, export, Rulebook(chain_id=CHAIN, fork=self._fork))
            history = store.history(CHAIN, [address])
        return decode(history, self.artifact(address) if named else None)
