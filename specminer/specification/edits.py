"""What people decided about single claims: a small TOML file beside an ``automaton.json``, kept over new minings.

    [claim.guard-1f0c5a9e42]
    pin = true
    name = "only the seller"
    comment = "asked for in the audit, see section 3"

A claim's identifier follows from what it says (function, part of the specification, expression), so that it is the
same in every mining that makes the claim. ``drop`` takes a claim out of all that is told and checked. ``pin`` keeps it:
if a later mining does not make it any more it is added again, from ``content``, which ``specminer claims --template``
writes.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Final

import msgspec

from specminer._support.errors import FileFormatError, plain
from specminer._support.files import read_bounded
from specminer._support.nesting import NestingError, check_nesting
from specminer.specification.codec import document_of
from specminer.specification.effects import Effect
from specminer.specification.guards import Guard, GuardCondition, GuardKind
from specminer.specification.invariants import InvariantEntry
from specminer.specification.model import Specification
from specminer.specification.symbols import SymbolSort

MAX_BYTES: Final = 16 << 20
"""Larger files are refused."""
_KEYS: Final[Mapping[str, type]] = {"pin": bool, "drop": bool, "name": str, "comment": str, "content": str}
_NOUNS: Final = {bool: "true or false", str: "a text in quotes"}
_TOKEN: Final = re.compile(r"\|[^|]*\||[()]|[^\s()|]+")


class ClaimPart(Enum):
    """The part of a specification that makes a claim."""

    GUARD = "guard"
    EFFECT = "effect"
    INVARIANT = "invariant"


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedCondition:
    """A condition of a guard, with what asking it takes."""

    function: str
    kind: GuardKind
    accepted: int
    condition: GuardCondition
    smt: str
    symbols: dict[str, SymbolSort] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimContent:
    """One claim, whole."""

    guard: PinnedCondition | None = None
    effect: Effect | None = None
    invariant: InvariantEntry | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedClaim:
    """A claim that a specification makes."""

    id: str
    """The same in every mining that makes the claim."""
    part: ClaimPart
    about: str
    """The function, or what else it is about."""
    text: str
    support: int
    """In how many cases it could have failed."""
    exceptions: int
    """In how many it did."""
    content: ClaimContent


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimEdit:
    """What was decided about one claim."""

    pin: bool = False
    drop: bool = False
    name: str = ""
    comment: str = ""
    content: ClaimContent | None = None

    @property
    def note(self) -> str:
        """Name and comment, as far as there are any."""
        return ": ".join(filter(None, (self.name, self.comment)))


ClaimEdits = Mapping[str, ClaimEdit]
"""By the claim's identifier."""
NO_EDITS: Final[ClaimEdits] = MappingProxyType({})


def edits_path(automaton: Path) -> Path:
    """Return where the edits of an ``automaton.json`` stand."""
    return automaton.with_suffix(".toml")


def read_edits(path: Path) -> ClaimEdits:
    """Read edits; none if there is no such file.

    Raises:
        FileFormatError: it cannot be read, or says what cannot be meant.

    """
    if not path.exists():
        return NO_EDITS
    name = plain(path)
    try:
        document = tomllib.loads(read_bounded(path, MAX_BYTES, "a list of claims").decode())
    except UnicodeDecodeError:
        raise FileFormatError(f"{name} is no TOML: it is not in UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise FileFormatError(f"{name} is no TOML: {plain(error, 200)}") from None
    unknown = sorted(set(document) - {"claim"})
    if unknown:
        raise FileFormatError(
            f"{name}: expected tables [claim.ID] alone, but there is '{plain(unknown[0], 60)}'"
        )
    claims = document.get("claim", {})
    if not isinstance(claims, dict):
        raise FileFormatError(f"{name}: expected tables [claim.ID], but 'claim' is no table")
    return {claim: _edit(f"{name}, [claim.{plain(claim, 60)}]", entry) for claim, entry in claims.items()}


def _edit(where: str, entry: object) -> ClaimEdit:
    if not isinstance(entry, dict):
        raise FileFormatError(f"{where}: expected a table, got {plain(repr(entry), 60)}")
    for key, value in entry.items():
        kind = _KEYS.get(key)
        if kind is None:
            raise FileFormatError(f"{where}: expected {', '.join(_KEYS)}, got '{plain(key, 60)}'")
        if type(value) is not kind:
            raise FileFormatError(f"{where}: {key} expects {_NOUNS[kind]}, got {plain(repr(value), 60)}")
    if entry.get("pin") and entry.get("drop"):
        raise FileFormatError(f"{where}: a claim is pinned or dropped, not both; remove one of the lines")
    text = entry.get("content")
    try:
        if text is not None:
            check_nesting(text.encode())
        content = None if text is None else msgspec.json.decode(text, type=ClaimContent)
    except (NestingError, msgspec.DecodeError, RecursionError) as error:
        raise FileFormatError(
            f"{where}: content is not as `specminer claims --template` writes it: {plain(error, 160)}"
        ) from None
    return ClaimEdit(**{key: value for key, value in entry.items() if key != "content"}, content=content)


def list_claims(specification: Specification) -> tuple[ListedClaim, ...]:
    """Return the claims of a specification that can be edited, each once."""
    claim_by_id = {
        claim.id: claim
        for claim in (
            *(claim for guard in specification.guards for claim, _ in _conditions(guard)),
            *map(_effect, specification.effects),
            *(_invariant(specification, entry) for entry in specification.invariants),
        )
    }
    return tuple(claim_by_id.values())


def edit_specification(specification: Specification, edits: ClaimEdits) -> Specification:
    """Return a specification without dropped claims, and with pinned ones that it does not make itself.

    Raises:
        FileFormatError: a claim is pinned that the specification does not make, and the edits do not say what it is.

    """
    if not edits:
        return specification
    claim_ids = {claim.id for claim in list_claims(specification)}
    dropped = {claim for claim, edit in edits.items() if edit.drop}
    missing = [claim for claim, edit in edits.items() if edit.pin and claim not in claim_ids]
    guards = [_without(guard, dropped) for guard in specification.guards]
    effects = [item for item in specification.effects if _effect(item).id not in dropped]
    invariants = [
        item for item in specification.invariants if _invariant(specification, item).id not in dropped
    ]
    for claim in missing:
        content = edits[claim].content
        if content is None or content == ClaimContent():
            raise FileFormatError(
                f"claim {plain(claim, 60)} is pinned, but the specification does not make it, and its content is not "
                "given; take it from `specminer claims --template` of an automaton that makes it"
            )
        if content.guard is not None:
            _add_condition(guards, content.guard)
        if content.effect is not None:
            effects.append(content.effect)
        if content.invariant is not None:
            invariants.append(content.invariant)
    return replace(
        specification,
        guards=tuple(guard for guard in guards if guard is not None),
        effects=tuple(effects),
        invariants=tuple(invariants),
    )


def claims_template(claims: Sequence[ListedClaim]) -> str:
    """Return claims as TOML in which all is commented out; ends in a newline."""
    lines = [
        "# Claims of a specification. Remove the # before a table and the lines that you want:",
        "# pin keeps a claim although a later mining no longer makes it, drop takes it out of all that is told and",
        "# checked; name and comment are shown where a transaction breaks it. Save this beside automaton.json, as",
        "# automaton.toml.",
    ]
    for claim in claims:
        content = msgspec.json.encode(
            {name: part for name, part in document_of(claim.content).items() if part is not None}
        )
        lines += [
            "",
            f"# {plain(claim.about, 120)}: {plain(claim.text, 1_000)}",
            f"# [claim.{claim.id}]",
            "# pin = true",
            "# drop = true",
            '# name = ""',
            '# comment = ""',
            f"# content = {_quote_toml(content.decode())}",
        ]
    return "\n".join(lines) + "\n"


def _quote_toml(text: str) -> str:
    """Return a text as a string of TOML, of one line, without characters that steer a terminal."""
    if text.isprintable() and "'" not in text:
        return f"'{text}'"
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(item if item.isprintable() else f"\\U{ord(item):08x}" for item in quoted) + '"'


def _id(part: ClaimPart, *texts: str) -> str:
    digest = hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()
    return f"{part.value}-{digest[:10]}"


def _conditions(guard: Guard) -> Iterator[tuple[ListedClaim, str]]:
    """Yield the conditions of a guard, each with its own term; of one whose parts cannot be told apart nothing."""
    terms = _conjuncts(guard.smt)
    if len(terms) != len(guard.conditions):
        return
    for condition, term in zip(guard.conditions, terms, strict=True):
        content = PinnedCondition(
            function=guard.scope,
            kind=guard.kind,
            accepted=guard.accepted,
            condition=GuardCondition(
                text=condition.text,
                exceptions=condition.exceptions,
                unknown=condition.unknown,
                interval=condition.interval,
            ),
            smt=term,
            symbols={name: sort for name, sort in guard.symbols.items() if name in _TOKEN.findall(term)},
            names={short: whole for short, whole in guard.names.items() if short in term},
        )
        claim = ListedClaim(
            id=_id(ClaimPart.GUARD, guard.scope, _whole(condition.text, guard.names)),
            part=ClaimPart.GUARD,
            about=guard.scope,
            text=condition.text,
            support=max(0, guard.accepted - condition.unknown),
            exceptions=condition.exceptions,
            content=ClaimContent(guard=content),
        )
        yield claim, term


def _whole(text: str, names: Mapping[str, str]) -> str:
    """Return a text with the whole names of variables, which do not depend on what else a specification speaks of."""
    if not names:
        return text
    alternatives = sorted(names, key=len, reverse=True)
    pattern = rf"(?<![\w.\]])({'|'.join(map(re.escape, alternatives))})(?!\w)"
    return re.sub(pattern, lambda match: names[match[1]], text)


def _conjuncts(smt: str) -> list[str]:
    """Return the parts of a conjunction as terms; of another term itself, of ``true`` none."""
    tokens = _TOKEN.findall(smt)
    if tokens == ["true"]:
        return []
    if tokens[:2] != ["(", "and"]:
        return [smt]
    parts: list[list[str]] = []
    depth = 0
    for token in tokens[2:-1]:
        if depth == 0:
            parts.append([])
        parts[-1].append(token)
        depth += (token == "(") - (token == ")")
    return [" ".join(part).replace("( ", "(").replace(" )", ")") for part in parts]


def _effect(item: Effect) -> ListedClaim:
    return ListedClaim(
        id=_id(ClaimPart.EFFECT, item.function, item.text, item.condition),
        part=ClaimPart.EFFECT,
        about=item.function,
        text=item.text + (f" if {item.condition}" if item.condition else ""),
        support=item.happened,
        exceptions=0,
        content=ClaimContent(effect=item),
    )


def _invariant(specification: Specification, entry: InvariantEntry) -> ListedClaim:
    about = entry.scope.name
    if entry.scope.state is not None:  # numbers of states may be others in the next mining
        names = [state.name for state in specification.states if state.id == entry.scope.state]
        about = f"state {names[0]}" if names else about
    return ListedClaim(
        id=_id(ClaimPart.INVARIANT, about, entry.text),
        part=ClaimPart.INVARIANT,
        about=about,
        text=entry.text,
        support=entry.support,
        exceptions=entry.exceptions,
        content=ClaimContent(invariant=replace(entry, broken_by=(), test=None)),
    )


def _without(guard: Guard, dropped: set[str]) -> Guard | None:
    """Return a guard without dropped conditions; ``None`` if nothing is left of it."""
    claims = list(_conditions(guard))
    left = [index for index, (claim, _) in enumerate(claims) if claim.id not in dropped]
    if len(left) == len(claims):
        return guard
    conditions = tuple(guard.conditions[index] for index in left)
    return _with_conditions(guard, conditions, [claims[index][1] for index in left]) if left else None


def _with_conditions(guard: Guard, conditions: tuple[GuardCondition, ...], terms: Sequence[str]) -> Guard:
    return replace(
        guard,
        text=" and ".join(item.text for item in conditions),
        smt=terms[0] if len(terms) == 1 else f"(and {' '.join(terms)})",
        conditions=conditions,
    )


def _add_condition(guards: list[Guard | None], pinned: PinnedCondition) -> None:
    """Add a pinned condition as a guard of its own."""
    guards.append(
        Guard(
            scope=pinned.function,
            text=pinned.condition.text,
            names=pinned.names,
            smt=pinned.smt,
            symbols=pinned.symbols,
            kind=pinned.kind,
            accepted=pinned.accepted,
            exceptions=pinned.condition.exceptions,
            conditions=(pinned.condition,),
        )
    )
