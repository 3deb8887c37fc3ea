"""Replays what a specification says a solver confirmed."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from specminer._support.errors import FileFormatError, UsageError, plain
from specminer._support.text import count_of
from specminer.predicate.smt import FormulaError, is_satisfiable, solver_name
from specminer.specification import Obligation, SolverAnswer, Specification

FORMAT = "specminer/proof"
VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedObligation:
    """One obligation, asked again."""

    scope: str
    claim: str
    expected: str
    answer: str
    """``sat``, ``unsat``, or ``unknown`` where the solver did not tell within its limit."""
    recorded: str
    """What the document says was answered."""

    @property
    def holds(self) -> bool | None:
        """Whether the claim holds; ``None`` if undecided."""
        return None if self.answer == "unknown" else self.answer == self.expected


def replay(specification: Specification) -> tuple[ReplayedObligation, ...]:
    """Ask the solver again about every obligation, in the document's order.

    Raises:
        UsageError: no solver is installed.
        FileFormatError: an obligation is malformed.

    """
    if solver_name() is None:
        raise UsageError("no solver is installed, so nothing can be proved; run pip install 'specminer[smt]'")
    return tuple(
        _replay_obligation(obligation, number)
        for number, obligation in enumerate(specification.obligations, 1)
    )


def _replay_obligation(obligation: Obligation, number: int) -> ReplayedObligation:
    if obligation.expected not in (SolverAnswer.SAT, SolverAnswer.UNSAT):
        raise FileFormatError(f"obligation {number} is malformed: expected sat or unsat")
    try:
        satisfiable = is_satisfiable(obligation.script)
    except FormulaError as error:
        raise FileFormatError(f"obligation {number} cannot be read: {plain(error)}") from None
    return ReplayedObligation(
        scope=obligation.scope,
        claim=obligation.claim,
        expected=obligation.expected.value,
        answer="unknown" if satisfiable is None else "sat" if satisfiable else "unsat",
        recorded=obligation.answer.value,
    )


def proof_json(obligations: tuple[ReplayedObligation, ...]) -> bytes:
    """Return the answers as JSON, ending in a newline."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "obligations": [
            {
                "scope": item.scope,
                "claim": item.claim,
                "expected": item.expected,
                "answer": item.answer,
                "recorded": item.recorded,
                "holds": item.holds,
            }
            for item in obligations
        ],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def proof_text(obligations: tuple[ReplayedObligation, ...]) -> str:
    """Return the answers for people: what does not hold or is undecided, then the counts."""
    lines = []
    for item in obligations:
        if item.holds is not True:
            verdict = "undecided" if item.holds is None else "does not hold"
            lines.append(f"{verdict}: {plain(item.scope, 60)}: {plain(item.claim, 200)}")
    valid = sum(item.holds is True for item in obligations)
    undecided = sum(item.holds is None for item in obligations)
    lines.append(
        f"{count_of(len(obligations), 'obligation')}: {count_of(valid, 'holds', 'hold')}, "
        f"{len(obligations) - valid - undecided:,} do not, {undecided:,} undecided"
    )
    return "\n".join(lines) + "\n"
