"""Measures on the corpus: automata beside those of peers, from all of a history, parts of it, and damaged ones."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random
from typing import Final

import numpy as np

from benchmarks.corpus_folder import CorpusFolder
from benchmarks.event_words import Word, sample
from benchmarks.peers import Peer
from benchmarks.results import Cell
from specminer import MinedSpecification, MineOptions, Selection, SpecminerError, mine
from specminer.automaton import Automaton, Transition, reachable
from specminer.comparison.score import language, score
from specminer.contracts.artifact import Artifact
from specminer.history.contract_history import MISSING, History
from specminer.history.excerpt import excerpt

OWN: Final = "specminer"
"""The method that is measured."""
EXERCISED: Final = "exercised"
"""No method: the part of the written protocol that the history takes."""
SEEDS: Final = 10
"""Samples of random walks for each score."""
SHARES: Final = (0.05, 0.1, 0.25, 0.5, 1.0)
"""Of the transactions, of which a learning curve learns."""
UNKNOWN: Final = 0.1
"""Share of the accesses whose values are removed."""

Row = list[Cell]


def automata(folder: CorpusFolder, peers: Sequence[Peer]) -> Iterator[Row]:
    """Yield contract, method, states, precision, recall, F, its deviation, CPU seconds, for specminer and each peer.

    The seconds of a peer are those of learning from the words alone; specminer's are those of all of mining.
    """
    history, artifact = folder.history()
    truth = folder.protocol()
    start = time.process_time()
    mined = mined_of(history, artifact, folder.options)
    yield _scored(folder.name, OWN, language(mined.specification), truth, time.process_time() - start)
    part = exercised(truth, sample(mined).words)
    yield _scored(folder.name, EXERCISED, part, truth, None)
    for peer in peers:
        start = time.process_time()
        found = learned(peer, mined)
        seconds = time.process_time() - start
        if found is None:
            yield [folder.name, peer.name, *[None] * 6]
        else:
            yield _scored(folder.name, peer.name, found, truth, None if peer.slow else seconds)


def exercised(truth: Automaton, words: Sequence[Word]) -> Automaton:
    """Return an automaton without the transitions that lie on no way of a word that it accepts."""
    used: set[Transition] = set()
    for word in words:
        steps: list[list[Transition]] = []
        reached = {truth.initial_state}
        for symbol in word:
            steps.append(
                [item for item in truth.transitions if item.symbol == symbol and item.source in reached]
            )
            reached = {item.target for item in steps[-1]}
        for step in reversed(steps):
            taken = [item for item in step if item.target in reached]
            used.update(taken)
            reached = {item.source for item in taken}
    kept = tuple(item for item in truth.transitions if item in used)
    return reachable(replace(truth, transitions=kept))


def learned(peer: Peer, mined: MinedSpecification) -> Automaton | None:
    """Return what a peer learns of the events of a mined history."""
    return peer.learn(mined, sample(mined))


def mined_of(history: History, artifact: Artifact | None, options: MineOptions) -> MinedSpecification:
    """Mine a history as users do."""
    return mine(Selection(history=history), abi=artifact, options=options)


def _scored(contract: str, method: str, found: Automaton, truth: Automaton, seconds: float | None) -> Row:
    result = score(found, truth, SEEDS)
    shares = (result.precision.mean, result.recall.mean, result.f.mean, result.f.deviation)
    return [contract, method, len(found.states), *(round(item, 4) for item in shares), _rounded(seconds)]


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def learning(folder: CorpusFolder, peers: Sequence[Peer], shares: Sequence[float] = SHARES) -> Iterator[Row]:
    """Yield contract, share of the transactions, method, interactions and F."""
    whole, artifact = folder.history()
    truth = folder.protocol()
    for share in shares:
        history = first_transactions(whole, share)
        yield from ([folder.name, share, *row] for row in _compared(folder, history, artifact, truth, peers))


def robustness(folder: CorpusFolder, peers: Sequence[Peer]) -> Iterator[Row]:
    """Yield contract, damage, method, interactions and F."""
    whole, artifact = folder.history()
    truth = folder.protocol()
    damaged = {
        "none": whole,
        f"{UNKNOWN:.0%} of the state unknown": with_unknown_values(whole, UNKNOWN, seed=0),
        "cut at a random point": cut_at_random(whole, seed=0),
    }
    for damage, history in damaged.items():
        yield from ([folder.name, damage, *row] for row in _compared(folder, history, artifact, truth, peers))


def _compared(
    folder: CorpusFolder,
    history: History,
    artifact: Artifact | None,
    truth: Automaton,
    peers: Sequence[Peer],
) -> Iterator[Row]:
    """Yield method, interactions and F; what cannot be mined has F 0 for all who learn from what was mined."""
    try:
        mined = mined_of(history, artifact, folder.options)
    except SpecminerError:
        for name in (OWN, *(peer.name for peer in peers)):
            yield [name, 0, 0.0]
        return
    count = len(sample(mined).words)
    yield [OWN, count, round(score(language(mined.specification), truth, SEEDS).f.mean, 4)]
    for peer in peers:
        found = learned(peer, mined)
        yield [peer.name, count, None if found is None else round(score(found, truth, SEEDS).f.mean, 4)]


def first_transactions(history: History, share: float) -> History:
    """Return the history of the first transactions, a share of all of them."""
    last = max(1, round(share * len(history.transaction_hash)))
    return excerpt(history, np.flatnonzero(history.invocation_transaction < last), np.arange(last))


def with_unknown_values(history: History, share: float, seed: int) -> History:
    """Return a history in which the values of some accesses, drawn at random, are not known."""
    chance = np.random.default_rng(seed)
    unknown = chance.random(len(history.access_slot)) < share
    return replace(
        history,
        access_before=np.where(unknown, MISSING, history.access_before).astype(history.access_before.dtype),
        access_after=np.where(unknown, MISSING, history.access_after).astype(history.access_after.dtype),
    )


def cut_at_random(history: History, seed: int) -> History:
    """Return a history that ends at a random point behind its first third, for each contract of it."""
    draw = Random(seed)
    keep = np.zeros(len(history), dtype=np.bool_)
    for contract in range(len(history.contracts)):
        rows = np.flatnonzero(history.invocation_contract == contract)
        if len(rows):
            end = draw.randint(max(1, len(rows) // 3), len(rows))
            last = history.invocation_transaction[rows[end - 1]]
            keep[rows[history.invocation_transaction[rows] <= last]] = True
    return excerpt(history, np.flatnonzero(keep))
