"""Which conditions of functions differ: dropped, added, weaker, stronger, or asked in another order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from specminer.comparison.difference import Change, Difference, Ground, Subject
from specminer.comparison.guard_language import DemandedCondition, GuardLanguage, followed_functions
from specminer.predicate import Formula
from specminer.specification import Guard, GuardKind, Specification


@dataclass(frozen=True, slots=True)
class GuardComparison:
    """The guards of functions that both specifications followed through the code."""

    before: Specification
    after: Specification
    uncompared: dict[str, int] = field(default_factory=dict)
    """What could not be compared, with the reason; complete once :meth:`differences` is exhausted."""

    def differences(self) -> Iterator[Difference]:
        """Yield what differs, function by function."""
        for scope in sorted(followed_functions(self.before) & followed_functions(self.after)):
            yield from self._of_function(scope)
        one_sided = followed_functions(self.before) ^ followed_functions(self.after)
        both = {edge.function for edge in self.before.transitions} & {
            edge.function for edge in self.after.transitions
        }
        for scope in sorted(one_sided):
            yield from self._of_seldom(scope)
        if one_sided & both:
            self.uncompared["functions whose code was followed in one history only"] = len(one_sided & both)

    def _of_function(self, scope: str) -> Iterator[Difference]:
        language = GuardLanguage()
        old, unread_old = language.conditions(_guards(self.before, scope))
        new, unread_new = language.conditions(_guards(self.after, scope))
        if unread_old or unread_new:
            self._leave_out("conditions that could not be read", range(unread_old + unread_new), ())
            return
        missing, added = (
            self._drop_untaken(_unmet(language, old, new)),
            self._drop_untaken(_unmet(language, new, old)),
        )
        pairs = _pairs(language, missing, added, old, new)
        for one, two in pairs:
            if one.is_named == two.is_named:
                yield self._describe_change(language, scope, one, two, new)
            else:
                self._leave_out("conditions of storage that only one history names", (one,), ())
        for item in missing:
            if not any(item is one for one, _ in pairs):
                yield _one_sided(scope, item, Change.GONE, language.example(_formulas(new), item.formula))
        for item in added:
            if not any(item is two for _, two in pairs):
                yield _one_sided(scope, item, Change.ADDED, language.example(_formulas(old), item.formula))
        if not missing and not added:
            yield from _order(scope, old, new)

    def _of_seldom(self, scope: str) -> Iterator[Difference]:
        """Yield the checks that reject for the same reason, but ask another thing.

        Of a function that one history seldom accepted not all conditions are known. What rejected it is: if each of two
        checks speaks of something that the other one does not, they are different ones.
        """
        language = GuardLanguage()
        old, new = (
            _single_causes(_guards(side, scope), language.conditions(_guards(side, scope))[0])
            for side in (self.before, self.after)
        )
        for reason in sorted({*old} & {*new}):
            one, two = old[reason], new[reason]
            if one.names <= two.names or two.names <= one.names:
                continue
            yield Difference(
                subject=Subject.GUARD,
                change=Change.OTHER,
                ground=Ground.DATA,
                scope=scope,
                before=one.text,
                after=two.text,
                sentence=f"{scope} rejects with '{reason}' unless '{two.text}', and did before "
                f"unless '{one.text}'",
            )

    def _drop_untaken(self, conditions: Sequence[DemandedCondition]) -> list[DemandedCondition]:
        """Return the conditions without those that the other history may only lack because no call took that way."""
        of_source = [item for item in conditions if not item.of_compiler]
        self._leave_out(
            "conditions of the compiler, which are known only if they rejected a call", conditions, of_source
        )
        certain = [item for item in of_source if not item.partial or item.kind is GuardKind.REQUIRED]
        self._leave_out(
            "conditions on ways through the code that perhaps only one history took", of_source, certain
        )
        return certain

    def _leave_out(self, reason: str, all_: Sequence[object], rest: Sequence[object]) -> None:
        if len(rest) < len(all_):
            self.uncompared[reason] = self.uncompared.get(reason, 0) + len(all_) - len(rest)

    def _describe_change(
        self,
        language: GuardLanguage,
        scope: str,
        one: DemandedCondition,
        two: DemandedCondition,
        new: Sequence[DemandedCondition],
    ) -> Difference:
        weaker = language.follows([one.formula], two.formula)
        stronger = language.follows([two.formula], one.formula)
        change = Change.WEAKER if weaker else Change.STRONGER if stronger else Change.OTHER
        if change is Change.STRONGER:
            example = language.example([one.formula], two.formula)
        else:
            example = language.example([item.formula for item in new], one.formula)
        verb = {Change.WEAKER: "weaker", Change.STRONGER: "stronger"}.get(change, "another one")
        return Difference(
            subject=Subject.GUARD,
            change=change,
            ground=Ground.CODE,
            scope=scope,
            before=one.text,
            after=two.text,
            sentence=f"{scope} asks {verb}: '{two.text}' instead of '{one.text}'",
            example=example,
        )


def _guards(specification: Specification, scope: str) -> list[Guard]:
    return [guard for guard in specification.guards if guard.scope == scope]


def _single_causes(
    guards: Sequence[Guard], conditions: Sequence[DemandedCondition]
) -> dict[str, DemandedCondition]:
    """Return the required condition behind each reason that has a text and one condition alone."""
    required = {
        item.text: item
        for item in conditions
        if item.kind is GuardKind.REQUIRED and not item.of_compiler and item.is_named
    }
    condition_by_reason = {}
    for guard in guards:
        for reason in guard.reasons:
            causes = {cause.condition for cause in reason.causes}
            if reason.text and len(causes) == 1 and (text := next(iter(causes))) in required:
                condition_by_reason[reason.text] = required[text]
    return condition_by_reason


def _unmet(
    language: GuardLanguage, conditions: Sequence[DemandedCondition], others: Sequence[DemandedCondition]
) -> list[DemandedCondition]:
    """Return the conditions that do not follow from others; without a solver those that no other one equals."""
    facts = [item.formula for item in others]
    texts = {item.text for item in others}
    unmet = []
    for item in conditions:
        follows = language.follows(facts, item.formula)
        if follows is False or (follows is None and item.text not in texts):
            unmet.append(item)
    return unmet


def _pairs(
    language: GuardLanguage,
    missing: Sequence[DemandedCondition],
    added: Sequence[DemandedCondition],
    old: Sequence[DemandedCondition],
    new: Sequence[DemandedCondition],
) -> list[tuple[DemandedCondition, DemandedCondition]]:
    """Return the conditions that took each other's place, each at most once.

    They speak of most of the same; one that follows from what took its place has not gone, but is weaker.
    """
    stronger = [(one, two) for two in added for one in old if _is_weaker(language, one, two)]
    weaker = [(one, two) for one in missing for two in new if _is_weaker(language, two, one)]
    pairs: list[tuple[DemandedCondition, DemandedCondition]] = []
    candidates = [(one, two) for one in missing for two in added if one.names & two.names]
    for one, two in sorted([*candidates, *stronger, *weaker], key=_apartness):
        if not any(one is other or two is another for other, another in pairs):
            pairs.append((one, two))
    return pairs


def _is_weaker(language: GuardLanguage, weak: DemandedCondition, strong: DemandedCondition) -> bool:
    """Return whether a condition follows from another one that speaks of the same, but not the other way round."""
    return (
        weak.names == strong.names
        and language.follows([strong.formula], weak.formula) is True
        and language.follows([weak.formula], strong.formula) is False
    )


def _apartness(pair: tuple[DemandedCondition, DemandedCondition]) -> float:
    one, two = pair
    return -len(one.names & two.names) / len(one.names | two.names)


def _formulas(conditions: Sequence[DemandedCondition]) -> list[Formula]:
    return [item.formula for item in conditions]


def _order(
    scope: str, old: Sequence[DemandedCondition], new: Sequence[DemandedCondition]
) -> Iterator[Difference]:
    """Yield that two conditions are asked in another order."""
    later = {item.formula: item.order for item in new}
    common = [item for item in old if item.order is not None and later.get(item.formula) is not None]
    for one, two in combinations(sorted(common, key=lambda item: item.order or 0), 2):
        first, second = later[one.formula], later[two.formula]
        if one.order != two.order and first is not None and second is not None and first > second:
            yield Difference(
                subject=Subject.GUARD,
                change=Change.ORDER,
                ground=Ground.CODE,
                scope=scope,
                before=one.text,
                after=two.text,
                sentence=f"{scope} asks '{two.text}' before '{one.text}', which was asked first",
            )
            return


def _one_sided(scope: str, item: DemandedCondition, change: Change, example: dict[str, str]) -> Difference:
    is_gone = change is Change.GONE
    return Difference(
        subject=Subject.GUARD,
        change=change,
        ground=Ground.CODE,
        scope=scope,
        before=item.text if is_gone else "",
        after="" if is_gone else item.text,
        sentence=f"{scope} no longer asks '{item.text}'"
        if is_gone
        else f"{scope} asks '{item.text}', which is new",
        example=example,
    )
