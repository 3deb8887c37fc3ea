"""How a history was split into interactions: the ``interactions`` of the document."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from specminer.specification.numbers import Count


class Mode(Enum):
    """How a history is split."""

    WHOLE = "whole"
    """The contract's life is one interaction."""
    INSTANCE = "instance"
    """Several contracts of the same code, or several lives of one contract: each life is one."""
    SENDER = "sender"
    """Each account's calls, and what others did to the storage kept under its address."""
    PARTITION = "partition"
    """Each entity of a sort; a call belongs to one."""
    PROJECTION = "projection"
    """Each entity of a sort; a call stands in the interaction of every entity that it names, with its role."""

    @property
    def has_entities(self) -> bool:
        """Whether an interaction is about an entity: one of a sort, or an account."""
        return self in (Mode.SENDER, Mode.PARTITION, Mode.PROJECTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitySort:
    """The sort of entities that interactions are about."""

    name: str
    """Unique in a history: ``_tokenId``, ``account``, ``mapping3``."""
    ports: tuple[str, ...] = ()
    """The variables under whose keys their storage is kept."""
    arguments: tuple[str, ...] = ()
    """The arguments that name them."""
    score: float | None = None
    """How much speaks for the sort, 0 to 1; ``None`` if nobody compared it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionsSummary:
    """How the history was split, and why."""

    mode: Mode | None = None
    """The way it was split."""
    sort: EntitySort | None = None
    """What an interaction is about; ``None`` where no sort of entities is involved."""
    count: Count | None = None
    """How many interactions there are."""
    explanation: str = ""
    """What was chosen and why, in sentences."""
    outside: dict[str, Count] = field(default_factory=dict)
    """How many calls are in no interaction, by function."""
