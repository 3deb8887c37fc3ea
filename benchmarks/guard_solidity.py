"""Writes a drawn contract as Solidity."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.guard_grammar import (
    ADDRESS,
    STAGES,
    Argument,
    Arithmetic,
    Assignment,
    Branch,
    Check,
    Comparison,
    Condition,
    Constant,
    Context,
    Contract,
    Expression,
    Fact,
    Function,
    Junction,
    Kind,
    Length,
    Spot,
    Statement,
    Stored,
    Truth,
    Variable,
    Voice,
    expressions,
)

_FACTS = {
    Fact.SENDER: "msg.sender",
    Fact.VALUE: "msg.value",
    Fact.NOW: "block.timestamp",
    Fact.BLOCK: "block.number",
    Fact.BALANCE: "address(this).balance",
}
_SIGNS = {"=": "==", "and": "&&", "or": "||"}


def source(contract: Contract) -> str:
    """Return the contract's source."""
    checks = [check for function in contract.functions for check in _checks(function.body)]
    parts = [
        "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.20;",
        f"contract {contract.name} {{",
        f"enum Stage {{ {', '.join(STAGES)} }}",
        *(f"error Refused{item.number}({_error_values(item)});" for item in checks if _is_error(item)),
        *(
            f"bytes32 public constant {name} = bytes32(uint256({value:#x}));"
            for name, value in contract.roles.items()
        ),
        *map(_declaration, contract.variables),
        "constructor() payable {",
        *(_statement(item) for item in contract.initial),
        "}",
        *(_helper(check, function) for function in contract.functions for check in _checks(function.body)),
        *map(_function, contract.functions),
        "receive() external payable {}",
        "}",
    ]
    return "\n".join(part for part in parts if part)


def _checks(body: Iterable[Statement]) -> Iterable[Check]:
    for item in body:
        if isinstance(item, Check):
            yield item
        elif isinstance(item, Branch):
            yield from _checks((*item.then, *item.otherwise))


def _is_error(check: Check) -> bool:
    return check.voice in (Voice.ERROR, Voice.ERROR_VALUE)


def _error_values(check: Check) -> str:
    return "address, uint256" if check.voice is Voice.ERROR_VALUE else ""


def _declaration(variable: Variable) -> str:
    if variable.fields[0][0]:
        members = " ".join(f"{kind.name} {name};" for name, kind, _ in variable.fields)
        kind, before = f"Row{variable.slot}", f"struct Row{variable.slot} {{ {members} }}\n"
    else:
        kind, before = variable.fields[0][1].name, ""
    for key in reversed(variable.keys):
        kind = f"mapping({key.name} => {kind})"
    return f"{before}{kind} {variable.name};"


def _used(check: Check, function: Function) -> tuple[Argument, ...]:
    names = {item.name for item in expressions(check) if isinstance(item, Argument)}
    return tuple(item for item in function.arguments if item.name in names)


def _helper(check: Check, function: Function) -> str:
    """Return the modifier, or the function, in which a check stands; none for one inside its function."""
    if check.spot is Spot.INLINE:
        return ""
    arguments = _parameters(_used(check, function))
    if check.spot is Spot.MODIFIER:
        return f"modifier passing{check.number}({arguments}) {{ {_check(check)} _; }}"
    return f"function _check{check.number}({arguments}) internal {{ {_check(check)} }}"


def _parameters(arguments: Sequence[Argument]) -> str:
    return ", ".join(
        f"{item.type.name}{' calldata' if item.type.dynamic else ''} {item.name}" for item in arguments
    )


def _passed(check: Check, function: Function) -> str:
    return ", ".join(item.name for item in _used(check, function))


def _function(function: Function) -> str:
    modifiers = [
        f"passing{item.number}({_passed(item, function)})"
        for item in function.body
        if isinstance(item, Check) and item.spot is Spot.MODIFIER
    ]
    words = ["external", *(["payable"] if function.payable else []), *modifiers]
    body = [
        f"_check{item.number}({_passed(item, function)});"
        if isinstance(item, Check) and item.spot is Spot.INTERNAL
        else _statement(item)
        for item in function.body
        if not (isinstance(item, Check) and item.spot is Spot.MODIFIER)
    ]
    return "\n".join(
        [f"function {function.name}({_parameters(function.arguments)}) {' '.join(words)} {{", *body, "}"]
    )


def _statement(item: Statement) -> str:
    match item:
        case Check():
            return _check(item)
        case Branch():
            then, otherwise = (" ".join(map(_statement, part)) for part in (item.then, item.otherwise))
            text = f"if ({_condition(item.condition)}) {{ {then} }}"
            return f"{text} else {{ {otherwise} }}" if otherwise else text
        case Assignment():
            return f"{_value(item.target)} = {_cast(item.value, item.target)};"


def _check(check: Check) -> str:
    text = _condition(check.condition)
    match check.voice:
        case Voice.TEXT:
            return f'require({text}, "refused: {check.number}");'
        case Voice.ERROR:
            return f"if (!({text})) revert Refused{check.number}();"
        case Voice.ERROR_VALUE:
            return f"if (!({text})) revert Refused{check.number}(msg.sender, block.timestamp);"
        case Voice.ASSERT:
            return f"assert({text});"
        case Voice.NOTHING:
            return f"require({text});"


def _condition(item: Condition) -> str:
    match item:
        case Truth():
            return f"{'' if item.holds else '!'}{_value(item.value)}"
        case Junction():
            return f" {_SIGNS[item.word]} ".join(f"({_condition(part)})" for part in item.parts)
        case Comparison():
            left, right = _value(item.left), _value(item.right)
            if item.left.type.signed:
                left, right = f"int256({left})", f"int256({right})"
            return f"{left} {_SIGNS.get(item.sign, item.sign)} {right}"


def _value(item: Expression) -> str:
    match item:
        case Constant():
            return _constant(item)
        case Argument():
            return item.name
        case Context():
            return _FACTS[item.fact]
        case Length():
            return f"{item.argument.name}.length"
        case Stored():
            keys = "".join(f"[{_value(key)}]" for key in item.keys)
            name = item.variable.fields[item.field][0]
            return f"{item.variable.name}{keys}{f'.{name}' if name else ''}"
        case Arithmetic():
            kind = item.type.name
            left, right = (_widened(part, kind) for part in (item.left, item.right))
            return f"({left} {item.sign} {right})"


def _widened(item: Expression, kind: str) -> str:
    return (
        _value(item)
        if item.type.name == kind and not isinstance(item, Constant)
        else f"{kind}({_value(item)})"
    )


def _constant(item: Constant) -> str:
    match item.type.kind:
        case Kind.STAGE:
            return f"Stage.{STAGES[item.value]}"
        case Kind.BOOL:
            return "true" if item.value else "false"
        case Kind.ADDRESS:
            return f"address({item.value})"
        case Kind.ROLE:
            return f"bytes32(uint256({item.value:#x}))"
    return str(item.value)


def _cast(value: Expression, target: Stored) -> str:
    text, kind = _value(value), target.type
    if kind.kind in (Kind.UINT, Kind.INT) and kind != value.type:
        return f"{kind.name}({text})"
    return f"address({text})" if kind == ADDRESS and isinstance(value, Constant) else text
