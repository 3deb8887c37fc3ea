"""What a read-only function answered when it was run on made-up storage: pure values.

The values in the storage are random, so that an answer equal to a part of what was read is no coincidence:
it tells which variable the function reads. Nothing of the contract's real storage is needed.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Getter:
    """A read-only function of an ABI, as far as names are taken from it."""

    name: str
    inputs: tuple[tuple[str, str], ...]
    """Name and type of each argument."""
    outputs: tuple[tuple[str, str], ...]
    """Name and type of each value returned; tuples opened up, their fields in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One run of a getter that returned."""

    arguments: tuple[bytes, ...]
    """32 bytes for value types; the text itself for ``string`` and ``bytes``."""
    reads: tuple[tuple[int, int], ...]
    """Slot and value, in the order of first reading, each slot once."""
    preimages: tuple[bytes, ...]
    """What was hashed."""
    values: tuple[int | bytes, ...]
    """What was returned, as words or texts, one for each of the getter's outputs; empty for an array."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbedGetter:
    """A getter with its runs."""

    getter: Getter
    probes: tuple[Probe, ...]
    """At least one."""
    limit: int | None
    """The least value of its only argument at which it fails, if it returns for all smaller ones: the length of an
    array of fixed length; ``None`` where it does not fail, or was not looked for."""
    vyper: bool = False
    """Whether the code is Vyper's: nothing is packed in a slot, and mappings hash the key behind the base."""
