"""Storage layouts written by hand, as a compiler would give them."""

from __future__ import annotations

from typing import Any

from eth_utils.crypto import keccak

from specminer.decoding.storage_layout import Layout
from tests.support.histories import BALANCES


def layout_of(*names: str) -> Layout:
    """Four words and a mapping by account."""
    word = {"encoding": "inplace", "label": "uint256", "numberOfBytes": "32"}
    account = {"encoding": "inplace", "label": "address", "numberOfBytes": "20"}
    mapping = {
        "encoding": "mapping",
        "label": "mapping(address => uint256)",
        "numberOfBytes": "32",
        "key": "a",
        "value": "w",
    }
    storage = [
        {"label": name, "offset": 0, "slot": str(slot), "type": "w" if slot != BALANCES else "m"}
        for slot, name in enumerate(names)
    ]
    return Layout({"storage": storage, "types": {"w": word, "a": account, "m": mapping}}, "test")


NAMED = layout_of("a", "b", "c", "d", "balances")


def member(label: str, slot: object, kind: str, offset: object = 0) -> dict[str, Any]:
    """Return a variable of a contract, or a field of a struct."""
    return {"label": label, "slot": str(slot), "type": kind, "offset": offset}


def good() -> dict[str, Any]:
    """Return a compiler's layout with a variable of each kind, as a test may change it."""

    def inplace(label: str, size: int, **more: Any) -> dict[str, Any]:
        return {"encoding": "inplace", "label": label, "numberOfBytes": str(size), **more}

    types = {
        "u": inplace("uint256", 32),
        "h": inplace("uint128", 16),
        "a": inplace("address", 20),
        "t": {"encoding": "bytes", "label": "string", "numberOfBytes": "32"},
        "m": {"encoding": "mapping", "label": "m", "numberOfBytes": "32", "key": "a", "value": "s"},
        "d": {"encoding": "dynamic_array", "label": "s[]", "numberOfBytes": "32", "base": "s"},
        "f": inplace("uint128[3]", 64, base="h"),
        "s": inplace(
            "struct S",
            96,
            members=[member("x", 0, "h"), member("y", 0, "h", 16), member("z", 1, "m"), member("l", 2, "d")],
        ),
    }
    storage = [
        member("v", 0, "u"),
        member("m", 1, "m"),
        member("d", 2, "d"),
        member("f", 3, "f"),
        member("t", 5, "t"),
    ]
    return {"storage": storage, "types": types}


def image(data: bytes) -> int:
    """Return the Keccak hash as a slot."""
    return int.from_bytes(keccak(data), "big")
