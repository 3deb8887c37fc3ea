"""Finds the assumption under which a record ends as on the chain, and what of its execution depends on the unknown.

A transaction that ends otherwise than on the chain is tried again under assumptions, until one explains it:

- A difference of a multiple of 25,000 gas is what transfers to accounts that did not exist cost, so the one or the
  other receiver that was not heard of before did not exist.
- Its contract had more ether, because an export does not show all that reaches it.
- Contracts that are not at hand answered something.
- Somebody unseen wrote to a slot (:mod:`specminer.replay.unseen_causes`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations, islice
from typing import Final

from specminer.history.trace import Address
from specminer.history.tracer_steps import Enter
from specminer.replay.assumptions import NOTHING, Assumption, ExecutionJob, Trials
from specminer.replay.doubt import Doubt
from specminer.replay.machine_calls import ExecutedCall
from specminer.replay.unseen_causes import (
    Examination,
    Slot,
    compare,
    examine,
    explain,
    lasting_writes,
    words_of,
)
from specminer.sources.exported import ExportedCall, ExportedTransaction

NEW_ACCOUNT = 25_000
"""Gas that a transfer costs more if the account does not exist."""
LOAN = 1 << 128
"""Wei that a contract is lent to see whether it only lacks ether."""
GUESSES = 20
"""Sets of accounts that are tried at most."""
ATTEMPTS_SEARCH: Final = 100
"""Attempts to explain one record by unseen writes."""
_ROUNDS: Final = 3
"""Contracts that are not at hand, one behind the answer of another, that one record may ask."""


def find_assumption(
    trials: Trials, job: ExecutionJob, failed: ExecutedCall, fresh: frozenset[bytes], doubt: Doubt
) -> Assumption:
    """Return an assumption under which a record ends as on the chain; none if there is none."""
    record = job.record
    for missing in _absent(record, failed, fresh):
        if trials.fits(job, trials.attempt(job, Assumption(missing=missing))):
            return Assumption(missing=missing)
    if failed.limited or record.to is None:
        return NOTHING
    if record.succeeded and not failed.succeeded:
        lent = trials.attempt(job, Assumption(loan=LOAN))
        if trials.fits(job, lent) and not lent.own_balance:
            return Assumption(loan=LOAN)
    answers = _answers(trials, job, failed)
    if answers:
        return Assumption(answers=answers)
    guesses = explain(
        failed,
        words_of(record.sender, record.value, record.data),
        lambda guesses: trials.attempt(job, Assumption(guesses=guesses)),
        lambda execution: trials.nearness(job, execution),
        doubt,
        min(trials.attempts, ATTEMPTS_SEARCH),
    )
    return Assumption(guesses=guesses)


def _answers(trials: Trials, job: ExecutionJob, failed: ExecutedCall) -> dict[Address, int]:
    """Return words that contracts which are not at hand may have answered, if that explains the record."""
    for word in (1, 1 << 128, 0, int.from_bytes(job.record.sender, "big")):
        answers: dict[Address, int] = {}
        execution = failed
        for _ in range(_ROUNDS):
            asked = [item for item in execution.strangers if item not in answers]
            if not asked:
                break
            answers |= dict.fromkeys(asked, word)
            execution = trials.attempt(job, Assumption(answers=answers))
            if trials.fits(job, execution):
                return answers
    return {}


def examine_assumption(
    trials: Trials,
    job: ExecutionJob,
    execution: ExecutedCall,
    assumption: Assumption,
    doubtful: Sequence[Slot],
) -> Examination:
    """Find out what of an execution depends on what is not known."""
    writes = frozenset(lasting_writes(execution.steps))
    if trials.attempts <= 0:
        return Examination(confirmed=frozenset(), dependent=writes, output=True)

    def fits(other: ExecutedCall) -> bool:
        return trials.fits(job, other)

    examination = examine(
        execution,
        doubtful,
        lambda guesses: trials.attempt(job, replace(assumption, guesses={**assumption.guesses, **guesses})),
        fits,
    )
    if not assumption.answers:
        return examination
    others = [
        trials.attempt(job, replace(assumption, answers=dict.fromkeys(assumption.answers, word)))
        for word in (1, 2, 1 << 128, 1 << 100)
    ]
    return compare(execution, [other for other in others if fits(other)], examination)


def _absent(
    record: ExportedTransaction | ExportedCall, execution: ExecutedCall, fresh: frozenset[bytes]
) -> Iterator[frozenset[bytes]]:
    """Yield which accounts may not have existed, if that explains the gas."""
    if record.gas_used is None or record.succeeded not in (None, execution.succeeded):
        return
    more, rest = divmod(record.gas_used - execution.gas_used, NEW_ACCOUNT)
    paid = [step.to for step in execution.steps[1:] if isinstance(step, Enter) and step.value]
    receivers = [address for address in dict.fromkeys(paid) if address in fresh]
    if rest or not 0 < more <= len(receivers):
        return
    for chosen in islice(combinations(receivers, more), GUESSES):
        yield frozenset(chosen)
