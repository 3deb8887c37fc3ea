"""Guards and roles in sentences."""

from __future__ import annotations

from typing import Final

from specminer._support.text import counted, unknown_part
from specminer.errors import plain
from specminer.specification import (
    ConditionOrigin,
    Guard,
    GuardKind,
    Proof,
    Role,
    RoleKind,
    Specification,
    TransitionGuard,
    TransitionVerdict,
)
from specminer.support import TRAINING_SHARE

MAX_REASONS: Final = 4
"""Reasons told of those that no condition explains."""


def guard_texts(spec: Specification) -> list[str]:
    """Return what each function requires, then what was only observed, a sentence a function; safe for terminals."""
    texts = [_required(guard) for guard in spec.guards if guard.kind is GuardKind.REQUIRED]
    observed: dict[str, list[str]] = {}
    for guard in spec.guards:
        if guard.kind is GuardKind.OBSERVED:
            unknown = f" ({guard.unknown:,} unknown)" if guard.unknown else ""
            observed.setdefault(plain(guard.scope, 60), []).append(f"{plain(guard.text, 200)}{unknown}")
    texts += [f"{scope}: always observed: {'; '.join(conditions)}" for scope, conditions in observed.items()]
    return texts


def transition_texts(spec: Specification) -> list[str]:
    """Return where transitions ask for something else than their function, a sentence a transition."""
    names = {state.id: plain(state.name, 120) for state in spec.states}
    texts = []
    for edge in spec.transitions:
        demands = _demands(edge.condition) if edge.condition is not None else []
        if edge.condition is None or not demands:
            continue
        where = (
            f"{plain(edge.event, 80)} from '{names.get(edge.source, '?')}' to '{names.get(edge.target, '?')}'"
        )
        texts.append(f"{where} {', '.join(demands)} ({', '.join(_counts(edge.condition))})")
    return texts


def _demands(condition: TransitionGuard) -> list[str]:
    """Return what a transition needs, and does without, besides its function's guard."""
    demands = [
        f"needs {plain(part.text, 200)}"
        for part in condition.parts
        if part.learned is not ConditionOrigin.FUNCTION
    ]
    if condition.not_kept:
        demands.append(f"does without {plain(' and '.join(condition.not_kept), 300)}")
    return demands


def _counts(condition: TransitionGuard) -> list[str]:
    """Return how many calls took a transition, and how many others its conditions refuse."""
    counts = [f"{condition.accepted:,} accepted"]
    if condition.elsewhere:
        counts.append(f"tells {condition.told_apart:,} of {condition.elsewhere:,} that led elsewhere")
    if condition.rejected:
        counts.append(f"explains {condition.explained:,} of {condition.rejected:,} rejected here")
    counts.append(counted(condition.exceptions, "exception") + unknown_part(condition.unknown))
    return counts


def sibling_texts(spec: Specification) -> list[str]:
    """Return which transitions of one event exclude each other or not, a sentence a pair; safe for terminals.

    Events that were split by a condition exclude each other by their names, which need not be told.
    """
    return [
        plain(pair.text, 600)
        for pair in spec.siblings
        if pair.verdict is not TransitionVerdict.EXCLUSIVE or len(set(pair.events)) == 1
    ]


def redundant_text(spec: Specification) -> str:
    """Return how many claims are not told because they follow from others; empty if none are."""
    count = len(spec.redundant)
    if not count:
        return ""
    proved = sum(claim.proved is Proof.YES for claim in spec.redundant)
    return (
        f"{counted(count, 'more claim is', 'more claims are')} not told, as they follow from others "
        f"({proved:,} proved)."
    )


def explained_text(spec: Specification) -> str:
    """Return what share of all rejections is explained; empty if there are none."""
    required = [guard for guard in spec.guards if guard.kind is GuardKind.REQUIRED]
    rejected = sum(guard.rejected for guard in required)
    explained = sum(guard.explained for guard in required)
    left_out = sum(guard.left_out for guard in required)
    if not rejected:
        return ""
    rest = f"; {left_out:,} more ran out of gas or the like, which proves nothing" if left_out else ""
    return f"{explained:,} of {rejected:,} rejected calls ({explained / rejected:.1%}) are explained{rest}."


def role_texts(spec: Specification) -> list[str]:
    """Return who may call what, a sentence a role."""
    return [_role(role) for role in spec.roles]


def _role(role: Role) -> str:
    text = _holders(role)
    return f"{text} ({counted(role.unknown, 'call')} unknown)" if role.unknown else text


def _holders(role: Role) -> str:
    name, creator = plain(role.name, 140), ", who created the contract," if role.creator else ""
    functions = [plain(function, 60) for function in role.functions]
    if role.kind is RoleKind.SET:
        return f"{name}{creator} sent all calls of {', '.join(functions)}"
    required = {plain(function, 60) for function in role.required}
    listed = ", ".join(
        function if function in required else f"{function} (observed)" for function in functions
    )
    if role.kind is RoleKind.ADDRESS:
        return f"{name}{creator} may call {listed}"
    accounts = " or ".join(plain(address, 60) for address in role.addresses)
    who = f"whoever {name} names" if role.kind is RoleKind.HOLDER else f"senders for whom {name} is set"
    return f"{who}{f' ({accounts})' if accounts else ''}{creator} may call {listed}"


def _required(guard: Guard) -> str:
    scope, text = plain(guard.scope, 60), plain(guard.text, 600)
    counts = f"{guard.accepted:,} accepted, {guard.rejected:,} rejected"
    missing = [
        f"{plain(reason.text, 60) or 'no reason given'} ({reason.rejected:,})"
        for reason in guard.reasons
        if not reason.explained
    ]
    more = f"; not explained: {', '.join(missing[:MAX_REASONS])}" if missing else ""
    if len(missing) > MAX_REASONS:
        more += ", …"
    if not text:
        return f"{scope}: no condition found ({counts}{more})"
    sentence = (
        f"{scope}: {text} ({counts}, {guard.explained:,} explained, "
        f"{counted(guard.exceptions, 'exception')}{unknown_part(guard.unknown)}{more})"
    )
    test = guard.held_out
    if test is not None and test.refused:
        sentence += (
            f"; learned on the first {100 * TRAINING_SHARE:.0f} % it would have refused {test.refused:,} "
            f"of {test.accepted:,} later accepted calls"
        )
    return sentence
