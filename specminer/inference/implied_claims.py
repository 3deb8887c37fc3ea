"""Claims that follow from stronger ones, and need not be told.

What a claim may follow from stands before it in this order, so that nothing is dropped because of what it carries:
predicates that describe states, required guards, orders of an interaction's variables, what holds in each visit of a
state, observed guards, what holds before calls.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from specminer._support.errors import plain
from specminer.history.contract_history import BoolColumn
from specminer.inference.function_guards import LearnedGuards
from specminer.inference.guard_description import JudgedFunction
from specminer.inference.invariant_claim import Invariant
from specminer.inference.learned_guard import LearnedGuard
from specminer.inference.reasons import StateFacts, reason
from specminer.inference.solver_questions import ObligationLog
from specminer.inference.state_formulas import Frames, FunctionSpace, StateSpace
from specminer.inference.transition_guards import GuardedTransition
from specminer.learning.quotient import ROOT
from specminer.predicate import Formula
from specminer.specification import ClaimKind, ConditionOrigin, GuardKind, Proof, RedundantClaim
from specminer.specification.invariants import Template


@dataclass(frozen=True)
class RedundancyFilter:
    """Drops what follows."""

    space: StateSpace
    frames: Frames
    learned_guards: LearnedGuards
    transitions: Sequence[GuardedTransition]
    state_facts: StateFacts
    obligations: ObligationLog

    def redundant_observed(self) -> tuple[dict[int, RedundantClaim], Mapping[str, Sequence[LearnedGuard]]]:
        """Return which observed guards follow, by position in ``learned.guards``, and those that stay, by function."""
        functions = {item.meaning.situation.function: item for item in self.learned_guards.functions}
        ways = defaultdict(list)
        for way in self.transitions:
            ways[way.passage.function.number].append(way)
        redundant_claims: dict[int, RedundantClaim] = {}
        remaining: dict[str, list[LearnedGuard]] = defaultdict(list)
        for index, item in enumerate(self.learned_guards.guards):
            if item.guard.kind is not GuardKind.OBSERVED:
                continue
            scope, text = item.guard.scope, item.guard.text
            function = functions[scope]
            because = self._everywhere(item, _covering(function, ways[function.number]))
            if because is None:
                remaining[scope].append(item)
            else:
                redundant_claims[index] = RedundantClaim(
                    of=ClaimKind.GUARD, scope=scope, text=text, because=because[0], proved=because[1]
                )
        return redundant_claims, remaining

    def invariants(
        self, claims: Sequence[Invariant], observed_guards: Mapping[str, Sequence[LearnedGuard]]
    ) -> tuple[list[Invariant], list[RedundantClaim]]:
        """Return the invariants that stay, and those that follow; ``observed_guards`` are those that stay."""
        remaining: list[Invariant] = []
        redundant_claims: list[RedundantClaim] = []
        ways = defaultdict(list)
        for way in self.transitions:
            if way.passage.source != ROOT:
                ways[self.space.tuning.table.symbols[way.symbol]].append(way)
        for item in claims:
            because = self._prove_from_premises(item)
            if because is None and item.template is Template.BEFORE and item.formula is not None:
                because = self._before(item, ways[item.scope.name], observed_guards)
            if because is None:
                remaining.append(item)
            else:
                scope = item.scope.name
                redundant_claims.append(
                    RedundantClaim(
                        of=ClaimKind.INVARIANT,
                        scope=scope,
                        text=item.text,
                        because=because[0],
                        proved=because[1],
                    )
                )
        return remaining, redundant_claims

    def _prove_from_premises(self, item: Invariant) -> tuple[str, Proof] | None:
        if not item.premises or item.formula is None:
            return None
        proof = self.obligations.prove(
            self.space.language,
            item.scope.name,
            f"'{plain(item.text, 300)}' follows from what else holds there",
            item.premises,
            item.formula,
        )
        return None if proof is None else ("what else holds there", proof)

    def _before(
        self,
        item: Invariant,
        ways: Sequence[GuardedTransition],
        observed_guards: Mapping[str, Sequence[LearnedGuard]],
    ) -> tuple[str, Proof] | None:
        if item.formula is None or not ways:
            return None
        reasons: list[tuple[str, Proof]] = []
        for way in ways:
            frame = self.frames.of(way.passage.function.meaning, way.passage.role)
            more = [
                item.simplified
                for item in observed_guards.get(way.passage.function.meaning.situation.function, ())
            ]
            because = self._in(way, frame, frame.translate(item.formula), item.text, more)
            if because is None:
                return None
            reasons.append(because)
        return _weakest(reasons)

    def _everywhere(self, item: LearnedGuard, ways: Sequence[GuardedTransition]) -> tuple[str, Proof] | None:
        reasons: list[tuple[str, Proof]] = []
        for way in ways:
            frame = self.frames.of(item.meaning, way.passage.role)
            because = self._in(way, frame, item.simplified, item.guard.text, [])
            if because is None:
                return None
            reasons.append(because)
        return _weakest(reasons) if reasons else None

    def _in(
        self,
        way: GuardedTransition,
        frame: FunctionSpace,
        conclusion: Formula,
        claim_text: str,
        more: Sequence[Formula],
    ) -> tuple[str, Proof] | None:
        """Return why something holds whenever a call takes a transition."""
        meaning = way.passage.function.meaning
        guard = [
            meaning.formula(clause.literals[0])
            for clause in way.of(ConditionOrigin.FUNCTION)
            if len(clause.literals) == 1
        ]
        return reason(
            frame,
            way.passage.source,
            self.state_facts,
            [("the guard", guard), ("what was always observed", more)],
            [conclusion],
            claim_text,
            meaning.situation.function,
            self.obligations,
        )


def _weakest(proofs: Sequence[tuple[str, Proof]]) -> tuple[str, Proof]:
    reasons = list(dict.fromkeys(because for because, _ in proofs))
    proved = all(proof is Proof.YES for _, proof in proofs)
    summary = reasons[0] if len(reasons) == 1 else "every state where it is accepted"
    return summary, Proof.YES if proved else Proof.UNPROVED


def _covering(function: JudgedFunction, ways: Sequence[GuardedTransition]) -> list[GuardedTransition]:
    """Return the transitions of a role in which all accepted calls name an entity; of none, nothing."""
    accepted = function.meaning.situation.accepted
    for role in sorted({way.passage.role for way in ways}):
        of_role = [way for way in ways if way.passage.role == role]
        is_covered: BoolColumn = np.zeros(len(accepted), dtype=np.bool_)
        for way in of_role:
            is_covered[way.passage.call[way.is_taken]] = True
        if bool((is_covered | ~accepted).all()):
            return of_role
    return []
