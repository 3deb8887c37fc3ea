"""Learners of automata by others, run on the same sequences of calls, and two quotients that choose nothing.

AALpy comes with the extra ``benchmarks``. pm4py is no dependency: its licence is the AGPL, and it is only run, as a
program of its own in an environment that ``uv`` makes for it (``benchmarks/process_miner.py``).

Sequence learners see functions of accepted calls; EDSM, which needs negative examples, also sees calls that were
rejected where no interaction with the same beginning had one accepted. AALpy's ready-made k-tails compares outputs
alone, of which these sequences have none: what is run is its framework for merging states with the classical criterion,
the same continuations up to length k. Its merging then makes the result deterministic.
"""

from __future__ import annotations

import atexit
import json
import shutil
import subprocess
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from select import select
from typing import Any, Final

from benchmarks.event_words import Sample, Word, enum_quotient, finest_quotient
from specminer import MinedSpecification
from specminer.automaton import Automaton, AutomatonTooLarge, from_edges, reachable, without_silent_moves

PM4PY: Final = "pm4py==2.7.23.11"
"""What is installed into the environment of its own."""
PATIENCE: Final = 300
"""Seconds for the miners of pm4py on one history."""
_START: Final = ""
"""The first output of a Markov chain; no function is called so."""
_SCRIPT: Final = Path(__file__).with_name("process_miner.py")


class PeerMissing(RuntimeError):
    """A peer is not installed, and cannot be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A learner of automata."""

    name: str
    learn: Callable[[MinedSpecification, Sample], Automaton | None]
    """``None`` if it gives no automaton for this history."""
    slow: bool = False
    """Whether it starts a program of its own."""


def peers(*, slow: bool) -> list[Peer]:
    """Return the peers that can be run; without those that are slow, if so wished.

    Raises:
        PeerMissing: AALpy is not installed.

    """
    _aalpy()
    chosen = [
        Peer(name="finest quotient", learn=lambda mined, _: finest_quotient(mined)),
        Peer(name="enum quotient", learn=lambda mined, _: enum_quotient(mined)),
        Peer(name="1-tails (AALpy)", learn=lambda _, words: k_tails(words, 1)),
        Peer(name="2-tails (AALpy)", learn=lambda _, words: k_tails(words, 2)),
        Peer(name="EDSM (AALpy)", learn=lambda _, words: edsm(words)),
        Peer(name="Alergia (AALpy)", learn=lambda _, words: alergia(words)),
    ]
    if slow:
        chosen += [
            Peer(name="inductive miner (pm4py)", learn=partial(_process, "inductive"), slow=True),
            Peer(name="directly-follows (pm4py)", learn=partial(_process, "directly-follows"), slow=True),
        ]
    return chosen


def k_tails(words: Sample, k: int) -> Automaton:
    """Merge states whose continuations of up to ``k`` calls are the same, by AALpy."""
    aalpy, scores = _aalpy(), import_module("aalpy.learning_algs.general_passive.ScoreFunctionsGSM")
    criterion = scores.ScoreWithKTail(scores.SimpleScoreCalculation(_same_calls), k)
    with _incomplete_automata():
        model = aalpy.run_GSM(
            [(prefix, True) for prefix in words.prefixes],
            output_behavior="moore",
            transition_behavior="deterministic",
            score_calc=criterion,
            data_format="labeled_sequences",
        )
    return _deterministic(model.initial_state, lambda state: True)


def _aalpy() -> Any:
    """Return the module with AALpy's learners.

    Raises:
        PeerMissing: AALpy is not installed.

    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # newer Pythons warn of its texts when they compile it
            return import_module("aalpy.learning_algs")
    except ModuleNotFoundError:
        raise PeerMissing("AALpy is not installed; the extra `benchmarks` brings it") from None


@contextmanager
def _incomplete_automata() -> Iterator[None]:
    """Let AALpy make automata that do not accept every call in every state, of which it warns."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Automaton is not input-complete")
        yield


def _same_calls(first: Any, second: Any) -> bool:
    """Return whether the same calls follow two nodes of AALpy's tree."""
    return bool(first.transitions.keys() == second.transitions.keys())


def edsm(words: Sample) -> Automaton | None:
    """Merge states by evidence, with rejected calls as negative examples, by AALpy."""
    examples = [(prefix, True) for prefix in words.prefixes]
    examples += [((*word, function), False) for word, function in sorted(words.refused)]
    with _incomplete_automata():
        model = _aalpy().run_EDSM(examples, automaton_type="dfa", print_info=False)
    return None if model is None else _deterministic(model.initial_state, lambda state: state.is_accepting)


def alergia(words: Sample) -> Automaton:
    """Merge states that differ by no more than chance, by AALpy with its default of 0.05."""
    model = _aalpy().run_Alergia([[_START, *word] for word in words.words], automaton_type="mc")
    number: dict[Any, int] = {model.initial_state: 0}
    edges: list[tuple[int, str, int, int]] = []
    waiting = [model.initial_state]
    while waiting:
        state = waiting.pop()
        for target, _ in state.transitions:
            if target not in number:
                number[target] = len(number)
                waiting.append(target)
            edges.append((number[state], target.output, number[target], 1))
    return from_edges(sorted(edges), 0)


def _deterministic(initial: Any, accepting: Callable[[Any], bool]) -> Automaton:
    """Return what is accepted of an automaton of AALpy."""
    number: dict[Any, int] = {initial: 0}
    edges: list[tuple[int, str, int, int]] = []
    waiting = [initial]
    while waiting:
        state = waiting.pop()
        for symbol, target in state.transitions.items():
            if not accepting(target):
                continue
            if target not in number:
                number[target] = len(number)
                waiting.append(target)
            edges.append((number[state], symbol, number[target], 1))
    return from_edges(sorted(edges), 0)


def _process(miner: str, _: MinedSpecification, words: Sample) -> Automaton | None:
    """Return what a miner of pm4py finds; ``None`` if that has too many states, or takes too long."""
    found = process_models(words.words).get(miner)
    if found is None:
        return None
    number: dict[str, int] = {}
    for name in (
        found["start"],
        *(name for source, _, target in found["edges"] for name in (source, target)),
    ):
        number.setdefault(name, len(number))
    loud = sorted({(number[s], label, number[t], 1) for s, label, t in found["edges"] if label is not None})
    silent = sorted({(number[s], number[t]) for s, label, t in found["edges"] if label is None})
    everything = Automaton(
        states=frozenset(number.values()), transitions=from_edges(loud, 0).transitions, initial_state=0
    )
    try:
        return reachable(without_silent_moves(everything, silent))
    except AutomatonTooLarge:
        return None


@cache
def process_models(words: tuple[Word, ...]) -> dict[str, Any]:
    """Return what the miners of pm4py find, by their name; nothing if that takes too long.

    Each has ``start``, and ``edges`` of source, function or ``None``, target.

    Raises:
        PeerMissing: there is no ``uv``, or it cannot install pm4py.

    """
    program = _process_miner()
    assert program.stdin is not None
    assert program.stdout is not None
    try:
        program.stdin.write(json.dumps(words) + "\n")
        program.stdin.flush()
        if not select([program.stdout], [], [], PATIENCE)[0]:
            _process_miner.cache_clear()
            program.kill()
            return {}
        line = program.stdout.readline()
    except BrokenPipeError:
        line = ""
    if not line:
        _process_miner.cache_clear()
        raise PeerMissing(f"pm4py could not be run: `{' '.join(environment_of_pm4py())} python` ended")
    found: dict[str, Any] = json.loads(line)
    return found


@cache
def _process_miner() -> subprocess.Popen[str]:
    """Start the program that runs pm4py; it ends with this process."""
    program = subprocess.Popen(
        [*environment_of_pm4py(), "python", str(_SCRIPT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    atexit.register(program.kill)
    return program


def environment_of_pm4py() -> Sequence[str]:
    """Return the beginning of a command in an environment that has pm4py.

    Raises:
        PeerMissing: there is no ``uv``.

    """
    uv = shutil.which("uv")
    if uv is None:
        raise PeerMissing("pm4py runs in an environment that `uv` makes, but there is no `uv` on the path")
    return [uv, "run", "--quiet", "--no-project", "--python", "3.11", "--with", PM4PY]
