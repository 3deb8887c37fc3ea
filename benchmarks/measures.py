"""The measures of the benchmark: what each is, how long it takes, and the function that measures.

A measure yields rows of names and plain numbers, under the names of its columns. What it computes is computed by the
modules that can also be run alone: ``python -m benchmarks.states`` prints what ``states`` here collects.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from statistics import median
from subprocess import CalledProcessError
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks import (
    attacks,
    azure,
    collecting,
    conditions,
    effects,
    generated_guards,
    machines,
    peer_speed,
    rejections,
    states,
)
from benchmarks.corpus_folder import CorpusFolder
from benchmarks.corpus_measures import OWN, SEEDS, Row, automata, learning, robustness
from benchmarks.decisions import histories
from benchmarks.held_out_invariants import judge
from benchmarks.intended_splits import EVIDENCE, split_f1
from benchmarks.market import make
from benchmarks.peers import Peer, PeerMissing, peers
from benchmarks.py_evm import environment
from benchmarks.reexecution import AZURE, MAINNET
from benchmarks.stage_memory import measure_stages, stage_rows
from benchmarks.steps import PEAK, measured
from specminer import SpecminerError
from specminer.decoding import decode
from specminer.pipeline.datasets import list_datasets
from tests.support.anvil import MissingPart
from tests.support.shapes.catalogue import FURTHER, SHAPES
from tests.support.third_party.catalogue import CONDITION_HISTORIES, LIFE_HISTORIES


class Pace(StrEnum):
    """When a measure is taken."""

    QUICK = "quick"
    """Always; with ``--quick`` perhaps in part."""
    NORMAL = "normal"
    NIGHTLY = "nightly"
    """Only with ``--nightly``."""


class LeftOut(RuntimeError):
    """A measure cannot be taken here, and the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much is measured, and of what."""

    quick: bool
    nightly: bool
    corpus: Sequence[CorpusFolder]
    note: Callable[[str], None]
    """Takes a sentence on what was left out."""

    def peers(self, *, slow: bool = False) -> list[Peer]:
        """Return the peers; none, and a note, where they are not installed."""
        try:
            return peers(slow=slow and not self.quick)
        except PeerMissing as error:
            self.note(str(error))
            return []


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How a part of a table is shown: the rows that agree in some columns are taken together."""

    title: str
    by: str
    """The column whose values are the rows."""
    values: tuple[str, ...]
    """Columns of numbers."""
    across: str | None = None
    """The column whose values are the columns: of the first of ``values``, one for each."""
    how: str = "mean"
    """``mean`` or ``sum`` of the rows taken together."""
    total: bool = False
    """Whether there is a last line for all rows."""
    chart: str | None = None
    """``bars`` or ``lines`` of the first of ``values``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A number that must not get worse."""

    column: str
    noise: float
    """By how much its mean may get worse: that much happens by chance."""
    more: bool = True
    """Whether more is better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A measure of the benchmark."""

    name: str
    title: str
    text: str
    """What is measured, in Markdown."""
    columns: tuple[str, ...]
    run: Callable[[Effort], Iterator[Row]]
    pace: Pace
    minutes: float
    """Wall time on two cores of 2024, whole."""
    views: tuple[View, ...]
    seeds: int = 0
    watches: tuple[Watch, ...] = ()
    peers: Mapping[str, bool] = field(default_factory=dict)
    """Columns in which methods are compared, and whether more is better."""


def _splits(effort: Effort) -> Iterator[Row]:
    for item in list_datasets():
        for evidence in EVIDENCE[:1] if effort.quick else EVIDENCE:
            yield [item.name, evidence, round(split_f1(item.name, evidence), 4)]


def _of_corpus(
    effort: Effort, measure: Callable[[CorpusFolder, Sequence[Peer]], Iterator[Row]], *, slow: bool
) -> Iterator[Row]:
    """Measure each contract; with ``--quick`` those whose histories are there. Contracts of a node wait for one."""
    learners = effort.peers(slow=slow)
    for folder in effort.corpus:
        if effort.quick and folder.needs_node:
            continue
        try:
            rows = list(measure(folder, learners))
            print(f"  {folder.name}", flush=True)
            yield from rows
        except (MissingPart, PeerMissing) as error:
            effort.note(f"{folder.name}: {error}")


def _automata(effort: Effort) -> Iterator[Row]:
    yield from _of_corpus(effort, automata, slow=True)


def _learning(effort: Effort) -> Iterator[Row]:
    yield from _of_corpus(effort, learning, slow=False)


def _robustness(effort: Effort) -> Iterator[Row]:
    yield from _of_corpus(effort, robustness, slow=False)


def _azure(effort: Effort) -> Iterator[Row]:
    data = os.environ.get("SPECMINER_REAL_DATA")
    if not data:
        raise LeftOut(
            "the histories are not part of the project, and SPECMINER_REAL_DATA does not name their folder"
        )
    with TemporaryDirectory() as scratch:
        for path in sorted((Path(data) / "azure").glob("*/truth.json")):
            database = azure.imported(path.parent, Path(scratch))
            for trial in azure.TRIALS[:1] if effort.quick else azure.TRIALS:
                row = azure.run(path.parent, trial, database)
                yield [
                    row.contract,
                    trial.name,
                    round(row.declared.f.mean, 4),
                    round(row.repaired.f.mean, 4),
                    round(row.at_most, 4),
                    len(row.specification.states),
                ]


def _states(effort: Effort) -> Iterator[Row]:
    with TemporaryDirectory() as folder:
        for name in LIFE_HISTORIES:
            try:
                row = states.compare(name, None, Path(folder))
            except MissingPart as error:
                raise LeftOut(str(error)) from None
            except (SpecminerError, ArithmeticError) as error:
                effort.note(f"{name}: {type(error).__name__}: {error}")
                continue
            found = row.agreement
            yield [
                name,
                round(found.entity, 4),
                sum(state.found for state in found.states),
                len(found.states),
                sum(found.steps.values()),
                len(found.steps),
                row.states,
                row.arrows,
                len(row.misleading),
            ]


def _conditions(effort: Effort) -> Iterator[Row]:
    with TemporaryDirectory() as folder:
        for name in CONDITION_HISTORIES:
            try:
                scores = conditions.score(name, None, Path(folder))
            except MissingPart as error:
                raise LeftOut(str(error)) from None
            numbers = []
            for part, verdict in zip(
                scores.parts(),
                (conditions.Verdict.SHOWN, conditions.Verdict.SHOWN, conditions.Verdict.WRONG),
                strict=True,
            ):
                numbers += [len(part[verdict]), sum(map(len, part.values()))]
            yield [name, *numbers]


def _effects(effort: Effort) -> Iterator[Row]:
    shipped, others = effects.names()
    for name in shipped:
        yield _effect_row(name, effects.of_dataset(name))
    if effort.quick:
        return
    with TemporaryDirectory() as folder:
        for name in others:
            try:
                yield _effect_row(name, effects.of_third_party(name, Path(folder)))
            except MissingPart as error:
                effort.note(f"{name}: {error}")


def _effect_row(name: str, verdicts: effects.Verdicts) -> Row:
    return [
        name,
        len(verdicts.found),
        verdicts.listed,
        len(verdicts.wrong),
        len(verdicts.unclear),
        verdicts.mined,
    ]


def _prediction(effort: Effort) -> Iterator[Row]:
    kinds = ("bytecode",) if effort.quick else ("solidity", "bytecode")
    for kind in kinds:
        for method, by_code in ((OWN, True), ("templates", False)):
            for name, scores, _ in generated_guards.scored(
                kind, 4 if effort.quick else 24, 0, by_code=by_code
            ):
                for draw, part in (("as learned", scores.learned), ("at boundaries", scores.boundary)):
                    yield [name, kind, draw, method, round(part.accuracy, 4), part.calls]
                    if by_code:
                        yield [
                            name,
                            kind,
                            draw,
                            "the more frequent outcome",
                            round(part.base_rate, 4),
                            part.calls,
                        ]


def _rejections(effort: Effort) -> Iterator[Row]:
    for name, history in histories(False, None):
        found = rejections.examine(decode(history))
        yield [
            name,
            found.rejected,
            found.caused,
            found.readable,
            found.required + found.coded,
            found.refused,
        ]


def _invariants(effort: Effort) -> Iterator[Row]:
    for name, history in histories(False, None):
        verdicts = list(judge(history))
        yield [
            name,
            len(verdicts),
            sum(item.tested for item in verdicts),
            sum(item.tested and item.failed != 0 for item in verdicts),
            sum(item.gone for item in verdicts),
        ]


def _attacks(effort: Effort) -> Iterator[Row]:
    cases = attacks.shipped()
    yield from (_attack("shipped", attacks.judge(case)) for case in cases)
    if effort.quick:
        return
    for kind, shapes in (("tuned on", SHAPES), ("further", FURTHER)):
        for shape in shapes:
            try:
                played = attacks.played_shape(shape, seed=0)
            except MissingPart as error:
                effort.note(f"{shape.name}: {error}")
                continue
            yield from (_attack(kind, attacks.judge(case)) for case in played)


def _attack(kind: str, verdict: attacks.Verdict) -> Row:
    return [
        verdict.name,
        kind,
        verdict.judged,
        int(verdict.attacked),
        verdict.place if verdict.attacked else None,
        int(verdict.place == 1) if verdict.attacked else None,
        int(verdict.alarm) if verdict.attacked else None,
        verdict.benign_alarms,
        verdict.benign,
    ]


def _peer_speed(effort: Effort) -> Iterator[Row]:
    sizes = peer_speed.SIZES[:1] if effort.quick else peer_speed.SIZES
    for size in sizes:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "market.db"
            make(path, size)
            try:
                for name, seconds, states in peer_speed.speeds(path):
                    ended = int(seconds is not None)
                    yield [size, name, ended, None if seconds is None else round(seconds, 3), states]
            except PeerMissing as error:
                raise LeftOut(str(error)) from None


def _machines(effort: Effort) -> Iterator[Row]:
    data = os.environ.get("SPECMINER_REAL_DATA")
    if not data:
        raise LeftOut(
            "the histories are not part of the project, and SPECMINER_REAL_DATA does not name their folder"
        )
    with TemporaryDirectory() as folder:
        try:
            python: Path | None = environment(Path(folder))
        except (OSError, subprocess.CalledProcessError) as error:
            effort.note(f"py-evm could not be installed: {type(error).__name__}")
            python = None
        for name in (*AZURE, *MAINNET):
            found = machines.speeds(name, Path(data), python)
            count = found.transactions
            yield [
                name,
                count,
                *(
                    None if seconds is None else round(count / seconds, 1)
                    for seconds in (
                        found.bare,
                        found.recording,
                        found.replay,
                        found.specification,
                        found.specification_replay,
                        found.py_evm,
                    )
                ),
                found.same,
                found.agree,
            ]


def _collecting(effort: Effort) -> Iterator[Row]:
    for name, pace in collecting.paces(None, collecting.ROUNDS):
        yield [
            name,
            pace.requests,
            round(pace.collected.wall, 2),
            round(pace.bare.wall, 2),
            round(median(pace.ratios), 3),
            round(pace.collected.cpu, 2),
            round(pace.bare.cpu, 2),
        ]


SIZES: Final = (1_000, 10_000, 100_000)
NIGHTLY_SIZES: Final = (1_000_000, 10_000_000)


def _scale(effort: Effort) -> Iterator[Row]:
    sizes = SIZES[:2] if effort.quick else SIZES + (NIGHTLY_SIZES if effort.nightly else ())
    for size in sizes:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "market.db"
            make(path, size)
            bare = measured("benchmarks.interactions", "read", path)
            split = measured("benchmarks.interactions", "split", path)
            judged = measured("benchmarks.judging", "judge", path)
            megabytes = path.stat().st_size / 1e6
        yield [size, "database", None, None, round(megabytes, 1)]
        yield [size, "bare rows", round(bare["read"], 3), round(bare[PEAK], 1), None]
        yield [size, "read and split", round(split["split"], 3), round(split[PEAK], 1), None]
        for step, seconds in judged.items():
            if step in JUDGED:
                yield [size, JUDGED[step], round(seconds, 3), None, None]
        yield [size, "all of mining", None, round(judged[PEAK], 1), None]


MOST_CALLS: Final = 10_000_000
MOST_MEMORY: Final = 4_000_000_000
"""Bytes of its own memory in which so many calls are mined."""


def _memory(effort: Effort) -> Iterator[Row]:
    try:
        numbers = measure_stages(MOST_CALLS, most=MOST_MEMORY)
    except CalledProcessError as error:
        raise LeftOut(
            f"{MOST_CALLS:,} calls were not mined within {MOST_MEMORY / 1e9:g} GB: {error}"
        ) from None
    for name, seconds, peak, _, own in stage_rows(numbers):
        yield [MOST_CALLS, name, round(seconds, 3), round(peak, 1), round(own, 1)]


JUDGED: Final = {
    "tune": "tune the abstraction",
    "guards": "guards",
    "transitions": "guards of transitions",
    "invariants": "invariants",
    "halves": "confidence",
    "surprise": "surprise",
    "ranking": "rank transactions",
}
"""Steps of ``benchmarks.judging``."""
_METHODS: Final = View(
    title="Mean over the corpus",
    by="method",
    values=("f", "precision", "recall", "states", "seconds"),
    chart="bars",
)

MEASURES: Final = (
    Measure(
        name="splits",
        title="Entities",
        text=(
            "Pairs of calls that the split puts together, against those that stand together in the split written down "
            "with each shipped dataset (`datasets/NAME/intended.json`): F1. *neither* has no storage layout and no "
            "recorded hashes."
        ),
        columns=("history", "evidence", "f1"),
        run=_splits,
        pace=Pace.QUICK,
        minutes=1,
        views=(View(title="Pairwise F1", by="history", across="evidence", values=("f1",), total=True),),
        watches=(Watch(column="f1", noise=0.005),),
    ),
    Measure(
        name="automata",
        title="Automata, beside the peers",
        text=(
            "The automaton of each contract of the corpus, mined with default settings, against the protocol that was "
            "written down before: the share of random walks of one that the other accepts, over ten seeds, and F, "
            "their harmonic mean. All peers learn from the same accepted calls of the same interactions, which "
            "specminer split; none of them splits a history, and none sees storage, but for the two quotients, which "
            "take all candidate predicates, or all enums of the entity, and choose nothing. *Exercised* is no learner "
            "but the written protocol without the transitions that no interaction took: what a learner that adds "
            "nothing can reach. Seconds are CPU time: of mining as a whole for specminer, of learning alone for a peer."
        ),
        columns=("contract", "method", "states", "precision", "recall", "f", "deviation", "seconds"),
        run=_automata,
        pace=Pace.QUICK,
        minutes=3,
        seeds=SEEDS,
        views=(_METHODS, View(title="F by contract", by="contract", across="method", values=("f",))),
        watches=(Watch(column="f", noise=0.01),),
        peers={"precision": True, "recall": True, "f": True},
    ),
    Measure(
        name="learning",
        title="Learning curves",
        text="F against the written protocol, learned from the first transactions of each history of the corpus.",
        columns=("contract", "share", "method", "interactions", "f"),
        run=_learning,
        pace=Pace.NORMAL,
        minutes=4,
        seeds=SEEDS,
        views=(
            View(
                title="Mean F by share of the transactions",
                by="share",
                across="method",
                values=("f",),
                chart="lines",
            ),
        ),
        watches=(Watch(column="f", noise=0.015),),
    ),
    Measure(
        name="robustness",
        title="Damaged histories",
        text=(
            "F against the written protocol if the values of a tenth of the storage accesses, drawn at random, are "
            "not known, and if the history ends at a random point behind its first third, so that lives are cut."
        ),
        columns=("contract", "damage", "method", "interactions", "f"),
        run=_robustness,
        pace=Pace.NORMAL,
        minutes=5,
        seeds=SEEDS,
        views=(View(title="Mean F", by="damage", across="method", values=("f",)),),
        watches=(Watch(column="f", noise=0.02),),
    ),
    Measure(
        name="azure",
        title="The Azure contracts",
        text=(
            "Five contracts of the Azure workbench, about 100 instances each, against the protocols that their authors "
            "declared, and those repaired from the source. *At most* is F of the repaired protocol without the "
            "functions that no instance called. The histories are not part of the project."
        ),
        columns=("contract", "trial", "declared", "repaired", "at most", "states"),
        run=_azure,
        pace=Pace.NORMAL,
        minutes=0.5,
        seeds=SEEDS,
        views=(View(title="Mean F", by="trial", values=("declared", "repaired", "at most")),),
        watches=(Watch(column="repaired", noise=0.01),),
    ),
    Measure(
        name="states",
        title="States that were written down",
        text=(
            "Contracts of others and our own, driven on a node; their states and transitions were written down "
            "before (`tests/data/states`). A state is found if mined states agree with it at nine of ten moments. "
            "*Misleading* counts texts of the picture that were listed as traps."
        ),
        columns=(
            *("history", "entity F", "states found", "states", "steps found", "steps", "drawn", "arrows"),
            "misleading",
        ),
        run=_states,
        pace=Pace.NORMAL,
        minutes=3,
        views=(
            View(
                title="By history",
                by="history",
                values=("entity F", "states found", "states", "steps found", "steps", "misleading"),
                how="sum",
                total=True,
            ),
        ),
        watches=(Watch(column="states found", noise=0.06), Watch(column="steps found", noise=0.12)),
    ),
    Measure(
        name="conditions",
        title="Guards that were listed",
        text=(
            "Conditions of the functions of contracts of others, listed from their sources before "
            "(`tests/data/conditions`): how many a solver shows to follow from the mined guards, and how many mined "
            "conditions do not follow from the listed ones."
        ),
        columns=("history", "required found", "required", "coded found", "coded", "wrong", "told"),
        run=_conditions,
        pace=Pace.NORMAL,
        minutes=3,
        views=(
            View(
                title="By history",
                by="history",
                values=("required found", "required", "coded found", "coded", "wrong", "told"),
                how="sum",
                total=True,
            ),
        ),
        watches=(
            Watch(column="required found", noise=0.1),
            Watch(column="coded found", noise=0.1),
            Watch(column="wrong", noise=0.05, more=False),
        ),
    ),
    Measure(
        name="effects",
        title="Effects that were listed",
        text=(
            "What accepted calls write, pay, call and log, and when, listed from the sources before "
            "(`[intended.effects]` in `datasets/NAME/about.toml`, and `tests/data/effects`): how many listed effects "
            "are found with the same target and an expression that a solver shows to be equal, and how many mined "
            "ones are not listed, or with a condition that does not follow from the listed one. *Unclear* ones say no "
            "more than what they depend on. The wrong ones of `governance` are effects of functions that the council "
            "calls on itself by `execute`, where the source says no more than that it calls."
        ),
        columns=("history", "found", "listed", "wrong", "unclear", "mined"),
        run=_effects,
        pace=Pace.QUICK,
        minutes=1.5,
        views=(
            View(
                title="By history",
                by="history",
                values=("found", "listed", "wrong", "unclear", "mined"),
                how="sum",
                total=True,
            ),
        ),
        watches=(Watch(column="found", noise=0.1), Watch(column="wrong", noise=0.1, more=False)),
    ),
    Measure(
        name="prediction",
        title="Predicting whether a call is accepted",
        text=(
            "Contracts drawn from a grammar of guards, in Solidity and in bytecode without a layout of storage, are "
            "called 400 times at random and mined. Guards then predict unseen calls: drawn alike, and at boundary "
            "values. *templates* learns conditions from the values of accepted and rejected calls alone, as Daikon "
            "does and as specminer does where it cannot follow the code."
        ),
        columns=("contract", "kind", "draw", "method", "accuracy", "calls"),
        run=_prediction,
        pace=Pace.NORMAL,
        minutes=2.5,
        views=(
            View(title="Mean accuracy", by="draw", across="method", values=("accuracy",)),
            View(title="Mean accuracy by language", by="kind", across="method", values=("accuracy",)),
        ),
        watches=(Watch(column="accuracy", noise=0.005),),
        peers={"accuracy": True},
    ),
    Measure(
        name="rejections",
        title="Causes of rejections",
        text=(
            "Rejected calls of the shipped datasets: how many have a cause, and one in readable words. *Refused* "
            "counts accepted calls that a mined guard would have refused: each is an error."
        ),
        columns=("history", "rejected", "caused", "readable", "conditions", "refused"),
        run=_rejections,
        pace=Pace.QUICK,
        minutes=0.2,
        views=(
            View(
                title="By history",
                by="history",
                values=("rejected", "caused", "readable", "conditions", "refused"),
                how="sum",
                total=True,
            ),
        ),
        watches=(Watch(column="readable", noise=0.5), Watch(column="refused", noise=0.0, more=False)),
    ),
    Measure(
        name="invariants",
        title="Invariants on later transactions",
        text=(
            "Invariants of the first 70 % of each shipped history: how many the rest could have broken, and did. "
            "*Gone* are those about states that the whole history does not have."
        ),
        columns=("history", "found", "tested", "failed", "gone"),
        run=_invariants,
        pace=Pace.NORMAL,
        minutes=0.5,
        views=(
            View(
                title="By history",
                by="history",
                values=("found", "tested", "failed", "gone"),
                how="sum",
                total=True,
            ),
        ),
        watches=(Watch(column="tested", noise=1.0), Watch(column="failed", noise=0.25, more=False)),
    ),
    Measure(
        name="attacks",
        title="Attacks among transactions",
        text=(
            "Where the transactions of an attack rank among all of their history by surprise, whether they are "
            "alarms, and how many benign transactions are alarms. *Further* shapes were built after the ranking."
        ),
        columns=(
            *("history", "kind", "judged", "attacked", "place", "first", "alarm", "benign alarms", "benign"),
        ),
        run=_attacks,
        pace=Pace.NORMAL,
        minutes=2.5,
        seeds=1,
        views=(
            View(
                title="By kind of history",
                by="kind",
                values=("attacked", "first", "alarm", "benign alarms", "benign"),
                how="sum",
                total=True,
            ),
            View(
                title="By history",
                by="history",
                values=("judged", "place", "alarm", "benign alarms"),
                how="sum",
            ),
        ),
        watches=(
            Watch(column="first", noise=0.05),
            Watch(column="alarm", noise=0.05),
            Watch(column="benign alarms", noise=0.05, more=False),
        ),
    ),
    Measure(
        name="scale",
        title="Time and memory",
        text=(
            "A market of items, with eight storage accesses a call, read from SQLite and mined, each step in CPU "
            "seconds. Peaks of memory are of processes of their own, in MB of 10^6 bytes."
        ),
        columns=("calls", "step", "seconds", "peak MB", "file MB"),
        run=_scale,
        pace=Pace.NORMAL,
        minutes=1,
        views=(
            View(title="CPU seconds", by="step", across="calls", values=("seconds",)),
            View(title="Peak of memory, MB", by="step", across="calls", values=("peak MB",)),
            View(title="Database, MB", by="step", across="calls", values=("file MB",)),
        ),
    ),
    Measure(
        name="peer-speed",
        title="Time beside the peers",
        text=(
            "CPU seconds on the same market of items: of specminer for all of mining, from the database on, execution, "
            "guards, invariants and ranking included; of peers for learning an automaton from the functions that "
            f"specminer split, alone. *Ended* is 0 for a learner that was stopped after {peer_speed.PATIENCE} seconds."
        ),
        columns=("calls", "method", "ended", "seconds", "states"),
        run=_peer_speed,
        pace=Pace.NORMAL,
        minutes=5,
        views=(
            View(title="CPU seconds", by="method", across="calls", values=("seconds",)),
            View(title="Whether it ended", by="method", across="calls", values=("ended",)),
        ),
    ),
    Measure(
        name="machines",
        title="Executing transactions again",
        text=(
            "Transactions a CPU second on real histories: the engine bare and with its recorder, the machine of "
            "Ethereum's executable specification with its recorder, py-evm bare, and whole re-executions, invocations "
            "included, by either of the first two. *Same* counts transactions of which both replays tell the same in "
            "everything, *agree* those that succeed or fail on py-evm as on the engine. The histories are not part of "
            "the project."
        ),
        columns=(
            *("history", "transactions", "engine", "with recorder", "replay"),
            *("specification", "its replay", "py-evm", "same", "agree"),
        ),
        run=_machines,
        pace=Pace.NORMAL,
        minutes=4,
        views=(
            View(
                title="Transactions a second",
                by="history",
                values=("engine", "with recorder", "specification", "py-evm", "replay", "its replay"),
                total=True,
            ),
            View(
                title="Agreement",
                by="history",
                values=("transactions", "same", "agree"),
                how="sum",
                total=True,
            ),
        ),
        watches=(Watch(column="same", noise=0.0), Watch(column="agree", noise=0.5)),
    ),
    Measure(
        name="collecting",
        title="Collecting, beside a bare loop",
        text=(
            "Wall seconds of collecting a counter's history and of a bare asynchronous loop that sends the same "
            "requests, with the size of batches and the concurrency that are best for it; medians of three rounds. "
            "*Ratio* is that of the rates: 1 is as fast as the loop, which neither checks nor stores anything."
        ),
        columns=("setting", "requests", "collected", "loop", "ratio", "CPU", "CPU of the loop"),
        run=_collecting,
        pace=Pace.NORMAL,
        minutes=6,
        views=(
            View(
                title="By setting",
                by="setting",
                values=("requests", "collected", "loop", "ratio", "CPU", "CPU of the loop"),
                how="sum",
            ),
        ),
    ),
    Measure(
        name="memory",
        title="Memory of ten million calls",
        text=(
            "The market with bytecode, mined by a process that may have 4 GB of its own memory (`RLIMIT_DATA`). Its "
            "other memory is mapped from files, and the system drops it when it needs room. `TMPDIR` has to be on a "
            "disk. A row for each stage: CPU seconds, and the peaks of all memory and of its own, in "
            "MB of 10^6 bytes."
        ),
        columns=("calls", "stage", "seconds", "peak MB", "own MB"),
        run=_memory,
        pace=Pace.NIGHTLY,
        minutes=120,
        views=(View(title="By stage", by="stage", values=("seconds", "peak MB", "own MB")),),
    ),
)
"""In the order of the page."""


def measure(name: str) -> Measure:
    """Return a measure by its name.

    Raises:
        KeyError: there is none.

    """
    return {item.name: item for item in MEASURES}[name]
