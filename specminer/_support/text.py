"""Short texts for people: numbers with nouns, the name that was probably meant, names told apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Final

from specminer._support.errors import plain

_MAX_CHARACTERS: Final = 80
"""Characters of a suggested name that are shown at most."""


def count_of(number: int | None, noun: str, plural: str | None = None) -> str:
    """Return ``1 call``, ``1,329 calls`` or, if their number is not known, ``? calls``.

    ``plural`` is for nouns that do not just take an *s*.
    """
    return f"{show_number(number)} {noun if number == 1 else plural or f'{noun}s'}"


def show_number(value: float | None, form: str = ",") -> str:
    """Return a number as people read it, formatted as said; ``?`` for one that is not known."""
    return "?" if value is None else format(value, form)


def unknown_part(unknown: int | None) -> str:
    """Return ``, 3 unknown``: of how many cases nobody knows; nothing if there are none."""
    return f", {unknown:,} unknown" if unknown else ""


def with_unknown(count: int, unknown: int | None) -> int | str:
    """Return a count, or ``107, 3 unknown`` where some cases are."""
    return f"{count:,}{unknown_part(unknown)}" if unknown else count


def list_some(texts: Sequence[str], total: int, rest: str = " and {:,} more") -> str:
    """Return texts with commas between, and how many of the ``total`` they leave out."""
    return ", ".join(texts) + (rest.format(total - len(texts)) if total > len(texts) else "")


def join_words(texts: Sequence[str], conjunction: str) -> str:
    """Return ``a, b and c``, with the conjunction before the last."""
    *others, last = texts
    return f"{', '.join(others)} {conjunction} {last}" if others else last


def closing_bracket(text: str, start: int) -> int | None:
    """Return where the square bracket closes whose content starts at a position; ``None`` if it does not."""
    depth = 1
    for position in range(start, len(text)):
        depth += (text[position] == "[") - (text[position] == "]")
        if not depth:
            return position
    return None


def nearest(name: str, names: Iterable[str], *, count: int = 1, cutoff: float = 0.6) -> list[str]:
    """Return the known names that are most like one that is not known, the most alike first.

    Args:
        name: what was asked for.
        names: the names there are; of equally similar ones the later comes first.
        count: how many are returned at most.
        cutoff: how alike they are at least, from 0 to 1 (all characters the same).

    """
    return get_close_matches(name, list(names), n=count, cutoff=cutoff)


def suggest(name: str, names: Iterable[str], otherwise: str = "") -> str:
    """Return ``did you mean 'NAME'?`` for the known name that is most like an unknown one; ``otherwise`` if none is."""
    near = nearest(name, names)
    return f"did you mean '{plain(near[0], _MAX_CHARACTERS)}'?" if near else otherwise


class UniqueNames:
    """Gives names out, each once: the second ``x`` becomes ``x #2``."""

    def __init__(self, used_names: Iterable[str] = ()) -> None:
        self._used_names = set(used_names)
        self._counts: dict[str, int] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._used_names

    def add(self, name: str, alternative: Callable[[str, int], str] = "{} #{}".format) -> str:
        """Return a name that was not given out before: the one asked for, or its first free alternative.

        Args:
            name: what is asked for.
            alternative: returns from the name and a number, 2 and up, what to try next; it must not return the
                same for two numbers.

        """
        candidate, number = name, self._counts.get(name, 1)
        while candidate in self._used_names:
            number += 1
            candidate = alternative(name, number)
        self._counts[name] = number
        self._used_names.add(candidate)
        return candidate


def unique_names(names: Iterable[str]) -> list[str]:
    """Return names told apart: the second ``x`` becomes ``x #2``."""
    unique = UniqueNames()
    return [unique.add(name) for name in names]
