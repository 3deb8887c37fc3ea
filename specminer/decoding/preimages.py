"""Finds what must have been hashed, where no tracer saw it: by trying.

A mapping keeps an entry at ``keccak(key . base)``, or ``keccak(base . key)`` where Vyper compiled it; the base is a
small number, the key a word that the history holds. Trying every key with every base would do, but most bases
hold no mapping: a sample of the slots to explain is tried with all bases and with the words at hand in the calls
that touch them; what is found there tells which bases are in use, and in which positions of the calls their keys
stand. Only these are then tried with all keys. Source: design section 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from specminer._support.keccak import keccak
from specminer.decoding.hash_paths import Hashes, KnownHash, paths
from specminer.decoding.storage_values import NAMED_BASES, NEARBY
from specminer.decoding.usual_keys import pushed_words, usual_roles
from specminer.history.contract_history import CONSTRUCTOR, MISSING, History, IntColumn, Slots
from specminer.history.hashing import keccak_many
from specminer.history.words import (
    WordArray,
    difference,
    from_bytes,
    from_integers,
    from_limbs,
    from_numbers,
    limbs,
)

BASES: Final = 64
"""Slots 0 to 63 are tried as bases of mappings, and those whose numbers the code pushes."""
MAX_BASES: Final = 256
_PUSH1, _PUSH2, _PUSH32 = 0x60, 0x61, 0x7F
SAMPLE: Final = 192
"""Slots that are tried with all bases."""
SAMPLE_NESTED: Final = 16
"""Slots that are tried as entries of mappings in mappings."""
MAX_KEYS: Final = 16
"""Words of one call that are tried as keys of nested mappings."""
MAX_FIELDS: Final = 4
"""Slots of a struct in which a mapping is looked for."""
MAX_HASHES: Final = 20_000_000
"""Hashes tried at most: under a minute."""
_NUMBERS: Final = 1024
"""Small numbers that are always tried as keys."""
_CHUNK: Final = 1 << 16
_MAX_WORDS: Final = 64
"""Words of one call's data that are looked at."""
_MAX_STORED: Final = 256
"""Values that one call stores or loads that are looked at."""
_MAX_CALLS: Final = 50_000
"""Calls in whose data texts are looked for."""
_MAX_ACCOUNTS: Final = 256
"""Accounts that are tried as keys of each mapping; all are if one fits."""
_MAX_TEXT: Final = 256
_ROUNDS: Final = 3

_SENDER, _ORIGIN, _HERE, _VALUE, _STORED = range(_MAX_WORDS, _MAX_WORDS + 5)
"""Where a key stands in a call; lower numbers are words of the calldata."""

_Key = tuple[int, bytes]
"""Where a word stands in a call, and the word."""


@dataclass(frozen=True, slots=True, order=True)
class _Base:
    """A mapping in use: where it lies and how its key is hashed."""

    slot: int
    key_last: bool


@dataclass(frozen=True, slots=True, order=True)
class _Nest:
    """A mapping in the entries of a mapping, with where its two keys stand in calls."""

    outer: _Base
    field: int
    first: int
    second: int


class Dictionary:
    """Tries what may have been hashed in one history; :attr:`matches` grows."""

    def __init__(
        self, history: History, slot_numbers: Slots, words: WordArray, *, key_last: bool | None = None
    ) -> None:
        """Prepare to explain ``words``, the slots of ``slot_numbers``.

        ``key_last`` says whether mappings are Vyper's; ``None`` leaves it to what is found.
        """
        self._orders = (False, True) if key_last is None else (key_last,)
        codes = _codes(history)
        self._bases = _bases(codes)
        self._constants = [
            word.to_bytes(32, "big") for word in dict.fromkeys([*pushed_words(codes), *usual_roles()])
        ]
        self._history = history
        self._words = words
        self._first = _touch(history, slot_numbers, slice(None, None, -1))
        self._last = _touch(history, slot_numbers, slice(None))
        self.matches: list[KnownHash] = []
        self.hash_count = 0
        """Hashes tried."""

    def run(self, hashes: Hashes, explained_roots: Iterable[tuple[int, int]] = ()) -> Hashes:
        """Return the table with what was found added to ``hashes``.

        ``explained_roots`` look like hashes, but are explained: the first of each run, and how many there are.
        """
        runs = sorted(explained_roots)
        self._run_starts = from_integers(first for first, _ in runs)
        self._counts = np.array([min(count, NEARBY) for _, count in runs], dtype=np.int64)
        roots, rows = self._unexplained_roots(hashes)
        if not len(roots):
            return hashes
        hashes = self._extend(hashes, self._array_bases(roots))
        for _ in range(_ROUNDS):
            before = len(self.matches)
            for attempt in (self._plain, self._texts, self._try_nested):
                roots, rows = self._unexplained_roots(hashes)
                if len(roots) and self.hash_count < MAX_HASHES:
                    hashes = self._extend(hashes, attempt(hashes, roots, rows))
            if len(self.matches) == before or not len(roots):
                break
        return hashes

    def _extend(self, hashes: Hashes, new: Iterable[KnownHash]) -> Hashes:
        fresh = list(dict.fromkeys(new))
        self.matches += fresh
        return hashes.extend(fresh) if fresh else hashes

    def _unexplained_roots(self, hashes: Hashes) -> tuple[WordArray, IntColumn]:
        """Return the roots that nothing explains, ascending, and for each the first slot (row) that leads to it."""
        slot_paths = paths(self._words, hashes)
        (limit,) = from_integers([NAMED_BASES])
        roots, first = np.unique(slot_paths.root, return_index=True)
        is_unexplained = roots >= limit
        if len(self._run_starts):
            at = np.maximum(np.searchsorted(self._run_starts, roots, side="right") - 1, 0)
            behind = difference(roots, self._run_starts[at], NEARBY)
            is_unexplained &= (behind < 0) | (behind >= self._counts[at])
        return roots[is_unexplained], first[is_unexplained]

    # -- candidates ---------------------------------------------------------------------------------

    def _keys(self, invocation: int) -> list[_Key]:
        """Return the words at hand in a call with where they stand, the likeliest keys first."""
        history = self._history
        data = history.invocation_data[invocation]
        # a constructor's arguments stand behind the code
        data = data[-32 * 8 :] if history.invocation_kind[invocation] == CONSTRUCTOR else data[4:]
        keys: list[_Key] = [
            (at, data[32 * at : 32 * at + 32]) for at in range(min(len(data) // 32, _MAX_WORDS))
        ]
        transaction = int(history.invocation_transaction[invocation])
        for position, row in (
            (_SENDER, history.invocation_sender[invocation]),
            (_ORIGIN, history.transaction_origin[transaction]),
        ):
            keys.append((position, history.addresses[int(row)].rjust(32, b"\0")))
        here = history.contracts[int(history.invocation_contract[invocation])].address
        keys.append((_HERE, here.rjust(32, b"\0")))
        value = int(history.invocation_value[invocation])
        after = history.access_after[history.accesses(invocation)][:_MAX_STORED]
        value_rows = dict.fromkeys([value, *after[after != MISSING].tolist()])
        keys += [
            (_VALUE if row == value else _STORED, history.words[row].to_bytes(32, "big"))
            for row in value_rows
        ]
        return keys

    def _all_keys(self) -> Iterator[WordArray]:
        """Yield the words that may be keys, in chunks, those of the calls' data and senders first."""
        history = self._history
        accounts = from_bytes([item.rjust(32, b"\0") for item in history.addresses])
        words: set[bytes] = set(self._constants)
        for kind, data in zip(history.invocation_kind.tolist(), history.invocation_data, strict=True):
            part = data[-32 * 8 :] if kind == CONSTRUCTOR else data[4 : 4 + 32 * _MAX_WORDS]
            words.update(part[at : at + 32] for at in range(0, len(part) - 31, 32))
        numbers = from_numbers(np.arange(_NUMBERS, dtype=np.int64))
        call_words = np.unique(np.concatenate([from_bytes(sorted(words)), accounts, numbers]))
        history_words = np.unique(from_integers(history.words))
        counters = limbs(history_words)
        small = counters[
            (counters[:, :3] == 0).all(axis=1) & (counters[:, 3] < np.uint64(1 << 40)), 3
        ].astype(np.int64)
        beside = from_numbers(np.unique(np.concatenate([small + 1, np.maximum(small - 1, 0)])))
        later = np.setdiff1d(np.union1d(history_words, beside), call_words)
        for group in (call_words, later):
            for start in range(0, len(group), _CHUNK):
                yield group[start : start + _CHUNK]

    # -- attempts -----------------------------------------------------------------------------------

    def _array_bases(self, roots: WordArray) -> list[KnownHash]:
        """Try every slot that is touched as that of an array or a long text: its length is read before it."""
        bases = np.unique(self._words)
        self.hash_count += len(bases)
        rows = _hit_rows(keccak_many(_bytes(bases)), roots)
        return [KnownHash(b"", _whole(bases[row]), False, array=True) for row in rows.tolist()]

    def _plain(self, hashes: Hashes, roots: WordArray, rows: IntColumn) -> list[KnownHash]:
        """Try mappings with keys of one word."""
        del hashes
        sample_rows = rows[np.unique(np.linspace(0, len(rows) - 1, SAMPLE).astype(np.int64))]
        # a call that makes an entry under a hash computes the key; those that come later have it in their data
        calls = np.unique(np.concatenate([self._first[sample_rows], self._last[sample_rows]]))
        keys = {word for call in calls.tolist() for _, word in self._keys(call)}
        keys |= {number.to_bytes(32, "big") for number in range(16)}
        keys |= set(self._constants)
        keys |= {item.rjust(32, b"\0") for item in self._history.addresses[:_MAX_ACCOUNTS]}
        sample = from_bytes(sorted(keys))
        hits_by_base = {
            _Base(slot, key_last): self._try(sample, _Base(slot, key_last), roots)
            for key_last in self._orders
            for slot in self._bases
        }
        self._settle(hits_by_base)
        alive = sorted(base for base, hits in hits_by_base.items() if hits and base.key_last in self._orders)
        matches = [item for base in alive for item in hits_by_base[base]]
        if not alive:
            return []
        for chunk in self._all_keys():
            for base in alive:
                if self.hash_count > MAX_HASHES:
                    return matches
                matches += self._try(chunk, base, roots)
        return matches

    def _settle(self, hits_by_base: dict[_Base, list[KnownHash]]) -> None:
        """Decide where keys stand: what was hashed for a small key can be read both ways, for others it cannot."""
        clear = Counter(
            base.key_last
            for base, hits in hits_by_base.items()
            for item in hits
            if int.from_bytes(item.key, "big") > self._bases[-1]
        )
        if len(self._orders) > 1 and (clear or any(hits_by_base.values())):
            self._orders = (clear[True] > clear[False],)

    def _try(self, keys: WordArray, base: _Base, roots: WordArray) -> list[KnownHash]:
        bases = np.repeat(from_integers([base.slot]), len(keys))
        return self._pairs(keys, bases, base.key_last, roots)

    def _pairs(self, keys: WordArray, bases: WordArray, key_last: bool, roots: WordArray) -> list[KnownHash]:
        images = self._images(keys, bases, key_last)
        rows = _hit_rows(images, roots)
        return [KnownHash(_whole(keys[row]), _whole(bases[row]), key_last) for row in rows.tolist()]

    def _images(self, keys: WordArray, bases: WordArray, key_last: bool) -> WordArray:
        self.hash_count += len(keys)
        halves = (bases, keys) if key_last else (keys, bases)
        return keccak_many(np.hstack([_bytes(half) for half in halves]))

    def _texts(self, hashes: Hashes, roots: WordArray, rows: IntColumn) -> list[KnownHash]:
        """Try mappings with texts as keys: pieces of the calls' data that look like the ABI's texts."""
        del hashes
        texts: dict[bytes, None] = {}
        for call in np.unique(self._first[rows])[:_MAX_CALLS].tolist():
            texts.update(dict.fromkeys(_texts_in(self._history.invocation_data[call][4:])))
        if not texts:
            return []
        matches = self._text_hits(list(texts)[:64], self._bases, roots)
        alive = sorted({int.from_bytes(item.base, "big") for item in matches})  # shows in a part of them
        return matches + self._text_hits(list(texts)[64:], alive, roots)

    def _text_hits(self, texts: Sequence[bytes], bases: Iterable[int], roots: WordArray) -> list[KnownHash]:
        matches: list[KnownHash] = []
        for slot in bases:
            base = slot.to_bytes(32, "big")
            images = from_bytes([keccak(text + base) for text in texts])
            self.hash_count += len(texts)
            matches += [KnownHash(texts[row], base, False) for row in _hit_rows(images, roots).tolist()]
        return matches

    def _try_nested(self, hashes: Hashes, roots: WordArray, rows: IntColumn) -> list[KnownHash]:
        """Try mappings in mappings: first where a sample's keys stand, then these places for all."""
        sample = np.unique(np.linspace(0, len(rows) - 1, SAMPLE_NESTED).astype(np.int64))
        nests: set[_Nest] = set()
        matches: list[KnownHash] = []
        for at in sample.tolist():
            invocation = int(self._first[rows[at]])
            keys = self._keys(invocation)
            target = roots[at : at + 1]
            for nest in self._all_nests(keys, target):
                nests.add(nest)
            matches += self._beside(hashes, keys, invocation, target)
        pending: list[tuple[_Nest, bytes, bytes]] = []
        for row in rows.tolist() if nests else ():
            words: dict[int, list[bytes]] = {}
            for position, word in self._keys(int(self._first[row])):
                words.setdefault(position, []).append(word)
            pending += [
                (nest, first, second)
                for nest in sorted(nests)
                for first in words.get(nest.first, [])[:MAX_KEYS]
                for second in words.get(nest.second, [])[:MAX_KEYS]
            ]
            if len(pending) >= _CHUNK:
                matches += self._some_nests(pending, roots)
                pending = []
            if self.hash_count > MAX_HASHES:
                break
        return matches + self._some_nests(pending, roots)

    def _all_nests(self, keys: Sequence[_Key], target: WordArray) -> Iterator[_Nest]:
        """Yield each way in which two keys of a call lead to a slot."""
        distinct = list(dict.fromkeys(word for _, word in keys))[:MAX_KEYS]
        positions = [[position for position, word in keys if word == key] for key in distinct]
        words = from_bytes(distinct)
        for key_last in self._orders:
            count = min(len(self._bases), BASES)
            outer = np.repeat(words, count)
            bases = np.tile(from_numbers(np.array(self._bases[:count], dtype=np.int64)), len(words))
            images = self._images(outer, bases, key_last)
            for field in range(MAX_FIELDS):
                inner = np.tile(words, len(images))
                behind = np.repeat(_add_number(images, field), len(words))
                for row in _hit_rows(self._images(inner, behind, key_last), target).tolist():
                    first, second = row // len(words), row % len(words)
                    base = _Base(self._bases[first % count], key_last)
                    for position in positions[first // count]:
                        for other in positions[second]:
                            yield _Nest(base, field, position, other)

    def _some_nests(
        self, attempts: Sequence[tuple[_Nest, bytes, bytes]], roots: WordArray
    ) -> list[KnownHash]:
        matches: list[KnownHash] = []
        for key_last in (False, True):
            candidates = [item for item in dict.fromkeys(attempts) if item[0].outer.key_last == key_last]
            if not candidates:
                continue
            first = from_bytes([item[1] for item in candidates])
            second = from_bytes([item[2] for item in candidates])
            bases = from_numbers(np.array([item[0].outer.slot for item in candidates], dtype=np.int64))
            images = self._images(first, bases, key_last)
            fields = np.array([item[0].field for item in candidates], dtype=np.int64)
            behind = images.copy()
            for field in np.unique(fields).tolist():
                behind[fields == field] = _add_number(images[fields == field], field)
            for row in _hit_rows(self._images(second, behind, key_last), roots).tolist():
                matches.append(KnownHash(candidates[row][1], _whole(bases[row]), key_last))
                matches.append(KnownHash(candidates[row][2], _whole(behind[row]), key_last))
        return matches

    def _beside(
        self, hashes: Hashes, keys: Sequence[_Key], invocation: int, target: WordArray
    ) -> list[KnownHash]:
        """Try mappings in the structs that the call touches elsewhere, be they elements of arrays."""
        rows = np.unique(self._history.access_slot[self._history.accesses(invocation)])
        near = from_integers(self._history.words[row] for row in rows.tolist())
        at = np.searchsorted(hashes.image, near, side="right") - 1
        behind = difference(near, hashes.image[np.maximum(at, 0)], NEARBY)
        near = near[(at >= 0) & (behind >= 0)][:MAX_KEYS]
        matches: list[KnownHash] = []
        words = from_bytes(list(dict.fromkeys(word for _, word in keys))[:MAX_KEYS])
        for field in range(-MAX_FIELDS, MAX_FIELDS):
            bases = np.repeat(_add_number(near, field), len(words))
            for key_last in self._orders:
                matches += self._pairs(np.tile(words, len(near)), bases, key_last, target)
        return matches


def _codes(history: History) -> list[bytes]:
    """Return the codes at hand, each once."""
    codes = [record.code for record in history.contracts]
    codes += [code for record in history.contracts for _, code in record.implementations]
    return list(dict.fromkeys(codes))


def _bases(codes: Iterable[bytes]) -> list[int]:
    """Return the slots that may hold mappings: the first ones, and small numbers that the code pushes."""
    pushed_numbers: set[int] = set()
    for code in codes:
        at = 0
        while at < len(code):
            width = code[at] - _PUSH1 + 1 if _PUSH1 <= code[at] <= _PUSH32 else 0
            if code[at] in (_PUSH1, _PUSH2):
                pushed_numbers.add(int.from_bytes(code[at + 1 : at + 1 + width], "big"))
            at += 1 + width
    further = sorted(number for number in pushed_numbers if BASES <= number < 4 * MAX_BASES)
    return [*range(BASES), *further[: MAX_BASES - BASES]]


def _touch(history: History, slot_numbers: Slots, order: slice) -> IntColumn:
    """Return the invocation that touches each slot last in this order of the accesses; shape (s,)."""
    invocations = np.zeros(len(slot_numbers), dtype=np.int64)
    # of several values for one place the last is kept
    invocations[slot_numbers.access[order]] = history.access_invocation[order]
    return invocations


def _bytes(words: WordArray) -> npt.NDArray[np.uint8]:
    return np.ascontiguousarray(words).view(np.uint8).reshape(-1, 32)


def _whole(word: np.bytes_) -> bytes:
    return bytes(word).ljust(32, b"\0")


def _hit_rows(images: WordArray, roots: WordArray) -> IntColumn:
    """Return the images behind which a root lies; ``roots`` are ascending."""
    at = np.minimum(np.searchsorted(roots, images), len(roots) - 1)
    return np.flatnonzero(difference(roots[at], images, NEARBY) >= 0)


def _add_number(words: WordArray, number: int) -> WordArray:
    """Return words plus a small number, which may be negative; they wrap around."""
    if not number:
        return words
    parts = limbs(words)
    step = np.uint64(abs(number))
    for limb in (3, 2, 1, 0):
        before = parts[:, limb].copy()
        parts[:, limb] = before + step if number > 0 else before - step
        has_carry = parts[:, limb] < before if number > 0 else parts[:, limb] > before
        step = has_carry.astype(np.uint64)  # type: ignore[assignment]
    return from_limbs(parts)


def _texts_in(data: bytes) -> Iterator[bytes]:
    """Yield what looks like a text in a call's data: a word that points to a length and so many bytes."""
    for at in range(0, min(len(data), 32 * _MAX_WORDS) - 31, 32):
        begin = int.from_bytes(data[at : at + 32], "big")
        if begin % 32 or begin + 32 > len(data):
            continue
        length = int.from_bytes(data[begin : begin + 32], "big")
        if length <= _MAX_TEXT and begin + 32 + length <= len(data):
            yield data[begin + 32 : begin + 32 + length]
