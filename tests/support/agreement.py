"""What a node recorded beside what was executed again: which fields of a transaction differ."""

from __future__ import annotations

from dataclasses import fields, replace

from specminer.history.trace import Tracer, Transaction


def without_recorder(item: Transaction) -> Transaction:
    """Forget who recorded a transaction, and what one of them cannot tell."""
    block = replace(item.block, base_fee=None, beneficiary=None, gas_limit=None, randomness=None)
    calls = (
        replace(
            call,
            environment=None,
            codes=tuple(replace(code, hash=None) for code in call.codes or ()),
        )
        for call in item.invocations
    )
    return replace(
        item, tracer=Tracer.JAVASCRIPT, fidelity=None, logs=None, block=block, invocations=tuple(calls)
    )


def same_calls(again: Transaction, recorded: Transaction) -> tuple[Transaction, Transaction]:
    """Return two records without the calls that the first does not claim to know."""
    known = [call.calls is not None for call in again.invocations]
    first, second = (
        replace(
            item,
            invocations=tuple(
                call if sure else replace(call, calls=None)
                for call, sure in zip(item.invocations, known, strict=True)
            ),
        )
        for item in (again, recorded)
    )
    return without_recorder(first), without_recorder(second)


def differing_fields(again: Transaction, recorded: Transaction) -> list[str]:
    """Return the fields in which a transaction that was executed again differs from its record by a node.

    Answers and logs of others count where the first claims to know them.
    """
    if len(again.invocations) != len(recorded.invocations):
        return ["invocations"]
    first, second = same_calls(again, recorded)
    names = [
        field.name
        for field in fields(Transaction)
        if field.name != "invocations" and getattr(first, field.name) != getattr(second, field.name)
    ]
    if again.logs not in (None, recorded.logs):
        names.append("logs")
    for own, other in zip(first.invocations, second.invocations, strict=True):
        differing = (
            field.name for field in fields(own) if getattr(own, field.name) != getattr(other, field.name)
        )
        names += (f"invocations[{own.position}].{name}" for name in differing)
    for own, other in zip(again.invocations, recorded.invocations, strict=True):
        if own.environment not in (None, other.environment):
            names.append(f"invocations[{own.position}].environment")
    return names
