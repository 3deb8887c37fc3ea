"""The value that flows through the stages of mining, and what a user can set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeAlias

from specminer.contracts.artifact import Artifact
from specminer.decision import FunctionRuns
from specminer.decision.open_ways import OpenWays
from specminer.decoding import HistoryContext
from specminer.history.contract_history import History
from specminer.inference.decided_clauses import FollowedFunction
from specminer.inference.invariant_claim import Invariant
from specminer.inference.ranked_transactions import Transactions
from specminer.interaction import Analysis, Interactions
from specminer.learning.abstraction_definition import Definition
from specminer.learning.preset import Preset
from specminer.learning.tuning_result import Tuning
from specminer.pipeline.cluster import DaskOptions
from specminer.pipeline.findings import GuardFindings, Implications
from specminer.pipeline.phasing import Phasing
from specminer.pipeline.progress import SILENT, Observer
from specminer.specification import (
    DEFAULT_LISTED,
    Confidence,
    Derivation,
    Edge,
    Effect,
    InteractionsSummary,
    Mode,
    Specification,
    Surprise,
)


class _Pending:
    """What a stage has yet to fill in: whoever reads it too early is told so."""

    def __init__(self, stage: str) -> None:
        self._stage = stage

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"the stage {self._stage} has yet to run, whose '{name}' is asked for")

    def __iter__(self) -> NoReturn:
        raise AttributeError(f"the stage {self._stage} has yet to run, whose items are asked for")


def _pending(stage: str) -> Any:
    """Return the default of a field that a stage fills in."""
    return _Pending(stage)


@dataclass(frozen=True, slots=True, kw_only=True)
class MineOptions:
    """What a user can set."""

    name: str | None = None
    """What to call the contract; ``None`` for what it is called, or calls itself."""
    interactions: str | None = None
    """``whole``, ``instance``, ``sender`` or a sort's name; ``None`` lets the data decide."""
    definition: Definition | None = None
    """``None`` for the shipped default."""
    forbid: tuple[str, ...] = ()
    """Variables or predicates that no state may use."""
    seed: int = 0
    preset: Preset | None = None
    """``None`` for the default."""
    surprising: int = DEFAULT_LISTED
    """How many of the most surprising interactions and events are listed."""
    is_explained: bool = True
    """Whether a solver looks for other ways to say a chosen predicate, and parts of the history tell how stable it is;
    nobody asks this of a history that is only divided."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """Weights that hold instead of the definition's."""
    states: int | None = None
    """Of the front the automaton with so many states is taken, instead of the chosen one."""
    point: int | None = None
    """Of the front this point is taken, counted from 1."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """What to call addresses, by address; these names count before those of contracts in the database."""
    workers: DaskOptions | None = None
    """Dask workers that mine the contracts of a list; ``None`` for this process, which mines single contracts."""


def options_of(specification: Specification, *, surprising: int = 0) -> MineOptions:
    """Return the options that divide and describe a history as a specification does: nothing is searched for."""
    return MineOptions(
        interactions=_requested_split(specification.interactions),
        definition=Definition.of(specification.abstraction),
        surprising=surprising,
    )


def _requested_split(split: InteractionsSummary) -> str | None:
    """Return what to ask for to get a split again."""
    if split.sort is not None and split.mode in (Mode.PARTITION, Mode.PROJECTION, None):
        return split.sort.name
    return None if split.mode is None else split.mode.value


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
    observer: Observer = SILENT
    """Sees how far long work is."""

    context: HistoryContext = field(default=_pending("decode_history"))

    runs: tuple[FunctionRuns, ...] = field(default=_pending("execute_calls"))
    """Calls of each function, executed alone."""

    followed_functions: Mapping[int, FollowedFunction] = field(default=_pending("follow_decisions"))
    """What calls decided, by number of the function; functions whose code could not be followed are left out."""

    analysis: Analysis = field(default=_pending("divide"))
    """The sorts of entities."""
    interactions: Interactions = field(default=_pending("divide"))
    """``choose_abstraction`` adds the events of phases and drops what only bookkeeping saw."""
    functions: Sequence[str] = field(default=_pending("divide"))
    """The name of each invocation's function; ``n`` of them."""
    events: Sequence[str] = field(default=_pending("divide"))
    """The event that each invocation counts as; ``n`` of them."""
    definition: Definition = field(default=_pending("divide"))
    """What was asked for, with all that is forbidden."""
    phasing: Phasing = field(default=_pending("divide"))
    """The tables of events, with and without the changes of flags."""

    effects: tuple[Effect, ...] = field(default=_pending("find_effects"))
    """What accepted calls of the functions that could be followed do."""

    laws: Mapping[str, Derivation] = field(default=_pending("find_effects"))
    """Invariants that follow from what the code computes, by their text, with how far that is proved."""

    open_ways: OpenWays = field(default=_pending("find_effects"))
    """What the code leaves open, so that it need not go on as it was."""

    tuning: Tuning = field(default=_pending("choose_abstraction"))
    """The front of automata, and the chosen one."""
    bookkeeping: tuple[str, ...] = field(default=_pending("choose_abstraction"))
    """Variables that were left out of the states."""

    transitions: tuple[tuple[Edge, ...], ...] = field(default=_pending("count_transitions"))
    """Those of each point of the front, without guards."""
    second: Mining | None = field(default=_pending("mine_second_view"))
    """The same up to the transitions, for a split that is nearly as good; ``None`` if there is none."""
    invariants: Sequence[Invariant] = field(default=_pending("find_invariants"))
    """All that held."""
    habits: Sequence[Invariant] = field(default=_pending("find_invariants"))
    """What held before calls though no code demands it: only where it failed it is a reason to look closer."""
    guards: GuardFindings = field(default=_pending("find_guards"))
    implications: Implications = field(default=_pending("find_implications"))
    """What follows from what, and the guards of transitions."""
    confidence: Confidence = field(default=_pending("assess_confidence"))
    surprise: Surprise = field(default=_pending("rank_surprise"))
    ranked_transactions: Transactions = field(default=_pending("rank_surprise"))
    """What speaks against each transaction."""
    specification: Specification = field(default=_pending("build_specification"))


Stage: TypeAlias = Callable[[Mining], Mining]
"""Fills in fields of its own, from those that stages before it have filled in."""
