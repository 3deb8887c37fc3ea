"""Names of variables and functions as people say them: ``tokenIndexToOwner`` is the owner."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from specminer._support.numbered_names import is_place, spell_numbered_names

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
    if is_place(raw):  # storage whose variable is not known: its place is all that can be told
        return spell_numbered_names(raw)
    if " + " in raw and not set("()") & set(raw):  # a deadline that the code computes: start + duration
        return " + ".join(readable(part, noun, spelled) for part in raw.split(" + "))
    field = re.sub(r"\[[^\]]*\]", "", raw.removeprefix("this.")).rsplit(".", 1)[-1]
    name_words = words(field)
    choice_words = [word for text in _CHOICE.findall(raw) for word in words(text) if word not in name_words]
    keyed = "[" in raw
    if keyed and "to" in name_words[1:-1]:  # tokenIndexToOwner: from what to what
        name_words = name_words[len(name_words) - name_words[::-1].index("to") :]
    if keyed and len(name_words) > 1 and name_words[-1] == "of":  # priceOf
        name_words = name_words[:-1]
    while len(name_words) > 1 and name_words[0] in _FILLER:
        name_words = name_words[1:]
    specific_words = [word for word in name_words if word not in noun]
    if specific_words and specific_words != name_words and not set(specific_words) <= KEY_WORDS:
        name_words = [word for word in specific_words if word not in KEY_WORDS]
    name_words = [spelled[word] if word.upper() in field and word in spelled else word for word in name_words]
    if choice_words:  # hasRole[MINTER_ROLE]: a minter
        name_words = [word for word in name_words if word not in _ROLES]
    return " ".join([*name_words, *choice_words]) or raw
