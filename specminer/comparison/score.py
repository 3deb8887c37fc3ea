"""How well a mined specification matches another one: by random walks, and exactly.

Both are read as prefix-closed, nondeterministic automata over bare function names (or over events with
their roles). Rejected calls, passive events and phase changes do not count: they make no sound, so a path
through them spells the word of what is left. Precision is the share of random walks of the mined automaton
that the true one accepts, recall the reverse, F their harmonic mean.

Source: the yardstick of the Azure benchmark, docs/design.md.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from statistics import fmean, stdev
from typing import Final, TypeAlias

from specminer._support.errors import FileFormatError, plain
from specminer._support.files import read_bounded
from specminer.automaton import (
    Automaton,
    AutomatonError,
    AutomatonTooLarge,
    Subsets,
    Word,
    from_edges,
    missing_word,
    random_walks,
    reachable,
    without_silent_moves,
)
from specminer.automaton.declared_protocol import DeclaredProtocol, decode
from specminer.specification import MAX_BYTES, Edge, Specification, TransitionKind, decode_specification

"""A file larger than this is no automaton that anyone could read."""
_PAIRS: Final = 50_000
"""Inclusion is left undecided after so many sets of states."""

Document: TypeAlias = Specification | DeclaredProtocol


class Labels(Enum):
    """What the two automata are compared over."""

    FUNCTIONS = "functions"
    """Bare function names."""
    EVENTS = "events"
    """Events as people read them, with roles: ``transfer as _to``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A number over several seeds."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The arithmetic mean."""
        return fmean(self.values)

    @property
    def deviation(self) -> float:
        """The sample standard deviation; 0 for a single value."""
        return stdev(self.values) if len(self.values) > 1 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Inclusion:
    """Whether one language lies in another, exactly."""

    holds: bool | None
    """``None`` if that would take too long to decide."""
    counterexample: Word | None
    """If it does not hold, the shortest word that is missing, the first of them in the order of labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A mined automaton compared with a true one."""

    labels: Labels
    seeds: int
    """Walks are drawn with the seeds 0 to this number, exclusive."""
    precision: Spread
    recall: Spread
    f: Spread
    """The harmonic mean of precision and recall, for each seed."""
    mined_in_truth: Inclusion
    truth_in_mined: Inclusion
    only_mined: tuple[str, ...]
    """Labels that only the mined automaton has, ascending."""
    only_truth: tuple[str, ...]


def read(path: Path) -> Document:
    """Read an ``automaton.json`` or a declared protocol, whichever it is.

    Raises:
        FileFormatError: it cannot be read or is neither.

    """
    text = read_bounded(path, MAX_BYTES, "an automaton")
    document = decode(text, str(path))
    if "format" in document:
        return decode_specification(text, str(path))
    if "start" in document:
        return DeclaredProtocol.from_json(text, str(path))
    raise FileFormatError(
        f"{plain(path)} is neither an automaton written by specminer (it has no 'format') nor a declared protocol "
        "(it has no 'start')"
    )


def language(
    document: Document, labels: Labels = Labels.FUNCTIONS, ignored: Collection[str] = (), origin: str = ""
) -> Automaton:
    """Return the automaton that is scored, without unreachable states.

    Args:
        document: what was read.
        labels: what stands on the transitions.
        ignored: labels that make no sound, as rejected calls do.
        origin: names the document in messages.

    Raises:
        FileFormatError: its transitions make no automaton.

    """
    try:
        if isinstance(document, DeclaredProtocol):
            automaton = reachable(document.automaton(roles=labels is Labels.EVENTS))
        else:
            automaton = _calls(document, labels)
        silent = [(edge.source, edge.target) for edge in automaton.transitions if edge.symbol in ignored]
        return without_silent_moves(_without(automaton, ignored), silent) if silent else automaton
    except AutomatonError as error:
        raise FileFormatError(f"{plain(origin)}: transitions: {plain(error)}") from None


def _calls(specification: Specification, labels: Labels) -> Automaton:
    """Return the automaton of the accepted calls, the initial state first."""
    _ = specification.automaton  # refuses what is none, silent transitions included
    edges = [edge for edge in specification.transitions if _counts(edge)]
    rows = [
        (edge.source, edge.function if labels is Labels.FUNCTIONS else edge.event, edge.target, edge.count)
        for edge in edges
    ]
    silent = [(edge.source, edge.target) for edge in specification.transitions if not _counts(edge)]
    everything = Automaton(
        states=frozenset(state.id for state in specification.states),
        transitions=from_edges(rows, specification.initial).transitions,
        initial_state=specification.initial,
    )
    return without_silent_moves(everything, silent)


def _counts(edge: Edge) -> bool:
    return edge.kind is TransitionKind.CALL and edge.outcome == "returned"


def _without(automaton: Automaton, ignored: Collection[str]) -> Automaton:
    return Automaton(
        states=automaton.states,
        transitions=tuple(edge for edge in automaton.transitions if edge.symbol not in ignored),
        initial_state=automaton.initial_state,
    )


def score(mined: Automaton, truth: Automaton, seeds: int = 10, labels: Labels = Labels.FUNCTIONS) -> Score:
    """Compare two automata over the same kind of labels; ``seeds`` is how many samples of walks are drawn.

    Raises:
        ValueError: ``seeds`` is less than 1.

    """
    if seeds < 1:
        raise ValueError(f"expected 1 seed or more but got {seeds}")
    precision = _shares(mined, truth, seeds)
    recall = _shares(truth, mined, seeds)
    return Score(
        labels=labels,
        seeds=seeds,
        precision=Spread(values=precision),
        recall=Spread(values=recall),
        f=Spread(values=tuple(map(harmonic_mean, precision, recall))),
        mined_in_truth=_inclusion(mined, truth),
        truth_in_mined=_inclusion(truth, mined),
        only_mined=tuple(sorted(mined.input_symbols - truth.input_symbols)),
        only_truth=tuple(sorted(truth.input_symbols - mined.input_symbols)),
    )


def _shares(walked: Automaton, judge: Automaton, seeds: int) -> tuple[float, ...]:
    """Return for each seed the share of random walks that the judge accepts."""
    subsets = Subsets(judge)
    return tuple(_share(random_walks(walked, seed), subsets) for seed in range(seeds))


def _share(walks: Sequence[Word], judge: Subsets) -> float:
    return sum(map(judge.accepts, walks)) / len(walks)


def harmonic_mean(first: float, second: float) -> float:
    """Return the harmonic mean of two shares; 0 if both are."""
    return 2 * first * second / (first + second) if first + second else 0.0


def _inclusion(smaller: Automaton, larger: Automaton) -> Inclusion:
    try:
        word = missing_word(smaller, larger, _PAIRS)
    except AutomatonTooLarge:
        return Inclusion(holds=None, counterexample=None)
    return Inclusion(holds=word is None, counterexample=word)
