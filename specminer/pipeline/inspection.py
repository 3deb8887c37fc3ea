"""Looks at the interactions of a history without mining an automaton."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from specminer.contracts.artifact import Artifact
from specminer.decision.access_facts import access_facts
from specminer.decoding import HistoryContext, decode
from specminer.history.contract_history import History
from specminer.interaction import Analysis, Interactions, analyse, split
from specminer.interaction.graph import interaction_graph
from specminer.interaction.races import races
from specminer.interaction.recorded_independence import independence
from specminer.interaction.rejections import rejections
from specminer.pipeline.division import state_conditions_of
from specminer.pipeline.following import execute, follow
from specminer.pipeline.output import replace_file
from specminer.presentation import interaction_documents as report


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectedSplit:
    """A history, split."""

    analysis: Analysis
    """Which sorts of entities there are, and what speaks for each."""
    interactions: Interactions

    @property
    def context(self) -> HistoryContext:
        """The history, and what its calls and its storage mean."""
        return self.analysis.context

    def overview(self) -> list[dict[str, Any]]:
        """Return a row for each interaction, for people."""
        return report.overview(self.analysis, self.interactions)

    def members(self) -> list[dict[str, Any]]:
        """Return each interaction with its own calls, for programs."""
        return report.members(self.analysis, self.interactions)

    def timeline(self, wish: str) -> dict[str, Any]:
        """Return the life of one interaction, by its name or key.

        Raises:
            UsageError: there is none, or several.

        """
        number = report.find(self.interactions, wish)
        return report.timeline(self.analysis, self.interactions, self.context.interface, number)

    def races(self) -> list[dict[str, Any]]:
        """Return the races by block."""
        block_races = races(self.context, self.interactions)
        return report.race_list(self.analysis, self.interactions, block_races)

    def explanation(self, seed: int = 0) -> dict[str, Any]:
        """Return how the history is split and why, and check that it holds; ``seed`` draws the calls executed again."""
        from specminer.interaction.independence_replay import replay_sample  # loads the machine

        context = self.context
        return report.explanation(
            self.analysis,
            self.interactions,
            rejections(context, self.interactions),
            independence(context, self.interactions),
            replay_sample(context, self.interactions, seed),
        )

    def write_graph(self, path: Path) -> int:
        """Write the dependencies between calls as GraphML; return how many there are.

        Raises:
            OutputError: the file cannot be written.

        """
        import networkx as nx  # takes long to load, and few want graphs

        graph = interaction_graph(self.context, self.interactions)
        text = io.BytesIO()
        nx.write_graphml_xml(graph, text, encoding="utf-8", prettyprint=True, named_key_ids=True)
        replace_file(path, text.getvalue() + b"\n")
        return int(graph.number_of_edges())


def inspect(history: History, *, artifact: Artifact | None = None, wish: str | None = None) -> InspectedSplit:
    """Split a history, as wished or by what fits best.

    Raises:
        StoreError: the history holds no invocation.
        UsageError: there is no such sort.
        FileFormatError: the artifact's storage layout is malformed.

    """
    context = decode(history, artifact)
    runs = execute(context)
    analysis = analyse(
        context, access_facts(context, runs), lambda: state_conditions_of(follow(context, runs))
    )
    return InspectedSplit(analysis=analysis, interactions=split(analysis, wish))
