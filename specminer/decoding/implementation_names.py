"""What functions mean in each implementation of a proxy, where several ABIs are given.

The ABIs together name functions and arguments. A function that means something else in one of them, because its
arguments are of another enum or because two functions share a selector, has a name of its own where that code ran.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

import numpy as np

from specminer._support.addresses import checksum_address
from specminer._support.errors import plain
from specminer._support.text import list_some
from specminer.contracts.artifact import Artifact
from specminer.contracts.fitting_abi import best_versions
from specminer.contracts.interface import Interface, InterfaceFunction, from_artifact
from specminer.contracts.joined_layouts import join_layouts
from specminer.history.contract_history import MISSING, History
from specminer.history.trace import Address

FittingVersions: TypeAlias = Mapping[Address, Sequence[Artifact]]
"""By code that ran, the one that ran last first, the ABIs that fit it best."""
NAMES: Final = 5
"""Contradictions that are told one by one."""


def codes_that_ran(history: History) -> dict[Address, bytes]:
    """Return the runtime code of the contracts and their implementations that ran, those that ran last first."""
    codes: dict[Address, bytes] = {}
    for record in history.contracts:
        codes[record.address] = record.code
        codes |= dict(record.implementations)
    last = np.full(len(history.addresses), MISSING, dtype=np.int64)
    np.maximum.at(last, history.invocation_code, np.arange(len(history)))
    ran = [
        history.addresses[row] for row in np.argsort(-last, kind="stable").tolist() if last[row] != MISSING
    ]
    return {address: codes[address] for address in ran if codes.get(address)}


def fitting_versions(artifact: Artifact, codes: Mapping[Address, bytes]) -> FittingVersions:
    """Return the ABIs that fit each code best; several fit equally well if they have the same functions."""
    return {address: best_versions(artifact.versions, code) for address, code in codes.items()}


def artifact_by_code(fitting: FittingVersions) -> dict[Address, Artifact]:
    """Return the ABI of each implementation that has one of its own."""
    return {address: versions[0] for address, versions in fitting.items() if versions}


def with_versions(interface: Interface, fitting: FittingVersions) -> Interface:
    """Return an interface that knows what each function means in each code, by the ABI that fits that code best."""
    names = Counter(item.name for item in _distinct_artifacts(fitting))
    versions = {
        address: _version(
            interface,
            item,
            item.name if item.name and names[item.name] == 1 else checksum_address(address)[:10],
        )
        for address, item in artifact_by_code(fitting).items()
    }
    return replace(interface, versions=versions)


def _version(interface: Interface, artifact: Artifact, label: str) -> Interface:
    """Return what functions mean in one implementation; ``label`` tells it from the others."""
    table = from_artifact(artifact)
    functions = dict(interface.functions)
    for selector, item in table.functions.items():
        common = functions.get(selector)
        if common is None:
            continue  # unreachable while the ABIs together have every function
        if _means_the_same(item, common):
            functions[selector] = replace(
                common, arguments=item.arguments, members=item.members or common.members
            )
        else:
            functions[selector] = replace(item, name=f"{item.name} ({plain(label, 60)})")
    return replace(interface, functions=functions, errors=interface.errors | table.errors)


def _means_the_same(one: InterfaceFunction, other: InterfaceFunction) -> bool:
    """Whether a function's name, its types and the values of its enums agree; names of arguments may differ."""
    return one.signature == other.signature and not any(
        members[: len(others)] != others[: len(members)]
        for members, others in zip(one.members, other.members, strict=False)
    )


def contradictions(fitting: FittingVersions) -> Iterator[str]:
    """Yield what the ABIs of implementations contradict each other in, as sentences without full stops."""
    artifacts = _distinct_artifacts(fitting)
    yield from _ambiguous(fitting)
    yield from _changed_functions(artifacts)
    names = [plain(name, 60) for name in sorted(_changed_enums(artifacts))]
    if names:
        yield (
            f"the members of the enums {list_some(names[:NAMES], len(names))} differ between the ABIs; stored values "
            "of them are shown as numbers"
        )
    yield from _changed_variables(artifacts)


def with_common_enums(artifact: Artifact, fitting: FittingVersions) -> Artifact:
    """Return an ABI without the enums whose members differ between the implementations that ran.

    What is stored may have been written by any of them.
    """
    changed = _changed_enums(_distinct_artifacts(fitting))
    enums = {name: members for name, members in artifact.enums.items() if name not in changed}
    return replace(artifact, enums=enums) if changed else artifact


def _distinct_artifacts(fitting: FittingVersions) -> list[Artifact]:
    """Return the ABIs of the code that ran, the newest first, each once."""
    artifacts: list[Artifact] = []
    for item in artifact_by_code(fitting).values():
        if item not in artifacts:
            artifacts.append(item)
    return artifacts


def _label(artifact: Artifact) -> str:
    return plain(artifact.name, 60) if artifact.name else "an ABI without a name"


def _ambiguous(fitting: FittingVersions) -> Iterator[str]:
    for address, best in fitting.items():
        rivals = [item for item in best if (item.abi, item.enums) != (best[0].abi, best[0].enums)]
        if rivals:
            yield (
                f"the ABIs {_label(best[0])} and {_label(rivals[0])} fit the code at {checksum_address(address)} "
                "equally well; the first is used; give artifacts with the compiled code (deployedBytecode), which "
                "tells them apart"
            )


def _changed_functions(artifacts: Sequence[Artifact]) -> Iterator[str]:
    """Yield which functions answer with other types, or have arguments of other enums, in an older version."""
    names: dict[str, None] = {}
    tables = [from_artifact(version).functions for version in artifacts]
    outputs = [
        {(entry.name, len(entry.inputs)): [item.type for item in entry.outputs] for entry in version.abi}
        for version in artifacts
    ]
    for table, answers in zip(tables[1:], outputs[1:], strict=True):
        for selector, item in table.items():
            newest = next((other[selector] for other in tables if selector in other), item)
            key = item.name, len(item.types)
            answer = next((other[key] for other in outputs if key in other), None)
            if not _means_the_same(newest, item) or answer != answers.get(key, answer):
                names[plain(item.signature, 80)] = None
    if names:
        yield (
            f"{list_some(list(names)[:NAMES], len(names))} do not mean the same in all ABIs; each call is read as the "
            "code meant it that ran"
        )


def _changed_enums(artifacts: Sequence[Artifact]) -> set[str]:
    """Return the enums to which a newer version did more than add members."""
    newest: dict[str, tuple[str, ...]] = {}
    changed: set[str] = set()
    for item in artifacts:
        for name, members in item.enums.items():
            if newest.setdefault(name, members)[: len(members)] != members:
                changed.add(name)
    return changed


def _changed_variables(artifacts: Sequence[Artifact]) -> Iterator[str]:
    joined = join_layouts([item.storage_layout for item in artifacts if item.storage_layout is not None])
    conflicts = (
        {}
        if joined is None
        else {(item.slot, item.label, item.older_label): item for item in joined.conflicts}
    )
    if conflicts:
        texts = [
            f"slot {item.slot:,} is {plain(item.label, 60)} in the newest and {plain(item.older_label, 60)} in "
            "an older one"
            if item.label != item.older_label
            else f"{plain(item.label, 60)} in slot {item.slot:,} has another type in an older one"
            for item in conflicts.values()
        ]
        yield (
            "the storage layouts of the implementations contradict each other: "
            f"{list_some(texts[:NAMES], len(texts))}; variables are named by the newest"
        )
