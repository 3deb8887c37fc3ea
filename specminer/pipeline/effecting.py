"""The stage of effects: what the accepted calls of functions do, as their code says it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from specminer.decision.effects import effects_of
from specminer.decision.laws import changes_of, laws_of
from specminer.pipeline.state import Mining


def find_effects(mining: Mining) -> Mining:
    """Tell what calls write, pay, call and log, by function, as far as its code could be followed."""
    context = mining.context
    names, function = context.calls.functions, context.calls.function
    accepted = np.bincount(function[context.is_event & context.history.accepted], minlength=len(names))
    created = set(function[context.is_constructor].tolist())
    changes = [
        changes_of(
            item.decisions, item.wording, names[number], int(accepted[number]), creates=number in created
        )
        for number, item in sorted(mining.followed.items())
    ]
    followed = int(accepted[sorted(mining.followed)].sum()) if mining.followed else 0
    return replace(
        mining,
        laws=laws_of(changes, context.locations.variables, whole=followed == int(accepted.sum())),
        effects=tuple(
            effect
            for number, item in sorted(mining.followed.items())
            for effect in effects_of(item.decisions, item.wording, names[number])
        ),
    )
