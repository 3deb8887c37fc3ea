"""What may be wrong in a history because a transaction that was executed again did not do what the chain says.

- The chain says that it failed, here it succeeded: its effects are taken back; nothing else is in doubt.
- The chain says that it succeeded, here it failed: what it would have written is unknown, so every slot that it
  touched is in doubt; all of the contract is if it touched nothing, or was to create it.
- It ended as on the chain but used other gas, although gas is evidence on this chain (see
  :mod:`specminer.chain.execution.choice`): it may have gone another way, so the slots that it wrote are in doubt.
- A transaction that reads a slot in doubt is tainted, and what it writes is in doubt as well.
- A slot is believed again once a transaction that is not in doubt has written it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from specminer.trace import AccessKind, Address, Fidelity, Invocation, InvocationKind


@dataclass(slots=True)
class Doubt:
    """Slots whose values may not be the chain's."""

    slots: set[tuple[Address, int]] = field(default_factory=set)
    contracts: set[Address] = field(default_factory=set)
    """Contracts of which everything is in doubt, because their creation is."""

    def read_by(self, calls: Sequence[Invocation]) -> bool:
        """Whether one of the calls read a slot in doubt before it wrote it itself."""
        if not self.slots and not self.contracts:
            return False
        written: set[tuple[Address, int]] = set()
        for call in calls:
            if call.contract in self.contracts:
                return True
            for access in call.accesses:
                key = (call.contract, int(access.slot))
                if access.kind is AccessKind.READ and key in self.slots and key not in written:
                    return True
                if access.kind is AccessKind.WRITE:
                    written.add(key)
        return False

    def note(self, calls: Sequence[Invocation], fidelity: Fidelity, kept: bool) -> None:
        """Take in what a transaction did; ``kept`` says whether its effects stayed in the machine."""
        if fidelity is Fidelity.STATUS and kept:
            self.slots |= {(call.contract, int(access.slot)) for call in calls for access in call.accesses}
            self.contracts |= {
                call.contract
                for call in calls
                if call.kind is InvocationKind.CONSTRUCTOR or not call.accesses
            }
        elif kept:
            lasting = {
                (call.contract, int(access.slot))
                for call in calls
                for access in call.accesses
                if access.kind is AccessKind.WRITE and not access.undone
            }
            self.slots = self.slots - lasting if fidelity.trusted else self.slots | lasting
