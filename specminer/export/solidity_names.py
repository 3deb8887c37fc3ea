"""What conditions speak of, as Solidity expressions with the kind of their types."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from specminer._support.text import closing_bracket
from specminer.contracts.artifact import AbiEntry, Artifact, Parameter
from specminer.export.expressions import UnsayableError

_IDENTIFIER: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]{0,127}", re.ASCII)
_UNNAMED: Final = re.compile(r"(?:mapping|slot|array)\d+|bytes\d+to\d+|arg\d+")
"""Storage that is called by its place, and arguments that the ABI gives no name."""
_PART: Final = re.compile(r"\.(?P<member>[A-Za-z_$][A-Za-z0-9_$]*)|\[(?P<number>[0-9]{1,78})\]|\[", re.ASCII)
_KEYWORDS: Final = frozenset(
    re.findall(
        r"[a-z]+",
        """
        abstract address after alias anonymous apply as assembly auto bool break byte bytes calldata case
        catch constant constructor continue contract copyof default define delete do else emit enum error
        event external fallback false final fixed for from function hex if immutable implements import in
        indexed inline int interface internal is let library macro mapping match memory modifier msg mutable
        new null of override partial payable pragma private promise public pure receive reference
        relocatable return returns revert sealed sizeof static storage string struct super supports switch
        throw true try tx type typedef typeof ufixed uint unchecked using var view virtual while
        """,
    )
)
_WORD_TYPE: Final = re.compile(r"(?P<name>uint|int|address|bool|bytes)(?P<size>[0-9]{1,3})?", re.ASCII)
_ENUM: Final = re.compile(rf"enum (?P<name>{_IDENTIFIER.pattern}(?:\.{_IDENTIFIER.pattern})?)", re.ASCII)


class Kind(Enum):
    """What is known of a Solidity expression's type."""

    NUMBER = "number"
    """An unsigned integer."""
    SIGNED = "signed"
    ADDRESS = "address"
    TRUTH = "truth"
    BYTES = "bytes"
    """Bytes of a fixed length."""
    OPEN = "open"
    """A value whose type the document does not tell: an integer, an address, an enum."""


CALL_WORDS: Final[Mapping[str, tuple[str, Kind]]] = {
    "sender": ("msg.sender", Kind.ADDRESS),
    "origin": ("tx.origin", Kind.ADDRESS),
    "value": ("msg.value", Kind.NUMBER),
    "now": ("block.timestamp", Kind.NUMBER),
    "block": ("block.number", Kind.NUMBER),
    "this": ("address(this)", Kind.ADDRESS),
    "beneficiary": ("block.coinbase", Kind.ADDRESS),
}
"""The words that conditions use for parts of the call."""
_OTHER_WORDS: Final = frozenset({"randomness", "creator", "previous", "newcomer", "last"})
"""Words of conditions that Solidity has no expression for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """An argument of a function, if it is one word."""

    type: str
    """Its type in Solidity."""
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A Solidity expression for what a condition speaks of."""

    text: str
    kind: Kind
    group: str
    """Terms of one group have one type: the elements of a mapping, whatever the key."""
    arguments: frozenset[str]
    """The arguments of the function that stand in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SolidityScope:
    """The names that a function's conditions can use."""

    arguments: Mapping[str, Argument | None]
    """By name; ``None`` for an argument that is no single word."""
    ambiguous: frozenset[str] = field(default_factory=frozenset)
    """Words for parts of the call, and arguments, that are names of the contract's own variables too."""

    def term(self, name: str) -> Term:
        """Return the expression of a whole name.

        Raises:
            UnsayableError: the name is an expression, or has no name in the source.

        """
        root = _IDENTIFIER.match(name)
        if root is None:
            raise UnsayableError("it speaks of what has no name in the source")
        term = self._root(root[0], is_alone=root.end() == len(name))
        text, group, arguments = term.text, term.group, term.arguments
        position = root.end()
        while position < len(name):
            part = _PART.match(name, position)
            if part is None:
                raise UnsayableError("it speaks of an expression, not of a variable or an argument")
            position = part.end()
            if part["member"] is not None:
                _check_identifier(part["member"])
                text, group = f"{text}.{part['member']}", f"{group}.{part['member']}"
            elif part["number"] is not None:
                text, group = f"{text}[{part['number']}]", f"{group}[]"
            else:
                end = closing_bracket(name, position)
                if end is None:
                    raise UnsayableError("it speaks of an expression, not of a variable or an argument")
                key = self.term(name[position:end])
                text, group = f"{text}[{key.text}]", f"{group}[]"
                arguments |= key.arguments
                position = end + 1
        return Term(text=text, kind=term.kind, group=group, arguments=arguments)

    def _root(self, name: str, *, is_alone: bool) -> Term:
        if name in self.ambiguous:
            raise UnsayableError(f"'{name}' may be a variable or something else of the call")
        if name in CALL_WORDS and is_alone:
            text, kind = CALL_WORDS[name]
            return Term(text=text, kind=kind, group=text, arguments=frozenset())
        _check_identifier(name)
        if name in _OTHER_WORDS and is_alone:
            raise UnsayableError(f"'{name}' has no expression in Solidity")
        if name not in self.arguments:
            return Term(text=name, kind=Kind.OPEN, group=name, arguments=frozenset())
        argument = self.arguments[name]
        if argument is None or not is_alone:
            raise UnsayableError(f"the argument '{name}' is no single word")
        return Term(text=name, kind=argument.kind, group=f"argument {name}", arguments=frozenset({name}))


def is_identifier(name: str) -> bool:
    """Whether a name can stand in Solidity as it is."""
    return (
        _IDENTIFIER.fullmatch(name) is not None
        and name not in _KEYWORDS
        and _WORD_TYPE.fullmatch(name) is None
    )


def _check_identifier(name: str) -> None:
    if _UNNAMED.fullmatch(name):
        raise UnsayableError("it speaks of what has no name in the source")
    if not is_identifier(name):
        raise UnsayableError("it speaks of a name that is no identifier")


def function_entry(artifact: Artifact, function: str) -> AbiEntry | None:
    """Return the ABI's entry of a function as the document calls it; ``None`` if there is none, or more than one."""
    if function in ("constructor", "receive", "fallback"):
        return next((entry for entry in artifact.abi if entry.type == function), AbiEntry(type=function))
    entries = [
        entry
        for entry in artifact.abi
        if entry.type == "function" and function in (entry.name, _signature(entry))
    ]
    return entries[0] if len(entries) == 1 else None


def _signature(entry: AbiEntry) -> str:
    return f"{entry.name}({','.join(parameter.type for parameter in entry.inputs)})"


def function_scope(artifact: Artifact, entry: AbiEntry) -> SolidityScope:
    """Return the names that the conditions of a function can use."""
    layout = artifact.storage_layout or {}
    own = {item.get("label") for item in layout.get("storage", ()) if isinstance(item, dict)}
    own |= {item.name for item in artifact.abi if item.type == "function" and not item.inputs}
    names = {parameter.name for parameter in entry.inputs}
    return SolidityScope(
        arguments={parameter.name: _argument(parameter) for parameter in entry.inputs if parameter.name},
        ambiguous=frozenset((names | CALL_WORDS.keys()) & own | (names & CALL_WORDS.keys())),
    )


def _argument(parameter: Parameter) -> Argument | None:
    if parameter.is_enum:
        spelling = _ENUM.fullmatch(str(parameter.internal_type))
        return None if spelling is None else Argument(type=spelling["name"], kind=Kind.OPEN)
    word = _WORD_TYPE.fullmatch(parameter.type)
    if word is None or (word["name"] == "bytes" and word["size"] is None):
        return None
    kinds = {
        "uint": Kind.NUMBER,
        "int": Kind.SIGNED,
        "address": Kind.ADDRESS,
        "bool": Kind.TRUTH,
        "bytes": Kind.BYTES,
    }
    return Argument(type=parameter.type, kind=kinds[word["name"]])
