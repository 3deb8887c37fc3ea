"""How unusual the ether is that leaves in a transaction: against what other transactions took, and what was held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from specminer._support.scratch import columns_in_files, in_file
from specminer.history.contract_history import MISSING, History
from specminer.inference.evidence_source import SourceEvidence, tail_bits
from specminer.inference.leave_one_out import FloatColumn
from specminer.specification import EvidenceSource

RESIDUE: Final = 1e-6
"""A share of what was held below which what remains counts as nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payouts:
    """Ether that left the contracts in each of ``t`` transactions, and what they held before."""

    amount: FloatColumn
    """Wei; shape (t,), as all columns; rounded, as the shares are what matters."""
    largest: FloatColumn
    """Wei of the largest payment."""
    holdings: FloatColumn
    """Wei that the contracts of the history held together before and got in it; NaN where that is not known."""

    @property
    def share(self) -> FloatColumn:
        """Return what share of what was held has left; NaN where that is not known."""
        is_known = self.holdings > 0
        return np.where(
            is_known, np.minimum(self.amount / np.where(is_known, self.holdings, 1.0), 1.0), np.nan
        )


def payouts(history: History) -> Payouts:
    """Sum up what left and what was held; linear in calls and payments.

    What came in unseen (a self-destruction of somebody else, a block's reward) shows if more is paid than is there:
    from the beginning on nothing is known of what was held, then.
    """
    count = len(history.transaction_hash)
    wei = np.fromiter(map(float, history.words), np.float64, len(history.words))
    left = ~history.payment_undone & (history.payment_value != MISSING)
    of = history.invocation_transaction[history.payment_invocation[left]]
    paid = np.bincount(of, weights=wei[history.payment_value[left]], minlength=count).astype(np.float64)
    accepted = history.accepted
    largest = np.zeros(count)
    np.maximum.at(largest, of, wei[history.payment_value[left]])
    income = np.bincount(
        history.invocation_transaction[accepted],
        weights=wei[history.invocation_value[accepted]],
        minlength=count,
    )
    balance = np.r_[0.0, np.cumsum(income - paid)[:-1]][:count] + income
    unknown = bool(
        (history.invocation_payments[accepted] == MISSING).any()
        or (history.payment_value[~history.payment_undone] == MISSING).any()
        or (paid > balance * (1 + RESIDUE)).any()
    )
    balance = np.full(count, np.nan) if unknown else balance
    return Payouts(amount=in_file(paid), largest=in_file(largest), holdings=in_file(balance))


def payout_evidence(history: History, outflow: Payouts) -> SourceEvidence:
    """Return how improbable the largest payment is, or the share of what was held, by other transactions that pay.

    That there are many payments is told by the calls that the transaction combines. Of both the one that says more
    counts, less a bit for having looked at two.
    """
    share = outflow.share
    paying = outflow.amount > 0
    relation = np.where(np.isnan(share) | ~paying, 0.0, 1.0 / (1.0 - np.nan_to_num(share) + RESIDUE))
    first = np.full(len(paying), MISSING, dtype=np.int32)
    left = np.flatnonzero(~history.payment_undone)[::-1]
    rows = history.payment_invocation[left]
    first[history.invocation_transaction[rows]] = rows
    most = np.maximum(np.maximum(tail_bits(outflow.largest), tail_bits(relation)) - 1.0, 0.0)
    others = np.full(len(first), max(int(paying.sum()) - 1, 0), dtype=np.int32)
    return columns_in_files(
        SourceEvidence(
            source=EvidenceSource.PAYMENT, bits=most, case=first, comparisons=others, position=first
        )
    )
