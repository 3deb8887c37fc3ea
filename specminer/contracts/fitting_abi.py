"""Tells which of several ABIs belong to a contract, by the code that ran in its storage.

A proxy runs code of its own and that of its implementations, one after another or, in a diamond, by function; the ABIs
of all of them together name its functions. Each is kept as it is, too: what a function means is what the code meant
that ran.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from specminer.contracts.artifact import MAX_VERSIONS, AbiEntry, Artifact
from specminer.contracts.code_family import family
from specminer.contracts.interface import canonical, from_artifact
from specminer.contracts.joined_layouts import join_layouts

FITS: Final = 0.5
"""Share of an ABI's functions whose selectors a code has to hold; libraries and optimisers leave some out."""


def fitting_artifact(artifacts: Sequence[Artifact], codes: Sequence[bytes]) -> Artifact | None:
    """Return what of several ABIs belongs to a contract, as one; ``None`` if nothing does.

    Args:
        artifacts: the ABIs; one alone is meant for the contract, whatever its code.
        codes: the runtime code that ran in its storage, the newest last. Without any nothing can be told apart, and the
            ABIs name all functions that they have; no layout is taken then.

    What the newest code's ABI says comes first, its layout leads.
    """
    artifacts = _distinct([version for item in artifacts for version in item.versions or (item,)])
    if len(artifacts) == 1:
        return artifacts[0]
    programs = list(dict.fromkeys(code for code in reversed(codes) if code))
    if not programs:
        return combined_artifact(artifacts) if artifacts else None
    best = _distinct([item for code in programs for item in best_versions(artifacts, code)[:1]])
    others = [item for item in artifacts if any(_share(item, code) >= FITS for code in programs)]
    fitting = _distinct([*best, *others])
    return _join_abis(fitting, best) if fitting else None


def combined_artifact(artifacts: Sequence[Artifact]) -> Artifact:
    """Return ABIs of which it is not known yet whose code they belong to, as one without a layout."""
    distinct = _distinct(artifacts)
    return distinct[0] if len(distinct) == 1 else _join_abis(distinct, ())


def best_versions(artifacts: Sequence[Artifact], code: bytes) -> list[Artifact]:
    """Return the ABIs that fit a code best; several fit equally well if they have the same functions.

    The compiled code decides where the ABI's file has it, else the selectors that stand in the code.
    """
    exact = [item for item in artifacts if item.runtime and _is_compiled_to(item, code)]
    if exact:
        return exact
    scores = [(_share(item, code), len(from_artifact(item).functions)) for item in artifacts]
    best = max(scores, default=(0.0, 0))
    return [item for item, score in zip(artifacts, scores, strict=True) if score == best and best[0] >= FITS]


def _is_compiled_to(artifact: Artifact, code: bytes) -> bool:
    return len(artifact.runtime) <= 2 * len(code) and family(artifact.runtime).holds(code)


def _distinct(artifacts: Sequence[Artifact]) -> list[Artifact]:
    """Return ABIs without those that say what another one says: folders hold copies."""
    by_text: dict[bytes, Artifact] = {}
    for item in artifacts:
        by_text.setdefault(replace(item, runtime=b"").to_json() + item.runtime, item)
    return list(by_text.values())[:MAX_VERSIONS]


def _share(artifact: Artifact, code: bytes) -> float:
    """Return the share of an ABI's functions whose selectors stand in a code."""
    selectors = from_artifact(artifact).functions
    return sum(selector in code for selector in selectors) / len(selectors) if selectors else 0.0


def _join_abis(ordered: Sequence[Artifact], laid_out: Sequence[Artifact]) -> Artifact:
    """Return several ABIs as one, the first of them leading, with the layouts of some of them."""
    entries: dict[Any, AbiEntry] = {}
    enums: dict[str, tuple[str, ...]] = {}
    for item in ordered:
        for entry in item.abi:
            entries.setdefault((entry.type, entry.name, tuple(map(canonical, entry.inputs))), entry)
        for name, members in item.enums.items():
            known_members = enums.setdefault(name, members)
            if members[: len(known_members)] == known_members:  # a later version added some
                enums[name] = members
    joined = join_layouts([item.storage_layout for item in laid_out if item.storage_layout is not None])
    return Artifact(
        name=ordered[0].name,
        abi=tuple(entries.values()),
        storage_layout=None if joined is None else joined.layout,
        enums=enums,
        versions=tuple(ordered) if len(ordered) > 1 else (),
    )
