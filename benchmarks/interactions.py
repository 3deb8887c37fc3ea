"""How long splitting a history takes, and how it grows: from the store to named interactions.

    python -m benchmarks.interactions [SIZE ...]

Makes histories of 1,000, 10,000, 100,000 and 1,000,000 calls with 8 storage accesses each in SQLite: a market whose
items are created, offered, bought and withdrawn, with payments to accounts, totals and a next id. Each is then read
twice in processes of their own: the bare rows into arrays with SQLite's own cursor, and everything that
``specminer interactions`` does before it prints: history, locations, dependencies, sorts, roles, scores, slices,
names. Prints the ratio of the two in CPU seconds, which other work on the machine disturbs least, the peak of
memory, and the growth in units of n log n.
"""

from __future__ import annotations

import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import log2
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from eth_utils.crypto import keccak

from specminer.history import CONSTRUCTOR
from specminer.pipeline import inspect
from specminer.store import TraceStore
from specminer.store.dictionary import encode_word
from specminer.trace import Address, ContractRecord

SIZES = (1_000, 10_000, 100_000, 1_000_000)
CHAIN = 1
CONTRACT = Address(b"\xc0" * 20)
ABI: list[dict[str, Any]] = [
    {"type": "function", "name": name, "inputs": [{"name": item, "type": "uint256"} for item in inputs]}
    for name, inputs in (
        ("create", ["price"]),
        ("offer", ["itemId", "price"]),
        ("retract", ["itemId"]),
        ("buy", ["itemId"]),
    )
]
OWNER, PRICE, STATE = range(3)
NEXT, TOTAL, ITEMS, CREDIT = range(4)
"""Base slots: two counters, a mapping to structs of three words, a mapping by account."""
BATCH = 20_000


@dataclass
class Market:
    """The contract, played call by call."""

    rng: random.Random
    words: dict[int, int] = field(default_factory=dict)
    storage: dict[int, int] = field(default_factory=dict)
    preimages: dict[bytes, int] = field(default_factory=dict)
    fresh: list[bytes] = field(default_factory=list)
    items: int = 0

    def row(self, word: int) -> int:
        """Return a word's row."""
        return self.words.setdefault(word, len(self.words) + 1)

    def slot(self, key: int, base: int, offset: int = 0) -> int:
        """Return where a mapping keeps an entry."""
        data = key.to_bytes(32, "big") + base.to_bytes(32, "big")
        if data not in self.preimages:
            self.preimages[data] = int.from_bytes(keccak(data), "big")
            self.fresh.append(data)
        return self.preimages[data] + offset

    def read(self, slot: int) -> tuple[int, int, int, int]:
        """Return an access: write, slot, before, after."""
        value = self.row(self.storage.get(slot, 0))
        return 0, self.row(slot), value, value

    def write(self, slot: int, value: int) -> tuple[int, int, int, int]:
        """Return an access, and change the storage."""
        before = self.storage.get(slot, 0)
        self.storage[slot] = value
        return 1, self.row(slot), self.row(before), self.row(value)

    def call(self, sender: int, price: int) -> tuple[bytes, bool, list[tuple[int, int, int, int]]]:
        """Make one call: its data, whether it was accepted, and its eight accesses."""
        if not self.items or self.rng.random() < 0.1:
            return self.create(sender, price)
        item = self.rng.randrange(max(0, self.items - 5_000), self.items)
        place = [self.slot(item, ITEMS, offset) for offset in (OWNER, PRICE, STATE)]
        checks = [self.read(NEXT), self.read(place[STATE]), self.read(place[OWNER])]
        offered = self.storage.get(place[STATE], 0) == 2
        name = self.rng.choice(("offer", "buy", "retract")) if offered else "offer"
        data = selector(name) + item.to_bytes(32, "big")
        if self.rng.random() < 0.1:
            return data + price.to_bytes(32, "big"), False, [*checks, *checks, self.read(TOTAL), checks[1]]
        if name == "offer":
            done = [self.read(place[PRICE]), self.write(place[PRICE], price), self.write(place[STATE], 2)]
            return data + price.to_bytes(32, "big"), True, [*checks, *done, self.read(TOTAL), self.read(NEXT)]
        if name == "retract":
            done = [
                self.write(place[PRICE], 0),
                self.write(place[STATE], 1),
                self.read(TOTAL),
                self.read(NEXT),
            ]
            return data, True, [*checks, *done, self.read(place[OWNER])]
        seller = self.slot(self.storage[place[OWNER]], CREDIT)
        paid = [self.write(seller, self.storage.get(seller, 0) + price), self.write(place[OWNER], sender)]
        paid += [self.write(place[STATE], 1), self.write(TOTAL, self.storage.get(TOTAL, 0) + 1)]
        return data, True, [*checks, *paid, self.read(place[PRICE])]

    def create(self, sender: int, price: int) -> tuple[bytes, bool, list[tuple[int, int, int, int]]]:
        """Create an item under the next id."""
        item = self.items
        self.items += 1
        place = [self.slot(item, ITEMS, offset) for offset in (OWNER, PRICE, STATE)]
        done = [self.read(NEXT), self.write(NEXT, item + 1), self.read(place[STATE])]
        done += [
            self.write(place[OWNER], sender),
            self.write(place[PRICE], price),
            self.write(place[STATE], 1),
        ]
        done += [self.read(TOTAL), self.read(self.slot(sender, CREDIT))]
        return selector("create") + price.to_bytes(32, "big"), True, done


def selector(name: str) -> bytes:
    """Return a function's selector."""
    entry = next(item for item in ABI if item["name"] == name)
    return keccak(f"{name}({','.join(item['type'] for item in entry['inputs'])})".encode())[:4]


def make(path: Path, size: int) -> int:
    """Fill a database with a history of ``size`` calls; return how many items it has."""
    artifact = msgspec.json.encode({"abi": ABI, "contractName": "Market", "storageLayout": None})
    record = ContractRecord(address=CONTRACT, chain_id=CHAIN, created_in_block=1, artifact=artifact)
    with TraceStore(str(path)) as store:
        store.add_history(record, (), complete=(1, size))
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA foreign_keys=OFF")
    database.execute("PRAGMA synchronous=OFF")
    rng = random.Random(0)
    accounts = [
        int.from_bytes(keccak(b"account%d" % number)[:20], "big") for number in range(max(20, size // 50))
    ]
    first = (database.execute("SELECT max(id) FROM address").fetchone()[0] or 0) + 1
    database.execute("BEGIN")
    database.executemany(
        "INSERT INTO address VALUES (?, ?)",
        [(first + row, account.to_bytes(20, "big")) for row, account in enumerate(accounts)],
    )
    contract = database.execute("SELECT id, address_id FROM contract").fetchone()
    market = Market(rng)
    known = 0
    for start in range(0, size, BATCH):
        rows = _Rows(contract, first)
        for number in range(start, min(start + BATCH, size)):
            account = rng.randrange(len(accounts))
            rows.add(
                number + 1, account, market, *market.call(accounts[account], rng.randrange(1, 500) * 10**15)
            )
        rows.insert(database)
        fresh = list(market.words)[known:]
        database.executemany(
            "INSERT INTO word VALUES (?, ?)",
            [(known + place + 1, encode_word(word)) for place, word in enumerate(fresh)],
        )
        known += len(fresh)
    database.execute("COMMIT")
    database.close()
    return market.items


class _Rows:
    """Rows of one batch."""

    def __init__(self, contract: tuple[int, int], first: int) -> None:
        self.contract, self.first = contract, first
        self.tables: dict[str, list[tuple[Any, ...]]] = {}

    def put(self, table: str, *values: Any) -> None:
        self.tables.setdefault(table, []).append(values)

    def add(
        self,
        number: int,
        account: int,
        market: Market,
        data: bytes,
        accepted: bool,
        accesses: list[tuple[int, int, int, int]],
    ) -> None:
        """Add a transaction with one call; four stand in a block."""
        owner, own_address = self.contract
        sender, zero = self.first + account, market.row(0)
        block, index = divmod(number - 1, 4)
        values: dict[str, Any] = {
            "id": number,
            "chain_id": CHAIN,
            "hash": number.to_bytes(32, "big"),
            "block": block + 1,
            "position": index,
            "sender_id": sender,
            "to_id": own_address,
            "value_id": zero,
            "gas": 100_000,
            "gas_used": 50_000,
            "nonce": number,
            "succeeded": int(accepted),
        }
        self.put("transaction_", values)
        if not index:
            self.put("block", _block(block))
        self.put("recording", {"transaction_id": number, "contract_id": owner, "tracer": "javascript"})
        call: dict[str, Any] = {
            "id": number,
            "transaction_id": number,
            "contract_id": owner,
            "code_address_id": own_address,
            "position": 0,
            "parent": None,
            "depth": 0,
            "kind": "external",
            "sender_id": sender,
            "value_id": zero,
            "data": data,
            "outcome": "returned" if accepted else "reverted",
            "output": b"",
            "gas": 1,
            "gas_used": 1,
        }
        self.put("invocation", call)
        for place, (write, slot, before, after) in enumerate(accesses):
            access = {"invocation_id": number, "position": place, "write": write, "slot_id": slot}
            self.put("access", access | {"before_id": before, "after_id": after, "undone": 0})
        for place, text in enumerate(market.fresh):
            self.put(
                "preimage", {"transaction_id": number, "contract_id": owner, "position": place, "bytes": text}
            )
        market.fresh.clear()

    def insert(self, database: sqlite3.Connection) -> None:
        """Write the rows."""
        for table, listed in self.tables.items():
            names = list(listed[0][0])
            marks = ", ".join(f":{name}" for name in names)
            columns = ", ".join(f'"{name}"' for name in names)
            database.executemany(
                f'INSERT INTO "{table}" ({columns}) VALUES ({marks})', [values for (values,) in listed]
            )


def _block(number: int) -> dict[str, Any]:
    return {
        "chain_id": CHAIN,
        "number": number + 1,
        "hash": number.to_bytes(32, "big"),
        "timestamp": 15 * number,
    }


def read_rows(path: Path) -> int:
    """Read all rows into arrays and lists, with nothing between SQLite and numpy; return how many accesses."""
    database = sqlite3.connect(path)
    columns = {
        "access": "invocation_id, position, write, slot_id, before_id, after_id, undone",
        "invocation": "id, transaction_id, contract_id, code_address_id, position, sender_id, value_id",
        "transaction_": "id, block, position, sender_id",
    }
    arrays = {}
    for table, names in columns.items():
        cursor = database.execute(f"SELECT {names} FROM {table}")
        parts = []
        while rows := cursor.fetchmany(100_000):
            parts.append(np.array(rows, dtype=np.int64))
        arrays[table] = np.concatenate(parts)
    for query in (
        "SELECT bytes FROM word",
        "SELECT bytes FROM preimage",
        "SELECT kind, data, outcome, output FROM invocation",
        "SELECT hash FROM transaction_",
    ):
        database.execute(query).fetchall()
    return len(arrays["access"])


def split_all(path: Path) -> int:
    """Do what ``specminer interactions`` does before it prints; return how many interactions there are."""
    with TraceStore(str(path)) as store:
        history = store.history(CHAIN, [CONTRACT])
    found = inspect(history)
    assert found.interactions.sort is not None
    assert found.interactions.sort["name"] == "itemId", found.interactions.explanation
    assert not np.any(history.invocation_kind == CONSTRUCTOR)
    return len(found.interactions.names)


def measured(step: str, path: Path) -> tuple[float, float, int]:
    """Run a step in a process of its own; return CPU seconds, the peak of memory in MB, and what it counted."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.interactions", step, str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, peak, count = done.stdout.split()
    return float(seconds), float(peak), int(count)


def run(sizes: tuple[int, ...]) -> None:
    """Measure all sizes and print a table."""
    print("calls      items    rows/s   read s  split s  ratio  peak MB  s per n log n, relative")
    first = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            path = Path(folder) / f"{size}.db"
            items = make(path, size)
            reading, _, accesses = measured("read", path)
            splitting, peak, count = measured("split", path)
            assert count == items
            unit = splitting / (size * log2(size))
            first = first or unit
            print(
                f"{size:<9}  {items:<7}  {accesses / reading:<7.0f}  {reading:6.2f}  {splitting:7.2f}  "
                f"{splitting / reading:5.2f}  {peak:7.0f}  {unit / first:.2f}",
                flush=True,
            )
            path.unlink()


def _steps(arguments: list[str]) -> Iterator[str]:
    step, path = arguments
    began = time.process_time()
    count = {"read": read_rows, "split": split_all}[step](Path(path))
    seconds = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1024 if sys.platform != "darwin" else 1024**2
    )
    yield f"{seconds} {peak} {count}"


if __name__ == "__main__":
    given = sys.argv[1:]
    if given and given[0] in ("read", "split"):
        print(*_steps(given))
    else:
        run(tuple(map(int, given)) or SIZES)
