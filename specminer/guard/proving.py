"""What a solver has to confirm, as SMT-LIB scripts that can be replayed anywhere, and what it said.

Words are integers of 256 bits, sums are not cut off: the abstract domain of :mod:`specminer.predicate.smt`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from specminer.guard.guard import Guard, Kind, Proof
from specminer.predicate import Formula, Language, solver_name
from specminer.predicate.smtlib import script


class Answer(Enum):
    """What a solver says of a script."""

    SAT = "sat"
    UNSAT = "unsat"
    UNKNOWN = "unknown"
    """It did not tell within its limit."""
    UNPROVED = "unproved"
    """There is no solver."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Obligation:
    """A claim and the question that settles it."""

    scope: str
    claim: str
    """A sentence."""
    script: str
    """SMT-LIB 2, ending in ``(check-sat)``."""
    expected: Answer
    """The claim holds if a solver answers this."""
    answer: Answer
    example: Mapping[str, str]
    """Values, by name, for which the claim fails."""

    @property
    def proof(self) -> Proof:
        """Whether the claim is proved."""
        if self.answer is self.expected:
            return Proof.YES
        return Proof.UNPROVED if self.answer in (Answer.UNKNOWN, Answer.UNPROVED) else Proof.NO


def obligation(
    language: Language, scope: str, claim: str, assertions: Sequence[Formula], expected: Answer
) -> Obligation:
    """Ask a solver, if there is one."""
    answer = answer_of(language.satisfiable(language.conjunction(*assertions)))
    failed = answer is Answer.SAT and expected is Answer.UNSAT
    example = language.example(language.conjunction(*assertions)) if failed else None
    return Obligation(
        scope=scope,
        claim=claim,
        script=script(language, assertions),
        expected=expected,
        answer=answer,
        example=spelled(language, example or {}),
    )


def answer_of(satisfiable: bool | None) -> Answer:
    """Return what it means that a solver said yes, no or nothing."""
    if satisfiable is None:
        return Answer.UNPROVED if solver_name() is None else Answer.UNKNOWN
    return Answer.SAT if satisfiable else Answer.UNSAT


def spelled(language: Language, values: Mapping[str, int | bool]) -> dict[str, str]:
    """Return values by name as people write them."""
    found = {}
    for name, value in values.items():
        symbol = language.named(name)
        if isinstance(value, bool) or symbol is None:
            found[name] = "true" if value else "false"
        else:
            found[name] = language.declaration(symbol).spell(value)
    return found


def obligations(guards: Iterable[Guard]) -> dict[str, tuple[Obligation, ...]]:
    """Return for each function what its required guard claims; the first is that it says what was learned."""
    found: dict[str, tuple[Obligation, ...]] = {}
    for guard in guards:
        if guard.kind is not Kind.REQUIRED or not guard.conditions:
            continue
        language = guard.meaning.language
        same = language.negation(language.equal(guard.formula, guard.simplified))
        shown = guard.function
        found[guard.function] = (
            obligation(language, shown, "the guard as shown says what was learned", [same], Answer.UNSAT),
            obligation(language, shown, "some call meets the guard", [guard.simplified], Answer.SAT),
            *_needed(guard),
        )
    return found


def _needed(guard: Guard) -> Iterable[Obligation]:
    """Yield that no condition follows from the others."""
    language = guard.meaning.language
    parts = guard.simplified.args() if guard.simplified.is_and() else (guard.simplified,)
    for place, condition in enumerate(guard.conditions if len(parts) > 1 else ()):
        rest = [part for other, part in enumerate(parts) if other != place]
        yield obligation(
            language,
            guard.function,
            f"'{condition.text}' does not follow from the other conditions",
            [*rest, language.negation(parts[place])],
            Answer.SAT,
        )
