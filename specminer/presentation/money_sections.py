"""The sections about ether: what came in, what went out, who got it, what failed to go, and what was left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from specminer._support.text import count_of, list_some
from specminer._support.units import amount, moment
from specminer.presentation.chart import steps
from specminer.presentation.report_document import BalancePoint, HistoryEvidence, Money
from specminer.presentation.section import Section, address_cell, amount_cell, left_out, row, transaction_cell
from specminer.presentation.sentences import share
from specminer.specification import Specification

MAX_MOMENTS: Final = 24
"""Rows of the table of what was held; the chart has all."""
MAX_FUNCTIONS: Final = 8
"""Functions named in a row."""
UNKNOWN: Final = (
    "What was paid out is not known: the history was recorded by a specminer that did not record payments, or comes "
    "from a trace file without them. Collect or import it again into a new database to see it."
)


def money_sections(spec: Specification, evidence: HistoryEvidence) -> Iterator[Section]:
    """Yield what moved; nothing of a contract that never had to do with ether."""
    book = evidence.money
    if evidence.flows:
        yield _came(spec, evidence)
    if book.calls and book.unknown == book.calls:
        yield Section(id="payouts", title="Ether that went out", lead=(UNKNOWN,))
        return
    if book.payouts or evidence.flows or book.unknown:
        yield _went(spec, book)
    if book.receivers.items:
        yield _receivers(spec, book)
    if book.unpaid.items:
        yield _unpaid(spec, book)
    if book.held:
        yield _balance_section(book)


def _came(spec: Specification, evidence: HistoryEvidence) -> Section:
    total = sum(int(item.value) for item in evidence.flows)
    return Section(
        id="flows",
        title="Ether that came in",
        lead=(f"{amount(str(total))} came with accepted calls.",),
        header=("Function", "Calls with value", "Sum", "Share", "Largest", "Its transaction"),
        figures=frozenset({1, 2, 3, 4}),
        rows=tuple(
            row(
                item.function,
                item.calls,
                amount_cell(item.value),
                share(int(item.value), total),
                amount_cell(item.largest),
                transaction_cell(spec.chain_id, item.transaction),
            )
            for item in evidence.flows
        ),
    )


def _went(spec: Specification, book: Money) -> Section:
    total = sum(int(item.value) for item in book.payouts)
    calls = sum(item.calls for item in book.payouts)
    lead = [
        f"{amount(str(total))} went out in {count_of(calls, 'accepted call')}"
        + (f", {amount(book.created)} of it into contracts that were created" if book.created != "0" else "")
        + (f", {amount(book.destroyed)} of it by self-destruction" if book.destroyed != "0" else "")
        + "."
        if book.payouts
        else "No accepted call paid anything out."
    ]
    if book.unknown:
        lead.append(
            f"Of {count_of(book.calls, 'accepted call')}, what {book.unknown:,} paid out is not known, or not how "
            "much; that is not in the sums."
        )
    return Section(
        id="payouts",
        title="Ether that went out",
        lead=tuple(lead),
        header=(
            "Function",
            "Calls that paid",
            "Payments",
            "Sum",
            "Share",
            "To who called",
            "Largest",
            "Its transaction",
        )
        if book.payouts
        else (),
        figures=frozenset({1, 2, 3, 4, 5, 6}),
        rows=tuple(
            row(
                item.function,
                item.calls,
                item.payments,
                amount_cell(item.value),
                share(int(item.value), total),
                share(int(item.to_sender), int(item.value)),
                amount_cell(item.largest),
                transaction_cell(spec.chain_id, item.transaction),
            )
            for item in book.payouts
        ),
    )


def _receivers(spec: Specification, book: Money) -> Section:
    total = sum(int(item.value) for item in book.payouts)
    return Section(
        id="receivers",
        title="Who was paid",
        lead=("The accounts that got most; many payments in one transaction may be an attack.",),
        header=("Account", "Sum", "Share", "Payments", "Transactions", "By calls of", "First", "Last"),
        figures=frozenset({1, 2, 3, 4}),
        rows=tuple(
            row(
                address_cell(spec.chain_id, item.address),
                amount_cell(item.value),
                share(int(item.value), total),
                item.payments,
                item.transactions,
                list_some(item.functions[:MAX_FUNCTIONS], len(item.functions))
                + (" (created by them)" if item.created else ""),
                transaction_cell(spec.chain_id, item.first.transaction),
                transaction_cell(spec.chain_id, item.last.transaction),
            )
            for item in book.receivers.items
        ),
        note=left_out(len(book.receivers.items), book.receivers.total, "accounts"),
    )


def _unpaid(spec: Specification, book: Money) -> Section:
    return Section(
        id="unpaid",
        title="Payments that failed",
        lead=(
            "The call that made them was accepted all the same: the contract went on although the ether stayed, or "
            "tried again in another way.",
        ),
        header=("Function", "Failed payments", "Sum", "Receivers", "First", "Last"),
        figures=frozenset({1, 2, 3}),
        rows=tuple(
            row(
                item.function,
                item.payments,
                amount_cell(item.value),
                item.receivers,
                transaction_cell(spec.chain_id, item.first.transaction),
                transaction_cell(spec.chain_id, item.last.transaction),
            )
            for item in book.unpaid.items
        ),
        note=left_out(len(book.unpaid.items), book.unpaid.total, "functions"),
    )


def _balance_section(book: Money) -> Section:
    balances = book.held
    highest = max(balances, key=lambda item: int(item.value))
    lowest = min(balances, key=lambda item: int(item.value))
    lead = [
        ("What was held" if book.whole else "What was held more than when the history began")
        + f", by what came in and went out: at most {amount(highest.value)} (block {highest.block:,}), at the end "
        f"{amount(balances[-1].value)}."
    ]
    if int(lowest.value) < 0 and book.whole:
        lead.append(
            f"These records fall short by {amount(str(-int(lowest.value)))} (block {lowest.block:,}): ether came in "
            "without a call, from a contract that destroyed itself, as a block's reward, or before the creation."
        )
    elif book.whole:
        lead.append(
            "Ether that came without a call (from a contract that destroyed itself, as a block's reward) is not in it."
        )
    moments = _sample(balances)
    return Section(
        id="held",
        title="Ether held",
        lead=tuple(lead),
        chart=steps(
            [(item.block, int(item.value)) for item in balances],
            label="Ether held by block; the table below tells the same",
            amounts=lambda wei: amount(str(wei)),
        ),
        header=("Block", "Time (UTC)", "Balance"),
        figures=frozenset({0, 2}),
        rows=tuple(row(item.block, moment(item.timestamp), amount_cell(item.value)) for item in moments),
        note=left_out(len(moments), len(balances), "moments"),
    )


def _sample(balances: tuple[BalancePoint, ...]) -> tuple[BalancePoint, ...]:
    """Return some moments in order, the first, the last, the highest and the lowest with them."""
    values = [int(item.value) for item in balances]
    indices = {0, len(balances) - 1, values.index(max(values)), values.index(min(values))}
    count = min(MAX_MOMENTS, len(balances)) - 1
    indices |= {round(number * (len(balances) - 1) / max(count, 1)) for number in range(count + 1)}
    return tuple(balances[index] for index in sorted(indices))
