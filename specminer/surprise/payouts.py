"""How unusual the ether is that leaves in a transaction: against what other transactions took, and what was held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from specminer.history import MISSING, History, IntColumn
from specminer.specification import EvidenceSource
from specminer.surprise.left_out import FloatColumn
from specminer.surprise.transaction_sources import Evidence

LEAST: Final = 10
"""Transactions that pay: what is usual is told from at least so many others."""
TAIL: Final = 10
"""One of so many of them belongs to the tail, three at least."""
RESIDUE: Final = 1e-6
"""A share of what was held below which what remains counts as nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payouts:
    """Ether that left the contracts in each of ``t`` transactions, and what they held before."""

    paid: FloatColumn
    """Wei; shape (t,), as all columns; rounded, as the shares are what matters."""
    held: FloatColumn
    """Wei that the contracts of the history held together before and got in it; NaN where that is not known."""

    @property
    def share(self) -> FloatColumn:
        """Return what share of what was held has left; NaN where that is not known."""
        known = self.held > 0
        return np.where(known, np.minimum(self.paid / np.where(known, self.held, 1.0), 1.0), np.nan)


def payouts(history: History) -> Payouts:
    """Sum up what left and what was held; linear in calls and payments.

    What came in unseen (a self-destruction of somebody else, a block's reward) shows if more is paid than is there:
    from the beginning on nothing is known of what was held, then.
    """
    count = len(history.transaction_hash)
    wei = np.array([float(word) for word in history.words], dtype=np.float64)
    left = ~history.payment_undone & (history.payment_value != MISSING)
    of = history.invocation_transaction[history.payment_invocation[left]]
    paid = np.bincount(of, weights=wei[history.payment_value[left]], minlength=count).astype(np.float64)
    accepted = history.accepted
    came = np.bincount(
        history.invocation_transaction[accepted],
        weights=wei[history.invocation_value[accepted]],
        minlength=count,
    )
    held = np.r_[0.0, np.cumsum(came - paid)[:-1]][:count] + came
    unknown = bool(
        (history.invocation_payments[accepted] == MISSING).any()
        or (history.payment_value[~history.payment_undone] == MISSING).any()
        or (paid > held * (1 + RESIDUE)).any()
    )
    return Payouts(paid=paid, held=np.full(count, np.nan) if unknown else held)


def payout_evidence(history: History, taken: Payouts) -> Evidence:
    """Return how improbable the sum that left is, or the share of what was held, by other transactions that pay.

    Of both the one that says more counts, less a bit for having looked at two.
    """
    share = taken.share
    paying = taken.paid > 0
    relation = np.where(np.isnan(share) | ~paying, 0.0, 1.0 / (1.0 - np.nan_to_num(share) + RESIDUE))
    first = np.full(len(paying), MISSING, dtype=np.int64)
    left = np.flatnonzero(~history.payment_undone)[::-1]
    rows = history.payment_invocation[left]
    first[history.invocation_transaction[rows]] = rows
    most = np.maximum(np.maximum(tail_bits(taken.paid), tail_bits(relation)) - 1.0, 0.0)
    others: IntColumn = np.full(len(first), max(int(paying.sum()) - 1, 0), dtype=np.int64)
    return Evidence(source=EvidenceSource.PAYMENT, bits=most, case=first, others=others)


def tail_bits(amounts: FloatColumn) -> FloatColumn:
    """Return how improbable so much is, by a Pareto tail above the largest tenth of the other positive amounts.

    One more case at twice the beginning of the tail is supposed, so that equal amounts make no tail of no width.
    Source: Hill 1975.
    """
    bits = np.zeros(len(amounts))
    rows = np.flatnonzero(amounts > 0)
    if len(rows) <= LEAST:
        return bits
    order = rows[np.argsort(-amounts[rows], kind="stable")]
    logs = np.log(amounts[order])
    size = max(3, (len(rows) - 1) // TAIL)
    # without the one that is judged, the tail begins behind its next
    mine, begin = logs[: size + 1], logs[size + 1]
    scale = (mine.sum() - mine - size * begin + np.log(2)) / (size + 1)
    chance = np.log(size / (len(rows) - 1)) - (mine - begin) / scale
    bits[order[: size + 1]] = np.where(mine > begin, -chance / np.log(2), 0.0)
    return bits
