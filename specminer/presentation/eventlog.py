"""The events of all interactions as logs for process-mining tools: CSV, and XES (IEEE 1849).

A trace is an interaction, an event one of its calls or a side effect on it, in the order in which calls begin.
Nothing is sampled. Texts of a CSV never begin with what a spreadsheet takes for a formula: such ones get an
apostrophe in front.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final
from xml.sax.saxutils import quoteattr

from specminer._support.addresses import checksum_address
from specminer._support.errors import plain
from specminer._support.times import LAST_SECOND, unix_seconds
from specminer.contracts.interface import Interface
from specminer.history.contract_history import MISSING, OUTCOMES, IntColumn
from specminer.history.trace import Outcome, OutcomeKind
from specminer.interaction import Analysis, Interactions
from specminer.presentation import interaction_documents
from specminer.presentation.money import ledger
from specminer.specification import Specification

COLUMNS: Final = (
    "interaction", "event", "function", "role", "kind", "outcome", "reason", "state_before", "state_after", "time",
    "block", "transaction", "position", "sender", "value_wei", "paid_wei",
)  # fmt: skip
MAX_TEXT: Final = 300
"""Characters of one text."""
_FORMULA: Final = re.compile(r"[=+\-@\t\r|%]")

Row = dict[str, str]


def events(
    spec: Specification,
    analysis: Analysis,
    interactions: Interactions,
    interface: Interface,
    transition: IntColumn,
) -> Iterator[Row]:
    """Yield each event as texts by column, interaction by interaction; raw, whoever writes them escapes them.

    ``transition`` is the index in the specification of each event's transition.
    """
    history, called = analysis.context.history, analysis.context.calls
    book = ledger(history)
    names = {state.id: state.name for state in spec.states}
    for event, row in enumerate(interactions.invocation.tolist()):
        edge = spec.transitions[int(transition[event])]
        transaction = int(history.invocation_transaction[row])
        time = int(history.transaction_time[transaction])
        outcome = Outcome(
            kind=OUTCOMES[int(history.invocation_outcome[row])], data=history.invocation_output[row]
        )
        deadline = interactions.deadline_of(event)
        happened = {
            "function": called.name(row),
            "outcome": outcome.kind.value,
            "reason": "" if outcome.kind is OutcomeKind.RETURNED else interface.reason(outcome),
            "sender": checksum_address(history.addresses[int(history.invocation_sender[row])]),
            "value_wei": str(book.received_wei(row)),
            "paid_wei": str(book.paid_wei(row)) if book.is_known(row) else "",
        }
        if deadline is not None:
            happened = {"function": deadline, "outcome": "returned"}
            happened |= dict.fromkeys(("reason", "sender", "value_wei", "paid_wei"), "")
        yield happened | {
            "interaction": interactions.names[int(interactions.slice[event])],
            "event": edge.symbol,
            "role": edge.role or "",
            "kind": edge.kind.value,
            "state_before": names.get(edge.source, ""),
            "state_after": names.get(edge.target, ""),
            "time": "" if time == MISSING else _moment(time),
            "block": str(int(history.transaction_block[transaction])),
            "transaction": interaction_documents.transaction_of(history, row),
            "position": str(int(history.invocation_position[row])),
        }


def _moment(time: int) -> str:
    """Return a block's time as a date; empty if no unit makes one of it."""
    seconds = unix_seconds(time)
    return "" if seconds >= LAST_SECOND else datetime.fromtimestamp(seconds, UTC).isoformat()


def to_csv(rows: Iterator[Row]) -> str:
    """Return the log as CSV with a header, lines ending in CRLF (RFC 4180)."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for item in rows:
        writer.writerow([harmless(item[column]) for column in COLUMNS])
    return text.getvalue()


def harmless(text: str) -> str:
    """Return a text that no spreadsheet computes."""
    plain_text = plain(text, MAX_TEXT)
    return f"'{plain_text}" if _FORMULA.match(plain_text.lstrip()) else plain_text


def to_xes(spec: Specification, rows: Iterator[Row]) -> str:
    """Return the log as XES with the extensions for names, times and who did it."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<log xes.version="1849-2016" xes.features="" xmlns="http://www.xes-standard.org/">',
        '  <extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>',
        '  <extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>',
        '  <extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>',
        f"  {_attribute('concept:name', spec.name)}",
    ]
    current: str | None = None
    for item in rows:
        if item["interaction"] != current:
            lines += ["  </trace>"] if current is not None else []
            current = item["interaction"]
            lines += ["  <trace>", f"    {_attribute('concept:name', current)}"]
        lines.append("    <event>")
        lines.append(f"      {_attribute('concept:name', item['event'])}")
        lines.append(f"      {_attribute('org:resource', item['sender'])}")
        if item["time"]:
            lines.append(f"      {_attribute('time:timestamp', item['time'], 'date')}")
        lines += [
            f"      {_attribute(column, item[column])}"
            for column in COLUMNS
            if column not in ("interaction", "event", "sender", "time") and item[column]
        ]
        lines.append("    </event>")
    lines += ["  </trace>"] if current is not None else []
    return "\n".join([*lines, "</log>"]) + "\n"


def _attribute(key: str, value: str, kind: str = "string") -> str:
    return f"<{kind} key={quoteattr(key)} value={quoteattr(plain(value, MAX_TEXT))}/>"
