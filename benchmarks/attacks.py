"""Where attacks rank among the transactions of their history, and how many benign transactions are alarms.

    python -m benchmarks.attacks                       # plays the shapes of tests.support.shapes on a node
    python -m benchmarks.attacks --further             # eight further shapes, that the ranking was not tuned to
    python -m benchmarks.attacks --histories FOLDER    # reads NAME.jsonl.gz and NAME.attack.json from a folder
    python -m benchmarks.attacks --datasets            # the shipped datasets, three of them with a planted attack
    python -m benchmarks.attacks --benign FOLDER       # trace files without attacks, each beside its artifact.json
    SPECMINER_REAL_DATA=/data python -m benchmarks.attacks --real  # re-executed imports

What is asked for is put together; ``--only NAME`` leaves out the rest. One line an attack: judged transactions, its
place among them, whether it is an alarm, its bits, the family of sources that says most, and the benign alarms of its
history. A transaction of the attacker, by origin or caller, that is not marked counts on neither side. Histories
without an attack have a line only if something is an alarm there. Then the benign alarms of all histories pooled, with
the 95 % interval of their share (Wilson), how many have more than other scores, and how much more often two families
speak together than they would if they were independent.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np

from benchmarks.decisions import histories
from specminer._support.statistics import wilson
from specminer.contracts.artifact import Artifact, load
from specminer.history.contract_history import History
from specminer.inference.evidence_fusion import CUT
from specminer.inference.ranked_transactions import Transactions
from specminer.pipeline import MineOptions, import_traces, mine
from specminer.pipeline.datasets import list_datasets
from specminer.specification import EvidenceFamily
from specminer.store import TraceStore
from tests.support.mined import marked
from tests.support.shapes.catalogue import FURTHER, HELD_OUT, SHAPES, Shape
from tests.support.shapes.record import record

LEVELS: Final = (5.0, 6.0, 7.0, 8.0, 10.0)
"""Scores above which benign transactions are counted, in bits."""
LEAST_TOGETHER: Final = 2.0
"""Pairs of families that ought to speak together in so many transactions are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A history, and which of its transactions are an attack."""

    name: str
    history: History
    attack: frozenset[str]
    artifact: Artifact | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is said of a history."""

    name: str
    judged: int
    place: int | None
    """Of the attack, from 1; ``None`` without one, or if nothing speaks against it."""
    attacked: bool
    alarm: bool
    score: float
    family: str
    benign_alarms: int
    benign: int
    scores: tuple[float, ...]
    """Of benign transactions."""
    speaking: dict[EvidenceFamily, frozenset[int]]
    """Benign transactions in which a family says at least ``CUT``."""


def main() -> None:
    """Print a line for each attack, and what all histories say together."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--histories", type=Path, action="append", default=[], help="recorded attacks")
    parser.add_argument(
        "--benign", type=Path, action="append", default=[], help="trace files without attacks"
    )
    parser.add_argument("--further", action="store_true", help="play the further shapes")
    parser.add_argument("--datasets", action="store_true", help="the shipped datasets")
    parser.add_argument("--real", action="store_true", help="the real histories beside the project")
    parser.add_argument("--seed", type=int, default=0, help="of the shapes that are played")
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="histories by name")
    options = parser.parse_args()
    verdicts = []
    print(
        f"{'history':28} {'judged':>6} {'place':>5} {'alarm':>5} {'bits':>5}  {'most by':10} {'benign alarms':>13}"
    )
    for case in cases(options):
        if options.only and case.name not in options.only:
            continue
        verdict = judge(case)
        verdicts.append(verdict)
        if verdict.attacked or verdict.benign_alarms:
            print(line(verdict), flush=True)
    summarise(verdicts)


def cases(options: argparse.Namespace) -> Iterator[Case]:
    """Yield what the command line asks for."""
    for folder in options.histories:
        yield from recorded(folder)
    if options.datasets:
        yield from shipped()
    for folder in options.benign:
        for name, history in histories(False, folder):
            beside = folder / name / "artifact.json"
            artifact = load(beside) if beside.exists() else None
            yield Case(name=name, history=history, attack=frozenset(), artifact=artifact)
    if options.real:
        for name, history in histories(True, None):
            yield Case(name=name, history=history, attack=frozenset())
    if options.further:
        yield from played(FURTHER, options)
    if not (options.histories or options.datasets or options.benign or options.real or options.further):
        yield from played(SHAPES, options)


def played(shapes: tuple[Shape, ...], options: argparse.Namespace) -> Iterator[Case]:
    """Play shapes on a node, and yield their histories."""
    for shape in shapes:
        if not options.only or shape.name in options.only:
            yield from played_shape(shape, options.seed)


def played_shape(shape: Shape, seed: int) -> list[Case]:
    """Play a shape on a node, and return its histories."""
    with TemporaryDirectory() as folder:
        record(shape, Path(folder), seed=seed)
        return list(recorded(Path(folder)))


def recorded(folder: Path) -> Iterator[Case]:
    """Yield the attacks in a folder."""
    for about in sorted(folder.glob("*.attack.json")):
        name = about.name.removesuffix(".attack.json")
        fields: dict[str, Any] = json.loads(about.read_text())
        with TraceStore("sqlite://") as store:
            found = import_traces(store, folder / f"{name}.jsonl.gz")
            history = store.history(found.chain_id, [found.address])
        yield Case(name=name, history=history, attack=frozenset(fields["attack"]))


def shipped() -> Iterator[Case]:
    """Yield the datasets; those whose attack is marked with it."""
    for dataset in list_datasets():
        with TraceStore("sqlite://") as store:
            records = [import_traces(store, path) for path in dataset.trace_files]
            history = store.history(records[0].chain_id, [item.address for item in records])
        try:
            attack = frozenset(marked(dataset.name))
        except KeyError:
            attack = frozenset()
        yield Case(name=dataset.name, history=history, attack=attack)


def judge(case: Case) -> Verdict:
    """Mine a history and look where its attack is."""
    run = mine(case.history, MineOptions(), artifact=case.artifact)
    weighed: Transactions = run.ranked_transactions
    history, limit = run.history, weighed.limit
    names = [f"0x{item.hex()}" for item in history.transaction_hash]
    attack = np.array([name in case.attack for name in names], dtype=np.bool_)
    benign = weighed.is_judged & ~_by_attacker(history, attack)
    first = int(np.argmax(np.where(attack & weighed.is_judged, weighed.score, -1.0)))
    found = bool((attack & weighed.is_judged).any())
    families = {family: float(bits[first]) for family, bits in weighed.families.items()}
    return Verdict(
        name=case.name,
        judged=int(weighed.is_judged.sum()),
        place=weighed.rank(first) if found else None,
        attacked=bool(case.attack),
        alarm=found and bool(weighed.score[first] > limit),
        score=float(weighed.score[first]) if found else 0.0,
        family=max(families, key=lambda item: families[item]).value if families and found else "",
        benign_alarms=int((weighed.score[benign] > limit).sum()),
        benign=int(benign.sum()),
        scores=tuple(weighed.score[benign].tolist()),
        speaking={
            family: frozenset(np.flatnonzero(benign & (bits >= CUT)).tolist())
            for family, bits in weighed.families.items()
        },
    )


def _by_attacker(history: History, attack: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Any:
    """Return the transactions that whoever took part in the attack sent, or called in."""
    calls = history.invocation_transaction
    who = np.union1d(history.transaction_origin[attack], history.invocation_sender[attack[calls]])
    mine = np.isin(history.transaction_origin, who)
    mine[calls[np.isin(history.invocation_sender, who)]] = True
    return mine if attack.any() else attack


def line(verdict: Verdict) -> str:
    """Return the line of a history."""
    place = "" if not verdict.attacked else str(verdict.place or "none")
    alarm = "" if not verdict.attacked else ("yes" if verdict.alarm else "no")
    bits = f"{verdict.score:.1f}" if verdict.attacked else ""
    held = " (held out)" if verdict.name in HELD_OUT else ""
    return (
        f"{verdict.name + held:28} {verdict.judged:>6,} {place:>5} {alarm:>5} {bits:>5}  {verdict.family:10} "
        f"{verdict.benign_alarms:>6} of {verdict.benign:,}"
    )


def summarise(verdicts: list[Verdict]) -> None:
    """Print what all histories say together."""
    attacked = [item for item in verdicts if item.attacked]
    if attacked:
        firsts, alarms = sum(item.place == 1 for item in attacked), sum(item.alarm for item in attacked)
        print(f"\n{len(attacked)} attacks: {firsts} first, {alarms} alarms")
    total, alarms = sum(item.benign for item in verdicts), sum(item.benign_alarms for item in verdicts)
    if not total:
        return
    low, high = wilson(alarms, total)
    print(
        f"{alarms} of {total:,} benign transactions of {len(verdicts)} histories are alarms: {alarms / total:.3%} "
        f"(95 % interval {low:.3%} to {high:.3%})"
    )
    scores = np.concatenate([np.array(item.scores) for item in verdicts])
    for level in LEVELS:
        more = int((scores > level).sum())
        share, nominal = more / total, 2.0**-level
        print(
            f"  {more:>4} have more than {level:4.1f} bits: {share:.3%}, by the scale of the score {nominal:.3%}"
        )
    print("families that speak together, benign transactions, against how many if independent:")
    for one, other in combinations(EvidenceFamily, 2):
        together = expected = 0.0
        for item in verdicts:
            first, second = (item.speaking.get(family, frozenset()) for family in (one, other))
            together += len(first & second)
            expected += len(first) * len(second) / max(item.benign, 1)
        if expected >= LEAST_TOGETHER:
            print(
                f"  {one.value:10} {other.value:10} {together:5.0f} against {expected:6.1f}: {together / expected:.1f}"
            )


if __name__ == "__main__":
    main()
