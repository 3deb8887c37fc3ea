"""Rejections, races and independence against naive readings of their definitions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from specminer._support.errors import UsageError
from specminer.history.contract_history import CONSTRUCTOR, MISSING
from specminer.history.trace import AccessKind
from specminer.interaction.independence_replay import replay_sample
from specminer.interaction.races import races
from specminer.interaction.recorded_independence import independence
from specminer.interaction.rejections import FunctionRejections, RejectionValue, prefixes, rejections
from specminer.pipeline import InspectedSplit, inspect
from tests.support.histories import block_of
from tests.support.markets import Act, history_of, lives, played, woven

SEEDS = st.integers(0, 1 << 20)
SPLITS = st.sampled_from(["auto", "account", "whole"])


def market(seed: int, order: int, wish: str, count: int = 6) -> InspectedSplit:
    history = history_of(played(woven(lives(seed, count), order)))
    try:
        return inspect(history, wish=wish)
    except UsageError:  # a history this small need not have accounts that qualify
        assume(False)
        raise


@given(st.lists(st.lists(st.integers(0, 2), max_size=6), max_size=6))
def test_equal_prefixes_have_equal_numbers(words: list[list[int]]) -> None:
    flat = np.array([symbol for word in words for symbol in word], dtype=np.int64)
    first = np.cumsum([0, *map(len, words)])
    numbers = iter(prefixes(flat, first).tolist())
    seen: dict[tuple[int, ...], int] = {}
    for word in words:
        for length in range(len(word) + 1):
            prefix = tuple(word[:length])
            number = next(numbers)
            assert seen.setdefault(prefix, number) == number
    assert next(numbers, None) is None
    assert len(set(seen.values())) == len(seen)


@settings(max_examples=15)
@given(SEEDS, SEEDS, SPLITS)
def test_a_rejection_is_contradicted_by_the_same_event_after_the_same_events(
    seed: int, order: int, wish: str
) -> None:
    found = market(seed, order, wish)
    split, context = found.interactions, found.context
    judged = rejections(context, split)
    words: list[list[tuple[int, int]]] = [[] for _ in split.names]
    rejected: list[tuple[int, int, tuple[tuple[int, int], ...], tuple[int, int]]] = []
    for event, (number, row) in enumerate(zip(split.slice.tolist(), split.invocation.tolist(), strict=True)):
        symbol = (int(context.calls.function[row]), int(split.role[event]))
        if split.passive[event]:
            continue
        if context.history.accepted[row]:
            words[number].append(symbol)
        else:
            rejected.append((event, number, tuple(words[number]), symbol))
    for event, number, before, symbol in rejected:
        length = len(before)
        follows = [
            (other, word[length])
            for other, word in enumerate(words)
            if len(word) > length and tuple(word[:length]) == before
        ]
        contradicted = any(next_symbol == symbol for _, next_symbol in follows)
        assert judged.contradicted[event] == contradicted
        assert judged.comparable[event] == (contradicted or any(other != number for other, _ in follows))
    assert sum(item.rejected for item in judged.functions) == len(rejected)
    assert sum(item.contradicted for item in judged.functions) == int(np.sum(judged.contradicted))
    assert judged.attached + judged.loose == int(np.sum(context.is_rejected))


def test_what_rejections_are_worth() -> None:
    def worth(rejected: int, comparable: int, contradicted: int) -> RejectionValue:
        return FunctionRejections(
            function="f", rejected=rejected, comparable=comparable, contradicted=contradicted
        ).verdict

    assert worth(10, 10, 9) is RejectionValue.GUARD
    assert worth(10, 10, 1) is RejectionValue.TRUSTWORTHY
    assert worth(10, 4, 0) is RejectionValue.UNCLEAR, "too few could have been contradicted"
    assert worth(10, 10, 3) is RejectionValue.UNCLEAR


@settings(max_examples=15)
@given(SEEDS, SEEDS, SPLITS)
def test_races_are_dependencies_within_a_block_a_slice_and_its_storage(
    seed: int, order: int, wish: str
) -> None:
    found = market(seed, order, wish)
    split, context = found.interactions, found.context
    history, touched = context.history, context.accesses
    belongs = {
        (int(row), int(number))
        for number, row in zip(split.slice[~split.passive], split.invocation[~split.passive], strict=True)
    }
    block = history.transaction_block[history.invocation_transaction]
    expected = set()
    met = [
        tuple(int(item[touch]) for item in (touched.invocation, touched.writer, touched.slot))
        for touch in np.flatnonzero(touched.writer != MISSING).tolist()
    ]
    last: dict[int, int] = {}
    for touch in np.flatnonzero(touched.effective_write).tolist():
        row, slot = int(touched.invocation[touch]), int(touched.slot[touch])
        if slot in last and not touched.external_read[touch]:
            met.append((row, last[slot], slot))
        last[slot] = row
    for second, first, slot in met:
        for number in {int(holder[slot]) for holder in split.holders} - {MISSING}:
            alike = (first, number) in belongs and (second, number) in belongs
            senders = history.invocation_sender[[first, second]]
            if alike and block[first] == block[second] and senders[0] != senders[1]:
                expected.add((number, first, second, slot))
    told = {
        (race.interaction, race.first, race.second, slot)
        for race in races(context, split)
        for slot in race.slots
    }
    assert told == expected


def test_two_calls_that_only_write_race() -> None:
    """What is overwritten unread depends on the order as well: of two approvals the last one stays."""
    create, offer = Act(0, "create", 0, 5, False, 0), Act(0, "offer", 1, 7, False, 1)
    first, second, third = played([create, offer, replace(offer, sender=2, price=9, number=2)])
    blind = [
        replace(
            item,
            block=second.block,
            invocations=tuple(
                replace(
                    call,
                    accesses=tuple(access for access in call.accesses if access.kind is AccessKind.WRITE),
                )
                for call in item.invocations
            ),
        )
        for item in (second, third)
    ]
    moved = [replace(item, index=index) for index, item in enumerate(blind)]
    found = inspect(history_of([replace(first, block=block_of(9)), *moved]), wish="whole")
    told = races(
        found.context,
        replace(
            found.interactions, holders=(np.zeros(len(found.context.locations.variable), dtype=np.int64),)
        ),
    )
    assert [(race.first, race.second, race.lost) for race in told] == [(1, 2, False)]
    assert len(told[0].slots) == 1, "both left the state as it was, and wrote other prices"


@settings(max_examples=15)
@given(SEEDS, SEEDS, SPLITS)
def test_independence_counts_what_others_had_written(seed: int, order: int, wish: str) -> None:
    found = market(seed, order, wish)
    split, context = found.interactions, found.context
    touched = context.accesses
    pairs = list(
        zip(split.slice[~split.passive].tolist(), split.invocation[~split.passive].tolist(), strict=True)
    )
    belongs, track = set(pairs), set(split.track.tolist())
    kinds = {"independent": 0, "environment": 0, "foreign_readers": 0, "own_readers": 0}
    for number, row in pairs:
        seen = set()
        for touch in np.flatnonzero((touched.invocation == row) & (touched.writer != MISSING)).tolist():
            writer, slot = int(touched.writer[touch]), int(touched.slot[touch])
            created = context.history.invocation_kind[writer] == CONSTRUCTOR
            if (number, writer) in belongs or writer in track or created:
                continue
            held = {int(holder[slot]) for holder in split.holders}
            foreign = held - {MISSING}
            seen.add("own_readers" if number in held else "foreign_readers" if foreign else "environment")
        for kind in ("own_readers", "foreign_readers", "environment"):
            if kind in seen:
                kinds[kind] += 1
                break
        else:
            kinds["independent"] += 1
    checked = independence(context, split)
    assert checked.events == len(pairs)
    assert kinds == {name: getattr(checked, name) for name in kinds}


def test_a_history_without_code_is_not_executed_again() -> None:
    found = market(1, 1, "auto")
    assert replay_sample(found.context, found.interactions) is None
