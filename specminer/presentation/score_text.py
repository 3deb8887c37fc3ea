"""A score as text for a terminal and as JSON for programs."""

from __future__ import annotations

from typing import Any

import msgspec

from specminer._support.errors import plain
from specminer._support.text import count_of, list_some
from specminer.automaton import Word
from specminer.comparison.score import Inclusion, Labels, Score, Spread

FORMAT = "specminer/score"
VERSION = 1
_MAX_ROWS = 20
"""Labels of a word, or of a list of labels, that are shown at most."""
_LABEL = 60
"""Characters of a label that are shown at most."""


def score_text(score: Score) -> str:
    """Return the score in lines, the last one ended."""
    over = "bare function names" if score.labels is Labels.FUNCTIONS else "events with roles"
    draws = f"{count_of(score.seeds, 'seed')}, over {over}"
    lines = [
        f"precision  {_spread(score.precision)}",
        f"recall     {_spread(score.recall)}",
        f"F          {_spread(score.f)}  ({draws})",
        "",
        f"every word of the mined automaton is one of the truth: {_answer(score.mined_in_truth)}",
        f"every word of the truth is one of the mined automaton: {_answer(score.truth_in_mined)}",
    ]
    if score.only_mined:
        lines.append(f"only the mined automaton has: {_list_labels(score.only_mined)}")
    if score.only_truth:
        lines.append(f"only the truth has: {_list_labels(score.only_truth)}")
    if "constructor" in {*score.only_mined, *score.only_truth}:
        lines.append(
            "only one of both tells the deployment as an event; compare the rest with --ignore constructor"
        )
    return "\n".join(lines) + "\n"


def score_json(score: Score) -> bytes:
    """Return the score as JSON with a format and a version, indented, ending in a newline."""
    document: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "labels": score.labels.value,
        "seeds": score.seeds,
        "precision": _numbers(score.precision),
        "recall": _numbers(score.recall),
        "f": _numbers(score.f),
        "mined_in_truth": _exact(score.mined_in_truth),
        "truth_in_mined": _exact(score.truth_in_mined),
        "only_mined": score.only_mined,
        "only_truth": score.only_truth,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _spread(spread: Spread) -> str:
    return f"{spread.mean:.3f} ± {spread.deviation:.3f}"


def _numbers(spread: Spread) -> dict[str, Any]:
    return {
        "mean": round(spread.mean, 6),
        "deviation": round(spread.deviation, 6),
        "values": [round(value, 6) for value in spread.values],
    }


def _exact(inclusion: Inclusion) -> dict[str, Any]:
    return {"holds": inclusion.holds, "counterexample": inclusion.counterexample}


def _answer(inclusion: Inclusion) -> str:
    if inclusion.holds is None:
        return "undecided, the automata are too large to compare exactly"
    if inclusion.counterexample is None:
        return "yes"
    return f"no; the shortest that is not:\n  {_word(inclusion.counterexample)}"


def _word(word: Word) -> str:
    left_out = len(word) - _MAX_ROWS
    labels = [plain(label, _LABEL) for label in word]
    if left_out > 0:
        labels[_MAX_ROWS // 2 : -_MAX_ROWS // 2] = [f"… {left_out} more …"]
    return ", ".join(labels)


def _list_labels(labels: tuple[str, ...]) -> str:
    return list_some([plain(label, _LABEL) for label in labels[:_MAX_ROWS]], len(labels), ", and {:,} more")
