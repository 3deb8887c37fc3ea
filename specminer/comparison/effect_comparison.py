"""Which effects of functions differ: no longer there, new, or under another condition."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from specminer.comparison.chance import ChanceTest, fisher
from specminer.comparison.difference import Cases, Change, Difference, Ground, Subject, change_of
from specminer.decision.coded_effects import IdleEffect
from specminer.specification import Effect, EffectKind, Specification

_Target = tuple[str, EffectKind, str]
"""A function, and what it does something to."""
_VERBS: Final = {
    EffectKind.WRITTEN: "writes",
    EffectKind.PAID: "pays",
    EffectKind.CALLED: "calls",
    EffectKind.LOGGED: "logs",
}


def effect_differences(
    before: Specification,
    after: Specification,
    chance: ChanceTest,
    idle: Collection[tuple[str, str]] = (),
) -> Iterator[Difference]:
    """Yield the effects of functions that both specifications followed, where they differ by more than chance.

    Args:
        before: the first specification.
        after: the second one.
        chance: tells what is more than chance.
        idle: effects, as function and text, that only made no difference in one of the histories.

    """
    old, new = _by_text(before), _by_text(after)
    calls_before, calls_after = _calls(before), _calls(after)
    followed = calls_before.keys() & calls_after.keys()
    keys = [key for key in {**old, **new} if key[0] in followed and key not in idle]
    cases = [
        (_occurrences(old.get(key)), calls_before[key[0]], _occurrences(new.get(key)), calls_after[key[0]])
        for key in keys
    ]
    differing = chance.differ(Subject.EFFECT, keys, cases)
    by_target: dict[_Target, list[tuple[Cases, Effect]]] = {}
    for key, case, different in zip(keys, cases, differing, strict=True):
        if different:
            effect = new.get(key) or old[key]
            by_target.setdefault((effect.function, effect.kind, effect.target), []).append((case, effect))
    for changes in by_target.values():
        missing = [item for item in changes if not item[0][2]]
        added = [item for item in changes if not item[0][0]]
        if missing and added:
            yield _other(*missing[0], *added[0])
            missing, added = missing[1:], added[1:]
        for case, effect in (*missing, *added, *(item for item in changes if item[0][0] and item[0][2])):
            yield _difference(case, effect)


def idle_differences(
    before: Specification,
    after: Specification,
    old: Mapping[tuple[str, str], IdleEffect],
    new: Mapping[tuple[str, str], IdleEffect],
    chance: ChanceTest,
) -> Iterator[Difference]:
    """Yield the writes of every accepted call of one code, and of none of the other, though they changed nothing.

    Args:
        before: the first specification.
        after: the second one.
        old: writes that made no difference in the first history.
        new: those of the second one.
        chance: tells what is more than chance.

    """
    effects = {*_by_text(before), *_by_text(after)}
    writes: list[tuple[str, str, IdleEffect]] = []
    cases: list[Cases] = []
    for is_gone, own, others, calls in ((True, old, new, _calls(after)), (False, new, old, _calls(before))):
        for key, item in own.items():
            trials = calls.get(key[0], 0)
            if key in others or key in effects or item.occurrences < item.calls or not trials:
                continue
            if item.target != "…":
                writes.append((*key, item))
                case = (item.occurrences, item.calls, 0, trials)
                cases.append(case if is_gone else (*case[2:], *case[:2]))
    differing = chance.differ(Subject.EFFECT, [item[:2] for item in writes], cases)
    for (scope, text, item), case, different in zip(writes, cases, differing, strict=True):
        if different:
            yield _idle_difference(scope, text, item, case)


def _idle_difference(scope: str, text: str, item: IdleEffect, case: Cases) -> Difference:
    is_gone = case[0] > 0
    verb = "no longer writes" if is_gone else "writes"
    return Difference(
        subject=Subject.EFFECT,
        change=Change.GONE if is_gone else Change.ADDED,
        ground=Ground.CODE,
        scope=scope,
        before=text if is_gone else "",
        after="" if is_gone else text,
        sentence=f"{scope} {verb} {item.target}: '{text}', which made no difference in the calls that were "
        f"seen ({_counts(case)})",
        counts=case,
        probability=fisher(*case),
    )


def _by_text(specification: Specification) -> Mapping[tuple[str, str], Effect]:
    return {(effect.function, effect.text): effect for effect in specification.effects}


def _calls(specification: Specification) -> Mapping[str, int]:
    """Return how many accepted calls of each function were followed."""
    calls: dict[str, int] = {}
    for guard in specification.guards:
        if guard.calls is not None:
            calls[guard.scope] = guard.accepted
    for effect in specification.effects:
        calls[effect.function] = effect.calls
    return {scope: count for scope, count in calls.items() if count}


def _occurrences(effect: Effect | None) -> int:
    return 0 if effect is None else min(effect.happened, effect.calls)


def _counts(case: Cases) -> str:
    return f"{case[0]:,} of {case[1]:,} calls before, {case[2]:,} of {case[3]:,} after"


def _other(case: Cases, one: Effect, other: Cases, two: Effect) -> Difference:
    counts = f"{case[0]:,} of {case[1]:,} calls before, {other[2]:,} of {other[3]:,} after"
    return Difference(
        subject=Subject.EFFECT,
        change=Change.OTHER,
        ground=Ground.CODE,
        scope=one.function,
        before=one.text,
        after=two.text,
        sentence=f"{one.function} does something else: '{two.text}' instead of '{one.text}' ({counts})",
        counts=(case[0], case[1], other[2], other[3]),
        probability=min(fisher(*case), fisher(*other)),
    )


def _difference(case: Cases, effect: Effect) -> Difference:
    scope, verb = effect.function, f"{_VERBS[effect.kind]} {effect.target}"
    change = change_of(case)
    match change:
        case Change.GONE:
            sentence = f"{scope} no longer {verb}: '{effect.text}'"
        case Change.ADDED:
            sentence = f"{scope} {verb}, which is new: '{effect.text}'"
        case _:
            sentence = f"{scope} {verb} {change.value}: '{effect.text}'"
    always = 0 in (case[0], case[2]) and (case[0] == case[1] or case[2] == case[3])
    return Difference(
        subject=Subject.EFFECT,
        change=change,
        ground=Ground.CODE if always else Ground.DATA,
        scope=scope,
        before="" if change is Change.ADDED else effect.text,
        after="" if change is Change.GONE else effect.text,
        sentence=f"{sentence} ({_counts(case)})",
        counts=case,
        probability=fisher(*case),
    )
