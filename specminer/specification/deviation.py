"""What a check finds: where transactions leave what a specification says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from specminer.specification import Occurrence

SURE: Final = 0.95
"""A claim that rests on data alone is broken only if it held at least this often, with a confidence of 95 %."""


class Severity(Enum):
    """How far a finding is from what is known, the least first."""

    UNUSUAL = "unusual"
    """It happened before, but hardly ever."""
    UNKNOWN = "unknown"
    """It never happened before, and nothing that is known forbids it."""
    BROKEN = "broken"
    """It contradicts what the code demands, or what always held."""

    @property
    def rank(self) -> int:
        """0 for the least."""
        return tuple(Severity).index(self)


class Basis(Enum):
    """The part of the specification that an event does not fit."""

    TRANSITION = "transition"
    FUNCTION = "function"
    REJECTION = "rejection"
    GUARD = "guard"
    INVARIANT = "invariant"
    CODE = "code"
    """The contract's code, executed again, does something else."""
    CONTINUITY = "continuity"
    """Storage holds something else than the last transaction left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """One event that does not fit the specification."""

    severity: Severity
    basis: Basis
    function: str
    """What was called."""
    interaction: str | None = None
    """Whose event it is; ``None`` if it belongs to none, or if the finding is about the call alone."""
    where: Occurrence
    """The transaction."""
    invocation: int = field(compare=False)
    """Row in the history."""
    sentence: str
    """What does not fit, for people; raw, whoever shows it escapes it."""
    claim: str = ""
    """What the specification says, as it stands there."""
    values: Mapping[str, str] = field(default_factory=dict)
    """The values that met, by the names in ``claim``."""
    witness: str | None = None
    """A transaction that the specification's claim rests on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What a check judged, and what it found."""

    name: str
    """The contract's, as the specification calls it."""
    first_block: int | None
    """Of the transactions that were judged; ``None`` if there were none."""
    last_block: int | None
    transactions: int
    """How many were judged."""
    events: int
    """How many calls of theirs."""
    findings: tuple[Deviation, ...]
    """In the order of the chain; of one transaction the worst first."""
    unjudged: Mapping[str, int] = field(default_factory=dict)
    """What could not be judged, with the reason, and how often."""

    def at_least(self, severity: Severity) -> tuple[Deviation, ...]:
        """Return the findings of some severity, or worse."""
        return tuple(item for item in self.findings if item.severity.rank >= severity.rank)
