"""What the interactions of a mined history look like to those who see only sequences of calls.

The words come from the event log that users get: for each interaction the functions of its accepted calls, in order.
Learners of automata from sequences are given these, and so the split that specminer found.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from specminer import MinedSpecification
from specminer.automaton import Automaton, from_edges, reachable, without_silent_moves
from specminer.decoding.storage_values import ValueKind
from specminer.pipeline.mining import MiningResult
from specminer.specification import TransitionKind

Word = tuple[str, ...]

_INITIAL: Final = -1
"""Where an interaction stands before its first event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Sequences of calls."""

    words: tuple[Word, ...]
    """The accepted calls of each interaction, by function."""
    refused: frozenset[tuple[Word, str]]
    """Accepted calls so far, and a function that was rejected then and accepted behind no such word."""

    @property
    def prefixes(self) -> list[Word]:
        """All prefixes of the words, each once, the empty one first; in order of length and text."""
        found = {word[:end] for word in self.words for end in range(len(word) + 1)}
        return sorted(found | {()}, key=lambda word: (len(word), word))

    def first(self, share: float) -> Sample:
        """Return a share of the words, those of the interactions that began first; one at least."""
        count = max(1, round(share * len(self.words)))
        return Sample(words=self.words[:count], refused=self.refused)


def sample(mined: MinedSpecification) -> Sample:
    """Return the words of a mined history, in the order in which the interactions stand in the log."""
    words: dict[str, list[str]] = defaultdict(list)
    refused: set[tuple[Word, str]] = set()
    for line in log_lines(mined):
        if line["kind"] != "call":
            continue
        word = words[line["interaction"]]
        if line["outcome"] == "returned":
            word.append(line["function"])
        else:
            refused.add((tuple(word), line["function"]))
    accepted = {(tuple(word[:end]), word[end]) for word in words.values() for end in range(len(word))}
    return Sample(words=tuple(map(tuple, words.values())), refused=frozenset(refused - accepted))


def log_lines(mined: MinedSpecification) -> list[dict[str, str]]:
    """Return the lines of the event log of a mined history, by column."""
    with TemporaryDirectory() as folder:
        mined.write_report(folder, ["csv"])
        with (Path(folder) / "events.csv").open(newline="") as file:
            return list(csv.DictReader(file))


def finest_quotient(mined: MinedSpecification) -> Automaton:
    """Return the automaton with a state for each valuation of all candidate predicates: nothing is chosen."""
    tuning = _details(mined).tuning
    return _labelled(mined, tuning.graph.state_before.tolist(), tuning.graph.state_after.tolist())


def enum_quotient(mined: MinedSpecification) -> Automaton | None:
    """Return the automaton whose states are the values of the interaction's enums; ``None`` if it has none."""
    table = _details(mined).table
    enums = [row for row, item in enumerate(table.variables) if item.kind is ValueKind.ENUM]
    if not enums:
        return None
    numbers: dict[tuple[int, ...], int] = {}
    after = [numbers.setdefault(tuple(column), len(numbers)) for column in table.values[enums].T.tolist()]
    starts = set(table.starts.tolist())
    before = [_INITIAL if row in starts else after[row - 1] for row in range(len(after))]
    return _labelled(mined, before, after)


def _details(mined: MinedSpecification) -> MiningResult:
    if mined.details is None:
        raise ValueError(
            "expected a specification that was mined in this process, but it was read from a file"
        )
    return mined.details


def _labelled(mined: MinedSpecification, before: Sequence[int], after: Sequence[int]) -> Automaton:
    """Return the automaton whose states are given before and after each event; what is no accepted call is silent."""
    table = _details(mined).table
    names = {
        edge.event: edge.function
        for edge in mined.specification.transitions
        if edge.kind is TransitionKind.CALL and edge.outcome == "returned"
    }
    functions = [names.get(text) for text in table.symbols]
    number: dict[int, int] = {}
    for state in (*before, *after):
        number.setdefault(state, len(number))
    loud, silent = set(), set()
    rows = zip(before, table.symbol.tolist(), after, table.rejected.tolist(), strict=True)
    for source, symbol, target, rejected in rows:
        function = functions[symbol]
        if function is not None and not rejected:
            loud.add((number[source], function, number[target], 1))
        else:
            silent.add((number[source], number[target]))
    start = number[before[0]]
    everything = Automaton(
        states=frozenset(number.values()),
        transitions=from_edges(sorted(loud), start).transitions,
        initial_state=start,
    )
    return reachable(without_silent_moves(everything, sorted(silent)))
