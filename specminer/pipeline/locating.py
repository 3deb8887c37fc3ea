"""What a history's storage means: layout, getters and hashes brought together, with how much they explain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from specminer.chain.artifact import Artifact
from specminer.history import MISSING, History, Slots, slots
from specminer.location import (
    RESOLUTIONS,
    Layout,
    Locations,
    Naming,
    Resolution,
    check,
    evidence,
    from_solc,
    locate,
)
from specminer.probe import Probed
from specminer.specification import LocationCoverage

_SOURCES: Final = {
    Naming.LAYOUT: "the storage layout",
    Naming.STANDARD: "a standard's fixed slots",
    Naming.GETTER: "the ABI's getters",
    Naming.NUMBER: "their slots alone",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """The locations of a history, and how far they go."""

    locations: Locations
    layout: bool
    """Whether a storage layout was at hand, and fit."""
    notes: tuple[str, ...]
    """What speaks against the layout, as sentences without full stops."""
    resolved: float
    """Share of the accesses whose variable and keys are known; 1 if there are none."""
    named: float
    """Share of the accesses whose variable has a real name."""
    sources: dict[Naming, float]
    """Share of the accesses by where the variable's name comes from; those that occur."""

    @property
    def text(self) -> str:
        """Return the shares in a sentence, without its full stop."""
        if not self.sources:
            return "Nothing is in storage"
        named = [f"{_percent(share)} by {_SOURCES[naming]}" for naming, share in self.sources.items()]
        resolved = f"{_percent(self.resolved)} of the accesses to storage are resolved to variable and keys"
        return f"{resolved}; variables are named {', '.join(named)}"

    @property
    def coverage(self) -> LocationCoverage:
        """The shares as they stand in the specification."""
        return LocationCoverage(
            resolved=round(self.resolved, 6),
            named=round(self.named, 6),
            sources={naming.value: round(share, 6) for naming, share in self.sources.items()},
        )


def located(history: History, artifact: Artifact | None, numbered: Slots | None = None) -> Located:
    """Say what each storage slot of a history means, by all that is known of the contract.

    Raises:
        FileFormatError: the artifact's storage layout is malformed.

    """
    numbered = slots(history) if numbered is None else numbered
    layout = Layout(artifact.storage_layout, "the artifact") if artifact and artifact.storage_layout else None
    found = locate(history, layout, numbered)
    probed = getters(history, artifact) if artifact is not None else []
    notes: list[str] = []
    if layout is not None:
        verdict = check(history, numbered, found, layout, evidence(probed))
        notes += verdict.problems
        if not verdict.usable:
            notes.append("the storage layout contradicts the contract, so it was not used")
            layout = None
            found = locate(history, None, numbered)
    if probed and any(not item.named for item in found.variables):
        found = locate(history, layout, numbered, probed=probed)
    accesses = np.bincount(numbered.access, minlength=len(numbered))
    total = max(1, int(accesses.sum()))
    lost = found.resolution == RESOLUTIONS.index(Resolution.UNRESOLVED)
    by_variable = np.bincount(found.variable, weights=accesses, minlength=len(found.variables))
    counts: Counter[Naming] = Counter()
    for item, count in zip(found.variables, by_variable.tolist(), strict=True):
        counts[item.naming] += int(count)
    return Located(
        locations=found,
        layout=layout is not None,
        notes=tuple(notes),
        resolved=1.0 - float(accesses[lost].sum()) / total,
        named=1.0 - counts[Naming.NUMBER] / total,
        sources={naming: counts[naming] / total for naming in Naming if counts[naming]},
    )


def getters(history: History, artifact: Artifact) -> list[Probed]:
    """Run the ABI's getters on made-up storage; the code of the newest implementation comes first."""
    codes = list(_codes(history))
    if not codes:
        return []
    from specminer.chain.probing import probe  # loads the machine

    return probe(codes, artifact.abi, vyper=not from_solc(history))


def _codes(history: History) -> Iterable[bytes]:
    """Yield the runtime codes that the history's calls ran, those that ran last first, each once."""
    known = {
        **{record.address: record.code for record in history.contracts},
        **{address: code for record in history.contracts for address, code in record.implementations},
    }
    last = np.full(len(history.addresses), MISSING, dtype=np.int64)
    np.maximum.at(last, history.invocation_code, np.arange(len(history)))
    ran = [
        history.addresses[row] for row in np.argsort(-last, kind="stable").tolist() if last[row] != MISSING
    ]
    codes = [known[address] for address in dict.fromkeys([*ran, *known]) if known.get(address)]
    return dict.fromkeys(codes)


def _percent(share: float) -> str:
    """Return a share so that only all is 100% and only nothing is 0%."""
    tenths = min(max(round(share * 1000), 1), 999) if 0 < share < 1 else round(share * 1000)
    return f"{tenths / 10:g}%"
