"""Whether a storage layout can be the contract's: against its history and against its getters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from specminer._support.errors import plain
from specminer.decoding.getters import GetterReading
from specminer.decoding.location_columns import Locations, NameSource
from specminer.decoding.observed_shapes import SlotObservations
from specminer.decoding.storage_layout import Layout
from specminer.decoding.storage_values import ValueKind
from specminer.history.contract_history import BoolColumn, History, IntColumn, Slots
from specminer.history.words import from_integers

KNOWN_SHARE: Final = 0.5
"""A layout that explains less of the accesses is not used."""
TOLD_SHARE: Final = 0.001
"""A smaller share of unexplained accesses is not worth a sentence: assembly may keep things anywhere."""
_MAX_EXAMPLES: Final = 3
_MAX_CHECKED: Final = 500
"""Variables whose values are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutVerdict:
    """What speaks against a layout."""

    problems: tuple[str, ...]
    """Sentences without full stops."""
    usable: bool
    """Whether it explains the history and agrees with the getters well enough to be used at all."""


def check(
    history: History,
    slot_numbers: Slots,
    locations: Locations,
    layout: Layout,
    getters: Sequence[GetterReading],
) -> LayoutVerdict:
    """Compare a layout with what the history holds; ``locations`` are those that it gave."""
    accesses = np.bincount(slot_numbers.access, minlength=len(slot_numbers))
    own = np.array([item.naming in (NameSource.LAYOUT, NameSource.STANDARD) for item in locations.variables])
    strange = ~own[locations.variable] if len(own) else np.zeros(0, dtype=np.bool_)
    share = float(accesses[strange].sum()) / max(1, int(accesses.sum()))
    problems: list[str] = []
    if share >= TOLD_SHARE:
        examples = ", ".join(plain(locations.text(row), 80) for row in _most_touched(accesses, strange))
        problems.append(
            f"the storage layout does not explain {share:.1%} of the accesses to storage (such as {examples}); it may "
            "be another contract's or another version's (for a proxy, give the implementation's)"
        )
    problems += _misfits(history, slot_numbers, locations)
    agreeing, contrary = _getters(layout, getters)
    problems += contrary[:_MAX_EXAMPLES]
    is_contradicted = len(contrary) > 1 and len(contrary) > agreeing
    return LayoutVerdict(problems=tuple(problems), usable=share <= 1 - KNOWN_SHARE and not is_contradicted)


def _most_touched(accesses: IntColumn, strange: BoolColumn) -> list[int]:
    rows = np.flatnonzero(strange)
    order = np.lexsort((rows, -accesses[rows]))
    return [int(row) for row in rows[order][:_MAX_EXAMPLES]]


def _misfits(history: History, slot_numbers: Slots, locations: Locations) -> Iterable[str]:
    """Yield what was stored that the declared types cannot hold."""
    words = from_integers(history.words[row] for row in slot_numbers.word.tolist())
    observations = SlotObservations(history, slot_numbers, words)
    count = 0
    for number, item in enumerate(locations.variables[:_MAX_CHECKED]):
        partial = sum(part.width for part in item.fields) < 256
        flags = [part for part in item.fields if part.kind is ValueKind.BOOL]
        if item.naming is not NameSource.LAYOUT or not (partial or flags):
            continue
        used_bits = observations.used_bits(np.flatnonzero(locations.variable == number))
        declared_bits = 0
        for part in item.fields:
            declared_bits |= ((1 << part.width) - 1) << part.shift
        name = plain(item.text(), 80)
        if used_bits & ~declared_bits:
            yield (
                f"the slot of {name} holds values in bits that the storage layout does not give to any "
                "variable; the layout is probably another version's"
            )
            count += 1
        for part in flags:
            if (used_bits >> part.shift) & ((1 << part.width) - 1) > 1:
                field_name = plain(item.text(field=item.fields.index(part)), 80)
                yield f"{field_name} is a bool in the storage layout, but holds values other than 0 and 1"
                count += 1
        if count >= _MAX_EXAMPLES:
            return


def _getters(layout: Layout, getters: Sequence[GetterReading]) -> tuple[int, list[str]]:
    """Return how many getters agree with the variables of their names, and what the others read."""
    variable_by_label = {item.label: item for item in layout.variables}
    agreeing, contrary = 0, []
    for item in getters:
        variable = variable_by_label.get(item.getter.name)
        if variable is None or any(name for name, _ in item.getter.inputs):
            continue  # a function, not a public variable's getter
        inside = variable.slot <= item.root < variable.slot + variable.slots
        kind = layout.types[variable.type]
        is_shifted = kind.plain and item.shift >= 0 and item.shift != 8 * variable.offset
        if inside and not is_shifted:
            agreeing += 1
        else:
            contrary.append(
                f"the getter {plain(item.getter.name, 60)} reads slot {item.root}, bit {max(0, item.shift)}; the "
                f"storage layout has it in slot {variable.slot}, bit {8 * variable.offset}"
            )
    return agreeing, contrary
