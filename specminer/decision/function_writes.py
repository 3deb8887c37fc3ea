"""What the accepted runs of one function left in storage: read once, for effects and for what follows from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from specminer._support.keccak import keccak
from specminer.decision.effect_terms import EffectTerms
from specminer.decision.paths import FunctionDecisions
from specminer.decision.wording import Wording
from specminer.decision.writes import SlotLeft, SlotPlace, slots_left

MAX_SLOTS: Final = 128
"""Slots that one call writes to of which it is told what it leaves there."""
_MAX_CONTENT: Final = 1 << 16
"""Slots of one text's content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionWrites:
    """What each accepted run left in the slots that it wrote to."""

    terms: EffectTerms
    """Knows all places that were written to, also on ways that nobody took."""
    slots: Mapping[int, tuple[SlotLeft, ...]]
    """By position of the run; at most :data:`MAX_SLOTS` each."""
    runs_with_more: frozenset[int]
    """Runs that wrote to more."""

    def list_slots(self, run: int) -> Iterator[SlotLeft]:
        """Yield the slots of a run, but not those that hold the content of a text which it wrote."""
        slots = self.slots[run]
        contents = [_content_of(slot.slot) for slot in slots if self.terms.is_text(slot.slot_place)]
        for slot in slots:
            if not any(0 <= slot.slot - first < _MAX_CONTENT for first in contents):
                yield slot

    def same_slot(self, slot_place: SlotPlace, run: int) -> SlotPlace | None:
        """Return another place that was the same slot as this one in a run; ``None`` if there was none."""
        for slot in self.slots[run]:
            slot_places = (slot.slot_place, *slot.aliases)
            if slot_place in slot_places and len(slot_places) > 1:
                return next(item for item in slot_places if item != slot_place)
        return None


def writes_of(decisions: FunctionDecisions, wording: Wording) -> FunctionWrites:
    """Return what the accepted runs of a function left in storage.

    Args:
        decisions: what its calls decided.
        wording: names its expressions.

    """
    runs = decisions.runs
    terms = EffectTerms(wording, runs.arena)
    slots: dict[int, tuple[SlotLeft, ...]] = {}
    runs_of_place: dict[SlotPlace, list[int]] = {}
    beyond = set()
    for number, run in enumerate(runs.runs):
        if not run.accepted:
            continue
        slots_of_run, more = slots_left(run.record, MAX_SLOTS)
        slots[number] = tuple(slots_of_run)
        if more:
            beyond.add(number)
        for slot in slots_of_run:
            for slot_place in (slot.slot_place, *slot.aliases):
                runs_of_place.setdefault(slot_place, []).append(number)
    untried: dict[SlotPlace, list[int]] = {}
    for way in decisions.untried_ways:
        for slot in way.slots:
            untried.setdefault(slot.slot_place, []).append(way.run)
    for slot_place, positions in runs_of_place.items():
        terms.add_slot(slot_place, positions)
    for slot_place, positions in untried.items():
        terms.add_slot(slot_place, positions)  # what is known already stays as it is
    return FunctionWrites(terms=terms, slots=slots, runs_with_more=frozenset(beyond))


def _content_of(slot: int) -> int:
    """Return the slot where the content of a text begins that does not fit into its own."""
    return int.from_bytes(keccak(slot.to_bytes(32, "big")), "big")
