"""Who may call what, in terms of the contract's own state, or as a small set of addresses."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from specminer._support.addresses import checksum_address
from specminer.decoding import HistoryContext
from specminer.decoding.storage_values import ValueKind
from specminer.history.contract_history import CONSTRUCTOR, IntColumn
from specminer.inference.guard_description import doubtful_calls
from specminer.inference.guard_learning import LearnedClause
from specminer.inference.guard_literals import Literal, Sign
from specminer.inference.guard_terms import GuardTerm
from specminer.inference.learned_guard import LearnedGuard
from specminer.specification import GuardKind, Role, RoleKind

FEW: Final = 3
"""At most so many senders are a set of addresses ..."""
MIN_CALLS: Final = 10
"""... if they sent at least so many calls to a function ..."""
_SIGNER: Final = "signer of "
"""How the account is called whose signature a call brings."""
_OTHER_ARGUMENT: Final = r"(?:this|origin|[A-Z][A-Z0-9_]*|0x[0-9a-fA-F]+|0)"
_SENDER_QUESTION: Final = re.compile(
    rf"(?!success of )[^()]*\w\((?:{_OTHER_ARGUMENT}, )*sender(?:, {_OTHER_ARGUMENT})*\)", re.ASCII
)
"""An answer of another contract about the sender: ``authority.canCall(sender, this)``.

Such a question speaks of nothing but accounts and constants: whether ``token.transferFrom(sender, this, amount)``
succeeds is no role.
"""
MIN_OTHERS: Final = 10
"""... and the contract has at least so many times as many senders."""


def roles(context: HistoryContext, learned: Iterable[LearnedGuard]) -> tuple[Role, ...]:
    """Return the roles, those to whom most functions are reserved first."""
    functions_by_role: dict[tuple[str, RoleKind], dict[str, bool]] = {}
    callers: dict[str, IntColumn] = {}
    unknown: Counter[tuple[str, RoleKind]] = Counter()
    for item in learned:
        guard, situation = item.guard, item.meaning.situation
        senders = context.history.invocation_sender[situation.rows[situation.accepted]]
        callers[guard.scope] = np.unique(senders)
        for clause in item.clauses:
            for role_key in _roles_of(situation.terms, clause):
                of_role = functions_by_role.setdefault(role_key, {})
                required = guard.kind is GuardKind.REQUIRED
                if guard.scope not in of_role:
                    unknown[role_key] += doubtful_calls(item.meaning, clause)
                of_role[guard.scope] = of_role.get(guard.scope, False) or required
    functions_with_role = {function for functions in functions_by_role.values() for function in functions}
    sets = _sets(context, functions_with_role)
    result = [
        replace(_role(context, *role_key, functions, callers), unknown=unknown[role_key] or None)
        for role_key, functions in functions_by_role.items()
    ]
    return tuple(sorted([*result, *sets], key=lambda role: (-len(role.functions), role.name)))


def _roles_of(terms: Sequence[GuardTerm], clause: LearnedClause) -> list[tuple[str, RoleKind]]:
    """Return the roles of which an account needs one, if a condition asks for nothing else."""
    candidates = [_name_role(terms, literal) for literal in clause.literals]
    role_keys = [role for role in candidates if role is not None]
    return role_keys if len(role_keys) == len(candidates) else []


def _name_role(terms: Sequence[GuardTerm], literal: Literal) -> tuple[str, RoleKind] | None:
    left = terms[literal.left]
    right = terms[literal.right] if literal.right is not None else None
    if literal.sign is Sign.EQUAL and right is not None:
        names = {left.name: right, right.name: left}
        if set(names) == {"sender", "this"}:
            return "this", RoleKind.SELF
        signed = next((other for name, other in names.items() if name.startswith(_SIGNER)), None)
        if signed is not None:
            return signed.name, RoleKind.SIGNER
    if literal.sign is Sign.EQUAL and right is not None and "sender" in (left.name, right.name):
        other = left if right.name == "sender" else right
        return (other.full_name, RoleKind.HOLDER) if other.stored else None
    if right is not None:
        return None
    if left.name == "sender" and literal.sign is Sign.EQUAL:
        return checksum_address(literal.constant.to_bytes(20, "big")), RoleKind.ADDRESS
    if (
        not left.stored
        and left.expression
        and _SENDER_QUESTION.fullmatch(left.name)
        and left.kind is ValueKind.BOOL
    ):
        answered = literal.sign is Sign.EQUAL and literal.constant == 1
        return (left.name, RoleKind.MEMBER) if answered else None
    if left.stored and _SIGNER in left.name:
        return (left.name, RoleKind.SIGNER) if _is_set(left, literal) else None
    if not left.stored or "[sender]" not in left.name:
        return None
    return (left.name, RoleKind.MEMBER) if _is_set(left, literal) else None


def _is_set(term: GuardTerm, literal: Literal) -> bool:
    """Whether a literal says that a flag is on, or that a number is not zero."""
    flag = term.kind is ValueKind.BOOL and literal.sign is Sign.EQUAL and literal.constant == 1
    return flag or (literal.sign is Sign.DIFFERENT and literal.constant == 0)


def _role(
    context: HistoryContext,
    name: str,
    kind: RoleKind,
    functions: dict[str, bool],
    callers: dict[str, IntColumn],
) -> Role:
    rows = np.unique(np.concatenate([callers[function] for function in functions]))
    few = rows if len(rows) <= FEW and "[" not in name else rows[:0]
    return Role(
        name=name,
        kind=kind,
        functions=tuple(sorted(functions)),
        required=tuple(sorted(function for function, required in functions.items() if required)),
        addresses=_addresses(context, few),
        creator=_are_creators(context, few),
    )


def _sets(context: HistoryContext, functions_with_role: Iterable[str]) -> list[Role]:
    """Return sets of few addresses that sent all calls of functions of which nothing else tells who may call."""
    history = context.history
    everybody = len(np.unique(history.invocation_sender[context.is_accepted]))
    with_role = set(functions_with_role)
    functions_by_senders: dict[tuple[int, ...], list[str]] = {}
    calls: Counter[tuple[int, ...]] = Counter()
    for number, function in enumerate(context.calls.functions):
        rows = np.flatnonzero(context.is_accepted & (context.calls.function == number))
        senders = tuple(np.unique(history.invocation_sender[rows]).tolist())
        if function not in with_role and 0 < len(senders) <= FEW and everybody >= MIN_OTHERS * len(senders):
            functions_by_senders.setdefault(senders, []).append(function)
            calls[senders] += len(rows)
    address_sets = []
    for senders, functions in functions_by_senders.items():
        if calls[senders] < MIN_CALLS:
            continue
        rows = np.array(senders, dtype=np.int64)
        addresses = _addresses(context, rows)
        address_sets.append(
            Role(
                name=" or ".join(addresses),
                kind=RoleKind.SET,
                functions=tuple(sorted(functions)),
                required=(),
                addresses=addresses,
                creator=_are_creators(context, rows),
            )
        )
    return address_sets


def _addresses(context: HistoryContext, rows: IntColumn) -> tuple[str, ...]:
    return tuple(sorted(checksum_address(context.history.addresses[row]) for row in rows.tolist()))


def _are_creators(context: HistoryContext, rows: IntColumn) -> bool:
    created = context.history.accepted & (context.history.invocation_kind == CONSTRUCTOR)
    makers = np.unique(context.history.invocation_sender[created])
    return bool(len(rows)) and bool(np.isin(rows, makers).all())
