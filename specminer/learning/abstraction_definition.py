"""The abstraction's definition: what a person decides about an abstraction, as TOML.

A definition fixes, prefers or forbids predicates and variables, says what becomes of rejected calls,
gives predicates names, and carries the weights of the objective. The tuner's answer is relative to it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from specminer._support.errors import FileFormatError, plain
from specminer._support.files import read_bounded
from specminer._support.resources import shipped_folder
from specminer._support.text import suggest
from specminer.specification import (
    DefinitionDocument,
    EventRules,
    HistoryView,
    RejectedCalls,
    StateRules,
    Weights,
)

MAX_BYTES: Final = 1 << 20
"""A definition that is larger is not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What is asked of an abstraction."""

    name: str = "default"
    summary: str = ""
    applies_to: tuple[str, ...] = ()
    """Signatures that an ABI must have."""
    refines: str | None = None
    """Name or path of the definition that this one adds to."""
    fix: tuple[str, ...] = ()
    """Predicates that are always chosen. ``a = 0 | b = 0`` is the first of these that is one here."""
    prefer: tuple[str, ...] = ()
    """Predicates, or variables with all their predicates, at half the price."""
    forbid: tuple[str, ...] = ()
    """Predicates, or variables with all their predicates, that are left out."""
    only: bool = False
    """Nothing is searched for: the fixed predicates are all."""
    merge: tuple[str, ...] = ()
    """Conjunctions of fixed predicates, or their opposites; what satisfies one of them is one state."""
    history: HistoryView = HistoryView.FALLBACK
    roles: bool = True
    rejected: RejectedCalls = RejectedCalls.LOOP
    called: Mapping[str, str] = field(default_factory=dict)
    """Function to the event that it counts as; functions of one event are not told apart."""
    drop: tuple[str, ...] = ()
    """Functions whose calls are no events."""
    phases: tuple[str, ...] | None = None
    """Flags of the whole contract whose changes are events; ``None`` for those for which it pays."""
    split: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Event to predicates about the call that make several events of it."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Predicate to the name of what holds where it is true."""
    weights: Weights = field(default_factory=Weights)
    lenient: bool = False
    """It was not asked for but fits the interface: what it fixes and the history does not have is left out."""

    @classmethod
    def of(cls, document: DefinitionDocument) -> Self:
        """Return the definition that a document holds; what else a specification's abstraction says is left out."""
        state, events = document.state, document.events
        return cls(
            name=document.name,
            summary=document.summary,
            applies_to=document.applies_to,
            refines=document.refines,
            fix=state.fix,
            prefer=state.prefer,
            forbid=state.forbid,
            only=state.only,
            merge=state.merge,
            history=state.history,
            roles=events.roles,
            rejected=events.rejected,
            called=events.called,
            drop=events.drop,
            phases=events.phases,
            split=events.split,
            names=document.names,
            weights=document.weights,
        )

    @property
    def document(self) -> DefinitionDocument:
        """The same in the structure of the TOML."""
        return DefinitionDocument(
            name=self.name,
            summary=self.summary,
            applies_to=self.applies_to,
            refines=self.refines or None,
            state=StateRules(
                fix=self.fix,
                prefer=self.prefer,
                forbid=self.forbid,
                only=self.only,
                merge=self.merge,
                history=self.history,
            ),
            events=EventRules(
                roles=self.roles,
                rejected=self.rejected,
                called=dict(self.called),
                drop=self.drop,
                phases=self.phases,
                split=dict(self.split),
            ),
            names=dict(self.names),
            weights=self.weights,
        )


def default() -> Definition:
    """Return the shipped definition that holds when nothing else is given."""
    return load(shipped_folder("abstractions") / "default.toml")


def load(path: Path) -> Definition:
    """Read a definition from a TOML file.

    Raises:
        FileFormatError: it cannot be read, is larger than ``MAX_BYTES``, is no TOML, or has an unknown key or a
            value of a wrong type.

    """
    try:
        text = read_bounded(path, MAX_BYTES, "an abstraction").decode("utf-8")
    except UnicodeDecodeError:
        raise FileFormatError(f"{plain(path)} cannot be read: it is no UTF-8 text", path=path) from None
    return parse(text, plain(path))


def parse(text: str, origin: str) -> Definition:
    """Read a definition from TOML text; ``origin`` names it in messages.

    Raises:
        FileFormatError: no TOML, an unknown key or a value of a wrong type; the message names the key.

    """
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also an integer of more digits than Python reads
        raise FileFormatError(f"{origin} is not TOML: {plain(error)}", path=origin) from None
    return from_document(document, origin)


def check_forms(definition: Definition, origin: str) -> None:
    """Check that what stands for predicates has the form of predicates; what is a name of a variable has.

    Raises:
        FileFormatError: it has not; ``origin`` names the file, the message the key.

    """
    from specminer.predicate.formula_parsing import (
        check_form,  # loads the solver's formulas, which few commands need
    )
    from specminer.predicate.smt import FormulaError

    texts = {
        "state.fix": [part for wish in definition.fix for part in wish.split(" | ")],
        "state.merge": definition.merge,
        **{f"events.split.{event}": parts for event, parts in definition.split.items()},
    }
    for key, parts in texts.items():
        for text in parts:
            try:
                check_form(text)
            except FormulaError as error:
                raise FileFormatError(
                    f"{origin}: '{plain(key)}' holds '{plain(text, 100)}', which is no predicate: {plain(error)}",
                    path=origin,
                    key=key,
                ) from None


def from_document(document: Mapping[str, Any], origin: str) -> Definition:
    """Read a definition from what TOML or JSON hold; ``origin`` names it in messages.

    Raises:
        FileFormatError: an unknown key or a value of a wrong type; the message names the key.

    """
    reader = _DefinitionReader(origin)
    reader.check_keys("", document, KEYS)
    state = reader.table(document, "state", ("fix", "prefer", "forbid", "only", "merge", "history"))
    events = reader.table(document, "events", ("roles", "rejected", "called", "drop", "phases", "split"))
    weights = reader.table(document, "weights", tuple(item.name for item in fields(Weights)))
    if "name" not in document:
        raise reader.error("name", "a text", "nothing")
    split = reader.table(events, "split", None, "events.")
    return Definition(
        name=reader.text("name", document["name"]),
        summary=reader.text("summary", document.get("summary", "")),
        applies_to=reader.texts("applies_to", document.get("applies_to", [])),
        refines=reader.text("refines", document["refines"]) if "refines" in document else None,
        fix=reader.texts("state.fix", state.get("fix", [])),
        prefer=reader.texts("state.prefer", state.get("prefer", [])),
        forbid=reader.texts("state.forbid", state.get("forbid", [])),
        only=reader.flag("state.only", state.get("only", False)),
        merge=reader.texts("state.merge", state.get("merge", [])),
        history=reader.choice("state.history", HistoryView, state.get("history", "fallback")),
        roles=reader.flag("events.roles", events.get("roles", True)),
        rejected=reader.choice("events.rejected", RejectedCalls, events.get("rejected", "loop")),
        called=reader.named_texts("events.called", reader.table(events, "called", None, "events.")),
        drop=reader.texts("events.drop", events.get("drop", [])),
        phases=reader.texts("events.phases", events["phases"]) if "phases" in events else None,
        split={event: reader.texts(f"events.split.{event}", texts) for event, texts in split.items()},
        names=reader.named_texts("names", reader.table(document, "names", None)),
        weights=Weights(**{key: reader.weight(f"weights.{key}", value) for key, value in weights.items()}),
    )


_MAX_WEIGHT: Final = 1e300
KEYS: Final = ("name", "summary", "applies_to", "refines", "state", "events", "names", "weights")

_Choice = TypeVar("_Choice", bound=Enum)


class _DefinitionReader:
    """Checks the values of one document; every complaint names the file and the key."""

    def __init__(self, origin: str) -> None:
        self._origin = origin

    def error(self, key: str, expected: str, got: object) -> FileFormatError:
        try:
            text = got if got == "nothing" else repr(got)
        except ValueError:  # an integer of more digits than Python writes
            text = "a number of thousands of digits"
        return FileFormatError(
            f"{self._origin}: '{plain(key)}' should be {expected}, but is {plain(text)}",
            path=self._origin,
            key=key,
        )

    def check_keys(self, prefix: str, table: Mapping[str, object], allowed: tuple[str, ...]) -> None:
        for key in table:
            if key not in allowed:
                hint = suggest(key, allowed, f"known are {', '.join(allowed)}")
                raise FileFormatError(
                    f"{self._origin}: unknown key '{plain(prefix + key)}'; {hint}",
                    path=self._origin,
                    key=prefix + key,
                )

    def table(
        self, document: Mapping[str, Any], key: str, allowed: tuple[str, ...] | None, prefix: str = ""
    ) -> Mapping[str, Any]:
        value = document.get(key, {})
        if not isinstance(value, dict):
            raise self.error(prefix + key, f"a table ([{prefix}{key}])", value)
        if allowed is not None:
            self.check_keys(f"{prefix}{key}.", value, allowed)
        return value

    def named_texts(self, key: str, table: Mapping[str, Any]) -> dict[str, str]:
        return {name: self.text(f"{key}.{name}", value) for name, value in table.items()}

    def text(self, key: str, value: object) -> str:
        if not isinstance(value, str):
            raise self.error(key, "a text", value)
        return value

    def texts(self, key: str, value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.error(key, "a list of texts", value)
        return tuple(value)

    def flag(self, key: str, value: object) -> bool:
        if not isinstance(value, bool):
            raise self.error(key, "true or false", value)
        return value

    def weight(self, key: str, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _MAX_WEIGHT:
            raise self.error(key, "a number from 0 to 1e300", value)
        return float(value)

    def choice(self, key: str, kind: type[_Choice], value: object) -> _Choice:
        choices = {str(item.value): item for item in kind}
        if not isinstance(value, str) or value not in choices:
            raise self.error(key, " or ".join(f'"{choice}"' for choice in choices), value)
        return choices[value]
