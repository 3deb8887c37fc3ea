"""What a history's storage means: layout, getters and hashes brought together, with what speaks against them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from specminer.contracts.artifact import Artifact
from specminer.contracts.probe import ProbedGetter
from specminer.decoding.getters import read_getters
from specminer.decoding.layout_check import check
from specminer.decoding.location_columns import Locations
from specminer.decoding.slot_resolution import from_solc, locate
from specminer.decoding.storage_layout import Layout
from specminer.decoding.stored_enums import with_enum_members
from specminer.history.contract_history import MISSING, History, Slots, slots
from specminer.history.trace import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageNames:
    """The locations of a history, and what they were named by."""

    locations: Locations
    layout_used: bool
    """Whether a storage layout was at hand, and fit."""
    notes: tuple[str, ...]
    """What speaks against the layout, as sentences without full stops."""


def name_storage(
    history: History, artifact: Artifact | None, slot_numbers: Slots | None = None
) -> StorageNames:
    """Say what each storage slot of a history means, by all that is known of the contract.

    Raises:
        FileFormatError: the artifact's storage layout is malformed.

    """
    slot_numbers = slots(history) if slot_numbers is None else slot_numbers
    layout = Layout(artifact.storage_layout, "the artifact") if artifact and artifact.storage_layout else None
    locations = locate(history, layout, slot_numbers)
    probed = getters(history, artifact) if artifact is not None else []
    notes: list[str] = []
    if layout is not None:
        verdict = check(history, slot_numbers, locations, layout, read_getters(probed))
        notes += verdict.problems
        if not verdict.usable:
            notes.append("the storage layout contradicts the contract, so it was not used")
            layout = None
            locations = locate(history, None, slot_numbers)
    if probed and any(not item.has_name for item in locations.variables):
        locations = locate(history, layout, slot_numbers, probed=probed)
    if artifact is not None:
        locations = with_enum_members(locations, artifact)
    return StorageNames(locations=locations, layout_used=layout is not None, notes=tuple(notes))


def getters(history: History, artifact: Artifact) -> list[ProbedGetter]:
    """Run the ABI's getters on made-up storage; the code of the newest implementation comes first."""
    codes = list(_codes(history))
    if not codes:
        return []
    from specminer.replay.probing import probe  # loads the machine

    return probe(codes, artifact.abi, vyper=not from_solc(history))


def _codes(history: History) -> Iterable[bytes]:
    """Yield the runtime codes that the history's calls ran, those that ran last first, each once."""
    codes_by_address: dict[Address, list[bytes]] = {}
    for record in reversed(history.contracts):  # of several lives the last one first
        codes_by_address.setdefault(record.address, []).append(record.code)
    for record in history.contracts:
        for address, code in record.implementations:
            codes_by_address[address] = [code]
    last = np.full(len(history.addresses), MISSING, dtype=np.int64)
    np.maximum.at(last, history.invocation_code, np.arange(len(history)))
    ran = [
        history.addresses[row] for row in np.argsort(-last, kind="stable").tolist() if last[row] != MISSING
    ]
    codes = [
        code
        for address in dict.fromkeys([*ran, *codes_by_address])
        for code in codes_by_address.get(address, ())
        if code
    ]
    return dict.fromkeys(codes)
