"""The section about what calls do."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Final

from specminer._support.errors import plain
from specminer._support.text import count_of
from specminer.presentation.section import Section, left_out, row
from specminer.specification import Effect, EffectKind, Specification

MAX_EFFECTS: Final = 300
MAX_FUNCTIONS: Final = 8
"""Functions whose effects a summary tells."""
MAX_OF_FUNCTION: Final = 4
"""Effects of one function that a summary tells."""
_MAX_TEXT: Final = 160
"""Characters of an effect in a summary; of a longer one it is only told that there is one."""


def effects_section(spec: Specification) -> Section | None:
    """Return what accepted calls write, pay, call and log, and when; nothing where the document does not have it."""
    if not spec.effects:
        return None
    return Section(
        id="effects",
        title="Effects",
        lead=(
            "What accepted calls do, as the code computes it from what they found: x' is the value after the call, "
            "x the one before. When: what the code decided where it happened, and not where it did not; empty also "
            "if no decision tells. Happened: the number of accepted calls that did it, of those that were followed "
            "through the code.",
        ),
        header=("Function", "Effect", "When", "Kind", "Times"),
        rows=tuple(
            row(item.function, effect_text(item), item.condition, item.kind.value, _occurrences(item))
            for item in spec.effects[:MAX_EFFECTS]
        ),
        note=left_out(min(len(spec.effects), MAX_EFFECTS), len(spec.effects), "effects"),
    )


def effect_text(item: Effect) -> str:
    """Return an effect, with what is to be known of how it reads."""
    return f"{item.text} (in each round of a loop)" if item.each else item.text


def effect_sentences(spec: Specification) -> list[str]:
    """Return what the functions with most calls write, pay and call, a sentence each; events are left out."""
    by_function = [
        (name, list(items)) for name, items in groupby(spec.effects, key=lambda item: item.function)
    ]
    by_function.sort(key=lambda pair: -pair[1][0].calls)
    sentences = []
    for name, items in by_function:
        acts = [item for item in items if item.kind is not EffectKind.LOGGED]
        if acts and name != "constructor":
            sentences.append(
                f"{plain(name, 60)} ({count_of(acts[0].calls, 'call')}): {'; '.join(_short(acts))}"
            )
    return sentences


def _short(effects: Iterable[Effect]) -> list[str]:
    """Return the first effects that can be read at once, and how many more there are."""
    items = list(effects)
    texts = [plain(_with_condition(item), 2 * _MAX_TEXT) for item in items if item.readable]
    short_texts = [text for text in texts if len(text) <= _MAX_TEXT][:MAX_OF_FUNCTION]
    rest = len(items) - len(short_texts)
    return (
        [*short_texts, f"{rest:,} more" if short_texts else count_of(rest, "effect")] if rest else short_texts
    )


def _with_condition(item: Effect) -> str:
    if item.happened == item.calls:
        return effect_text(item)
    if item.condition:
        return f"{effect_text(item)} if {item.condition}"
    return f"{effect_text(item)} in {item.happened:,} of them"


def _occurrences(item: Effect) -> str:
    if item.happened == item.calls:
        return f"all {item.calls:,}"
    return f"{item.happened:,} of {item.calls:,}"
