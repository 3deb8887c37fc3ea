"""The options that explain and actors share: how far the history is mined, and what addresses are called."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from specminer import ExplainOptions, MineOptions
from specminer.cli.label_options import read_all_labels
from specminer.pipeline.node_source import NodeOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryTexts:
    """How the history is looked at, as it stands on the command line."""

    interactions: str
    label: tuple[str, ...]
    labels: Path | None
    fast: bool
    seed: int

    def options(self, node: NodeOptions | None) -> ExplainOptions:
        """Return the options of the library.

        Raises:
            UsageError: a label, or the file of labels, is malformed.

        """
        split = None if self.interactions == "auto" else self.interactions
        return ExplainOptions(
            fast=self.fast,
            mining=MineOptions(interactions=split, seed=self.seed, surprising=0),
            labels=read_all_labels(self.labels, self.label),
            node=node,
        )
