"""Phrases: what a reader calls an expression, with what has to be known to put it into a larger one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Flag, IntEnum, auto
from typing import Final

from specminer.decoding.storage_values import ValueKind
from specminer.history.contract_history import MISSING

MAX_TEXT: Final = 320
"""Characters of a phrase; a longer one is cut, and its sources are named."""
MAX_SOURCES: Final = 6
"""Sources of a cut phrase that are named."""
MAX_SOURCE: Final = 48
"""Characters of a source's name in a list."""


class Strength(IntEnum):
    """How tightly an expression holds together: parentheses are needed around what is weaker."""

    OR = auto()
    AND = auto()
    COMPARISON = auto()
    BITS = auto()
    SHIFT = auto()
    SUM = auto()
    PRODUCT = auto()
    POWER = auto()
    ATOM = auto()


class Origin(Flag):
    """What an expression depends on."""

    NOTHING = 0
    CALL = auto()
    """The call itself: its arguments, its sender, its time."""
    STORED = auto()
    """Storage."""
    ANSWER = auto()
    """Answers of other contracts, balances and code of other accounts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """What a reader calls an expression."""

    text: str
    strength: Strength = Strength.ATOM
    sign: str = ""
    """The operation that holds it together, if it is one of several operands."""
    kind: ValueKind = ValueKind.WORD
    members: tuple[str, ...] = ()
    bits: int = 256
    """A number of bits that its type never exceeds."""
    origin: Origin = Origin.NOTHING
    variable: int = MISSING
    """Row in ``Locations.variables`` if it is storage, else ``MISSING``."""
    field: int = 0
    keys: tuple[str, ...] = ()
    """Names of the keys, the outermost first."""
    key: int = MISSING
    """The expression that is its only key; ``MISSING`` if it has none, or several, or the code does not compute it."""
    source: str = ""
    """What it is called in a list of sources; empty for ``text``."""
    cut: bool = False
    """Whether it was too long: the text names its sources only."""

    def within(self, strength: Strength) -> str:
        """Return the text as an operand of something that holds together so tightly."""
        return f"({self.text})" if self.strength < strength else self.text


def join_phrases(phrases: Sequence[Phrase], sign: str, strength: Strength, kind: ValueKind) -> Phrase:
    """Return phrases with a sign between them, in parentheses where they would be read otherwise."""
    first, *others = phrases
    tighter = Strength(min(strength + 1, Strength.ATOM))
    has_other_sign = strength is Strength.BITS and first.sign != sign
    texts = [first.within(tighter if has_other_sign else strength)]
    for item in others:
        same = sign in ASSOCIATIVE and item.sign in (sign, *_ALSO.get(sign, ()))
        texts.append(item.within(strength if same else tighter))
    return Phrase(
        text=f" {sign} ".join(texts),
        strength=strength,
        sign=sign,
        kind=kind,
        origin=together(phrases),
        cut=any(item.cut for item in phrases),
    )


ASSOCIATIVE: Final = ("+", "*", "&", "|", "^", "and", "or")
_ALSO: Final = {"+": ("-",)}
"""What may follow a sign without parentheses, other than itself."""


def together(phrases: Iterable[Phrase]) -> Origin:
    """Return what some phrases depend on."""
    origin = Origin.NOTHING
    for phrase in phrases:
        origin |= phrase.origin
    return origin


def list_sources(phrases: Iterable[Phrase]) -> str:
    """Return the names of sources, each once, in their order, those beyond the bound left out."""
    names = list(dict.fromkeys(shorten_name(item.source or item.text) for item in phrases))
    if len(names) > MAX_SOURCES:
        names = [*names[: MAX_SOURCES - 1], "…"]
    return ", ".join(names)


def shorten_name(text: str) -> str:
    """Return a name that fits into a list."""
    return text if len(text) <= MAX_SOURCE else f"{text[: MAX_SOURCE - 1]}…"
