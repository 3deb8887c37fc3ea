"""The variables of storage that a function's calls decide upon."""

from __future__ import annotations

from specminer.decision.paths import FunctionDecisions
from specminer.decision.state_conditions import StoredField, stored_field
from specminer.decision.wording import Wording
from specminer.shadow.arena import UNKNOWN, operands_of


def decided_fields(decisions: FunctionDecisions, wording: Wording) -> frozenset[StoredField] | None:
    """Return the fields whose values, as the calls found them, conditions depend on.

    ``None`` if a condition is not known whole, or depends on storage that is no field of a variable.
    """
    arena = decisions.runs.arena
    fields: set[StoredField] = set()
    left = [step.condition.node for path in decisions.paths for step in path.steps]
    visited = set(left)
    while left:
        node = left.pop()
        if node == UNKNOWN:
            return None
        inner = node
        while arena.kind(inner) in ("field", "shifted"):
            inner = arena.key(inner)[1]
        if arena.kind(inner) == "storage":
            field = stored_field(arena, wording, node)
            if field is None:
                return None
            fields.add(field)
            node = inner
        operands = set(operands_of(arena.key(node))) - visited
        visited |= operands
        left += operands
    return frozenset(fields)
