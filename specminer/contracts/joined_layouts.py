"""Puts the storage layouts of several implementations of one proxy together.

They describe one storage. The newest says what lies where; what only an older one has is added. Where two say different
things of one place, the newest one counts, and the difference is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

_GAP: Final = re.compile(r"_*gap[0-9_]*", re.IGNORECASE | re.ASCII)
"""How contracts call what they reserve for later versions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutConflict:
    """Two variables at one place."""

    label: str
    """The variable as the newest layout has it."""
    older_label: str
    """As an older one has it."""
    slot: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedLayout:
    """One layout of several."""

    layout: dict[str, Any]
    conflicts: tuple[LayoutConflict, ...]


def join_layouts(layouts: Sequence[dict[str, Any]]) -> JoinedLayout | None:
    """Return layouts in solc's form as one, the first of them leading; ``None`` of none.

    The layouts were checked before: every type that is named is described, and places are decimal numbers.
    """
    if not layouts:
        return None
    leading, *others = layouts
    storage, types = list(leading["storage"]), dict(leading["types"] or {})
    conflicts: list[LayoutConflict] = []
    for number, other in enumerate(others):
        if bool(other.get("keyLast")) != bool(leading.get("keyLast")):
            continue  # of another compiler
        member_types = other["types"] or {}
        for member in other["storage"]:
            rivals = [item for item in storage if _overlap(item, types, member, member_types)]
            if not rivals:
                renamed = f"v{number}:"
                types |= dict(_described(member["type"], member_types, renamed))
                storage.append(member | {"type": f"{renamed}{member['type']}"})
            elif not _is_gap(member["label"]):
                conflicts += (
                    LayoutConflict(label=item["label"], older_label=member["label"], slot=int(member["slot"]))
                    for item in rivals
                    if not _is_gap(item["label"]) and not _alike(item, types, member, member_types)
                )
    joined = leading | {"storage": storage, "types": types}
    return JoinedLayout(layout=joined, conflicts=tuple(dict.fromkeys(conflicts)))


def _is_gap(label: str) -> bool:
    return _GAP.fullmatch(label) is not None


def _span(member: dict[str, Any], types: dict[str, Any]) -> tuple[int, int]:
    """Return the first byte of a variable, counted over all slots, and the one behind its last."""
    start = int(member["slot"]) * 32 + int(member.get("offset", 0))
    return start, start + int(types[member["type"]]["numberOfBytes"])


def _overlap(
    one: dict[str, Any], types: dict[str, Any], other: dict[str, Any], other_types: dict[str, Any]
) -> bool:
    (start, end), (other_start, other_end) = _span(one, types), _span(other, other_types)
    return start < other_end and other_start < end


def _alike(
    one: dict[str, Any], types: dict[str, Any], other: dict[str, Any], other_types: dict[str, Any]
) -> bool:
    """Whether two variables at one place have one name and are kept in one way."""
    if one["label"] != other["label"] or _span(one, types) != _span(other, other_types):
        return False
    return bool(types[one["type"]]["label"] == other_types[other["type"]]["label"])


def _described(name: str, types: dict[str, Any], prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a type and all that it is made of, under names of their own."""
    pending, handled = [name], {name}
    while pending:
        current = pending.pop()
        described = dict(types[current])
        parts = [key for key in ("base", "key", "value") if isinstance(described.get(key), str)]
        inside = [described[key] for key in parts] + [item["type"] for item in described.get("members") or ()]
        pending += [item for item in dict.fromkeys(inside) if item not in handled]
        handled.update(inside)
        described |= {key: f"{prefix}{described[key]}" for key in parts}
        if described.get("members"):
            described["members"] = [
                item | {"type": f"{prefix}{item['type']}"} for item in described["members"]
            ]
        yield f"{prefix}{current}", described
