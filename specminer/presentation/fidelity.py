"""How far a history that was executed again can be trusted, in words and as part of the specification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from specminer._support.addresses import checksum_address
from specminer._support.errors import plain
from specminer._support.text import count_of, list_some
from specminer.history.trace import Address, Fidelity
from specminer.replay.diff_check import DiffCounts
from specminer.specification import ReplayFidelity, UnknownValues

_MAX_NAMES: Final = 5
"""Addresses that a text lists at most."""


def fidelity_of(counts: Mapping[Fidelity, int]) -> ReplayFidelity | None:
    """Return how the transactions that were executed again ended; ``None`` if none was."""
    total = sum(counts.values())
    if not total:
        return None
    checked = total - counts.get(Fidelity.UNCHECKED, 0)
    same = sum(counts.get(mark, 0) for mark in (Fidelity.EXACT, Fidelity.TAINTED, Fidelity.UNSEEN))
    return ReplayFidelity(
        transactions=total,
        status=round(1 - counts.get(Fidelity.STATUS, 0) / total, 6),
        gas=round(same / checked, 6) if checked else None,
        unexplained=sum(count for mark, count in counts.items() if not mark.explained),
        marks={mark.value: count for mark, count in counts.items()},
    )


def fidelity_text(fidelity: ReplayFidelity) -> str:
    """Return how transactions ended that were executed again, as a sentence."""
    gas = fidelity.gas
    used = "gas was not compared" if gas is None else f"{gas:.2%} used exactly the same gas"
    text = f"of {fidelity.transactions:,} transactions executed again, {fidelity.status:.2%} ended as on the chain"
    text += f" and {used}"
    if fidelity.left_out:  # in documents of version 1
        text += (
            f"; {fidelity.left_out:,} that differ, or may be wrong because of one that differs, are left out"
        )
    if fidelity.unexplained:
        text += f"; of {fidelity.unexplained:,} only the call and its outcome are known"
    return text


def unknown_text(unknown: UnknownValues, invocations: int | None) -> str:
    """Return how much of the storage is not known, as sentences."""
    share = unknown.unknown_reads / unknown.reads if unknown.reads else 0.0
    total = "" if invocations is None else f" of {invocations:,}"
    text = (
        f"{unknown.calls:,}{total} calls used storage that is not known; "
        f"{share:.1%} of the reads are unknown."
    )
    if unknown.unseen_writes:
        text += f" In {unknown.unseen_writes:,} cases a slot held another value than the last recorded write left."
    return f"{text} Internal calls that were not given yet (import --internal), or a node (--rpc), would tell more."


def import_summary(
    *,
    contracts: list[Address],
    executed: int,
    total: int,
    fidelity: Mapping[Fidelity, int],
    rules: str,
    skipped: Mapping[Address, int],
    missing: Mapping[Address, int],
    funded: int,
    compared: DiffCounts,
    inferred: Sequence[str],
    chain_id: int,
    database: str,
) -> str:
    """Return what an import did, in lines for a terminal."""
    contract_list = list_some(
        [checksum_address(address) for address in contracts[:_MAX_NAMES]], len(contracts)
    )
    lines = [f"{contract_list or 'no contract'}: {total:,} records of chain {chain_id} in {database}"]
    if not executed:
        return "\n".join([*lines, "nothing new: all of it was executed before"])
    lines.append(f"executed {executed:,} by {rules}")
    summary = fidelity_of(fidelity)
    if summary is not None:
        lines.append(fidelity_text(summary))
    if compared.transactions:
        lines.append(_comparison_text(compared))
    if skipped:
        names = ", ".join(checksum_address(address) for address in list(skipped)[:_MAX_NAMES])
        lines.append(
            f"{sum(skipped.values()):,} transactions to accounts that this export does not create are left out: {names}"
            + (" and others" if len(skipped) > _MAX_NAMES else "")
        )
    unseen = fidelity.get(Fidelity.UNSEEN, 0) + funded
    if unseen:
        lines.append(
            f"missing: calls of other contracts; {count_of(unseen, 'transaction')} ended as on the chain only with "
            "storage or ether that no listed call explains. Import the internal calls (txlistinternal), and "
            "the lists of the contracts that call this one"
        )
    if inferred:
        lines.append(inferred_lead(len(inferred)) + ":")
        lines += [f"  {plain(text, 500)}" for text in inferred[:_MAX_NAMES]]
        lines += [f"  and {len(inferred) - _MAX_NAMES:,} more, which the specification lists"] * (
            len(inferred) > _MAX_NAMES
        )
    if missing:
        lines.append(_missing_text(missing))
    return "\n".join(lines)


def inferred_lead(count: int) -> str:
    """Return how much of a history was inferred, as a clause."""
    return (
        f"inferred: {count_of(count, 'fact')} that no list shows, each the only choice that ends as recorded "
        "(import --no-infer does without)"
    )


def _comparison_text(compared: DiffCounts) -> str:
    text = (
        f"of {count_of(compared.comparisons, 'net write')} that the storage differences of "
        f"{count_of(compared.transactions, 'transaction')} tell or that were executed, {compared.agreed:,} agree"
    )
    if compared.repaired:
        text += f"; {count_of(compared.repaired, 'value')} that nothing else tells were taken from them"
    if compared.contradictions:
        text += f"; those of {count_of(len(compared.contradictions), 'transaction')} do not, and are unknown"
    return text


def _missing_text(missing: Mapping[Address, int]) -> str:
    most = sorted(missing, key=lambda address: (-missing[address], address))[:_MAX_NAMES]
    contracts = [
        f"{checksum_address(address)} ({count_of(missing[address], 'transaction')})" for address in most
    ]
    more = " and others" if len(missing) > _MAX_NAMES else ""
    return (
        f"missing: {', '.join(contracts)}{more}; these contracts were called, but their code is not at hand. Import "
        "their lists into the same database, or give a node (--rpc)"
    )
