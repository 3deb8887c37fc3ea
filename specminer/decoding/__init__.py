"""What a history's calls and storage mean, before anything is learned from it.

:mod:`.calldata` says which function each invocation called and with which arguments, :mod:`.accesses` what it read
from storage and left there, :mod:`.storage_meaning` what each slot means, :mod:`.artifacts` which ABI several contracts
share. :func:`decode` brings all of it together in one :class:`HistoryContext`, the value that every later stage takes.

A slot means a variable, its keys and a field (:class:`.location_columns.Locations`). Sources, the most trusted first: a
compiler's storage layout; slots that standards name; the ABI's getters, run on made-up storage; the KECCAK preimages
that a tracer saw or that trying finds, which tell mapping keys and array indices apart even where names are unknown;
else the slot's own number.
"""

from specminer.decoding.accesses import AccessSummary, summarize_accesses
from specminer.decoding.artifacts import owner_name, owner_suffix
from specminer.decoding.calldata import Calls, decode_calls
from specminer.decoding.decode import decode, separate_lives
from specminer.decoding.history_context import ROLLED_BACK, HistoryContext, StorageCoverage

__all__ = [
    "ROLLED_BACK",
    "AccessSummary",
    "Calls",
    "HistoryContext",
    "StorageCoverage",
    "decode",
    "decode_calls",
    "owner_name",
    "owner_suffix",
    "separate_lives",
    "summarize_accesses",
]
