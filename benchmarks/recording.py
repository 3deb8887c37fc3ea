"""What answers cost in a recording: bytes in the database, and time to trace.

    python -m benchmarks.recording [TRANSACTIONS]

Two contracts live on anvil. ``counter`` calls nobody: a call is one read and one write. ``asker`` also calls another
contract, which logs, and asks for gas and a balance. The history of each is collected and stored twice: as it is, and
without what version 1 of the model lacks (answers, code, logs of others, values of blocks). Bytes are those of the
whole SQLite file for each invocation. Time is the wall time in which the node traces all transactions and the answers
are decoded, with the tracer as it is and with one that tells no answers, in turn; the best of each counts.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from specminer.evm.opcodes import Op
from specminer.history.trace import Address, ContractRecord, Transaction
from specminer.history.tracer_steps import record_steps
from specminer.pipeline import collect
from specminer.sources import javascript
from specminer.sources.endpoint import Endpoint
from specminer.sources.node import Node, Request
from specminer.sources.trace_matching import Envelope
from specminer.store import TraceStore
from tests.support.anvil import Anvil, Call
from tests.support.bytecode import COUNT
from tests.support.collecting import CHAIN, Notes, address
from tests.support.counting import deployed
from tests.support.histories import without_answers
from tests.support.programs import push

TRANSACTIONS: Final = 2_000
IN_BLOCK: Final = 50
ROUNDS: Final = 3
BATCH: Final = 50
ECHO: Final = push(32) + push(0) + bytes([Op.LOG0]) + push(32) + push(0) + bytes([Op.RETURN])


def asking(other: Address) -> bytes:
    """Return code that counts, asks for a balance and calls another contract."""
    to = push(int.from_bytes(other, "big"))
    code = to + bytes([Op.BALANCE, Op.POP])
    code += push(32) + push(0) + push(4) + push(0) + push(0) + to + bytes([Op.GAS, Op.CALL, Op.POP])
    return code + COUNT


def live(anvil: Anvil, contract: str, count: int) -> None:
    """Call a contract so many times."""
    calls = [
        Call(sender=anvil.accounts[row % 10], to=contract, data="0x06661abd", gas=200_000)
        for row in range(count)
    ]
    for start in range(0, count, IN_BLOCK):
        anvil.block(calls[start : start + IN_BLOCK])


def history(url: str, contract: Address) -> tuple[ContractRecord, list[Transaction]]:
    """Collect a contract."""
    with TraceStore("sqlite://") as store, Node(Endpoint(url)) as node:
        collect(store, node, contract, observer=Notes())
        return store.record(CHAIN, contract), list(store.transactions(CHAIN, contract))


def stored_bytes(record: ContractRecord, transactions: Sequence[Transaction]) -> float:
    """Return the bytes of a database that holds a history, for each invocation."""
    invocations = sum(len(item.invocations) for item in transactions)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.db"
        last = transactions[-1].block.number
        with TraceStore(str(path)) as store:
            store.add_history(record, transactions, complete=(0, last))
        return sum(item.stat().st_size for item in Path(folder).iterdir()) / invocations


def requests_for(contract: Address, transactions: Sequence[Transaction], *, answers: bool) -> list[Request]:
    """Return the requests that trace a history."""
    source = {"tracer": javascript.tracer_source([contract], answers=answers)}
    return [("debug_traceTransaction", (f"0x{item.hash.hex()}", source)) for item in transactions]


def envelope(item: Transaction) -> Envelope:
    """Return a recorded transaction as it is before it is traced."""
    return Envelope(
        hash=item.hash,
        block=item.block,
        index=item.index,
        sender=item.sender,
        to=item.to,
        created=None,
        value=item.value,
        gas=item.gas,
        gas_used=item.gas_used,
        block_gas_used=None,
        nonce=item.nonce,
        data=item.invocations[0].data,
        succeeded=item.succeeded,
        logs=None,
    )


def seconds(node: Node, contract: Address, transactions: Sequence[Transaction], *, answers: bool) -> float:
    """Return the wall time in which a history is traced and turned into invocations."""
    requests = requests_for(contract, transactions, answers=answers)
    began = time.perf_counter()
    for start in range(0, len(requests), BATCH):
        found = node.batch(requests[start : start + BATCH])
        for answer, item in zip(found, transactions[start : start + BATCH], strict=True):
            record_steps(javascript.decode(answer, envelope(item)), [contract], environment=answers)
    return time.perf_counter() - began


def measure(url: str, name: str, contract: Address) -> str:
    """Return the line of a contract."""
    record, transactions = history(url, contract)
    after = stored_bytes(record, transactions)
    before = stored_bytes(record, list(map(without_answers, transactions)))
    with Node(Endpoint(url)) as node:
        times: dict[bool, list[float]] = {False: [], True: []}
        for _ in range(ROUNDS):
            for answers, found in times.items():
                found.append(seconds(node, contract, transactions[1:], answers=answers))
    slow, quick = min(times[True]), min(times[False])
    each = 1000 / max(1, len(transactions) - 1)
    return (
        f"{name:8} {before:12,.0f} {after:12,.0f} {after / before:7.2f} {quick * each:12.2f} {slow * each:12.2f} "
        f"{slow / quick:7.2f}"
    )


def run(count: int = TRANSACTIONS) -> list[str]:
    """Return the table's lines."""
    lines = [f"{'':8} {'bytes/call v1':>12} {'v2':>12} {'ratio':>7} {'ms/tx v1':>12} {'v2':>12} {'ratio':>7}"]
    with Anvil() as anvil:
        echo = deployed(anvil, ECHO)
        contracts = {"counter": deployed(anvil, COUNT), "asker": deployed(anvil, asking(address(echo)))}
        for name, contract in contracts.items():
            live(anvil, contract, count)
            lines.append(measure(anvil.url, name, address(contract)))
    return lines


if __name__ == "__main__":
    print("\n".join(run(*map(int, sys.argv[1:2]))))
