"""Runs miners of pm4py on sequences of calls: a program of its own, in an environment of its own.

    uv run --no-project --with pm4py python benchmarks/process_miner.py < words.jsonl

It imports nothing of specminer, and nothing of specminer imports it. Each line that it reads is an array of arrays of
names. For each it prints a line: by name of the miner, the found model as an automaton, ``start``, and ``edges`` of
source, name or null, target. Every state accepts. ``null`` stands for a model with more than a few thousand states.
"""

from __future__ import annotations

import importlib
import json
import sys
from contextlib import redirect_stdout
from typing import Any

LIMIT = 3_000
"""States of a model's graph of reachable markings."""


def main() -> None:
    """Read words from standard input, a line for each log, and print the models that the miners find."""
    for line in sys.stdin:
        words: list[list[str]] = json.loads(line)
        with redirect_stdout(sys.stderr):  # pm4py prints its licence
            models = {"inductive": inductive(words), "directly-follows": directly_follows(words)}
        print(json.dumps(models), flush=True)


def inductive(words: list[list[str]]) -> dict[str, Any] | None:
    """Return the markings that the Petri net of the inductive miner reaches; the net is sound and bounded."""
    pm4py = importlib.import_module("pm4py")
    net, initial, final = pm4py.discover_petri_net_inductive(_log(words))
    graph = pm4py.convert_to_reachability_graph(net, initial, final)
    if len(graph.states) > LIMIT:
        return None
    (place,) = initial
    starts = [state.name for state in graph.states if not state.incoming]
    start = starts[0] if len(starts) == 1 else f"{place.name}1"
    labels = {transition.name: transition.label for transition in net.transitions}
    edges = [
        [item.from_state.name, _label(item.name, labels), item.to_state.name] for item in graph.transitions
    ]
    return {"start": start, "edges": edges}


def _label(name: str, labels: dict[str, str | None]) -> str | None:
    """Return the label of the transition of the net that a transition of the graph is called after."""
    (found,) = [each for each in labels if name in (each, f"({each}, {labels[each]!r})")]
    return labels[found]


def directly_follows(words: list[list[str]]) -> dict[str, Any]:
    """Return the graph of which call directly follows which, a state for each call."""
    pm4py = importlib.import_module("pm4py")
    graph, starts, _ = pm4py.discover_dfg(_log(words))
    edges = [["start", name, f"after {name}"] for name in starts]
    edges += [[f"after {first}", second, f"after {second}"] for first, second in graph]
    return {"start": "start", "edges": edges}


def _log(words: list[list[str]]) -> Any:
    pandas = importlib.import_module("pandas")
    rows = [
        (f"{case:06}", name, pandas.Timestamp(0) + pandas.Timedelta(seconds=position))
        for case, word in enumerate(words)
        for position, name in enumerate(word)
    ]
    return pandas.DataFrame(rows, columns=["case:concept:name", "concept:name", "time:timestamp"])


if __name__ == "__main__":
    main()
