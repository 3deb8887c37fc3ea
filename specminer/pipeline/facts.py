"""What a specification says of the history that it was mined from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from specminer._support.addresses import checksum_address
from specminer.decoding import ROLLED_BACK, HistoryContext
from specminer.history.continuity import unseen_writes
from specminer.history.contract_history import CONSTRUCTOR, MISSING, RETURNED, History
from specminer.history.trace import Tracer
from specminer.pipeline.deployment import lasting_values
from specminer.pipeline.implementations import history_of_code
from specminer.presentation.fidelity import fidelity_of
from specminer.replay.inferred_facts import separate
from specminer.specification import HistorySummary, LifeMoment, LifeSummary, TokenSummary, UnknownValues

_KNOWN_SHARE: Final = 0.5
"""If the ABI knows fewer of the calls, it is probably another contract's."""


def history_summary(context: HistoryContext, selection: str | None) -> HistorySummary:
    """Return what was read and how far it goes; ``selection`` says how several contracts were chosen."""
    history = context.history
    implementations, upgrades = history_of_code(context)
    return HistorySummary(
        first_block=history.first_block,
        last_block=history.last_block,
        transactions=len(history.transaction_hash),
        invocations=len(history),
        rejected=_count_rejected(history),
        source=", ".join(tracer.value for tracer in history.tracers),
        fidelity=fidelity_of(history.fidelity),
        unknown=unknown_values(context),
        limits=(*_limits(history, context.known_share), *context.notes),
        inferred=separate(history.limits)[1] or None,
        names=_names(context),
        locations=context.coverage.round_shares(),
        lasting=lasting_values(context) or None,
        token=_token(context),
        implementations=implementations or None,
        upgrades=upgrades or None,
        selection=selection or None,
        lives=_lives(history) or None,
        life=_only_life(history),
    )


def _token(context: HistoryContext) -> TokenSummary | None:
    """Return what the contract counts; ``None`` if it does not say how many decimals its amounts have."""
    token = context.own_answers
    return (
        None if token.decimals is None else TokenSummary(symbol=token.symbol or "", decimals=token.decimals)
    )


def _lives(history: History) -> tuple[LifeSummary, ...]:
    """Return the lives of the contracts, by contract and number."""
    calls = np.bincount(history.invocation_contract, minlength=len(history.contracts))
    return tuple(
        LifeSummary(
            contract=checksum_address(history.contracts[owner].address),
            number=life.number,
            created=_moment(history, life.created),
            destroyed=_moment(history, life.destroyed),
            ended=life.ended,
            calls=int(calls[owner]),
            code=None if life.code is None else f"0x{history.words[life.code]:064x}",
        )
        for owner, life in enumerate(history.lives)
        if life.of > 1 or life.destroyed is not None
    )


def _moment(history: History, transaction: int | None) -> LifeMoment | None:
    if transaction is None:
        return None
    return LifeMoment(
        block=int(history.transaction_block[transaction]),
        transaction=f"0x{history.transaction_hash[transaction].hex()}",
    )


def _only_life(history: History) -> int | None:
    """Return the number of the life that was chosen of several, if one was."""
    is_chosen = len(history.lives) == 1 and history.lives[0].of > 1
    return history.lives[0].number if is_chosen else None


def _names(context: HistoryContext) -> str:
    """Say where the names of functions and variables came from."""
    source = context.interface.source
    absent = "" if context.layout_used else "; no storage layout was given"
    return f"{source[0].upper()}{source[1:]}. {context.coverage.text}{absent}."


def _count_rejected(history: History) -> int:
    """Return how many calls were rejected; those that their callers rolled back are not."""
    outcome = history.invocation_outcome
    return int(np.sum((outcome != RETURNED) & (outcome != ROLLED_BACK)))


def _limits(history: History, known_share: float) -> Iterator[str]:
    """Yield what a history cannot show; ``known_share`` of the calls have selectors that the ABI knows."""
    yield from (*separate(history.limits)[0], *gaps(history))
    if known_share == 0:
        yield (
            "the ABI knows none of the selectors that were called, so it was not used; it is probably another "
            "contract's (for a proxy, give the implementation's)"
        )
    elif known_share < _KNOWN_SHARE:
        yield (
            f"the ABI knows only {known_share:.0%} of the calls' selectors; it is probably another contract's "
            "(for a proxy, give the implementation's)"
        )


def unknown_values(context: HistoryContext) -> UnknownValues | None:
    """Return how much of the storage is not known; ``None`` if nothing is in doubt.

    A value that a tracer could not see before it was overwritten is in no doubt.
    """
    history = context.history
    unknown = history.access_after == MISSING
    reads = ~history.access_write
    used = np.zeros(len(history), dtype=np.bool_)
    used[history.access_invocation[unknown]] = True
    unseen = 0
    if history.tracers == (Tracer.EXECUTION,):  # what nodes tell is compared when it is read
        # what a call paid is not recorded where the way that it went is not known
        used |= history.invocation_payments == MISSING
        unseen = len(unseen_writes(history))
    if not used.any() and not unseen:
        return None
    return UnknownValues(
        calls=int(used.sum()),
        reads=int(reads.sum()),
        unknown_reads=int((unknown & reads).sum()),
        unseen_writes=unseen,
    )


def gaps(history: History) -> list[str]:
    """Return what the history does not hold, as sentences."""
    created = np.unique(history.invocation_contract[history.invocation_kind == CONSTRUCTOR])
    missing = len(history.contracts) - len(created)
    sentences = []
    if len(history.contracts) > 1:
        if missing:
            lives = len(history.contracts) > len(history.accounts)
            sentences.append(
                f"of {missing:,} of the {len(history.contracts):,} {'lives' if lives else 'contracts'} the history "
                "does not hold the creation: values of theirs that no transaction has shown yet are unknown"
            )
        if len(history.accounts) > 1:
            return sentences
        missing = 0
    if missing:
        sentences.append(
            f"the history begins at block {history.first_block}, after the contract was created: values that no "
            "transaction has shown yet are unknown"
        )
    if len(history.ranges) > 1:
        ranges = ", ".join(f"{first:,} to {last:,}" for first, last in history.ranges[:5])
        sentences.append(f"the history has gaps: only blocks {ranges} are complete")
    return sentences
