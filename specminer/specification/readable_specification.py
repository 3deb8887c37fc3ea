"""The specification as a reader sees it: the same document, with units and names in its texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final, TypeVar

from specminer._support.document_texts import map_texts
from specminer._support.numbered_names import numbered_names, spell_numbered_names, structs_of
from specminer.specification import (
    Alternative,
    Edge,
    Effect,
    EffectKind,
    FrontPoint,
    Guard,
    GuardCondition,
    InvariantEntry,
    LastingValue,
    RejectionCause,
    RejectionReason,
    SecondView,
    Specification,
    State,
    TransitionCondition,
    TransitionGuard,
    TransitionKind,
)
from specminer.specification.address_names import AddressNames
from specminer.specification.measure import WEI, group_digits, spell_text
from specminer.specification.quantity_parsing import Name
from specminer.specification.quantity_rewriting import Rewriter
from specminer.specification.unit_inference import Scope, scope_of, scopes_of, units_of

_LARGE: Final = re.compile(r"(?<![\w.,])\d{4,}(?![\w.,]*\w)")
"""A number that stands alone, so large that no two things are meant by it."""

_PLAIN_KEYS: Final = re.compile(r"[^\[\]]*(?:\[[A-Za-z]\w{0,19}\][^\[\]]*)+")
"""A name all keys of which are short words."""
_EXACT: Final = frozenset(
    {
        "abstraction", "address_names", "event", "function", "functions", "names", "required", "scope", "script",
        "smt", "sort", "symbols",
    }
)  # fmt: skip
"""Fields that hold names of functions, or are read by programs only."""

_Picture = TypeVar("_Picture", Specification, SecondView, Alternative)


def for_readers(spec: Specification) -> Specification:
    """Return a copy whose texts tell numbers with their units and addresses by their names.

    Terms, counts and evidence are the same.
    """
    with_units = _Reading(spec, Rewriter(units_of(spec))).specification()
    structs = structs_of(_raw_texts(spec))
    with_words = map_texts(with_units, lambda text: spell_numbered_names(text, structs), _EXACT)
    readable: Specification = AddressNames.of(spec).spell_texts(with_words)
    return readable


def _raw_texts(spec: Specification) -> Iterator[str]:
    """Yield texts that together have all variables that a reader meets."""
    for guard in spec.guards:
        yield guard.text
        yield from guard.names.values()
    yield from (effect.target for effect in spec.effects)
    yield from (text for state in spec.states for text in state.predicates)
    yield from (item.text for item in spec.invariants)


class _Reading:
    """Writes one specification for readers."""

    def __init__(self, spec: Specification, rewriter: Rewriter) -> None:
        self._spec = spec
        self._rewriter = rewriter
        self._scopes = scopes_of(spec)

    def specification(self) -> Specification:
        """Return the copy."""
        spec = self._spec
        names = self._state_numbers(spec.states)
        return replace(
            self._automaton(spec, names),
            history=replace(
                spec.history,
                lasting=spec.history.lasting and tuple(map(self._lasting, spec.history.lasting)),
            ),
            guards=tuple(map(self._guard, spec.guards)),
            effects=tuple(map(self._effect, spec.effects)),
            invariants=tuple(self._invariant(item, names) for item in spec.invariants),
            front=tuple(self._point(point) for point in spec.front),
            second_view=spec.second_view and self._automaton(spec.second_view),
        )

    def _lasting(self, item: LastingValue) -> LastingValue:
        value = spell_text(item.value, self._rewriter.units.of_name(item.variable, Scope()))
        return replace(item, value=value or group_digits(item.value))

    def _point(self, point: FrontPoint) -> FrontPoint:
        other = point.automaton
        predicates = tuple(self._text(text, Scope()) for text in point.predicates)
        return replace(point, predicates=predicates, automaton=other and self._automaton(other))

    def _automaton(self, drawn: _Picture, names: Mapping[str, str] | None = None) -> _Picture:
        """Return an automaton of the document as readers see it; ``names`` are its :meth:`_state_numbers`, if known."""
        names = self._state_numbers(drawn.states) if names is None else names
        return replace(
            drawn,
            states=tuple(self._state(state, names) for state in drawn.states),
            transitions=tuple(map(self._edge, drawn.transitions)),
        )

    def _text(self, text: str, scope: Scope) -> str:
        return self._rewriter.condition(text, scope)

    # -- states -------------------------------------------------------------------------------------

    def _state_numbers(self, states: Iterable[State]) -> Mapping[str, str]:
        """Return how numbers in the names of states are written: those that mean one thing in all predicates."""
        spellings: dict[str, set[str]] = {}
        for text in dict.fromkeys(text for state in states for text in state.predicates):
            readable = self._text(text, Scope())
            for before, after in _numbers(text, readable):
                spellings.setdefault(before, set()).add(after)
        return {before: next(iter(after)) for before, after in spellings.items() if len(after) == 1}

    def _state(self, state: State, numbers: Mapping[str, str]) -> State:
        return replace(
            state,
            name=_with_numbers(state.name, numbers),
            phrases=tuple(_with_numbers(text, numbers) for text in state.phrases),
            predicates=tuple(self._text(text, Scope()) for text in state.predicates),
        )

    # -- guards -------------------------------------------------------------------------------------

    def _edge(self, edge: Edge) -> Edge:
        scope = self._scopes.get(edge.function, Scope(edge.function))
        return replace(
            edge,
            event=spell_numbered_names(edge.event) if edge.kind is TransitionKind.TIME else edge.event,
            guard=None if edge.guard is None else self._text(edge.guard, scope),
            condition=None if edge.condition is None else self._transition_guard(edge.condition, scope),
        )

    def _transition_guard(self, guard: TransitionGuard, scope: Scope) -> TransitionGuard:
        return replace(
            guard,
            text=self._text(guard.text, scope),
            whole=self._text(guard.whole, scope),
            parts=tuple(self._transition_condition(part, scope) for part in guard.parts),
            not_kept=tuple(self._text(text, scope) for text in guard.not_kept),
        )

    def _transition_condition(self, part: TransitionCondition, scope: Scope) -> TransitionCondition:
        return replace(
            part,
            text=self._text(part.text, scope),
            here=None if part.here is None else self._text(part.here, scope),
            follows_from=None if part.follows_from is None else self._text(part.follows_from, scope),
        )

    def _guard(self, guard: Guard) -> Guard:
        scope = scope_of(guard)
        conditions = tuple(self._condition(item, scope) for item in guard.conditions)
        return replace(
            guard,
            text=_with_keys(self._text(guard.text, scope), guard.names),
            conditions=tuple(replace(item, text=_with_keys(item.text, guard.names)) for item in conditions),
            reasons=tuple(self._reason(item, scope) for item in guard.reasons),
            held_out=guard.held_out and replace(guard.held_out, text=self._text(guard.held_out.text, scope)),
        )

    def _condition(self, item: GuardCondition, scope: Scope) -> GuardCondition:
        path, version = item.path, item.version
        return replace(
            item,
            text=self._text(item.text, scope),
            path=path
            and replace(path, premise=self._text(path.premise, scope), demand=self._text(path.demand, scope)),
            version=version and replace(version, demand=self._text(version.demand, scope)),
        )

    def _reason(self, item: RejectionReason, scope: Scope) -> RejectionReason:
        return replace(item, causes=tuple(self._cause(cause, scope) for cause in item.causes))

    def _cause(self, cause: RejectionCause, scope: Scope) -> RejectionCause:
        return replace(
            cause,
            condition=self._text(cause.condition, scope),
            witnesses=tuple(replace(item, text=self._text(item.text, scope)) for item in cause.witnesses),
        )

    # -- effects and invariants ---------------------------------------------------------------------

    def _effect(self, effect: Effect) -> Effect:
        scope = Scope(effect.function)
        condition = self._text(effect.condition, scope)
        if effect.kind is EffectKind.WRITTEN:
            measure = self._rewriter.units.of(Name(effect.target), scope)
            value = self._rewriter.value(effect.expression, measure, scope)
            return replace(effect, text=self._text(effect.text, scope), expression=value, condition=condition)
        if effect.kind is EffectKind.PAID and effect.expression:
            amount = effect.expression.removesuffix(" wei")
            value = self._rewriter.value(amount, WEI, scope)
            text = effect.text.replace(f"{amount} wei", value, 1).replace(amount, value, 1)
            return replace(effect, text=text, expression=value, condition=condition)
        return replace(
            effect,
            text=self._text(effect.text, scope),
            expression=self._text(effect.expression, scope),
            condition=condition,
        )

    def _invariant(self, item: InvariantEntry, numbers: Mapping[str, str]) -> InvariantEntry:
        text = _with_numbers(item.text, numbers) if item.scope.state is not None else item.text
        return replace(item, text=self._text(text, Scope(item.scope.function or "")))


def _numbers(text: str, readable: str) -> Iterator[tuple[str, str]]:
    """Yield the large numbers of a predicate and how they are shown, and of bounds the next number as well."""
    large = _LARGE.findall(text)
    if len(large) != 1:
        yield from ((number, number) for number in large)
        return
    before, after = text.split(large[0], 1)
    if readable.startswith(before) and readable.endswith(after):
        yield large[0], readable[len(before) : len(readable) - len(after)]


def _with_keys(text: str, names: Mapping[str, str]) -> str:
    """Return a condition in which storage without a known variable has its keys, where they are plain words."""
    pieces, end = list[str](), 0
    for name in numbered_names(text):
        closing = name.end + (text[name.start] == "`")
        whole = names.get(text[name.start : closing], "")
        if _PLAIN_KEYS.fullmatch(whole):
            pieces += [text[end : name.start], whole]
            end = closing
    return "".join([*pieces, text[end:]])


def _with_numbers(text: str, numbers: Mapping[str, str]) -> str:
    return _LARGE.sub(lambda match: numbers.get(match[0], match[0]), text)


__all__ = ["for_readers"]
