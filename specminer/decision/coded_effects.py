"""What the accepted calls of a function do: write, pay, call, log, as expressions, and when."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from specminer.decision.call_runs import CallRun
from specminer.decision.effect_conditions import Conjunction, conditions_of
from specminer.decision.effect_terms import EffectName
from specminer.decision.function_writes import FunctionWrites
from specminer.decision.paths import FunctionDecisions, Path, PathCondition
from specminer.decision.phrases import Strength
from specminer.decision.versions import with_versions
from specminer.decision.wording import Wording
from specminer.decision.writes import SlotPlace
from specminer.evm.frame import FrameKind
from specminer.evm.taped_instructions import LAST_PRECOMPILED
from specminer.shadow.arena import Arena
from specminer.shadow.record import CallEffect, ShadowRecord
from specminer.specification import Effect, EffectKind

MAX_OF_RUN: Final = 256
"""Calls, and events, of one call that are looked at."""
MAX_EFFECTS: Final = 48
"""Effects of one function that are told, those of most calls first."""
MAX_VALUES: Final = 8
"""Values that one target gets, as effects of their own; of more it is told how many there are."""
_ACTING: Final = (FrameKind.CALL, FrameKind.CREATE, FrameKind.CREATE2)
_INDEX: Final = re.compile(r"\[\d+\]", re.ASCII)
_KINDS: Final = tuple(EffectKind)


@dataclass(slots=True, kw_only=True)
class _FoundEffect:
    """An effect, and the runs in which it happened."""

    runs: dict[int, int] = field(default_factory=dict)
    """By position of the run: how many decisions it had taken before."""
    changed: bool = False
    """Whether it made a difference in any of them."""


def effects_of(
    decisions: FunctionDecisions, writes: FunctionWrites, wording: Wording, name: str
) -> tuple[Effect, ...]:
    """Return what accepted calls of a function do, by kind, what happens most often first.

    What leaves storage as it was whatever that was, or a constant where it was already in all calls, is no effect.

    Args:
        decisions: what its calls decided.
        writes: what they left in storage.
        wording: names its expressions.
        name: the function's.

    """
    collector = _Collector(decisions, writes, wording)
    occurrences = collector.collect()
    effects = []
    for key, item in occurrences.items():
        happened = sum(collector.weights[run] for run in item.runs)
        condition = collector.condition(key, item) if happened < collector.calls else ""
        effects.append(
            Effect(
                function=name,
                kind=key.kind,
                target=key.target,
                expression=key.expression,
                text=key.text,
                condition=condition,
                happened=happened,
                calls=collector.calls,
                readable=key.readable,
                each=key.each,
            )
        )
    effects.sort(key=lambda item: -item.happened)
    effects = effects[:MAX_EFFECTS]
    return tuple(sorted(effects, key=lambda item: _KINDS.index(item.kind)))


def effect_runs(
    decisions: FunctionDecisions, writes: FunctionWrites, wording: Wording
) -> dict[str, frozenset[int]]:
    """Return the effects of :func:`effects_of` by their text, with the accepted runs in which they happened."""
    effects = _Collector(decisions, writes, wording).collect()
    return {name.text: frozenset(item.runs) for name, item in effects.items()}


class IdleEffect(NamedTuple):
    """A write that made no difference in any accepted call."""

    target: str
    """What is written."""
    occurrences: int
    """In how many accepted calls it happened."""
    calls: int
    """How many accepted calls were followed."""


def idle_effects_of(
    decisions: FunctionDecisions, writes: FunctionWrites, wording: Wording, name: str
) -> dict[tuple[str, str], IdleEffect]:
    """Return the writes of a function that made no difference in any call, by function and text.

    They are no effects in this history, but may be in another one; the arguments are those of :func:`effects_of`.
    """
    collector = _Collector(decisions, writes, wording)
    return {
        (name, item.text): IdleEffect(
            item.target, sum(collector.weights[run] for run in occurrence.runs), collector.calls
        )
        for item, occurrence in collector.idle().items()
    }


class _Collector:
    """Collects the effects of one function's accepted runs."""

    def __init__(self, decisions: FunctionDecisions, writes: FunctionWrites, wording: Wording) -> None:
        self._all_runs = decisions.runs
        self._runs = decisions.runs.runs
        self._arena: Arena = decisions.runs.arena
        self._wording = wording
        self._paths = [path for path in decisions.paths if any(self._runs[run].accepted for run in path.runs)]
        matched = Counter(decisions.runs.matched_run.tolist())
        self.weights = {number: 1 + matched[number] for number, run in enumerate(self._runs) if run.accepted}
        """How many calls each accepted run stands for."""
        self.calls = sum(self.weights.values())
        """Accepted calls that were followed."""
        self._writes = writes
        self._terms = writes.terms
        self._slot_places: dict[EffectName, SlotPlace] = {}
        self._condition_nodes: dict[str, int] = {}
        """By what they are called: the nodes of conditions."""

    def collect(self) -> dict[EffectName, _FoundEffect]:
        """Return the effects with the runs in which they happened."""
        changing = {name: item for name, item in self._all().items() if item.changed}
        return _bound_targets(_with_rounds(changing))

    def idle(self) -> dict[EffectName, _FoundEffect]:
        """Return what was done that made no difference in any run, with the runs in which it was done."""
        return {name: item for name, item in self._all().items() if not item.changed}

    def _all(self) -> dict[EffectName, _FoundEffect]:
        occurrences: dict[EffectName, _FoundEffect] = {}
        for number in self.weights:
            record = self._runs[number].record
            effects = [*self._writes_of(number), *self._others(self._runs[number])]
            many = max(len(record.calls), len(record.logs)) > MAX_OF_RUN
            if many or record.is_truncated or number in self._writes.runs_with_more:
                effects.append((EffectName(EffectKind.WRITTEN, "…", "more than is told", False), 0, True))
            for name, decided, changed in _rounds(effects):
                item = occurrences.setdefault(name, _FoundEffect())
                item.runs[number] = max(decided, item.runs.get(number, 0))
                item.changed |= changed
        return occurrences

    def _writes_of(self, run: int) -> Iterator[tuple[EffectName, int, bool]]:
        for slot in self._writes.list_slots(run):
            for name, changed in self._terms.name_write(slot):
                self._slot_places.setdefault(name, slot.slot_place)
                yield name, slot.decisions_before, changed

    def _others(self, run: CallRun) -> Iterator[tuple[EffectName, int, bool]]:
        record = run.record
        for call in record.calls[:MAX_OF_RUN]:
            if self._acts(record, call):
                if call.value or call.value_node:
                    yield self._terms.name_payment(call), call.decisions_before, bool(call.value)
                foreign = self._arena.foreign.call(call.number)
                if foreign is None or foreign.size or call.kind.creates:
                    yield self._terms.name_call(call), call.decisions_before, True
        for log in record.logs[:MAX_OF_RUN]:
            if not log.undone:
                yield self._terms.name_log(log, record.inputs), log.decisions_before, True

    def _acts(self, record: ShadowRecord, call: CallEffect) -> bool:
        """Return whether a call of another contract may have changed something there: it succeeded, and did not ask."""
        if call.undone or call.kind not in _ACTING or call.to == record.contract:
            return False
        if call.kind.creates:
            return record.inputs.get(self._arena.node("created", call.number), 1) != 0
        if call.to <= LAST_PRECOMPILED and not call.value:
            return False
        return record.inputs.get(self._arena.node("success", call.number), 1) != 0

    # -- conditions ---------------------------------------------------------------------------------

    def condition(self, name: EffectName, item: _FoundEffect) -> str:
        """Return when an effect happens; nothing if no decision tells."""
        happened: dict[int, int] = {}
        paths: list[Path] = []
        apart: dict[str, None] = {}
        for path in self._paths:
            runs = [run for run in path.runs if run in self.weights]
            having = [run for run in runs if run in item.runs]
            if len(having) < len(runs):
                texts = [self._apart(name, run) for run in runs if run not in item.runs]
                if having and not all(texts):
                    return ""
                if all(texts):
                    apart |= dict.fromkeys(text for text in texts if text)
                    if not having:
                        continue
            if having:
                happened[len(paths)] = max(item.runs[run] for run in having)
            paths.append(path)
        decided = ""
        if len(happened) < len(paths):
            counts = [self._count(path) for path in paths]
            conditions = conditions_of(self._arena, paths, happened, counts)
            if conditions is None:
                alike = [self._alike(path) for path in paths]
                conditions = conditions_of(self._arena, alike, happened, counts)
                versions = None if conditions is not None else with_versions(self._all_runs, alike)
                if versions is not None:
                    conditions = conditions_of(self._arena, versions, happened, counts)
            decided = "" if conditions is None else self._text(conditions)
            if not decided:
                return ""
        if decided and apart and " or " in decided:
            decided = f"({decided})"
        return " and ".join([*([decided] if decided else []), *apart])

    def _alike(self, path: Path) -> Path:
        """Return a path on which conditions that read the same are the same: keys of any length make other nodes."""
        steps = []
        for step in path.steps:
            node = step.condition.node
            phrase = self._wording.expressions.phrase(node) if node else None
            if phrase is not None and not phrase.cut:
                node = self._condition_nodes.setdefault(phrase.text, node)
            steps.append(step._replace(condition=PathCondition(node, step.condition.holds)))
        return replace(path, steps=tuple(steps))

    def _apart(self, name: EffectName, run: int) -> str | None:
        """Return what has to differ for an effect that a run lacks, because two of its places were the same one."""
        slot_place = self._slot_places.get(name)
        other = None if slot_place is None else self._writes.same_slot(slot_place, run)
        return None if slot_place is None or other is None else self._terms.apart(slot_place, other)

    def _count(self, path: Path) -> int:
        return sum(self.weights.get(run, 0) for run in path.runs)

    def _text(self, choices: Sequence[Conjunction]) -> str:
        parts = []
        for conditions in choices:
            relations = [self._wording.relation(condition) for condition in conditions]
            if any(relation is None or not relation.readable for relation in relations):
                return ""
            texts = [
                f"({relation.text})"
                if len(conditions) > 1 and _loose(relation.left.strength)
                else relation.text
                for relation in relations
                if relation is not None
            ]
            parts.append(" and ".join(dict.fromkeys(texts)))
        several = len(parts) > 1
        return " or ".join(
            f"({part})" if several and " and " in part else part for part in dict.fromkeys(parts)
        )


def _loose(strength: Strength) -> bool:
    return strength is Strength.OR


def _general(name: EffectName) -> EffectName:
    """Return an effect of one round of a loop as that of any."""
    index = "i" if not re.search(r"\bi\b", f"{name.target} {name.expression}") else "#"
    return name._replace(
        target=_INDEX.sub(f"[{index}]", name.target),
        expression=_INDEX.sub(f"[{index}]", name.expression),
        each=True,
    )


def _rounds(effects: Sequence[tuple[EffectName, int, bool]]) -> Iterator[tuple[EffectName, int, bool]]:
    """Yield the effects of one call, those that differ in the round of a loop alone as one."""
    forms: dict[EffectName, set[EffectName]] = {}
    for name, _, _ in effects:
        forms.setdefault(_general(name), set()).add(name)
    for name, decided, changed in effects:
        general = _general(name)
        yield (general if len(forms[general]) > 1 else name), decided, changed


def _with_rounds(occurrences: dict[EffectName, _FoundEffect]) -> dict[EffectName, _FoundEffect]:
    """Return effects with those of loops that had one round as those of several, where other calls had these."""
    merged: dict[EffectName, _FoundEffect] = {}
    for name, item in occurrences.items():
        general = _general(name)
        _merge(merged, general if general in occurrences else name, item)
    return merged


def _bound_targets(occurrences: dict[EffectName, _FoundEffect]) -> dict[EffectName, _FoundEffect]:
    """Return effects with those of targets that get many values as one each."""
    targets = Counter((name.kind, name.target) for name in occurrences)
    merged: dict[EffectName, _FoundEffect] = {}
    for name, item in occurrences.items():
        count = targets[name.kind, name.target]
        if count > MAX_VALUES:
            name = name._replace(expression=f"one of {count} expressions", readable=False, each=False)
        _merge(merged, name, item)
    return merged


def _merge(merged: dict[EffectName, _FoundEffect], name: EffectName, item: _FoundEffect) -> None:
    total = merged.setdefault(name, _FoundEffect())
    for run, decided in item.runs.items():
        total.runs[run] = max(decided, total.runs.get(run, 0))
    total.changed |= item.changed
