"""Guards and roles in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from specminer.errors import plain
from specminer.specification import Specification

MAX_REASONS: Final = 4
"""Reasons told of those that no condition explains."""


def guard_texts(spec: Specification) -> list[str]:
    """Return what each function requires, then what was only observed, a sentence a function; safe for terminals."""
    required = [guard for guard in spec.guards if guard.get("kind") == "required"]
    found = [_required(guard) for guard in required]
    observed: dict[str, list[str]] = {}
    for guard in spec.guards:
        if guard.get("kind") == "observed":
            observed.setdefault(plain(guard.get("scope"), 60), []).append(plain(guard.get("text"), 200))
    found += [f"{scope}: always observed: {'; '.join(texts)}" for scope, texts in observed.items()]
    return found


def explained_text(spec: Specification) -> str:
    """Return what share of all rejections is explained; empty if there are none."""
    rejected = sum(_count(guard, "rejected") for guard in spec.guards if guard.get("kind") == "required")
    explained = sum(_count(guard, "explained") for guard in spec.guards if guard.get("kind") == "required")
    left_out = sum(_count(guard, "left_out") for guard in spec.guards if guard.get("kind") == "required")
    if not rejected:
        return ""
    rest = f"; {left_out:,} more ran out of gas or the like, which proves nothing" if left_out else ""
    return f"{explained:,} of {rejected:,} rejected calls ({explained / rejected:.1%}) are explained{rest}."


def role_texts(spec: Specification) -> list[str]:
    """Return who may call what, a sentence a role."""
    found = []
    for role in spec.roles:
        functions = [plain(name, 60) for name in _list(role, "functions")]
        required = {plain(name, 60) for name in _list(role, "required")}
        listed = ", ".join(name if name in required else f"{name} (observed)" for name in functions)
        addresses = [plain(item, 60) for item in _list(role, "addresses")]
        kind, name = role.get("kind"), plain(role.get("name"), 140)
        who = {"holder": f"whoever {name} names", "member": f"senders for whom {name} is set"}.get(
            str(kind), name
        )
        shown = f" ({' or '.join(addresses)})" if addresses and kind in ("holder", "member") else ""
        creator = ", who created the contract," if role.get("creator") else ""
        only = "sent all calls of" if kind == "set" else "may call"
        listed = listed.replace(" (observed)", "") if kind == "set" else listed
        found.append(f"{who}{shown}{creator} {only} {listed}")
    return found


def _required(guard: Mapping[str, Any]) -> str:
    scope, text = plain(guard.get("scope"), 60), plain(guard.get("text"), 600)
    accepted, rejected = _count(guard, "accepted"), _count(guard, "rejected")
    counts = f"{accepted:,} accepted, {rejected:,} rejected"
    missing = [
        f"{plain(reason.get('text'), 60) or 'no reason given'} ({_count(reason, 'rejected'):,})"
        for reason in _list(guard, "reasons")
        if isinstance(reason, dict) and not _count(reason, "explained")
    ]
    more = f"; not explained: {', '.join(missing[:MAX_REASONS])}" if missing else ""
    if len(missing) > MAX_REASONS:
        more += ", …"
    if not text:
        return f"{scope}: no condition found ({counts}{more})"
    exceptions = _count(guard, "exceptions")
    found = (
        f"{scope}: {text} ({counts}, {_count(guard, 'explained'):,} explained, {exceptions:,} "
        f"{'exception' if exceptions == 1 else 'exceptions'}{more})"
    )
    held = guard.get("held_out")
    if isinstance(held, dict) and _count(held, "refused"):
        found += (
            f"; learned on the first 70 % it would have refused {_count(held, 'refused'):,} "
            f"of {_count(held, 'accepted'):,} later accepted calls"
        )
    return found


def _count(item: Mapping[str, Any], name: str) -> int:
    value = item.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _list(item: Mapping[str, Any], name: str) -> list[Any]:
    value = item.get(name)
    return list(value) if isinstance(value, list | tuple) else []
