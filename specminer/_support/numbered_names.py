"""Words for storage whose variable has no known name: ``mapping0[id]+4`` is field 4 of mapping0[id].

Such a name tells where a value lies: the number of the slot, the keys of mappings and the indices of arrays, how many
slots behind the beginning of an entry it lies, and which bytes of the slot it has, counted from the right.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from itertools import takewhile
from typing import Final, NamedTuple

from specminer._support.addresses import ends_of
from specminer._support.text import closing_bracket

MAX_TEXT: Final = 20_000
"""Characters of a text in which names are looked for; longer ones stay as they are."""
MAX_DEPTH: Final = 8
"""Keys within keys that are told in words."""
_START: Final = re.compile(
    r"(?<![\w$.`])`?((?:transient )?)(slot|mapping|array)(0x[0-9a-f]{1,64}|[0-9]{1,20})(?!\w)"
)
_FIELD: Final = re.compile(r"\+([0-9]{1,6})(?!\w)")
_PART: Final = re.compile(r"\.(byte|bit)s([0-9]{1,3})to([0-9]{1,3})(?!\w)")
_CALL: Final = re.compile(r"\.[A-Za-z_$][\w$]{0,79}\(")
"""A call of the contract whose address lies there."""
_IN_WORDS: Final = re.compile(r"(?:field [0-9]{1,6}|(?:byte|bit)s? [0-9 to]{1,12}) of $")
"""What stands before a name that is told in words already."""
_OTHER_NAME: Final = re.compile(r"[\w$(]|\.[\w$]|\[")
"""What no numbered name has behind it: the text is a name of something else, as of a function ``slot0()``."""
_NO_KEYS: Final = frozenset({"", "·"})
"""Keys that go without saying."""
_LONG_NUMBER: Final = 20
"""Digits of a slot's number that are shown whole."""


class NumberedName(NamedTuple):
    """A name within a text."""

    start: int
    """Where it begins, with a backtick if it has one."""
    end: int
    """Where it ends, without the backtick behind it."""
    kind: str
    """``slot``, ``mapping`` or ``array``, behind ``transient`` where it is."""
    number: str
    """The slot that the variable has, in decimal or hexadecimal digits."""
    steps: tuple[tuple[str, str], ...]
    """What leads from there to the value: a sign and a text each, as ``("[", "id")`` and ``("byte", "0-13")``."""

    @property
    def depth(self) -> int:
        """How many keys stand before anything else."""
        return len(tuple(takewhile(lambda step: step[0] == "[", self.steps)))

    @property
    def is_field(self) -> bool:
        """Whether it lies behind the first slot of an entry."""
        return self.steps[self.depth : self.depth + 1] != () and self.steps[self.depth][0] == "+"

    @property
    def entry(self) -> tuple[str, int]:
        """What the entry is part of, and by how many keys it is reached."""
        return f"{self.kind}{self.number}", self.depth

    def _is_struct(self, structs: Collection[tuple[str, int]]) -> bool:
        """Whether the entries have several fields; a short name without its keys counts as any of the variable."""
        return self.entry in structs or (not self.depth and any(self.entry[0] == name for name, _ in structs))

    def words(self, structs: Collection[tuple[str, int]] = (), depth: int = 0) -> str:
        """Return the words; for the arguments see :func:`spell_numbered_names`."""
        digits = self.number
        if len(digits) > _LONG_NUMBER:
            digits = ends_of(digits)
        text, is_entry = f"{self.kind}{digits}", True
        steps = list(self.steps)
        if not self.is_field and self._is_struct(structs):
            steps.insert(self.depth, ("+", "0"))
        for sign, value in steps:
            if sign == "[":
                key = "" if value in _NO_KEYS else spell_numbered_names(value, structs, depth + 1)
                addition = f"{text}[{key}]" if is_entry else f"entry {key} of {text}"
                text = addition if key else text
                continue
            is_entry = False
            if sign == "+":
                text = f"field {value} of {text}"
            else:
                first, last = value.split("-")
                text = (
                    f"{sign} {first} of {text}" if first == last else f"{sign}s {first} to {last} of {text}"
                )
        return text


def numbered_names(text: str) -> Iterator[NumberedName]:
    """Yield the names of storage without a known variable in a text, from left to right; none in one too long."""
    position = 0
    while len(text) <= MAX_TEXT and (match := _START.search(text, position)) is not None:
        end, steps = _read_steps(text, match.end())
        position = max(end, match.end())
        in_words = _IN_WORDS.search(text, max(0, match.start() - 30), match.start())
        is_other = in_words or (match[2] == "slot" and any(sign in "[+" for sign, _ in steps))
        if not is_other and (_CALL.match(text, end) or not _OTHER_NAME.match(text, end)):
            yield NumberedName(match.start(), end, f"{match[1]}{match[2]}", match[3], tuple(steps))


def spell_numbered_names(text: str, structs: Collection[tuple[str, int]] = (), depth: int = 0) -> str:
    """Return a text in which storage without a known variable is told in words.

    Args:
        text: what may name it.
        structs: the entries that have several fields, see :func:`structs_of`.
        depth: within how many keys the text stands; what lies too deep stays as it is.

    """
    if depth > MAX_DEPTH:
        return text
    pieces, end = list[str](), 0
    for name in numbered_names(text):
        quoted = text[name.start] == "`"
        closing = text.find("`", name.end) if quoted else name.end
        if closing < 0:
            continue
        pieces += [text[end : name.start], name.words(structs, depth), text[name.end : closing]]
        end = closing + quoted
    return "".join([*pieces, text[end:]])


def is_place(text: str) -> bool:
    """Whether a text begins with the name of storage without a known variable."""
    return any(name.start == 0 for name in numbered_names(text))


def structs_of(texts: Iterable[str]) -> frozenset[tuple[str, int]]:
    """Return the entries in some texts that have several fields: of ``mapping0[]`` where ``mapping0[id]+4`` is."""
    return frozenset(name.entry for text in texts for name in numbered_names(text) if name.is_field)


def _read_steps(text: str, position: int) -> tuple[int, list[tuple[str, str]]]:
    """Read what stands behind the number of a slot; return where it ends, and the steps."""
    steps: list[tuple[str, str]] = []
    while position < len(text):
        if text[position] == "[":
            end = closing_bracket(text, position + 1)
            if end is None:
                break
            steps.append(("[", text[position + 1 : end]))
            position = end + 1
        elif (field := _FIELD.match(text, position)) is not None:
            steps.append(("+", field[1]))
            position = field.end()
        elif (part := _PART.match(text, position)) is not None:
            steps.append((part[1], f"{part[2]}-{part[3]}"))
            position = part.end()
        else:
            break
    return position, steps
