"""Which values of a history are not known, because a transaction that was executed again hints at something unseen.

What the chain says of a transaction stays in any case: who called whom with which arguments, and how it ended. Values
in storage are another matter:

- A transaction that ends otherwise than on the chain, or with other gas where gas is evidence (see
  :mod:`specminer.replay.fork_choice`), is explained by a value that somebody unseen wrote, if one value of one
  slot does (:mod:`specminer.replay.unseen_causes`). That slot is in doubt then.
- If nothing explains it and it wrote here or on the chain, what it touched is in doubt; all of the contract is, if it
  touched nothing, or was to create it. What it read is unknown in it already, if nothing but storage can have led it
  another way.
- A value read from a slot in doubt is unknown, and so is what a transaction writes that depends on it.
- A slot is believed again once a value that depends on nothing in doubt is written to it, or once a transaction that
  ends exactly as on the chain would have ended otherwise with any other value that was tried.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from specminer._support.keccak import keccak
from specminer.history.trace import (
    AccessKind,
    Address,
    EnvironmentAnswer,
    EnvironmentKind,
    Invocation,
    StorageAccess,
)
from specminer.replay.unseen_causes import Slot

_NO_CODE: Final = int.from_bytes(keccak(b""), "big")
"""What the hash of an account's code is that has none."""


@dataclass(slots=True)
class Doubt:
    """Slots whose values may not be the chain's."""

    slots: set[Slot] = field(default_factory=set)
    contracts: set[Address] = field(default_factory=set)
    """Contracts whose storage is unknown but for what is believed again."""
    trusted_slots: set[Slot] = field(default_factory=set)
    """Slots of :attr:`contracts` that are believed again."""

    def __contains__(self, slot: object) -> bool:
        """Whether a slot is in doubt."""
        if slot in self.slots:
            return True
        return isinstance(slot, tuple) and slot[0] in self.contracts and slot not in self.trusted_slots

    def __bool__(self) -> bool:
        return bool(self.slots or self.contracts)

    def add(self, slots: Iterable[Slot]) -> None:
        """Doubt slots from now on."""
        slot_set = set(slots)
        self.slots |= slot_set
        self.trusted_slots -= slot_set

    def add_contract(self, contract: Address) -> None:
        """Doubt all of a contract's storage from now on."""
        self.contracts.add(contract)
        self.trusted_slots = {slot for slot in self.trusted_slots if slot[0] != contract}

    def remove(self, slots: Iterable[Slot]) -> None:
        """Believe slots again."""
        slot_set = set(slots)
        self.slots -= slot_set
        self.trusted_slots |= {slot for slot in slot_set if slot[0] in self.contracts}


def with_unknown_values(
    calls: Sequence[Invocation], doubtful: Container[Slot], dependent: Container[Slot]
) -> tuple[Invocation, ...]:
    """Return a transaction's invocations without the values that are not known.

    Args:
        calls: the invocations, of one or more contracts.
        doubtful: slots whose values are not known when the transaction begins.
        dependent: slots whose values written by it depend on that.

    """
    unknown: dict[Slot, bool] = {}
    order = sorted(
        (access.position, row, number)
        for row, call in enumerate(calls)
        for number, access in enumerate(call.accesses)
    )
    accesses = [list(call.accesses) for call in calls]
    for _, row, number in order:
        access = accesses[row][number]
        slot = (calls[row].contract, int(access.slot))
        before = unknown.get(slot, slot in doubtful)
        after = before if access.kind is AccessKind.READ else slot in dependent
        if access.kind is AccessKind.WRITE and not access.undone:
            unknown[slot] = after
        accesses[row][number] = replace(
            access,
            before=None if before else access.before,
            after=None if after else access.after,
        )
    return tuple(
        replace(call, accesses=tuple(call_accesses))
        for call, call_accesses in zip(calls, accesses, strict=True)
    )


def with_unknown_way(
    calls: Sequence[Invocation], doubtful: Container[Slot], *, wrote: bool
) -> tuple[Invocation, ...]:
    """Return invocations of which only the chain's word is left: which way they went is not known.

    Args:
        calls: the invocations, as far as they were executed again.
        doubtful: slots whose values are not known when the transaction begins.
        wrote: whether the transaction may have written; the slots that it touched here are then written with an unknown
            value.

    """
    touched_slots: set[Slot] = set()
    left: list[Invocation] = []
    for call in calls:
        accesses: list[StorageAccess] = []
        for access in call.accesses if wrote else ():
            slot = (call.contract, int(access.slot))
            if slot not in touched_slots:
                touched_slots.add(slot)
                accesses.append(
                    replace(
                        access,
                        kind=AccessKind.WRITE,
                        before=None if slot in doubtful else access.before,
                        after=None,
                        undone=False,
                    )
                )
        left.append(
            replace(
                call,
                accesses=tuple(accesses),
                events=(),
                payments=None,
                calls=None,
                codes=None,
                environment=None,
            )
        )
    return tuple(left)


def with_sure_answers(
    calls: Sequence[Invocation], *, sure: bool, exact: bool, codeless: Address | None = None
) -> tuple[Invocation, ...]:
    """Return invocations without answers that may be other than the chain's.

    An export tells neither all balances nor hashes of blocks, so a machine's answers to such questions are assumptions.

    Args:
        calls: the invocations of one transaction.
        sure: whether it did what it did on the chain, and called no contract that is not at hand.
        exact: whether it used the same gas as well.
        codeless: an account that has no code for sure: the one that sent the transaction.

    """
    return tuple(
        replace(
            call,
            calls=call.calls if sure else None,
            environment=call.environment
            if sure and all(_is_sure(answer, exact, codeless) for answer in call.environment or ())
            else None,
        )
        for call in calls
    )


def _is_sure(answer: EnvironmentAnswer, exact: bool, codeless: Address | None) -> bool:
    if answer.kind is EnvironmentKind.GAS:
        return exact
    if answer.kind in (EnvironmentKind.CODE_SIZE, EnvironmentKind.CODE_HASH):
        at_hand = answer.value not in (0, _NO_CODE)
        return at_hand or (codeless is not None and answer.subject == int.from_bytes(codeless, "big"))
    return answer.kind is EnvironmentKind.TRANSIENT
