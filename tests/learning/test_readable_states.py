"""What a reader is spared: states that tell nothing of the protocol, and predicates that are accidents."""

from __future__ import annotations

import random

from specminer.learning.abstraction_definition import Definition
from specminer.learning.event_table import EntityVariable, ValueKind
from specminer.learning.tune import tune
from specminer.learning.vocabulary import vocabulary as vocabulary_of
from specminer.specification.abstraction_entries import HistoryView
from tests.support.event_tables import table_of

Lives = list[list[tuple[str, tuple[int, ...]]]]
OVER = EntityVariable(name="over", kind=ValueKind.BOOL)


def test_what_is_over_is_a_dead_end_though_others_still_try() -> None:
    lives: Lives = [
        [
            ("open", (0,)),
            *[("use", (0,))] * (1 + number % 3),
            ("close", (1,)),
            *[("use!", (1,))] * (number % 4),
        ]
        for number in range(30)
    ]
    metrics = tune(table_of(lives, [OVER], rejected=["use!"]), Definition()).metrics
    assert metrics["states"] == 3
    assert metrics["end_bits"] == 0


def test_flags_and_accounts_that_are_both_unset_are_not_compared() -> None:
    one, two = (EntityVariable(name=name, kind=ValueKind.BOOL) for name in ("listed", "rented"))
    three, four = (EntityVariable(name=name, kind=ValueKind.ADDRESS) for name in ("tenant", "agent"))
    lives: Lives = [
        [("a", (0, 0, 0, 0)), ("b", (1, 0, 1 << 99, 0)), ("c", (1, 1, 1 << 99, 1 << 98)), ("d", (0, 0, 0, 0))]
    ] * 3
    made = vocabulary_of(
        table_of(lives, [one, two, three, four]), Definition(history=HistoryView.NEVER)
    ).predicates
    assert {predicate.text for predicate in made} == {"listed", "rented"}


def test_what_changes_nothing_about_what_can_be_done_makes_no_state() -> None:
    often = EntityVariable(name="renewals", kind=ValueKind.UINT)
    draw = random.Random(0)
    lives: Lives = []
    for _ in range(60):
        life: list[tuple[str, tuple[int, ...]]] = [("lease", (0, 0))]
        for _ in range(draw.randrange(8)):
            event = draw.choice(("set", "renew"))
            life.append((event, (0, min(2, life[-1][1][1] + (event == "renew")))))
        lives.append([*life, ("end", (1, life[-1][1][1]))])
    states = tune(table_of(lives, [OVER, often]), Definition()).states
    assert [state.name for state in states] == ["start", "not over", "over"]


def test_what_a_definition_fixes_stays_told() -> None:
    rich = EntityVariable(name="rich", kind=ValueKind.BOOL)
    lives: Lives = [[("pay", (number >> place & 1,)) for place in range(5)] for number in range(32)]
    table = table_of(lives, [rich])
    assert len(tune(table, Definition()).states) == 2
    told = tune(table, Definition(fix=("rich",))).states
    assert {state.name for state in told} == {"start", "rich", "not rich"}
