"""Puts :class:`Locations` together: variables and ports are collected here while slots are walked through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from specminer._support.text import unique_names
from specminer.decoding.hash_paths import TEXT, WORD, Hashes, Paths
from specminer.decoding.location_columns import (
    RESOLUTIONS,
    Field,
    KeyPosition,
    KeyTable,
    Locations,
    NameSource,
    PortKind,
    Resolution,
    StorageVariable,
)
from specminer.decoding.storage_values import ValueKind
from specminer.history.contract_history import MISSING, IntColumn
from specminer.history.words import WordArray, from_numbers

EMPTY_TEXT: Final = -2
"""In a column of hashes: the key is the empty text."""


@dataclass(frozen=True, slots=True)
class Trail:
    """The way from a variable's name to where a walk stands."""

    pieces: tuple[str, ...] = ()
    tail: str = ""
    """What follows the last key so far."""
    ports: tuple[int, ...] = ()
    naming: NameSource = NameSource.NUMBER

    def behind(self, text: str, naming: NameSource | None = None) -> Trail:
        """Return the trail a field further, with a name from elsewhere if ``naming`` is given."""
        return replace(self, tail=self.tail + text, naming=naming or self.naming)


@dataclass(slots=True)
class Building:
    """Columns while they are filled; rows are slots."""

    paths: Paths
    variable: IntColumn
    variables: list[StorageVariable] = field(default_factory=list)
    ports: list[KeyPosition] = field(default_factory=list)
    key_hash: list[IntColumn] = field(default_factory=list)
    """For each key position, the row in ``Hashes`` whose key it is, or ``EMPTY_TEXT``, or ``MISSING``."""
    key_number: list[IntColumn] = field(default_factory=list)
    """For each key position, the index of an array, or ``MISSING``."""

    def port(self, trail: Trail, keyed: PortKind, kind: ValueKind) -> Trail:
        """Return the trail with one key more."""
        pieces = (*trail.pieces, trail.tail)
        depth = len(trail.ports)
        if depth == len(self.key_hash):
            self.key_hash.append(np.full(len(self.variable), MISSING, dtype=np.int64))
            self.key_number.append(np.full(len(self.variable), MISSING, dtype=np.int64))
        self.ports.append(
            KeyPosition(
                name="".join(f"{piece}[]" for piece in pieces),
                port_kind=keyed,
                kind=kind,
                depth=depth,
                parent=trail.ports[-1] if trail.ports else MISSING,
            )
        )
        return Trail(pieces=pieces, ports=(*trail.ports, len(self.ports) - 1), naming=trail.naming)

    def leaf(self, rows: IntColumn, trail: Trail, fields: Sequence[Field], naming: NameSource) -> None:
        """Say that these slots are one variable, whose fields' texts follow the trail."""
        fields_with_tail = tuple(replace(item, text=trail.tail + item.text) for item in fields)
        self.variable[rows] = len(self.variables)
        self.variables.append(
            StorageVariable(pieces=trail.pieces, ports=trail.ports, fields=fields_with_tail, naming=naming)
        )

    def forget_keys(self, rows: IntColumn) -> None:
        """Forget keys of a walk that found no variable for these slots in the end."""
        for column in (*self.key_hash, *self.key_number):
            column[rows] = MISSING

    def finish(self, hashes: Hashes, roots: WordArray) -> Locations:
        """Return the columns; rows of ``key_hash`` behind those of ``hashes`` are keys in ``roots``."""
        table, keys = self._keys(hashes, roots)
        order, variables = self._in_order(_unique_texts(self.variables))
        used_ports = sorted(
            {port for item in variables for port in item.ports}, key=lambda row: self.ports[row].name
        )
        new_row = {old: new for new, old in enumerate(used_ports)} | {MISSING: MISSING}
        names = unique_names(self.ports[row].name for row in used_ports)
        return Locations(
            variable=order[self.variable],
            keys=keys,
            resolution=self._resolution(hashes, len(hashes.image)),
            variables=tuple(
                replace(item, ports=tuple(new_row[row] for row in item.ports)) for item in variables
            ),
            ports=tuple(
                replace(self.ports[row], name=name, parent=new_row[self.ports[row].parent])
                for row, name in zip(used_ports, names, strict=True)
            ),
            key_table=table,
        )

    def _in_order(self, variables: Sequence[StorageVariable]) -> tuple[IntColumn, list[StorageVariable]]:
        """Return each variable's place in the order of names, and those that have slots, in this order."""
        alive = np.unique(self.variable).tolist()
        alive.sort(key=lambda row: variables[row].text())
        order = np.full(len(variables), MISSING, dtype=np.int64)
        order[alive] = np.arange(len(alive))
        return order, [variables[row] for row in alive]

    def _resolution(self, hashes: Hashes, tried: int) -> IntColumn:
        codes = {item: RESOLUTIONS.index(item) for item in Resolution}
        is_guessed = np.r_[hashes.guessed, [False]]  # the last for MISSING
        any_guessed = is_guessed[self.paths.hash].any(axis=1)
        result = np.where(any_guessed, codes[Resolution.DICTIONARY], codes[Resolution.PREIMAGE])
        result[self.paths.depth == 0] = codes[Resolution.FIXED]
        is_unresolved = np.array(
            [
                bool(item.ports) and self.ports[item.ports[0]].port_kind is PortKind.UNRESOLVED
                for item in self.variables
            ],
            dtype=np.bool_,
        )
        result[is_unresolved[self.variable]] = codes[Resolution.UNRESOLVED]
        return result

    def _keys(self, hashes: Hashes, roots: WordArray) -> tuple[KeyTable, IntColumn]:
        """Give every key a code."""
        count = len(hashes.image)
        forms = np.r_[hashes.form, np.full(len(roots), WORD, dtype=np.int64)]
        words = np.concatenate([hashes.key, roots])
        columns = (
            np.stack(self.key_hash, axis=1) if self.key_hash else np.full((len(self.variable), 1), MISSING)
        )
        numbers = np.stack(self.key_number, axis=1) if self.key_number else columns
        is_used = np.zeros(len(forms), dtype=np.bool_)
        is_used[columns[columns >= 0]] = True
        indices = np.unique(numbers[numbers >= 0])
        by_word = np.flatnonzero(is_used & (forms == WORD))
        table = np.unique(np.concatenate([words[by_word], from_numbers(indices)]))
        by_text = np.flatnonzero(is_used[:count] & (forms[:count] == TEXT)).tolist()
        texts = {hashes.texts[hashes.text[row]] for row in by_text}
        texts |= {b""} if np.any(columns == EMPTY_TEXT) else set()
        text_code = {text: len(table) + at for at, text in enumerate(sorted(texts))}
        code = np.full(len(forms), MISSING, dtype=np.int64)
        code[by_word] = np.searchsorted(table, words[by_word])
        code[by_text] = [text_code[hashes.texts[hashes.text[row]]] for row in by_text]
        keys = np.where(columns >= 0, code[columns] if len(code) else MISSING, MISSING)
        keys[columns == EMPTY_TEXT] = text_code.get(b"", MISSING)
        at_number = np.searchsorted(table, from_numbers(indices))
        rows = numbers >= 0
        keys[rows] = at_number[np.searchsorted(indices, numbers[rows])]
        return KeyTable(words=table, texts=tuple(sorted(texts))), keys


def _unique_texts(variables: Sequence[StorageVariable]) -> list[StorageVariable]:
    """Tell fields of one name apart, which only a hostile layout has."""
    texts = [item.text(field=at) for item in variables for at in range(len(item.fields))]
    suffixes = iter([unique[len(text) :] for text, unique in zip(texts, unique_names(texts), strict=True)])
    return [
        replace(item, fields=tuple(replace(part, text=part.text + next(suffixes)) for part in item.fields))
        for item in variables
    ]
