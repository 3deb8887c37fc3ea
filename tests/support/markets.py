"""Random histories of a market: items that are created, offered, bought and retracted, each with a life of its own.

A life is drawn first; the lives are then woven into one history in some order and played against one storage,
so that the same lives can be told in another order, without their rejections, or by a contract that counts.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import msgspec
from eth_utils.crypto import keccak

from specminer.history.contract_history import History
from specminer.history.trace import (
    AccessKind,
    Address,
    ContractRecord,
    Hash,
    Invocation,
    InvocationKind,
    Outcome,
    OutcomeKind,
    StorageAccess,
    Tracer,
    Transaction,
    Word,
)
from specminer.store import TraceStore
from tests.support.histories import CHAIN, block_of

MARKET: Final = Address(b"\xc5" * 20)
PEOPLE: Final = tuple(Address(keccak(b"person%d" % number)[:20]) for number in range(6))
NEXT, TOTAL, ITEMS, CREDIT, COUNTER = range(5)
SIGNATURES: Final = {
    "create": ("price",),
    "offer": ("itemId", "price"),
    "buy": ("itemId",),
    "retract": ("itemId",),
    "pause": (),
}
NAMES: Final = ("nextId", "total", "items", "credit", "calls")


@dataclass(frozen=True)
class Act:
    """One call of a life; the item of ``create`` is the one it makes."""

    life: int
    function: str
    sender: int
    price: int
    rejected: bool
    number: int
    """Identifies the call in every telling."""


def lives(seed: int, count: int) -> list[list[Act]]:
    """Draw the lives of ``count`` items; some calls are rejected."""
    rng = random.Random(seed)
    found, number = [], 0
    for life in range(count):
        acts = []
        for step in range(rng.randint(2, 6)):
            function = "create" if not step else rng.choice(("offer", "offer", "buy", "retract"))
            rejected = bool(step) and rng.random() < 0.3
            acts.append(
                Act(life, function, rng.randrange(len(PEOPLE)), rng.randint(2, 10**6), rejected, number)
            )
            number += 1
        found.append(acts)
    return found


def woven(given: Sequence[Sequence[Act]], seed: int) -> list[Act]:
    """Return the acts of all lives in one order, each life's in its own; items are created in theirs."""
    rng = random.Random(seed)
    rest = [list(acts) for acts in given]
    created, order = 0, []
    while any(rest):
        ready = [life for life, acts in enumerate(rest) if acts and (life < created or life == created)]
        life = rng.choice(ready)
        order.append(rest[life].pop(0))
        created = max(created, life + 1)
    return order


class Stage:
    """The storage while the acts are played."""

    def __init__(self) -> None:
        self.storage: dict[int, int] = {}
        self.preimages: dict[bytes, None] = {}
        self.accesses: list[StorageAccess] = []

    def slot(self, key: int, base: int, offset: int = 0) -> int:
        data = key.to_bytes(32, "big") + base.to_bytes(32, "big")
        self.preimages[data] = None
        return int.from_bytes(keccak(data), "big") + offset

    def read(self, slot: int) -> int:
        value = self.storage.get(slot, 0)
        self._note(AccessKind.READ, slot, value, value)
        return value

    def write(self, slot: int, value: int) -> None:
        before = self.storage.get(slot, 0)
        self.storage[slot] = value
        self._note(AccessKind.WRITE, slot, before, value)

    def _note(self, kind: AccessKind, slot: int, before: int, after: int) -> None:
        self.accesses.append(
            StorageAccess(
                position=len(self.accesses),
                kind=kind,
                slot=Word(slot),
                before=Word(before),
                after=Word(after),
            )
        )


def played(acts: Iterable[Act], *, counting: bool = False) -> list[Transaction]:
    """Play the acts against one storage; ``counting``: each call also increments a counter."""
    stage = Stage()
    return [_transaction(stage, row, act, counting) for row, act in enumerate(acts)]


def _transaction(stage: Stage, row: int, act: Act, counting: bool) -> Transaction:
    stage.accesses, stage.preimages = [], {}
    sender = PEOPLE[act.sender]
    arguments = _perform(stage, act, int.from_bytes(sender, "big"))
    if counting and not act.rejected:
        stage.write(COUNTER, stage.read(COUNTER) + 1)
    data = selector(act.function) + b"".join(value.to_bytes(32, "big") for value in arguments)
    kind = OutcomeKind.REVERTED if act.rejected else OutcomeKind.RETURNED
    call = Invocation(
        contract=MARKET,
        code=MARKET,
        position=0,
        parent=None,
        depth=0,
        kind=InvocationKind.EXTERNAL,
        sender=sender,
        value=0,
        data=data,
        outcome=Outcome(kind=kind),
        gas=100_000,
        gas_used=50_000,
        accesses=tuple(stage.accesses),
    )
    return Transaction(
        hash=Hash(keccak(b"act%d" % act.number)),
        block=block_of(10 + row // 3),
        index=row % 3,
        sender=sender,
        to=MARKET,
        value=0,
        gas=100_000,
        gas_used=50_000,
        nonce=row,
        succeeded=not act.rejected,
        tracer=Tracer.JAVASCRIPT,
        invocations=(call,),
        preimages=tuple(stage.preimages),
    )


def _perform(stage: Stage, act: Act, sender: int) -> list[int]:
    """Make the accesses of a call; return its arguments."""
    if act.function == "pause":
        stage.write(TOTAL, stage.read(TOTAL))
        return []
    if act.function == "create":
        item = stage.read(NEXT)
        stage.write(NEXT, item + 1)
        for offset, value in enumerate((sender, act.price, 7)):
            stage.write(stage.slot(item, ITEMS, offset), value)
        return [act.price]
    item = act.life
    owner, price, state = (stage.slot(item, ITEMS, offset) for offset in range(3))
    stage.read(state)
    seller = stage.read(owner)
    arguments = [item, act.price] if act.function == "offer" else [item]
    if act.rejected:
        return arguments
    if act.function == "offer":
        stage.write(price, act.price)
        stage.write(state, 9)
    elif act.function == "retract":
        stage.write(state, 7)
    else:
        credit = stage.slot(seller, CREDIT)
        stage.write(credit, stage.read(credit) + stage.read(price))
        stage.write(owner, sender)
        stage.write(state, 7)
        stage.write(TOTAL, stage.read(TOTAL) + 1)
    return arguments


def selector(function: str) -> bytes:
    """Return a function's selector."""
    types = ",".join("uint256" for _ in SIGNATURES[function])
    return keccak(f"{function}({types})".encode())[:4]


def artifact(names: Sequence[str] | None = None) -> bytes:
    """Return the ABI, with a layout if ``names`` of variables are given."""
    abi = [
        {
            "type": "function",
            "name": name,
            "inputs": [{"name": item, "type": "uint256"} for item in inputs],
            "outputs": [],
            "stateMutability": "nonpayable",
        }
        for name, inputs in SIGNATURES.items()
    ]
    document: dict[str, Any] = {"abi": abi, "contractName": "Market", "storageLayout": None}
    if names is not None:
        document["storageLayout"] = _layout(names)
    return msgspec.json.encode(document)


def _layout(names: Sequence[str]) -> dict[str, Any]:
    def inplace(label: str, size: int) -> dict[str, Any]:
        return {"encoding": "inplace", "label": label, "numberOfBytes": str(size)}

    def mapping(key: str, value: str) -> dict[str, Any]:
        return {"encoding": "mapping", "label": "m", "numberOfBytes": "32", "key": key, "value": value}

    fields = [
        {
            "label": f"{names[2]}{row}",
            "offset": 0,
            "slot": str(row),
            "type": "w",
            "astId": row,
            "contract": "M",
        }
        for row in range(3)
    ]
    types = {"w": inplace("uint256", 32), "a": inplace("address", 20)}
    types |= {
        "s": inplace("struct S", 96) | {"members": fields},
        "mi": mapping("w", "s"),
        "ma": mapping("a", "w"),
    }
    kinds = ("w", "w", "mi", "ma", "w")
    storage = [
        {"label": name, "offset": 0, "slot": str(slot), "type": kind, "astId": slot, "contract": "M"}
        for slot, (name, kind) in enumerate(zip(names, kinds, strict=True))
    ]
    return {"storage": storage, "types": types}


def history_of(
    transactions: Sequence[Transaction], names: Sequence[str] | None = None, pieces: Sequence[int] = ()
) -> History:
    """Return the history as the database gives it; ``pieces``: added in so many calls, the last block first."""
    last = max((item.block.number for item in transactions), default=10)
    record = ContractRecord(address=MARKET, chain_id=CHAIN, created_in_block=9, artifact=artifact(names))
    with TraceStore("sqlite://") as store:
        store.add_history(record, (), complete=(10, last))
        bounds = [0, *sorted(cut % (len(transactions) + 1) for cut in pieces), len(transactions)]
        for low, high in reversed(list(pairwise(bounds))):
            if low < high:
                part = transactions[low:high]
                span = (part[0].block.number, part[-1].block.number)
                store.add(CHAIN, MARKET, part, complete=span)
        return store.history(CHAIN, [MARKET])
