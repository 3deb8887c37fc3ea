"""The intended split of a dataset: which invocations belong together, by the scenario that made them.

``intended.json`` is written when a dataset is recorded, by those who know what each call was for, and no
analysis has a part in it. A member is ``[row, position]``: the transaction's line, counted from 0 over the
dataset's trace files in order, and the invocation's position in it.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from specminer.contracts.artifact import Artifact
from specminer.contracts.interface import Interface, from_artifact
from specminer.history.trace import Invocation, InvocationKind, OutcomeKind, Transaction
from specminer.pipeline.datasets import Dataset
from specminer.sources.tracefile import TraceFile
from tools.life import NO_REASON, OUT_OF_GAS, ROLLED_BACK, Meant

Member = tuple[bytes, int]
"""An invocation: hash of the transaction, and position."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intended:
    """The split as it was meant."""

    mode: str
    """``partition``, ``projection``, ``instance``, ``whole`` or ``sender``."""
    groups: dict[str, frozenset[Member]]
    """The members by name of the entity; in a projection an invocation may stand in several."""
    rest: frozenset[Member]
    """What belongs to no entity. Constructors and calls of read-only functions are in neither."""


class MeantOtherwise(RuntimeError):
    """A trace holds other invocations, or other outcomes, than the scenario meant."""


def intended(dataset: Dataset, mode: str) -> Intended:
    """Read the intended split of a dataset."""
    document = json.loads((dataset.folder / "intended.json").read_text())
    hashes = [bytes(item.hash) for item in _transactions(dataset.trace_files)]

    def members(rows: Iterable[Sequence[int]]) -> frozenset[Member]:
        return frozenset((hashes[row], position) for row, position in rows)

    return Intended(
        mode=mode,
        groups={name: members(rows) for name, rows in document["groups"].items()},
        rest=members(document["rest"]),
    )


def intended_text(paths: Sequence[Path], artifact: Artifact, meant: Mapping[str, tuple[Meant, ...]]) -> str:
    """Return the text of ``intended.json``, an entity a line.

    Raises:
        MeantOtherwise: an invocation nobody meant, one that is missing, or one that ended otherwise.
    """
    interface = from_artifact(artifact)
    groups: dict[str, list[list[int]]] = {}
    rest: list[list[int]] = []
    missing = {transaction for transaction, calls in meant.items() if calls}
    for row, item in enumerate(_transactions(paths)):
        name = f"0x{item.hash.hex()}"
        missing.discard(name)
        calls = [call for call in item.invocations if call.kind is not InvocationKind.CONSTRUCTOR]
        wanted = meant.get(name, ())
        if len(calls) != len(wanted):
            raise MeantOtherwise(f"row {row}: {len(calls)} invocations, but {len(wanted)} were meant")
        for call, want in zip(calls, wanted, strict=True):
            found = refusal(call, interface)
            if found != want.refused:
                raise MeantOtherwise(f"row {row}, position {call.position}: {found!r}, but meant {want}")
            if want.reading:
                continue
            for entity in want.entities:
                groups.setdefault(entity, []).append([row, call.position])
            if not want.entities:
                rest.append([row, call.position])
    if missing:
        raise MeantOtherwise(f"{len(missing)} transactions with invocations are not in the traces")
    lines = ",\n".join(f"{json.dumps(name)}:{_compact(rows)}" for name, rows in groups.items())
    return f'{{"groups":{{\n{lines}\n}},\n"rest":{_compact(rest)}}}\n'


def refusal(call: Invocation, interface: Interface) -> str | None:
    """Return why an invocation was rejected: its reason, the custom error's name, or what halted it."""
    kind, data = call.outcome.kind, call.outcome.data
    if kind is OutcomeKind.RETURNED:
        return None
    if kind is OutcomeKind.ROLLED_BACK:
        return ROLLED_BACK
    if kind is OutcomeKind.OUT_OF_GAS:
        return OUT_OF_GAS
    if kind is OutcomeKind.REVERTED and not data:
        return NO_REASON
    if data[:4] in interface.errors:
        return interface.errors[data[:4]].name
    if data[:4].hex() == "08c379a0":
        length = int.from_bytes(data[36:68])
        return data[68 : 68 + length].decode()
    return f"{kind.value} {data[-1]:#04x}" if kind is OutcomeKind.PANIC else kind.value


def _transactions(paths: Iterable[Path]) -> Iterator[Transaction]:
    return itertools.chain.from_iterable(TraceFile(path).transactions() for path in paths)


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
