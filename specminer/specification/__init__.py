"""The mined specification: the content of ``automaton.json`` as typed values, read and written in one place."""

from specminer.specification.model import (
    FORMAT,
    MAX_WITNESSES,
    VERSION,
    Alternative,
    Edge,
    FrontPoint,
    Occurrence,
    Specification,
    State,
    TransitionKind,
    entries,
    front_place,
    items_of,
)

__all__ = [
    "FORMAT",
    "MAX_WITNESSES",
    "VERSION",
    "Alternative",
    "Edge",
    "FrontPoint",
    "Occurrence",
    "Specification",
    "State",
    "TransitionKind",
    "entries",
    "front_place",
    "items_of",
]
