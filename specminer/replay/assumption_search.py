"""Finds the assumption under which a record ends as on the chain, and what of its execution depends on the unknown.

A transaction that ends otherwise than on the chain is tried again under assumptions, until one explains it:

- A difference of a multiple of 25,000 gas is what transfers to accounts that did not exist cost, so the one or the
  other receiver that was not heard of before did not exist.
- A small difference is what a receiver used that is a contract, and was given no gas but what comes with ether.
- A contract had more ether, because an export does not show all that reaches it.
- Contracts that are not at hand answered something.
- Somebody unseen wrote to a slot (:mod:`specminer.replay.unseen_causes`).

What exactly one choice explains is a fact that was inferred. Choices that explain a record alike, so that all that it
writes, returns and pays is the same, leave open what was the case, and nothing else. Of others none is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from specminer.history.trace import Address
from specminer.history.tracer_steps import Enter
from specminer.replay.assumptions import NOTHING, Assumption, ExecutionJob, Trials
from specminer.replay.doubt import Doubt
from specminer.replay.inferred_facts import InferredFact
from specminer.replay.machine_calls import ExecutedCall
from specminer.replay.paid_accounts import (
    absent_receivers,
    receivers_with_code,
    shortfall,
    unpaid_contracts,
)
from specminer.replay.unseen_causes import (
    Examination,
    Slot,
    compare,
    examine,
    explain,
    lasting_writes,
    other_slots,
    touched_slots,
    words_of,
)

LOAN = 1 << 128
"""Wei that a contract is lent to see whether it only lacks ether."""
GUESSES = 20
"""Sets of accounts that are tried at most."""
ATTEMPTS_SEARCH: Final = 100
"""Attempts to explain one record by unseen writes, ..."""
ATTEMPTS_RIVALS: Final = 150
"""... and to find out whether a write to another slot would explain it, too."""
_ROUNDS: Final = 3
"""Contracts that are not at hand, one behind the answer of another, that one record may ask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What explains that a record ends otherwise here than on the chain, if anything does."""

    assumption: Assumption = NOTHING
    facts: tuple[InferredFact, ...] = ()
    """What was inferred, because no other choice explains the record."""
    open: bool = False
    """Whether other choices explain it as well, and lead to the same."""


NO_REPAIR: Final = Repair()
_Fit = tuple[Repair, ExecutedCall]
"""A choice that explains a record, and how that ends with it."""


def find_repair(
    trials: Trials, job: ExecutionJob, failed: ExecutedCall, fresh: frozenset[bytes], doubt: Doubt
) -> Repair:
    """Return an assumption under which a record ends as on the chain; none if there is none, or no certain one."""
    fitting = _unknown_receivers(trials, job, failed, fresh)
    if fitting:
        return _choice(fitting)
    if failed.limited or job.record.to is None:
        return NO_REPAIR
    fitting = _unknown_balances(trials, job, failed)
    if fitting:
        rivals = _other_slots(trials, job, failed, doubt, frozenset(), doubted_only=True)
        return NO_REPAIR if rivals or _answers(trials, job, failed) else _choice(fitting)
    answers = _answers(trials, job, failed)
    if answers:
        return Repair(assumption=Assumption(answers=answers))
    guesses = explain(
        failed,
        _hints(job),
        lambda guesses: trials.attempt(job, Assumption(guesses=guesses)),
        lambda execution: trials.nearness(job, execution),
        doubt,
        min(trials.attempts, ATTEMPTS_SEARCH),
    )
    return Repair(assumption=Assumption(guesses=guesses))


def rival_writes(
    trials: Trials, job: ExecutionJob, failed: ExecutedCall, guesses: Iterable[Slot], doubt: Doubt
) -> frozenset[Slot]:
    """Return other slots of which a write explains a record as well, or may, because not all could be tried.

    Where slots in doubt explain it, only other slots in doubt are tried: of the others the listed calls tell.
    """
    slots = frozenset(guesses)
    all_doubted = all(slot in doubt for slot in slots)
    return _other_slots(trials, job, failed, doubt, slots, doubted_only=all_doubted)


def _other_slots(
    trials: Trials,
    job: ExecutionJob,
    failed: ExecutedCall,
    doubt: Doubt,
    but: frozenset[Slot],
    *,
    doubted_only: bool,
) -> frozenset[Slot]:
    """Return the other slots of which a value explains a record, or may, while ``but`` hold what was believed."""
    believed_values = touched_slots(failed.steps)
    others = {slot: believed_values.get(slot) or 0 for slot in but}
    return other_slots(
        failed,
        _hints(job),
        lambda guesses: trials.fits(job, trials.attempt(job, Assumption(guesses=others | dict(guesses)))),
        lambda slot: slot not in but and (slot in doubt or not doubted_only),
        min(trials.attempts, ATTEMPTS_RIVALS),
    )


def _hints(job: ExecutionJob) -> tuple[int, ...]:
    record = job.record
    return words_of(record.sender, record.value, record.data)


def _choice(fitting: Sequence[_Fit]) -> Repair:
    """Return the only choice, or the first if all lead to the same; else none."""
    first, execution = fitting[0]
    if len(fitting) == 1:
        return first
    examination = compare(execution, [other for _, other in fitting[1:]], Examination())
    if examination.dependent or examination.output:
        return NO_REPAIR
    return replace(first, facts=(), open=True)


def _unknown_receivers(
    trials: Trials,
    job: ExecutionJob,
    failed: ExecutedCall,
    fresh: frozenset[bytes],
    base: Assumption = NOTHING,
) -> list[_Fit]:
    """Return which accounts may not have existed, or have had code, if that explains the gas.

    ``failed`` is how the record ended under the assumption ``base``, which is kept.
    """
    fitting: list[_Fit] = []
    absent = absent_receivers(job, failed, fresh)
    for choice in (*islice(absent, GUESSES), *receivers_with_code(trials, job, failed)):
        assumption = replace(choice, loans=base.loans)
        execution = trials.attempt(job, assumption)
        if trials.fits(job, execution):
            facts = tuple(_receiver_facts(job, execution, assumption))
            fitting.append((Repair(assumption=assumption, facts=facts), execution))
    if fitting and next(absent, None) is not None:
        fitting.append(fitting[0])  # not all were tried, so that this one may not be the only one
    return fitting


def _receiver_facts(job: ExecutionJob, execution: ExecutedCall, assumption: Assumption) -> list[InferredFact]:
    texts = {
        Address(
            address
        ): f"0x{address.hex()} did not exist before it was paid: its creation is what the recorded gas "
        "contains, and no other receiver's would explain it"
        for address in sorted(assumption.missing)
    } | {
        address: f"0x{address.hex()}, which was paid, is a contract that is not at hand: it used {gas:,} of the "
        "recorded gas, and no other receiver would explain that"
        for address, gas in assumption.spending.items()
    }
    return [_fact(job, _payer(execution, address), text) for address, text in texts.items()]


def _payer(execution: ExecutedCall, receiver: Address) -> Address | None:
    paid = (step for step in execution.steps if isinstance(step, Enter) and step.to == receiver)
    return next((step.sender for step in paid), None)


def _fact(job: ExecutionJob, contract: Address | None, text: str) -> InferredFact:
    is_recorded = contract is not None and contract in job.contracts
    owner = contract if is_recorded else job.call.to or job.call.created
    return InferredFact(contract=Address(owner or b"\0" * 20), transaction=job.record.hash, text=text)


def _unknown_balances(trials: Trials, job: ExecutionJob, failed: ExecutedCall) -> list[_Fit]:
    """Return which contracts may have had more ether, if that explains the record, perhaps with their receivers."""
    fitting: list[_Fit] = []
    for payer in unpaid_contracts(job, failed):
        rich = Assumption(loans={payer: LOAN})
        lent = trials.attempt(job, rich)
        if lent.own_balance or lent.limited:
            continue
        if trials.fits(job, lent):
            choices = [(Repair(assumption=rich), lent)]
        else:
            choices = _unknown_receivers(trials, job, lent, trials.fresh, rich)
        fitting += (fit for choice in choices for fit in _least_loans(trials, job, payer, choice))
    return fitting


def _least_loans(trials: Trials, job: ExecutionJob, payer: Address, choice: _Fit) -> Iterator[_Fit]:
    """Yield a choice with no more ether than the payer needs, if less would lead to another end."""
    repair, execution = choice
    lack = shortfall(execution.steps, payer, trials.machine.balance(payer))
    if lack <= 0:
        return
    assumption = replace(repair.assumption, loans={payer: lack})
    execution = trials.attempt(job, assumption)
    less = trials.attempt(job, replace(assumption, loans={payer: lack - 1}))
    if not trials.fits(job, execution) or trials.fits(job, less):
        return
    text = (
        f"0x{payer.hex()} had {lack:,} wei or more that no list shows: with less the transaction ends otherwise than "
        "recorded, and no other balance explains it"
    )
    facts = (_fact(job, payer, text), *repair.facts)
    yield replace(repair, assumption=assumption, facts=facts), execution


def write_facts(job: ExecutionJob, assumption: Assumption, confirmed: Iterable[Slot]) -> list[InferredFact]:
    """Return what was inferred of slots: each value that somebody unseen wrote, where no other explains the record."""
    return [
        _fact(
            job,
            owner,
            f"slot 0x{slot:x} of 0x{owner.hex()} held 0x{assumption.guesses[owner, slot]:x}, which no listed call "
            "wrote: of all values that were tried in the slots that it used, only this one ends as recorded",
        )
        for owner, slot in sorted(confirmed)
        if (owner, slot) in assumption.guesses
    ]


def _answers(trials: Trials, job: ExecutionJob, failed: ExecutedCall) -> dict[Address, int]:
    """Return words that contracts which are not at hand may have answered, if that explains the record."""
    for word in (1, 1 << 128, 0, int.from_bytes(job.record.sender, "big")):
        answers: dict[Address, int] = {}
        execution = failed
        for _ in range(_ROUNDS):
            strangers = [item for item in execution.strangers if item not in answers]
            if not strangers:
                break
            answers |= dict.fromkeys(strangers, word)
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
