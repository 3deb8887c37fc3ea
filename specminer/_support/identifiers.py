"""Names of variables and functions as people say them: ``tokenIndexToOwner`` is the owner."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_CHOICE: Final = re.compile(r"\[([A-Z][A-Z0-9_]*|[0-9]{1,6})\]")
"""A key that stands for a choice: a role, a number of a token."""
_ROLES: Final = frozenset({"role", "roles", "has", "is"})
"""Words that go without saying of somebody who has a role."""
_FILLER: Final = frozenset({"is", "has", "get", "the", "current", "m", "s"})
"""Words that a phrase says better itself, at the beginning of a name."""
KEY_WORDS: Final = frozenset({"index", "id", "idx", "indices", "ids"})
"""Words that only say that something is a key."""


def words(name: str) -> list[str]:
    """Return the words of a name, in lower case: ``tokenURIHash`` is token, uri, hash."""
    return [word.lower() for word in _WORD.findall(name)]


def readable(raw: str, noun: set[str], spelled: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return a variable's name as people would say it; the raw name where no words are left.

    Args:
        raw: the name with its keys.
        noun: words for the entity itself, which go without saying.
        spelled: what abbreviations in capitals stand for.

    """
    if " + " in raw and not set("()") & set(raw):  # a deadline that the code computes: start + duration
        return " + ".join(readable(part, noun, spelled) for part in raw.split(" + "))
    field = re.sub(r"\[[^\]]*\]", "", raw.removeprefix("this.")).rsplit(".", 1)[-1]
    found = words(field)
    chosen = [word for text in _CHOICE.findall(raw) for word in words(text) if word not in found]
    keyed = "[" in raw
    if keyed and "to" in found[1:-1]:  # tokenIndexToOwner: from what to what
        found = found[len(found) - found[::-1].index("to") :]
    if keyed and len(found) > 1 and found[-1] == "of":  # priceOf
        found = found[:-1]
    while len(found) > 1 and found[0] in _FILLER:
        found = found[1:]
    kept = [word for word in found if word not in noun]
    if kept and kept != found and not set(kept) <= KEY_WORDS:
        found = [word for word in kept if word not in KEY_WORDS]
    found = [spelled[word] if word.upper() in field and word in spelled else word for word in found]
    if chosen:  # hasRole[MINTER_ROLE]: a minter
        found = [word for word in found if word not in _ROLES]
    return " ".join([*found, *chosen]) or raw
