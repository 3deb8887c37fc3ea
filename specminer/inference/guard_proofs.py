"""What a solver has to confirm, as SMT-LIB scripts that can be replayed anywhere, and what it said.

Words are integers of 256 bits, sums are not cut off: the abstract domain of :mod:`specminer.predicate.smt`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from specminer.inference.learned_guard import LearnedGuard
from specminer.predicate import Formula, Language, solver_name
from specminer.predicate.smtlib import script
from specminer.specification import GuardKind, Obligation, ObligationSubject, Proof, SolverAnswer


def obligation(
    language: Language,
    about: ObligationSubject,
    scope: str,
    claim: str,
    assertions: Sequence[Formula],
    expected: SolverAnswer,
) -> Obligation:
    """Ask a solver, if there is one, whether some assertions can all hold.

    Args:
        language: the language of the assertions.
        about: the part of the specification that the claim belongs to.
        scope: the function, or what else the claim is about.
        claim: what holds if the solver answers as expected, as a sentence.
        assertions: what has to hold together.
        expected: the answer that settles the claim.

    """
    answer = answer_of(language.satisfiable(language.conjunction(*assertions)))
    failed = answer is SolverAnswer.SAT and expected is SolverAnswer.UNSAT
    example = language.example(language.conjunction(*assertions)) if failed else None
    return Obligation(
        about=about,
        scope=scope,
        claim=claim,
        script=script(language, assertions),
        expected=expected,
        answer=answer,
        proved=_proof(expected, answer),
        example=spell_values(language, example or {}),
    )


def _proof(expected: SolverAnswer, answer: SolverAnswer) -> Proof:
    if answer is expected:
        return Proof.YES
    return Proof.UNPROVED if answer in (SolverAnswer.UNKNOWN, SolverAnswer.UNPROVED) else Proof.NO


def answer_of(satisfiable: bool | None) -> SolverAnswer:
    """Return what it means that a solver said yes, no or nothing."""
    if satisfiable is None:
        return SolverAnswer.UNPROVED if solver_name() is None else SolverAnswer.UNKNOWN
    return SolverAnswer.SAT if satisfiable else SolverAnswer.UNSAT


def spell_values(language: Language, values: Mapping[str, int | bool]) -> dict[str, str]:
    """Return values by name as people write them."""
    texts = {}
    for name, value in values.items():
        symbol = language.find(name)
        if isinstance(value, bool) or symbol is None:
            texts[name] = "true" if value else "false"
        else:
            texts[name] = language.declaration(symbol).spell(value)
    return texts


def obligations(learned: Iterable[LearnedGuard]) -> dict[tuple[str, GuardKind], tuple[Obligation, ...]]:
    """Return for each function and kind what its guard claims; the first is that it says what was found."""
    by_guard: dict[tuple[str, GuardKind], tuple[Obligation, ...]] = {}
    for item in learned:
        kind = item.guard.kind
        if kind is GuardKind.OBSERVED or not item.guard.conditions:
            continue
        language, scope, about = item.meaning.language, item.guard.scope, ObligationSubject.GUARD
        same = language.negation(language.equal(item.formula, item.simplified))
        origin = "what was learned" if kind is GuardKind.LEARNED else "what the code decides"
        by_guard[scope, kind] = (
            obligation(
                language, about, scope, f"the guard as shown says {origin}", [same], SolverAnswer.UNSAT
            ),
            obligation(
                language, about, scope, "some call meets the guard", [item.simplified], SolverAnswer.SAT
            ),
            *(_independence_obligations(item) if kind is GuardKind.LEARNED else ()),
        )
    return by_guard


def _independence_obligations(item: LearnedGuard) -> Iterable[Obligation]:
    """Yield that no condition follows from the others."""
    language = item.meaning.language
    parts = item.simplified.args() if item.simplified.is_and() else (item.simplified,)
    for index, condition in enumerate(item.guard.conditions if len(parts) > 1 else ()):
        rest = [part for other, part in enumerate(parts) if other != index]
        yield obligation(
            language,
            ObligationSubject.GUARD,
            item.guard.scope,
            f"'{condition.text}' does not follow from the other conditions",
            [*rest, language.negation(parts[index])],
            SolverAnswer.SAT,
        )
