"""The transactions that stand out, and what was never judged: sentences and a section. Texts are made safe here."""

from __future__ import annotations

from math import ceil
from typing import Final

from specminer._support.errors import plain
from specminer._support.text import count_of, show_number
from specminer.presentation.section import Section, left_out, row, transaction_cell
from specminer.specification import Specification, Surprise, SurprisingTransaction

MAX_TEXT: Final = 2_000
"""Characters of what is said of a transaction at most."""
MAX_ROWS: Final = 20
"""Transactions in the report."""


def transaction_sentences(surprise: Surprise, limit: int) -> tuple[str, list[str]]:
    """Return how many are alarms, and the ``limit`` first transactions; nothing if they were not measured."""
    transactions = surprise.transactions
    if transactions is None or transactions.threshold is None:
        return "", []
    lead = (
        f"{show_number(transactions.flagged)} of {show_number(transactions.of)} transactions "
        f"{'is' if transactions.flagged == 1 else 'are'} above the alarm threshold of "
        f"{show_number(transactions.threshold, '.2f')} bits"
        f"{'' if transactions.ranked else '; nothing speaks against any'}."
    )
    if transactions.calibrated is False and transactions.rate:
        lead += (
            f" They are too few to calibrate a threshold that {transactions.rate:.1%} of benign ones exceed, which "
            f"takes {ceil(1 / transactions.rate):,}: look at what ranks first."
        )
    return lead, [
        ("! " if item.flagged else "") + plain(item.text, MAX_TEXT) for item in transactions.ranked[:limit]
    ]


def unjudged_sentence(surprise: Surprise) -> str:
    """Return which calls nothing judged, and why; nothing if all were."""
    if not surprise.unjudged:
        return ""
    total = sum(item.calls for item in surprise.unjudged)
    reasons = "; ".join(f"{plain(item.reason, 200)} ({item.calls:,})" for item in surprise.unjudged)
    return f"Never judged: {count_of(total, 'call')}, because {reasons}."


def transactions_section(spec: Specification) -> Section | None:
    """Return the transactions that stand out as a table; ``None`` if they were not measured."""
    lead, _ = transaction_sentences(spec.surprise, 0)
    missed = unjudged_sentence(spec.surprise)
    transactions = spec.surprise.transactions
    if transactions is None or not lead:
        return None
    first_transactions = transactions.ranked[:MAX_ROWS]
    return Section(
        id="surprising-transactions",
        title="Most surprising transactions",
        lead=(
            lead,
            "Each source of evidence compares a transaction with all others. The score is how improbable the evidence "
            "is together, in bits; of sources that see one kind of fact only the strongest counts.",
            *([missed] if missed else []),
        ),
        header=("Transaction", "Score", "Alarm", "What stands out", "Block", "Sender"),
        figures=frozenset({1, 4}),
        rows=tuple(
            row(
                transaction_cell(spec.chain_id, item.transaction),
                "" if item.score is None else f"{item.score:.1f}",
                "above the threshold" if item.flagged else "",
                _reasons(item),
                "" if item.block is None else item.block,
                item.sender or "",
            )
            for item in first_transactions
        ),
        note=left_out(len(first_transactions), len(transactions.ranked), "ranked ones"),
    )


def _reasons(item: SurprisingTransaction) -> str:
    return "; ".join(item.reasons) if item.reasons else item.text
