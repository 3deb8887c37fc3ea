"""A protocol as its authors declared it: what a mined specification is scored against.

The file is JSON: ``start`` names the initial state, ``transitions`` lists ``source``, ``function``,
``target`` and, where the authors said who may call, ``roles``. Every state accepts. ``constructor`` is a
function like any other: where the deployment is meant to be the first event, a transition with it leaves the
start. Other keys are left alone. Texts are raw: whoever shows them escapes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Self

import msgspec

from specminer._support.errors import FileFormatError, plain
from specminer._support.nesting import NestingError, check_nesting
from specminer.automaton import Automaton, from_edges

_Name = Annotated[str, msgspec.Meta(min_length=1)]


class _Transition(msgspec.Struct, frozen=True):
    source: _Name
    function: _Name
    target: _Name
    roles: tuple[_Name, ...] = ()


class _Document(msgspec.Struct, frozen=True):
    start: _Name
    transitions: tuple[_Transition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredTransition:
    """``source --function--> target``, allowed to callers in one of ``roles``; to anyone if there are none."""

    source: str
    function: str
    target: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredProtocol:
    """The content of a file such as ``truth.json``."""

    start: str
    transitions: tuple[DeclaredTransition, ...]

    def automaton(self, *, roles: bool = False) -> Automaton:
        """Return the automaton over functions; with ``roles``, over ``function as role`` where there are any.

        States are numbered in the order of their names. Each transition counts 1.
        """
        names = {self.start, *(edge.source for edge in self.transitions)}
        number = {
            name: row for row, name in enumerate(sorted(names | {edge.target for edge in self.transitions}))
        }
        rows = {
            (number[edge.source], label, number[edge.target], 1)
            for edge in self.transitions
            for label in _labels(edge, roles=roles)
        }
        return from_edges(sorted(rows), number[self.start])

    @classmethod
    def from_json(cls, text: bytes, origin: str = "truth.json") -> Self:
        """Read a declared protocol; ``origin`` names it in messages.

        Raises:
            FileFormatError: not JSON, a field is missing or malformed, or nothing leaves the start.

        """
        safe_origin = plain(origin)
        document = _convert(decode(text, origin), safe_origin)
        if document.transitions and document.start not in {edge.source for edge in document.transitions}:
            raise FileFormatError(
                f"{safe_origin}: start is '{plain(document.start, 60)}', but no transition has that source"
            )
        return cls(
            start=document.start,
            transitions=tuple(
                DeclaredTransition(
                    source=edge.source, function=edge.function, target=edge.target, roles=edge.roles
                )
                for edge in document.transitions
            ),
        )


def _labels(edge: DeclaredTransition, *, roles: bool) -> Iterator[str]:
    if roles and edge.roles:
        yield from (f"{edge.function} as {role}" for role in edge.roles)
    else:
        yield edge.function


def decode(text: bytes, origin: str) -> dict[str, Any]:
    """Decode JSON whose content is an object; ``origin`` names it in messages.

    Raises:
        FileFormatError: it is none.

    """
    try:
        check_nesting(text)
        document = msgspec.json.decode(text)
    except (NestingError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FileFormatError(f"{plain(origin)} is not JSON: {plain(error)}") from None
    if not isinstance(document, dict):
        raise FileFormatError(f"{plain(origin)}: expected a JSON object but got {type(document).__name__}")
    return document


def _convert(document: dict[str, Any], safe_origin: str) -> _Document:
    try:
        return msgspec.convert(document, _Document)
    except msgspec.ValidationError as error:
        raise FileFormatError(
            f"{safe_origin} is not a declared protocol (start, and transitions of source, function, target, roles): "
            f"{plain(error)}"
        ) from None
