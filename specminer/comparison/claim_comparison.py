"""Which functions, roles, reasons for rejections, and invariants differ."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from specminer.comparison.chance import ChanceTest, fisher
from specminer.comparison.difference import Change, Difference, Ground, Subject, change_of
from specminer.specification import RoleKind, Specification


def function_differences(
    before: Specification, after: Specification, chance: ChanceTest
) -> Iterator[Difference]:
    """Yield the functions that only one of the histories calls, if that is more than chance."""
    old, new = _accepted_calls(before), _accepted_calls(after)
    totals = sum(old.values()), sum(new.values())
    scopes = sorted(scope for scope in {**old, **new} if not (old.get(scope) and new.get(scope)))
    cases = [(old.get(scope, 0), totals[0], new.get(scope, 0), totals[1]) for scope in scopes]
    differing = chance.differ(Subject.FUNCTION, [(scope,) for scope in scopes], cases)
    for scope, case, different in zip(scopes, cases, differing, strict=True):
        if different:
            is_gone = not case[2]
            what = "is no longer accepted" if is_gone else "is accepted, which is new"
            yield Difference(
                subject=Subject.FUNCTION,
                change=Change.GONE if is_gone else Change.ADDED,
                ground=Ground.DATA,
                scope=scope,
                before=scope if is_gone else "",
                after="" if is_gone else scope,
                sentence=f"{scope} {what} ({case[0]:,} calls before, {case[2]:,} after)",
                counts=case,
                probability=fisher(*case),
            )


def _accepted_calls(specification: Specification) -> dict[str, int]:
    """Return how often each function was accepted, as far as the specification tells."""
    claimed_calls: dict[str, int] = {}
    for guard in specification.guards:
        claimed_calls[guard.scope] = max(claimed_calls.get(guard.scope, 0), guard.accepted)
    for effect in specification.effects:
        claimed_calls[effect.function] = max(claimed_calls.get(effect.function, 0), effect.calls)
    traversals: dict[str, int] = {}
    for edge in specification.transitions:
        if edge.outcome == "returned" and not edge.kind.befalls:
            traversals[edge.function] = traversals.get(edge.function, 0) + edge.count
    return {**traversals, **claimed_calls}


def role_differences(
    before: Specification, after: Specification, scopes: Collection[str]
) -> Iterator[Difference]:
    """Yield the functions that are reserved to another role, of those whose conditions differ."""
    old, new = _roles(before), _roles(after)
    for scope in sorted({*old, *new} & set(scopes)):
        one, two = old.get(scope, frozenset()), new.get(scope, frozenset())
        if one == two:
            continue
        was, now = _list_names(one), _list_names(two)
        yield Difference(
            subject=Subject.ROLE,
            change=Change.OTHER if one and two else Change.ADDED if two else Change.GONE,
            ground=Ground.CODE,
            scope=scope,
            before=was,
            after=now,
            sentence=f"{scope} is reserved to {now or 'nobody'}, before to {was or 'nobody'}",
        )


def _roles(specification: Specification) -> dict[str, frozenset[str]]:
    """Return the roles that functions demand, by function; a set of addresses is no demand of the code."""
    roles_by_function: dict[str, set[str]] = {}
    for role in specification.roles:
        for function in role.functions if role.kind is not RoleKind.SET else ():
            roles_by_function.setdefault(function, set()).add(role.name)
    return {function: frozenset(names) for function, names in roles_by_function.items()}


def _list_names(names: frozenset[str]) -> str:
    return " and ".join(sorted(names))


def rejection_differences(
    before: Specification, after: Specification, chance: ChanceTest
) -> Iterator[Difference]:
    """Yield the reasons for rejections of one history only, if that is more than chance."""
    old, new = _reasons(before), _reasons(after)
    calls_old, calls_new = _calls(before), _calls(after)
    keys = sorted(key for key in {**old, **new} if key[0] in calls_old and key[0] in calls_new)
    cases = [(old.get(key, 0), calls_old[key[0]], new.get(key, 0), calls_new[key[0]]) for key in keys]
    for key, case, different in zip(keys, cases, chance.differ(Subject.REJECTION, keys, cases), strict=True):
        if not different:
            continue
        scope, reason = key
        change = change_of(case)
        why = f"with '{reason}'" if reason else "without a reason"
        yield Difference(
            subject=Subject.REJECTION,
            change=change,
            ground=Ground.DATA,
            scope=scope,
            before=reason if case[0] else "",
            after=reason if case[2] else "",
            sentence=f"{scope} was rejected {why} {_frequency(change)} ({case[0]:,} of {case[1]:,} calls before, "
            f"{case[2]:,} of {case[3]:,} after)",
            counts=case,
            probability=fisher(*case),
        )


def _frequency(change: Change) -> str:
    return {
        Change.ADDED: "for the first time",
        Change.GONE: "never again",
        Change.MORE_OFTEN: "more often",
        Change.LESS_OFTEN: "less often",
    }[change]


def _reasons(specification: Specification) -> dict[tuple[str, str], int]:
    rejections: dict[tuple[str, str], int] = {}
    for guard in specification.guards:
        for reason in guard.reasons:
            key = guard.scope, reason.text
            rejections[key] = max(rejections.get(key, 0), reason.rejected)
    return rejections


def _calls(specification: Specification) -> dict[str, int]:
    calls: dict[str, int] = {}
    for guard in specification.guards:
        calls[guard.scope] = max(calls.get(guard.scope, 0), guard.accepted + guard.rejected)
    return {scope: count for scope, count in calls.items() if count}


def refusal_differences(refused: Mapping[tuple[str, str], str], *, is_gone: bool) -> Iterator[Difference]:
    """Yield the conditions that one specification requires, and of which a call that the other accepted is none.

    Args:
        refused: conditions by function and text, with the values of the call.
        is_gone: whether the call is of the later history.

    """
    for (scope, text), values in sorted(refused.items()):
        when = "is accepted now" if is_gone else "was accepted before"
        yield Difference(
            subject=Subject.GUARD,
            change=Change.GONE if is_gone else Change.ADDED,
            ground=Ground.DATA,
            scope=scope,
            before=text if is_gone else "",
            after="" if is_gone else text,
            sentence=f"{scope} {when} although '{text}' does not hold" + (f" ({values})" if values else ""),
        )


def invariant_differences(
    claims: Specification, failures: Mapping[str, tuple[int, int]], chance: ChanceTest, *, is_gone: bool
) -> Iterator[Difference]:
    """Yield the invariants of one specification that fail in the other's history more often than chance explains.

    Args:
        claims: the specification whose invariants are asked.
        failures: of each text, in how many cases of the other's history it fails, and how many there are.
        chance: tells what is more than chance.
        is_gone: whether that is the later one.

    """
    invariants = [item for item in claims.invariants if item.text in failures]
    cases = [(item.exceptions, item.support, *failures[item.text]) for item in invariants]
    differing = chance.differ(Subject.INVARIANT, [(item.text,) for item in invariants], cases)
    for item, case, different in zip(invariants, cases, differing, strict=True):
        if different and case[2] * case[1] > case[0] * case[3]:
            when = "no longer holds" if is_gone else "holds now, and did not before"
            yield Difference(
                subject=Subject.INVARIANT,
                change=Change.BROKEN if is_gone else Change.ADDED,
                ground=Ground.DATA,
                scope=item.scope.name,
                before=item.text if is_gone else "",
                after="" if is_gone else item.text,
                sentence=f"'{item.text}' {when}: it fails in {case[2]:,} of {case[3]:,} cases of the "
                f"{'second' if is_gone else 'first'} history",
                counts=case,
                probability=fisher(*case),
            )
