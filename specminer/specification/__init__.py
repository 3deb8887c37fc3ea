"""The mined specification: the content of ``automaton.json`` as typed values, read and written in one place."""

from specminer.specification.codec import (
    MAX_BYTES,
    decode_specification,
    document_of,
    encode_specification,
    is_specification,
    read_specification,
)
from specminer.specification.history import HistorySummary, LocationCoverage, ReplayFidelity
from specminer.specification.interactions import EntitySort, InteractionsSummary, Mode
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
    "MAX_BYTES",
    "MAX_WITNESSES",
    "VERSION",
    "Alternative",
    "Edge",
    "EntitySort",
    "FrontPoint",
    "HistorySummary",
    "InteractionsSummary",
    "LocationCoverage",
    "Mode",
    "Occurrence",
    "ReplayFidelity",
    "Specification",
    "State",
    "TransitionKind",
    "decode_specification",
    "document_of",
    "encode_specification",
    "entries",
    "front_place",
    "is_specification",
    "items_of",
    "read_specification",
]
