"""A history cut into ten parts, to see what one part says of another.

Parts are made of whole interactions, dealt at random by the seed. Where there are fewer than twenty, an
interaction is cut into stretches, and each part takes every tenth of 20 to 40 stretches: the states of the
automaton are known at the cuts, so a stretch can be judged alone.

Everything is counted once, per distinct path of an interaction through the finest quotient; what is asked later
costs nothing per event.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from specminer._support.mixing import GOLDEN_GAMMA, finalise
from specminer.history.contract_history import BoolColumn, IntColumn
from specminer.learning.quotient import Quotient

PARTS: Final = 10
"""How many parts there are."""
FEW: Final = 20
"""Fewer interactions than these are cut into stretches."""
STRETCHES: Final = 40
HALVES: Final = 20
"""How many random halves of the parts are looked at."""
SHUFFLED: Final = 200
"""At most so many paths are shuffled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folds:
    """The finest quotient, counted by part; ``e`` edges, ``s`` states."""

    edges: IntColumn
    """Events of each edge in each part; shape (e, PARTS)."""
    ends: IntColumn
    """Interactions that end in each state, by part; shape (s, PARTS)."""
    path: IntColumn
    """The edges of each distinct path, one path after another; shape (p,)."""
    begins: IntColumn
    """Where each path begins in ``path``; shape (w,)."""
    times: IntColumn
    """How often each path was taken in each part; shape (w, PARTS)."""
    part: IntColumn
    """The part of each event; shape (n,)."""

    @property
    def enough(self) -> bool:
        """Whether there is anything to compare: at least two parts that are not empty."""
        return int((self.edges.sum(axis=0) > 0).sum()) > 1


def folds(graph: Quotient, seed: int) -> Folds:
    """Cut the history that a quotient was made from into parts."""
    n = len(graph.edge)
    starts = np.flatnonzero(np.diff(graph.interaction, prepend=-1))
    last = np.append(starts[1:], n) - 1 if n else starts
    if len(starts) < FEW and n:
        inner = np.unique(np.linspace(0, n, min(STRETCHES, n), endpoint=False, dtype=np.int64))
        starts = np.unique(np.concatenate([starts, inner]))
        part = np.arange(len(starts)) % PARTS
    else:
        dealt = [row % PARTS for row in range(len(starts))]
        random.Random(seed).shuffle(dealt)
        part = np.array(dealt, dtype=np.int64)
    lengths = np.diff(np.append(starts, n))
    part_of_event = np.repeat(part, lengths)
    edges = np.bincount(graph.edge * PARTS + part_of_event, minlength=len(graph.count) * PARTS)
    end_state = graph.state_after[last] if n else np.zeros(0, dtype=np.int64)
    end_part = part_of_event[last] if n else end_state
    ends = np.bincount(end_state * PARTS + end_part, minlength=graph.states * PARTS)
    path, begins, times = _paths(graph.edge, starts, lengths, part)
    return Folds(
        edges=edges.reshape(-1, PARTS).astype(np.int64),
        ends=ends.reshape(-1, PARTS).astype(np.int64),
        path=path,
        begins=begins,
        times=times,
        part=part_of_event,
    )


def _paths(
    edge: IntColumn, starts: IntColumn, lengths: IntColumn, part: IntColumn
) -> tuple[IntColumn, IntColumn, IntColumn]:
    """Return the distinct stretches of a column: content, beginnings, and how often each is in each part.

    Stretches are compared by a hash of 64 bits of what stands at which place.
    """
    if not len(edge):
        return edge, starts, np.zeros((0, PARTS), dtype=np.int64)
    step_position = (np.arange(len(edge)) - np.repeat(starts, lengths)).astype(np.uint64)
    mixed = _mix_bits(_mix_bits(edge.astype(np.uint64)) + step_position)
    digest = np.add.reduceat(mixed, starts) + _mix_bits(lengths.astype(np.uint64))
    _, first, which = np.unique(digest, return_index=True, return_inverse=True)
    times = np.bincount(which.ravel() * PARTS + part, minlength=len(first) * PARTS).reshape(-1, PARTS)
    sizes = lengths[first]
    begins = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    offsets = np.arange(int(sizes.sum())) - np.repeat(begins, sizes)
    return edge[np.repeat(starts[first], sizes) + offsets], begins, times.astype(np.int64)


def _mix_bits(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return a 64-bit hash of each value."""
    return finalise(values + GOLDEN_GAMMA)


def halves(seed: int) -> list[list[int]]:
    """Return random halves of the parts."""
    draw = random.Random(seed)
    return [sorted(draw.sample(range(PARTS), PARTS // 2)) for _ in range(HALVES)]


def restrict(graph: Quotient, cut: Folds, parts: list[int]) -> Quotient:
    """Return the quotient that some parts alone make, without its columns for events."""
    count = cut.edges[:, parts].sum(axis=1)
    has_events = count > 0
    return replace(
        graph,
        source=graph.source[has_events],
        symbol=graph.symbol[has_events],
        target=graph.target[has_events],
        count=count[has_events],
        ends=cut.ends[:, parts].sum(axis=1),
    )


def held_out_acceptance(
    graph: Quotient,
    cut: Folds,
    blocks: IntColumn,
    assumed: BoolColumn | None = None,
    alike: IntColumn | None = None,
) -> float:
    """Return the share of interactions whose every step was seen in another part, for given states.

    Steps are accepted calls. A rejected call keeps the state and is no step: an automaton that has no such call there
    says what the contract said. A change of a flag of the whole contract befalls an interaction wherever it is. Edges
    that are ``assumed``, as a value is in doubt, say nothing either. Where steps are ``alike``, which have one number
    (one for each finest edge), none of them is refused that was seen in another part.
    """
    passed = graph.is_flag_change | graph.rejected[graph.symbol]
    if assumed is not None:
        passed |= assumed
    states = int(blocks.max()) + 1
    coarse = (blocks[graph.source] * graph.symbols + graph.symbol) * states + blocks[graph.target]
    edge_counts = cut.edges if assumed is None else np.where(assumed[:, None], 0, cut.edges)
    alone = _only_parts(coarse, edge_counts)
    if alike is not None:
        alone = np.where(_only_parts(alike, edge_counts) == PARTS, PARTS, alone)
    alone[passed] = PARTS
    steps = alone[cut.path]
    # a path is refused in a part if one of its steps is in that part alone
    refused = np.zeros((len(cut.begins), PARTS + 1), dtype=np.bool_)
    refused[np.repeat(np.arange(len(cut.begins)), np.diff(np.append(cut.begins, len(cut.path)))), steps] = (
        True
    )
    total = cut.times.sum()
    return float((cut.times * ~refused[:, :PARTS]).sum() / total) if total else 1.0


def _only_parts(step: IntColumn, edges: IntColumn) -> IntColumn:
    """Return for each finest edge the only part in which its step was seen, or ``PARTS``."""
    _, which = np.unique(step, return_inverse=True)
    which = which.ravel()
    occurs = np.zeros((int(which.max(initial=-1)) + 1, PARTS), dtype=np.bool_)
    edge, part = np.nonzero(edges)
    occurs[which[edge], part] = True
    only: IntColumn = np.where(occurs.sum(axis=1) == 1, occurs.argmax(axis=1), PARTS)[which]
    return only


def shuffled_acceptance(graph: Quotient, cut: Folds, blocks: IntColumn, seed: int) -> float:
    """Return the share of interactions that the automaton still accepts when their accepted calls are shuffled.

    What accepts these as well as the real ones has learned nothing of the order. Interactions that no
    shuffling changes are left out; 1 if there are no others. A change of a flag of the whole contract may come at any
    time, and is not shuffled; rejected calls are no steps.
    """
    successors: dict[tuple[int, int], set[int]] = {}
    moved: dict[int, set[int]] = {}
    edges = zip(
        blocks[graph.source].tolist(),
        graph.symbol.tolist(),
        blocks[graph.target].tolist(),
        graph.is_flag_change.tolist(),
        strict=True,
    )
    for source, symbol, target, is_switch in edges:
        if is_switch:
            moved.setdefault(source, set()).add(target)
        else:
            successors.setdefault((source, symbol), set()).add(target)
    bounds = np.append(cut.begins, len(cut.path))
    steps = ~(graph.is_flag_change | graph.rejected[graph.symbol])
    draw = random.Random(seed)
    rows = list(range(len(cut.begins)))
    if len(rows) > SHUFFLED:
        rows = sorted(draw.sample(rows, SHUFFLED))
    tried = accepted = 0
    for row in rows:
        path = cut.path[bounds[row] : bounds[row + 1]]
        symbols = graph.symbol[path[steps[path]]].tolist()[:SHUFFLED]
        if len(set(symbols)) < 2:
            continue
        mixed = list(symbols)
        draw.shuffle(mixed)
        begin = int(blocks[graph.source[cut.path[bounds[row]]]])
        weight = int(cut.times[row].sum())
        tried += weight
        current = _reachable_states({begin}, moved)
        for symbol in mixed:
            current = set().union(*(successors.get((state, symbol), ()) for state in current))
            current = _reachable_states(current, moved)
        accepted += weight * bool(current)
    return accepted / tried if tried else 1.0


def _reachable_states(states: set[int], moved: Mapping[int, set[int]]) -> set[int]:
    """Return the states that some may become while nothing is called."""
    todo = list(states) if moved else []
    reachable = set(states)
    while todo:
        for state in moved.get(todo.pop(), ()):
            if state not in reachable:
                reachable.add(state)
                todo.append(state)
    return reachable


def held_out_label_bits(graph: Quotient, cut: Folds, blocks: IntColumn) -> float:
    """Return the bits to tell each event given its state from the other parts alone.

    Each event is given half a count beforehand (Krichevsky and Trofimov 1981), so that a new one costs much, but
    not all.
    """
    event = graph.symbol if graph.event is None else graph.event[graph.symbol]
    kinds = int(event.max(initial=0)) + 1
    pair = blocks[graph.source] * kinds + event
    by_pair = np.zeros(((int(blocks.max()) + 1) * kinds, PARTS))
    edge_counts = (
        cut.edges if graph.switches is None else np.where(graph.is_flag_change[:, None], 0, cut.edges)
    )
    np.add.at(by_pair, pair, edge_counts)
    by_state = by_pair.reshape(-1, kinds, PARTS).sum(axis=1)
    others_pair = by_pair.sum(axis=1, keepdims=True) - by_pair
    others_state = np.repeat(by_state.sum(axis=1, keepdims=True) - by_state, kinds, axis=0)
    share = (others_pair + 0.5) / (others_state + 0.5 * kinds)
    return float(-(by_pair * np.log2(share)).sum())
