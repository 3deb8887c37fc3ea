"""Contracts by hand, in bytecode: for what no compiler writes."""

from __future__ import annotations

from typing import Final

from specminer.history.trace import Address, Hash
from specminer.sources.exported import ExportedTransaction

OWNER: Final = Address(b"\x0a" * 20)
CONTRACT: Final = Address(b"\xc0" * 20)
GAS: Final = 1_000_000

LOOP: Final = bytes.fromhex("5b600056")
"""Jumps to itself, for ever."""
MEMORY: Final = bytes.fromhex("7f" + "00" * 16 + "ff" * 16 + "5100")
"""Reads memory far out."""
RECURSION: Final = bytes.fromhex("6000600060006000600030" + "5af100")
"""Calls itself with all its gas."""
COUNT: Final = bytes.fromhex("600054600101600055" + "00")
"""Adds one to slot 0."""
FAIL: Final = bytes.fromhex("60006000fd")
"""Reverts."""


def deploying(runtime: bytes) -> bytes:
    """Return the creation code of a contract."""
    size = f"61{len(runtime):04x}"
    return bytes.fromhex(f"{size}600e600039{size}6000f3") + runtime


def record(
    number: int,
    *,
    data: bytes = b"",
    to: Address | None = CONTRACT,
    value: int = 0,
    gas: int = GAS,
    gas_used: int | None = None,
    succeeded: bool | None = True,
    sender: Address = OWNER,
    created: Address | None = None,
) -> ExportedTransaction:
    """Return transaction ``number`` of an export, in a block of its own."""
    return ExportedTransaction(
        hash=Hash(number.to_bytes(32, "big")),
        block=number,
        block_hash=None,
        index=0,
        timestamp=1_700_000_000 + 12 * number,
        sender=sender,
        to=to,
        created=created,
        value=value,
        gas=gas,
        gas_price=0,
        gas_used=gas_used,
        nonce=number - 1,
        succeeded=succeeded,
        data=data,
        record=number,
    )


def creation(runtime: bytes, number: int = 1) -> ExportedTransaction:
    """Return the transaction that creates :data:`CONTRACT`."""
    return record(number, data=deploying(runtime), to=None, created=CONTRACT)
