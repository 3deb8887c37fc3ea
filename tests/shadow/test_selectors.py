"""Which conditions only choose the function that is called."""

from __future__ import annotations

from specminer.decision.selectors import selects_only
from specminer.shadow.arena import UNKNOWN, Arena

SHARED = 100
"""Sums of one thing with itself: as a tree the last has two to the power of so many leaves."""


def doubled(arena: Arena, node: int) -> int:
    for _ in range(SHARED):
        node = arena.node("add", node, node)
    return node


def test_comparisons_of_the_selector_choose_the_function() -> None:
    arena = Arena()
    word = arena.node("calldata", 0)
    selector = arena.node("field", word, 224, 32)
    assert selects_only(arena, arena.node("eq", selector, arena.constant(7)))
    assert not selects_only(arena, arena.node("eq", word, arena.constant(7)))
    assert not selects_only(arena, arena.node("eq", selector, arena.node("sender")))
    assert not selects_only(arena, arena.node("storage", selector, 0))
    assert not selects_only(arena, arena.constant(7))
    assert not selects_only(arena, UNKNOWN)


def test_whether_there_is_a_selector_and_which_bare_one_it_is_choose_the_function() -> None:
    arena = Arena()
    word, size = arena.node("calldata", 0), arena.node("data_size")
    bare = arena.node("eq", word, arena.constant(0xA619486E << 224))
    short = arena.node("lt", size, arena.constant(4))
    for node in (bare, short):
        assert selects_only(arena, node)
        assert selects_only(arena, arena.node("iszero", node))
    assert not selects_only(arena, arena.node("lt", size, arena.constant(36)))
    assert not selects_only(arena, arena.node("iszero", size))
    assert not selects_only(arena, arena.node("eq", arena.node("calldata", 4), arena.constant(1 << 224)))


def test_parts_that_expressions_share_are_looked_at_once() -> None:
    arena = Arena()
    selector = arena.node("field", arena.node("calldata", 0), 224, 32)
    assert selects_only(arena, doubled(arena, selector))
    assert not selects_only(arena, arena.node("add", arena.node("sender"), doubled(arena, selector)))
