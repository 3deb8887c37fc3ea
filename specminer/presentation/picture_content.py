"""What is written where in a picture, as rows of text with a style; DOT and Mermaid draw the same rows.

Every text is safe for a terminal (:func:`specminer._support.errors.plain`) and cut to its place, and still to be
escaped for the format.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from specminer._support.identifiers import readable, words
from specminer._support.numbered_names import is_place
from specminer._support.text import count_of, join_words
from specminer.presentation.folding import FoldedBox, Folding, fold_states, folding
from specminer.presentation.label_markup import fill, phrase, shorten, thousands, wrap, wrap_parts
from specminer.presentation.line_selection import DrawnLines, Line, alarming_states, rejections, select
from specminer.presentation.overloads import short_overloads
from specminer.presentation.picture_options import ALL, PictureOptions
from specminer.presentation.theme import Tone
from specminer.presentation.usual_path import usual_path
from specminer.specification import (
    ConditionOrigin,
    Edge,
    Guard,
    GuardKind,
    Mode,
    Specification,
    State,
    Tier,
    TransitionKind,
)

_KEYS: Final = frozenset({"id", "ids", "index", "idx", "key", "number", "new"})
"""Words of a sort's name that say how an entity is named, not what it is."""
_ENTRY_PATTERN: Final = re.compile(r"\b([A-Za-z_]\w*\[(\w+)\](?:\.\w+)?)(?![\[.\w])")
"""An entry of a mapping, or a field of one, and its key."""
_ARGUMENT: Final = re.compile(r"arg\d+")
"""An argument whose name is not known."""
_PLACE_PATTERN: Final = re.compile(r"\b((?:mapping|array)\d+)\[(\w+)\]")
"""An entry of a mapping whose variable is not known, and its key."""
BY_HISTORY: Final = "states tell what was called before, as storage does not tell them apart"
"""What a picture says whose states rest on earlier calls."""
_MAX_GUARD: Final = 1_000
"""Characters of a guard that are looked at."""
_GUARD_LENGTH: Final = 160
"""Characters of a guard's conditions that a short picture tells."""
_CONDITION_LENGTH: Final = 100
"""Characters of one condition that is not cut: the others are rather told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRun:
    """A piece of text in one style."""

    text: str
    tone: Tone = Tone.INK
    bold: bool = False
    italic: bool = False
    size: int = 12


Row = tuple[TextRun, ...]


@dataclass(frozen=True, kw_only=True)
class Content:
    """The texts of one picture."""

    spec: Specification
    """The whole specification."""
    options: PictureOptions

    @cached_property
    def folding(self) -> Folding | None:
        """The boxes that stand for several states; ``None`` if each is drawn."""
        if not self.options.fold:
            return None
        return folding(self.spec, self.options.most_states, alarming_states(self.spec))

    @cached_property
    def drawn_specification(self) -> Specification:
        """What is drawn: the specification, with states folded if there are many."""
        return self.spec if self.folding is None else fold_states(self.spec, self.folding)

    @cached_property
    def selection(self) -> DrawnLines:
        """The lines that are drawn."""
        limited = self.options.fold and self.options.min_share is None
        return self._select(self.drawn_specification, self.options.most_lines if limited else None)

    def _select(self, spec: Specification, most: int | None) -> DrawnLines:
        options = self.options
        return select(spec, options.coverage, options.outflow, options.min_share, most)

    @cached_property
    def usual_states(self) -> tuple[int, ...]:
        """The states of the usual path, in its order."""
        return usual_path(self.drawn_specification, self.selection.lines)

    @cached_property
    def usual_lines(self) -> frozenset[tuple[int, int]]:
        """Source and target of the lines of the usual path."""
        return frozenset(zip(self.usual_states, self.usual_states[1:], strict=False))

    @property
    def told_guards(self) -> tuple[Guard, ...]:
        """The guards that rejections show: required ones and learned ones, as far as they explain something."""
        kinds = (GuardKind.REQUIRED, GuardKind.LEARNED)
        return tuple(guard for guard in self.spec.guards if guard.kind in kinds and guard.explained > 0)

    @property
    def direction(self) -> str:
        """``LR`` or ``TB``."""
        few = len(self.drawn_specification.states) <= self.options.left_to_right
        return self.options.direction or ("LR" if few else "TB")

    @cached_property
    def title(self) -> str:
        """What stands above the picture."""
        return shorten(self.spec.name if self.options.title is None else self.options.title, 60)

    def heading(self) -> list[Row]:
        """Return the rows above the picture: counts, guards, what is rejected at the start."""
        return [*self.counts(), *self.guards(), *self.rejected_at_start()]

    def counts(self) -> list[Row]:
        """Return how much there is, and what the states rest on if not on storage."""
        rows: list[Row] = [(TextRun(text=self._counts(), tone=Tone.SOFT),)]
        if any(item.tier is Tier.HISTORY for item in self.spec.abstraction.chosen):
            rows.append((TextRun(text=BY_HISTORY, tone=Tone.SOFT, italic=True),))
        return rows

    def rejected_at_start(self) -> list[Row]:
        """Return which calls were rejected before an interaction began."""
        refused = rejections(self.spec, self.spec.initial)
        if not refused:
            return []
        limit = self.options.limit(self.options.rejections)
        edges = refused[: limit + (len(refused) == limit + 1)]
        texts = [f"{shorten(self._speak(edge), 60)} {thousands(edge.count)}" for edge in edges]
        rest = len(refused) - len(edges)
        texts += [f"+{rest} rarer"] if rest else []
        text = "✗ rejected before the beginning: " + ", ".join(texts)
        return [(TextRun(text=row, tone=Tone.REJECTED),) for row in wrap_parts(text, 96, len(texts))]

    def state(self, state: State) -> list[Row]:
        """Return the rows of a state: name, what else holds, visits and ends, rejected calls."""
        options = self.options
        width = options.name_width
        name = phrase(state.name, 200 if options.full else 3 * width)
        rows: list[Row] = [(TextRun(text=line, bold=True, size=14),) for line in wrap_parts(name, width, 8)]
        facts = self._facts(state, name)
        limit = options.limit(options.predicates)
        limit += len(facts) == limit + 1
        rows += [
            (TextRun(text=line),)
            for fact in facts[:limit]
            for line in wrap(fact, width + 8, 8 if options.full else 1)
        ]
        if len(facts) > limit:
            rows.append((TextRun(text=f"+{len(facts) - limit} more", tone=Tone.SOFT, size=11),))
        ends = f" · {thousands(state.ends)} end here" if state.ends else ""
        rows.append((TextRun(text=count_of(state.visits, "visit") + ends, tone=Tone.SOFT, size=11),))
        refused = self._told_edges(rejections(self.drawn_specification, state.id))
        limit = options.limit(options.rejections)
        limit += len(refused) == limit + 1
        for edge in refused[:limit]:
            rows += self.event(edge)
        if len(refused) > limit:
            rest = thousands(sum(edge.count for edge in refused[limit:]))
            rows.append(
                (
                    TextRun(text="✗ ", tone=Tone.REJECTED),
                    TextRun(text=f"+{len(refused) - limit} rarer", italic=True, tone=Tone.REJECTED),
                    TextRun(text=f" {rest}", tone=Tone.REJECTED),
                )
            )
        return rows

    def line(self, line: Line) -> list[Row]:
        """Return the rows of a line: each event with its count, the rarest summed up."""
        edges = self._told_edges(line.edges)
        limit = self.options.limit(self.options.events)
        limit += len(edges) == limit + 1
        usual = (line.source, line.target) in self.usual_lines
        rows = [
            tuple(replace(run, bold=usual and run.tone is Tone.INK) for run in row)
            for edge in edges[:limit]
            for row in self.event(edge)
        ]
        rest = edges[limit:]
        if rest:
            count = thousands(sum(edge.count for edge in rest))
            rows.append(
                (TextRun(text=f"+{len(rest)} rarer", italic=True), TextRun(text=f" {count}", tone=Tone.COUNT))
            )
        return rows

    def folded_box(self, state: State) -> FoldedBox | None:
        """Return the box that is drawn as a state; ``None`` for a state that is one."""
        return None if self.folding is None else self.folding.box(state.id)

    def _told_edges(self, edges: tuple[Edge, ...]) -> tuple[Edge, ...]:
        return edges if self.folding is None else added_up(edges)

    def event(self, edge: Edge) -> list[Row]:
        """Return one event with its count: long names on several rows, the role in italics."""
        rejected = edge.outcome != "returned"
        passive = edge.kind is TransitionKind.PASSIVE
        tone = Tone.REJECTED if rejected else Tone.PASSIVE if passive else Tone.INK
        width, rows = self.options.event_width, 12 if self.options.full else 2
        head, role, tail = self._parts(edge)
        pieces = wrap(head, width, rows)
        built: list[list[TextRun]] = [[TextRun(text=piece, tone=tone)] for piece in pieces]
        length = len(pieces[-1])
        for text, italic in ((f"as {role}" if role else "", True), (tail, False)):
            for number, piece in enumerate(wrap(text, width, rows) if text else ()):
                if number == 0 and length + 1 + len(piece) <= width:
                    built[-1] += [TextRun(text=f" {piece}", tone=tone, italic=italic)]
                    length += 1 + len(piece)
                else:
                    built.append([TextRun(text=piece, tone=tone, italic=italic)])
                    length = len(piece)
        if rejected:
            built[0].insert(0, TextRun(text="✗ ", tone=tone))
        built[-1].append(TextRun(text=f" {thousands(edge.count)}", tone=tone if rejected else Tone.COUNT))
        return [*(tuple(row) for row in built), *self._needs(edge)]

    def _needs(self, edge: Edge) -> list[Row]:
        """Return what a transition asks for: in a short picture only what tells it from its siblings."""
        condition = edge.guard if edge.guard != "true" else None
        if not self.options.full:
            parts = edge.condition.parts if edge.condition is not None else ()
            condition = " and ".join(part.text for part in parts if part.learned is ConditionOrigin.TARGET)
        if not condition or edge.outcome != "returned":
            return []
        limit = ALL if self.options.full else 3 * self.options.event_width
        text = phrase(f"if {self._guard_text(edge.function, condition)}", limit)
        rows = wrap(text, self.options.event_width + 8, 12 if self.options.full else 2)
        return [(TextRun(text=row, tone=Tone.SOFT, size=10),) for row in rows]

    def _speak(self, edge: Edge) -> str:
        head, role, tail = self._parts(edge)
        return " ".join(part for part in (head, f"as {role}" if role else "", tail) if part)

    def _parts(self, edge: Edge) -> tuple[str, str, str]:
        """Return an event's name, its role, and the condition behind it, as far as they are told.

        A short picture leaves out the role of a function that has but one: it tells nothing apart.
        """
        limit = ALL if self.options.full else 3 * self.options.event_width
        mark = f" as {edge.role}"
        head, separator, tail = edge.event.partition(mark) if edge.role is not None else (edge.event, "", "")
        if not separator or not head:
            return phrase(self._short_name(edge.event, edge.function), limit), "", ""
        head = self._short_name(head, edge.function)
        shows_role = self.options.full or len(self._roles.get(edge.function, ())) > 1
        return (
            shorten(head, limit),
            shorten(self._role(edge.role or ""), limit) if shows_role else "",
            phrase(tail.strip(), limit) if tail.strip() else "",
        )

    def _short_name(self, text: str, function: str) -> str:
        """Return an event with the short name of its function, unless everything is told."""
        short = None if self.options.full else self._overloads.get(function)
        return text if short is None else text.replace(function, short, 1)

    @cached_property
    def _overloads(self) -> Mapping[str, str]:
        """Short names of overloaded functions."""
        functions = [edge.function for edge in self.spec.transitions]
        return short_overloads([*functions, *(guard.scope for guard in self.spec.guards)])

    def _role(self, role: str) -> str:
        """Return a role; in a short picture without the underscores that set arguments apart from variables."""
        return role if self.options.full else role.strip("_") or role

    @cached_property
    def _roles(self) -> dict[str, set[str | None]]:
        roles: dict[str, set[str | None]] = {}
        for edge in self.spec.transitions:
            if edge.kind is not TransitionKind.PASSIVE:
                roles.setdefault(edge.function, set()).add(edge.role)
        return roles

    def _facts(self, state: State, name: str) -> list[str]:
        """Return what holds in a state besides what its name says."""
        box = self.folded_box(state)
        if box is not None:
            limit = ALL if self.options.full else self.options.name_width + 8
            texts = [box.apart(inner) for inner in box.states]
            return [phrase(f"or {text}" if index else text, limit) for index, text in enumerate(texts)]
        raw = state.phrases or state.predicates
        name_parts = {name, *name.split(", ")}
        limit = ALL if self.options.full else self.options.name_width + 8
        subjects = {part.split(" = ")[0] for part in name_parts if " = " in part}
        rest: dict[str, list[str]] = {}
        for text in (phrase(text, 4 * limit) for text in raw):
            subject, unequal, value = text.partition(" ≠ ")
            if text in name_parts or (state.phrases and _subject(text) in subjects):
                continue
            rest.setdefault(subject if unequal else text, []).extend([value] if unequal else [])
        facts = [text if not values else _unequal(text, values) for text, values in rest.items()]
        return [shorten(fact, limit) for fact in facts]

    def _counts(self) -> str:
        spec = self.spec
        calls = [edge for edge in spec.transitions if edge.kind is TransitionKind.CALL]
        rejected = sum(edge.count for edge in calls if edge.outcome != "returned")
        # in a projection one call stands in the slice of every entity that it names
        noun = "event" if spec.interactions.mode is Mode.PROJECTION else "call"
        interactions = spec.interactions.count
        parts = [] if interactions is None else [self._histories(interactions)]
        stuck = sum(state.ends for state in spec.states if state.id == spec.initial)
        if parts and stuck:
            parts[0] += f" ({thousands(stuck)} never began)"
        parts.append(count_of(sum(edge.count for edge in calls), noun))
        parts.append(f"{thousands(rejected)} rejected")
        hidden = self.selection.hidden_transitions
        if hidden:
            events = count_of(self.selection.hidden_events, "event")
            parts[-1] += f"; {count_of(hidden, 'rare transition')} ({events}) hidden"
        if self.folding is not None:
            boxes = len(self.folding.boxes)
            parts[-1] += (
                f"; {len(self.folding.box_ids)} of {len(self.spec.states)} states folded into "
                f"{count_of(boxes, 'box', 'boxes')}"
            )
        return ", ".join(parts)

    def _histories(self, count: int) -> str:
        """Return how many interactions there are, and of what."""
        mode, sort = self.spec.interactions.mode, self.spec.interactions.sort
        if mode is Mode.INSTANCE:
            return count_of(count, "contract")
        if mode is Mode.SENDER:
            return count_of(count, "account")
        name = "" if sort is None else sort.name
        noun = " ".join(word for word in words(name[:80]) if word not in _KEYS)
        if not noun or _ARGUMENT.fullmatch(name):
            return count_of(count, "interaction")
        return count_of(count, f"{shorten(noun, 30)} history", f"{shorten(noun, 30)} histories")

    def _guard_text(self, function: str, guard: str) -> str:
        """Return a guard with its variables as people say them; the interaction's own key goes without saying.

        A name that would stand for two variables stays as it is.
        """
        sort = self.spec.interactions.sort
        alone = len(self._roles.get(function, ())) < 2  # else the key tells which entity is meant
        own = sort.arguments if sort is not None and alone else ()
        noun = set() if sort is None else set(words(sort.name[:80])) - _KEYS
        guard = _PLACE_PATTERN.sub(
            lambda match: match[1] if match[2] in own else match[0], guard[:_MAX_GUARD]
        )
        readable_names: dict[str, str] = {}
        for variable, key in _ENTRY_PATTERN.findall(guard[:_MAX_GUARD]):
            readable_names[variable] = readable(variable, noun) + (
                "" if key in own or is_place(variable) else f" of {key.strip('_') or key}"
            )
        counts = Counter(readable_names.values())
        return _ENTRY_PATTERN.sub(
            lambda match: readable_names[match[0]] if counts[readable_names[match[0]]] == 1 else match[0],
            guard[:_MAX_GUARD],
        )

    def guards(self) -> list[Row]:
        """Return the guards that explain most rejections, as rows of sentences."""
        ranked = sorted(self.told_guards, key=lambda guard: (-guard.explained, guard.scope, guard.text))
        limit = self.options.limit(self.options.guards)
        limit += limit > 0 and len(ranked) == limit + 1
        rows: list[Row] = []
        for guard in ranked[:limit]:
            rows += self._guard(guard)
        if len(ranked) > limit > 0:
            rows.append(
                (TextRun(text=f"+{count_of(len(ranked) - limit, 'more guard')}", tone=Tone.REJECTED),)
            )
        return rows

    def _guard(self, guard: Guard) -> list[Row]:
        """Return the rows of a guard: the function, what it needs, how many rejections that explains."""
        scope = shorten(self._short_name(guard.scope, guard.scope), 2 * self.options.event_width)
        support = (
            f"({guard.kind.value}; explains {thousands(guard.explained)} of "
            f"{count_of(guard.rejected, 'rejection')})"
        )
        texts = fill(f"{scope} needs {self._conditions(guard)} {support}", 96, 12 if self.options.full else 3)
        first = TextRun(text=scope, tone=Tone.REJECTED, bold=True)
        rows: list[Row] = [(TextRun(text=text, tone=Tone.REJECTED),) for text in texts]
        begin = texts[0].removeprefix(scope)
        return [(first, TextRun(text=begin, tone=Tone.REJECTED)), *rows[1:]] if begin != texts[0] else rows

    def _conditions(self, guard: Guard) -> str:
        """Return what a guard demands; a short picture leaves out, and counts, the conditions that are too long."""
        parts = [self._guard_text(guard.scope, item.text) for item in guard.conditions]
        texts = [phrase(f"({part})" if " or " in part and len(parts) > 1 else part, 400) for part in parts]
        if self.options.full or not texts:
            return phrase(self._guard_text(guard.scope, guard.text), 400)
        room, conditions = _GUARD_LENGTH, list[str]()
        for text in texts:
            if len(text) <= min(room, _CONDITION_LENGTH):
                conditions.append(text)
                room -= len(text)
        if not conditions:
            conditions.append(shorten(texts[0], _GUARD_LENGTH))
        rest = len(texts) - len(conditions)
        return " and ".join(conditions) + (f" and {count_of(rest, 'more condition')}" if rest else "")


def added_up(edges: Sequence[Edge]) -> tuple[Edge, ...]:
    """Return what a picture tells of some transitions: those of one event are one, the most frequent first.

    Only a folded picture has several of one event on a line.
    """
    counts: dict[tuple[str, str, TransitionKind, str | None], Edge] = {}
    for edge in edges:
        key = (edge.event, edge.outcome, edge.kind, edge.role)
        previous = counts.get(key)
        counts[key] = edge if previous is None else replace(previous, count=previous.count + edge.count)
    return tuple(sorted(counts.values(), key=lambda edge: -edge.count))


def _subject(text: str) -> str:
    """Return of what a text says that it is not, or more than, something; nothing for other texts."""
    return next((text.split(sign)[0] for sign in (" ≠ ", " > ") if sign in text), "")


def _unequal(subject: str, values: Sequence[str]) -> str:
    return f"{subject} ≠ {values[0]}" if len(values) == 1 else f"{subject} not {join_words(values, 'or')}"
