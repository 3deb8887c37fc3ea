"""Names for states: the fewest predicates that tell each one from the others, as people would say them.

A predicate is phrased by the type of what it speaks of: an account is there or not, a time is set or not, an
amount is zero or more. Of a variable's name the words are kept that say something to a reader of the state:
``tokenIndexToOwner[]`` is the owner, ``isForSale`` is "for sale", and the entity's own noun is dropped.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from specminer._support.identifiers import KEY_WORDS, readable, words
from specminer._support.numbered_names import is_place, numbered_names, spell_numbered_names, structs_of
from specminer._support.text import UniqueNames, join_words
from specminer.learning.event_table import Dimension
from specminer.learning.nested_entries import ANY
from specminer.learning.vocabulary import FALSE, TRUE, UNKNOWN, Predicate, TruthColumn
from specminer.predicate import Formula, FormulaSort, Language

START: Final = "start"
"""The root, where no value is known."""
ONLY: Final = "started"
"""The other state where there are but two and nothing needs telling apart."""
OPEN: Final = 3
"""In a valuation: the state has finest states in which the predicate is true and others in which it is not."""
MAX_FUNCTION: Final = 80
"""So many letters of a function's name are looked at."""
MAX_LISTED: Final = 3
"""At most so many values of a variable are told one by one."""

_STRUCT: Final = re.compile(r"(\w+)\[[^\]]*\]\.")
"""What holds the fields of an entity is called after it: ``horses[·].price``."""
_SEEN_PATTERN: Final = re.compile(r"seen\((.*)\)", re.DOTALL)
_CHANGED: Final = re.compile(r"changed\((.*)\)", re.DOTALL)
_RELATIONS: Final = frozenset({"by", "for", "from", "of", "to", "with"})
"""Names of accounts that end so want somebody behind them: reserved for."""
_REACHED: Final = " reached"
"""How names of deadlines end: the opposite is that one is not reached."""


def literal(predicate: Predicate, value: int) -> str:
    """Return what holds of a predicate in a state: its text, the opposite, or that it is unknown."""
    return predicate.text if value == TRUE else predicate.negation if value == FALSE else predicate.unknown


class Phrases:
    """How predicates over one table are said."""

    def __init__(
        self,
        language: Language,
        dimensions: Mapping[str, Dimension],
        noun: str = "",
        called: Mapping[Formula, str] | None = None,
        functions: Iterable[str] = (),
    ) -> None:
        self._language = language
        self._dimensions = dimensions
        self._noun = {word for word in words(noun) if word not in KEY_WORDS}
        for name in dimensions:
            holder = _STRUCT.match(name)
            if holder is not None:
                holder_words = words(holder[1])
                self._noun.update(holder_words if len(holder_words) == 1 else ())
                self._noun.update(
                    word[:-1] for word in holder_words if len(holder_words) == 1 and word.endswith("s")
                )
        self._predicate_names = called or {}
        self._spellings = _spelled_out(functions)
        self._structs = structs_of(dimensions)
        names = Counter(self._readable(name, self._noun) for name in dimensions)
        self._ambiguous_names = {name for name, count in names.items() if count > 1}
        """Names that would stand for several variables."""

    def _readable(self, raw: str, noun: set[str]) -> str:
        """Return a variable's name in words; of one that is known by its place alone, the place."""
        if is_place(raw):
            return spell_numbered_names(raw, self._structs)
        return readable(raw, noun, self._spellings)

    def of(self, predicate: Predicate, value: int) -> str:
        """Return a predicate as it holds in a state, as people would say it."""
        formula = predicate.formula
        opposite = self._language.negation(formula)
        phrase = (
            self._predicate_names.get(formula if value == TRUE else opposite)
            if value in (TRUE, FALSE)
            else None
        )
        if phrase is not None:
            return phrase
        if value not in (TRUE, FALSE):
            subjects = [self._name(symbol) for symbol in self._language.symbols(formula)]
            return f"{' and '.join(subjects)} unknown"
        return self._say(formula, value == TRUE) or literal(predicate, value)

    def has_name(self, predicate: Predicate) -> bool:
        """Whether the definition has a name for what holds where it is true."""
        return predicate.formula in self._predicate_names

    def _say(self, formula: Formula, holds: bool) -> str | None:
        if formula.is_symbol():
            return self._flag(formula, holds)
        if formula.is_equals():
            return self._equal(formula.arg(0), formula.arg(1), holds)
        if formula.is_lt():
            return self._less(formula.arg(0), formula.arg(1), holds)
        if formula.is_or() and holds:
            return self._either([self._say(part, holds=True) for part in formula.args()])
        return None

    @staticmethod
    def _either(phrases: Sequence[str | None]) -> str | None:
        """Join phrases by "or"; the words with which all begin are said once."""
        split_phrases = [phrase.split(" ") for phrase in phrases if phrase is not None]
        if len(split_phrases) < len(phrases):
            return None
        common = 0
        while all(
            len(parts) > common + 1 and parts[common] == split_phrases[0][common] for parts in split_phrases
        ):
            common += 1
        ends = [" ".join(parts[common:]) for parts in split_phrases]
        return " ".join([*split_phrases[0][:common], f"{', '.join(ends[:-1])} or {ends[-1]}"])

    def _flag(self, symbol: Formula, holds: bool) -> str | None:
        if self._language.declaration(symbol).history:
            event_match = _SEEN_PATTERN.fullmatch(self._language.declaration(symbol).name)
            changed = _CHANGED.fullmatch(self._language.declaration(symbol).name)
            if changed is not None:
                name = self._readable(changed[1], self._noun)
                return f"{name} {'just' if holds else 'not just'} changed"
            return None if event_match is None else f"{'after' if holds else 'before any'} {event_match[1]}"
        name = self._name(symbol)
        if self._language.declaration(symbol).name.endswith(f"[{ANY}]"):
            return f"{'has' if holds else 'no'} {name}"
        if self._is_place(name) and not name.endswith(_REACHED):
            return f"{name} {'set' if holds else 'not set'}"
        if name.startswith("not "):
            return name if holds else name.removeprefix("not ")
        if name.endswith(_REACHED):
            return name if holds else f"{name.removesuffix(_REACHED)} not{_REACHED}"
        return name if holds else f"not {name}"

    def _equal(self, left: Formula, right: Formula, holds: bool) -> str | None:
        declaration = self._language.declaration(left)
        if declaration.history:
            member = right.constant_value() if right.is_constant() else -1
            has_member = declaration.name == "last" and 0 <= member < len(declaration.members)
            return f"{'just' if holds else 'not just'} {declaration.members[member]}" if has_member else None
        name = self._name(left)
        dimension = self._dimension(left)
        if right.is_symbol():
            other = self._language.declaration(right)
            if other.name == "this":
                if name == "owner":
                    return "owned by the contract" if holds else "owned by a user"
                return f"{name} is the contract" if holds else f"{name} is not the contract"
            sign = "is" if dimension is Dimension.ACCOUNT else "="
            unlike = "is not" if dimension is Dimension.ACCOUNT else "≠"
            return f"{name} {sign if holds else unlike} {self._name(right)}"
        value = int(right.constant_value())
        if declaration.members and 0 <= value < len(declaration.members):
            member = " ".join(words(declaration.members[value])) or declaration.members[value]
            return f"{name} {member}" if holds else f"{name} not {member}"
        if value == 0:
            return self._zero(left, name, dimension, holds)
        return f"{name} {'=' if holds else '≠'} {declaration.spell(value)}"

    def _zero(self, symbol: Formula, name: str, dimension: Dimension, holds: bool) -> str:
        sort = self._language.declaration(symbol).sort
        if dimension is Dimension.ACCOUNT and self._is_place(name):
            return f"{'no' if holds else 'an'} account in {name}"
        if dimension is Dimension.ACCOUNT:
            last = name.rsplit(" ", 1)[-1]
            if last in _RELATIONS:
                return f"{name} {'nobody' if holds else 'somebody'}"
            if last.endswith("ed"):
                return f"{'nobody' if holds else 'somebody'} {name}"
            return f"no {name}" if holds else f"has {name}"
        if dimension in (Dimension.TIME, Dimension.BLOCK) or sort in (FormulaSort.BYTES, FormulaSort.TEXT):
            return f"{name} not set" if holds else f"{name} set"
        return f"{name} = 0" if holds else f"{name} {'≠' if sort is FormulaSort.SIGNED else '>'} 0"

    def among(self, predicate: Predicate, values: Sequence[int]) -> str:
        """Return that the variable which a predicate compares with a value has one of some values."""
        left = predicate.formula.arg(0)
        if len(values) == 1:
            value = self._language.equal(left, self._language.number(values[0]))
            return (
                self._predicate_names.get(value)
                or self._say(value, True)
                or f"{self._name(left)} = {values[0]}"
            )
        equal = [self._language.equal(left, self._language.number(value)) for value in values]
        called = self._predicate_names.get(self._language.disjunction(*equal))
        if called is not None:
            return called
        declaration = self._language.declaration(left)
        texts = [declaration.spell(value) for value in values]
        if declaration.history:
            return f"just {join_words(texts, 'or')}"
        if declaration.members:
            return f"{self._name(left)} {join_words([' '.join(words(text)) or text for text in texts], 'or')}"
        return f"{self._name(left)} = {join_words(texts, 'or')}"

    def _less(self, left: Formula, right: Formula, holds: bool) -> str | None:
        if left.is_symbol() and right.is_int_constant():
            return self._below(left, int(right.constant_value()), holds)
        if left.is_int_constant() and right.is_symbol():  # more than a number: not less than the next one
            return self._below(right, int(left.constant_value()) + 1, not holds)
        if not (left.is_symbol() and right.is_symbol()):
            return None
        first, second = (self._language.declaration(term) for term in (left, right))
        if first.context and first.name in ("now", "block"):
            return f"{'before' if holds else 'after'} {self._name(right)}"
        if first.history or second.history:
            return None
        return f"{self._name(left)} {'<' if holds else '≥'} {self._name(right)}"

    def _below(self, symbol: Formula, limit: int, holds: bool) -> str | None:
        """Return that a variable is below a number, or is not."""
        if self._language.declaration(symbol).history or self._language.declaration(symbol).context:
            return None
        return f"{self._name(symbol)} {'<' if holds else '≥'} {limit}"

    @staticmethod
    def _is_place(name: str) -> bool:
        """Whether a name tells the place of a variable in storage, because nothing else is known of it."""
        return any(True for _ in numbered_names(name))

    def _dimension(self, symbol: Formula) -> Dimension:
        declaration = self._language.declaration(symbol)
        if declaration.sort is FormulaSort.ADDRESS:
            return Dimension.ACCOUNT
        return self._dimensions.get(declaration.name, Dimension.NONE)

    def _name(self, symbol: Formula) -> str:
        raw = self._language.declaration(symbol).name
        name = self._readable(raw, self._noun)
        if name in self._ambiguous_names:
            name = self._readable(raw, set())
            holder = _STRUCT.match(raw)
            name = f"{_singular(' '.join(words(holder[1])))} {name}" if holder is not None else name
        dimension = self._dimension(symbol)
        first, _, last = name.rpartition(" ")
        if first and last == "at" and dimension in (Dimension.TIME, Dimension.BLOCK):
            return f"{first} {dimension.value}"
        return _singular(name) if dimension is Dimension.ACCOUNT and raw.endswith("]") else name


def _singular(name: str) -> str:
    return name[:-1] if name.endswith("s") and not name.endswith("ss") else name


def _spelled_out(functions: Iterable[str]) -> Mapping[str, str]:
    """Return what abbreviations stand for: the words of a function's name of which they are the first letters.

    ``horseForSale`` tells that ``FS`` is for sale. What several texts would fit is left as it is.
    """
    readings: dict[str, set[str]] = {}
    for function in functions:
        name_words = words(function[:MAX_FUNCTION])
        for first in range(len(name_words)):
            for last in range(first + 2, min(first + 4, len(name_words)) + 1):
                part = name_words[first:last]
                readings.setdefault("".join(word[0] for word in part), set()).add(" ".join(part))
    return {short: next(iter(texts)) for short, texts in readings.items() if len(texts) == 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class StateLabel:
    """One thing that is said of states: what a predicate, or all that compare one variable with values, tell."""

    rows: tuple[int, ...]
    """Positions among the chosen predicates."""
    phrases: tuple[str | None, ...]
    """What is said of each state; ``None`` where nothing is known, and of the root."""
    distinguishes: npt.NDArray[np.bool_]
    """Whether it tells two states apart; shape (states, states)."""
    positive: tuple[bool, ...]
    """Of each state whether something is, rather than is not."""
    denies_several: tuple[bool, ...]
    """Of each state whether several values are denied of it, one of which may be enough to tell it."""


def sayings(
    predicates: Sequence[Predicate],
    valuations: TruthColumn,
    phrases: Phrases,
    seen_values: Mapping[str, Sequence[frozenset[int] | None]],
) -> tuple[StateLabel, ...]:
    """Return what is said of states, in the order of the predicates.

    Of a variable that is compared with several values the values are told that were seen: ``stage = 4 or 5`` says
    more than that it is not 1, 2 or 3.

    Args:
        predicates: the chosen ones.
        valuations: their value in each state, or ``OPEN``; shape (len(predicates), states).
        phrases: how a literal is said.
        seen_values: for variables, by name, the values seen in each state; ``None`` where they are not all known.

    """
    by_subject: dict[str, list[int]] = {}
    row_groups: list[tuple[int, ...]] = []
    for row, predicate in enumerate(predicates):
        if predicate.subject is None or predicate.subject not in seen_values:
            row_groups.append((row,))
        elif predicate.subject not in by_subject:
            by_subject[predicate.subject] = [row]
            row_groups.append((row,))
        else:
            by_subject[predicate.subject].append(row)
    result = []
    for rows in row_groups:
        subject = predicates[rows[0]].subject
        if subject is not None and subject in by_subject:
            rows = tuple(by_subject[subject])
            values: Sequence[frozenset[int] | None] = seen_values[subject]
        else:
            values = [None] * valuations.shape[1]
        result.append(
            _saying(rows, [predicates[row] for row in rows], valuations[list(rows)], phrases, values)
        )
    return tuple(result)


def _saying(
    rows: tuple[int, ...],
    predicates: Sequence[Predicate],
    valuations: TruthColumn,
    phrases: Phrases,
    values: Sequence[frozenset[int] | None],
) -> StateLabel:
    states = valuations.shape[1]
    differs = np.zeros((states, states), dtype=np.bool_)
    for row in valuations:
        is_decided = row != OPEN
        differs |= (row[:, None] != row[None, :]) & is_decided[:, None] & is_decided[None, :]
    for one in range(1, states):
        for other in range(1, one):
            first, second = values[one], values[other]
            if first is not None and second is not None and first.isdisjoint(second):
                differs[one, other] = differs[other, one] = True
    inner = [state_values for state_values in values[1:] if state_values is not None]
    everything = frozenset().union(*inner) if len(inner) == states - 1 else None
    texts: list[tuple[str | None, bool]] = [(None, False)]  # nothing is said of the root
    texts += (
        _say_state(predicates, valuations[:, state], phrases, values[state], everything)
        for state in range(1, states)
    )
    return StateLabel(
        rows=rows,
        phrases=tuple(text for text, _ in texts),
        denies_several=tuple(several for _, several in texts),
        distinguishes=differs,
        positive=tuple(
            bool((valuations[:, state] == TRUE).any()) or len(values[state] or (0, 0)) == 1
            for state in range(states)
        ),
    )


def _say_state(
    predicates: Sequence[Predicate],
    values: TruthColumn,
    phrases: Phrases,
    state_values: frozenset[int] | None,
    everything: frozenset[int] | None,
) -> tuple[str | None, bool]:
    """Return what is said of one state, and whether several literals are denied.

    ``state_values`` are the values there, ``everything`` those in all states.
    """
    literals = [
        (predicate, int(value)) for predicate, value in zip(predicates, values, strict=True) if value != OPEN
    ]
    true = [predicate for predicate, value in literals if value == TRUE]
    if true:
        return phrases.of(true[0], TRUE), False
    if not literals:
        return (
            None
            if state_values is None or state_values == everything
            else phrases.among(predicates[0], sorted(state_values))
        ), False
    if any(value == UNKNOWN for _, value in literals):
        return phrases.of(literals[0][0], UNKNOWN), False
    has_few_values = len(predicates) > 1 and state_values is not None and len(state_values) <= MAX_LISTED
    if state_values is not None and (has_few_values or len(state_values) == 1):
        return phrases.among(literals[0][0], sorted(state_values)), False
    denials = [phrases.of(predicate, FALSE) for predicate, _ in literals]
    subject, sign, _ = denials[0].partition(" ≠ ")
    if len(denials) > 1 and sign and all(text.startswith(subject + sign) for text in denials):
        values_denied = [text.removeprefix(subject + sign) for text in denials]
        return f"{subject} not {join_words(values_denied, 'or')}", True
    return ", ".join(denials), len(denials) > 1


def state_names(
    labels: Sequence[StateLabel], states: int, whole: Mapping[int, str], apart: Sequence[StateLabel] = ()
) -> tuple[str, ...]:
    """Return a unique name for each state, the root first.

    For each state that is added which excludes most of the states not yet excluded; among equals what is, then
    what stands earlier.

    Args:
        labels: what is said of the states.
        states: how many there are.
        whole: for some states how a predicate is said, chosen or not, that is true there and nowhere
            else; used where a name would need several of the chosen ones.
        apart: the same, but each predicate for itself: a name takes of several that are false of one variable only
            those that it needs.

    """
    names = UniqueNames()
    result = [names.add(START)]
    for state in range(1, states):
        distinguishing = _telling(labels, state)
        telling = _texts(distinguishing, state)
        if any(saying.denies_several[state] for saying in distinguishing):
            single = _telling(apart, state)
            others = [
                telling,
                *(
                    [_texts(single, state)]
                    if _count_excluded(single, state) >= _count_excluded(distinguishing, state)
                    else []
                ),
            ]
            telling = min(others, key=lambda texts: len(", ".join(texts)))
        if len(telling) > 1 and state in whole:
            telling = [whole[state]]
        base = ", ".join(dict.fromkeys(telling)) or ONLY
        result.append(names.add(base, "{} ({})".format))
    return tuple(result)


def _texts(sayings: Iterable[StateLabel], state: int) -> list[str]:
    """Return what some sayings say of a state."""
    return [text for saying in sayings if (text := saying.phrases[state]) is not None]


def _count_excluded(sayings: Sequence[StateLabel], state: int) -> int:
    """Return from how many states some sayings tell one."""
    return (
        int(np.logical_or.reduce([saying.distinguishes[state] for saying in sayings]).sum()) if sayings else 0
    )


def _telling(labels: Sequence[StateLabel], state: int) -> list[StateLabel]:
    """Return what tells a state from all others but the root, in order."""
    if not labels:
        return []
    left = np.ones(len(labels[0].phrases), dtype=np.bool_)
    left[[0, state]] = False
    positions: list[int] = []
    while left.any():
        gains = [
            (int((saying.distinguishes[state] & left).sum()), saying.positive[state], -position)
            for position, saying in enumerate(labels)
        ]
        excluded, _, position = max(gains)
        if not excluded:
            break
        positions.append(-position)
        left &= ~labels[-position].distinguishes[state]
    return [labels[position] for position in sorted(positions)]
