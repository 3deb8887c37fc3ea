"""How many conditions of third-party contracts are found, of those listed beforehand from their sources.

    python -m benchmarks.conditions                            # all histories, recorded on a node first
    python -m benchmarks.conditions --histories FOLDER --list  # from `python -m tests.support.third_party FOLDER`
    python -m benchmarks.conditions weth9 timelock

Each history is mined, and the guards of its specification are compared with ``tests/data/conditions``. A listed
condition is found if a solver shows that it follows from those that are told as required or coded of its function; an
expected *required* one must follow from the required ones, or need one of them. A mined condition
is wrong if it does not follow from the listed ones. Left aside are conditions of the compiler, and on both sides what
always holds. *Unclear* is a condition that follows from nothing and has no counterpart that could be read: it was
listed in words, or the mined one was too long; it counts neither as found nor as wrong. A history that cannot be mined
has none of its conditions found. ``--list`` prints those that were missed, wrong, and unclear.
"""

from __future__ import annotations

import argparse
import re
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.condition_terms import Comparable, Reader, python_text
from specminer._support.errors import SpecminerError
from specminer.pipeline.miner import mine
from specminer.specification import ConditionMaker, Guard, GuardCondition, GuardKind
from tests.support.third_party.catalogue import CONDITION_HISTORIES
from tests.support.third_party.conditions import (
    Condition,
    Expectation,
    FunctionConditions,
    expected_contract,
)
from tests.support.third_party.recording import recorded

_SUCCEEDS: Final = re.compile(r"succeeds\([\w.]*\.(\w+)\(")
_ARGUMENT: Final = re.compile(r"(?<![\w.])value_(?!\w)")
"""An argument that is called like the ether of the call."""
_ETHER: Final = re.compile(r"(?<![\w.])value(?!\w)")
_WORD: Final = re.compile(r"[A-Za-z_]\w{2,}")
_COMMON: Final = frozenset(
    {"sender", "value", "this", "now", "block", "not", "and", "length", "keccak", "hash", "MAX"}
)


class Verdict(StrEnum):
    """What became of a condition."""

    SHOWN = "shown"
    """A listed one was found; a mined one follows from the listed ones."""
    MISSED = "missed"
    WRONG = "wrong"
    UNCLEAR = "unclear"


@dataclass(slots=True, kw_only=True)
class Scores:
    """The verdicts on the conditions of a contract, each a line of text."""

    required: dict[Verdict, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Of listed conditions by which somebody was rejected."""
    coded: dict[Verdict, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Of listed conditions that nobody broke."""
    mined: dict[Verdict, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Of conditions told as required or coded."""

    def add(self, others: Scores) -> None:
        """Add the verdicts on another contract."""
        for mine_, theirs in zip(self.parts(), others.parts(), strict=True):
            for verdict, lines in theirs.items():
                mine_[verdict].extend(lines)

    def parts(self) -> tuple[dict[Verdict, list[str]], ...]:
        """Return the three kinds of verdicts."""
        return self.required, self.coded, self.mined


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A mined condition."""

    kind: GuardKind
    condition: GuardCondition
    read: Comparable

    @property
    def reasons(self) -> set[str]:
        """The contract's reasons that it explains."""
        return {reason.text for reason in self.condition.reasons}


def main() -> None:
    """Print a line for each history and one for all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--histories", type=Path, help="a folder of recordings")
    parser.add_argument("--list", action="store_true", help="print what was missed, wrong, unclear")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of: {', '.join(CONDITION_HISTORIES)}")
    arguments = parser.parse_args()
    print(f"{'':16} {'required':22} {'coded':22} told as either")
    found, wrong = (f"{word:>7} {'of':>4} {'unclear':>9}" for word in ("found", "wrong"))
    print(f"{'history':16} {found} {found} {wrong} seconds")
    total = Scores()
    begin = time.perf_counter()
    with TemporaryDirectory() as folder:
        for name in arguments.names or CONDITION_HISTORIES:
            start = time.perf_counter()
            scores = score(name, arguments.histories, Path(folder))
            report(name, scores, time.perf_counter() - start, listed=arguments.list)
            total.add(scores)
    report("all", total, time.perf_counter() - begin, listed=False)


def score(name: str, histories: Path | None, temporary: Path) -> Scores:
    """Mine a history, which is recorded first unless it lies in a folder, and compare its guards with the list."""
    given = None if histories is None else histories / name
    folder = given if given is not None and given.is_dir() else recorded(name, temporary).trace_file.parent
    guards = mined_guards(folder)
    contract = expected_contract(name)
    scores = Scores()
    for function in sorted({*contract.functions} | {guard.scope for guard in guards}):
        listed = contract.functions.get(function, FunctionConditions(names={}, conditions=()))
        own = [guard for guard in guards if guard.scope == function]
        compare(function, listed, own, {**contract.names, **listed.names}, scores)
    return scores


def mined_guards(folder: Path) -> list[Guard]:
    """Return the required and coded guards of a recording; none if it cannot be mined, which is said."""
    try:
        guards = mine(folder / "traces.jsonl.gz", abi=folder / "artifact.json").specification.guards
    except (SpecminerError, ArithmeticError) as error:
        print(f"{folder.name}: {type(error).__name__}: {error}")
        return []
    return [guard for guard in guards if guard.kind in (GuardKind.REQUIRED, GuardKind.CODED)]


def compare(
    function: str,
    listed: FunctionConditions,
    guards: Sequence[Guard],
    names: Mapping[str, str],
    scores: Scores,
) -> None:
    """Add the verdicts on the conditions of a function, listed and mined."""
    asked = frozenset(match for item in listed.conditions for match in _SUCCEEDS.findall(item.text))
    reader = Reader(names=names, asked=asked)
    worded = [text for guard in guards for text in (guard.text, *guard.names.values())]
    spell = _as_listed if any(map(_ARGUMENT.search, worded)) else str
    told = [
        Told(
            kind=guard.kind,
            condition=condition,
            read=reader.read(
                spell(_demand(condition)), {spell(key): spell(name) for key, name in guard.names.items()}
            ),
        )
        for guard in guards
        for condition in guard.conditions
        if condition.maker is ConditionMaker.CONTRACT
    ]
    read = [(item, reader.read(item.text)) for item in listed.conditions]
    unclear = [item for item, comparable in read if not comparable.comparable]
    for item, comparable in read:
        _judge_listed(function, item, comparable, told, reader, scores)
    premises = [comparable.formula for _, comparable in read]
    for each in told:
        if reader.follows(each.read.formula, []):
            continue
        if reader.follows(each.read.formula, premises):
            verdict = Verdict.SHOWN
        elif not each.read.comparable or any(_speak_of_the_same(each, item, names) for item in unclear):
            verdict = Verdict.UNCLEAR
        else:
            verdict = Verdict.WRONG
        scores.mined[verdict].append(f"{function}, {each.kind.value}: {each.condition.text}")


def _as_listed(text: str) -> str:
    """Return a mined condition of a function with an argument ``value`` as lists write it: there ether is ``paid``."""
    return _ARGUMENT.sub("value", _ETHER.sub("paid", text))


def _demand(condition: GuardCondition) -> str:
    """Return what a condition asks; of one that a version of the code has what that version asks, as it is listed."""
    return condition.text if condition.version is None else condition.version.demand


def _judge_listed(
    function: str,
    item: Condition,
    comparable: Comparable,
    told: Sequence[Told],
    reader: Reader,
    scores: Scores,
) -> None:
    """Add the verdict on a listed condition, if it is one that a mined guard has to have."""
    compilers = any(reason.startswith("panic") for reason in item.reasons) or (
        not item.reasons and item.text.endswith("<= MAX")  # checked arithmetic of Vyper
    )
    if item.expected not in (Expectation.REQUIRED, Expectation.CODED) or compilers:
        return
    if reader.follows(comparable.formula, []):
        return
    required = item.expected is Expectation.REQUIRED
    formulas = {
        kind: [each.read.formula for each in told if each.kind is kind]
        for kind in (GuardKind.REQUIRED, GuardKind.CODED)
    }
    note = ""
    if reader.follows(comparable.formula, [each.read.formula for each in told]):
        verdict = Verdict.SHOWN
        by_required, by_coded = (reader.follows(comparable.formula, each) for each in formulas.values())
        if required and by_coded and not by_required:
            verdict, note = Verdict.MISSED, " (told as coded only)"
    elif not comparable.comparable or any(
        not each.read.comparable and each.reasons & set(item.reasons) for each in told
    ):
        verdict = Verdict.UNCLEAR
    else:
        verdict = Verdict.MISSED
    (scores.required if required else scores.coded)[verdict].append(f"{function}: {item.text}{note}")


def _speak_of_the_same(told: Told, item: Condition, names: Mapping[str, str]) -> bool:
    """Return whether a mined condition may be one that is listed in words: by its reason, else by its names."""
    if told.reasons:
        return bool(told.reasons & set(item.reasons))
    words = set(_WORD.findall(item.text))
    for _ in range(2):  # a local name may stand for another
        words |= {word for name in words & names.keys() for word in _WORD.findall(names[name])}
    return bool((words - _COMMON) & set(_WORD.findall(python_text(told.condition.text))))


def report(name: str, scores: Scores, seconds: float, *, listed: bool) -> None:
    """Print the line of a contract, and its conditions in question if they are wanted."""
    columns = []
    for part, verdict in zip(scores.parts(), (Verdict.SHOWN, Verdict.SHOWN, Verdict.WRONG), strict=True):
        count = sum(map(len, part.values()))
        columns.append(f"{len(part[verdict]):7} {count:4} {len(part[Verdict.UNCLEAR]):9}")
    print(f"{name:16} {' '.join(columns)} {seconds:7.1f}", flush=True)
    for text in _questions(scores) if listed else ():
        print(f"    {text}")


def _questions(scores: Scores) -> Iterator[str]:
    for label, part in zip(("required", "coded", "mined"), scores.parts(), strict=True):
        for verdict in (Verdict.MISSED, Verdict.WRONG, Verdict.UNCLEAR):
            yield from (f"{verdict}, {label}: {text}" for text in part[verdict])


if __name__ == "__main__":
    main()
