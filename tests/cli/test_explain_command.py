"""``specminer explain`` and ``specminer actors`` on a planted attack: cause and gain, formats, wrong hashes."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from specminer.pipeline.explaining import Explainer
from specminer.pipeline.reporting import explainer_of
from specminer.presentation.evidence_section import MEANINGS, evidence_section
from specminer.presentation.graphviz_layout import renderer
from specminer.presentation.transaction_page import transaction_html
from specminer.specification import EvidenceSource
from tests.support.command import Done, specminer
from tests.support.driven_browser import chromium, requests, said
from tests.support.mined import marked, mined

ATTACK = "0xfa5be2548fb86b94c02499969e80aef2373fc3b4abc3ad2a5a82d5302c2373cf"
THIEF = "0x325d760Ec3f30e3e8342E961021E3D53e2Bc8C90"


def explained(*arguments: str | Path, cwd: Path) -> Done:
    return specminer("explain", *arguments, "savings", "--quiet", cwd=cwd)


def explainer() -> Explainer:
    run = mined("savings")
    return explainer_of(run, run.specification.roles)


def test_cause_and_gain_of_an_attack_are_in_the_summary() -> None:
    assert marked("savings") == {ATTACK}
    told = explainer().explain(ATTACK[:10])
    assert told.rank == 1
    assert told.unusual is not None
    assert told.unusual.flagged
    summary = " ".join(told.summary)
    assert f"{THIEF} gained 10.5 ETH" in summary
    assert "total = the sum of accounts[].balance" in summary
    marks = [call.unusual for call in told.calls if call.function == "close"]
    assert len(marks) == 7
    assert any("nested" in sources for sources in marks)
    assert {change.location: (change.before, change.after) for change in told.storage}["accountsOpen"] == (
        "23",
        "16",
    )


def test_the_evidence_does_not_repeat_the_summary_and_leaves_no_reason_out() -> None:
    told = explainer().explain(ATTACK)
    section = evidence_section(told)
    assert section is not None
    assert told.unusual is not None
    summary = " ".join(told.summary)
    assert len(told.unusual.reasons) > len(section.lead), "some reasons are in the summary"
    for reason in told.unusual.reasons:
        assert (f"{reason}." in summary) != (f"{reason}." in section.lead), reason
    assert [item.cells[0][0].text for item in section.rows] == list(told.unusual.evidence)
    assert all(piece.text for item in section.rows for cell in item.cells for piece in cell)


def test_each_source_says_what_it_compares() -> None:
    assert set(MEANINGS) == set(EvidenceSource)


def test_a_screen_tells_what_the_page_tells(tmp_path: Path) -> None:
    done = explained(ATTACK[:10], "--fast", cwd=tmp_path)
    assert (done.code, done.err) == (0, ""), done.text
    assert "gained 10.5 ETH" in done.out.replace("\n    ", " ")
    assert len(done.out.splitlines()) <= 60
    assert "nothing is compared with other transactions" in " ".join(done.out.split())


def test_each_format_is_written_whole(tmp_path: Path) -> None:
    for name in ("a.html", "a.md", "a.json"):
        done = explained(ATTACK, "--fast", "--out", name, cwd=tmp_path)
        assert (done.code, done.out) == (0, f"explanation    {name}\n"), done.text
    assert (tmp_path / "a.html").read_text().startswith("<!DOCTYPE html>")
    assert (tmp_path / "a.md").read_text().startswith("# Transaction ")
    document = json.loads((tmp_path / "a.json").read_text())
    assert (document["format"], document["version"]) == ("specminer/explanation", 1)
    assert document["rank"] is None


@pytest.mark.parametrize(
    ("transaction", "more", "code", "text"),
    [
        ("0xnothex", (), 2, "is not the hash of a transaction"),
        ("0x", (), 2, "is not the hash of a transaction"),
        ("0x0", (), 2, "transactions begin with 0x0"),
        ("0x" + "ab" * 32, (), 3, "holds no transaction"),
        (ATTACK, ("--label", "nobody"), 2, "ADDRESS=NAME"),
        (ATTACK, ("--out", "page.doc"), 2, "--format text|html|md|json"),
    ],
)
def test_what_cannot_be_right_is_said_in_a_sentence(
    tmp_path: Path, transaction: str, more: tuple[str, ...], code: int, text: str
) -> None:
    done = explained(transaction, *more, cwd=tmp_path)
    assert (done.code, done.out) == (code, "")
    assert text in done.err
    assert len(done.err.splitlines()) == 1
    assert "Traceback" not in done.err


def test_actors_are_listed_for_people_and_for_programs(tmp_path: Path) -> None:
    done = specminer("actors", "savings", "--fast", "--quiet", "--format", "csv", cwd=tmp_path)
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert rows[0]["address"] == THIEF
    assert (rows[0]["ether_in"], rows[0]["ether_out"]) == ("1500000000000000000", "10500000000000000000")
    done = specminer("actors", "savings", "--fast", "--quiet", "--format", "json", cwd=tmp_path)
    document = json.loads(done.out)
    assert document["total"] == len(document["actors"]) == len({row["address"] for row in rows})
    done = specminer("actors", "savings", "--fast", "--quiet", "--limit", "2", cwd=tmp_path)
    assert f"{document['total'] - 2} more" in done.out


@pytest.mark.skipif(renderer() is None, reason="missing part: dot or pygraphviz")
def test_the_page_asks_for_nothing_and_shows_the_picture(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(transaction_html(explainer().explain(ATTACK)), encoding="utf-8")
    with chromium(tmp_path / "profile") as browser:
        requests(browser)
        browser.get(page.as_uri())
        assert requests(browser) == [page.as_uri()]
        assert said(browser) == []
        size = browser.execute_script(
            "const box = document.querySelector('#flows svg').getBoundingClientRect();"
            "return [box.width, box.height, document.documentElement.scrollWidth <= innerWidth]"
        )
        assert size[0] > 300
        assert size[1] > 40
        assert size[2], "nothing sticks out"
