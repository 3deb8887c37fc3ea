"""Recorded calls, executed alone under the shadow: what each of them decided, wrote, logged and called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from specminer.evm.halts import Halt
from specminer.evm.shadow.arena import Arena
from specminer.evm.shadow.record import ShadowRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRun:
    """One recorded call, executed alone and proved to be the recorded execution."""

    invocation: int
    """Row in the history."""
    record: ShadowRecord
    """Its decisions and effects, with what their sources held."""
    halt: Halt | None
    """How it ended without success; ``None`` if it returned. It never ran out of gas."""
    output: bytes
    """What it returned or reverted with."""
    accepted: bool
    """Whether its effects lasted; if not, the contract's own code rejected it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionRuns:
    """The runs of one function."""

    function: int
    """Position in ``context.calls.functions``."""
    arena: Arena
    """Holds the expressions of all runs; equal ones are one node."""
    runs: tuple[CallRun, ...]
    """In chain order."""
    unproved: Mapping[str, int]
    """How many calls could not be executed alone, by the reason."""
    unpursued: int
    """Calls that were not executed, because others like them were."""
