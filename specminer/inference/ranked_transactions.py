"""Transactions ranked by how much speaks against them.

Each source gives bits: how improbable what it sees is among other transactions. Sources form families, of which the
strongest voice counts, and families are fused into one score (:mod:`.evidence_fusion`): how improbable so much is
altogether if families are independent. Where they are not, an alarm needs a score that stands clear of those of all
other transactions, too (:mod:`.alarm`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from specminer._support.addresses import checksum_address
from specminer._support.scratch import in_file
from specminer._support.text import count_of, list_some
from specminer._support.units import amount
from specminer.decision import FunctionRuns
from specminer.decoding import HistoryContext
from specminer.history.contract_history import MISSING, BoolColumn, IntColumn
from specminer.inference.alarm import check_alarms, threshold
from specminer.inference.argument_sources import repetition_evidence, size_evidence
from specminer.inference.course_sources import (
    duration_evidence,
    newcomer_evidence,
    race_evidence,
    refusal_evidence,
    relation_evidence,
)
from specminer.inference.evidence_fusion import family_bits, fuse_bits
from specminer.inference.evidence_source import SourceEvidence, bound_bits
from specminer.inference.leave_one_out import FloatColumn
from specminer.inference.never_falling import never_falling
from specminer.inference.path_sources import branch_evidence
from specminer.inference.payouts import Payouts, payout_evidence, payouts
from specminer.inference.surprise_ranking import Ranking
from specminer.inference.transaction_sources import Claim, evidence_of, lasting_calls
from specminer.inference.world_sources import answer_evidence, code_evidence, token_evidence, unseen_ether
from specminer.specification import (
    MAX_LISTED,
    EvidenceFamily,
    EvidenceSource,
    SurprisingTransaction,
    SurprisingTransactions,
)

RATE: Final = 0.003
"""Benign transactions above the threshold stay below this share."""
LEAST_ALARM: Final = 5.0
"""Bits below which nothing is an alarm. The score's own scale would ask for 8.4 at that rate, but sources are silent
mostly: pooled over many histories, less than half a percent of benign transactions has more, and less than a fifth of
a percent more than the threshold of its own history (``benchmarks.attacks``)."""
AIM: Final = 1.0
"""The part of :data:`RATE` that the estimate of the tail aims at. It is no smaller, since no threshold is below the
highest score of others."""
LEAST_REASON: Final = 1.0
"""What has fewer bits explains nothing."""
MOST_OF_IT: Final = 0.5
"""A share of the ether that was held that is told in any case."""
MAX_NAMED: Final = 6
"""Functions or variables that a sentence names at most."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Transactions:
    """Tells what speaks against each of ``t`` transactions."""

    context: HistoryContext
    ranking: Ranking
    claims: Sequence[Claim]
    evidence: tuple[SourceEvidence, ...]
    """What sources say, bounded."""
    families: Mapping[EvidenceFamily, FloatColumn]
    """What each family of sources says, bounded."""
    payouts: Payouts
    lasting: BoolColumn
    """Which of the ``n`` invocations are calls whose effects lasted; shape (n,)."""
    is_judged: BoolColumn
    """Transactions with such a call; shape (t,)."""
    score: FloatColumn
    """Shape (t,)."""

    @cached_property
    def limit(self) -> float:
        """The score above which a transaction is an alarm, in bits."""
        rows = np.flatnonzero(self.is_judged)
        return threshold(
            self.score[rows], self.context.history.transaction_origin[rows], RATE, LEAST_ALARM, AIM
        )

    def describe(self, row: int) -> SurprisingTransaction | None:
        """Return what speaks against a transaction; ``None`` if it was not judged, as nothing of it lasted."""
        return self._describe(row, self.limit) if self.is_judged[row] else None

    def rank(self, row: int) -> int | None:
        """Return the place of a transaction among all judged ones, from 1; ``None`` if nothing speaks against it."""
        score = self.score[row]
        return (
            int((self.score[self.is_judged] > score).sum()) + 1 if self.is_judged[row] and score > 0 else None
        )

    def calls_that_speak(self, row: int) -> dict[int, tuple[EvidenceSource, ...]]:
        """Return the invocations of a transaction that evidence names, each with the sources that do."""
        history = self.context.history
        sources_by_call: dict[int, tuple[EvidenceSource, ...]] = {}
        for item in self.evidence:
            case = int(item.case[row])
            if item.source is EvidenceSource.PATH:  # its cases are events
                continue
            if item.bits[row] >= LEAST_REASON and 0 <= case < len(history):
                sources_by_call[case] = (*sources_by_call.get(case, ()), item.source)
        return sources_by_call

    def surprise(self, requested: int) -> SurprisingTransactions:
        """Return what stands out, the ``requested`` first."""
        history = self.context.history
        rows = np.flatnonzero(self.is_judged)
        origin = history.transaction_origin[rows]
        limit = self.limit
        order = rows[np.argsort(-self.score[rows], kind="stable")]
        order = order[self.score[order] > 0][: min(requested, MAX_LISTED)]
        return SurprisingTransactions(
            threshold=round(limit, 3),
            flagged=int((self.score[rows] > limit).sum()),
            of=len(rows),
            rate=RATE,
            calibrated=len(rows) >= 1 / RATE,
            held_out=check_alarms(self.score[rows], origin, RATE, LEAST_ALARM, AIM),
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
            families={
                family.value: round(float(bits[row]), 3)
                for family, bits in sorted(self.families.items(), key=lambda item: -float(item[1][row]))
                if bits[row] > 0
            },
            evidence={item.source.value: round(float(item.bits[row]), 3) for item in speaking},
            reasons=reasons,
            text=f"Transaction {name}: {'; '.join(reasons)} ({score:.1f} bits).",
        )

    def _reason(self, item: SourceEvidence, row: int) -> str:
        """Return the sentence of a source about a transaction, without its full stop."""
        if item.sentence is not None:
            return item.sentence(int(item.position[row]))
        case, others = int(item.case[row]), int(item.comparisons[row])
        match item.source:
            case EvidenceSource.PATH:
                return self.ranking.path_reason(case)
            case EvidenceSource.PAYMENT:
                return f"{self._payment(row)}, more than the {others:,} other transactions that pay lead to expect"
            case EvidenceSource.COMBINATION:
                return f"{self._calls(row)}: hardly any of the {others:,} other transactions does that"
            case EvidenceSource.ORDER:
                return f"{self._sequence(row)}, unlike the {count_of(others, 'other transaction')} with the same calls"
        name = self.context.calls.name(case)
        calls = count_of(others, "other call")
        match item.source:
            case EvidenceSource.CALLER:
                return f"{self._sender(case)} called {name}{self._callers(case, others)}"
            case EvidenceSource.ORIGIN:
                who = self._sender(case)
                by = f"a contract, {who}" if self._through(case) else f"the account {who} itself"
                return f"{name} was called by {by}, unlike its {calls}"
            case EvidenceSource.NEWBORN:
                who = f"{self._sender(case)}, a contract that the same transaction created"
                return f"{name} was called by {who}, unlike its {calls} by contracts"
            case EvidenceSource.CHANGES:
                return f"{name} changed {self._changed_text(case)}, as hardly any of its {calls} does"
            case _:
                return f"{name} was called while another call of the contract was running, unlike its {calls}"

    def _callers(self, invocation: int, calls: int) -> str:
        """Say what somebody new was compared with: earlier calls of the function, or of all that one account calls.

        Of a function that nobody called before, it is all calls.
        """
        context = self.context
        earlier = np.flatnonzero(
            (context.calls.function == context.calls.function[invocation]) & context.is_accepted
        )
        before = int((earlier < invocation).sum())
        if not before:
            return f", which nobody had called before, after {count_of(calls, 'call')} of other functions"
        first_time = f" for the first time, after {count_of(calls, 'call')} of"
        if before == calls:
            return f"{first_time} others"
        return f"{first_time} functions that {self._sender(int(earlier[0]))} alone had called"

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
        return f"it called {_list_names(names)}"

    def _sequence(self, row: int) -> str:
        """Say in which order the functions of a transaction were called, repetitions of one left out."""
        calls = np.flatnonzero((self.context.history.invocation_transaction == row) & self.lasting)
        functions = self.context.calls.function[calls]
        steps = functions[np.r_[True, np.diff(functions) != 0]].tolist()
        names = [self.context.calls.functions[number] for number in steps[:MAX_NAMED]]
        more = len(steps) - len(names)
        return f"it called {', then '.join(names)}{f', and so on ({more:,} more steps)' if more else ''}"

    def _changed_text(self, invocation: int) -> str:
        """Say which variables a call changed."""
        accesses, locations = self.context.accesses, self.context.locations
        touched = np.flatnonzero((accesses.invocation == invocation) & accesses.effective_write)
        variables = np.unique(locations.variable[accesses.slot[touched]]).tolist()
        return (
            _list_names([locations.variables[number].text(None) for number in variables])
            if variables
            else "nothing"
        )

    def _payment(self, row: int) -> str:
        """Say what left in a transaction, and what share of what was held that is, where it is known."""
        history = self.context.history
        is_known = ~history.payment_undone & (history.payment_value != MISSING)
        of_transaction = history.invocation_transaction[history.payment_invocation] == row
        paid = amount(
            str(
                sum(
                    history.words[value]
                    for value in history.payment_value[is_known & of_transaction].tolist()
                )
            )
        )
        share = float(self.payouts.share[row])
        return f"it paid out {paid}" + (
            "" if np.isnan(share) else f", {share:.1%} of the ether that was held"
        )

    def _facts(self, row: int) -> tuple[str, ...]:
        """Return what is worth knowing of a transaction that stands out, though it proves nothing."""
        return (self._payment(row),) if float(self.payouts.share[row]) >= MOST_OF_IT else ()


def weigh(
    context: HistoryContext,
    ranking: Ranking,
    claims: Sequence[Claim],
    runs: Sequence[FunctionRuns] = (),
) -> Transactions:
    """Weigh all transactions of a history; cost n log n in calls and accesses.

    ``runs``: calls that were executed alone, which tell ways through the code; nothing is told of them without.
    """
    history, lasting = context.history, lasting_calls(context)
    claims = [*claims, *never_falling(context)]
    rows, unforced = unseen_ether(context, lasting)
    if len(rows):
        claims = [
            *claims,
            Claim(text="the ether that it has is what came and stayed", cases=rows, holds=unforced),
        ]
    judged = np.zeros(len(history.transaction_hash), dtype=np.bool_)
    judged[history.invocation_transaction[lasting]] = True
    outflow = payouts(history)
    sources = (
        *evidence_of(context, ranking.tuning, ranking.measured_bits, claims),
        payout_evidence(history, outflow),
        token_evidence(history),
        size_evidence(context, lasting),
        repetition_evidence(context, lasting),
        duration_evidence(context, ranking.tuning, ranking.measured_bits, ranking.interactions.invocation),
        newcomer_evidence(context, lasting),
        relation_evidence(context, lasting),
        answer_evidence(context, lasting),
        code_evidence(context, lasting),
        race_evidence(context, lasting),
        refusal_evidence(context, lasting),
        branch_evidence(context, lasting, runs),
    )
    evidence = tuple(_bound_evidence(sources, judged, history.transaction_origin))
    families = family_bits(evidence, judged, history.transaction_origin)
    return Transactions(
        context=context,
        ranking=ranking,
        claims=claims,
        evidence=evidence,
        payouts=outflow,
        lasting=lasting,
        is_judged=judged,
        families=families,
        score=fuse_bits(families, judged),
    )


def _bound_evidence(
    evidence: Sequence[SourceEvidence], judged: BoolColumn, author: IntColumn
) -> Iterator[SourceEvidence]:
    for item in evidence:
        bits = np.where(item.case == MISSING, 0.0, bound_bits(item.bits, judged, author))
        yield replace(item, bits=in_file(bits))


def _list_names(names: Sequence[str]) -> str:
    return list_some(names[:MAX_NAMED], len(names))
