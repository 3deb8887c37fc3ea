"""Chooses how to split a history, and explains the choice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from specminer._support.errors import UsageError, plain
from specminer._support.text import UniqueNames, list_some, suggest
from specminer.decision.access_facts import AccessFacts
from specminer.decision.state_conditions import StateCondition
from specminer.decoding import ROLLED_BACK, HistoryContext
from specminer.history.contract_history import CONSTRUCTOR, MISSING
from specminer.interaction.interactions import Interactions
from specminer.interaction.roles import EntityNaming, RoleSource, candidates, naming
from specminer.interaction.scores import MIN_COVERAGE, ContractScore, SortScore, marks, score, score_contract
from specminer.interaction.slices import slice_by_entity
from specminer.interaction.sorts import EntityType, sorts
from specminer.interaction.stages import stage_share
from specminer.interaction.views import by_instance, by_sender, whole
from specminer.specification import EntitySort, Mode

ACCOUNT = "account"
NEAR: Final = 0.6
"""A sort is nearly as good as the best one from this share of its score on ..."""
LEFT_OUT: Final = 0.05
"""... or if the best leaves out this share of the accepted calls ..."""
HALF: Final = 0.5
"""... and at least this share of those must be about an entity of the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SortAssessment:
    """A sort with all that was found out about it."""

    name: str
    """Unique in a history: ``_tokenId``, ``account``, ``mapping3``."""
    sort: EntityType
    naming: EntityNaming
    score: SortScore

    @property
    def mode(self) -> Mode:
        """How this sort splits the history."""
        return Mode.PARTITION if self.score.separable else Mode.PROJECTION

    @property
    def qualifies(self) -> bool:
        """Whether it may be chosen without being asked for."""
        return self.score.qualifies


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """The sorts of a history, the best first."""

    context: HistoryContext
    assessments: tuple[SortAssessment, ...]
    contract: ContractScore | None
    """What speaks for whole contracts; ``None`` where no code says what decides."""

    @property
    def names(self) -> tuple[str, ...]:
        """What may be asked for besides ``whole``, ``instance`` and ``sender``."""
        return tuple(item.name for item in self.assessments)


def analyse(
    context: HistoryContext,
    code: AccessFacts | None = None,
    conditions: Callable[[], Iterable[StateCondition]] = tuple,
) -> Analysis:
    """Find the sorts of a history and what speaks for each.

    Args:
        context: the history.
        code: what the code shows of its accesses; without it, what calls touch and where they stop must do.
        conditions: returns what the code asks of storage and the clock; called only where that matters.

    """
    history_marks, all_candidates = marks(context, code), candidates(context, code)
    ratings: list[tuple[EntityType, EntityNaming, SortScore]] = []
    for sort in sorts(context):
        entity_naming = naming(context, sort, all_candidates)
        ratings.append((sort, entity_naming, score(context, sort, entity_naming, history_marks)))
    ratings.sort(key=lambda item: (-item[2].value, -item[2].coverage))  # else in the order of the slots
    names = _distinct_names([_name(context, sort, entity_naming) for sort, entity_naming, _ in ratings])
    assessments = tuple(
        SortAssessment(name=name, sort=sort, naming=entity_naming, score=rating)
        for name, (sort, entity_naming, rating) in zip(names, ratings, strict=True)
    )
    contract = score_contract(context, history_marks)
    best = next((item for item in assessments if item.qualifies), None)
    if contract is not None and best is not None and best.sort.account and best.score.separable:
        contract = replace(contract, stages=stage_share(context, conditions()))
    return Analysis(context=context, contract=contract, assessments=assessments)


def _name(context: HistoryContext, sort: EntityType, entity_naming: EntityNaming) -> str:
    """Return the argument that names most of its entities; without one the storage where they are kept."""
    if sort.account:
        return ACCOUNT
    counts: Counter[str] = Counter()
    for row, count in enumerate(
        np.bincount(entity_naming.role[entity_naming.role != MISSING], minlength=len(entity_naming.roles))
    ):
        role = entity_naming.roles[row]
        if role.source in (RoleSource.ARGUMENT, RoleSource.FOUND) and role.name != "new":
            counts[role.name] += int(count)
    if counts:
        return min(counts, key=lambda name: (-counts[name], name))
    return context.locations.ports[sort.ports[0]].name.removesuffix("[]")


def _distinct_names(names: Sequence[str]) -> list[str]:
    """Return names of which none is another's or a mode's: the second ``id`` becomes ``id #2``."""
    unique_names = UniqueNames([*(mode.value for mode in Mode), "auto"])
    return [unique_names.add(name) for name in names]


def split(analysis: Analysis, wish: str | None = None) -> Interactions:
    """Split the history: as wished (``whole``, ``instance``, ``sender`` or a sort's name), else by the best sort.

    Raises:
        UsageError: there is no such sort.

    """
    context = analysis.context
    suffix = _left_out(context)
    if wish is None or wish == "auto":
        interactions, reason = _split_by_best(analysis)
    elif wish == Mode.WHOLE.value and _has_lives(context):
        interactions, reason = _by_life(context)
    elif wish == Mode.WHOLE.value:
        interactions, reason = whole(context), "The whole history is one interaction, as asked."
    elif wish == Mode.INSTANCE.value:
        interactions = by_instance(context)
        each = "contract, or life of a contract" if _has_lives(context) else "contract"
        reason = f"One interaction per {each}, as asked; each begins with its constructor."
    elif wish == Mode.SENDER.value:
        interactions = by_sender(context)
        reason = f"One interaction per account, as asked.{_creation_text(context)}"
    else:
        assessment = _requested_sort(analysis, wish)
        interactions = _slice_sort(context, assessment)
        reason = f"{_by_sort(assessment, interactions)}, as asked. {reasons(assessment)}"
    return replace(interactions, explanation=f"{reason}{_outside(context, interactions)}{suffix}")


def second_view(analysis: Analysis, first_view: Interactions) -> Interactions | None:
    """Return the history split by another sort that is nearly as good as the one it was split by by itself.

    A sort is nearly as good if it scores nearly as much, or if most calls that the chosen one leaves out are about its
    entities. It has to divide the history into lives, and its entities have to be named and not only be touched.
    """
    contract = analysis.contract
    if first_view.mode is Mode.WHOLE and contract is not None and contract.staged:
        return _beside_stages(analysis)
    if first_view.sort is None:
        return None
    best = next((item for item in analysis.assessments if item.name == first_view.sort.name), None)
    rival = next((item for item in analysis.assessments if best is not None and _is_near(item, best)), None)
    if best is None or rival is None:
        return None
    context = analysis.context
    interactions = _slice_sort(context, rival)
    name, other = plain(rival.name, 60), plain(best.name, 60)
    if rival.score.value >= NEAR * best.score.value:
        why = f"nearly as much speaks for it as for {other} (score {best.score.value:.2f})"
    else:
        why = f"most of the calls that are about no {other} are about one"
    return replace(
        interactions,
        explanation=f"Second view: {_by_sort(rival, interactions)}; {why}. {reasons(rival)}"
        f"{_outside(context, interactions)} `--interactions {name}` makes it the first.",
    )


def _beside_stages(analysis: Analysis) -> Interactions | None:
    """Return the history split by the accounts that take part in a contract's stages."""
    rival = next((item for item in analysis.assessments if item.qualifies), None)
    if rival is None or rival.score.trivial or rival.score.derived:
        return None
    interactions, name = _slice_sort(analysis.context, rival), plain(rival.name, 60)
    return replace(
        interactions,
        explanation=f"Second view: {_by_sort(rival, interactions)}; each takes part in the stages of the contract. "
        f"{reasons(rival)}{_outside(analysis.context, interactions)} `--interactions {name}` makes it the first.",
    )


def _is_near(rival: SortAssessment, best: SortAssessment) -> bool:
    one, other = rival.score, best.score
    if rival is best or not rival.qualifies or one.trivial or one.derived:
        return False
    left_out = 1.0 - other.coverage
    more = left_out >= LEFT_OUT and one.coverage - other.coverage >= HALF * left_out
    return one.value >= NEAR * other.value or more


def _outside(context: HistoryContext, interactions: Interactions) -> str:
    calls = interactions.track[context.is_call[interactions.track]]
    if not len(calls):
        return ""
    rows = [context.calls.functions[row] for row in context.calls.function[calls].tolist()]
    counts = sorted(Counter(rows).items(), key=lambda item: (-item[1], item[0]))
    examples = list_some([f"{plain(name, 40)} {count:,}" for name, count in counts[:5]], len(counts), ", …")
    return f" {len(calls):,} calls concern none of them: {examples}."


def _creation_text(context: HistoryContext) -> str:
    created = np.any(context.history.invocation_kind == CONSTRUCTOR)
    return " The constructor belongs to no account." if created else ""


def _split_by_best(analysis: Analysis) -> tuple[Interactions, str]:
    context, contract = analysis.context, analysis.contract
    best = next((item for item in analysis.assessments if item.qualifies), None)
    several = len(context.history.accounts) > 1
    if several and (contract is None or best is None or contract.outdoes(best.score)):
        if _has_lives(context):
            return _by_life(context)
        return by_instance(context), (
            "One interaction per contract, because several contracts are mined together; each begins with its "
            f"constructor.{_short_lived(best)}"
        )
    if best is not None and contract is not None and contract.outdoes(best.score):
        interactions, reason = _keep_whole(context)
        rival = f"; the best sort of entities is {plain(best.name, 60)} (score {best.score.value:.2f})"
        return interactions, f"{reason} {_contract_reasons(contract)}{rival}.{_short_lived(best)}"
    if best is None:
        interactions, reason = _keep_whole(context)
        return interactions, f"{reason} {_sentence(_why_none(analysis))}"
    interactions = _slice_sort(context, best)
    lives = " No interaction spans two lives of the contract." if _has_lives(context) else ""
    return interactions, f"{_by_sort(best, interactions)}. {reasons(best)}{lives}"


def _keep_whole(context: HistoryContext) -> tuple[Interactions, str]:
    if _has_lives(context):
        return _by_life(context)
    return whole(context), "The whole history is one interaction."


def _contract_reasons(rating: ContractScore) -> str:
    if rating.staged:
        return (
            "It lives through stages that never come back, by the clock or by what it keeps without keys, and they "
            f"tell {rating.stages:.0%} of which function is called"
        )
    return (
        f"{rating.coverage:.0%} of the accepted calls touch variables without keys, to which "
        f"{rating.deciding_share:.0%} of what decides belongs (score {rating.value:.2f})"
    )


def _short_lived(assessment: SortAssessment | None) -> str:
    """Return that a sort would hardly give any interaction of two events, where it is so: a sentence, or nothing."""
    if assessment is None or not assessment.score.trivial:
        return ""
    rating, name = assessment.score, plain(assessment.name, 60)
    return f" Split by {name}, {rating.long_count:,} of {rating.entities:,} interactions would have two events or more."


def _has_lives(context: HistoryContext) -> bool:
    """Whether a contract has several lives, which no interaction may span."""
    return len(context.history.contracts) > len(context.history.accounts)


def _by_life(context: HistoryContext) -> tuple[Interactions, str]:
    contracts = " of several contracts" if len(context.history.accounts) > 1 else ""
    return by_instance(context), (
        f"One interaction per life{contracts}: what was created again after it had destroyed itself began anew, so "
        "no interaction spans two lives."
    )


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _why_none(analysis: Analysis) -> str:
    if not analysis.assessments:
        return "no storage is kept under keys that could be entities"
    best = analysis.assessments[0]
    name, covered = plain(best.name, 60), f"{best.score.coverage:.0%} of the accepted calls are about"
    if best.score.coverage <= MIN_COVERAGE:
        return (
            f"no sort of entities explains enough of it; the best is {name}, whose entities {covered} "
            f"(more than {MIN_COVERAGE:.0%} are wanted)"
        )
    return (
        f"no sort of entities divides it into lives; the best is {name}, whose entities {covered}, but nothing that is "
        "kept under its keys decides what is accepted, and all of it counts up and down"
    )


def _requested_sort(analysis: Analysis, wish: str) -> SortAssessment:
    for item in analysis.assessments:
        if item.name == wish:
            return item
    choices = ["auto", "whole", "instance", "sender", *analysis.names]
    alternatives = f"It can be split by {', '.join(plain(name, 40) for name in choices[:20])}"
    hint = f"{suggest(wish, choices)} {alternatives}".strip()
    raise UsageError(f"--interactions: this history has no sort of entities '{plain(wish, 60)}'; {hint}")


def _slice_sort(context: HistoryContext, assessment: SortAssessment) -> Interactions:
    return slice_by_entity(
        context,
        assessment.sort,
        assessment.naming,
        describe_sort(context, assessment),
        separable=assessment.score.separable,
    )


def describe_sort(context: HistoryContext, assessment: SortAssessment) -> EntitySort:
    """Return a sort as the specification tells it."""
    return EntitySort(
        name=assessment.name,
        ports=tuple(context.locations.ports[port].name for port in assessment.sort.ports),
        arguments=tuple(sorted({role.name for role in assessment.naming.roles})),
        score=round(assessment.score.value, 6),
    )


def _by_sort(assessment: SortAssessment, interactions: Interactions) -> str:
    name = plain(assessment.name, 60)
    how = (
        "each call belongs to one"
        if interactions.mode is Mode.PARTITION
        else "a call stands in the interaction of every entity that it names, with its role"
    )
    return f"One interaction per {name} ({len(interactions.names):,}): {how}"


def reasons(assessment: SortAssessment) -> str:
    """Return what speaks for a sort, as sentences."""
    rating = assessment.score
    parts = [f"{rating.coverage:.0%} of the accepted calls are about one"]
    if rating.alpha and rating.deciding_share is not None:
        parts.append(
            f"{rating.deciding_share:.0%} of what earlier calls wrote and later ones decided upon belongs to the "
            "one that these are about"
        )
    elif rating.alpha:
        parts.append(
            f"{rating.guard:.0%} of the rejections that storage under keys decided read its storage last"
        )
    parts.append(f"{rating.setlike:.0%} of the changes of its storage set a value rather than count")
    return f"{', '.join(parts[:-1])} and {parts[-1]} (score {rating.value:.2f})."


def _left_out(context: HistoryContext) -> str:
    rolled_back = context.history.invocation_outcome == ROLLED_BACK
    parts = [
        f"{count:,} {text}"
        for count, text in (
            (int(np.sum(context.calls.read_only & ~rolled_back)), "calls of read-only functions"),
            (int(np.sum(rolled_back)), "calls that their callers rolled back"),
            (
                int(np.sum(context.is_in_vain & ~context.calls.read_only & ~rolled_back)),
                "calls that came after the contract had destroyed itself, so that no code ran",
            ),
        )
        if count
    ]
    return f" Left out: {' and '.join(parts)}." if parts else ""
