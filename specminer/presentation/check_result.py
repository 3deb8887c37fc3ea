"""What a check found: as text for a terminal, as JSON for programs, and as SARIF for pipelines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from specminer._support.errors import plain
from specminer._support.text import count_of
from specminer.specification.address_names import AddressNames
from specminer.specification.deviation import Basis, CheckResult, Deviation, Severity

FORMAT: Final = "specminer/check"
VERSION: Final = 1
NO_NAMES: Final = AddressNames({})
MAX_SHOWN: Final = 50
"""Findings that the text lists; JSON and SARIF hold all."""
MAX_SENTENCE: Final = 500
"""Characters of a finding's sentence that are shown."""
_LEVELS: Final = {Severity.UNUSUAL: "note", Severity.UNKNOWN: "warning", Severity.BROKEN: "error"}
_RULES: Final = {
    Basis.TRANSITION: "The event took a transition that the specification does not have, or hardly ever saw.",
    Basis.FUNCTION: "A function was accepted that never was before.",
    Basis.REJECTION: "A call was rejected for a reason that is new, and no known condition tells why.",
    Basis.GUARD: "A call was accepted although a guard of its function does not hold.",
    Basis.INVARIANT: "A call broke an invariant.",
    Basis.CODE: "The contract's code, executed again, does something else than was recorded.",
    Basis.CONTINUITY: "Storage held something else than the last recorded transaction left there.",
}
"""What each rule of the SARIF log says."""
SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def check_text(result: CheckResult, names: AddressNames = NO_NAMES) -> str:
    """Return the findings in lines, by transaction, those with the worst first; ``names`` are those of addresses."""
    if result.first_block is None:
        return (
            f"{plain(result.name, 80)}: there is no transaction to check in the chosen blocks (by default those behind "
            "the specification's last block)\n"
        )
    lines = [f"{_judged_text(result)}: {_counts(result)}"]
    left = MAX_SHOWN
    for transaction, findings in _by_transaction(result.findings):
        if left <= 0:
            break
        lines.append(f"block {findings[0].where.block:,}, transaction {plain(transaction, 66)}")
        lines += [
            f"  {line}" + (f" ({times:,} times)" if times > 1 else "")
            for line, times in Counter(_line(item, names) for item in findings[:left]).items()
        ]
        left -= len(findings)
    if len(result.findings) > MAX_SHOWN:
        lines.append(f"… and {len(result.findings) - MAX_SHOWN:,} more; --format json holds all")
    for reason, count in result.unjudged.items():
        lines.append(f"not judged: {plain(reason, 200)} ({count:,})")
    return "\n".join(lines) + "\n"


def _line(item: Deviation, names: AddressNames) -> str:
    about = f"{plain(names.spell(item.interaction), 80)}: " if item.interaction else ""
    return f"{item.severity.value:8} {about}{plain(names.spell(item.sentence), MAX_SENTENCE)}"


def _by_transaction(findings: Sequence[Deviation]) -> list[tuple[str, list[Deviation]]]:
    """Return findings by transaction, those with the worst first, then in the order of the chain; the worst first."""
    groups: dict[str, list[Deviation]] = {}
    for item in findings:
        groups.setdefault(item.where.transaction, []).append(item)
    ordered = {
        transaction: sorted(group, key=lambda item: -item.severity.rank)
        for transaction, group in groups.items()
    }
    return sorted(ordered.items(), key=lambda item: -item[1][0].severity.rank)


def _judged_text(result: CheckResult) -> str:
    calls, transactions = count_of(result.events, "call"), count_of(result.transactions, "transaction")
    blocks = f"blocks {result.first_block:,} to {result.last_block:,}"
    return f"{plain(result.name, 80)}: {calls} in {transactions}, {blocks}"


def _counts(result: CheckResult) -> str:
    counts = Counter(item.severity for item in result.findings)
    if not counts:
        return "all fit the specification"
    return ", ".join(
        f"{counts[severity]:,} {severity.value}" for severity in reversed(Severity) if counts[severity]
    )


def check_json(result: CheckResult, names: AddressNames = NO_NAMES) -> bytes:
    """Return the result as JSON with a format and a version, indented, ending in a newline."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "name": result.name,
        "first_block": result.first_block,
        "last_block": result.last_block,
        "transactions": result.transactions,
        "calls": result.events,
        "findings": [finding_document(item, names) for item in result.findings],
        "unjudged": [{"reason": reason, "count": count} for reason, count in result.unjudged.items()],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def finding_document(item: Deviation, names: AddressNames = NO_NAMES) -> dict[str, Any]:
    """Return a finding as JSON has it; its sentence tells addresses by their names, its values are exact."""
    return {
        "severity": item.severity.value,
        "basis": item.basis.value,
        "function": item.function,
        "interaction": item.interaction,
        "transaction": item.where.transaction,
        "block": item.where.block,
        "timestamp": item.where.timestamp,
        "sentence": names.spell(item.sentence),
        "claim": item.claim,
        "values": dict(item.values),
        "witness": item.witness,
    }


def check_sarif(result: CheckResult, version: str, names: AddressNames = NO_NAMES) -> bytes:
    """Return the result as a SARIF 2.1.0 log, ending in a newline.

    Args:
        result: what was found.
        version: of specminer.
        names: of addresses.

    Source: OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0.

    """
    used = sorted({item.basis for item in result.findings}, key=lambda basis: basis.value)
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "specminer",
                        "version": version,
                        "rules": [
                            {"id": _rule_id(basis), "shortDescription": {"text": _RULES[basis]}}
                            for basis in used
                        ],
                    }
                },
                "results": list(_sarif_results(result, names)),
            }
        ],
    }
    return msgspec.json.format(msgspec.json.encode(log), indent=2) + b"\n"


def _rule_id(basis: Basis) -> str:
    return basis.value.replace(" ", "-")


def _sarif_results(result: CheckResult, names: AddressNames) -> Iterator[dict[str, Any]]:
    for item in result.findings:
        yield {
            "ruleId": _rule_id(item.basis),
            "level": _LEVELS[item.severity],
            "message": {"text": plain(names.spell(item.sentence), MAX_SENTENCE)},
            "locations": [
                {
                    "logicalLocations": [
                        {
                            "fullyQualifiedName": plain(f"{result.name}.{item.function}", 200),
                            "kind": "function",
                        }
                    ]
                }
            ],
            "partialFingerprints": {"transaction/v1": f"{item.where.transaction}:{_rule_id(item.basis)}"},
            "properties": finding_document(item, names),
        }
