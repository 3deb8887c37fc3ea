"""Reads what was written down of contracts from their sources: ``tests/data/conditions``, see its README."""

from __future__ import annotations

import ast
import keyword
import operator
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).resolve().parents[2] / "data" / "conditions"
ENVIRONMENT: Final = frozenset(
    {"sender", "value", "paid", "origin", "this", "now", "block", "gasleft", "MAX"}
    | {"length", "keccak", "signer", "sha256", "succeeds", "call"}
)
"""Names that mean the same in all files."""
ENTITY: Final = "ENTITY"
"""The name of the entity's key in a parsed condition of a state."""
CLOCK: Final = "clock: "
"""How an event begins that is no call."""
RELATIONS: Final[Mapping[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt,
    ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip
"""What the signs of a parsed condition compare, of numbers or of terms of a solver."""
_EQUALS: Final = re.compile(r"(?<![<>!=])=(?!=)")
_RESERVED: Final = re.compile(rf"\b(?:{'|'.join({*keyword.kwlist} - {'and', 'or', 'not', 'if', 'else'})})\b")
"""Words of Python that are names in Solidity, such as ``from``; a parsed condition has them with ``_`` behind."""


class Expectation(StrEnum):
    """How a condition shows in the history."""

    REQUIRED = "required"
    CODED = "coded"
    COMPILER = "compiler"
    UNREACHED = "unreached"

    @property
    def exercised(self) -> bool:
        """Whether some call was rejected by the condition."""
        return self in (Expectation.REQUIRED, Expectation.COMPILER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What must hold for a call to be accepted."""

    text: str
    reasons: tuple[str, ...]
    """What a rejection may say; empty if it says nothing."""
    expected: Expectation
    aim: str | None
    """The label of calls that were meant to break it."""

    def parsed(self) -> ast.expr:
        """Return the condition as an expression of Python; raises ``SyntaxError`` if it is none."""
        return parsed(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionConditions:
    """A function of the source."""

    names: Mapping[str, str]
    """What local names in its conditions stand for, as expressions or in words."""
    conditions: tuple[Condition, ...]
    """In the order in which the code asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """The split and the automaton that a reader of the documentation expects."""

    entity: str
    keys: tuple[str, ...]
    """Storage that belongs to one entity, whose own key is ``·``."""
    states: Mapping[str, str]
    """The condition of each state, by its name."""
    transitions: tuple[tuple[str, str, str], ...]
    """Source, event, target; an event is a function, perhaps with words after it, or begins with ``clock: ``."""
    second: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedContract:
    """All that was written down of one contract."""

    contract: str
    source: str
    names: Mapping[str, str]
    """Constants, and storage without a layout: what they are."""
    errors: Mapping[str, str]
    """Signatures of errors that the ABI does not have, by the name that conditions use."""
    functions: Mapping[str, FunctionConditions]
    life: Life | None
    """``None`` where it is not written down here."""


def expected_contract(name: str) -> ExpectedContract:
    """Read the file of a history."""
    table = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    return ExpectedContract(
        contract=table["contract"],
        source=table["source"],
        names=table.get("constants", {}) | table.get("names", {}),
        errors=table.get("errors", {}),
        functions={function: _function(entry) for function, entry in table["functions"].items()},
        life=_life(table["life"]) if "life" in table else None,
    )


def parsed(text: str) -> ast.expr:
    """Return a condition as an expression of Python, with ``==`` for ``=`` and :data:`ENTITY` for ``·``.

    Raises:
        SyntaxError: it is none.
    """
    text = _RESERVED.sub(r"\g<0>_", _EQUALS.sub("==", text).replace("·", ENTITY))
    return ast.parse(text, mode="eval").body


def names_in(expression: ast.expr) -> set[str]:
    """Return the names that an expression uses, without fields and functions of contracts."""
    found = (node.id for node in ast.walk(expression) if isinstance(node, ast.Name))
    return {name[:-1] if _RESERVED.fullmatch(name[:-1]) else name for name in found}


def _function(table: Mapping[str, Any]) -> FunctionConditions:
    conditions = tuple(
        Condition(
            text=entry["holds"],
            reasons=_reasons(entry.get("reason", [])),
            expected=Expectation(entry["expected"]),
            aim=entry.get("aim"),
        )
        for entry in table["conditions"]
    )
    return FunctionConditions(names=table.get("let", {}), conditions=conditions)


def _reasons(entry: str | list[str]) -> tuple[str, ...]:
    return (entry,) if isinstance(entry, str) else tuple(entry)


def _life(table: Mapping[str, Any]) -> Life:
    return Life(
        entity=table["entity"],
        keys=tuple(table["keys"]),
        states={state["name"]: state["holds"] for state in table["states"]},
        transitions=tuple((source, event, target) for source, event, target in table["transitions"]),
        second=table.get("second"),
    )
