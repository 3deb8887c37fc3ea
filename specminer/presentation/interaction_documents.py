"""What there is to tell about the interactions of a history, as documents that become JSON or text.

Four of them: the list, the explanation of the split, the life of one interaction, and the races. Texts in them are
raw, as in ``automaton.json``: whoever shows them escapes them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from specminer._support.addresses import checksum_address
from specminer._support.errors import UsageError, plain
from specminer._support.text import suggest
from specminer.contracts.interface import Interface
from specminer.contracts.value_text import value_text
from specminer.decoding.storage_values import Key
from specminer.history.contract_history import MISSING, OUTCOMES, History, bounds
from specminer.history.trace import Outcome, OutcomeKind
from specminer.interaction import Analysis, Interactions, SortAssessment
from specminer.interaction.races import Race
from specminer.interaction.recorded_independence import Independence
from specminer.interaction.rejections import Rejections
from specminer.presentation.money import Ledger, ledger, payments_of

if TYPE_CHECKING:
    from specminer.interaction.independence_replay import ReplayCheck

MAX_WORD: Final = 6
"""Runs of equal events that a shortened word shows at either end."""

Document = dict[str, Any]


def members(analysis: Analysis, interactions: Interactions) -> list[Document]:
    """Return each interaction with its own calls, in the order in which they began."""
    history, called = analysis.context.history, analysis.context.calls
    calls_by_interaction: list[list[Document]] = [[] for _ in interactions.names]
    for event in np.flatnonzero(~interactions.passive).tolist():
        row = int(interactions.invocation[event])
        calls_by_interaction[int(interactions.slice[event])].append(
            {
                "transaction": transaction_of(history, row),
                "position": int(history.invocation_position[row]),
                "role": role_of(interactions, event),
                "function": called.name(row),
                "outcome": OUTCOMES[int(history.invocation_outcome[row])].value,
            }
        )
    lives = _lives(analysis, interactions)
    return [
        {"name": name, "entity": key, **life, "members": own}
        for name, key, life, own in zip(
            interactions.names, interactions.keys, lives, calls_by_interaction, strict=True
        )
    ]


def _lives(analysis: Analysis, interactions: Interactions) -> list[Document]:
    """Return for each interaction the number of its life, as ``life``; nothing where the contract has one only."""
    history = analysis.context.history
    if all(life.of == 1 for life in history.lives):
        return [{}] * len(interactions.names)
    first = np.searchsorted(interactions.slice, np.arange(len(interactions.names)))
    owners = history.invocation_contract[interactions.invocation[first]]
    return [{"life": history.lives[owner].number} for owner in owners.tolist()]


def transaction_of(history: History, row: int) -> str:
    """Return the hash of an invocation's transaction."""
    return f"0x{history.transaction_hash[int(history.invocation_transaction[row])].hex()}"


def role_of(interactions: Interactions, event: int) -> str | None:
    """Return the role in which an event's call names the entity, where roles are told."""
    role = int(interactions.role[event])
    return None if role == MISSING else interactions.roles[role]


def overview(analysis: Analysis, interactions: Interactions) -> list[Document]:
    """Return a row for each interaction: length, blocks, actors and its shortened word."""
    history, called = analysis.context.history, analysis.context.calls
    block = history.transaction_block[history.invocation_transaction]
    bounds = np.searchsorted(interactions.slice, np.arange(len(interactions.names) + 1))
    rows = []
    lives = _lives(analysis, interactions)
    for number, name in enumerate(interactions.names):
        events = np.arange(bounds[number], bounds[number + 1])
        invocations = interactions.invocation[events]
        own = invocations[~interactions.passive[events]]
        rows.append(
            {
                "name": name,
                **lives[number],
                "length": len(own),
                "side_effects": len(events) - len(own),
                "first_block": int(block[invocations].min()),
                "last_block": int(block[invocations].max()),
                "actors": len(np.unique(history.invocation_sender[own])),
                "word": shorten_word(
                    [
                        _symbol(
                            interactions, event, called.name(int(interactions.invocation[event])), history
                        )
                        for event in events.tolist()
                    ]
                ),
            }
        )
    return rows


def _symbol(interactions: Interactions, event: int, function: str, history: History) -> str:
    phase = interactions.phase_of(event)
    if phase is not None:
        return f"({phase})"
    if interactions.passive[event]:
        return f"({function})"
    role = role_of(interactions, event)
    text = function if role is None else f"{function}:{role}"
    return text if history.accepted[int(interactions.invocation[event])] else f"✗{text}"


def shorten_word(symbols: list[str]) -> str:
    """Return a word with runs counted and its middle left out: ``create bid×3 … settle``."""
    runs = [(symbol, len(list(group))) for symbol, group in groupby(symbols)]
    parts = [symbol if count == 1 else f"{symbol}×{count}" for symbol, count in runs]
    if len(parts) > 2 * MAX_WORD:
        parts = [*parts[:MAX_WORD], "…", *parts[-MAX_WORD:]]
    return " ".join(parts)


def explanation(
    analysis: Analysis,
    interactions: Interactions,
    judged: Rejections,
    checked: Independence,
    executed: ReplayCheck | None,
) -> Document:
    """Return how the history is split and why, what links what, and whether it holds."""
    context = analysis.context
    sort_name = interactions.sort.name if interactions.sort else None
    outside = Counter(context.calls.name(row) for row in interactions.track.tolist())
    return {
        "mode": interactions.mode.value,
        "sort": sort_name,
        "count": len(interactions.names),
        "explanation": interactions.explanation,
        **sorts_and_environment(analysis, interactions),
        "outside": dict(sorted(outside.items())),
        "rejections": {
            "attached": judged.attached,
            "loose": judged.loose,
            "functions": [
                {
                    "function": item.function,
                    "rejected": item.rejected,
                    "comparable": item.comparable,
                    "contradicted": item.contradicted,
                    "rate": round(item.rate, 6),
                    "verdict": item.verdict.value,
                }
                for item in judged.functions
            ],
        },
        "independence": _independence(checked),
        "execution": None if executed is None else _execution(executed),
    }


def sorts_and_environment(analysis: Analysis, interactions: Interactions) -> Document:
    """Return the sorts of entities with their scores, and the variables that no interaction holds."""
    sort_name = interactions.sort.name if interactions.sort else None
    return {
        "sorts": [_sort(analysis, assessment, sort_name) for assessment in analysis.assessments],
        "contract": _contract(analysis),
        "environment": _environment(analysis, interactions),
    }


def _contract(analysis: Analysis) -> Document | None:
    """Return what speaks for whole contracts; ``None`` where no code says what decides."""
    rating = analysis.contract
    if rating is None:
        return None
    return {
        "score": round(rating.value, 6),
        "coverage": round(rating.coverage, 6),
        "decides": round(rating.deciding_share, 6),
        "setlike": round(rating.setlike, 6),
        "alpha": round(rating.alpha, 6),
        "single": rating.single,
        "stages": round(rating.stages, 6),
    }


def _environment(analysis: Analysis, interactions: Interactions) -> list[str]:
    """Return the variables that no interaction holds."""
    locations = analysis.context.locations
    is_held = np.zeros(len(locations.variables), dtype=np.bool_)
    for holder in interactions.holders:
        is_held[locations.variable[holder != MISSING]] = True
    names = [
        item.text(None, index)
        for row, item in enumerate(locations.variables)
        if not is_held[row]
        for index in range(len(item.fields))
    ]
    return sorted(names)


def _sort(analysis: Analysis, assessment: SortAssessment, sort_name: str | None) -> Document:
    rating, evidence = assessment.score, analysis.context
    return {
        "name": assessment.name,
        "chosen": assessment.name == sort_name,
        "mode": assessment.mode.value,
        "ports": [evidence.locations.ports[port].name for port in assessment.sort.ports],
        "score": round(rating.value, 6),
        "coverage": round(rating.coverage, 6),
        "guard": round(rating.guard, 6),
        "decides": None if rating.deciding_share is None else round(rating.deciding_share, 6),
        "setlike": round(rating.setlike, 6),
        "alpha": round(rating.alpha, 6),
        "trivial": rating.trivial,
        "derived": rating.derived,
        "entities": rating.entities,
        "long": rating.long_count,
        "mean_length": round(rating.mean_length, 6),
        "largest": round(rating.largest, 6),
        "linked": round(rating.linked, 6),
        "roles": [
            {
                "function": evidence.calls.functions[role.function],
                "role": role.name,
                "source": role.source.name.lower(),
                "support": round(role.support, 6),
                "calls": role.calls,
            }
            for role in assessment.naming.roles
        ],
    }


def _independence(checked: Independence) -> Document:
    return {
        "events": checked.events,
        "independent": checked.independent,
        "environment": checked.environment,
        "others": checked.foreign_readers,
        "own": checked.own_readers,
        **({"unknown": checked.unknown_readers} if checked.unknown_readers else {}),
        "share": round(checked.share, 6),
        "shared": dict(checked.shared_variables),
        "changed": dict(checked.changed_variables),
    }


def _execution(executed: ReplayCheck) -> Document:
    return {
        "interactions": executed.interactions,
        "calls": executed.calls,
        "held": executed.held_count,
        "failed": executed.failed_count,
        "share": round(executed.share, 6),
        "functions": dict(executed.functions),
    }


def find(interactions: Interactions, wish: str) -> int:
    """Return the interaction that is called so, or whose key it is.

    Raises:
        UsageError: there is none, or several.

    """
    folded = wish.strip().lower()
    by_name = [row for row, name in enumerate(interactions.names) if name.lower() == folded]
    by_key = [row for row, key in enumerate(interactions.keys) if key is not None and key.lower() == folded]
    matches = by_name or by_key
    if len(matches) == 1:
        return matches[0]
    if matches:
        names = ", ".join(plain(interactions.names[row], 100) for row in matches[:5])
        raise UsageError(f"--entity: '{plain(wish, 80)}' is the key of several interactions: {names}")
    choices = [*interactions.names, *(key for key in interactions.keys if key)]
    hint = suggest(wish, choices, "`specminer interactions` lists them")
    raise UsageError(f"--entity: this history has no interaction '{plain(wish, 80)}'; {hint}")


def timeline(
    analysis: Analysis,
    interactions: Interactions,
    interface: Interface,
    number: int,
    most: int | None = None,
    book: Ledger | None = None,
) -> Document:
    """Return the life of one interaction, event by event; only the first ``most`` events if that is given.

    ``book`` is the history's, for whoever tells many lives.
    """
    events = np.flatnonzero(interactions.slice == number)[:most]
    book = book or ledger(analysis.context.history)
    return {
        "name": interactions.names[number],
        "entity": interactions.keys[number],
        **_lives(analysis, interactions)[number],
        "events": [_event(analysis, interactions, interface, book, event) for event in events.tolist()],
    }


def _event(
    analysis: Analysis, interactions: Interactions, interface: Interface, book: Ledger, event: int
) -> Document:
    history, called = analysis.context.history, analysis.context.calls
    row = int(interactions.invocation[event])
    transaction = int(history.invocation_transaction[row])
    time = int(history.transaction_time[transaction])
    outcome = Outcome(
        kind=OUTCOMES[int(history.invocation_outcome[row])], data=history.invocation_output[row]
    )
    where = {
        "transaction": transaction_of(history, row),
        "block": int(history.transaction_block[transaction]),
        "timestamp": None if time == MISSING else time,
        "position": int(history.invocation_position[row]),
    }
    deadline = interactions.deadline_of(event)
    if deadline is not None:
        nobody: Document = {"sender": "", "value": "0", "kind": "time", "function": deadline, "role": None}
        nothing: Document = {
            "arguments": {},
            "outcome": "returned",
            "reason": "",
            "payments": [],
            "changes": [],
        }
        return where | nobody | nothing
    return where | {
        "sender": checksum_address(history.addresses[int(history.invocation_sender[row])]),
        "value": str(history.words[int(history.invocation_value[row])]),
        "kind": _kind(interactions, event),
        "function": called.name(row),
        "role": role_of(interactions, event),
        "arguments": {
            name: value_text(value)
            for name, value in interface.of_code(history.addresses[int(history.invocation_code[row])])
            .arguments(history.invocation_data[row])
            .items()
        },
        "outcome": outcome.kind.value,
        "reason": "" if outcome.kind is OutcomeKind.RETURNED else interface.reason(outcome),
        "payments": payments_of(book, row),
        "changes": sorted(
            _changes(analysis, interactions, row, int(interactions.slice[event])),
            key=lambda change: str(change["location"]),
        ),
    }


def _kind(interactions: Interactions, event: int) -> str:
    if interactions.phase_of(event) is not None:
        return "phase"
    return "passive" if interactions.passive[event] else "call"


def _changes(analysis: Analysis, interactions: Interactions, row: int, number: int) -> Iterator[Document]:
    """Yield what an invocation changed for good in the storage that hangs under the interaction."""
    evidence = analysis.context
    accesses, locations, words = evidence.accesses, evidence.locations, evidence.history.words
    own = bounds(accesses.invocation, row)
    for touch in range(own.start, own.stop):
        slot = int(accesses.slot[touch])
        if not accesses.effective_write[touch]:
            continue
        if not any(int(holder[slot]) == number for holder in interactions.holders):
            continue
        before, after = int(accesses.value_before[touch]), int(accesses.value_after[touch])
        for index, field in enumerate(locations.variables[int(locations.variable[slot])].fields):
            old = None if before == MISSING else field.extract(words[before])
            new = None if after == MISSING else field.extract(words[after])
            if old != new or new is None:
                yield {
                    "location": locations.text(slot, index),
                    "before": None if old is None else str(Key(old.to_bytes(32, "big"), field.kind)),
                    "after": None if new is None else str(Key(new.to_bytes(32, "big"), field.kind)),
                }


def race_list(analysis: Analysis, interactions: Interactions, races: list[Race]) -> list[Document]:
    """Return the races by block."""
    return [
        {
            "block": race.block,
            "interaction": interactions.names[race.interaction],
            "locations": sorted(analysis.context.locations.text(slot) for slot in race.slots),
            "first": _runner(analysis, race.first),
            "second": _runner(analysis, race.second),
            "lost": race.lost,
        }
        for race in races
    ]


def _runner(analysis: Analysis, row: int) -> Document:
    history = analysis.context.history
    return {
        "transaction": transaction_of(history, row),
        "position": int(history.invocation_position[row]),
        "sender": checksum_address(history.addresses[int(history.invocation_sender[row])]),
        "function": analysis.context.calls.name(row),
        "value": str(history.words[int(history.invocation_value[row])]),
        "outcome": OUTCOMES[int(history.invocation_outcome[row])].value,
    }
