"""Looks at the interactions of a history without mining an automaton."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from specminer.chain.artifact import Artifact
from specminer.history import History
from specminer.interaction import Interactions, split
from specminer.interaction.graph import interaction_graph
from specminer.interaction.races import races
from specminer.interaction.rejections import rejections
from specminer.interaction.verification import independence
from specminer.pipeline.output import replace_file
from specminer.pipeline.understanding import Understood, understand
from specminer.report import interactions as report


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """A history, split."""

    given: Understood
    interactions: Interactions

    def overview(self) -> list[dict[str, Any]]:
        """Return a row for each interaction, for people."""
        return report.overview(self.given.analysis, self.interactions)

    def members(self) -> list[dict[str, Any]]:
        """Return each interaction with its own calls, for programs."""
        return report.members(self.given.analysis, self.interactions)

    def timeline(self, wish: str) -> dict[str, Any]:
        """Return the life of one interaction, by its name or key.

        Raises:
            UsageError: there is none, or several.

        """
        number = report.find(self.interactions, wish)
        return report.timeline(self.given.analysis, self.interactions, self.given.interface, number)

    def races(self) -> list[dict[str, Any]]:
        """Return the races by block."""
        found = races(self.given.analysis.evidence, self.interactions)
        return report.race_list(self.given.analysis, self.interactions, found)


def inspect(history: History, *, artifact: Artifact | None = None, wish: str | None = None) -> Inspected:
    """Split a history, as wished or by what fits best.

    Raises:
        StoreError: the history holds no invocation.
        UsageError: there is no such sort.
        FileFormatError: the artifact's storage layout is malformed.

    """
    given = understand(history, artifact)
    return Inspected(given=given, interactions=split(given.analysis, wish))


def explained(found: Inspected, seed: int = 0) -> dict[str, Any]:
    """Return how the history is split and why, and check that it holds; ``seed`` draws the sample executed again."""
    from specminer.interaction.replaying import replayed  # loads the machine

    evidence = found.given.analysis.evidence
    return report.explanation(
        found.given.analysis,
        found.interactions,
        rejections(evidence, found.interactions),
        independence(evidence, found.interactions),
        replayed(evidence, found.interactions, seed),
    )


def write_graph(found: Inspected, path: Path) -> int:
    """Write the dependency graph as GraphML; return the number of dependencies.

    Raises:
        OutputError: the file cannot be written.

    """
    import networkx as nx  # takes long to load, and few want graphs

    graph = interaction_graph(found.given.analysis.evidence, found.interactions)
    text = io.BytesIO()
    nx.write_graphml_xml(graph, text, encoding="utf-8", prettyprint=True, named_key_ids=True)
    replace_file(path, text.getvalue() + b"\n")
    return int(graph.number_of_edges())
