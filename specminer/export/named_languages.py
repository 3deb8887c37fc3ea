"""Exports that call variables by the names of the source: Scribble annotations, CVL rules, Daikon-like text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from specminer._support.errors import plain
from specminer.contracts.artifact import Artifact
from specminer.contracts.interface import canonical
from specminer.decoding.storage_values import ValueKind
from specminer.export.export_text import ExportText, comment_lines
from specminer.export.expressions import (
    ArgumentValue,
    CallWord,
    Constant,
    Expression,
    MachineOperation,
    UnsayableError,
)
from specminer.export.function_claims import FunctionClaims, GuardClaim, LeftOut, WriteClaim, read_claims
from specminer.export.solidity_names import is_identifier
from specminer.export.solidity_words import literal
from specminer.export.source_text import Dialect
from specminer.specification import Specification

_SOLIDITY_SIGNS: Final = {"=": "==", "and": "&&", "or": "||", "not": "!"}
_SOLIDITY_WORDS: Final = {
    "sender": "msg.sender",
    "origin": "tx.origin",
    "value": "msg.value",
    "now": "block.timestamp",
    "block": "block.number",
    "this": "address(this)",
    "beneficiary": "block.coinbase",
}
_SCRIBBLE: Final = Dialect(
    words=_SOLIDITY_WORDS,
    getter="{}",
    signs=_SOLIDITY_SIGNS,
    zero_address="address(0)",
    enum="uint256({})",
    cast="{kind}{bits}({part})",
)
_CVL: Final = Dialect(
    words={
        "sender": "e.msg.sender",
        "origin": "e.tx.origin",
        "value": "e.msg.value",
        "now": "e.block.timestamp",
        "block": "e.block.number",
        "this": "currentContract",
        "beneficiary": "e.block.coinbase",
    },
    prefix="currentContract.",
    getter="currentContract.{}(e)",
    signs=_SOLIDITY_SIGNS | {"**": "^", "&": "", "|": "", "^": "", "<<": "", ">>": ""},
    cast="",
)
_DAIKON: Final = Dialect(
    words={
        "sender": "sender",
        "origin": "origin",
        "value": "value",
        "now": "now",
        "block": "block",
        "this": "this",
    },
    prefix="this.",
    getter="this.{}()",
    signs={"=": "==", "and": "and", "or": "or", "not": "not "},
    enum="{}",
    cast="{kind}{bits}({part})",
)


def scribble(specification: Specification, artifact: Artifact) -> ExportText:
    """Return a macro file (YAML) of Scribble: annotations that its users apply by name."""
    claims = read_claims(specification, artifact)
    left_out = list(claims.left_out)
    name = specification.name if is_identifier(specification.name) else "Recorded"
    lines: list[str] = []
    for item in claims.functions:
        properties = list(_scribble(item, left_out))
        if properties and not is_identifier(item.entry.name):
            reason = "the function has no name there"
            left_out += [LeftOut(scope=item.function, text=text, reason=reason) for text, _ in properties]
        elif properties:
            names = ", ".join(
                parameter.name or f"arg{index}" for index, parameter in enumerate(item.entry.inputs)
            )
            lines.append(f"        {item.entry.name}({names}):")
            for text, annotation in properties:
                lines += [
                    f"            - msg: {_quote_yaml(text)}",
                    f"              prop: {_quote_yaml(annotation)}",
                ]
    head = [
        f"# What the code of {plain(specification.name, 200)} demanded and did, as annotations for Scribble.",
        f"# Write /// #macro {name}(); before the contract; scribble --macro-path takes the folder of this file.",
        *comment_lines("#", left_out),
        f"{name}:",
        "    variables:",
        "    properties:" if lines else "    properties: {}",
    ]
    return ExportText(text="\n".join([*head, *lines, ""]), left_out=tuple(left_out))


def _claims(item: FunctionClaims) -> tuple[GuardClaim | WriteClaim, ...]:
    return (*item.guards, *item.writes)


def _scribble(item: FunctionClaims, left_out: list[LeftOut]) -> Iterator[tuple[str, str]]:
    for claim in _claims(item):
        try:
            yield plain(claim.text, 200), f"#if_succeeds {_scribble_claim(claim)};"
        except UnsayableError as reason:
            left_out.append(LeftOut(scope=item.function, text=claim.text, reason=str(reason)))


def _scribble_claim(claim: GuardClaim | WriteClaim) -> str:
    if isinstance(claim, GuardClaim):
        return f"old({_SCRIBBLE.text(claim.condition)})"
    target = _SCRIBBLE.variable(claim.target, lambda key: f"old({_SCRIBBLE.text(key)})")
    changed, value = _SCRIBBLE.change(claim.target, target, claim.value)
    equation = f"({changed} == old({value}))"
    return equation if claim.condition is None else f"old({_SCRIBBLE.text(claim.condition)}) ==> {equation}"


def cvl(specification: Specification, artifact: Artifact) -> ExportText:
    """Return rules in CVL, one for each claim."""
    claims = read_claims(specification, artifact)
    left_out = list(claims.left_out)
    rules: list[str] = []
    for index, item in enumerate(claims.functions):
        for number, claim in enumerate(_claims(item)):
            try:
                rules += ["", *_rule(f"{index}_{number}", item, claim)]
            except UnsayableError as reason:
                left_out.append(LeftOut(scope=item.function, text=claim.text, reason=str(reason)))
    head = [
        f"// What the code of {plain(specification.name, 200)} demanded and did, as rules in CVL.",
        "// Variables are read from storage directly; arithmetic is that of mathint, which does not wrap around.",
        *comment_lines("//", left_out),
    ]
    return ExportText(text="\n".join([*head, *rules, ""]), left_out=tuple(left_out))


def _rule(number: str, item: FunctionClaims, claim: GuardClaim | WriteClaim) -> Iterator[str]:
    name = item.entry.name
    if not is_identifier(name):
        raise UnsayableError("the function has no name")
    if any("tuple" in parameter.type for parameter in item.entry.inputs):
        raise UnsayableError("an argument is a struct, whose name is not known")
    names = [parameter.name or f"arg{index}" for index, parameter in enumerate(item.entry.inputs)]
    if not all(is_identifier(each) and each != "e" for each in names):
        raise UnsayableError("an argument has no name that can stand there")
    declared = ", ".join(
        f"{canonical(parameter)} {each}" for parameter, each in zip(item.entry.inputs, names, strict=True)
    )
    call = ", ".join(["e", *names])
    yield f"// {plain(item.function, 200)}: {plain(claim.text, 300)}"
    yield f"rule {name}_{number}({declared}) {{"
    yield "    env e;"
    if isinstance(claim, GuardClaim):
        yield f"    bool held = {_CVL.text(claim.condition)};"
        yield f"    {name}@withrevert({call});"
        yield f"    assert !lastReverted => held, {literal(claim.text)};"
    else:
        keys = _Keys()
        target = _CVL.variable(claim.target, keys.name)
        yield from keys.lines
        changed, value = _CVL.change(claim.target, target, claim.value)
        yield f"    {_cvl_type(claim)} expected = {value};"
        if claim.condition is not None:
            yield f"    bool applies = {_CVL.text(claim.condition)};"
        yield f"    {name}({call});"
        premise = "" if claim.condition is None else "applies => "
        yield f"    assert {premise}{changed} == expected, {literal(claim.text)};"
    yield "}"


@dataclass(frozen=True, slots=True)
class _Keys:
    """The keys of a variable, as they were before the call."""

    lines: list[str] = field(default_factory=list)

    def name(self, key: Expression) -> str:
        """Return what a key is called, declared in a line of its own if a call may change it."""
        if isinstance(key, ArgumentValue | Constant):
            return _CVL.text(key)
        kind = key.type.kind
        type_names = {
            ValueKind.ADDRESS: "address",
            ValueKind.BOOL: "bool",
            ValueKind.BYTES: f"bytes{key.type.bits // 8}",
        }
        if kind not in type_names and kind is not ValueKind.UINT:
            raise UnsayableError("the type of a key is not known")
        text = _CVL.text(key)
        if isinstance(key, MachineOperation):
            text = f"require_uint256({text})"
        name = f"key{len(self.lines)}"
        bits = 256 if isinstance(key, MachineOperation | CallWord) else key.type.bits
        self.lines.append(f"    {type_names.get(kind, f'uint{bits}')} {name} = {text};")
        return name


def _cvl_type(claim: WriteClaim) -> str:
    kinds = {"bool": "bool", "address": "address"}
    return kinds.get(claim.target.type.kind.value, "mathint")


def daikon(specification: Specification, artifact: Artifact) -> ExportText:
    """Return the claims as Daikon prints what it found: by program point."""
    claims = read_claims(specification, artifact)
    left_out = list(claims.left_out)
    name = plain(specification.name, 200)
    blocks: list[str] = []
    for item in claims.functions:
        point = f"{name}.{plain(item.signature or item.function, 300)}"
        for suffix, points in ((":::ENTER", item.guards), (":::EXIT", item.writes)):
            lines = list(_daikon(item, points, left_out))
            if lines:
                blocks += ["=" * 75, point + suffix, *lines]
    head = [
        "# Program points in Daikon's form. Entries hold in all calls that are accepted.",
        *comment_lines("#", left_out),
    ]
    return ExportText(text="\n".join([*head, *blocks, ""]), left_out=tuple(left_out))


def _daikon(
    item: FunctionClaims, claims: tuple[GuardClaim, ...] | tuple[WriteClaim, ...], left_out: list[LeftOut]
) -> Iterator[str]:
    for claim in claims:
        try:
            if isinstance(claim, GuardClaim):
                yield _DAIKON.text(claim.condition)
                continue
            target = _DAIKON.variable(claim.target, lambda key: f"orig({_DAIKON.text(key)})")
            changed, value = _DAIKON.change(claim.target, target, claim.value)
            equation = f"({changed} == orig({value}))"
            yield (
                equation
                if claim.condition is None
                else f"(orig({_DAIKON.text(claim.condition)})) ==> {equation}"
            )
        except UnsayableError as reason:
            left_out.append(LeftOut(scope=item.function, text=claim.text, reason=str(reason)))


def _quote_yaml(text: str) -> str:
    """Return a text as a string of YAML, which takes those of JSON."""
    return json.dumps(text)
