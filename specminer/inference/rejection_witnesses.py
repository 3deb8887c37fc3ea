"""What met in a rejected call: its condition as it turned out, with the values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from specminer._support.addresses import checksum_address, ends_of
from specminer._support.errors import plain
from specminer._support.units import amount, moment
from specminer.decoding.storage_values import ValueKind
from specminer.history.contract_history import MISSING, BoolColumn, History
from specminer.inference.guard_learning import LearnedClause
from specminer.inference.guard_literals import OPPOSITE, Literal, LiteralEvaluator
from specminer.inference.guard_terms import GuardTerm
from specminer.specification import RejectionWitness

MAX_WITNESSES: Final = 3
"""Calls shown of those that one condition stopped."""
MAX_NAME: Final = 160
"""Characters of a term's name that are shown."""
_FIRST_MOMENT: Final = 10**8
"""Numbers below are shown as numbers, though they are compared with the clock."""


def witnesses(
    history: History, meaning: LiteralEvaluator, clause: LearnedClause, stopped: BoolColumn, *, demanded: int
) -> tuple[RejectionWitness, ...]:
    """Return some of the calls that a condition stopped, the earliest first.

    Args:
        history: the calls.
        meaning: those of the function.
        clause: the condition.
        stopped: which calls it stopped; shape (n,).
        demanded: how many of its literals are told, the last ones; others only say when it is asked.

    """
    situation = meaning.situation
    examples = []
    for call in np.flatnonzero(stopped)[:MAX_WITNESSES].tolist():
        transaction = int(history.invocation_transaction[situation.rows[call]])
        examples.append(
            RejectionWitness(
                transaction=f"0x{history.transaction_hash[transaction].hex()}",
                text=" and ".join(
                    _turned_out(meaning, literal, call) for literal in clause.literals[-demanded:]
                ),
                values=dict(_values(meaning, clause, call)),
            )
        )
    return tuple(examples)


def _turned_out(meaning: LiteralEvaluator, literal: Literal, call: int) -> str:
    """Return the opposite of a literal with the values that a call met: ``value 0.5 ETH < price 0.7 ETH``."""
    terms = meaning.situation.terms
    left = terms[literal.left]
    if left.kind is ValueKind.BOOL and literal.right is None:
        name = plain(left.formula_name, MAX_NAME)
        return f"not {name}" if bool(literal.constant) == (literal.sign.value == "=") else name
    sign = OPPOSITE[literal.sign].value
    parties = [terms[term] for term in literal.terms]
    if literal.right is None:
        right = _spell_value(meaning, literal.left, literal.constant, parties)
    else:
        join = " * " if literal.times else " + "
        right = join.join(_show_value(meaning, term, call, parties) for term in literal.terms[1:])
        right += f" + {literal.constant}" if literal.constant and literal.operand is None else ""
    return f"{_show_value(meaning, literal.left, call, parties)} {sign} {right}"


def _show_value(meaning: LiteralEvaluator, term: int, call: int, parties: Sequence[GuardTerm]) -> str:
    name = plain(meaning.situation.terms[term].formula_name, MAX_NAME)
    value = _value(meaning, term, call)
    return name if value is None else f"{name} {_spell_value(meaning, term, value, parties)}"


def _value(meaning: LiteralEvaluator, term: int, call: int) -> int | None:
    code = int(meaning.situation.terms[term].codes[call])
    if code == MISSING:
        return None
    word = meaning.situation.words[code]
    signed = meaning.situation.terms[term].kind is ValueKind.INT
    return word - (1 << 256) if signed and word >> 255 else word


def _spell_value(meaning: LiteralEvaluator, term: int, value: int, parties: Sequence[GuardTerm]) -> str:
    """Return a value as people read it: ether where ether is compared, a date where the clock is."""
    names = {party.name for party in parties if not party.stored}
    if meaning.situation.terms[term].kind is ValueKind.ADDRESS and 0 < value < 1 << 160:
        address = checksum_address(value.to_bytes(20, "big"))
        return ends_of(address)
    if any(name == "value" or name.endswith("this.balance") for name in names):
        return amount(str(value))
    if "now" in names and value >= _FIRST_MOMENT:
        return moment(value, seconds=True) or str(value)
    return meaning.language.declaration(meaning.symbols[term]).spell(value)


def _values(meaning: LiteralEvaluator, clause: LearnedClause, call: int) -> Iterator[tuple[str, str]]:
    for literal in clause.literals:
        for term in literal.terms:
            value = _value(meaning, term, call)
            if value is not None:
                declaration = meaning.language.declaration(meaning.symbols[term])
                yield meaning.situation.terms[term].name, declaration.spell(value)
