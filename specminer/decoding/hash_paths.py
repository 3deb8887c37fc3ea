"""From slots back to the constants they were computed from, through what was hashed.

``keccak(key . base)`` is where a mapping keeps an entry, ``keccak(base)`` where a dynamic array begins; what a
slot lies behind, that hash's base lies behind another, until a base is reached that is no hash. All of it
is done for all slots at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from specminer._support.keccak import keccak
from specminer.decoding.storage_values import ARRAY_BASES, NAMED_BASES, NEARBY
from specminer.history.contract_history import MISSING, BoolColumn, IntColumn
from specminer.history.hashing import keccak_all
from specminer.history.words import WordArray, difference, from_bytes, from_integers

MAX_STEPS: Final = 8
"""Hashes followed at most; hostile preimages may form long chains."""
ARRAY, WORD, TEXT = range(3)
"""What a hash was made of: an array's slot alone; a key of 32 bytes and a base; a key of another length."""


@dataclass(frozen=True, slots=True)
class KnownHash:
    """One thing that was hashed."""

    key: bytes
    base: bytes
    """The slot; 32 bytes."""
    key_last: bool
    """Whether the key stood behind the base, as Vyper has it."""
    array: bool = False
    """Whether the base was hashed alone."""

    @property
    def data(self) -> bytes:
        """What was hashed."""
        return self.base + self.key if self.key_last else self.key + self.base


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
    text: IntColumn
    """Row in ``texts`` of the key where ``form`` is ``TEXT``, else ``MISSING``."""
    texts: tuple[bytes, ...]
    guessed: BoolColumn
    """Whether no tracer saw it hashed."""

    def extend(self, items: Sequence[KnownHash]) -> Hashes:
        """Return the table with more rows, that were guessed."""
        data = [item.data for item in items]
        form = np.array([_form(item) for item in items], dtype=np.int64)
        text_rows = np.flatnonzero(form == TEXT)
        text = np.full(len(items), MISSING, dtype=np.int64)
        text[text_rows] = len(self.texts) + np.arange(len(text_rows))
        image = np.concatenate([self.image, keccak_all(data)])
        _, order = np.unique(image, return_index=True)  # what was there before stands first
        words = [
            item.key if kind == WORD else bytes(32) for item, kind in zip(items, form.tolist(), strict=True)
        ]
        return Hashes(
            image=image[order],
            base=np.concatenate([self.base, from_bytes([item.base for item in items])])[order],
            form=np.r_[self.form, form][order],
            key=np.concatenate([self.key, from_bytes(words)])[order],
            text=np.r_[self.text, text][order],
            texts=(*self.texts, *(items[row].key for row in text_rows.tolist())),
            guessed=np.r_[self.guessed, np.ones(len(items), dtype=np.bool_)][order],
        )


def _form(item: KnownHash) -> int:
    return ARRAY if item.array else WORD if len(item.key) == 32 else TEXT


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


def _hash_base(base: int) -> tuple[int, bytes]:
    data = base.to_bytes(32, "big")
    return int.from_bytes(keccak(data), "big"), data


ARRAY_IMAGES: Final = dict(_hash_base(base) for base in range(ARRAY_BASES))
"""Where dynamic arrays in the first slots begin: compilers hash constant slots themselves, no tracer sees it."""


def hashes(
    preimages: Mapping[int, bytes], arrays: Iterable[int] = (), *, key_last: bool | None = False
) -> Hashes:
    """Return a table of what was hashed.

    ``ARRAY_IMAGES`` and the slots of ``arrays`` are added as dynamic arrays. ``key_last`` says whether mappings
    are Vyper's, whose keys stand behind the base; ``None`` leaves it to the data.
    """
    data_by_image = dict(ARRAY_IMAGES)
    data_by_image.update(_hash_base(base) for base in arrays)
    guessed_images = data_by_image.keys() - preimages.keys()
    data_by_image |= {image: data for image, data in preimages.items() if len(data) >= 32}
    images = from_integers(data_by_image)
    order = np.argsort(images)
    data = list(data_by_image.values())
    data = [data[row] for row in order.tolist()]
    lengths = np.fromiter(map(len, data), dtype=np.int64, count=len(data))
    form = np.select([lengths == 32, lengths == 64], [ARRAY, WORD], TEXT)
    unknown = np.fromiter(
        (image in guessed_images for image in data_by_image), dtype=np.bool_, count=len(data_by_image)
    )
    head = from_bytes([item[:32] if len(item) == 64 else bytes(32) for item in data])
    tail = from_bytes([item[-32:] for item in data])
    pairs = form == WORD
    last = _keys_stand_last(images[order], head[pairs], tail[pairs]) if key_last is None else key_last
    is_turned = pairs & last
    keys = {row: data[row][:-32] for row in np.flatnonzero(form == TEXT).tolist()}
    if last:  # Vyper hashes the hash of a text
        texts_by_row = {
            row: preimages.get(int.from_bytes(data[row][32:], "big"))
            for row in np.flatnonzero(is_turned).tolist()
        }
        keys |= {
            row: key for row, key in texts_by_row.items() if key is not None and len(key) not in (32, 64)
        }
        form[list(keys)] = TEXT
    text_rows = np.flatnonzero(form == TEXT)
    text = np.full(len(data), MISSING, dtype=np.int64)
    text[text_rows] = np.arange(len(text_rows))
    return Hashes(
        image=images[order],
        base=np.where(is_turned, head, tail),
        form=form,
        key=np.where(is_turned, tail, head),
        text=text,
        texts=tuple(keys[row] for row in text_rows.tolist()),
        guessed=unknown[order],
    )


def _keys_stand_last(images: WordArray, head: WordArray, tail: WordArray) -> bool:
    """Whether the keys of mappings stand last, so that what can be a base stands first more often.

    A base is a small number, or lies behind a hash. Where both halves are small numbers, bases are fewer than keys.
    """
    (limit,) = from_integers([NAMED_BASES])
    fits = [(half < limit) | (_behind(half, images)[1] != MISSING) for half in (head, tail)]
    first, last = np.sum(fits[0] & ~fits[1]), np.sum(fits[1] & ~fits[0])
    small = (head < limit) & (tail < limit)
    if first == last:
        return len(np.unique(head[small])) < len(np.unique(tail[small]))
    return bool(first > last)


def paths(slots: WordArray, table: Hashes) -> Paths:
    """Return how each slot was computed; n log n in slots and hashes together."""
    at, behind = _match_slots(slots, table)
    parent = np.full(len(table.image), MISSING, dtype=np.int64)
    gap = np.zeros(len(table.image), dtype=np.int64)
    frontier = np.unique(at[at != MISSING])
    for _ in range(MAX_STEPS - 1):
        parent[frontier], gap[frontier] = _match_slots(table.base[frontier], table)
        outer = np.unique(parent[frontier])
        frontier = outer[(outer != MISSING) & (parent[outer] == MISSING)]
    levels: list[tuple[IntColumn, IntColumn]] = []
    while len(levels) < MAX_STEPS and np.any(at != MISSING):
        levels.append((at, behind))
        inside = at != MISSING
        at, behind = np.where(inside, parent[at], MISSING), np.where(inside, gap[at], 0)
    return _outwards(slots, table, levels)


def _match_slots(slots: WordArray, table: Hashes) -> tuple[IntColumn, IntColumn]:
    """Return the hash that each slot lies behind, or ``MISSING``, and how far."""
    at, behind = _behind(slots, table.image)
    (limit,) = from_integers([NAMED_BASES])
    behind[slots < limit] = MISSING
    return np.where(behind == MISSING, MISSING, at), np.maximum(behind, 0)


def _behind(words: WordArray, images: WordArray) -> tuple[IntColumn, IntColumn]:
    """Return the last image that each word does not lie before, and how far behind it; else ``MISSING``."""
    if not len(images):
        nothing = np.full(len(words), MISSING, dtype=np.int64)
        return nothing, nothing.copy()
    at = np.searchsorted(images, words, side="right") - 1
    behind = difference(words, images[np.maximum(at, 0)], NEARBY)
    behind[at < 0] = MISSING
    return at, behind


def _outwards(slots: WordArray, table: Hashes, levels: list[tuple[IntColumn, IntColumn]]) -> Paths:
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
        root[rows] = table.base[at[rows]]
    return Paths(root=root, depth=depth, hash=steps, offset=offset)
