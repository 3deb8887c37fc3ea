"""Transactions, judged by a specification that was mined before."""

from __future__ import annotations

from dataclasses import replace
from os import PathLike
from pathlib import Path

from specminer.pipeline.checking import CheckOptions, check_history
from specminer.pipeline.inputs import ArtifactSource, read_artifact
from specminer.pipeline.progress import SILENT, Observer
from specminer.pipeline.selecting import Selection, SelectionOptions, select
from specminer.specification import Specification, edits_path, read_edits, read_specification
from specminer.specification.deviation import CheckResult


def check(
    automaton: Specification | str | PathLike[str],
    source: str | PathLike[str] | Selection,
    *addresses: str,
    options: CheckOptions | None = None,
    abi: ArtifactSource = None,
    observer: Observer = SILENT,
) -> CheckResult:
    """Judge transactions by a specification.

    Args:
        automaton: the specification, or the file that holds it; claims are edited as the TOML file beside that says.
        source: the name of a shipped dataset, a trace file, what :func:`select` returned, or a database: its path or
            URL (``postgresql://USER@HOST/NAME``), if ``addresses`` are given.
        addresses: contracts in the database.
        options: which transactions are judged; ``None`` for those behind the specification's last block.
        abi: the contracts' ABI, a storage layout, or both, or the file that holds them; of a proxy several
            files, or a folder. By default what is stored.
        observer: sees notes and progress.

    Raises:
        UsageError: there is no such dataset or file, an address is none, a transaction is not in the history, or the
            specification's abstraction does not fit it.
        FileFormatError: the specification, the trace file or the ABI is malformed.
        StoreError: the database does not hold the contracts.

    """
    if not isinstance(automaton, Specification):
        path = Path(automaton)
        automaton, options = read_specification(path), options or CheckOptions()
        if not options.edits:
            options = replace(options, edits=read_edits(edits_path(path)))
    if not isinstance(source, Selection):
        targets = tuple(addresses) or (str(source),)
        selection = SelectionOptions(
            targets=targets,
            chain_id=automaton.chain_id if addresses else None,
            life=automaton.history.life,
        )
        source = select(source if addresses else None, selection, observer=observer)
    return check_history(
        automaton,
        source.history,
        options,
        artifact=read_artifact(abi) or source.artifact,
        observer=observer,
    )
