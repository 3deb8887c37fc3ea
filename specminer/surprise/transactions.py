"""Transactions ranked by how much speaks against them.

Each source gives bits (:mod:`.transaction_sources`, :mod:`.payouts`): how improbable what it sees is among benign
transactions. They count as independent, so that the score is their sum (naive Bayes). Where they are not, as who
re-enters makes unusual combinations, too, a score is no probability; an alarm needs one that stands clear of the scores
of all other transactions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from specminer._support.addresses import checksum_address
from specminer._support.text import counted, list_some
from specminer._support.units import amount
from specminer.decoding import HistoryContext
from specminer.history import MISSING, BoolColumn
from specminer.specification import EvidenceSource, SurprisingTransaction, SurprisingTransactions
from specminer.surprise.alarm import checked, threshold
from specminer.surprise.left_out import FloatColumn
from specminer.surprise.payouts import Payouts, payout_evidence, payouts
from specminer.surprise.ranking import MAX_LISTED, Ranking
from specminer.surprise.transaction_sources import Claim, Evidence, bounded, evidence_of, lasting_calls

RATE: Final = 0.003
"""Benign transactions above the threshold stay below this share."""
LEAST_REASON: Final = 1.0
"""What has fewer bits explains nothing."""
MOST_OF_IT: Final = 0.5
"""A share of the ether that was held that is told in any case."""
MAX_NAMED: Final = 6
"""Functions or variables that a sentence names at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transactions:
    """Tells what speaks against each of ``t`` transactions."""

    context: HistoryContext
    ranking: Ranking
    claims: Sequence[Claim]
    evidence: tuple[Evidence, ...]
    """What sources say, bounded."""
    taken: Payouts
    lasting: BoolColumn
    """Which of the ``n`` invocations are calls whose effects lasted; shape (n,)."""
    judged: BoolColumn
    """Transactions with such a call; shape (t,)."""
    score: FloatColumn
    """Shape (t,)."""

    def surprise(self, listed: int) -> SurprisingTransactions:
        """Return what stands out, the ``listed`` first."""
        history = self.context.history
        rows = np.flatnonzero(self.judged)
        origin = history.transaction_origin[rows]
        sources = sum(bool((item.bits >= LEAST_REASON).any()) for item in self.evidence)
        limit = threshold(self.score[rows], origin, RATE, sources)
        order = rows[np.argsort(-self.score[rows], kind="stable")]
        order = order[self.score[order] > 0][: min(listed, MAX_LISTED)]
        return SurprisingTransactions(
            threshold=round(limit, 3),
            flagged=int((self.score[rows] > limit).sum()),
            of=len(rows),
            rate=RATE,
            calibrated=len(rows) >= 1 / RATE,
            held_out=checked(self.score[rows], origin, RATE, sources),
            ranked=tuple(self._describe(int(row), limit) for row in order.tolist()),
        )

    def _describe(self, row: int, limit: float) -> SurprisingTransaction:
        history = self.context.history
        speaking = sorted(
            (item for item in self.evidence if item.bits[row] > 0), key=lambda item: -float(item.bits[row])
        )
        strong = [item for item in speaking if item.bits[row] >= LEAST_REASON] or speaking[:1]
        reasons = tuple(self._reason(item, row) for item in strong)
        if all(item.source is not EvidenceSource.PAYMENT for item in strong):
            reasons += self._facts(row)
        name = f"0x{history.transaction_hash[row].hex()}"
        score = float(self.score[row])
        return SurprisingTransaction(
            transaction=name,
            block=int(history.transaction_block[row]),
            sender=checksum_address(history.addresses[int(history.transaction_origin[row])]),
            score=round(score, 3),
            flagged=bool(score > limit),
            evidence={item.source.value: round(float(item.bits[row]), 3) for item in speaking},
            reasons=reasons,
            text=f"Transaction {name}: {'; '.join(reasons)} ({score:.1f} bits).",
        )

    def _reason(self, item: Evidence, row: int) -> str:
        """Return the sentence of a source about a transaction, without its full stop."""
        case, others = int(item.case[row]), int(item.others[row])
        match item.source:
            case EvidenceSource.PATH:
                return self.ranking.path_reason(case)
            case EvidenceSource.PAYMENT:
                return f"{self._payment(row)}, more than the {others:,} other transactions that pay lead to expect"
            case EvidenceSource.COMBINATION:
                return f"{self._calls(row)}: hardly any of the {others:,} other transactions does that"
        name = self.context.calls.name(case)
        calls = counted(others, "other call")
        match item.source:
            case EvidenceSource.BROKEN:
                assert item.claim is not None
                claim = self.claims[int(item.claim[row])]
                return f"{name} broke what held in {others:,} cases of other transactions, {claim.text}"
            case EvidenceSource.CALLER:
                return f"{self._sender(case)} called {name} for the first time, {self._callers(case, others)}"
            case EvidenceSource.ORIGIN:
                who = self._sender(case)
                by = f"a contract, {who}" if self._through(case) else f"the account {who} itself"
                return f"{name} was called by {by}, unlike its {calls}"
            case EvidenceSource.CHANGES:
                return f"{name} changed {self._changed(case)}, as hardly any of its {calls} does"
            case _:
                return f"{name} was called while another call of the contract was running, unlike its {calls}"

    def _callers(self, invocation: int, calls: int) -> str:
        """Say what somebody new was compared with: earlier calls of the function, or of all that one account calls."""
        context = self.context
        earlier = np.flatnonzero(
            (context.calls.function == context.calls.function[invocation]) & context.is_accepted
        )
        before = int((earlier < invocation).sum())
        if before == calls:
            return f"after {counted(calls, 'call')} of others"
        owner = self._sender(int(earlier[0]))
        return f"after {counted(calls, 'call')} of functions that {owner} alone had called"

    def _sender(self, invocation: int) -> str:
        history = self.context.history
        return checksum_address(history.addresses[int(history.invocation_sender[invocation])])

    def _through(self, invocation: int) -> bool:
        history = self.context.history
        origin = history.transaction_origin[history.invocation_transaction[invocation]]
        return bool(history.invocation_sender[invocation] != origin)

    def _calls(self, row: int) -> str:
        """Say which functions were called in a transaction, and how often."""
        calls = np.flatnonzero((self.context.history.invocation_transaction == row) & self.lasting)
        functions, times = np.unique(self.context.calls.function[calls], return_counts=True)
        names = [
            f"{self.context.calls.functions[number]}{f' {count} times' if count > 1 else ''}"
            for number, count in zip(functions.tolist(), times.tolist(), strict=True)
        ]
        return f"it called {_listed(names)}"

    def _changed(self, invocation: int) -> str:
        """Say which variables a call changed."""
        accesses, locations = self.context.accesses, self.context.locations
        touched = np.flatnonzero((accesses.invocation == invocation) & accesses.effective_write)
        variables = np.unique(locations.variable[accesses.slot[touched]]).tolist()
        return (
            _listed([locations.variables[number].text(None) for number in variables])
            if variables
            else "nothing"
        )

    def _payment(self, row: int) -> str:
        """Say what left in a transaction, and what share of what was held that is, where it is known."""
        history = self.context.history
        known = ~history.payment_undone & (history.payment_value != MISSING)
        mine = history.invocation_transaction[history.payment_invocation] == row
        paid = amount(
            str(sum(history.words[value] for value in history.payment_value[known & mine].tolist()))
        )
        share = float(self.taken.share[row])
        return f"it paid out {paid}" + (
            "" if np.isnan(share) else f", {share:.1%} of the ether that was held"
        )

    def _facts(self, row: int) -> tuple[str, ...]:
        """Return what is worth knowing of a transaction that stands out, though it proves nothing."""
        return (self._payment(row),) if float(self.taken.share[row]) >= MOST_OF_IT else ()


def weigh(context: HistoryContext, ranking: Ranking, claims: Sequence[Claim]) -> Transactions:
    """Weigh all transactions of a history; cost n log n in calls and accesses."""
    history, lasting = context.history, lasting_calls(context)
    judged = np.zeros(len(history.transaction_hash), dtype=np.bool_)
    judged[history.invocation_transaction[lasting]] = True
    taken = payouts(history)
    found = (*evidence_of(context, ranking.measured, claims), payout_evidence(history, taken))
    evidence = tuple(_bounded(found, judged))
    return Transactions(
        context=context,
        ranking=ranking,
        claims=claims,
        evidence=evidence,
        taken=taken,
        lasting=lasting,
        judged=judged,
        score=np.sum([item.bits for item in evidence], axis=0),
    )


def _bounded(found: Sequence[Evidence], judged: BoolColumn) -> Iterator[Evidence]:
    for item in found:
        yield replace(item, bits=np.where(item.case == MISSING, 0.0, bounded(item.bits, judged)))


def _listed(names: Sequence[str]) -> str:
    return list_some(names[:MAX_NAMED], len(names))
