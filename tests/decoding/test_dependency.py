"""Dependencies against a naive reading of their definition, and cases made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from specminer.decoding.accesses import AccessSummary, Dependencies, dependencies, graph, summarize_accesses
from specminer.history.contract_history import MISSING, History
from specminer.history.trace import Tracer
from tests.support.histories import CHAIN, CONTRACTS, Simulated, simulate, simulations, stored
from tests.support.step_histories import made

OWN, OTHER = CONTRACTS


def edges(history: History) -> set[tuple[int, int, int]]:
    """Return (reader, writer, slot)."""
    found = dependencies(summarize_accesses(history))
    return {
        (int(reader), int(writer), history.words[slot])
        for reader, writer, slot in zip(found.reader, found.writer, found.slot, strict=True)
    }


def naive(history: History) -> tuple[set[tuple[int, int, int]], dict[tuple[int, int], tuple[bool, bool]]]:
    """Return the edges, and for each (invocation, slot) whether it reads from outside and writes."""
    rows = sorted(
        range(len(history.access_slot)),
        key=lambda row: (
            history.invocation_transaction[history.access_invocation[row]],
            history.access_position[row],
        ),
    )
    calls = [int(history.access_invocation[row]) for row in rows]
    place = [
        (history.invocation_contract[call], history.access_slot[row])
        for call, row in zip(calls, rows, strict=True)
    ]
    flags: dict[tuple[int, int], tuple[bool, bool]] = {}
    effective: set[tuple[int, int]] = set()
    for call in range(len(history)):
        own = [(at, row) for at, row in enumerate(rows) if calls[at] == call]
        for slot in {history.access_slot[row] for _, row in own}:
            mine = [row for _, row in own if history.access_slot[row] == slot]
            writes = [row for row in mine if history.access_write[row] and not history.access_undone[row]]
            changed = bool(writes) and history.access_after[writes[-1]] != history.access_before[mine[0]]
            flags[call, int(slot)] = (not history.access_write[mine[0]], bool(changed))
            if changed:
                effective |= {(call, int(slot))}
    found: set[tuple[int, int, int]] = set()
    seen: set[tuple[int, int]] = set()
    for at, row in enumerate(rows):
        key = (calls[at], int(history.access_slot[row]))
        if key in seen:
            continue
        seen.add(key)
        if history.access_write[row]:
            continue
        for earlier in range(at - 1, -1, -1):
            other = rows[earlier]
            lasting = history.access_write[other] and not history.access_undone[other]
            writer = (calls[earlier], int(history.access_slot[other]))
            if place[earlier] == place[at] and lasting and writer in effective:
                written, seen_value = history.access_after[other], history.access_after[row]
                if seen_value != MISSING and written in (seen_value, MISSING):
                    found.add((calls[at], calls[earlier], history.words[history.access_slot[row]]))
                break
    return found, flags


@pytest.mark.slow
@settings(max_examples=40)
@given(simulations(contracts=2, tracers=(Tracer.JAVASCRIPT, Tracer.STRUCT_LOGS)))
def test_agrees_with_the_definition(simulated: Simulated) -> None:
    with stored(simulated.transactions, CONTRACTS) as store:
        history = store.history(CHAIN, CONTRACTS)
    found, flags = naive(history)
    touched = summarize_accesses(history)
    assert edges(history) == found
    shown = {
        (int(call), int(word)): (bool(read), bool(write))
        for call, word, read, write in zip(
            touched.invocation, touched.word, touched.external_read, touched.effective_write, strict=True
        )
    }
    assert shown == flags
    assert len(shown) == len(touched.invocation)
    assert np.array_equal(touched.invocation[touched.touch], history.access_invocation)
    assert np.array_equal(touched.word[touched.touch], history.access_slot)
    assert np.all(np.diff(touched.invocation) >= 0)
    built = graph(history, dependencies(touched))
    assert set(built) == set(range(len(history)))
    assert {(one, other, int(data["slot"], 16)) for one, other, data in built.edges(data=True)} == found


def test_a_read_sees_the_last_write() -> None:
    history = made([(0, "w", 1, 0, 5)], [(0, "w", 1, 5, 6)], [(0, "r", 1, 6, 6)])
    assert edges(history) == {(2, 1, 1)}


def test_a_read_after_the_own_write_is_no_external_read() -> None:
    assert edges(made([(0, "w", 1, 0, 5)], [(0, "w", 1, 5, 6), (0, "r", 1, 6, 6)])) == set()


def test_an_undone_write_does_not_count() -> None:
    assert edges(made([(0, "u", 1, 0, 5)], [(0, "r", 1, 0, 0)])) == set()
    assert edges(made([(0, "w", 1, 0, 4)], [(0, "u", 1, 4, 5)], [(0, "r", 1, 4, 4)])) == {(2, 0, 1)}


def test_what_saw_an_undone_write_saw_nothing_that_lasted() -> None:
    between = [(1, "u", 1, 2, 1), (0, "r", 1, 1, 1)]
    assert edges(made([(0, "w", 1, 0, 2)], between)) == set()
    assert edges(made([(0, "w", 1, 0, 2)], between[:1], [(0, "r", 1, 2, 2)])) == {(3, 0, 1)}


@pytest.mark.slow
def test_an_example_with_an_undone_write_agrees_with_the_definition() -> None:
    simulated = simulate(8, 6, contracts=CONTRACTS, tracers=(Tracer.JAVASCRIPT, Tracer.STRUCT_LOGS))
    with stored(simulated.transactions, CONTRACTS) as store:
        history = store.history(CHAIN, CONTRACTS)
    assert edges(history) == naive(history)[0]


def test_a_write_that_changes_nothing_in_the_end_is_not_effective() -> None:
    assert edges(made([(0, "w", 1, 0, 0)], [(0, "r", 1, 0, 0)])) == set()
    lock = [(0, "r", 1, 0, 0), (0, "w", 1, 0, 1), (0, "w", 1, 1, 0)]
    assert edges(made(lock, lock, lock)) == set()
    assert edges(made([(0, "w", 1, 0, 3)], lock[1:], [(0, "r", 1, 3, 3)])) == {(2, 0, 1)}


def test_a_reentrant_call_reads_what_its_caller_wrote_before_the_call_only() -> None:
    # the caller updates the balance first, then calls out
    safe = made([(0, "r", 1, 9, 9), (0, "w", 1, 9, 0), (1, "r", 1, 0, 0)])
    assert edges(safe) == {(1, 0, 1)}
    # it calls out first: the re-entrant call reads what was there before
    attacked = made([(0, "w", 1, 0, 9)], [(0, "r", 1, 9, 9), (1, "r", 1, 9, 9), (0, "w", 1, 9, 0)])
    assert edges(attacked) == {(1, 0, 1), (2, 0, 1)}


def test_a_caller_reads_what_the_call_that_came_back_wrote() -> None:
    history = made([(1, "w", 1, 0, 7), (0, "r", 1, 7, 7)])
    assert edges(history) == {(0, 1, 1)}


def test_equal_slots_of_two_contracts_do_not_link() -> None:
    history = made([(0, "w", 1, 0, 5), (1, "r", 1, 0, 0)], parents=(None, None), contracts=(OWN, OTHER))
    assert edges(history) == set()
    assert len(set(summarize_accesses(history).slot)) == 2


def test_a_value_not_seen_before_a_write_counts_as_another() -> None:
    history = made([(0, "w", 1, 0, 0)], [(0, "r", 1, 0, 0)])
    history.access_before[0] = MISSING
    assert edges(history) == {(1, 0, 1)}


def test_an_empty_history_has_no_dependencies() -> None:
    with stored([]) as store:
        history = store.history(CHAIN, [OWN])
    touched = summarize_accesses(history)
    assert isinstance(touched, AccessSummary)
    assert isinstance(dependencies(touched), Dependencies)
    assert edges(history) == set()
    assert len(graph(history, dependencies(touched))) == 0
