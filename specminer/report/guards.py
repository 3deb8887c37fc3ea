"""Guards and roles in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from specminer.errors import plain
from specminer.specification import Specification, entries, items_of

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


def transition_texts(spec: Specification) -> list[str]:
    """Return where transitions ask for something else than their function, a sentence a transition."""
    names = {state.id: plain(state.name, 120) for state in spec.states}
    found = []
    for edge in spec.transitions:
        own = edge.condition or {}
        parts = entries(own.get("parts"))
        learned = [part for part in parts if part.get("learned") in ("state", "target")]
        broken = items_of(own.get("not_kept"))
        if not learned and not broken:
            continue
        told = [f"needs {plain(part.get('text'), 200)}" for part in learned]
        if broken:
            told.append(f"does without {plain(' and '.join(map(str, broken)), 300)}")
        counts = [_counted(_count(own, "accepted"), "accepted")]
        if _count(own, "elsewhere"):
            counts.append(
                f"tells {_count(own, 'told_apart'):,} of {_count(own, 'elsewhere'):,} that led elsewhere"
            )
        if _count(own, "rejected"):
            counts.append(
                f"explains {_count(own, 'explained'):,} of {_count(own, 'rejected'):,} rejected here"
            )
        exceptions = _count(own, "exceptions")
        counts.append(f"{exceptions:,} {'exception' if exceptions == 1 else 'exceptions'}")
        where = (
            f"{plain(edge.event, 80)} from '{names.get(edge.source, '?')}' to '{names.get(edge.target, '?')}'"
        )
        found.append(f"{where} {', '.join(told)} ({', '.join(counts)})")
    return found


def sibling_texts(spec: Specification) -> list[str]:
    """Return which transitions of one event exclude each other or not, a sentence a pair; safe for terminals.

    Events that were split by a condition exclude each other by their names, which need not be told.
    """
    return [
        plain(item.get("text"), 600)
        for item in spec.siblings
        if item.get("verdict") != "exclusive" or len(set(map(str, items_of(item.get("events"))))) == 1
    ]


def redundant_text(spec: Specification) -> str:
    """Return how many claims are not told because they follow from others; empty if none are."""
    count = len(spec.redundant)
    if not count:
        return ""
    proved = sum(item.get("proved") == "yes" for item in spec.redundant)
    return (
        f"{count:,} more {'claim is' if count == 1 else 'claims are'} not told, as they follow from others"
        f" ({proved:,} proved)."
    )


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}"


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
        functions = [plain(name, 60) for name in items_of(role.get("functions"))]
        required = {plain(name, 60) for name in items_of(role.get("required"))}
        listed = ", ".join(name if name in required else f"{name} (observed)" for name in functions)
        addresses = [plain(item, 60) for item in items_of(role.get("addresses"))]
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
        for reason in items_of(guard.get("reasons"))
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
