"""What all functions of a history share when their expressions are named: slots, constants, what bits are in use."""

from __future__ import annotations

from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np

from specminer._support.scratch import in_file
from specminer.contracts.artifact import AbiEntry
from specminer.contracts.interface import InterfaceFunction, constructor_of, selector
from specminer.decision.call_columns import CallColumns
from specminer.decision.constant_names import ConstantNames
from specminer.decoding import HistoryContext
from specminer.decoding.slot_resolution import from_solc
from specminer.history.contract_history import MISSING, slots
from specminer.history.words import find, from_integers


class ContextNames:
    """Names, and where they are looked up, for one history."""

    def __init__(self, context: HistoryContext) -> None:
        # not the context itself, which is the key that all this is held under
        self.history = history = context.history
        self.locations = context.locations
        self.artifact = context.artifact
        self.interface = context.interface
        slot_table = slots(history)
        self._span = len(history.words) + 1
        self._pairs = slot_table.contract.astype(np.int64) * self._span + slot_table.word
        self._slot_of_access = slot_table.access
        words = from_integers(history.words)
        self._order = in_file(np.argsort(words))
        self._words = in_file(words[self._order])
        self._name_counts: dict[int, int] = {}

    @cached_property
    def key_last(self) -> bool:
        """Whether mappings are rather Vyper's."""
        return not from_solc(self.history)

    @cached_property
    def columns(self) -> CallColumns:
        """Reads what calls were given and what they looked at."""
        return CallColumns(self.history)

    @cached_property
    def constants(self) -> ConstantNames:
        """The names of the contract's constants."""
        history = self.history
        codes = [code for record in history.contracts for _, code in reversed(record.implementations)]
        codes += [record.code for record in history.contracts[:1]]
        return ConstantNames(self.artifact, dict.fromkeys(codes))

    @cached_property
    def entries(self) -> dict[bytes, AbiEntry]:
        """The functions of the ABI, by selector."""
        artifact = self.artifact
        functions = [] if artifact is None else [item for item in artifact.abi if item.type == "function"]
        return {selector(item): item for item in functions}

    def entry(self, function: InterfaceFunction | None) -> AbiEntry | None:
        """Return the ABI's own entry of a function."""
        if function is None:
            return None
        for four_bytes, candidate in self.interface.functions.items():
            if candidate is function:
                return self.entries.get(four_bytes)
        return None  # of one implementation only

    @cached_property
    def constructor(self) -> tuple[InterfaceFunction, AbiEntry] | None:
        """The constructor; ``None`` if the ABI does not tell it, or tells that of the code behind a proxy."""
        if self.artifact is None or any(record.implementations for record in self.history.contracts):
            return None
        return constructor_of(self.artifact)

    def row(self, contract: int, slot: int) -> int:
        """Return the row in ``Locations`` of a contract's slot, ``MISSING`` if the history never accesses it."""
        word = int(find(self._words, from_integers([slot]))[0])
        if word == MISSING:
            return MISSING
        pair = contract * self._span + int(self._order[word])
        at = int(np.searchsorted(self._pairs, pair))
        return at if at < len(self._pairs) and int(self._pairs[at]) == pair else MISSING

    def used_bits(self, variable: int) -> int:
        """Return the bits that are 1 in any value that a variable ever had."""
        used = self._name_counts.get(variable)
        if used is None:
            history, locations = self.history, self.locations
            accesses = np.flatnonzero((locations.variable == variable)[self._slot_of_access])
            rows = np.unique(
                np.concatenate([history.access_before[accesses], history.access_after[accesses]])
            )
            used = 0
            for row in rows[rows != MISSING].tolist():
                used |= history.words[row]
            self._name_counts[variable] = used
        return used


_NAMES: WeakKeyDictionary[HistoryContext, ContextNames] = WeakKeyDictionary()


def names_of(context: HistoryContext) -> ContextNames:
    """Return the names of a history, made once."""
    names = _NAMES.get(context)
    if names is None:
        names = _NAMES[context] = ContextNames(context)
    return names
