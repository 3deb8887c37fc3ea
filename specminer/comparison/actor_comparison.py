"""Who calls functions in one history only, and whose roles passed to others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from specminer._support.text import list_some
from specminer.comparison.chance import ChanceTest, fisher
from specminer.comparison.difference import Cases, Change, Difference, Ground, Subject
from specminer.specification import Role, Specification

Callers = Mapping[str, Mapping[str, int]]
"""How many accepted calls of each function each account sent."""
MAX_CALLERS: Final = 20
"""Accounts of a function that are compared: those that called most often."""
_MAX_EXAMPLES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Caller:
    """An account that called a function in one of the histories only, more often than chance explains."""

    account: str
    case: Cases
    probability: float

    @property
    def is_gone(self) -> bool:
        """Whether it called in the first history."""
        return not self.case[2]

    def text(self) -> str:
        """Return who it is, and how many of the calls were its own."""
        hits, trials = self.case[:2] if self.is_gone else self.case[2:]
        return f"{self.account} ({hits:,} of {trials:,} calls)"


def known_callers(specification: Specification) -> Callers:
    """Return the callers that a document tells: where all calls of a function came from one account."""
    accepted: dict[str, int] = {}
    for guard in specification.guards:
        accepted[guard.scope] = max(accepted.get(guard.scope, 0), guard.accepted)
    return {
        function: {role.addresses[0]: accepted[function]}
        for role in specification.roles
        if len(role.addresses) == 1
        for function in role.functions
        if accepted.get(function)
    }


def actor_differences(
    before: Specification, after: Specification, old: Callers, new: Callers, chance: ChanceTest
) -> Iterator[Difference]:
    """Yield the functions that other accounts call, and the roles that others hold.

    Functions that only one of the histories calls are left out.

    Args:
        before: the first specification.
        after: the second one.
        old: who called in the first history.
        new: who called in the second one.
        chance: tells what is more than chance.

    """
    cases = [
        (function, account, case)
        for function in sorted({*old} & {*new})
        for account, case in _cases(old[function], new[function])
    ]
    differing = chance.differ(Subject.ACTOR, [item[:2] for item in cases], [item[2] for item in cases])
    callers_by_function: dict[str, list[_Caller]] = {}
    for (function, account, case), different in zip(cases, differing, strict=True):
        if different and not (case[0] and case[2]):
            caller = _Caller(account=account, case=case, probability=fisher(*case))
            callers_by_function.setdefault(function, []).append(caller)
    for function, callers in callers_by_function.items():
        yield _difference(function, callers)
    yield from _passed_roles(before, after, callers_by_function)


def _cases(old: Mapping[str, int], new: Mapping[str, int]) -> Iterator[tuple[str, Cases]]:
    """Yield accounts with how often they called, and how often all did, before and after."""
    totals = sum(old.values()), sum(new.values())
    accounts = sorted({*old, *new}, key=lambda item: (-old.get(item, 0) - new.get(item, 0), item))
    for account in accounts[:MAX_CALLERS]:
        yield account, (old.get(account, 0), totals[0], new.get(account, 0), totals[1])


def _difference(function: str, callers: Sequence[_Caller]) -> Difference:
    surest = min(callers, key=lambda item: item.probability)
    former, new = (
        _list_callers([item for item in callers if item.is_gone is side]) for side in (True, False)
    )
    sentences = [f"{function} is called by {new}, as it never was before"] if new else []
    sentences += [f"{'it' if new else function} is no longer called by {former}"] if former else []
    return Difference(
        subject=Subject.ACTOR,
        change=Change.OTHER if former and new else Change.ADDED if new else Change.GONE,
        ground=Ground.DATA,
        scope=function,
        before=former,
        after=new,
        sentence="; ".join(sentences),
        counts=surest.case,
        probability=surest.probability,
    )


def _list_callers(callers: Sequence[_Caller]) -> str:
    ordered = sorted(callers, key=lambda item: (item.probability, item.account))
    return list_some([item.text() for item in ordered[:_MAX_EXAMPLES]], len(ordered))


def _passed_roles(
    before: Specification, after: Specification, callers_by_function: Mapping[str, Sequence[_Caller]]
) -> Iterator[Difference]:
    """Yield the roles of which both documents know the holders, and these differ as the callers do."""
    earlier = {(role.name, role.kind): role for role in before.roles}
    for role in after.roles:
        other = earlier.get((role.name, role.kind))
        callers = [item for function in role.functions for item in callers_by_function.get(function, ())]
        if other is None or not callers or not _is_passed(other, role):
            continue
        surest = min(callers, key=lambda item: item.probability)
        was, now = (
            list_some(list(item.addresses[:_MAX_EXAMPLES]), len(item.addresses)) for item in (other, role)
        )
        yield Difference(
            subject=Subject.ACTOR,
            change=Change.OTHER,
            ground=Ground.DATA,
            scope=role.name,
            before=was,
            after=now,
            sentence=f"{role.name} is {now}, and was {was} before",
            counts=surest.case,
            probability=surest.probability,
        )


def _is_passed(other: Role, role: Role) -> bool:
    return bool(other.addresses) and bool(role.addresses) and not {*other.addresses} & {*role.addresses}
