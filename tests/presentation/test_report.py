"""The report's document and its other renderings: numbers that can be recomputed, texts that stay texts."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from specminer._support.units import amount, moment
from specminer.history.contract_history import MISSING
from specminer.pipeline.datasets import dataset
from specminer.presentation.eventlog import COLUMNS, to_csv, to_xes
from specminer.presentation.markdown import to_markdown
from specminer.presentation.page import to_html
from specminer.presentation.report_document import Report
from specminer.presentation.report_evidence import MAX_REASON, MAX_ROWS, MAX_TIMELINES, MAX_VARIANTS
from specminer.presentation.sections import sections
from specminer.presentation.sentences import duration, share, transaction_link
from specminer.specification import Guard, GuardKind, Specification, encode_specification
from specminer.store import TraceStore
from tests.support.command import specminer
from tests.support.mined import mined, report_of
from tests.support.specifications import HOSTILE_NAMES, hostile


@cache
def report(name: str = "auction_house") -> Report:
    return report_of(mined(name))


def test_every_number_comes_from_the_automaton_or_the_history() -> None:
    found = mined("auction_house")
    spec, history, told = found.specification, found.history, report().evidence
    assert told is not None
    value = [history.words[row] for row in history.invocation_value.tolist()]
    accepted = history.accepted.tolist()
    function = [found.analysis.context.calls.name(row) for row in range(len(history))]
    sender = history.invocation_sender.tolist()
    # variants and lives
    assert sum(item.count for item in told.variants.items) == spec.interactions.count == told.timelines.total
    assert told.variants.total == len(told.variants.items)
    lengths = Counter(found.interactions.slice.tolist())
    assert min(item.least for item in told.variants.items) == min(lengths.values())
    assert max(item.most for item in told.variants.items) == max(lengths.values())
    for life in told.timelines.items:
        assert life["length"] == lengths[found.interactions.names.index(life["name"])]
    # transitions
    assert len(told.transitions) == len(spec.transitions)
    for edge, taken in zip(spec.transitions, told.transitions, strict=True):
        assert taken.examples[0].transaction == edge.first.transaction
        assert taken.examples[-1].transaction == edge.last.transaction
        assert len(taken.examples) == min(3, edge.count)
        assert bool(taken.examples[0].reason) == (edge.outcome != "returned")
    # rejections, with the number that the specification has
    assert sum(item.count for item in told.rejections.items) == spec.history.rejected
    rejected = Counter(name for name, kept in zip(function, accepted, strict=True) if not kept)
    by_function: Counter[str] = Counter()
    for item in told.rejections.items:
        by_function[item.function] += item.count
    assert by_function == rejected
    # values
    paid: Counter[str] = Counter()
    for name, wei, kept in zip(function, value, accepted, strict=True):
        if kept and wei:
            paid[name] += wei
    assert {item.function: int(item.value) for item in told.flows} == dict(paid)
    assert all(int(item.largest) in value for item in told.flows)
    held = int(told.money.held[-1].value)
    assert held == sum(paid.values()) - sum(int(item.value) for item in told.money.payouts)
    # callers
    for caller in told.callers:
        calls = [row for row, name in enumerate(function) if name == caller.function]
        good = {sender[row] for row in calls if accepted[row]}
        assert caller.senders == len(good)
        assert caller.accepted == sum(accepted[row] for row in calls)
        assert caller.refused == sum(not accepted[row] and sender[row] not in good for row in calls)
    # what never occurred
    assert not set(told.unseen) & set(function)
    # re-entrant calls
    assert sum(item.count for item in told.reentries.items) == int(
        (history.invocation_parent != MISSING).sum()
    )


def test_what_is_claimed_is_told_as_it_is_known() -> None:
    spec = mined("auction_house").specification
    listed = {section.id: section for section in sections(report())}
    guards = [tuple(cell[0].text for cell in row.cells) for row in listed["guards"].rows]
    assert len(guards) == sum(len(guard.conditions) for guard in spec.guards)
    assert ("bid", "not paused", "required") in {row[:3] for row in guards}
    assert {row[2] for row in guards if row[-1] == "not proved"} == {"observed"}
    roles = {row.cells[0][0].text: row for row in listed["roles"].rows}
    assert roles["owner"].cells[3][0].text in spec.roles[0].addresses
    assert len(listed["invariants"].rows) == len(spec.invariants)
    assert listed["invariants"].lead[0].startswith("Not proved")
    needed = {row.cells[1][0].text: row.cells[4][0].text for row in listed["rejections"].rows}
    assert needed["AuctionHouse: paused"] == "not paused"


def test_steps_of_variants_lead_from_one_to_the_next() -> None:
    told, edges = report().evidence, report().specification.transitions
    assert told is not None
    for variant in told.variants.items:
        places = [edges[place] for place in variant.steps]
        assert all(one.target == other.source for one, other in pairwise(places))
        assert not places or places[0].source == report().specification.initial


def test_events_of_a_life_take_the_transitions_they_name() -> None:
    told, edges = report().evidence, report().specification.transitions
    assert told is not None
    for life in told.timelines.items:
        assert [edges[event["transition"]].function for event in life["events"]] == [
            event["function"] for event in life["events"]
        ]


def test_an_attack_by_reentrancy_is_listed() -> None:
    told = report("savings").evidence
    assert told is not None
    assert [item for item in told.reentries.items if item.accepted] or pytest.fail(
        "no re-entrant call is listed"
    )


def test_the_report_of_a_document_and_its_database_is_that_of_the_run(tmp_path: Path) -> None:
    assert specminer("import", str(dataset("lottery").traces), "--db", "h.db", cwd=tmp_path).code == 0
    with TraceStore(str(tmp_path / "h.db")) as store:
        address = f"0x{store.contracts()[0].address.hex()}"
    done = specminer("mine", address, "--db", "h.db", "--out", "out", cwd=tmp_path)
    assert done.code == 0, done.err
    assert "report         out/report.html" in done.out
    again = specminer(
        "report",
        "out/automaton.json",
        "--db",
        "h.db",
        "--format",
        "html,md,json",
        "--out",
        "again",
        cwd=tmp_path,
    )
    assert again.code == 0, again.err
    assert (tmp_path / "again" / "report.html").read_bytes() == (
        tmp_path / "out" / "report.html"
    ).read_bytes()
    document = json.loads((tmp_path / "again" / "report.json").read_bytes())
    assert (document["format"], document["version"]) == ("specminer/report", 1)
    spec = json.loads((tmp_path / "out" / "automaton.json").read_bytes())
    assert document["specification"] == {key: spec[key] for key in spec if key not in ("format", "version")}
    assert document["evidence"]["variants"]["total"] > 0
    assert "## Variants" in (tmp_path / "again" / "report.md").read_text()


def test_logs_hold_every_event(tmp_path: Path) -> None:
    assert specminer("import", str(dataset("lottery").traces), "--db", "h.db", cwd=tmp_path).code == 0
    found = mined("lottery")
    (tmp_path / "automaton.json").write_bytes(encode_specification(found.specification))
    done = specminer("report", "automaton.json", "--db", "h.db", "--format", "csv,xes", cwd=tmp_path)
    assert (done.code, done.out) == (0, "events         events.csv\nevents         events.xes\n"), done.err
    assert not (tmp_path / "report.html").exists()
    with (tmp_path / "events.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert (
        len(rows)
        == len(found.interactions.slice)
        == sum(edge.count for edge in found.specification.transitions)
    )
    counts = Counter((row["event"], row["state_before"], row["state_after"]) for row in rows)
    names = {state.id: state.name for state in found.specification.states}
    for edge in found.specification.transitions:
        assert counts[edge.symbol, names[edge.source], names[edge.target]] >= edge.count
    log = ET.parse(tmp_path / "events.xes").getroot()
    space = "{http://www.xes-standard.org/}"
    assert len(log.findall(f"{space}trace")) == len(set(found.interactions.slice.tolist()))
    told = [item.find(f"{space}string[@key='concept:name']") for item in log.iter(f"{space}event")]
    assert [item.get("value") for item in told if item is not None] == [row["event"] for row in rows]


@pytest.mark.parametrize(
    "name",
    [*HOSTILE_NAMES, "=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "=cmd|' /C calc'!A0", 'a"b,c\r\nd', "%0"],
    ids=range(len(HOSTILE_NAMES) + 9),
)
def test_hostile_names_are_texts_in_logs(name: str) -> None:
    row = dict.fromkeys(COLUMNS, name)
    text = to_csv(iter([row, row]))
    read = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(read) == 2
    for shown in read[0].values():
        assert not re.match(r"\s*[=+\-@\t\r|%]", shown)
        assert len(shown) <= 301
        assert not re.search(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", shown)
    spec = replace(mined("lottery").specification, name=name)
    log = ET.fromstring(to_xes(spec, iter([row, row])))
    space = "{http://www.xes-standard.org/}"
    assert {child.tag.removeprefix(space) for child in log.iter()} <= {
        "log", "extension", "string", "trace", "event", "date"
    }  # fmt: skip
    assert len(list(log.iter(f"{space}event"))) == 2


def test_without_a_database_the_document_alone_is_told(tmp_path: Path) -> None:
    assert specminer("mine", "lottery", "--out", "out", "--no-report", cwd=tmp_path).code == 0
    assert not (tmp_path / "out" / "report.html").exists()
    done = specminer("report", "out/automaton.json", "--format", "md", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    text = (tmp_path / "out" / "report.md").read_text()
    assert "give the database with --db" in text
    assert "## Transitions" in text
    assert "## Variants" not in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("report", "missing.json"), "missing.json cannot be read: No such file"),
        (
            ("report", "out.json", "--format", "docx"),
            "expected a list of html, md, json, pdf, csv, xes, ocel, got docx",
        ),
        (("report", "out.json", "--format", ","), "got nothing"),
        (("report", "out.json", "--format", "html,csv"), "give its database with --db"),
        (("report", "bad.json"), "bad.json is not JSON"),
        (("report", "out.json", "--db", "none.db"), "there is no database none.db"),
        (("report", "out.json", "--db", "other.db"), "another history"),
    ],
)
def test_wrong_use_is_told(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{")
    spec = mined("lottery").specification
    (tmp_path / "out.json").write_bytes(encode_specification(spec))
    if "other.db" in arguments:
        assert specminer("import", str(dataset("lottery").traces), "--db", "other.db", cwd=tmp_path).code == 0
        shorter = replace(spec, history=replace(spec.history, last_block=(spec.history.last_block or 0) - 5))
        (tmp_path / "out.json").write_bytes(encode_specification(shorter))
    done = specminer(*arguments, cwd=tmp_path)
    assert done.code in (2, 3)
    assert message in done.err
    assert not list(tmp_path.glob("report.*"))


def renamed(name: str) -> Report:
    """Return a report in which everything foreign is called ``name``."""
    spec = mined("lottery").specification
    bad: Specification = replace(
        spec,
        name=name,
        contracts=(name, *spec.contracts),
        transitions=tuple(
            replace(edge, event=name, guard=name, witnesses=(name,)) for edge in spec.transitions
        ),
        states=tuple(replace(state, name=name, predicates=(name,)) for state in spec.states),
        history=replace(spec.history, limits=(name,), names=name),
        guards=(Guard(scope=name, text=name, kind=GuardKind.REQUIRED),),
    )
    return Report(specification=bad, evidence=None)


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=range(len(HOSTILE_NAMES)))
def test_hostile_names_are_texts_in_markdown(name: str) -> None:
    text = to_markdown(renamed(name))
    unescaped = re.sub(r"\\.", "", text.replace("\n", " "))
    assert "<" not in unescaped.replace("< 0.1 %", "")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)
    assert len(text) < 400_000
    assert len(text.splitlines()) <= len(to_markdown(renamed("x")).splitlines())


def test_tables_of_markdown_have_as_many_cells_as_columns() -> None:
    for document in (report(), Report(specification=hostile(), evidence=None)):
        width = 0
        for line in to_markdown(document).splitlines():
            cells = len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) if line.startswith("|") else 0
            assert not (cells and width) or cells == width, line
            width = cells


def test_a_large_report_stays_small() -> None:
    """200 transitions and lists as long as they may get, as of 10,000 interactions."""
    spec, evidence = report().specification, report().evidence
    assert evidence is not None
    base = max(spec.transitions, key=lambda edge: len(edge.witnesses))
    taken = evidence.transitions[spec.transitions.index(base)]
    names = [f"call{number:03}" for number in range(200)]
    states = tuple(replace(spec.states[1], id=number, name=f"state {number}") for number in range(20))
    edges = tuple(
        replace(base, event=name, source=number % 20, target=(7 * number + 1) % 20)
        for number, name in enumerate(names)
    )
    variant = replace(evidence.variants.items[0], steps=tuple(range(60)))
    life = evidence.timelines.items[0]
    long = life | {"length": 5000, "events": [*life["events"]] * 60}
    reason = replace(evidence.rejections.items[0], reason="r" * MAX_REASON)
    large = replace(
        evidence,
        transitions=(taken,) * 200,
        variants=replace(evidence.variants, items=(variant,) * MAX_VARIANTS, total=10_000),
        timelines=replace(evidence.timelines, items=(long,) * MAX_TIMELINES, total=10_000),
        rejections=replace(evidence.rejections, items=(reason,) * MAX_ROWS, total=10_000),
    )
    page = to_html(Report(specification=replace(spec, states=states, transitions=edges), evidence=large))
    assert len(page.encode()) < 3_000_000
    assert "100 of 10,000 variants are shown." in page
    assert "of 10,000 interactions are shown." in page


def test_sections_have_distinct_ids_and_rows_fit_their_header() -> None:
    for name in ("auction_house", "lottery", "savings"):
        listed = sections(report(name))
        assert len({item.id for item in listed}) == len(listed)
        for item in listed:
            assert all(len(row.cells) == len(item.header) for row in item.rows)


@pytest.mark.parametrize(
    ("wei", "shown"),
    [
        ("0", "0 wei"),
        ("12", "12 wei"),
        ("1000000000000000000", "1 ETH"),
        ("500000000000000000", "0.5 ETH"),
        ("1000000000000001", "≈ 0.001 ETH"),
        ("1234567890000000000000000", "≈ 1,234,568 ETH"),
        ("100000000000000000000000", "100,000 ETH"),
        ("x\x1b", "x\\x1b"),
    ],
)
def test_amounts(wei: str, shown: str) -> None:
    assert amount(wei) == shown


def test_times_shares_and_links() -> None:
    assert [duration(item) for item in (0, 1, 90, 3_600, 200_000)] == [
        "0 seconds",
        "1 second",
        "1.5 minutes",
        "1 hour",
        "≈ 2.3 days",
    ]
    assert moment(1_517_319_693) == "2018-01-30 13:41"
    assert (moment(None), moment(-1), moment(2**70)) == ("", "", "")
    assert (share(0, 10), share(1, 100_000), share(1, 3), share(1, 0)) == (
        "0.0 %",
        "< 0.1 %",
        "33.3 %",
        "0.0 %",
    )


def test_only_hashes_become_links() -> None:
    good = "0x" + "ab" * 32
    assert transaction_link(1, good) == f"https://etherscan.io/tx/{good}"
    assert transaction_link(31337, good) is None
    for bad in ("javascript:alert(1)", good + "/../", "0x12", ""):
        assert transaction_link(1, bad) is None
