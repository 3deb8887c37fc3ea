"""From a history to a specification: the stages, and what runs them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Final

from specminer._support.errors import plain
from specminer._support.unused_memory import give_back
from specminer.contracts.artifact import Artifact
from specminer.contracts.interface import Interface
from specminer.decoding import HistoryContext
from specminer.history.contract_history import History
from specminer.inference.ranked_transactions import Transactions
from specminer.interaction import Analysis, Interactions
from specminer.learning.event_table import EventTable
from specminer.learning.tuning_result import Tuning
from specminer.pipeline.assessment import assess_confidence, find_invariants, rank_surprise
from specminer.pipeline.automata import choose_abstraction, count_transitions
from specminer.pipeline.division import decode_history, divide
from specminer.pipeline.document import build_specification
from specminer.pipeline.effecting import find_effects
from specminer.pipeline.following import execute_calls, follow_decisions
from specminer.pipeline.guarding import find_guards, find_implications
from specminer.pipeline.progress import SILENT, Observer
from specminer.pipeline.recording import Recording
from specminer.pipeline.second_view import mine_second_view
from specminer.pipeline.state import MineOptions, Mining, Stage
from specminer.specification import Specification

STAGES: Final[tuple[Stage, ...]] = (
    decode_history,
    execute_calls,
    follow_decisions,
    divide,
    choose_abstraction,
    count_transitions,
    mine_second_view,
    find_effects,
    find_invariants,
    find_guards,
    find_implications,
    assess_confidence,
    rank_surprise,
    build_specification,
)
"""Mining, step by step; each stage needs only what stages before it have filled in."""

LARGE: Final = 1 << 18
"""Calls of a history whose stages leave so much unused memory behind that it is worth a look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MiningResult:
    """The specification, and what it was made of, for those who look closer."""

    specification: Specification
    analysis: Analysis
    interactions: Interactions
    tuning: Tuning
    ranked_transactions: Transactions
    """What speaks against each transaction."""
    notes: tuple[str, ...]
    """What a user should know, as sentences."""
    recording: Recording | None = None
    """Where the history's transactions can be read as values."""

    @property
    def context(self) -> HistoryContext:
        """The history, and what its calls and its storage mean."""
        return self.analysis.context

    @property
    def history(self) -> History:
        """The history."""
        return self.context.history

    @property
    def interface(self) -> Interface:
        """The names of functions, arguments and errors."""
        return self.context.interface

    @property
    def table(self) -> EventTable:
        """The table of events that the abstraction was chosen on."""
        return self.tuning.table


def mine(
    history: History,
    options: MineOptions,
    *,
    artifact: Artifact | None = None,
    name: str | None = None,
    selection: str | None = None,
    observer: Observer = SILENT,
) -> MiningResult:
    """Mine the history of a contract, or of several together, which share one ABI.

    ``artifact`` overrides those stored with them; ``selection`` says how several contracts were chosen; ``observer``
    sees how far long work is.

    Raises:
        StoreError: the history holds no invocation.
        UsageError: the definition asks for what the history does not have.
        FileFormatError: the artifact's storage layout is malformed.

    """
    start = Mining(
        history=history, options=options, artifact=artifact, name=name, selection=selection, observer=observer
    )
    mining = reduce(run_stage, STAGES, start)
    return MiningResult(
        specification=mining.specification,
        analysis=mining.analysis,
        interactions=mining.interactions,
        tuning=mining.tuning,
        ranked_transactions=mining.ranked_transactions,
        notes=tuple(_notes(mining)),
    )


def run_stage(mining: Mining, stage: Stage) -> Mining:
    """Run a stage; behind one that worked on a large history, give back to the system what it no longer needs."""
    done = stage(mining)
    if len(mining.history) >= LARGE:
        give_back()
    return done


def _notes(mining: Mining) -> Iterator[str]:
    """Yield what a user should know of the abstraction, as sentences."""
    definition = mining.definition
    unmatched = () if definition.lenient else mining.tuning.unmatched
    predicates = [text for text in unmatched if text not in mining.options.forbid]
    if predicates:
        names = _list_names(predicates)
        yield f"nothing in this history matches {names}, which the abstraction mentions"
    if mining.bookkeeping:
        names = _list_names(mining.bookkeeping)
        yield f"left out of the states, as calls that do not name the entity change it all the time: {names}"
    if definition.lenient:
        yield (
            f"the ABI fits the shipped abstraction '{plain(definition.name)}', which was used "
            "(--abstraction default mines without)"
        )


def _list_names(names: Sequence[str]) -> str:
    return ", ".join(plain(name, 80) for name in names)
