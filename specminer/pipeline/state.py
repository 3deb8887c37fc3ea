"""The value that flows through the stages of mining, and what a user can set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn, TypeAlias

from specminer.abstraction import Definition
from specminer.chain.artifact import Artifact
from specminer.decoding import HistoryContext
from specminer.history import History
from specminer.interaction import Analysis, Interactions
from specminer.invariant import Invariant
from specminer.pipeline.findings import GuardFindings, Implications
from specminer.pipeline.phasing import Phasing
from specminer.specification import Confidence, Edge, Specification, Surprise
from specminer.surprise import LISTED
from specminer.tuning import Preset, Tuning


class _Pending:
    """What a later stage fills in: whoever reads it before is told so."""

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"'{name}' of a value that no stage has filled in yet")


_PENDING: Final[Any] = _Pending()


@dataclass(frozen=True, slots=True, kw_only=True)
class MineOptions:
    """What a user can set."""

    interactions: str | None = None
    """``whole``, ``instance``, ``sender`` or a sort's name; ``None`` lets the data decide."""
    definition: Definition | None = None
    """``None`` for the shipped default."""
    forbid: tuple[str, ...] = ()
    """Variables or predicates that no state may use."""
    seed: int = 0
    preset: Preset | None = None
    """``None`` for the default."""
    surprising: int = LISTED
    """How many of the most surprising interactions and events are listed."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """Weights that hold instead of the definition's."""
    states: int | None = None
    """Of the front the automaton with so many states is taken, instead of the chosen one."""
    point: int | None = None
    """Of the front this point is taken, counted from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mining:
    """What is known of a history between two stages: each stage returns a copy in which its own fields are filled in.

    The fields stand in the order of the stages. A history has ``n`` invocations.
    """

    history: History
    options: MineOptions
    artifact: Artifact | None = None
    """The one given, which overrides those stored; of what was used the context tells."""
    name: str | None = None
    """What the user calls the contract."""
    selection: str | None = None
    """How several contracts were chosen, as a sentence."""

    context: HistoryContext = _PENDING
    """By ``decode_history``."""

    analysis: Analysis = _PENDING
    """By ``divide``: the sorts of entities."""
    interactions: Interactions = _PENDING
    """By ``divide``; ``choose_abstraction`` adds the events of phases and drops what only bookkeeping saw."""
    functions: Sequence[str] = _PENDING
    """By ``divide``: the name of each invocation's function; ``n`` of them."""
    events: Sequence[str] = _PENDING
    """By ``divide``: the event that each invocation counts as; ``n`` of them."""
    definition: Definition = _PENDING
    """By ``divide``: what was asked for, with all that is forbidden."""
    phasing: Phasing = _PENDING
    """By ``divide``: the tables of events, with and without the changes of flags."""

    tuning: Tuning = _PENDING
    """By ``choose_abstraction``: the front of automata, and the chosen one."""
    bookkeeping: tuple[str, ...] = _PENDING
    """By ``choose_abstraction``: variables that were left out of the states."""

    transitions: tuple[tuple[Edge, ...], ...] = _PENDING
    """By ``count_transitions``: those of each point of the front, without guards."""
    invariants: Sequence[Invariant] = _PENDING
    """By ``find_invariants``: all that held."""
    guards: GuardFindings = _PENDING
    """By ``find_guards``."""
    implications: Implications = _PENDING
    """By ``find_implications``: what follows from what, and the guards of transitions."""
    confidence: Confidence = _PENDING
    """By ``assess_confidence``."""
    surprise: Surprise = _PENDING
    """By ``rank_surprise``."""
    specification: Specification = _PENDING
    """By ``build_specification``."""


Stage: TypeAlias = Callable[[Mining], Mining]
"""Fills in fields of its own, from those that stages before it have filled in."""
