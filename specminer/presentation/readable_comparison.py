"""Differences as a reader sees them: the same ones, with units in their texts; the JSON keeps exact numbers."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from specminer.comparison.difference import Comparison, Difference
from specminer.specification import Specification
from specminer.specification.address_names import AddressNames
from specminer.specification.measure import spell_text
from specminer.specification.quantity_rewriting import Rewriter
from specminer.specification.unit_inference import Scope, scopes_of, units_of

_QUOTED: Final = re.compile(r"(?<!\w)'([^']{1,1000})'(?!\w)")
"""What a sentence quotes of a specification."""


def readable_comparison(compared: Comparison) -> Comparison:
    """Return a copy whose differences tell numbers with their units."""
    before, after = _Side(compared.before), _Side(compared.after)
    return replace(
        compared, differences=tuple(_rewrite(item, before, after) for item in compared.differences)
    )


class _Side:
    """One of the specifications."""

    def __init__(self, spec: Specification) -> None:
        self._rewriter = Rewriter(units_of(spec))
        self._scopes = dict(scopes_of(spec))
        self.names = AddressNames.of(spec)

    def scope(self, item: Difference) -> Scope:
        """Return where the texts of a difference stand."""
        return self._scopes.setdefault(item.scope, Scope(item.scope))

    def text(self, text: str, item: Difference) -> str:
        """Return a text of this specification with units."""
        return self._rewriter.condition(text, self.scope(item)) if text else text

    def value(self, name: str, value: str, item: Difference) -> str:
        """Return a value of an example with its unit; as it is if that is not known."""
        return spell_text(value, self._rewriter.units.of_name(name, self.scope(item))) or value


def _rewrite(item: Difference, before: _Side, after: _Side) -> Difference:
    def quote(match: re.Match[str]) -> str:
        text = match[1]
        quoted_text = after.text(text, item)
        return f"'{quoted_text if quoted_text != text else before.text(text, item)}'"

    example = {}
    for name, value in item.example.items():
        value_text = after.value(name, value, item)
        example[name] = value_text if value_text != value else before.value(name, value, item)
    return replace(
        item,
        before=before.names.spell(before.text(item.before, item)),
        after=after.names.spell(after.text(item.after, item)),
        sentence=before.names.spell(after.names.spell(_QUOTED.sub(quote, item.sentence))),
        example={name: before.names.spell(after.names.spell(text)) for name, text in example.items()},
    )
