"""Names of addresses: the one place where an address becomes a word.

A name is foreign text: whoever shows it escapes it as any other. The ends of the address stand behind it, because
anybody may call a contract what they like.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, Self

from specminer._support.addresses import checksum_address, ends_of, is_address
from specminer._support.document_texts import map_texts
from specminer._support.errors import plain
from specminer.specification import Specification

MAX_NAME: Final = 60
"""Characters of a name that are shown within a sentence."""
_ADDRESS: Final = re.compile(r"(?<![0-9a-zA-Z_])0x[0-9a-fA-F]{40}(?![0-9a-zA-Z_])")
_EXACT: Final = frozenset({"smt", "script", "address_names"})
"""Fields that are read by programs only."""


class AddressNames:
    """What addresses are called."""

    def __init__(self, names: Mapping[str, str]) -> None:
        """Take names by address, the letters of which may be capital or not."""
        self._names = {address.lower(): name for address, name in names.items()}

    @classmethod
    def of(cls, spec: Specification) -> Self:
        """Return the names that a specification holds; its own contract is called as itself."""
        own = dict.fromkeys(spec.contracts, spec.name) if len(spec.contracts) == 1 else {}
        if any("…" in name or is_address(name) for name in own.values()):
            own = {}
        return cls(own | (spec.address_names or {}))

    def __bool__(self) -> bool:
        return bool(self._names)

    def name(self, address: str) -> str | None:
        """Return the name of an address, raw; ``None`` if it has none."""
        return self._names.get(address.lower())

    def spell(self, text: str) -> str:
        """Return a text in which addresses that have names are told by them, as ``Treasury (0xf39F…2266)``."""
        if not self._names or "0x" not in text:
            return text
        return _ADDRESS.sub(self._spell_match, text)

    def _spell_match(self, match: re.Match[str]) -> str:
        name = self.name(match[0])
        if name is None:
            return match[0]
        label, ends = plain(name, MAX_NAME), ends_of(match[0])
        before, behind = match.string[: match.start()], match.string[match.end() :]
        is_named = before.endswith(f"{label} (") and behind.startswith(")")
        return ends if is_named else f"{label} ({ends})"

    def spell_texts(self, value: Any) -> Any:
        """Return a copy of a document whose texts tell addresses by names.

        Texts that are an address and nothing else stay: they are what links and comparisons rest on.
        """
        return map_texts(value, self._spell_text, _EXACT) if self._names else value

    def _spell_text(self, text: str) -> str:
        return text if is_address(text) else self.spell(text)


def with_names(spec: Specification, names: Mapping[str, str]) -> Specification:
    """Return a specification in which addresses are called so, besides the names that it holds."""
    if not names:
        return spec
    own = {checksum_address(address): name for address, name in names.items()}
    return replace(spec, address_names=dict(sorted(((spec.address_names or {}) | own).items())))


__all__ = ["MAX_NAME", "AddressNames", "with_names"]
