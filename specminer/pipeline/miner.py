"""From a history to its interactions and to its automaton."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from os import PathLike

from specminer._support.addresses import checksum_address
from specminer.pipeline import mining
from specminer.pipeline.database_names import mentioned
from specminer.pipeline.inputs import ArtifactSource, parse_address, read_artifact
from specminer.pipeline.inspection import InspectedSplit
from specminer.pipeline.inspection import inspect as split
from specminer.pipeline.mined import MinedSpecification
from specminer.pipeline.progress import SILENT, Observer
from specminer.pipeline.selecting import Selection, SelectionOptions, select
from specminer.pipeline.state import MineOptions
from specminer.specification import Specification


def mine(
    source: str | PathLike[str] | Selection,
    *addresses: str,
    chain_id: int | None = None,
    options: MineOptions | None = None,
    abi: ArtifactSource = None,
    observer: Observer = SILENT,
) -> MinedSpecification:
    """Mine a recorded history.

    Args:
        source: the name of a shipped dataset, a trace file, what :func:`select` returned, or, with ``addresses``, a
            database: its path, or its URL (``postgresql://USER@HOST/NAME``).
        addresses: contracts in the database, all of one code if there are several.
        chain_id: the contracts' chain; needed only if the database holds them on several.
        options: how to split and tune; ``None`` for the defaults.
        abi: the contracts' ABI, a storage layout, or both, or the file that holds them; of a proxy several
            files, or a folder. By default what is stored.
        observer: sees notes and progress.

    Raises:
        UsageError: there is no such dataset or file, an address is none, or an option does not fit the history.
        FileFormatError: the trace file or the ABI is malformed.
        StoreError: the database does not hold the contracts.

    """
    selection = selection_of(source, addresses, chain_id, observer)
    run = mining.mine(
        selection.history,
        options or MineOptions(),
        artifact=read_artifact(abi) or selection.artifact,
        name=options.name if options is not None else None,
        selection=selection.sentence,
        observer=observer,
    )
    for note in run.notes:
        observer.note(note)
    specification = _with_neighbours(run.specification, selection, options or MineOptions())
    return MinedSpecification(
        specification=specification,
        details=replace(run, specification=specification, recording=selection.recording),
    )


def _with_neighbours(
    specification: Specification, selection: Selection, options: MineOptions
) -> Specification:
    """Return a specification that names the addresses of its history, and says of which family its contracts are."""
    neighbours = selection.neighbours
    labels = {checksum_address(parse_address(address)): name for address, name in options.labels.items()}
    present = mentioned(selection.history, map(parse_address, labels))
    names = dict(neighbours.names)
    names |= {address: labels[address] for address in map(checksum_address, present)}
    return replace(
        specification,
        address_names=dict(sorted(names.items())) or None,
        history=replace(specification.history, family=neighbours.family),
    )


def inspect(
    source: str | PathLike[str] | Selection,
    *addresses: str,
    chain_id: int | None = None,
    interactions: str | None = None,
    abi: ArtifactSource = None,
) -> InspectedSplit:
    """Split a history into interactions, without mining it: overview, timelines, races, reasons for the split.

    Args:
        source: as in :func:`mine`.
        addresses: contracts in the database, all of one code if there are several.
        chain_id: the contracts' chain; needed only if the database holds them on several.
        interactions: ``whole``, ``instance``, ``sender`` or the name of a sort; ``None`` for what fits best.
        abi: the contracts' ABI, a storage layout, or both, or the file that holds them; of a proxy several
            files, or a folder. By default what is stored.

    Raises:
        UsageError: there is no such dataset, file or sort, or an address is none.
        FileFormatError: the trace file or the ABI is malformed.
        StoreError: the database does not hold the contracts.

    """
    selection = selection_of(source, addresses, chain_id, SILENT)
    artifact = read_artifact(abi) or selection.artifact
    return split(selection.history, artifact=artifact, wish=interactions)


def selection_of(
    source: str | PathLike[str] | Selection,
    addresses: Sequence[str],
    chain_id: int | None,
    observer: Observer,
) -> Selection:
    """Return the history that is meant: selected before, in a database, or in a file or dataset."""
    if isinstance(source, Selection):
        return source
    database = source if addresses else None
    targets = tuple(addresses) or (str(source),)
    return select(database, SelectionOptions(targets=targets, chain_id=chain_id), observer=observer)
