"""Tells which of several ABIs belong to a contract, by the selectors in the code that ran in its storage.

A proxy runs code of its own and that of its implementations, one after another or, in a diamond, by function; the ABIs
of all of them together name its functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from specminer.contracts.artifact import AbiEntry, Artifact
from specminer.contracts.interface import from_artifact

FITS: Final = 0.5
"""Share of an ABI's functions whose selectors a code has to hold; libraries and optimisers leave some out."""


def fitting_artifact(artifacts: Sequence[Artifact], codes: Sequence[bytes]) -> Artifact | None:
    """Return what of several ABIs belongs to a contract, as one; ``None`` if nothing does.

    Args:
        artifacts: the ABIs; one alone is meant for the contract, whatever its code.
        codes: the runtime code that ran in its storage, the newest last. Without any nothing can be told apart, and the
            ABIs name all functions that they have; no layout is taken then.

    The layout is that of the ABI that fits the newest code best.
    """
    if len(artifacts) == 1:
        return artifacts[0]
    programs = [code for code in codes if code]
    if not programs:
        return _join_abis(artifacts, None) if artifacts else None
    fitting = [item for item in artifacts if max(_share(item, code) for code in programs) >= FITS]
    if not fitting:
        return None
    with_layout = [item for item in fitting if item.storage_layout is not None]
    newest = max(with_layout, key=lambda item: (_share(item, programs[-1]), len(item.abi)), default=None)
    return _join_abis(fitting, newest)


def _share(artifact: Artifact, code: bytes) -> float:
    """Return the share of an ABI's functions whose selectors stand in a code."""
    selectors = from_artifact(artifact).functions
    return sum(selector in code for selector in selectors) / len(selectors) if selectors else 0.0


def _join_abis(artifacts: Sequence[Artifact], newest: Artifact | None) -> Artifact:
    """Return several ABIs as one, with the layout of one of them."""
    ordered = sorted(artifacts, key=lambda item: item is not newest)
    entries: dict[Any, AbiEntry] = {}
    enums: dict[str, tuple[str, ...]] = {}
    for item in ordered:
        for entry in item.abi:
            entries.setdefault((entry.type, entry.name, repr(entry.inputs)), entry)
        for name, members in item.enums.items():
            enums.setdefault(name, members)
    return Artifact(
        name=ordered[0].name,
        abi=tuple(entries.values()),
        storage_layout=None if newest is None else newest.storage_layout,
        enums=enums,
    )
