"""Guards and roles in sentences."""

from __future__ import annotations

from typing import Final

from specminer._support.errors import plain
from specminer._support.statistics import TRAINING_SHARE
from specminer._support.text import count_of, unknown_part
from specminer.presentation.guard_kinds import GUARD_KINDS
from specminer.specification import (
    CodeVersion,
    ConditionMaker,
    ConditionOrigin,
    Guard,
    GuardCondition,
    GuardKind,
    Proof,
    Role,
    RoleKind,
    Specification,
    TransitionGuard,
    TransitionVerdict,
)
from specminer.specification.address_names import AddressNames

MAX_REASONS: Final = 40
"""Reasons listed of those that are explained in part, or not at all."""
MAX_CAUSES: Final = 6
"""Conditions of which it is told how many calls of a function they stopped, with the values of one."""
DECIDING_KINDS: Final = (GuardKind.REQUIRED, GuardKind.LEARNED)
"""The kinds of guards that rejected calls show."""


def guard_texts(spec: Specification) -> list[str]:
    """Return what each function requires, then what is coded and observed, a sentence each; safe for terminals."""
    deciding = [guard for guard in spec.guards if guard.kind in DECIDING_KINDS]
    first = {guard.scope: guard for guard in reversed(deciding)}
    texts = [_deciding(guard, spec if first[guard.scope] is guard else None) for guard in deciding]
    coded = [guard for guard in spec.guards if guard.kind is GuardKind.CODED]
    texts += [
        f"{plain(guard.scope, 60)}: coded, but nobody tried otherwise: {conditions_text(guard)}"
        for guard in coded
    ]
    observed: dict[str, list[str]] = {}
    for guard in spec.guards:
        if guard.kind is GuardKind.OBSERVED:
            unknown = f" ({guard.unknown:,} unknown)" if guard.unknown else ""
            observed.setdefault(plain(guard.scope, 60), []).append(f"{plain(guard.text, 200)}{unknown}")
    texts += [f"{scope}: always observed: {'; '.join(conditions)}" for scope, conditions in observed.items()]
    return texts


def read_only_texts(spec: Specification) -> list[str]:
    """Return what read-only functions require that rejected calls, a sentence each; safe for terminals."""
    return [_deciding(guard, None) for guard in spec.read_only_guards or ()]


def kind_texts(spec: Specification) -> list[str]:
    """Return what each kind of guard that a specification has means, a sentence each."""
    kinds = {guard.kind for guard in spec.guards if guard.text}
    return [text for kind, text in GUARD_KINDS.items() if kind in kinds]


def conditions_text(guard: Guard) -> str:
    """Return a guard's conditions, those of a single path as ``if …``; the compiler's come last and are named so."""
    own = [item for item in guard.conditions if item.maker is ConditionMaker.CONTRACT]
    of_compiler = [item for item in guard.conditions if item.maker is ConditionMaker.COMPILER]
    if not of_compiler and all(item.path is None and item.version is None for item in own):
        return plain(guard.text, 600)
    everywhere = [_join_lines(item.text) for item in own if item.path is None and item.version is None]
    parts = [" and ".join(everywhere)] if everywhere else []
    parts += [condition_text(item) for item in own if item.path is not None or item.version is not None]
    parts += [f"by the compiler: {item.text}" for item in of_compiler]
    return plain("; ".join(parts), 600)


def condition_text(condition: GuardCondition) -> str:
    """Return a condition with when it is asked: of some calls only, or by one version of the code."""
    if condition.version is not None:
        return f"{_when(condition.version)}: {condition.version.demand}"
    path = condition.path
    return condition.text if path is None else f"if {path.premise}: {path.demand}"


def _when(version: CodeVersion) -> str:
    if version.since is None:
        return f"until the upgrade in block {version.until}"
    if version.until is None:
        return f"since the upgrade in block {version.since}"
    return f"between the upgrades in blocks {version.since} and {version.until}"


def _join_lines(text: str) -> str:
    return f"({text})" if " or " in text else text


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
    counts.append(count_of(condition.exceptions, "exception") + unknown_part(condition.unknown))
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
        f"{count_of(count, 'more claim is', 'more claims are')} not told, as they follow from others "
        f"({proved:,} proved)."
    )


def explained_text(spec: Specification) -> str:
    """Return what share of all rejections is explained; empty if there are none."""
    rejected = explained = left_out = 0
    by_scope: dict[str, list[Guard]] = {}
    for guard in spec.guards:
        if guard.kind in DECIDING_KINDS:
            by_scope.setdefault(guard.scope, []).append(guard)
    for guards in by_scope.values():
        calls = max(guard.rejected for guard in guards)
        rejected += calls
        explained += min(calls, sum(guard.explained for guard in guards))
        left_out += max(guard.left_out for guard in guards)
    if not rejected:
        return ""
    rest = f"; {left_out:,} more ran out of gas or the like, which proves nothing" if left_out else ""
    return f"{explained:,} of {rejected:,} rejected calls ({explained / rejected:.1%}) are explained{rest}."


def unexplained_reasons(spec: Specification, scope: str) -> list[tuple[str, int, int]]:
    """Return the reasons of a function that are explained in part, or not at all.

    Each with how many of its calls are explained, and how many there are; the most frequent first.
    """
    rejected: dict[str, int] = {}
    explained: dict[str, int] = {}
    for guard in spec.guards:
        if guard.kind in DECIDING_KINDS and guard.scope == scope:
            for reason in guard.reasons:
                rejected[reason.text] = max(rejected.get(reason.text, 0), reason.rejected)
                explained[reason.text] = explained.get(reason.text, 0) + reason.explained
    reasons = [(text, explained[text], count) for text, count in rejected.items() if explained[text] < count]
    return sorted(reasons, key=lambda item: (item[1] - item[2], item[0]))


def role_texts(spec: Specification) -> list[str]:
    """Return who may call what, a sentence a role."""
    names = AddressNames.of(spec)
    return [names.spell(_role(role)) for role in spec.roles]


def _role(role: Role) -> str:
    text = _holders(role)
    return f"{text} ({count_of(role.unknown, 'call')} unknown)" if role.unknown else text


def _holders(role: Role) -> str:
    name, creator = plain(role.name, 140), ", who created the contract," if role.creator else ""
    functions = [plain(function, 60) for function in role.functions]
    if role.kind is RoleKind.SET:
        return f"{name}{creator} sent all calls of {', '.join(functions)}"
    required = {plain(function, 60) for function in role.required}
    function_list = ", ".join(
        function if function in required else f"{function} (observed)" for function in functions
    )
    if role.kind is RoleKind.ADDRESS:
        return f"{name}{creator} may call {function_list}"
    if role.kind is RoleKind.SELF:
        return f"the contract itself may call {function_list}"
    if role.kind is RoleKind.SIGNER:
        return f"whoever brings a signature of {name} may call {function_list}"
    accounts = " or ".join(plain(address, 60) for address in role.addresses)
    who = f"the account in {name}" if role.kind is RoleKind.HOLDER else f"accounts with {name} set"
    return f"{who}{f' ({accounts})' if accounts else ''}{creator} may call {function_list}"


def _deciding(guard: Guard, spec: Specification | None) -> str:
    """Return a required or learned guard; ``spec`` tells which reasons are not explained, if that is to be told."""
    scope, text = plain(guard.scope, 60), conditions_text(guard)
    learned = " (learned)" if guard.kind is GuardKind.LEARNED and text else ""
    counts = f"{guard.accepted:,} accepted, {guard.rejected:,} rejected"
    more = "" if spec is None else _unexplained_text(spec, guard.scope)
    if not text:
        return f"{scope}: no condition found ({counts}{more})"
    sentence = (
        f"{scope}{learned}: {text} ({counts}, {guard.explained:,} explained, "
        f"{count_of(guard.exceptions, 'exception')}{unknown_part(guard.unknown)}{more})"
    )
    stopped = stopped_texts(guard)
    if stopped:
        sentence += f"; stopped by: {'; '.join(stopped)}"
    test = guard.held_out
    if test is not None and test.refused:
        sentence += (
            f"; learned on the first {100 * TRAINING_SHARE:.0f} % it would have refused {test.refused:,} "
            f"of {test.accepted:,} later accepted calls"
        )
    return sentence


def _unexplained_text(spec: Specification, scope: str) -> str:
    missing = [
        f"{plain(text, 60) or 'no reason given'} ({f'{explained:,} of ' if explained else ''}{rejected:,})"
        for text, explained, rejected in unexplained_reasons(spec, scope)
    ]
    more = f"; not explained: {', '.join(missing[:MAX_REASONS])}" if missing else ""
    return more + (f", and {len(missing) - MAX_REASONS:,} more" if len(missing) > MAX_REASONS else "")


def _inferred_part(count: int) -> str:
    """Return how many of some calls read values that are not known, as the end of a clause."""
    return f", {count:,} of them inferred" if count else ""


def stopped_texts(guard: Guard) -> list[str]:
    """Return at which conditions calls stopped: what met in the first of them, and how many there were."""
    stopped: dict[str, tuple[int, int, str]] = {}
    for reason in guard.reasons:
        for cause in reason.causes:
            count, inferred, example = stopped.get(cause.condition, (0, 0, ""))
            example = example or next((witness.text for witness in cause.witnesses), "")
            stopped[cause.condition] = count + cause.stopped, inferred + (cause.inferred or 0), example
    ranked = sorted(stopped.items(), key=lambda item: (-item[1][0], item[0]))
    texts = [
        f"{plain(example or text, 200)} ({count:,}{_inferred_part(inferred)})"
        for text, (count, inferred, example) in ranked[:MAX_CAUSES]
    ]
    return texts + ([f"and {len(ranked) - MAX_CAUSES:,} more"] if len(ranked) > MAX_CAUSES else [])
