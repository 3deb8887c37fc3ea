"""The names of the values of enums that an ABI only numbers.

An ABI names an enum's type (``enum IGovernor.ProposalState``) but not its members. Those of contracts that many deploy
unchanged are known.

Sources: OpenZeppelin Contracts 4.9 and 5.x, ``governance/IGovernor.sol``, ``governance/TimelockController.sol``,
``utils/escrow/RefundEscrow.sol``; Compound, ``GovernorBravoInterfaces.sol``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from specminer.contracts.artifact import Artifact

_PROPOSAL: Final = (
    "Pending",
    "Active",
    "Canceled",
    "Defeated",
    "Succeeded",
    "Queued",
    "Expired",
    "Executed",
)
USUAL_ENUMS: Final[Mapping[str, tuple[str, ...]]] = {
    "IGovernor.ProposalState": _PROPOSAL,
    "GovernorBravoDelegateStorageV1.ProposalState": _PROPOSAL,
    "GovernorAlpha.ProposalState": _PROPOSAL,
    "TimelockController.OperationState": ("Unset", "Waiting", "Ready", "Done"),
    "RefundEscrow.State": ("Active", "Refunding", "Closed"),
}
"""From an enum's name, as the compiler spells it, to its members in their order."""


def enum_members_of(artifact: Artifact, name: str) -> tuple[str, ...]:
    """Return the names of an enum's values, ``name`` being ``Shop.Phase``; nothing where they are not known."""
    return artifact.enums.get(name) or USUAL_ENUMS.get(name, ())
