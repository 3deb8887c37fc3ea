"""From slots back to the constants they were computed from, through what was hashed.

``keccak(key . base)`` is where a mapping keeps an entry, ``keccak(base)`` where a dynamic array begins; what a
slot lies behind, that hash's base lies behind another, until a base is reached that is no hash. All of it
is done for all slots at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from eth_utils.crypto import keccak

from specminer.history import MISSING, IntColumn
from specminer.location.places import ARRAY_BASES, NAMED_BASES, NEARBY
from specminer.words import WordArray, difference, from_bytes, from_integers

MAX_STEPS: Final = 8
"""Hashes followed at most; hostile preimages may form long chains."""
ARRAY, WORD, TEXT = range(3)
"""What a hash was made of: an array's slot alone; a key of 32 bytes and a base; a key of another length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hashes:
    """What was hashed, by image, ascending; ``p`` rows."""

    image: WordArray
    base: WordArray
    """The slot that was hashed with the key."""
    form: IntColumn
    """``ARRAY``, ``WORD`` or ``TEXT``."""
    key: WordArray
    """The key where ``form`` is ``WORD``, else 0."""
    texts: dict[int, bytes]
    """Row to key, where ``form`` is ``TEXT``."""
    guessed: IntColumn
    """1 where no tracer saw it hashed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """How ``s`` slots were computed: from a root outwards through ``depth`` hashes."""

    root: WordArray
    """The base that is no hash; the slot itself where ``depth`` is 0."""
    depth: IntColumn
    hash: IntColumn
    """Row in ``Hashes`` of each hash, the outermost key first, ``MISSING`` behind the last; shape (s, d)."""
    offset: IntColumn
    """How far behind that hash the next base, or the slot, lies; shape (s, d)."""


def _hashed(base: int) -> tuple[int, bytes]:
    data = base.to_bytes(32, "big")
    return int.from_bytes(keccak(data), "big"), data


ARRAY_IMAGES: Final = dict(_hashed(base) for base in range(ARRAY_BASES))
"""Where dynamic arrays in the first slots begin: compilers hash constant slots themselves, no tracer sees it."""


def hashes(preimages: Mapping[int, bytes], arrays: Iterable[int] = ()) -> Hashes:
    """Return a table of what was hashed.

    ``ARRAY_IMAGES`` and the slots of ``arrays`` are added as dynamic arrays.
    """
    known = dict(ARRAY_IMAGES)
    known.update(_hashed(base) for base in arrays)
    guessed = known.keys() - preimages.keys()
    known |= {image: data for image, data in preimages.items() if len(data) >= 32}
    images = from_integers(known)
    order = np.argsort(images)
    data = list(known.values())
    data = [data[row] for row in order.tolist()]
    lengths = np.fromiter(map(len, data), dtype=np.int64, count=len(data))
    form = np.select([lengths == 32, lengths == 64], [ARRAY, WORD], TEXT)
    unknown = np.fromiter((image in guessed for image in known), dtype=np.int64, count=len(known))
    return Hashes(
        image=images[order],
        base=from_bytes([item[-32:] for item in data]),
        form=form,
        key=from_bytes([item[:32] if len(item) == 64 else bytes(32) for item in data]),
        texts={int(row): data[row][:-32] for row in np.flatnonzero(form == TEXT)},
        guessed=unknown[order],
    )


def paths(slots: WordArray, known: Hashes) -> Paths:
    """Return how each slot was computed; n log n in slots and hashes together."""
    at, behind = _matched(slots, known)
    parent = np.full(len(known.image), MISSING, dtype=np.int64)
    gap = np.zeros(len(known.image), dtype=np.int64)
    frontier = np.unique(at[at != MISSING])
    for _ in range(MAX_STEPS - 1):
        parent[frontier], gap[frontier] = _matched(known.base[frontier], known)
        outer = np.unique(parent[frontier])
        frontier = outer[(outer != MISSING) & (parent[outer] == MISSING)]
    levels: list[tuple[IntColumn, IntColumn]] = []
    while len(levels) < MAX_STEPS and np.any(at != MISSING):
        levels.append((at, behind))
        inside = at != MISSING
        at, behind = np.where(inside, parent[at], MISSING), np.where(inside, gap[at], 0)
    return _outwards(slots, known, levels)


def _matched(slots: WordArray, known: Hashes) -> tuple[IntColumn, IntColumn]:
    """Return the hash that each slot lies behind, or ``MISSING``, and how far."""
    at = np.searchsorted(known.image, slots, side="right") - 1
    behind = difference(slots, known.image[np.maximum(at, 0)], NEARBY)
    (limit,) = from_integers([NAMED_BASES])
    behind[(at < 0) | (slots < limit)] = MISSING
    return np.where(behind == MISSING, MISSING, at), np.maximum(behind, 0)


def _outwards(slots: WordArray, known: Hashes, levels: list[tuple[IntColumn, IntColumn]]) -> Paths:
    """Turn the order round: ``levels`` lead from the slots inwards to the roots."""
    depth = np.sum([at != MISSING for at, _ in levels], axis=0, dtype=np.int64) + np.zeros(
        len(slots), np.int64
    )
    steps = np.full((len(slots), max(1, len(levels))), MISSING, dtype=np.int64)
    offset = np.zeros_like(steps)
    root = slots.copy()
    for level, (at, behind) in enumerate(levels):
        rows = np.flatnonzero(at != MISSING)
        steps[rows, depth[rows] - 1 - level] = at[rows]
        offset[rows, depth[rows] - 1 - level] = behind[rows]
        root[rows] = known.base[at[rows]]
    return Paths(root=root, depth=depth, hash=steps, offset=offset)
