"""Simulated histories of one contract, and how they are divided into interactions."""

from __future__ import annotations

from specminer.contracts.interface import Interface, InterfaceFunction
from specminer.decoding import HistoryContext
from specminer.decoding.slot_resolution import locate
from specminer.decoding.storage_layout import Layout
from specminer.history.contract_history import History
from specminer.interaction import Interactions, Mode, analyse, split
from tests.support.histories import CHAIN, CONTRACTS, SELECTORS, Simulated, stored

OWN = CONTRACTS[0]
READ_ONLY = SELECTORS[2]
INTERFACE = Interface(
    functions={
        READ_ONLY: InterfaceFunction(name="read", signature="read()", types=(), arguments=(), read_only=True)
    },
    source="made up",
)
NOTHING = Interface(source="made up")


def history_of(simulated: Simulated) -> History:
    """Return what the database gives back of the first contract."""
    with stored(simulated.transactions) as store:
        return store.history(CHAIN, [OWN])


def divided(
    history: History, mode: Mode | None, layout: Layout | None = None, *, reading: bool = True
) -> Interactions:
    """Return the interactions of a mode, or of the best one; ``reading`` says that the ABI is known."""
    context = HistoryContext.of(history, INTERFACE if reading else NOTHING, locate(history, layout))
    return split(analyse(context), mode.value if mode is not None else None)
