"""What a replay must know to go on, as bytes."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from specminer.history.trace import Address
from specminer.replay.unseen_causes import Slot


class SavedReplay(msgspec.Struct, frozen=True):
    """What a replay must know to go on: see ``Replay.save``."""

    machine: bytes
    deployed: list[bytes]
    slots: list[tuple[bytes, bytes]]
    contracts: list[bytes]
    asked: dict[str, int]
    strangers: list[tuple[bytes, int]]
    funded: int
    believed: list[tuple[bytes, bytes]] = []
    attempts: int = 0
    facts: list[tuple[bytes, bytes, str]] = []
    """Contract, transaction, text."""


def decode_replay(saved: bytes) -> SavedReplay:
    """Return what :func:`msgspec.msgpack.encode` made of a saved replay.

    Raises:
        ValueError: it is none.

    """
    try:
        return msgspec.msgpack.decode(saved, type=SavedReplay)
    except msgspec.DecodeError as error:
        raise ValueError("this is no saved replay") from error


def saved_slots(slots: Iterable[Slot]) -> list[tuple[bytes, bytes]]:
    """Return slots in order, as bytes."""
    return sorted((address, slot.to_bytes(32, "big")) for address, slot in slots)


def restored_slots(saved: Iterable[tuple[bytes, bytes]]) -> set[Slot]:
    """Return what :func:`saved_slots` saved."""
    return {(Address(address), int.from_bytes(slot, "big")) for address, slot in saved}
