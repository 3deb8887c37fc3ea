"""What was called, and with which arguments, as columns.

The calldata of each function is cut into 32-byte words at once: an argument of a static type stands at a known
place (``ArgumentColumn``); elements of arrays and texts are found through their offsets. Shorter calldata reads
as zeros behind its end, as in the EVM, and bits that a type does not have are dropped, as compilers do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from specminer._support.scratch import in_file
from specminer._support.texts import read_windows, sizes_of
from specminer.contracts.interface import Interface, InterfaceFunction
from specminer.history.contract_history import CONSTRUCTOR, KINDS, BoolColumn, History, IntColumn
from specminer.history.trace import Address
from specminer.history.words import WordArray

_Bytes = npt.NDArray[np.uint8]

MAX_WORDS: Final = 64
"""Head words of one function looked at; what stands behind them is no argument column."""
MAX_UNKNOWN_WORDS: Final = 8
"""Words taken for arguments where a function's types are unknown."""
MAX_ELEMENTS: Final = 256
"""Elements of one array argument looked at."""
_ARRAY: Final = re.compile(r"(.+)\[([0-9]*)\]", re.ASCII)
_NUMBER: Final = re.compile(r"(u?int|bytes)([0-9]*)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """Which function each of ``n`` invocations called."""

    functions: tuple[str, ...]
    """Bare names, each once, ascending."""
    function: IntColumn
    """Position in ``functions``; shape (n,)."""
    read_only: BoolColumn
    """Whether the function cannot change anything; shape (n,)."""
    interface_functions: tuple[InterfaceFunction | None, ...]
    """What the interface knows of each of ``functions``; ``None`` for nothing."""

    def name(self, invocation: int) -> str:
        """Return the name of the function that an invocation called."""
        return self.functions[int(self.function[invocation])]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgumentColumn:
    """One argument of one function over the history, or the elements of one array argument."""

    function: int
    """Position in ``Calls.functions``."""
    name: str
    """``_tokenId``; ``order[1]`` in a tuple or an array of fixed length; ``ids[]`` for all elements."""
    type: str
    """As selectors spell it: ``uint256``, ``address``; ``word`` where unknown."""
    head_word: int
    """Number of the head word."""
    single: bool
    """Whether each invocation has exactly one value."""
    invocation: IntColumn
    """Rows of the invocations, ascending; shape (c,)."""
    words: WordArray
    """The values; shape (c,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextColumn:
    """One ``string`` or ``bytes`` argument of one function over the history."""

    function: int
    name: str
    invocation: IntColumn
    texts: tuple[bytes, ...]


def decode_calls(history: History, interface: Interface) -> Calls:
    """Return which function each invocation called."""
    codes, beginnings = _beginnings(history, by_code=bool(interface.versions))
    names: list[str] = []
    declarations: list[InterfaceFunction | None] = []
    for created, selector, code in beginnings:
        kind = KINDS[CONSTRUCTOR] if created else KINDS[0]
        version = interface.of_code(code)
        # creation code begins with bytes that are no selector
        names.append(version.function_name(kind, b"" if created else selector))
        declarations.append(None if created else _declared(interface, version, selector))
    functions = tuple(sorted(set(names)))
    positions = np.array([functions.index(name) for name in names], dtype=np.int64)
    by_name = dict(zip(names, declarations, strict=True))  # of one name all are the same
    reading = np.array([item is not None and item.read_only for item in declarations], dtype=np.bool_)
    return Calls(
        functions=functions,
        function=in_file(positions[codes]) if len(codes) else codes,
        read_only=reading[codes] if len(codes) else np.zeros(0, dtype=np.bool_),
        interface_functions=tuple(by_name[name] for name in functions),
    )


def _declared(interface: Interface, version: Interface, selector: bytes) -> InterfaceFunction | None:
    """Return what is known of a function of one implementation: the same for all in which it has the same name."""
    own, common = version.functions.get(selector), interface.functions.get(selector)
    return common if own is not None and common is not None and own.name == common.name else own


def _beginnings(history: History, *, by_code: bool) -> tuple[IntColumn, list[tuple[bool, bytes, Address]]]:
    """Return each invocation's number among the distinct beginnings of calldata, and these in the order of the calls.

    A beginning is whether a contract was created, up to four bytes, and an address whose code ran; the first one where
    that does not matter.
    """
    data, created = history.invocation_data, history.invocation_kind == CONSTRUCTOR
    size = np.minimum(sizes_of(data), 4)
    words = read_windows(data, np.arange(len(history)), 0, 4).view(">u4").reshape(-1)
    keys = (created.astype(np.int64) << 40) | (size << 32) | words.astype(np.int64)
    if by_code:
        keys |= history.invocation_code.astype(np.int64) << 41
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first)
    number = np.empty(len(order), dtype=np.int64)
    number[order] = np.arange(len(order))
    rows = first[order].tolist()
    addresses, code = history.addresses, history.invocation_code
    return number[inverse.ravel()], [
        (bool(created[row]), data[row][:4], addresses[int(code[row])]) for row in rows
    ]


def arguments(history: History, calls: Calls) -> list[ArgumentColumn]:
    """Return the arguments that are words, by function and place; the constructor's are left out."""
    columns: list[ArgumentColumn] = []
    for function, rows in _by_function(history, calls):
        leaves = _leaves(calls.interface_functions[function], history, rows)
        if not leaves:
            continue
        heads = _heads(history, rows, 1 + max(leaf.head_word for leaf in leaves))
        for leaf in leaves:
            if leaf.element is None:
                words = _clean_words(heads[:, leaf.head_word], leaf.type)
                invocations, values, kind = rows, words, leaf.type
            else:
                invocations, values = _elements(history, rows, heads[:, leaf.head_word], leaf.element)
                kind = leaf.element
            columns.append(
                ArgumentColumn(
                    function=function,
                    name=leaf.name,
                    type=kind,
                    head_word=leaf.head_word,
                    single=leaf.element is None,
                    invocation=invocations,
                    words=values,
                )
            )
    return columns


def texts(history: History, calls: Calls) -> list[TextColumn]:
    """Return the ``string`` and ``bytes`` arguments, by function and place."""
    columns: list[TextColumn] = []
    for function, rows in _by_function(history, calls):
        declaration = calls.interface_functions[function]
        for name, kind, position in _top_level(declaration) if declaration is not None else ():
            if kind in ("string", "bytes") and position < MAX_WORDS:
                contents = [_text(history.invocation_data[row], position) for row in rows.tolist()]
                columns.append(
                    TextColumn(function=function, name=name, invocation=rows, texts=tuple(contents))
                )
    return columns


def senders(history: History) -> WordArray:
    """Return each address of the history as a word; shape (rows of ``History.addresses``,)."""
    return _as_words(np.frombuffer(b"".join(bytes(12) + item for item in history.addresses), np.uint8))


def outputs(history: History, rows: IntColumn) -> WordArray:
    """Return the first word that each of the invocations returned; zero if there is none."""
    return _as_words(read_windows(history.invocation_output, rows, 0, 32))


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A word of the head, or the elements that it points to."""

    name: str
    type: str
    head_word: int
    element: str | None = None


def _by_function(history: History, calls: Calls) -> Iterator[tuple[int, IntColumn]]:
    order = np.argsort(calls.function, kind="stable")
    bounds = np.searchsorted(calls.function[order], np.arange(len(calls.functions) + 1))
    for function in range(len(calls.functions)):
        rows = order[bounds[function] : bounds[function + 1]]
        rows = rows[history.invocation_kind[rows] != CONSTRUCTOR]
        if len(rows):
            yield function, rows


def _leaves(declaration: InterfaceFunction | None, history: History, rows: IntColumn) -> list[_Leaf]:
    if declaration is None:
        sizes = np.sort(np.maximum(sizes_of(history.invocation_data)[rows] - 4, 0) // 32)
        count = min(int(sizes[len(sizes) // 2]), MAX_UNKNOWN_WORDS)
        return [_Leaf(f"word{position}", "word", position) for position in range(count)]
    leaves: list[_Leaf] = []
    for name, kind, position in _top_level(declaration):
        if position >= MAX_WORDS:
            break
        leaves += _flatten_parameter(name, kind, position)
    return leaves


def _top_level(declaration: InterfaceFunction) -> Iterator[tuple[str, str, int]]:
    """Yield name, type and place of the head word of each parameter."""
    position = 0
    for name, kind in zip(declaration.arguments, declaration.types, strict=True):
        yield name, kind, position
        if position > MAX_WORDS:
            return
        position += _size(kind) or 1


def _size(kind: str) -> int | None:
    """Return the words of a static type, at most ``MAX_WORDS + 1``; ``None`` for a dynamic one."""
    array = _ARRAY.fullmatch(kind)
    if array is not None:
        inner = _size(array[1])
        if not array[2] or inner is None:
            return None
        return min(inner * int(array[2][:9]), MAX_WORDS + 1)
    if kind.startswith("("):
        total = 0
        for part in _parts(kind):
            inner = _size(part)
            if inner is None:
                return None
            total += inner
        return min(total, MAX_WORDS + 1)
    return None if kind in ("string", "bytes") else 1


def _parts(kind: str) -> list[str]:
    """Split the inside of ``(a,(b,c),d)`` at the commas outside parentheses."""
    parts, depth = [""], 0
    for char in kind[1:-1]:
        depth += (char == "(") - (char == ")")
        if char == "," and not depth:
            parts.append("")
        else:
            parts[-1] += char
    return [part for part in parts if part]


def _flatten_parameter(name: str, kind: str, position: int) -> list[_Leaf]:
    """Return the words of a parameter: of a static type all, of an array of words its elements."""
    size = _size(kind)
    array = _ARRAY.fullmatch(kind)
    if size is None:
        simple = array is not None and not array[2] and _size(array[1]) == 1 and _plain(array[1])
        return [_Leaf(f"{name}[]", kind, position, array[1])] if simple and array is not None else []
    if array is None and not kind.startswith("("):
        return [_Leaf(name, kind, position)] if position < MAX_WORDS else []
    inner = _parts(kind) if array is None else [array[1]] * min(int(array[2][:9]), MAX_WORDS)
    leaves: list[_Leaf] = []
    for number, part in enumerate(inner):
        if position >= MAX_WORDS:
            break
        leaves += _flatten_parameter(f"{name}[{number}]", part, position)
        position += _size(part) or 1
    return leaves


def _plain(kind: str) -> bool:
    return not kind.startswith("(") and not kind.endswith("]")


def _heads(history: History, rows: IntColumn, count: int) -> WordArray:
    """Return the first words behind the selectors; shape (rows, count)."""
    return read_windows(history.invocation_data, rows, 4, 32 * count).view("S32")


def _clean_words(words: WordArray, kind: str) -> WordArray:
    """Return words without the bits that a type does not have."""
    raw = np.ascontiguousarray(words).view(np.uint8).reshape(-1, 32)
    match = _NUMBER.fullmatch(kind)
    if kind == "address":
        return _as_words(_mask_bytes(raw, 12, 32))
    if match is not None and match[1] == "uint" and match[2]:
        return _as_words(_mask_bytes(raw, 32 - min(int(match[2][:3]), 256) // 8, 32))
    if match is not None and match[1] == "bytes" and match[2]:
        return _as_words(_mask_bytes(raw, 0, min(int(match[2][:3]), 32)))
    return _as_words(raw)


def _mask_bytes(raw: _Bytes, first: int, last: int) -> _Bytes:
    masked = np.zeros_like(raw)
    masked[:, first:last] = raw[:, first:last]
    return masked


def _as_words(raw: _Bytes) -> WordArray:
    return np.ascontiguousarray(raw).reshape(-1).view("S32")


def _elements(
    history: History, rows: IntColumn, offsets: WordArray, kind: str
) -> tuple[IntColumn, WordArray]:
    """Return the elements of array arguments: (invocation, value) pairs; malformed ones have none."""
    invocations: list[int] = []
    values: list[bytes] = []
    text = offsets.tobytes()
    for position, row in enumerate(rows.tolist()):
        data = history.invocation_data[row]
        start, length = _tail(data, int.from_bytes(text[32 * position : 32 * position + 32], "big"))
        count = min(length, MAX_ELEMENTS, max(0, len(data) - start) // 32)
        invocations += [row] * count
        values += [data[start + 32 * at : start + 32 * at + 32] for at in range(count)]
    words = np.frombuffer(b"".join(values), dtype="S32")
    return np.array(invocations, dtype=np.int64), _clean_words(words, kind)


def _tail(data: bytes, offset: int) -> tuple[int, int]:
    """Return where the content behind an offset begins, and the length that it claims."""
    if offset > len(data):
        return len(data), 0
    start = 4 + offset
    return start + 32, int.from_bytes(data[start : start + 32], "big")


def _text(data: bytes, position: int) -> bytes:
    head = 4 + 32 * position
    start, length = _tail(data, int.from_bytes(data[head : head + 32], "big"))
    return data[start : start + length]
