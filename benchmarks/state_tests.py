"""The public state tests of Ethereum on the engine: which share of them passes, fork by fork.

    python -m benchmarks.state_tests FOLDER [PART ...]

FOLDER holds the JSON files of ``GeneralStateTests`` (of github.com/ethereum/tests, or filled by
``execution-spec-tests``); with PARTs only files whose path contains one of them run. A test passes if the root of the
state afterwards and the hash of the logs are right. Transactions that no block may hold are left out, because the
engine does not check that. A test that does not pass is also run on the executable specification: where that ends as
the engine does, the test was filled by other rules (a draft of a fork) and is counted as ``outdated``.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from eth_utils.crypto import keccak
from ethereum.forks.osaka.fork_types import Account
from ethereum.forks.osaka.state import State, set_account, set_storage, state_root
from ethereum_types.bytes import Bytes20
from ethereum_types.numeric import U256, Uint

from specminer._support.creation_addresses import encode_bytes, encode_list
from specminer.evm.forks import FORKS
from specminer.evm.frame import BlockContext, Log
from specminer.evm.transaction_execution import Authorization, EvmTransaction, execute
from specminer.evm.world import World
from tests.support.reference import Given, Scenario, by_engine, by_reference, differences

NAMES: Final = {
    "Frontier": "frontier",
    "Homestead": "homestead",
    "EIP150": "tangerine_whistle",
    "EIP158": "spurious_dragon",
    "Byzantium": "byzantium",
    "ConstantinopleFix": "constantinople",
    "Istanbul": "istanbul",
    "Berlin": "berlin",
    "London": "london",
    "Merge": "paris",
    "Paris": "paris",
    "Shanghai": "shanghai",
    "Cancun": "cancun",
    "Prague": "prague",
    "Osaka": "osaka",
}
Json = Mapping[str, Any]
BETWEEN_WORDS: Final = 30
"""Seconds between two words about how far it is."""


def number(text: str | None, default: int = 0) -> int:
    """Return a number of a test."""
    return default if text in (None, "") else int(str(text), 16)


def data_of(text: str) -> bytes:
    """Return bytes of a test."""
    return bytes.fromhex(text.removeprefix("0x"))


def world_of(accounts: Json) -> World:
    """Return the world before a test."""
    world = World()
    for address, given in accounts.items():
        account = world.account(number(address))
        account.exists = True
        account.nonce, account.balance = number(given["nonce"]), number(given["balance"])
        account.code = data_of(given["code"])
        account.storage.update({number(slot): number(value) for slot, value in given["storage"].items()})
    return world


def block_of(env: Json) -> BlockContext:
    """Return the block of a test; the hash of another block is that of its number's text."""
    return BlockContext(
        chain_id=1,
        number=number(env["currentNumber"]),
        timestamp=number(env["currentTimestamp"]),
        coinbase=number(env["currentCoinbase"]),
        gas_limit=number(env["currentGasLimit"]),
        base_fee=number(env.get("currentBaseFee")),
        randomness=number(env.get("currentRandom") or env.get("currentDifficulty")),
        excess_blob_gas=number(env.get("currentExcessBlobGas")),
        hashes=lambda asked: int.from_bytes(keccak(str(asked).encode()), "big"),
    )


def transaction_of(given: Json, indexes: Json, base_fee: int) -> EvmTransaction:
    """Return one of a test's transactions."""
    price = number(given.get("gasPrice"))
    if given.get("maxFeePerGas"):
        tip = number(given.get("maxPriorityFeePerGas"))
        price = min(number(given["maxFeePerGas"]), base_fee + tip)
    lists = given.get("accessLists") or []
    listed = (lists[indexes["data"]] if indexes["data"] < len(lists) else None) or []
    return EvmTransaction(
        sender=number(given["sender"]),
        to=number(given["to"]) if given["to"] else None,
        value=number(given["value"][indexes["value"]]),
        data=data_of(given["data"][indexes["data"]]),
        gas=number(given["gasLimit"][indexes["gas"]]),
        gas_price=price,
        nonce=number(given["nonce"]),
        access_list=tuple(
            (number(item["address"]), tuple(map(number, item["storageKeys"]))) for item in listed
        ),
        blob_hashes=tuple(map(number, given.get("blobVersionedHashes") or ())),
        authorizations=tuple(map(_authorization, given.get("authorizationList") or ())),
    )


def _authorization(given: Json) -> Authorization:
    return Authorization(
        chain_id=number(given["chainId"]),
        address=number(given["address"]),
        nonce=number(given["nonce"]),
        parity=number(given.get("yParity", given.get("v"))),
        r=number(given["r"]),
        s=number(given["s"]),
    )


def root_of(world: World) -> bytes:
    """Return the root of a world's state."""
    state = State()
    for number_, account in world.accounts.items():
        if account.exists:
            address = Bytes20(number_.to_bytes(20, "big"))
            fields = Account(nonce=Uint(account.nonce), balance=U256(account.balance), code=account.code)
            set_account(state, address, fields)
            for slot, value in account.storage.items():
                if value:
                    set_storage(state, address, slot.to_bytes(32, "big"), U256(value))  # type: ignore[arg-type]
    return bytes(state_root(state))


def hash_of(logs: Sequence[Log]) -> bytes:
    """Return the hash of logs."""
    items = []
    for log in logs:
        topics = encode_list([encode_bytes(topic.to_bytes(32, "big")) for topic in log.topics])
        items.append(
            encode_list([encode_bytes(log.address.to_bytes(20, "big")), topics, encode_bytes(log.data)])
        )
    return bytes(keccak(encode_list(items)))


def as_specified(test: Json, fork: str, transaction: EvmTransaction, block: BlockContext) -> bool:
    """Return whether the engine ends as the executable specification does."""
    accounts = {
        number(address): Given(
            nonce=number(given["nonce"]),
            balance=number(given["balance"]),
            code=data_of(given["code"]),
            storage={number(slot): number(value) for slot, value in given["storage"].items()},
        )
        for address, given in test["pre"].items()
    }
    scenario = Scenario(fork=fork, accounts=accounts, transaction=transaction, block=block)
    return not differences(by_engine(scenario), by_reference(scenario))


def outcomes(test: Json) -> Iterator[tuple[str, str]]:
    """Yield each fork and transaction of a test: the fork and ``passed``, ``failed``, ``outdated`` or ``invalid``."""
    block = block_of(test["env"])
    for fork, expectations in test["post"].items():
        for expected in expectations:
            if fork not in NAMES or "expectException" in expected:
                yield fork, "invalid"
                continue
            world = world_of(test["pre"])
            transaction = transaction_of(test["transaction"], expected["indexes"], block.base_fee)
            result = execute(
                world, FORKS[NAMES[fork]], block, transaction, charge_fees=True, max_steps=1 << 40
            )
            logs = () if result.halt is not None else result.logs
            right = root_of(world) == data_of(expected["hash"])
            if right and hash_of(logs) == data_of(expected["logs"]):
                yield fork, "passed"
            else:
                same = as_specified(test, NAMES[fork], transaction, block)
                yield fork, "outdated" if same else "failed"


def main(arguments: Sequence[str]) -> int:
    """Run the tests of a folder."""
    folder, parts = Path(arguments[0]), arguments[1:]
    counts: Counter[tuple[str, str]] = Counter()
    paths = [
        path
        for path in sorted(folder.rglob("*.json"))
        if not parts or any(part in str(path) for part in parts)
    ]
    said = time.monotonic()
    for done, path in enumerate(paths):
        if time.monotonic() > said + BETWEEN_WORDS:
            said = time.monotonic()
            print(
                f"{done:,} of {len(paths):,} files, {sum(counts.values()):,} tests",
                file=sys.stderr,
                flush=True,
            )
        for name, test in json.loads(path.read_text()).items():
            if not isinstance(test, dict) or "post" not in test:
                continue
            found = Counter(outcomes(test))
            counts += found
            wrong = sum(count for (_, outcome), count in found.items() if outcome == "failed")
            if wrong:
                print(f"{path.relative_to(folder)} {name}: {wrong} failed", flush=True)
    for fork in dict.fromkeys(fork for fork, _ in counts):
        passed, failed = counts[fork, "passed"], counts[fork, "failed"]
        share = passed / max(1, passed + failed)
        print(
            f"{fork:<18}{passed:>7,} of {passed + failed:>7,} passed ({share:.2%}); left out: "
            f"{counts[fork, 'outdated']} outdated, {counts[fork, 'invalid']} invalid"
        )
    return int(any(outcome == "failed" for _, outcome in counts))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
