"""Interactions: the words that an automaton is learned from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from specminer.history.contract_history import MISSING, BoolColumn, IntColumn
from specminer.interaction.relation import EntityRelation, relation
from specminer.specification import EntitySort, Mode

CLOCK: Final = "time: "
"""What the text of a phase begins with that no call but the clock brought about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interactions:
    """``k`` interactions with ``n`` events, one interaction after another, each in the order in which calls begin."""

    mode: Mode
    sort: EntitySort | None
    """The sort of entities; ``None`` where none is involved."""
    names: tuple[str, ...]
    """``_tokenId=42``, an address, ``all``; raw text, each once."""
    entities: tuple[int | None, ...]
    """The key as a word, by which the entity's storage is found; ``None`` for no entity, or a text."""
    keys: tuple[str | None, ...]
    """The key as people write it; ``None`` for no entity."""
    explanation: str
    """What was chosen and why, in sentences."""
    slice: IntColumn
    """Interaction of each event, ascending; shape (n,), as all columns of this group."""
    invocation: IntColumn
    """Row of the invocation in the history."""
    passive: BoolColumn
    """Not the interaction's own call: somebody else's, which changed its storage or a flag of the whole contract."""
    roles: tuple[str, ...] = ()
    """Names of roles, each once, ascending."""
    role: IntColumn
    """Position in ``roles`` of the role in which the call names the entity, or ``MISSING``; all missing
    unless events are told apart by roles (in a projection)."""
    owner: IntColumn
    """For each slot (see ``AccessSummary.slot``) the interaction whose variable it is, or ``MISSING``; shape (s,)."""
    holders: tuple[IntColumn, ...]
    """For each key position the interaction under whose key each slot hangs there, or ``MISSING``; shapes (s,).
    That is more than :attr:`owner`: ``bids[7][bidder]`` hangs under auction 7, but is no variable of it."""
    track: IntColumn
    """Rows of the events that belong to no interaction, in the order in which they begin: administration and
    the like."""
    phases: tuple[str, ...] = ()
    """What flags of the whole contract became, as texts, each once: ``paused``, ``not paused``."""
    phase: IntColumn | None = None
    """For each event what a flag became, a position in ``phases``; ``MISSING`` for calls and side effects, and
    ``None`` if all are such."""

    @property
    def of_accounts(self) -> bool:
        """Whether all entities look like accounts, and there are some."""
        keys = [key for key in self.entities if key is not None]
        return bool(keys) and all(1 << 96 <= key < 1 << 160 for key in keys)

    @property
    def owners(self) -> dict[int, IntColumn]:
        """For each slot that some interaction owns, that interaction."""
        return {int(slot): self.owner[slot : slot + 1] for slot in np.flatnonzero(self.owner != MISSING)}

    @property
    def members(self) -> EntityRelation:
        """The (invocation, interaction) pairs of own calls; side effects are none."""
        own = ~self.passive
        return relation(self.invocation[own], self.slice[own], max(1, len(self.names)))

    @property
    def switches(self) -> BoolColumn:
        """Which events are changes of a flag of the whole contract."""
        if self.phase is None:
            return np.zeros(len(self.slice), dtype=np.bool_)
        return np.not_equal(self.phase, MISSING)

    def phase_of(self, event: int) -> str | None:
        """Return what a flag became in an event; ``None`` for calls and side effects."""
        index = MISSING if self.phase is None else int(self.phase[event])
        return None if index == MISSING else self.phases[index]

    def deadline_of(self, event: int) -> str | None:
        """Return which deadline was reached, as ``until reached``, if the clock alone brought an event about.

        The invocation of such an event is the first one afterwards: it shows that time had passed, no more.
        """
        phase = self.phase_of(event)
        return phase.removeprefix(CLOCK) if phase is not None and phase.startswith(CLOCK) else None

    @property
    def clocked(self) -> BoolColumn:
        """Which events the clock alone brought about."""
        if self.phase is None:
            return np.zeros(len(self.slice), dtype=np.bool_)
        clocks = np.array([*(text.startswith(CLOCK) for text in self.phases), False])
        return clocks[self.phase]

    def __len__(self) -> int:
        return len(self.names)


def event_text(function: str, role: str | None, *, passive: bool, phase: str | None = None) -> str:
    """Return how an event is called: ``transfer as _to``, ``side effect of bid``, ``phase: paused by pause``.

    Of what the clock brings about that is what is reached: ``time: until reached``.
    """
    if phase is not None and phase.startswith(CLOCK):
        return phase
    if phase is not None:
        return f"phase: {phase} by {function}"
    if passive:
        return f"side effect of {function}"
    return function if role is None else f"{function} as {role}"
