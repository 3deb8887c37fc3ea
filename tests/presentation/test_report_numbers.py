"""The numbers on the page, counted again from ``automaton.json`` and the database, without the report's code."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import pytest

from specminer.pipeline.datasets import dataset
from tests.support.command import specminer

NAME = "savings"


@dataclass
class Table:
    """A table of the page."""

    header: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)

    def column(self, title: str) -> list[str]:
        place = self.header.index(title)
        return [row[place] for row in self.rows]


class Page(HTMLParser):
    """Reads a page's texts: its table of numbers, and the tables and sentences of its sections."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.numbers: dict[str, str] = {}
        self.tables: dict[str, Table] = {}
        self.lead: dict[str, str] = {}
        self._section = self._label = ""
        self._text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "section":
            self._section = dict(attrs).get("id") or ""
        elif tag == "tr" and self._section:
            self.tables.setdefault(self._section, Table()).rows.append([])
        if tag in ("dt", "dd", "th", "td", "p"):
            self._text = []

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        text = " ".join("".join(self._text).split())
        if tag == "dt":
            self._label = text
        elif tag == "dd":
            self.numbers.setdefault(self._label, text)
        elif tag == "th":
            self.tables[self._section].header.append(text)
        elif tag == "td":
            self.tables[self._section].rows[-1].append(text)
        elif tag == "p":
            self.lead[self._section] = f"{self.lead.get(self._section, '')} {text}".strip()
        elif tag == "table" and self._section in self.tables:
            self.tables[self._section].rows = [row for row in self.tables[self._section].rows if row]


@dataclass(frozen=True)
class Told:
    """What a run left: its page, its document and its database."""

    page: Page
    document: dict[str, Any]
    database: sqlite3.Connection

    def one(self, query: str) -> int:
        (value,) = self.database.execute(query).fetchone()
        return int(value)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("numbers")
    assert specminer("import", str(dataset(NAME).traces), "--db", "h.db", cwd=folder).code == 0
    with closing(sqlite3.connect(folder / "h.db")) as database:
        (raw,) = database.execute(
            "SELECT address.bytes FROM contract JOIN address ON address.id = contract.address_id"
        ).fetchone()
        done = specminer("mine", f"0x{raw.hex()}", "--db", "h.db", "--out", "out", cwd=folder)
        assert done.code == 0, done.err
        yield Told(
            page=Page((folder / "out" / "report.html").read_text(encoding="utf-8")),
            document=json.loads((folder / "out" / "automaton.json").read_bytes()),
            database=database,
        )


def number(text: str) -> int:
    return int(text.replace(",", ""))


def ether(text: str) -> float:
    """Read an amount as people are shown it."""
    value, unit = text.removeprefix("≈ ").split()
    return float(value.replace(",", "")) * (1 if unit == "ETH" else 1e-18)


def wei(rows: list[tuple[bytes]]) -> int:
    return sum(int.from_bytes(value, "big") for (value,) in rows)


def test_the_numbers_at_the_top(told: Told) -> None:
    shown, document = told.page.numbers, told.document
    assert number(shown["Transactions"]) == told.one("SELECT count(*) FROM transaction_")
    assert number(shown["Calls"]) == told.one("SELECT count(*) FROM invocation")
    refused = "SELECT count(*) FROM invocation WHERE outcome NOT IN ('returned', 'rolled back')"
    assert number(shown["Rejected calls"]) == told.one(refused)
    assert number(shown["States"]) == len(document["states"])
    assert number(shown["Transitions"]) == len(document["transitions"])
    senders = "SELECT count(DISTINCT sender_id) FROM invocation WHERE kind <> 'constructor'"
    assert number(shown["Interactions"]) == document["interactions"]["count"] <= told.one(senders)


def test_the_ether(told: Told) -> None:
    came = wei(
        told.database.execute(
            "SELECT word.bytes FROM invocation JOIN word ON word.id = value_id WHERE outcome = 'returned'"
        ).fetchall()
    )
    went = wei(
        told.database.execute(
            "SELECT word.bytes FROM payment JOIN word ON word.id = value_id WHERE NOT undone"
        ).fetchall()
    )
    assert ether(told.page.numbers["Ether in"]) == pytest.approx(came / 1e18, rel=1e-5)
    assert ether(told.page.numbers["Ether out"]) == pytest.approx(went / 1e18, rel=1e-5)
    tables = told.page.tables
    assert sum(map(ether, tables["flows"].column("Sum"))) == pytest.approx(came / 1e18, rel=1e-4)
    assert sum(map(ether, tables["payouts"].column("Sum"))) == pytest.approx(went / 1e18, rel=1e-4)
    assert sum(map(number, tables["payouts"].column("Payments"))) == told.one(
        "SELECT count(*) FROM payment WHERE NOT undone"
    )
    assert ether(tables["held"].column("Balance")[-1]) == pytest.approx((came - went) / 1e18, rel=1e-4)
    receivers = dict(
        told.database.execute(
            "SELECT address.bytes, count(*) FROM payment JOIN address ON address.id = to_id WHERE NOT undone "
            "GROUP BY address.bytes"
        ).fetchall()
    )
    assert {
        bytes.fromhex(account[2:]): number(count)
        for account, count in zip(
            tables["receivers"].column("Account"), tables["receivers"].column("Payments"), strict=True
        )
    } == receivers


def test_the_rejections(told: Told) -> None:
    table = told.page.tables["rejections"]
    counted = told.database.execute(
        "SELECT count(*), count(DISTINCT sender_id) FROM invocation WHERE outcome NOT IN ('returned', 'rolled back') "
        "GROUP BY substr(data, 1, 4), outcome, output"
    ).fetchall()
    assert Counter(
        zip(map(number, table.column("Calls")), map(number, table.column("Senders")), strict=True)
    ) == Counter(counted)


def test_the_calls_within_calls(told: Told) -> None:
    table = told.page.tables["reentries"]
    assert sum(map(number, table.column("Calls"))) == told.one(
        "SELECT count(*) FROM invocation WHERE parent IS NOT NULL"
    )
    assert sum(map(number, table.column("Accepted calls"))) == told.one(
        "SELECT count(*) FROM invocation WHERE parent IS NOT NULL AND outcome = 'returned'"
    )


def test_states_and_transitions(told: Told) -> None:
    states, edges = told.page.tables["states"], told.document["transitions"]
    assert list(map(number, states.column("Visits"))) == [item["visits"] for item in told.document["states"]]
    entered = Counter[int]()
    for edge in edges:
        entered[edge["target"]] += edge["count"]
    assert list(map(number, states.column("Visits"))) == [
        entered[item["id"]] for item in told.document["states"]
    ]
    assert (
        sum(map(number, states.column("Interactions that end here")))
        == told.document["interactions"]["count"]
    )
    leaving = Counter[int]()
    for edge in edges:
        leaving[edge["source"]] += edge["count"]
    table = told.page.tables["transitions"]
    assert list(map(number, table.column("Count"))) == [edge["count"] for edge in edges]
    for text, edge in zip(table.column("Share"), edges, strict=True):
        share = 100 * edge["count"] / leaving[edge["source"]]
        assert text == ("< 0.1 %" if share < 0.1 else f"{share:.1f} %")
    known = {f"0x{value.hex()}" for (value,) in told.database.execute("SELECT hash FROM transaction_")}
    assert all(
        piece in known
        for text in table.column("Evidence")
        for piece in text.split()
        if piece.startswith("0x")
    )


def test_the_variants(told: Told) -> None:
    table = told.page.tables["variants"]
    counts = list(map(number, table.column("Interactions")))
    assert counts == sorted(counts, reverse=True)
    assert sum(counts) == told.document["interactions"]["count"]
    assert f"{len(counts)} different ways" in told.page.lead["variants"]
