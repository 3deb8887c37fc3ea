"""What was written down of lives before anything was mined: ``tests/data/states``, see its README."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).resolve().parents[2] / "data" / "states"
CONDITIONS: Final = FOLDER.with_name("conditions")
WHOLE: Final = "whole"
"""What stands for all functions of a contract that has one life."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trap:
    """What a picture must not say."""

    pattern: re.Pattern[str]
    """Found in the text of a state."""
    why: str
    guards: bool = False
    """Whether guards are looked at, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenLife:
    """The split and the automaton that a reader of the documentation expects."""

    contract: str
    source: str
    entity: str
    entities: Mapping[str, tuple[str, ...]] | None
    """By function, expressions for the keys of the entities that a call concerns; ``None`` if the contract has one
    life. Functions that are left out concern none."""
    partners: Mapping[str, tuple[str, ...]]
    """By function, keys of entities that take part in a call without being what it is about."""
    states: Mapping[str, str]
    """The condition of each state, by its name; several may hold at once."""
    transitions: tuple[tuple[str, str, str], ...]
    """Source, event, target; an event begins with a function's bare name, or with ``clock: ``."""
    values: Mapping[str, str]
    """Constants and immutables, as expressions."""
    layout: Mapping[str, Any]
    """What the compiler's layout lacks; see :func:`.storage_places.layout_of`."""
    misleading: tuple[Trap, ...]
    once: bool = False
    """Whether the contract counts the entities, so that none begins again."""


def written_life(name: str) -> WrittenLife:
    """Read the file of a history, with the life in ``tests/data/conditions`` if it refers to that."""
    table = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    other = table.get("like")
    if other is not None:
        table = tomllib.loads((FOLDER / f"{other}.toml").read_text(encoding="utf-8")) | table
    listed = CONDITIONS / f"{name}.toml"
    if "life" not in table:
        table = tomllib.loads(listed.read_text(encoding="utf-8")) | table
    life = table["life"]
    entities = table["entities"]
    return WrittenLife(
        contract=table["contract"],
        source=table["source"],
        entity=life["entity"],
        entities=None if entities == WHOLE else _keys(entities),
        partners=_keys(table.get("partners", {})),
        states={state["name"]: state["holds"] for state in life["states"]},
        transitions=tuple((source, event, target) for source, event, target in life["transitions"]),
        values=table.get("values", {}),
        layout=table.get("layout", {}),
        misleading=tuple(map(_trap, table.get("misleading", []))),
        once=table.get("once", False),
    )


def _keys(table: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {function: tuple(keys) for function, keys in table.items()}


def _trap(table: Mapping[str, Any]) -> Trap:
    return Trap(pattern=re.compile(table["pattern"]), why=table["why"], guards=table.get("guards", False))
