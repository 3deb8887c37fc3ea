"""Which dependencies decide: what one call wrote is read into a condition that rejects another, or lets it pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from specminer.decision.access_facts import AccessFacts
from specminer.decoding import HistoryContext
from specminer.history.contract_history import MISSING, BoolColumn, IntColumn
from specminer.interaction.relation import codes, distinct

MIN_FOLLOWED: Final = 0.5
"""Decisions speak for sorts if at least this share of the calls could be followed through the code."""
COUNTED: Final = 0.25
"""What a write that counts weighs, against one that sets a value: a balance is less of a state than a stage."""

FloatColumn = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedReads:
    """The reads upon which calls decided what other calls had written; ``r`` of them, of ``w`` writes."""

    reader: IntColumn
    """Row of the invocation that decided; shape (r,), as all of this group."""
    slot: IntColumn
    write: IntColumn
    """Which write it was: a call and a slot."""
    weight: FloatColumn
    """Of each write: 1 for what set a value, :data:`COUNTED` for what counted, 0 if that has no key; shape (w,)."""

    @property
    def total(self) -> float:
        """What all writes weigh."""
        return float(self.weight.sum())

    def share(self, reads: BoolColumn) -> float:
        """Return what the writes weigh that some reads saw, as a share of all."""
        return float(self.weight[distinct(self.write[reads])].sum()) / self.total if self.total else 0.0


def decided_reads(
    context: HistoryContext, code: AccessFacts | None, setlike: BoolColumn
) -> DecidedReads | None:
    """Return upon what calls decided; ``None`` if too few of them could be followed through the code.

    Args:
        context: the history.
        code: what the code shows of its accesses.
        setlike: of each touch, whether it set a value.

    """
    accesses = context.accesses
    calls = np.flatnonzero(context.is_accepted | context.is_rejected)
    if code is None or code.covers(calls) < MIN_FOLLOWED:
        return None
    touches = distinct(accesses.touch[code.is_deciding].astype(np.int64))
    touches = touches[accesses.external_read[touches] & (accesses.writer[touches] != MISSING)]
    touches = touches[context.is_accepted[accesses.writer[touches]]]
    span = len(context.locations.variable) + 1
    slot = accesses.slot[touches].astype(np.int64)
    pairs, write = np.unique(codes(accesses.writer[touches], slot, span), return_inverse=True)
    written = codes(accesses.invocation, accesses.slot, span)  # touches stand by both
    sets = setlike[np.searchsorted(written, pairs)]
    # what counts without a key is a total, a nonce or the next id
    counts = np.where(keyless(context)[pairs % span], 0.0, COUNTED)
    return DecidedReads(
        reader=accesses.invocation[touches].astype(np.int64),
        slot=slot,
        write=write.reshape(-1).astype(np.int64),
        weight=np.where(sets, 1.0, counts),
    )


def keyless(context: HistoryContext) -> BoolColumn:
    """Return which slots are variables without keys; shape (s,)."""
    bare = np.array([not item.ports for item in context.locations.variables], dtype=np.bool_)
    return bare[context.locations.variable]
