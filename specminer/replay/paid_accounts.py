"""Finds what the gas of a transaction tells of accounts that it paid and of which an export says nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Final

from specminer.history.trace import Address
from specminer.history.tracer_steps import Enter, Exit, Step
from specminer.replay.assumptions import Assumption, ExecutionJob, Trials
from specminer.replay.machine_calls import ExecutedCall

NEW_ACCOUNT: Final = 25_000
"""Gas that a transfer costs more if the account does not exist."""
STIPEND: Final = 2_300
"""Gas that comes with ether where the caller gives none: too little to write to storage or to pay."""
_PAYING: Final = ("CALL", "CREATE", "CREATE2")
"""How ether leaves a contract that goes on."""


def absent_receivers(
    job: ExecutionJob, failed: ExecutedCall, fresh: frozenset[bytes]
) -> Iterator[Assumption]:
    """Yield which accounts may not have existed, if that explains the gas."""
    record = job.record
    if record.gas_used is None or record.succeeded not in (None, failed.succeeded):
        return
    more, rest = divmod(record.gas_used - failed.gas_used, NEW_ACCOUNT)
    paid = [step.to for step in failed.steps[1:] if isinstance(step, Enter) and step.value]
    receivers = [address for address in dict.fromkeys(paid) if address in fresh]
    if rest or not 0 < more <= len(receivers):
        return
    for absent in combinations(receivers, more):
        yield Assumption(missing=frozenset(absent))


def receivers_with_code(trials: Trials, job: ExecutionJob, failed: ExecutedCall) -> Iterator[Assumption]:
    """Yield which accounts may be contracts that used gas when they were paid, if that explains the gas.

    Only those are told that got no more gas than comes with ether: whatever they did, it changed nothing.
    """
    record = job.record
    if record.gas_used is None or record.succeeded not in (None, failed.succeeded):
        return
    more = record.gas_used - failed.gas_used
    if not 0 < more <= STIPEND * len(failed.steps):
        return
    paid = Counter(
        enter.to
        for enter, end in frames(failed.steps)
        if enter.kind == "CALL" and enter.value and not enter.data and end.error is None
        if enter.gas == STIPEND and enter.to not in job.contracts and not trials.machine.code(enter.to)
    )
    trials.take_back()  # accounts that were only looked at are heard of for the first time when they are paid
    for receiver, times in paid.items():
        gas_each, rest = divmod(more, times)
        if not rest and gas_each <= STIPEND:
            yield Assumption(spending={receiver: gas_each})


def unpaid_contracts(job: ExecutionJob, failed: ExecutedCall) -> tuple[Address, ...]:
    """Return the recorded contracts that tried to pay and could not, the one that was called first."""
    payers = {
        enter.sender: None
        for enter, end in frames(failed.steps)
        if enter.kind in _PAYING and enter.value and end.error is not None and enter.sender in job.contracts
    }
    first = [item for item in payers if item == job.record.to]
    return tuple(dict.fromkeys([*first, *payers]))


def shortfall(steps: Sequence[Step], payer: Address, balance: int) -> int:
    """Return how much ether a contract lacked for what it paid, in wei; ``balance`` is what it had before."""
    current_balance, least = balance, 0
    open_frames: list[tuple[Enter, int]] = []
    for step in steps:
        if isinstance(step, Enter):
            open_frames.append((step, current_balance))
            if step.kind in (*_PAYING, "SELFDESTRUCT"):
                current_balance += (step.value or 0) * ((step.to == payer) - (step.sender == payer))
                least = min(least, current_balance)
        elif isinstance(step, Exit):
            _, before = open_frames.pop()
            current_balance = current_balance if step.error is None else before
    return -least


def frames(steps: Sequence[Step]) -> Iterator[tuple[Enter, Exit]]:
    """Yield how each frame but the outermost began and ended, in the order in which they ended."""
    open_frames: list[Enter] = []
    for step in steps:
        if isinstance(step, Enter):
            open_frames.append(step)
        elif isinstance(step, Exit):
            enter = open_frames.pop()
            if open_frames:
                yield enter, step
