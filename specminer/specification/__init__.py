"""The mined specification: the content of ``automaton.json`` as typed values, read and written in one place.

Every field of the document is a field of a frozen dataclass, in the order in which it is written; closed sets are
enums. What is left out of the JSON, and what is read instead, :mod:`.codec` says.
"""

from specminer.specification.claims import (
    ClaimKind,
    CompetingTransitions,
    Obligation,
    ObligationSubject,
    RedundantClaim,
    Role,
    RoleKind,
    SolverAnswer,
    TransitionVerdict,
)
from specminer.specification.codec import (
    MAX_BYTES,
    decode_specification,
    document_of,
    encode_specification,
    is_specification,
    read_specification,
)
from specminer.specification.guards import (
    ConditionOrigin,
    Guard,
    GuardCondition,
    GuardKind,
    GuardTest,
    Proof,
    RejectionReason,
    TransitionCondition,
    TransitionGuard,
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
from specminer.specification.symbols import SymbolSort

__all__ = [
    "FORMAT",
    "MAX_BYTES",
    "MAX_WITNESSES",
    "VERSION",
    "Alternative",
    "ClaimKind",
    "CompetingTransitions",
    "ConditionOrigin",
    "Edge",
    "EntitySort",
    "FrontPoint",
    "Guard",
    "GuardCondition",
    "GuardKind",
    "GuardTest",
    "HistorySummary",
    "InteractionsSummary",
    "LocationCoverage",
    "Mode",
    "Obligation",
    "ObligationSubject",
    "Occurrence",
    "Proof",
    "RedundantClaim",
    "RejectionReason",
    "ReplayFidelity",
    "Role",
    "RoleKind",
    "SolverAnswer",
    "Specification",
    "State",
    "SymbolSort",
    "TransitionCondition",
    "TransitionGuard",
    "TransitionKind",
    "TransitionVerdict",
    "decode_specification",
    "document_of",
    "encode_specification",
    "entries",
    "front_place",
    "is_specification",
    "items_of",
    "read_specification",
]
