"""Ether of a history: what came in with calls, what left, who got it, and what that left in the contracts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from specminer._support.addresses import checksum_address
from specminer.history.contract_history import CONSTRUCTOR, MISSING, PAYMENTS, History
from specminer.history.trace import PaymentKind
from specminer.presentation.report_document import (
    BalancePoint,
    CutList,
    Flow,
    Money,
    PaidAccount,
    Payout,
    Unpaid,
)
from specminer.specification import Occurrence

MAX_HELD: Final = 240
"""Moments at which the balance is told."""
_CREATION: Final = PAYMENTS.index(PaymentKind.CREATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The payments of a history by the invocation that made them."""

    history: History
    bounds: list[int]
    """Of each invocation's payments; n + 1 of them. Lists, because they are looked into one by one."""
    undone: list[bool]
    wei: list[int | None]
    """Of each payment, ``None`` if not seen."""
    value: list[int]
    """Wei that came with each invocation."""
    payment_counts: list[int]
    """How many payments each invocation made, ``MISSING`` if that was not recorded."""

    def received_wei(self, row: int) -> int:
        """Return the wei that came with a call, whether it was accepted or not."""
        return self.value[row]

    def is_known(self, row: int) -> bool:
        """Return whether a call's payments were recorded, with their amounts."""
        if self.payment_counts[row] <= 0:
            return self.payment_counts[row] == 0
        return all(self.wei[payment] is not None for payment in self.list_payments(row, undone=False))

    def list_payments(self, row: int, *, undone: bool) -> list[int]:
        """Return a call's payments that lasted, or those that did not."""
        return [
            payment
            for payment in range(self.bounds[row], self.bounds[row + 1])
            if self.undone[payment] is undone and self.wei[payment] != 0  # a self-destruction may pay nothing
        ]

    def amount(self, payment: int) -> int:
        """Return the wei of a payment, as far as they are known."""
        return self.wei[payment] or 0

    def paid_wei(self, row: int) -> int:
        """Return the wei that a call paid out for good, as far as they are known."""
        return sum(map(self.amount, self.list_payments(row, undone=False)))

    def receiver(self, payment: int) -> str:
        """Return who got a payment, in checksummed form."""
        return checksum_address(self.history.addresses[int(self.history.payment_to[payment])])


def payments_of(book: Ledger, row: int) -> list[dict[str, str | None]] | None:
    """Return a call's payments that lasted, to be told; ``None`` if they were not recorded."""
    if book.payment_counts[row] == MISSING:
        return None
    return [
        {
            "to": book.receiver(payment),
            "value": None if book.wei[payment] is None else str(book.wei[payment]),
            "kind": PAYMENTS[int(book.history.payment_kind[payment])].value,
        }
        for payment in book.list_payments(row, undone=False)
    ]


def ledger(history: History) -> Ledger:
    """Return the payments of a history by invocation."""
    bounds = np.searchsorted(history.payment_invocation, np.arange(len(history) + 1))
    words = history.words
    return Ledger(
        history=history,
        bounds=bounds.tolist(),
        undone=history.payment_undone.tolist(),
        wei=[None if row == MISSING else words[row] for row in history.payment_value.tolist()],
        value=[words[row] for row in history.invocation_value.tolist()],
        payment_counts=history.invocation_payments.tolist(),
    )


def flows(book: Ledger, name: Callable[[int], str], hash_of: Callable[[int], str]) -> tuple[Flow, ...]:
    """Return the ether that came in by function, the most first."""
    groups: dict[str, list[int]] = defaultdict(list)
    for row in np.flatnonzero(book.history.accepted).tolist():
        if book.received_wei(row):
            groups[name(row)].append(row)
    function_flows = []
    for function, rows in groups.items():
        largest = max(rows, key=book.received_wei)
        function_flows.append(
            Flow(
                function=function,
                calls=len(rows),
                value=str(sum(map(book.received_wei, rows))),
                largest=str(book.received_wei(largest)),
                transaction=hash_of(largest),
            )
        )
    return tuple(sorted(function_flows, key=lambda item: (-int(item.value), item.function)))


def money(
    book: Ledger,
    name: Callable[[int], str],
    occurrence: Callable[[int], Occurrence],
    most: int,
) -> Money:
    """Return what left the contracts; ``most`` is how many rows a list may have."""
    history = book.history
    accepted = np.flatnonzero(history.accepted).tolist()
    unknown = [row for row in accepted if not book.is_known(row)]
    payers = sorted(set(history.payment_invocation.tolist()))
    lasting_payers = [
        row for row in payers if history.accepted[row] and book.list_payments(row, undone=False)
    ]
    return Money(
        calls=len(accepted),
        unknown=len(unknown),
        payouts=_payouts(book, lasting_payers, name, occurrence),
        created=str(_sum(book, lasting_payers, PaymentKind.CREATION)),
        destroyed=str(_sum(book, lasting_payers, PaymentKind.SELFDESTRUCT)),
        receivers=_receivers(book, lasting_payers, name, occurrence, most),
        unpaid=_unpaid(book, payers, name, occurrence, most),
        held=() if unknown else _balance_points(book),
        whole=_whole(history),
    )


def _sum(book: Ledger, payers: Iterable[int], kind: PaymentKind) -> int:
    """Return the wei that was paid in one way."""
    kind_code = PAYMENTS.index(kind)
    return sum(
        book.amount(payment)
        for row in payers
        for payment in book.list_payments(row, undone=False)
        if book.history.payment_kind[payment] == kind_code
    )


def _payouts(
    book: Ledger, payers: Sequence[int], name: Callable[[int], str], occurrence: Callable[[int], Occurrence]
) -> tuple[Payout, ...]:
    groups: dict[str, list[int]] = defaultdict(list)
    for row in payers:
        groups[name(row)].append(row)
    payouts = []
    for function, rows in groups.items():
        largest = max(rows, key=book.paid_wei)
        payments = [payment for row in rows for payment in book.list_payments(row, undone=False)]
        to_sender = sum(
            book.amount(payment)
            for payment in payments
            if book.history.payment_to[payment]
            == book.history.invocation_sender[book.history.payment_invocation[payment]]
        )
        payouts.append(
            Payout(
                function=function,
                calls=len(rows),
                payments=len(payments),
                value=str(sum(map(book.amount, payments))),
                to_sender=str(to_sender),
                largest=str(book.paid_wei(largest)),
                transaction=occurrence(largest).transaction,
            )
        )
    return tuple(sorted(payouts, key=lambda item: (-int(item.value), item.function)))


def _receivers(
    book: Ledger,
    payers: Iterable[int],
    name: Callable[[int], str],
    occurrence: Callable[[int], Occurrence],
    most: int,
) -> CutList[PaidAccount]:
    groups: dict[int, list[int]] = defaultdict(list)
    for row in payers:
        for payment in book.list_payments(row, undone=False):
            groups[int(book.history.payment_to[payment])].append(payment)
    payer = book.history.payment_invocation
    sums = {number: sum(map(book.amount, payments)) for number, payments in groups.items()}
    ranked = sorted(groups, key=lambda number: (-sums[number], book.history.addresses[number]))
    return CutList(
        items=tuple(
            PaidAccount(
                address=book.receiver(groups[number][0]),
                payments=len(groups[number]),
                transactions=len(
                    {int(book.history.invocation_transaction[payer[payment]]) for payment in groups[number]}
                ),
                value=str(sums[number]),
                functions=tuple(sorted({name(int(payer[payment])) for payment in groups[number]})),
                created=any(book.history.payment_kind[payment] == _CREATION for payment in groups[number]),
                first=occurrence(int(payer[groups[number][0]])),
                last=occurrence(int(payer[groups[number][-1]])),
            )
            for number in ranked[:most]
        ),
        total=len(groups),
    )


def _unpaid(
    book: Ledger,
    payers: Iterable[int],
    name: Callable[[int], str],
    occurrence: Callable[[int], Occurrence],
    most: int,
) -> CutList[Unpaid]:
    """Return the payments that failed in calls that were accepted all the same."""
    groups: dict[str, list[int]] = defaultdict(list)
    for row in payers:
        if book.history.accepted[row]:
            groups[name(row)] += book.list_payments(row, undone=True)
    failures = [
        Unpaid(
            function=function,
            payments=len(payments),
            value=str(sum(map(book.amount, payments))),
            receivers=len({int(book.history.payment_to[payment]) for payment in payments}),
            first=occurrence(int(book.history.payment_invocation[payments[0]])),
            last=occurrence(int(book.history.payment_invocation[payments[-1]])),
        )
        for function, payments in groups.items()
        if payments
    ]
    failures.sort(key=lambda item: (-item.payments, item.function))
    return CutList(items=tuple(failures[:most]), total=len(failures))


def _balance_points(book: Ledger) -> tuple[BalancePoint, ...]:
    """Return what the contracts held after transactions that moved ether, the highest and the lowest too."""
    history = book.history
    moved: dict[int, int] = defaultdict(int)
    for row in np.flatnonzero(history.accepted).tolist():
        change = book.received_wei(row) - book.paid_wei(row)
        if change:
            moved[int(history.invocation_transaction[row])] += change
    transactions, balances, wei = sorted(moved), [], 0
    for transaction in transactions:
        wei += moved[transaction]
        balances.append(wei)
    if not transactions:
        return ()
    every = np.linspace(0, len(transactions) - 1, min(len(transactions), MAX_HELD - 2))
    moments = {int(number) for number in every}
    moments |= {balances.index(max(balances)), balances.index(min(balances))}
    return tuple(_moment(history, transactions[number], balances[number]) for number in sorted(moments))


def _moment(history: History, transaction: int, wei: int) -> BalancePoint:
    time = int(history.transaction_time[transaction])
    return BalancePoint(
        block=int(history.transaction_block[transaction]),
        timestamp=None if time == MISSING else time,
        value=str(wei),
    )


def _whole(history: History) -> bool:
    """Return whether the history holds every contract's creation, so that it began with nothing."""
    created = history.invocation_contract[history.invocation_kind == CONSTRUCTOR]
    return len(np.unique(created)) == len(history.contracts)
