"""What a specification claims of each function, as typed expressions, and what of it cannot be said so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from specminer.contracts.artifact import AbiEntry, Artifact
from specminer.contracts.interface import canonical, selector
from specminer.decoding.storage_layout import Layout
from specminer.export.conditions import ExportCondition, function_conditions
from specminer.export.expression_reading import read_condition, read_text
from specminer.export.expressions import Expression, UnsayableError, VariableRead
from specminer.export.solidity_names import function_entry
from specminer.export.variables import Variables, function_variables
from specminer.specification import Effect, EffectKind, Specification

_UNLISTED: Final = re.compile("0x[0-9a-f]{8}")
"""What a function is called that the ABI does not name: its selector."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A claim that an export does not state."""

    scope: str
    """The function, raw."""
    text: str
    """The claim for people, raw."""
    reason: str
    """Why, a clause."""

    def __str__(self) -> str:
        """Return it in one line, raw."""
        return f"{self.scope}: {self.text}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardClaim:
    """A condition without which the function is rejected."""

    text: str
    condition: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteClaim:
    """What an accepted call leaves in a variable."""

    text: str
    target: VariableRead
    value: Expression
    condition: Expression | None
    """When; ``None`` if always."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionClaims:
    """What is claimed of one function."""

    function: str
    """As the specification calls it, raw."""
    entry: AbiEntry
    """Of type ``fallback`` for a selector that the ABI does not name."""
    guards: tuple[GuardClaim, ...]
    writes: tuple[WriteClaim, ...]
    is_called_bare: bool = False
    """Whether calls without calldata are calls of this function."""

    @property
    def signature(self) -> str:
        """As selectors are made of it; empty for ``receive``, ``fallback``, and what the ABI does not name."""
        if self.entry.type != "function":
            return ""
        return f"{self.entry.name}({','.join(canonical(item) for item in self.entry.inputs)})"

    @property
    def selector(self) -> bytes:
        """Its four bytes; none for ``receive`` and ``fallback``."""
        if _UNLISTED.fullmatch(self.function):
            return bytes.fromhex(self.function[2:])
        return selector(self.entry) if self.signature else b""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractClaims:
    """What is claimed of a contract, function by function."""

    functions: tuple[FunctionClaims, ...]
    left_out: tuple[LeftOut, ...]


def read_claims(specification: Specification, artifact: Artifact) -> ContractClaims:
    """Return what a specification claims of functions, ascending by name; of some the selector is all that is known.

    Raises:
        FileFormatError: the storage layout is malformed.

    """
    return _Reading(specification, artifact).claims()


@dataclass(slots=True)
class _Reading:
    specification: Specification
    artifact: Artifact
    left_out: list[LeftOut] = field(default_factory=list)

    def claims(self) -> ContractClaims:
        layout = None
        if self.artifact.storage_layout is not None:
            layout = Layout(self.artifact.storage_layout, "the artifact")
        conditions = {item.function: item.conditions for item in function_conditions(self.specification)}
        effects = {
            name: list(group)
            for name, group in groupby(
                sorted(self.specification.effects, key=lambda item: item.function),
                key=lambda item: item.function,
            )
        }
        functions = []
        for name in sorted(conditions.keys() | effects.keys()):
            own = self._function(name, conditions.get(name, ()), effects.get(name, ()), layout)
            if own is not None:
                functions.append(own)
        return ContractClaims(functions=tuple(functions), left_out=tuple(self.left_out))

    def _leave_out(self, scope: str, text: str, reason: object) -> None:
        self.left_out.append(LeftOut(scope=scope, text=text, reason=str(reason)))

    def _function(
        self,
        name: str,
        conditions: Sequence[ExportCondition],
        effects: Sequence[Effect],
        layout: Layout | None,
    ) -> FunctionClaims | None:
        entry = function_entry(self.artifact, name)
        if entry is None and _UNLISTED.fullmatch(name):
            entry = AbiEntry(type="fallback")
        if entry is None or name == "constructor":
            reason = (
                "the constructor runs once" if entry is not None else "the ABI has no function of this name"
            )
            for text in (*(item.text for item in conditions), *(item.text for item in effects)):
                self._leave_out(name, text, reason)
            return None
        variables = function_variables(self.artifact, entry, layout)
        return FunctionClaims(
            function=name,
            entry=entry,
            guards=tuple(self._guards(name, conditions, variables)),
            writes=tuple(self._writes(name, effects, variables)),
            is_called_bare=name == "receive" or (name == "fallback" and not self._has_receive()),
        )

    def _has_receive(self) -> bool:
        """Return whether calls without calldata are calls of ``receive``, as histories call them."""
        types = {entry.type for entry in self.artifact.abi}
        return "receive" in types or "function" not in types

    def _guards(
        self, name: str, conditions: Sequence[ExportCondition], variables: Variables
    ) -> Iterator[GuardClaim]:
        for item in conditions:
            try:
                if item.formula is None:
                    raise UnsayableError(item.obstacle)
                condition = read_condition(item.formula, item.names, variables)
                yield GuardClaim(text=item.text, condition=condition)
            except UnsayableError as reason:
                self._leave_out(name, item.text, reason)

    def _writes(self, name: str, effects: Sequence[Effect], variables: Variables) -> Iterator[WriteClaim]:
        read: list[WriteClaim] = []
        unsaid: set[str] = set()
        for effect in effects:
            try:
                read.append(_write(effect, variables))
            except UnsayableError as reason:
                self._leave_out(name, effect.text, reason)
                if effect.kind is EffectKind.WRITTEN:
                    unsaid.add(_leaf(effect.target))
        for claim in read:
            if _leaf(claim.text.partition("'")[0]) in unsaid:
                self._leave_out(name, claim.text, "another change of the same variable cannot be stated")
            else:
                yield claim


def _leaf(target: str) -> str:
    """Return a variable's name without its keys: what has another such name is stored elsewhere."""
    leaf, depth = "", 0
    for char in target:
        depth -= char == "]"
        leaf += char if not depth else ""
        depth += char == "["
    return leaf


def _write(effect: Effect, variables: Variables) -> WriteClaim:
    if effect.kind is not EffectKind.WRITTEN:
        raise UnsayableError(f"it is no change of storage: {effect.kind.value}")
    if not effect.readable:
        raise UnsayableError("its value is not known as an expression")
    if effect.each:
        raise UnsayableError("it stands for several, one in each round of a loop")
    if not effect.condition and effect.happened != effect.calls:
        raise UnsayableError("nothing tells when it happens")
    target = read_text(effect.target, variables)
    if not isinstance(target, VariableRead):
        raise UnsayableError("its target is no variable")
    condition = read_text(effect.condition, variables) if effect.condition else None
    value = read_text(effect.expression, variables)
    return WriteClaim(text=effect.text, target=target, value=value, condition=condition)


def by_reason(left_out: Sequence[LeftOut]) -> Mapping[str, int]:
    """Return how many claims are left out for each reason, the most frequent first."""
    counts: dict[str, int] = {}
    for item in left_out:
        counts[item.reason] = counts.get(item.reason, 0) + 1
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
