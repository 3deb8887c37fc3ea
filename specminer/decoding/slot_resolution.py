"""Resolves all storage slots of a history at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

import numpy as np

from specminer.contracts.probe import ProbedGetter
from specminer.decoding.getters import read_getters
from specminer.decoding.hash_paths import Hashes, hashes, paths
from specminer.decoding.laid_out_slots import LayoutWalk
from specminer.decoding.location_building import Building
from specminer.decoding.location_columns import Locations, NameSource
from specminer.decoding.numbered_slots import NumberedWalk
from specminer.decoding.observed_shapes import SlotObservations
from specminer.decoding.preimages import Dictionary
from specminer.decoding.standard_slots import standards
from specminer.decoding.storage_layout import Layout
from specminer.decoding.storage_shapes import Shape, shapes
from specminer.decoding.storage_values import NAMED_BASES
from specminer.history.contract_history import MISSING, History, Slots, slots
from specminer.history.words import WordArray, from_integers

CONSTANT_SHARE: Final = 0.05
"""A slot that looks like a hash and that nothing explains is a variable of its own if at least this share of the
invocations touches it: a proxy's slots are, entries of mappings are not."""
_FREE_MEMORY: Final = bytes.fromhex("604052")
"""PUSH1 0x40, MSTORE."""
MAX_CONSTANTS: Final = 256
"""Such variables at most: those touched most often."""


def locate(
    history: History,
    layout: Layout | None = None,
    slot_numbers: Slots | None = None,
    *,
    probed: Iterable[ProbedGetter] = (),
) -> Locations:
    """Say what each storage slot of a history means; n log n in slots and preimages, linear in accesses.

    What no preimage explains is looked for by trying (:class:`Dictionary`), at a bounded cost.

    Args:
        history: one or more contracts'; they share the layout and the getters.
        layout: the compiler's storage layout; trusted above all else.
        slot_numbers: what :func:`specminer.history.contract_history.slots` returns, where it is at hand.
        probed: runs of the ABI's getters, which name what the layout does not.

    """
    slot_numbers = slots(history) if slot_numbers is None else slot_numbers
    words = from_integers(history.words[row] for row in slot_numbers.word.tolist())
    root_shapes = shapes(read_getters(probed))
    key_last = layout.key_last if layout is not None else False if from_solc(history) else None
    arrays = [*(layout.array_slots() if layout is not None else ()), *standards().array_slots()]
    table = hashes(history.preimages, arrays, key_last=key_last)
    far = [(root, 1) for root in root_shapes if root >= NAMED_BASES]
    far += [(item.slot, item.slots) for item in standards().variables]
    if layout is not None:
        far += [(item.slot, item.slots) for item in layout.variables if item.slot >= NAMED_BASES]
    return resolve(
        words,
        Dictionary(history, slot_numbers, words, key_last=key_last).run(table, far),
        layout,
        constants=_frequent(history, slot_numbers),
        shapes=root_shapes,
        observations=SlotObservations(history, slot_numbers, words),
    )


def resolve(
    words: WordArray,
    table: Hashes,
    layout: Layout | None,
    *,
    constants: Collection[int] = (),
    shapes: Mapping[int, Shape] | None = None,
    observations: SlotObservations | None = None,
) -> Locations:
    """Say what slots mean, given what was hashed.

    Args:
        words: the slots.
        table: what was hashed.
        layout: the compiler's storage layout.
        constants: slots that look like hashes, but are none.
        shapes: what is known where the layout says nothing.
        observations: the values in the slots, in the order of ``words``.

    """
    slot_paths = paths(words, table)
    building = Building(slot_paths, np.full(len(words), MISSING, dtype=np.int64))
    if layout is not None:
        LayoutWalk(layout, table, building).run()
    LayoutWalk(standards(), table, building, NameSource.STANDARD).run()
    walk = NumberedWalk(table, building, constants, shapes or {}, observations)
    walk.run()
    return building.finish(table, walk.roots)


def from_solc(history: History) -> bool:
    """Whether code at hand begins as solc lets it begin: by storing where free memory begins, at 0x40.

    Any will do: before an implementation may stand a proxy of a few bytes that no compiler made.
    """
    codes = [record.code for record in history.contracts]
    codes += [code for record in history.contracts for _, code in record.implementations]
    return any(_FREE_MEMORY in code[:16] for code in codes)


def _frequent(history: History, slot_numbers: Slots) -> list[int]:
    """Return the slots that look like hashes, but that much of the history touches."""
    accesses = np.bincount(slot_numbers.access, minlength=len(slot_numbers))
    likely = np.zeros(len(slot_numbers), dtype=np.bool_)
    for row in np.flatnonzero(accesses >= CONSTANT_SHARE * len(history)).tolist():
        likely[row] = history.words[slot_numbers.word[row]] >= NAMED_BASES
    rows = np.flatnonzero(likely[slot_numbers.access])
    calls = history.access_invocation[rows].astype(np.int64)
    pairs = np.unique(calls * len(slot_numbers) + slot_numbers.access[rows])
    touching = np.bincount(pairs % max(1, len(slot_numbers)), minlength=len(slot_numbers))
    ranking = {
        (-int(touching[row]), history.words[slot_numbers.word[row]])
        for row in np.flatnonzero(likely & (touching >= CONSTANT_SHARE * len(history))).tolist()
    }
    return [word for _, word in sorted(ranking)[:MAX_CONSTANTS]]
