"""How many of the splits, states and transitions of contracts are found, of those written down beforehand.

    python -m benchmarks.states                            # all histories, recorded on a node first
    python -m benchmarks.states --histories FOLDER --list  # from `python -m tests.support.third_party FOLDER`
    python -m benchmarks.states timelock htlc
    python -m benchmarks.states --interactions whole safe  # split as wished

Each history is mined, and what was mined is compared with ``tests/data/states``, call by call.

- *Entity*: F of the pairs of calls that share an entity, among accepted calls that concern a written one, and once
  more with rejected ones. From 0.9 on for accepted calls the split is as written.
- *States*: a mined state stands for a written one if that holds at most of its positions: before and after each event
  of each interaction, at the time of the event. The written state is found if F of the positions is at least 0.9;
  accepted calls that stand in no interaction of their entity count as missed.
  The written conditions are evaluated on the storage that the history's accesses tell, not on what is mined.
- *Transitions*: a written transition is found if both of its states are, and a transition of that function, or one of
  time, leads from one to the other. Counted are states that the history visits and transitions that it takes.
- *Picture*: states and arrows drawn by default.
- *Misleading*: predicates of states that rest on what was called before, and traps in the file that the picture's texts
  fell into.

``--list`` prints what was not found, and what misleads.
"""

from __future__ import annotations

import argparse
import csv
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.state_agreement import Agreement, MinedEvent, agreement
from specminer import MinedSpecification, MineOptions, SpecminerError, mine
from specminer.specification import Specification, Tier
from tests.support.third_party.catalogue import LIFE_HISTORIES
from tests.support.third_party.followed_lives import FollowedLives
from tests.support.third_party.recording import recorded, recording_in
from tests.support.third_party.written_states import WrittenLife, written_life

_AT_CALLS: Final = frozenset({"call", "passive", "phase"})
"""Kinds of events that happen in a call."""
_LARGEST: Final = (8, 30)
"""States and arrows that a picture may have."""
_BOX: Final = re.compile(r'\bclass="?(?:state|start)\b')
"""What a state has in a picture as DOT."""
_ARROW: Final = re.compile(r"^\s*\S+ -> \S+ \[", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What became of one history."""

    name: str
    agreement: Agreement
    split: str
    """What the history was split by."""
    states: int
    """Drawn, the initial one included."""
    arrows: int
    """Drawn."""
    misleading: tuple[str, ...]
    """Texts of the picture that fell into traps, each with the reason."""
    seconds: float

    @property
    def columns(self) -> str:
        """The line of the table."""
        found = self.agreement
        visited, taken = found.states, found.steps
        return (
            f"{self.name:17} {found.entity:6.2f} {found.entity_of_all:8.2f}  {'yes' if found.split_found else 'no':3}  "
            f"{sum(state.found for state in visited):2} of {len(visited):2}  "
            f"{sum(taken.values()):2} of {len(taken):2}  "
            f"{self.states:6} {self.arrows:6} {len(self.misleading):10} {self.seconds:7.1f}  {self.split}"
        )


def main() -> None:
    """Print a line for each history and one for all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--histories", type=Path, help="a folder of recordings")
    parser.add_argument("--list", action="store_true", help="print what was not found, and what misleads")
    parser.add_argument("--interactions", metavar="WISH", help="how to split, as for `specminer mine`")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of: {', '.join(LIFE_HISTORIES)}")
    arguments = parser.parse_args()
    print(
        f"{'history':17} entity rejected  ok   states      steps     drawn arrows misleading seconds  split by"
    )
    rows = []
    with TemporaryDirectory() as folder:
        for name in arguments.names or LIFE_HISTORIES:
            try:
                row = compare(name, arguments.histories, Path(folder), arguments.interactions)
            except (SpecminerError, ArithmeticError) as error:
                print(f"{name:17} {type(error).__name__}: {error}", flush=True)
                continue
            rows.append(row)
            print(row.columns, flush=True)
            for line in explanation(row) if arguments.list else ():
                print(f"    {line}")
    if rows:
        print(total(rows))


def compare(name: str, histories: Path | None, temporary: Path, interactions: str | None = None) -> Row:
    """Mine a history, which is recorded first unless it lies in a folder, and compare it with what was written.

    Raises:
        SpecminerError: it cannot be mined.
    """
    recording = recorded(name, temporary) if histories is None else recording_in(histories / name)
    life = written_life(name)
    start = time.perf_counter()
    mined = mine(
        recording.trace_file, abi=recording.artifact_file, options=MineOptions(interactions=interactions)
    )
    seconds = time.perf_counter() - start
    specification = mined.specification
    lives = FollowedLives(recording=recording, life=life)
    picture = mined.draw("dot").decode()
    return Row(
        name=name,
        agreement=agreement(lives, list(mined_events(mined, temporary / "log")), specification),
        split=split_of(specification),
        states=len(_BOX.findall(picture)),
        arrows=len(_ARROW.findall(picture)),
        misleading=tuple(traps(specification, life)),
        seconds=seconds,
    )


def mined_events(mined: MinedSpecification, folder: Path) -> Iterator[MinedEvent]:
    """Yield the events of all interactions, from the log that users get."""
    mined.write_report(folder, ["csv"])
    with (folder / "events.csv").open(newline="") as file:
        for line in csv.DictReader(file):
            if line["kind"] not in _AT_CALLS:
                continue
            yield MinedEvent(
                interaction=line["interaction"],
                transaction=line["transaction"],
                position=int(line["position"] or 0),
                own=line["kind"] == "call",
                before=line["state_before"].removeprefix("'"),
                after=line["state_after"].removeprefix("'"),
            )


def split_of(specification: Specification) -> str:
    """Return what a history was split by, in a word."""
    interactions = specification.interactions
    if interactions.sort is not None:
        return interactions.sort.name
    return interactions.mode.value if interactions.mode is not None else ""


def traps(specification: Specification, life: WrittenLife) -> Iterator[str]:
    """Yield what of the picture misleads, each once, with the reason.

    Storage and the clock tell the states of all these contracts, so that none may rest on what was called before.
    """
    for chosen in specification.abstraction.chosen:
        if chosen.tier is Tier.HISTORY:
            yield f"{chosen.predicate}: what was called, where storage and the clock tell the state"
    for trap in life.misleading:
        texts = [*state_texts(specification), *(guard_texts(specification) if trap.guards else ())]
        for text in dict.fromkeys(texts):
            if trap.pattern.search(text):
                yield f"{text}: {trap.why}"
                break


def state_texts(specification: Specification) -> Iterator[str]:
    """Yield what states say."""
    for state in specification.states:
        yield from (state.name, *state.predicates, *state.phrases)


def guard_texts(specification: Specification) -> Iterator[str]:
    """Yield what transitions say that calls have to meet."""
    yield from (edge.guard for edge in specification.transitions if edge.guard is not None)


def explanation(row: Row) -> Iterator[str]:
    """Yield what was not found, with the mined states that came nearest, and what misleads."""
    found = row.agreement
    for state in found.states:
        if not state.found:
            nearest = ", ".join(sorted(state.mined)) or "no state"
            yield f"state {state.name}: F {state.f:.2f} with {nearest}"
    if found.unvisited:
        yield f"states that nobody visits: {', '.join(found.unvisited)}"
    yield from (f"step not found: {' - '.join(step)}" for step, there in found.steps.items() if not there)
    yield from (f"misleading: {text}" for text in row.misleading)


def total(rows: list[Row]) -> str:
    """Return the line of all histories."""
    found, written = (sum(part) for part in zip(*(row.agreement.counts for row in rows), strict=True))
    states = [state for row in rows for state in row.agreement.states]
    steps = [there for row in rows for there in row.agreement.steps.values()]
    splits = sum(row.agreement.split_found for row in rows)
    large = sum(row.states > _LARGEST[0] or row.arrows > _LARGEST[1] for row in rows)
    misled = sum(bool(row.misleading) for row in rows)
    return (
        f"all: {found} of {written} as written ({found / written:.0%}): {splits} of {len(rows)} splits, "
        f"{sum(state.found for state in states)} of {len(states)} states, {sum(steps)} of {len(steps)} steps; "
        f"{misled} histories mislead, {large} pictures are too large"
    )


if __name__ == "__main__":
    main()
