"""The abstraction's definition: what a person decides about an abstraction, as TOML.

A definition fixes, prefers or forbids predicates and variables, says what becomes of rejected calls,
gives predicates names, and carries the weights of the objective. The tuner's answer is relative to it.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from difflib import get_close_matches
from enum import Enum
from pathlib import Path
from typing import Any

from specminer.errors import FileFormatError, plain
from specminer.resources import shipped


class RejectedCalls(Enum):
    """What a rejected call is to the automaton."""

    LOOP = "loop"
    """An event of its own that keeps the state."""
    DROP = "drop"
    """No event; whoever builds the table of events leaves it out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What each term of the objective is multiplied by; see :mod:`specminer.metric`."""

    label: float = 1.0
    successor: float = 1.0
    end: float = 1.0
    transition: float = 0.25
    """Bits an edge costs, as a share of log2 of the number of events."""
    predicate: float = 2.0
    """Bits a predicate costs, as a multiple of its price times log2 of the number of candidates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What is asked of an abstraction."""

    name: str = "default"
    summary: str = ""
    applies_to: tuple[str, ...] = ()
    """Signatures that an ABI must have."""
    fix: tuple[str, ...] = ()
    """Texts of predicates that are always chosen."""
    prefer: tuple[str, ...] = ()
    """Predicates, or variables with all their predicates, at half the price."""
    forbid: tuple[str, ...] = ()
    """Predicates, or variables with all their predicates, that are left out."""
    roles: bool = True
    rejected: RejectedCalls = RejectedCalls.LOOP
    names: Mapping[str, str] = field(default_factory=dict)
    """Predicate text to the name of what holds where it is true."""
    weights: Weights = field(default_factory=Weights)

    @property
    def mentioned(self) -> frozenset[str]:
        """What is fixed, preferred or given a name, as the vocabulary writes it."""
        return frozenset(map(canonical, (*self.fix, *self.prefer, *self.names)))

    def to_dict(self) -> dict[str, Any]:
        """Return the content in the structure of the TOML."""
        return {
            "name": self.name,
            "summary": self.summary,
            "applies_to": list(self.applies_to),
            "state": {"fix": list(self.fix), "prefer": list(self.prefer), "forbid": list(self.forbid)},
            "events": {"roles": self.roles, "rejected": self.rejected.value},
            "names": dict(self.names),
            "weights": asdict(self.weights),
        }


def canonical(text: str) -> str:
    """Return a predicate's text as the vocabulary writes it: ``paused = true`` is ``paused``."""
    if text.endswith(" = true"):
        return text.removesuffix(" = true")
    return f"not {text.removesuffix(' = false')}" if text.endswith(" = false") else text


def default() -> Definition:
    """Return the shipped definition that holds when nothing else is given."""
    return load(shipped("abstractions") / "default.toml")


def load(path: Path) -> Definition:
    """Read a definition from a TOML file.

    Raises:
        FileFormatError: it cannot be read, is no TOML, or has an unknown key or a value of a wrong type.

    """
    try:
        return parse(path.read_text(encoding="utf-8"), plain(path))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise FileFormatError(f"cannot read the abstraction {plain(path)}: {reason}", path=path) from None


def parse(text: str, origin: str) -> Definition:
    """Read a definition from TOML text; ``origin`` names it in messages.

    Raises:
        FileFormatError: no TOML, an unknown key or a value of a wrong type; the message names the key.

    """
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise FileFormatError(f"{origin} is not TOML: {plain(error)}", path=origin) from None
    reader = _Reader(origin)
    reader.known("", document, ("name", "summary", "applies_to", "state", "events", "names", "weights"))
    state = reader.table(document, "state", ("fix", "prefer", "forbid"))
    events = reader.table(document, "events", ("roles", "rejected"))
    names = reader.table(document, "names", None)
    weights = reader.table(document, "weights", tuple(item.name for item in fields(Weights)))
    if "name" not in document:
        raise reader.error("name", "a text", "nothing")
    return Definition(
        name=reader.text("name", document["name"]),
        summary=reader.text("summary", document.get("summary", "")),
        applies_to=reader.texts("applies_to", document.get("applies_to", [])),
        fix=reader.texts("state.fix", state.get("fix", [])),
        prefer=reader.texts("state.prefer", state.get("prefer", [])),
        forbid=reader.texts("state.forbid", state.get("forbid", [])),
        roles=reader.flag("events.roles", events.get("roles", True)),
        rejected=reader.rejected(events.get("rejected", RejectedCalls.LOOP.value)),
        names={key: reader.text(f"names.{key}", value) for key, value in names.items()},
        weights=Weights(**{key: reader.weight(f"weights.{key}", value) for key, value in weights.items()}),
    )


class _Reader:
    """Checks the values of one document; every complaint names the file and the key."""

    def __init__(self, origin: str) -> None:
        self._origin = origin

    def error(self, key: str, expected: str, got: object) -> FileFormatError:
        shown = got if got == "nothing" else repr(got)
        return FileFormatError(
            f"{self._origin}: '{plain(key)}' should be {expected}, but is {plain(shown)}",
            path=self._origin,
            key=key,
        )

    def known(self, prefix: str, table: Mapping[str, object], allowed: tuple[str, ...]) -> None:
        for key in table:
            if key not in allowed:
                near = get_close_matches(key, allowed, n=1)
                hint = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(allowed)}"
                raise FileFormatError(
                    f"{self._origin}: unknown key '{plain(prefix + key)}'; {hint}",
                    path=self._origin,
                    key=prefix + key,
                )

    def table(
        self, document: Mapping[str, Any], key: str, allowed: tuple[str, ...] | None
    ) -> Mapping[str, Any]:
        value = document.get(key, {})
        if not isinstance(value, dict):
            raise self.error(key, f"a table ([{key}])", value)
        if allowed is not None:
            self.known(f"{key}.", value, allowed)
        return value

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
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
            raise self.error(key, "a number, 0 or more", value)
        return float(value)

    def rejected(self, value: object) -> RejectedCalls:
        choices = [choice.value for choice in RejectedCalls]
        if value not in choices:
            raise self.error("events.rejected", " or ".join(f'"{choice}"' for choice in choices), value)
        return RejectedCalls(value)
