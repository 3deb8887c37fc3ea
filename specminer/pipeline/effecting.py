"""The stage of effects: what the accepted calls of functions do, as their code says it."""

from __future__ import annotations

from dataclasses import replace

from specminer.decision.effects import effects_of
from specminer.pipeline.state import Mining


def find_effects(mining: Mining) -> Mining:
    """Tell what calls write, pay, call and log, by function, as far as its code could be followed."""
    names = mining.context.calls.functions
    return replace(
        mining,
        effects=tuple(
            effect
            for number, item in sorted(mining.followed.items())
            for effect in effects_of(item.decisions, item.wording, names[number])
        ),
    )
