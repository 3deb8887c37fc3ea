"""The stage that mines a history once more, split by what is nearly as good as the way it was split by itself.

Decoding, executing calls and following decisions are not repeated: the second view has a table of events and a tuning
of its own, on the same context.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Final

import numpy as np

from specminer._support.errors import UsageError
from specminer.interaction import Interactions, second_view
from specminer.pipeline.automata import choose_abstraction, count_transitions
from specminer.pipeline.division import divide_events
from specminer.pipeline.state import Mining

MOST_EVENTS: Final = 2_000_000
"""With more events there is no second view, which takes as much memory as the first."""
LEAST_STATES: Final = 3
"""A view with fewer states, the initial one included, tells nothing apart."""


def mine_second_view(mining: Mining) -> Mining:
    """Mine the other split, where there is one that is nearly as good and nobody asked for anything else."""
    options = mining.options
    is_specified = (options.interactions or "auto") != "auto" or options.definition is not None
    if is_specified or options.states is not None or options.point is not None:
        return replace(mining, second=None)
    other = second_view(mining.analysis, mining.interactions)
    if other is None or len(other.slice) > MOST_EVENTS or _is_same(other, mining.interactions):
        return replace(mining, second=None)
    second = None
    with suppress(UsageError):  # what is forbidden need not be in this view
        second = choose_abstraction(divide_events(mining, other))
    is_informative = second is not None and len(second.tuning.chosen_point.states) >= LEAST_STATES
    return replace(
        mining, second=count_transitions(second) if second is not None and is_informative else None
    )


def _is_same(one: Interactions, other: Interactions) -> bool:
    """Whether two splits are the same under other names."""
    return np.array_equal(one.slice, other.slice) and np.array_equal(one.invocation, other.invocation)
