"""The questions put to a solver, each once, in the order in which they were asked."""

from __future__ import annotations

from collections.abc import Sequence

from specminer.inference.guard_proofs import obligation
from specminer.predicate import Formula, Language
from specminer.specification import Obligation, ObligationSubject, Proof, SolverAnswer


class ObligationLog:
    """Collects obligations about one part of the specification."""

    def __init__(self, about: ObligationSubject) -> None:
        self.subject = about
        self._obligations: dict[tuple[object, ...], Obligation] = {}
        self._failed: set[tuple[object, ...]] = set()

    @property
    def obligations(self) -> tuple[Obligation, ...]:
        """What was asked and stands."""
        return tuple(self._obligations.values())

    def prove(
        self,
        language: Language,
        scope: str,
        claim: str,
        facts: Sequence[Formula],
        conclusion: Formula,
    ) -> Proof | None:
        """Return how it is known that something follows; ``None`` if it does not, or a solver did not tell.

        Callers ask about what they see to follow, so without a solver it counts, as not proved.
        """
        key = scope, claim, *facts, conclusion
        if key in self._failed:
            return None
        if key not in self._obligations:
            question = obligation(
                language,
                self.subject,
                scope,
                claim,
                [*facts, language.negation(conclusion)],
                SolverAnswer.UNSAT,
            )
            if question.proved is Proof.NO or question.answer is SolverAnswer.UNKNOWN:
                self._failed.add(key)
                return None
            self._obligations[key] = question
        return self._obligations[key].proved

    def record(self, question: Obligation) -> Obligation:
        """Take up an obligation that was asked elsewhere."""
        return self._obligations.setdefault((question.scope, question.claim, question.script), question)
