"""Specifications built by hand: each says its protocol in a sentence."""

from __future__ import annotations

from typing import Any

from specminer.specification import (
    AbstractionSummary,
    Edge,
    EntitySort,
    Guard,
    GuardKind,
    HistorySummary,
    InteractionsSummary,
    Mode,
    Occurrence,
    Proof,
    ReplayFidelity,
    Specification,
    State,
    TransitionKind,
)

HOSTILE_NAMES = (
    "</script><img src=x onerror=alert(1)>",
    "</TD><B>",
    'a"b\nc',
    "%s%n{0}",
    "\\N\\G\\E\\",
    "&amp;&lt;script&gt;&bogus;&#60;",
    "\u202egnp.\u200b\u2066x",
    "<script>alert(1)</script>",
    "]]><!-- --><![CDATA[",
    " ",
    "",
    "\x1b[31mred\x07\x00",
    "\ud800\ufffe",
    "z" * 100_000,
    "漢字" * 30,
    "[bold]x[/bold]",
)
"""Names that anyone may have given a function; each must come out as text."""


def states(number: int) -> tuple[State, ...]:
    """Return states without predicates."""
    return tuple(State(id=row, name=f"state {row}", predicates=(), visits=1, ends=0) for row in range(number))


def edge(
    source: int,
    event: str,
    target: int,
    count: int,
    *,
    rejected: bool = False,
    role: str | None = None,
    kind: TransitionKind = TransitionKind.CALL,
) -> Edge:
    """Return a transition with evidence made up from its count."""
    return Edge(
        source=source,
        target=target,
        event=event,
        function=event.removesuffix(f" as {role}").removeprefix("side effect of "),
        role=role,
        kind=kind,
        outcome="reverted" if rejected else "returned",
        count=count,
        interaction_count=max(1, count // 2),
        senders=max(1, count // 3),
        first=Occurrence(transaction="0x" + "11" * 32, block=5_000_000, timestamp=1_517_319_693),
        last=Occurrence(transaction="0x" + "22" * 32, block=5_000_000 + count, timestamp=None),
        witnesses=("0x" + "11" * 32,),
    )


def specification(
    name: str, states: tuple[State, ...], transitions: tuple[Edge, ...], **changes: Any
) -> Specification:
    """Return a specification around an automaton, whose initial state is 0 unless told otherwise."""
    history = HistorySummary(
        first_block=5_000_000,
        last_block=5_100_000,
        transactions=sum(edge.count for edge in transitions),
        invocations=sum(edge.count for edge in transitions),
        rejected=sum(edge.count for edge in transitions if edge.outcome == "reverted"),
        source="debug_traceTransaction",
        fidelity=ReplayFidelity(transactions=400, status=0.9975, gas=0.99, left_out=1),
        limits=("Calls to view functions leave no trace and are not part of the history.",),
        names="Function names come from the ABI, variable names from the storage layout.",
    )
    values: dict[str, Any] = {
        "contracts": ("0x5FbDB2315678afecb367f032d93F642f64180aa3",),
        "chain_id": 1,
        "history": history,
        "interactions": InteractionsSummary(
            mode=Mode.INSTANCE,
            count=40,
            explanation="Each of the 40 instances of the same code is one interaction.",
        ),
        "abstraction": AbstractionSummary(name="tuned"),
        "initial": 0,
    }
    return Specification(name=name, states=states, transitions=transitions, **(values | changes))


def auction() -> Specification:
    """Build: an auction is deployed, bid for, ended once, then bidders withdraw; late bids are rejected."""
    states = (
        State(id=0, name="start", predicates=(), visits=0, ends=0),
        State(id=1, name="no bids", predicates=("highestBidder = 0", "not ended"), visits=40, ends=3),
        State(id=2, name="open", predicates=("highestBidder != 0", "not ended"), visits=412, ends=5),
        State(id=3, name="ended", predicates=("highestBidder != 0", "ended"), visits=61, ends=32),
    )
    transitions = (
        edge(0, "constructor", 1, 40),
        edge(1, "bid", 2, 37),
        edge(1, "auctionEnd", 1, 4, rejected=True),
        edge(2, "bid", 2, 310),
        edge(2, "withdraw", 2, 65),
        edge(2, "bid", 2, 58, rejected=True),
        edge(2, "auctionEnd", 3, 32),
        edge(3, "withdraw", 3, 29),
        edge(3, "bid", 3, 12, rejected=True),
        edge(3, "auctionEnd", 3, 2, rejected=True),
    )
    guards = (
        Guard(
            scope="bid",
            text="value > highestBid and now <= auctionEndTime",
            smt="(and (> value highestBid) (<= now auctionEndTime))",
            kind=GuardKind.REQUIRED,
            accepted=347,
            rejected=70,
            explained=68,
            proved=Proof.YES,
        ),
    )
    return specification("SimpleAuction", states, transitions, guards=guards)


def horses() -> Specification:
    """Build: a horse is created or bred, offered, sold, bred again; 8 states, 33 transitions, some rare."""
    states = (
        State(id=0, name="start", predicates=(), visits=0, ends=0),
        State(
            id=1,
            name="price = 0, not for sale",
            predicates=("price = 0", "not for sale", "mareId = 0", "unproductiveIndex = 0"),
            visits=553,
            ends=105,
        ),
        State(
            id=2,
            name="for sale",
            predicates=("forSale", "mareId = 0", "unproductiveIndex = 0"),
            visits=479,
            ends=172,
        ),
        State(
            id=3,
            name="price > 0, not for sale",
            predicates=("price > 0", "not for sale", "mareId = 0", "unproductiveIndex = 0"),
            visits=290,
            ends=105,
        ),
        State(id=4, name="mareId > 0", predicates=("mareId > 0",), visits=282, ends=91),
        State(id=5, name="unproductiveIndex > 0", predicates=(), visits=402, ends=133),
        State(id=6, name="owner = this contract", predicates=("price <= maxPrice",), visits=39, ends=1),
        State(id=7, name="owner = 0", predicates=("owner = 0", "price = 0"), visits=12, ends=12),
    )
    passive = TransitionKind.PASSIVE
    transitions = (
        edge(0, "createGen0Horse", 1, 452),
        edge(0, "stallionWith as new", 4, 154, role="new"),
        edge(0, "transfer", 0, 6, rejected=True),
        edge(0, "horseForSale", 0, 2, rejected=True),
        edge(1, "transfer", 1, 100),
        edge(1, "horseForSale", 2, 344),
        edge(1, "burn", 7, 1),
        edge(2, "horseForSale", 2, 14),
        edge(2, "transfer", 2, 12),
        edge(2, "transferFrom", 3, 221),
        edge(2, "horseNotForSale", 3, 52),
        edge(2, "deposit", 6, 38),
        edge(3, "horseForSale", 2, 109),
        edge(3, "transfer", 3, 8),
        edge(3, "stallionWith as mareId", 5, 31, role="mareId"),
        edge(3, "stallionWith as stallionId", 5, 28, role="stallionId"),
        edge(4, "horseForSale", 4, 77),
        edge(4, "horseNotForSale", 4, 28),
        edge(4, "transferFrom", 4, 19),
        edge(4, "stallionWith as mareId", 5, 37, role="mareId"),
        edge(4, "stallionWith as stallionId", 5, 26, role="stallionId"),
        edge(5, "stallionWith as stallionId", 5, 96, role="stallionId"),
        edge(5, "stallionWith as mareId", 5, 79, role="mareId"),
        edge(5, "horseForSale", 5, 61),
        edge(5, "transferFrom", 5, 19),
        edge(5, "horseNotForSale", 5, 11),
        edge(5, "approve", 5, 3),
        edge(5, "setName", 5, 2),
        edge(5, "stallionWith as mareId", 5, 10, rejected=True, role="mareId"),
        edge(6, "side effect of sweep", 1, 37, kind=passive),
        edge(4, "burn", 7, 11),
        edge(5, "deposit", 6, 1),
        edge(3, "transferFrom", 1, 1),
    )
    interactions = InteractionsSummary(
        mode=Mode.PROJECTION,
        sort=EntitySort(name="token", ports=("horses[]",), arguments=("_tokenId",), score=0.71),
        count=606,
        explanation="The keys of horses[] name 606 tokens; a call stands in the slice of each it names.",
    )
    return specification("GetTheHorse", states, transitions, interactions=interactions)


def hostile(names: tuple[str, ...] = HOSTILE_NAMES) -> Specification:
    """Build: every text of the specification is an attack on whoever shows it."""
    states = (
        State(id=0, name="start", predicates=(), visits=0, ends=0),
        *(
            State(id=number, name=name, predicates=(name, name[::-1]), visits=number, ends=1)
            for number, name in enumerate(names, start=1)
        ),
    )
    last = len(names)
    transitions = (
        *(edge(0, name, number, 9) for number, name in enumerate(names, start=1)),
        *(edge(last, f"{name} as {name}", last, 5, role=name) for name in names[:4]),
        *(edge(number, name, number, 3, rejected=True) for number, name in enumerate(names, start=1)),
        *(edge(0, name, 0, 3, rejected=True) for name in names[:3]),
    )
    attack = "\x1b[2J</b>"
    return specification(
        names[0],
        states,
        transitions,
        history=HistorySummary(source=attack, names=attack, selection=names[1], limits=names[:6]),
        interactions=InteractionsSummary(
            sort=EntitySort(name=names[1]), count=7, explanation=names[2], outside={names[3]: 2}
        ),
        guards=(Guard(scope=names[4], text=names[3], kind=GuardKind.REQUIRED, explained=3, rejected=4),),
    )


SAMPLES = {"auction": auction, "horses": horses}
"""The samples with a stored picture, by name."""
