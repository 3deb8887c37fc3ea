"""Histories of many instances of one contract, made by calling at random: as the Azure benchmark's were made.

Ten accounts call whatever does not revert, without value. Written as an explorer exports them.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from eth_abi.abi import encode
from web3 import Web3

from tests.support.anvil import Anvil, Call, RpcFailed
from tests.support.exporting import write_txlist
from tests.support.solc import compile_files

ACCOUNTS: Final = 10
CREATION_GAS: Final = 4_000_000
CALL_GAS: Final = 2_000_000
TRIES: Final = 150
"""After so many calls that revert an instance is left alone."""
MEAN_LENGTH: Final = 4.0
LONGEST: Final = 25


def write_fuzzed(source: Path, folder: Path, instances: int, seed: int = 0) -> None:
    """Write ``abi.json``, ``truth.json`` and ``txlist.json`` of a contract whose truth lies beside its source."""
    compiled = compile_files(source, package="solc-0.5.17")[source.stem]
    draw = random.Random(seed)
    with Anvil() as anvil:
        for _ in range(instances):
            _instance(anvil, compiled, draw)
        folder.mkdir(parents=True)
        write_txlist(anvil, folder / "txlist.json")
    (folder / "abi.json").write_text(json.dumps(compiled["abi"]), encoding="utf-8")
    (folder / "truth.json").write_text(source.with_suffix(".truth.json").read_text(encoding="utf-8"))


def _instance(anvil: Anvil, compiled: dict[str, Any], draw: random.Random) -> None:
    """Create an instance and call it at random."""
    abi = compiled["abi"]
    accounts = anvil.accounts[:ACCOUNTS]
    (constructor,) = (item for item in abi if item["type"] == "constructor")
    functions = [
        item for item in abi if item["type"] == "function" and item["stateMutability"] not in ("view", "pure")
    ]
    data = f"0x{compiled['evm']['bytecode']['object']}{_arguments(draw, constructor['inputs'], accounts)}"
    creation = Call(sender=draw.choice(accounts), to=None, data=data, gas=CREATION_GAS)
    (receipt,) = anvil.block([creation])
    address = Web3.to_checksum_address(receipt["contractAddress"])
    left = min(1 + int(draw.expovariate(1 / MEAN_LENGTH)), LONGEST)
    for _ in range(TRIES):
        function = draw.choice(functions)
        signature = f"{function['name']}({','.join(item['type'] for item in function['inputs'])})"
        selector = Web3.keccak(text=signature)[:4].hex().removeprefix("0x")
        sender = draw.choice(accounts)
        data = f"0x{selector}{_arguments(draw, function['inputs'], accounts)}"
        try:
            anvil.rpc(
                "eth_call", {"from": sender, "to": address, "data": data, "gas": hex(CALL_GAS)}, "latest"
            )
        except RpcFailed:
            continue
        anvil.block([Call(sender=sender, to=address, data=data, gas=CALL_GAS)])
        left -= 1
        if not left:
            return


def _arguments(draw: random.Random, inputs: Sequence[dict[str, Any]], accounts: Sequence[str]) -> str:
    """Return arguments drawn at random, encoded."""
    types = [item["type"] for item in inputs]
    return encode(types, [_drawn(draw, item["name"], item["type"], accounts) for item in inputs]).hex()


def _drawn(draw: random.Random, name: str, kind: str, accounts: Sequence[str]) -> Any:
    if kind == "address":
        return draw.choice(accounts)
    if kind == "string":
        return draw.choice(("", "a", "hello world", "x" * 40))
    if kind.endswith("]"):
        length = int(kind[kind.index("[") + 1 : -1] or draw.randint(1, 3))
        return [draw.randrange(100) for _ in range(length)]
    if name == "times":  # each is a call inside the last one
        return draw.randint(1, 5)
    if name.startswith("min"):
        return -5
    if name.startswith("max"):
        return draw.randint(100, 300)
    return draw.choice((0, 1, draw.randrange(256), draw.randrange(256), draw.getrandbits(200)))
