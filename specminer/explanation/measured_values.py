"""Amounts, moments and spans among the values of an explained transaction, with their units."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from specminer.explanation.transaction_document import CallStep, StorageChange, TreeCall
from specminer.specification.measure import spell_text
from specminer.specification.unit_inference import Scope, Units


def measured_call(call: TreeCall, traced: Collection[str], units: Units) -> TreeCall:
    """Return a call with the units of its arguments, if it is one of a traced contract."""
    if call.step is not CallStep.INVOCATION or call.callee not in traced:
        return call
    scope = Scope(call.function)
    return replace(
        call,
        arguments=tuple(
            replace(item, shown=spell_text(item.value, units.of_name(item.name, scope)))
            for item in call.arguments
        ),
    )


def measured_change(change: StorageChange, units: Units) -> StorageChange:
    """Return a change of a stored value with the units of what stood there before and after."""
    measure = units.of_name(change.location, Scope())
    return replace(
        change,
        before_shown=spell_text(change.before, measure),
        after_shown=spell_text(change.after, measure),
    )
