"""A bazaar whose owner opens and closes it: items are created and offered at any time, but bought while it is open.

``matters``: calls of ``buy`` look at the flag and fail while it is closed; else they look at it, and fail at random.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from eth_utils.crypto import keccak

from specminer.history.contract_history import History
from specminer.history.trace import (
    Address,
    ContractRecord,
    Hash,
    Invocation,
    InvocationKind,
    Outcome,
    OutcomeKind,
    Tracer,
    Transaction,
)
from specminer.store import TraceStore
from tests.support.histories import CHAIN, block_of
from tests.support.markets import Stage

BAZAAR = Address(b"\xc6" * 20)
OWNER, *PEOPLE = (Address(keccak(b"visitor%d" % number)[:20]) for number in range(7))
NEXT, FLAG, STATUS = range(3)
CREATED, OFFERED, SOLD = 1, 2, 3
ARGUMENTS = {"create": (), "offer": ("itemId",), "buy": ("itemId",), "setOpen": ("open_",)}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What happens: ``items`` lives, and a change of the flag after each of ``changes`` calls."""

    items: int = 40
    steps: int = 400
    changes: tuple[int, ...] = (200,)
    matters: bool = True
    seed: int = 0
    flag: str = "isOpen"


def played(plan: Plan) -> list[Transaction]:
    """Play a plan; the first call comes after the contract's creation, which the history does not hold."""
    rng, stage = random.Random(plan.seed), Stage()
    found: list[Transaction] = []
    created = 0
    for step in range(plan.steps):
        if step in plan.changes:
            found.append(
                _call(stage, len(found), "setOpen", OWNER, 1 - stage.storage.get(FLAG, 0), plan, rng)
            )
        if created < plan.items and (not created or rng.random() < 0.3):
            created += 1
            found.append(_call(stage, len(found), "create", rng.choice(PEOPLE), None, plan, rng))
            continue
        item = rng.randrange(max(0, created - 12), created)
        held = stage.storage.get(_status(item), 0)
        function = "offer" if held == CREATED else "buy" if held == OFFERED else rng.choice(("offer", "buy"))
        found.append(_call(stage, len(found), function, rng.choice(PEOPLE), item, plan, rng))
    return found


def _status(item: int) -> int:
    return int.from_bytes(keccak(item.to_bytes(32, "big") + STATUS.to_bytes(32, "big")), "big")


def _call(
    stage: Stage,
    row: int,
    function: str,
    sender: Address,
    argument: int | None,
    plan: Plan,
    rng: random.Random,
) -> Transaction:
    stage.accesses, stage.preimages = [], {}
    accepted = _performed(stage, function, argument, plan, rng)
    signature = f"{function}({'' if argument is None else 'bool' if function == 'setOpen' else 'uint256'})"
    data = keccak(signature.encode())[:4] + (b"" if argument is None else argument.to_bytes(32, "big"))
    call = Invocation(
        contract=BAZAAR,
        code=BAZAAR,
        position=0,
        parent=None,
        depth=0,
        kind=InvocationKind.EXTERNAL,
        sender=sender,
        value=0,
        data=data,
        outcome=Outcome(kind=OutcomeKind.RETURNED if accepted else OutcomeKind.REVERTED),
        gas=100_000,
        gas_used=50_000,
        accesses=tuple(stage.accesses),
    )
    return Transaction(
        hash=Hash(keccak(b"visit%d" % row)),
        block=block_of(10 + row // 2),
        index=row % 2,
        sender=sender,
        to=BAZAAR,
        value=0,
        gas=100_000,
        gas_used=50_000,
        nonce=row,
        succeeded=accepted,
        tracer=Tracer.JAVASCRIPT,
        invocations=(call,),
        preimages=tuple(stage.preimages),
    )


def _performed(stage: Stage, function: str, argument: int | None, plan: Plan, rng: random.Random) -> bool:
    """Make the accesses of a call; return whether it is accepted."""
    if function == "setOpen":
        stage.read(FLAG)
        stage.write(FLAG, int(argument or 0))
        return True
    if function == "create":
        item = stage.read(NEXT)
        stage.write(NEXT, item + 1)
        stage.write(stage.slot(item, STATUS), CREATED)
        return True
    item = int(argument or 0)
    if function == "buy":
        closed = stage.read(FLAG) == 0
        if closed if plan.matters else rng.random() < 0.4:
            return False
    status = stage.slot(item, STATUS)
    wanted, becomes = (CREATED, OFFERED) if function == "offer" else (OFFERED, SOLD)
    if stage.read(status) != wanted:
        return False
    stage.write(status, becomes)
    return True


def artifact(flag: str = "isOpen") -> bytes:
    """Return the ABI and the storage layout, in which the flag may have any name."""
    abi = [
        {
            "type": "function",
            "name": name,
            "inputs": [{"name": item, "type": "bool" if name == "setOpen" else "uint256"} for item in inputs],
            "outputs": [],
            "stateMutability": "nonpayable",
        }
        for name, inputs in ARGUMENTS.items()
    ]
    types = {
        "w": {"encoding": "inplace", "label": "uint256", "numberOfBytes": "32"},
        "u": {"encoding": "inplace", "label": "uint8", "numberOfBytes": "1"},
        "b": {"encoding": "inplace", "label": "bool", "numberOfBytes": "1"},
        "m": {"encoding": "mapping", "label": "m", "numberOfBytes": "32", "key": "w", "value": "u"},
    }
    storage = [
        {"label": name, "offset": 0, "slot": str(slot), "type": kind, "astId": slot, "contract": "B"}
        for slot, (name, kind) in enumerate((("nextId", "w"), (flag, "b"), ("status", "m")))
    ]
    layout = {"storage": storage, "types": types}
    return msgspec.json.encode({"abi": abi, "contractName": "Bazaar", "storageLayout": layout})


def history_of(transactions: Sequence[Transaction], flag: str = "isOpen") -> History:
    """Return the history as the database gives it."""
    record = ContractRecord(address=BAZAAR, chain_id=CHAIN, created_in_block=9, artifact=artifact(flag))
    with TraceStore("sqlite://") as store:
        last = transactions[-1].block.number
        store.add_history(record, (), complete=(10, last))
        store.add(CHAIN, BAZAAR, transactions, complete=(10, last))
        return store.history(CHAIN, [BAZAAR])
