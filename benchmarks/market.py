"""A market as a database of any size, whose calls are rejected for reasons: what the large benchmarks measure on.

Items are created, offered, bought and withdrawn, with payments to accounts, totals and a next id; each call makes 8
storage accesses, and four calls stand in a block. Only an item's owner may offer or withdraw it, only what is offered
may be bought, and only for its price: about every eighth call is rejected, with the reason.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
from eth_utils.crypto import keccak

from specminer.history.trace import Address, ContractRecord
from specminer.store import TraceStore
from specminer.store.dictionary_coding import encode_word

SIZES: Final = (1_000, 10_000, 100_000, 1_000_000)
CHAIN: Final = 1
CONTRACT: Final = Address(b"\xc0" * 20)
ABI: Final[list[dict[str, Any]]] = [
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
ACCESSES: Final = 8
IDLE, OFFERED = 1, 2
"""What an item's state is."""
NOT_OWNER, NOT_OFFERED, TOO_LITTLE = "not the owner", "not offered", "too little"
BATCH: Final = 20_000

Access = tuple[int, int, int, int]
"""Write, and the rows of slot, value before and value after."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call as it happened."""

    sender: int
    value: int
    data: bytes
    rejection: str | None
    accesses: tuple[Access, ...]


@dataclass
class Market:
    """The contract, played call by call."""

    rng: random.Random
    accounts: list[int]
    words: dict[int, int] = field(default_factory=dict)
    storage: dict[int, int] = field(default_factory=dict)
    preimages: dict[bytes, int] = field(default_factory=dict)
    fresh: list[bytes] = field(default_factory=list)
    items: int = 0
    totals: tuple[Access, ...] = ()
    """What a call finds that looks at the counters before all else."""

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

    def held(self, slot: int) -> int:
        """Return what a slot holds."""
        return self.storage.get(slot, 0)

    def read(self, slot: int) -> Access:
        """Return an access that changes nothing."""
        value = self.row(self.held(slot))
        return 0, self.row(slot), value, value

    def write(self, slot: int, value: int) -> Access:
        """Return an access, and change the storage."""
        before = self.held(slot)
        self.storage[slot] = value
        return 1, self.row(slot), self.row(before), self.row(value)

    def call(self) -> Call:
        """Make one call."""
        self.totals = (self.read(NEXT), self.read(TOTAL))
        price = self.rng.randrange(1, 500) * 10**15
        sender = self.rng.choice(self.accounts)
        if not self.items or self.rng.random() < 0.1:
            return self.create(sender, price)
        item = self.rng.randrange(max(0, self.items - 5_000), self.items)
        owner, asked, state = (self.slot(item, ITEMS, offset) for offset in (OWNER, PRICE, STATE))
        offered = self.held(state) == OFFERED
        name = self.rng.choice(("offer", "buy", "buy", "retract") if offered else ("offer",) * 9 + ("buy",))
        data = selector(name) + item.to_bytes(32, "big")
        if name == "buy":
            value = self.held(asked) if self.rng.random() < 0.9 else self.held(asked) // 2
            return self.buy(sender, value, data, (owner, asked, state))
        sender = self.held(owner) if self.rng.random() < 0.9 else sender
        reads = [self.read(owner)]
        if sender != self.held(owner):
            return self.done(sender, 0, data, reads, NOT_OWNER)
        if name == "offer":
            reads += [self.read(state), self.write(asked, price), self.write(state, OFFERED)]
            return self.done(sender, 0, data + price.to_bytes(32, "big"), reads)
        reads += [self.read(state), self.write(asked, 0), self.write(state, IDLE)]
        return self.done(sender, 0, data, reads)

    def buy(self, sender: int, value: int, data: bytes, place: tuple[int, int, int]) -> Call:
        """Buy an item; ``place`` is where its owner, price and state are."""
        owner, asked, state = place
        reads = [self.read(state)]
        if self.held(state) != OFFERED:
            return self.done(sender, value, data, reads, NOT_OFFERED)
        reads.append(self.read(asked))
        if value < self.held(asked):
            return self.done(sender, value, data, reads, TOO_LITTLE)
        seller = self.slot(self.held(owner), CREDIT)
        reads += [self.read(owner), self.write(seller, self.held(seller) + value), self.write(owner, sender)]
        reads += [self.write(state, IDLE), self.write(TOTAL, self.held(TOTAL) + 1)]
        return self.done(sender, value, data, reads)

    def create(self, sender: int, price: int) -> Call:
        """Create an item under the next id."""
        item = self.items
        self.items += 1
        owner, asked, state = (self.slot(item, ITEMS, offset) for offset in (OWNER, PRICE, STATE))
        made = [self.read(NEXT), self.write(NEXT, item + 1), self.read(state), self.write(owner, sender)]
        made += [self.write(asked, price), self.write(state, IDLE), self.read(self.slot(sender, CREDIT))]
        return self.done(sender, 0, selector("create") + price.to_bytes(32, "big"), made)

    def done(
        self, sender: int, value: int, data: bytes, accesses: list[Access], rejection: str | None = None
    ) -> Call:
        """Return a call that looks at the counters before all else, as often as makes up its number of accesses."""
        first = [self.totals[place % 2] for place in range(ACCESSES - len(accesses))]
        return Call(sender=sender, value=value, data=data, rejection=rejection, accesses=(*first, *accesses))


@cache
def selector(name: str) -> bytes:
    """Return a function's selector."""
    entry = next(item for item in ABI if item["name"] == name)
    return keccak(f"{name}({','.join(item['type'] for item in entry['inputs'])})".encode())[:4]


def reverted_with(reason: str) -> bytes:
    """Return what a call answers that is rejected with a reason."""
    text = reason.encode()
    head = keccak(b"Error(string)")[:4] + (32).to_bytes(32, "big") + len(text).to_bytes(32, "big")
    return head + text.ljust(-(-len(text) // 32) * 32, b"\0")


def make(
    path: Path, size: int, code: bytes = b"", player: Callable[[list[int]], Market] | None = None
) -> int:
    """Fill a database with a history of ``size`` calls; return how many items it has.

    Args:
        path: of the database.
        size: how many calls.
        code: the contract's runtime code, if it has one.
        player: makes the market of some accounts.

    """
    artifact = msgspec.json.encode({"abi": ABI, "contractName": "Market", "storageLayout": None})
    record = ContractRecord(
        address=CONTRACT, chain_id=CHAIN, code=code, created_in_block=1, artifact=artifact
    )
    with TraceStore(str(path)) as store:
        store.add_history(record, (), complete=(1, size))
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA foreign_keys=OFF")
    database.execute("PRAGMA synchronous=OFF")
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
    market = Market(random.Random(0), accounts) if player is None else player(accounts)
    place = {account: first + row for row, account in enumerate(accounts)}
    known = 0
    for start in range(0, size, BATCH):
        rows = _Rows(contract)
        for number in range(start, min(start + BATCH, size)):
            call = market.call()
            rows.add(number + 1, place[call.sender], market, call)
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

    def __init__(self, contract: tuple[int, int]) -> None:
        self.contract = contract
        self.tables: dict[str, list[dict[str, Any]]] = {}

    def put(self, table: str, values: dict[str, Any]) -> None:
        self.tables.setdefault(table, []).append(values)

    def add(self, number: int, sender: int, market: Market, call: Call) -> None:
        """Add a transaction with one call; four stand in a block."""
        owner, own_address = self.contract
        value = market.row(call.value)
        block, index = divmod(number - 1, 4)
        self.put(
            "transaction_",
            {
                "id": number,
                "chain_id": CHAIN,
                "hash": number.to_bytes(32, "big"),
                "block": block + 1,
                "position": index,
                "sender_id": sender,
                "to_id": own_address,
                "value_id": value,
                "gas": 100_000,
                "gas_used": 50_000,
                "nonce": number,
                "succeeded": int(call.rejection is None),
            },
        )
        if not index:
            self.put("block", _block(block))
        self.put("recording", {"transaction_id": number, "contract_id": owner, "tracer": "javascript"})
        self.put(
            "invocation",
            {
                "id": number,
                "transaction_id": number,
                "contract_id": owner,
                "code_address_id": own_address,
                "position": 0,
                "parent": None,
                "depth": 0,
                "kind": "external",
                "sender_id": sender,
                "value_id": value,
                "data": call.data,
                "outcome": "returned" if call.rejection is None else "reverted",
                "output": b"" if call.rejection is None else reverted_with(call.rejection),
                "gas": 1,
                "gas_used": 1,
            },
        )
        for place, (write, slot, before, after) in enumerate(call.accesses):
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
            names = list(listed[0])
            marks = ", ".join(f":{name}" for name in names)
            columns = ", ".join(f'"{name}"' for name in names)
            database.executemany(f'INSERT INTO "{table}" ({columns}) VALUES ({marks})', listed)


def _block(number: int) -> dict[str, Any]:
    return {
        "chain_id": CHAIN,
        "number": number + 1,
        "hash": number.to_bytes(32, "big"),
        "timestamp": 15 * number,
    }
