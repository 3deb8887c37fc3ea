"""How far a history that was executed again can be trusted, in words and as part of the specification."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from eth_utils.address import to_checksum_address

from specminer.trace import Address, Fidelity

_NAMED: Final = 5
"""Addresses that a text lists at most."""


def measured(fidelity: Mapping[Fidelity, int]) -> dict[str, Any] | None:
    """Return how many transactions were executed again and how they ended; ``None`` if none was.

    ``status`` and ``gas`` are shares of them: ended as on the chain, and used exactly the same gas (``None`` if the
    chain's is not known); ``left_out`` counts those that are not mined.
    """
    total = sum(fidelity.values())
    if not total:
        return None
    checked = total - fidelity.get(Fidelity.UNCHECKED, 0)
    exact = fidelity.get(Fidelity.EXACT, 0)
    tainted = fidelity.get(Fidelity.TAINTED, 0)
    return {
        "transactions": total,
        "status": round(1 - fidelity.get(Fidelity.STATUS, 0) / total, 6),
        "gas": round((exact + tainted) / checked, 6) if checked else None,
        "left_out": sum(count for mark, count in fidelity.items() if not mark.trusted),
        "marks": {mark.value: count for mark, count in fidelity.items()},
    }


def fidelity_text(found: Mapping[str, Any]) -> str:
    """Return what :func:`measured` found, as a sentence."""
    gas = found.get("gas")
    used = f"{gas:.2%} used exactly the same gas" if isinstance(gas, float) else "gas was not compared"
    left_out = found.get("left_out", 0)
    text = f"of {found['transactions']:,} transactions executed again, {found['status']:.2%} ended as on the chain"
    text += f" and {used}"
    if left_out:
        text += f"; {left_out:,} that differ, or may be wrong because of one that differs, are left out"
    return text


def import_summary(
    *,
    contracts: list[Address],
    executed: int,
    total: int,
    fidelity: Mapping[Fidelity, int],
    rules: str,
    skipped: Mapping[Address, int],
    chain_id: int,
    database: str,
) -> str:
    """Return what an import did, in lines for a terminal."""
    shown = ", ".join(to_checksum_address(address) for address in contracts[:_NAMED])
    more = f" and {len(contracts) - _NAMED:,} more" if len(contracts) > _NAMED else ""
    lines = [f"{shown or 'no contract'}{more}: {total:,} records of chain {chain_id} in {database}"]
    if not executed:
        return "\n".join([*lines, "nothing new: all of it was executed before"])
    lines.append(f"executed {executed:,} by {rules}")
    found = measured(fidelity)
    if found is not None:
        lines.append(fidelity_text(found))
    if skipped:
        names = ", ".join(to_checksum_address(address) for address in list(skipped)[:_NAMED])
        lines.append(
            f"{sum(skipped.values()):,} transactions to accounts that this export does not create are left out: {names}"
            + (" and others" if len(skipped) > _NAMED else "")
        )
    return "\n".join(lines)
