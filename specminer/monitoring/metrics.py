"""Counters of a watch in the text format of Prometheus, written to a file that its node exporter reads.

Source: Prometheus, *Exposition formats*, text format 0.0.4; a textfile collector reads such a file.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from specminer.specification.deviation import Severity


@dataclass(slots=True, kw_only=True)
class WatchCounters:
    """What a watch has done since it began."""

    transactions: int = 0
    findings: Counter[Severity] = field(default_factory=Counter)
    withdrawn: int = 0
    failed_deliveries: int = 0
    failed_rounds: int = 0
    last_block: int | None = None
    last_round: float | None = None
    """Unix seconds."""

    def text(self) -> str:
        """Return the counters, one a line behind what they are."""
        lines = [
            *_counter(
                "specminer_transactions_judged_total", "Transactions that were judged.", self.transactions
            ),
            "# HELP specminer_findings_total Findings, by severity.",
            "# TYPE specminer_findings_total counter",
            *(
                f'specminer_findings_total{{severity="{severity.value}"}} {self.findings[severity]}'
                for severity in Severity
            ),
            *_counter(
                "specminer_withdrawals_total", "Findings that a reorganisation took back.", self.withdrawn
            ),
            *_counter("specminer_failed_deliveries_total", "Deliveries that failed.", self.failed_deliveries),
            *_counter(
                "specminer_failed_rounds_total", "Rounds in which the node failed.", self.failed_rounds
            ),
        ]
        if self.last_block is not None:
            lines += _gauge("specminer_last_block", "The newest block that was read.", self.last_block)
        if self.last_round is not None:
            lines += _gauge(
                "specminer_last_round_timestamp_seconds", "When the last round succeeded.", self.last_round
            )
        return "\n".join(lines) + "\n"


def _counter(name: str, about: str, value: int) -> list[str]:
    return [f"# HELP {name} {about}", f"# TYPE {name} counter", f"{name} {value}"]


def _gauge(name: str, about: str, value: float) -> list[str]:
    return [f"# HELP {name} {about}", f"# TYPE {name} gauge", f"{name} {value}"]
