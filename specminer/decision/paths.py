"""What calls decided, as values: paths, the clauses that reject calls, and the cause of each rejection."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import NamedTuple

from specminer.decision.call_runs import FunctionRuns
from specminer.decision.writes import SlotLeft


class PathCondition(NamedTuple):
    """A fact about an expression: it is zero, or it is not."""

    node: int
    """In the function's arena."""
    holds: bool
    """The fact is ``(value of node != 0) == holds``."""

    @property
    def negation(self) -> PathCondition:
        """The opposite fact."""
        return PathCondition(self.node, not self.holds)


class Joint(Enum):
    """How the facts of one jump that was decided upon several truths belong together."""

    ALONE = 0
    """It is the only one."""
    ALL = 1
    """The jump went that way because all of them are as they are."""
    ANY = 2
    """The last of them sufficed; those before it did not."""


Site = tuple[int, int]
"""Where in the code a fact was decided: the number of the jump's place (``Arena.site``), and which of its facts."""


class PathStep(NamedTuple):
    """A decision on a path: a conditional jump, and the fact that led the call on."""

    condition: PathCondition
    frame: int
    """Number of the frame in the run, in order of entry."""
    counter: int
    """Program counter of the jump."""
    position: int
    """Where the decision stands in the record of a run that took the path."""
    joint: Joint = Joint.ALONE
    site: Site = (0, 0)
    way: bool = False
    """Whether what was decided upon there was true, before the fact was brought into its normal form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """The decisions that some calls have in common, from the first to the last.

    The search for the function and decisions that repeat an earlier one are left out. What a delegatecall, or a call of
    the contract to itself, decides belongs to the path, and whether it succeeds is no step, if the code chooses the
    function. If data does, it is the other way round.
    """

    steps: tuple[PathStep, ...]
    returned: bool
    """Whether the code returned; if not, it rejected the calls."""
    runs: tuple[int, ...]
    """Positions in :attr:`FunctionRuns.runs`, in chain order; calls that are matched to them took it as well."""
    visits: tuple[PathStep, ...] = ()
    """All decisions in order, those that repeat an earlier one included."""
    found_function: bool = True
    """Whether the search for the function found one; only a fallback function runs without."""


class ClauseKind(StrEnum):
    """How it is known that a clause holds in every accepted call."""

    REQUIRED = "required"
    """Some call was rejected by it."""
    CODED = "coded"
    """The other way leads straight to a rejection; no call tried."""


class Maker(StrEnum):
    """Who put a condition into the code."""

    CONTRACT = "contract"
    COMPILER = "compiler"
    """A compiler, or a library that does the work of one."""


class Check(StrEnum):
    """What a condition of the code is for."""

    OWN = "own"
    """A condition that the source states."""
    SELECTOR = "selector"
    """The code has the function that is called."""
    CALLDATA = "calldata"
    """The calldata is long enough, and lies where it says."""
    PAYABILITY = "payability"
    """A function that takes no ether gets none."""
    DECODING = "decoding"
    """A value of the calldata, of an answer, or of what is cast, fits its type."""
    ARITHMETIC = "arithmetic"
    """A sum, difference or product fits its type; a divisor is not zero."""
    SIGNATURE = "signature"
    """A signature has the right length, and is the canonical one of its kind."""
    BOUNDS = "bounds"
    """An index is smaller than the length; what is popped is there."""
    ANSWER = "answer"
    """A contract is there to be called, answers a question, and its answer is long enough."""
    MEMORY = "memory"
    """Memory suffices; a range of storage ends."""

    @property
    def maker(self) -> Maker:
        """Who puts such conditions into the code."""
        return Maker.CONTRACT if self is Check.OWN else Maker.COMPILER


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A disjunction of conditions of which at least one holds in every accepted call."""

    conditions: tuple[PathCondition, ...]
    """At least one; the one decided last comes first, the others qualify it (``if ...``)."""
    kind: ClauseKind
    check: Check
    """What its first condition is for."""
    rejected_calls: tuple[int, ...]
    """Invocations that it rejected, in chain order; empty for coded clauses."""
    pass_count: int
    """Accepted calls that decided its first condition the accepted way."""
    undecided: int
    """Accepted calls whose path never came to its first condition."""
    outputs: tuple[bytes, ...]
    """What the rejection reverts with, distinct, at most :data:`MAX_OUTPUTS`; for coded clauses of the forced run."""
    each: bool = False
    """Whether the code demands it of each element of a loop; the conditions are those of the first one met."""
    since: int | None = None
    """The first block in which the version of the code ran that demands it; ``None`` if there was none before. The
    last conditions say the same: that the call is earlier suffices."""
    until: int | None = None
    """The first block in which a later version ran that does not demand it; ``None`` if there was none."""

    @property
    def own_conditions(self) -> tuple[PathCondition, ...]:
        """The conditions without those that say when the version ran."""
        return self.conditions[: len(self.conditions) - (self.since is not None) - (self.until is not None)]

    @property
    def maker(self) -> Maker:
        """Who put its first condition into the code."""
        return self.check.maker


MAX_OUTPUTS = 16
"""Outputs that a clause holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why a call was rejected."""

    invocation: int
    clause: int | None
    """Position in :attr:`FunctionDecisions.clauses`; ``None``: no condition of the call's own decided it."""
    reason: str | None
    """Why no clause says it, if none does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UntriedWay:
    """What a call would have left in storage, had it decided otherwise somewhere: the code does not reject that.

    Decisions that exclude each other are told apart only if they are about one fact, so no call may be able to go it.
    """

    run: int
    """Position of the run that it parts from."""
    steps: tuple[PathStep, ...]
    """What it decided."""
    slots: tuple[SlotLeft, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionDecisions:
    """What the calls of one function decided."""

    runs: FunctionRuns
    paths: tuple[Path, ...]
    """Distinct, in the order of their first call."""
    clauses: tuple[Clause, ...]
    """Required ones first; those that stopped most calls before the others."""
    causes: tuple[Cause, ...]
    """Of each rejected call, in chain order."""
    untried_ways: tuple[UntriedWay, ...] = ()
    """Ways that calls can go by the code, though none did; only some of them are known."""
