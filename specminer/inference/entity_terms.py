"""Which terms of a function speak of the interaction's own entity, and what they are called for short.

``landmarks[_tokenId].price`` is the ``price`` of the landmark that the interaction is about: in a guard the key goes
without saying, as it does in the names of states, wherever the name then still means one thing only.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from specminer.decoding import HistoryContext
from specminer.decoding.location_columns import Locations, StorageVariable
from specminer.history.contract_history import MISSING, IntColumn
from specminer.history.words import find, from_integers
from specminer.inference.guard_terms import FunctionCalls, GuardTerm
from specminer.interaction import Interactions, Mode
from specminer.learning.predicate_candidates import CALL_NAMES
from specminer.predicate.formula_text import KEYWORDS, PLAIN_NAME

FITS: Final = 0.99
"""A term is the entity's key if it equals it in this share of the calls."""
_TARGET: Final = re.compile(r"\w*[a-z0-9]To([A-Z]\w*)", re.ASCII)
"""``landmarkToOwner``: what is found under the key is an owner."""
_KEYED: Final = (Mode.PARTITION, Mode.PROJECTION)


class Entities:
    """The entities of the interactions, as the calls of a function name them."""

    def __init__(self, context: HistoryContext, interactions: Interactions) -> None:
        self._interactions = interactions
        own = np.flatnonzero(~interactions.passive & ~interactions.switches)
        self._events = own[np.argsort(interactions.invocation[own], kind="stable")]
        self._invocation = interactions.invocation[self._events]
        self._arguments = frozenset(interactions.sort.arguments if interactions.sort else ())
        self._name = interactions.sort.name if interactions.sort else ""
        self._variables = context.locations.variables
        self.fields_by_name = _fields_by_name(context.locations, interactions)
        """Row and field of each variable of an interaction, by the name that predicates of states give it."""
        self.short: Mapping[tuple[int, int], str] = {}
        if interactions.mode in _KEYED:
            self.short = _short_names(context.locations, interactions)

    def events(self, situation: FunctionCalls) -> tuple[IntColumn, IntColumn]:
        """Return the events of a function's calls, and for each its call: a place in the situation."""
        first = np.searchsorted(self._invocation, situation.rows, side="left")
        last = np.searchsorted(self._invocation, situation.rows, side="right")
        count = last - first
        call = np.repeat(np.arange(len(situation)), count)
        offset = np.arange(len(call)) - np.repeat(np.cumsum(count) - count, count)
        return self._events[first[call] + offset], call

    def keys(self, situation: FunctionCalls, role: int | None = None) -> frozenset[str]:
        """Return what in a call equals the key of its interaction's entity; ``role`` restricts the events.

        Texts are no terms; of them the names that name entities are believed.
        """
        interactions = self._interactions
        if interactions.mode not in _KEYED:
            return frozenset({"sender"} if interactions.mode is Mode.SENDER else ())
        event, call = self.events(situation)
        if role is not None:
            of_role = interactions.role[event] == role
            event, call = event[of_role], call[of_role]
        if not len(event):
            return frozenset()
        slices, slice_index = np.unique(interactions.slice[event], return_inverse=True)
        entities = [interactions.entities[item] for item in slices.tolist()]
        has_word = np.array([word is not None for word in entities], dtype=np.bool_)
        codes = find(from_integers(situation.words), from_integers([word or 0 for word in entities]))
        code = np.where(has_word, codes, MISSING)[slice_index.ravel()]
        if all(word is None for word in entities):
            key_names = self._arguments if role is None else {interactions.roles[role]}
            return (
                frozenset(key_names)
                if interactions.mode is Mode.PARTITION or role is not None
                else frozenset()
            )
        key_names = {
            term.name
            for term in situation.terms
            if np.mean((term.codes[call] == code) & (code != MISSING)) >= FITS
        }
        return frozenset(key_names | set(_computed_keys(situation, call, code)))

    def roles(self, situation: FunctionCalls) -> tuple[int, ...]:
        """Return the roles in which the calls of a function name entities."""
        event, _ = self.events(situation)
        return tuple(np.unique(self._interactions.role[event]).tolist())

    def shorten_names(
        self, situation: FunctionCalls, together: Collection[frozenset[int]] = ()
    ) -> FunctionCalls:
        """Return the situation with short names for storage of the entity that its calls are about.

        Args:
            situation: the calls of a function.
            together: the positions of terms that one condition speaks of. What is a key of something else there keeps
                its long name, so that it has one in the condition: ``owner[id] = sender or
                operator[owner[id]][sender]``.

        """
        if not self.short or len(self.roles(situation)) != 1:
            return situation  # with several roles the key tells which entity is meant
        keys = self.keys(situation) - {"sender"}  # sources name whose balance they mean
        own = {
            index: (term.variable, term.field)
            for index, term in enumerate(situation.terms)
            if term.stored and len(term.keys) == 1 and term.keys[0] in keys
        }
        others = {
            (term.variable, term.field)
            for index, term in enumerate(situation.terms)
            if term.stored and index not in own
        }
        candidates = {index: self.short[item] for index, item in own.items() if item in self.short}
        counts = Counter(candidates.values())
        used_names = {term.name for term in situation.terms}
        computed_keys = self._computed_keys(keys, used_names)
        short_names = {
            index: short
            for index, short in candidates.items()
            if counts[short] == 1
            and short not in used_names
            and (own[index] not in others or situation.terms[index].keys[0] not in computed_keys)
            and not any(index in indices and _is_in_keys(situation, index, indices) for indices in together)
        }
        keyed_names = {
            index: self._variables[item[0]].text((self._name,), item[1])
            for index, item in own.items()
            if situation.terms[index].keys[0] in computed_keys
        }
        short_names = keyed_names | short_names
        unusable = used_names | (set(candidates.values()) - set(short_names.values()))
        shorter = self._part_names(computed_keys, others, unusable) | {
            situation.terms[index].name: short for index, short in short_names.items()
        }
        return replace(
            situation,
            terms=tuple(
                replace(
                    term,
                    short=short_names.get(index, _with_short_names(term, shorter)),
                    keyed_name=keyed_names.get(index, ""),
                )
                for index, term in enumerate(situation.terms)
            ),
        )

    def _part_names(
        self, computed: Collection[str], others: Collection[tuple[int, int]], unusable: Collection[str]
    ) -> dict[str, str]:
        """Return short names of storage under computed keys, by the long ones: expressions are made of them.

        Args:
            computed: the keys.
            others: variable and field of what is kept under other keys, too; it has no short name.
            unusable: names that stand for something else.

        """
        return {
            self._variables[row].text((key,), field): short
            for (row, field), short in self.short.items()
            for key in computed
            if short not in unusable and (row, field) not in others
        }

    def _computed_keys(self, keys: Collection[str], used_names: Collection[str]) -> frozenset[str]:
        """Return the keys that the code computes, as a hash of arguments: the entity has a better name."""
        if not PLAIN_NAME.fullmatch(self._name) or self._name in used_names:
            return frozenset()
        return frozenset(keys) - self._arguments - frozenset(used_names)


def _computed_keys(situation: FunctionCalls, call: IntColumn, code: IntColumn) -> Iterator[str]:
    """Yield the keys that the code computes, as a hash of arguments, and that are the entities' of some events.

    Args:
        situation: the calls of a function.
        call: the call of each event, a place in the situation; shape (n,).
        code: the entity's key, a place in the situation's words; shape (n,).

    """
    for term in situation.terms:
        if term.key_codes is not None and len(term.keys) == 1:
            key = term.key_codes[call]
            is_known = (key != MISSING) & (code != MISSING)
            if is_known.any() and np.mean(key[is_known] == code[is_known]) >= FITS:
                yield term.keys[0]


def _is_in_keys(situation: FunctionCalls, index: int, indices: Collection[int]) -> bool:
    """Return whether a term is, or is part of, a key of one of some terms of storage."""
    name = situation.terms[index].name
    others = (situation.terms[other] for other in indices if other != index)
    return any(name in key for term in others if term.stored for key in term.keys)


def _with_short_names(term: GuardTerm, shorter: Mapping[str, str]) -> str:
    """Return what an expression is called with short names in it; empty if nothing in it has one."""
    if not term.expression or not shorter:
        return ""
    names = "|".join(re.escape(name) for name in sorted(shorter, key=len, reverse=True))
    short_form = re.sub(rf"(?<![\w.\]])(?:{names})(?![\w.\[])", lambda match: shorter[match[0]], term.name)
    return short_form if short_form != term.name else ""


def _fields_by_name(locations: Locations, interactions: Interactions) -> dict[str, tuple[int, int]]:
    key = ("sender",) if interactions.mode is Mode.SENDER else ("·",)
    return {
        variable.text(key if variable.ports else None, field): (row, field)
        for row, variable in enumerate(locations.variables)
        if len(variable.ports) <= 1
        for field in _fields(variable)
    }


def _short_names(locations: Locations, interactions: Interactions) -> dict[tuple[int, int], str]:
    """Return what the fields of entities' variables are called for short, each name once."""
    own = np.unique(locations.variable[interactions.owner != MISSING]).tolist()
    entities = {row: locations.variables[row] for row in own if len(locations.variables[row].ports) == 1}
    reserved_names = {*CALL_NAMES, *KEYWORDS}
    short_names = {
        (row, position): short_name(variable, position)
        for row, variable in entities.items()
        for position in _fields(variable)
    }
    counts = Counter(short_names.values())
    return {
        field: name
        for field, name in short_names.items()
        if counts[name] == 1 and name not in reserved_names and PLAIN_NAME.fullmatch(name)
    }


def _fields(variable: StorageVariable) -> Collection[int]:
    return range(len(variable.fields))


def short_name(variable: StorageVariable, field: int) -> str:
    """Return a field's name without the key: ``price``, also of ``priceOf[]``; ``owner`` of ``landmarkToOwner[]``."""
    text = variable.fields[field].text.lstrip(".")
    if text:
        return text
    name = variable.pieces[0]
    target = _TARGET.fullmatch(name)
    if target is not None:
        return target[1][0].lower() + target[1][1:]
    return name[:-2] if len(name) > 2 and name.endswith("Of") else name
