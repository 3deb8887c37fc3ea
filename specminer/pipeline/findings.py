"""What the stages of guards find."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from specminer.inference.entity_terms import Entities
from specminer.inference.function_guards import LearnedGuards
from specminer.inference.invariant_claim import Invariant
from specminer.specification import (
    CompetingTransitions,
    Guard,
    GuardKind,
    Obligation,
    RedundantClaim,
    Role,
    SymbolSort,
    TransitionGuard,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardFindings:
    """The guards of functions, and who may call them."""

    learned_guards: LearnedGuards
    read_only: tuple[Guard, ...]
    """What read-only functions require that rejected some call; nothing else is made of these calls."""
    entities: Entities
    """What interactions are about, as guards see it."""
    roles: tuple[Role, ...]
    proofs: Mapping[tuple[str, GuardKind], tuple[Obligation, ...]]
    """What a solver was asked of each function's guards."""

    @property
    def obligations(self) -> tuple[Obligation, ...]:
        """All that a solver was asked of guards."""
        return tuple(claim for claims in self.proofs.values() for claim in claims)

    @property
    def texts(self) -> dict[str, str]:
        """What rejections show that functions require, by function."""
        texts_by_scope: dict[str, list[str]] = {}
        for item in self.learned_guards.guards:
            if item.guard.kind in (GuardKind.REQUIRED, GuardKind.LEARNED) and item.guard.conditions:
                texts_by_scope.setdefault(item.guard.scope, []).append(item.guard.text)
        return {scope: " and ".join(texts) for scope, texts in texts_by_scope.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Implications:
    """What follows from what: the guards of transitions, and the claims that are left to tell."""

    guards: tuple[Guard, ...]
    """Those of functions that do not follow from others."""
    invariants: tuple[Invariant, ...]
    """Those that do not follow from others."""
    transitions: Mapping[tuple[int, int, str], TransitionGuard]
    """Guards of transitions by source, target and symbol."""
    states: tuple[str, ...]
    """What holds in each state, as SMT-LIB."""
    symbols: dict[str, SymbolSort]
    """The symbols that states, and claims about them, speak of."""
    siblings: tuple[CompetingTransitions, ...]
    redundant: tuple[RedundantClaim, ...]
    obligations: tuple[Obligation, ...]
