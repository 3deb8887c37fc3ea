"""Effects in a specification: what accepted calls of a function write, pay, call and log, and when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from specminer.specification.numbers import Count


class EffectKind(Enum):
    """What a call does."""

    WRITTEN = "written"
    """It leaves a value in storage."""
    PAID = "paid"
    """It sends ether."""
    CALLED = "called"
    """It calls another contract, or creates one; calls that only ask are none."""
    LOGGED = "logged"
    """It logs an event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What accepted calls of a function do, as an expression over what they found."""

    function: str
    """The function."""
    kind: EffectKind
    """What is done."""
    target: str
    """To what: the variable with its keys, the receiver of ether, the function that is called, the event."""
    expression: str = ""
    """The new value, the amount, or the arguments; where they are too long to be read, what they depend on."""
    text: str
    """The effect for people: ``balances[to]' = balances[to] + amount``."""
    condition: str = ""
    """When it happens, as what the code decided; empty if it always does, or if no decision tells."""
    happened: Count
    """Accepted calls in which it happened."""
    calls: Count
    """Accepted calls of the function that were followed."""
    readable: bool = True
    """Whether the expression says what is done; if not, it lists what that depends on."""
    each: bool = False
    """Whether it stands for several of one form, as a loop makes them; ``i`` numbers its rounds."""
