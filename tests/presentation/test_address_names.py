"""Addresses with names: every rendering tells them, none lets a name be more than text, none loses the address."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import pytest

from specminer import MineOptions, mine
from specminer.comparison.compare import compare
from specminer.pipeline.label_file import MAX_BYTES
from specminer.presentation.check_result import check_json, check_sarif, check_text
from specminer.presentation.comparison_text import comparison_text
from specminer.presentation.dot import to_dot
from specminer.presentation.first_screen import short_summary
from specminer.presentation.markdown import to_markdown
from specminer.presentation.mermaid import to_mermaid
from specminer.presentation.page import to_html
from specminer.presentation.report_document import Report
from specminer.presentation.summary import summary
from specminer.specification import (
    Role,
    RoleKind,
    Specification,
    decode_specification,
    encode_specification,
)
from specminer.specification.address_names import AddressNames, with_names
from specminer.specification.deviation import Basis, CheckResult, Deviation, Severity
from tests.support.command import specminer
from tests.support.specifications import HOSTILE_NAMES, auction

KEEPER: Final = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
SHORT: Final = "0xf39F…2266"
HOSTILE: Final = [name for name in HOSTILE_NAMES if name.strip()]


def guarded(name: str) -> Specification:
    """Return an auction of which only one address may end, which has a name."""
    base = auction()
    guard = replace(base.guards[0], scope="auctionEnd", text=f"sender = {KEEPER}", smt="")
    role = Role(
        name="keeper",
        kind=RoleKind.HOLDER,
        functions=("auctionEnd",),
        required=("auctionEnd",),
        addresses=(KEEPER,),
    )
    return with_names(replace(base, guards=(guard,), roles=(role,)), {KEEPER.lower(): name})


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)


def tags(page: str) -> list[str]:
    parser = _Tags()
    parser.feed(page)
    return parser.tags


def finding(text: str) -> CheckResult:
    deviation = Deviation(
        severity=Severity.BROKEN,
        basis=Basis.GUARD,
        function="auctionEnd",
        where=auction().transitions[0].first,
        invocation=0,
        sentence=text,
        claim=text,
        values={"sender": KEEPER},
    )
    return CheckResult(name="x", first_block=1, last_block=2, transactions=1, events=1, findings=(deviation,))


def test_every_rendering_tells_the_name_and_the_ends_of_the_address() -> None:
    spec = guarded("Treasury")
    report = Report(specification=spec, evidence=None)
    short = short_summary(spec, width=300)
    for text in (short, summary(spec, width=300), to_markdown(report), to_dot(spec), to_mermaid(spec)):
        assert f"Treasury ({SHORT})" in text.replace("#8230;", "…")  # as Mermaid writes it
        assert f"sender = {KEEPER}" not in text
        assert f"sender = {SHORT}" not in text
    page = to_html(report)
    assert f"sender = Treasury ({SHORT})" in page
    assert f"https://etherscan.io/address/{KEEPER}" in page  # the link goes to the address itself
    names = AddressNames.of(spec)
    found = finding(f"auctionEnd was accepted, but sender = {KEEPER} does not hold")
    assert f"sender = Treasury ({SHORT})" in check_text(found, names)
    assert f"sender = Treasury ({SHORT})" in check_sarif(found, "0", names).decode()
    document = json.loads(check_json(found, names))["findings"][0]
    assert "Treasury" in document["sentence"]
    assert document["values"] == {"sender": KEEPER}
    other = replace(spec, roles=(replace(spec.roles[0], addresses=("0x" + "11" * 20,)),))
    assert f"and was Treasury ({SHORT}) before" in comparison_text(compare(spec, other))


def test_an_address_behind_its_own_name_is_not_named_twice() -> None:
    names = AddressNames({KEEPER: "Keeper"})
    assert names.spell(f"Keeper ({KEEPER}) lost 1 ETH") == f"Keeper ({SHORT}) lost 1 ETH"
    assert names.spell(f"Owner ({KEEPER}) lost 1 ETH") == f"Owner (Keeper ({SHORT})) lost 1 ETH"


def test_without_names_nothing_changes() -> None:
    spec = replace(guarded("Treasury"), address_names=None)
    assert f"sender = {SHORT}" in short_summary(spec)
    assert b"address_names" not in encode_specification(spec)


def test_a_document_keeps_the_names() -> None:
    spec = guarded("Treasury")
    again = decode_specification(encode_specification(spec))
    assert again == spec
    assert again.address_names == {KEEPER: "Treasury"}
    assert again.guards[0].text == f"sender = {KEEPER}"


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text_wherever_they_are_told(name: str) -> None:
    spec, harmless = guarded(name), guarded("Treasury")
    page, plain_page = (to_html(Report(specification=item, evidence=None)) for item in (spec, harmless))
    assert set(tags(page)) == set(tags(plain_page))
    for tag in ("script", "img", "b", "style", "a"):
        assert tags(page).count(tag) == tags(plain_page).count(tag)
    texts = [
        page,
        to_markdown(Report(specification=spec, evidence=None)),
        to_dot(spec),
        to_mermaid(spec),
        short_summary(spec),
        summary(spec),
        check_text(finding(f"sender = {KEEPER}"), AddressNames.of(spec)),
        check_sarif(finding(f"sender = {KEEPER}"), "0", AddressNames.of(spec)).decode(),
    ]
    for text in texts:
        assert not {"\x1b", "\x07", "\x00", "\u202e", "\u200b", "\u2066", "\ud800"} & set(text)
    assert "\u202e" not in encode_specification(with_names(auction(), {KEEPER: "\u202ex"})).decode()


@pytest.mark.parametrize("name", [KEEPER, f"'{KEEPER}'", "0xf39F…2266", "$&\\1\\g<0>"])
def test_a_name_that_looks_like_an_address_is_told_once(name: str) -> None:
    text = AddressNames({KEEPER: name}).spell(f"owner = {KEEPER} and sender = {KEEPER.lower()}")
    assert text == f"owner = {name[:60]} ({SHORT}) and sender = {name[:60]} (0xf39f…2266)"


def test_a_large_file_names_only_what_the_history_mentions(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    with path.open("w") as file:
        for number in range(190_000):
            file.write(f"0x{number:040x},Nobody {number}\n")
        file.write(f'{KEEPER},"<b>Keeper"\n')
        file.write(f"0x{1 << 150:040x},{'y' * 100_000}\n")
    assert 10_000_000 < path.stat().st_size < MAX_BYTES
    done = specminer("mine", "auction_house", "--labels", str(path), "--out", "out", cwd=tmp_path)
    assert done.code == 0, done.err
    assert "<b>Keeper" in done.out
    document = json.loads((tmp_path / "out" / "automaton.json").read_text())
    assert document["address_names"][KEEPER] == "<b>Keeper"
    assert len(document["address_names"]) < 1_000
    assert "<b>Keeper" not in (tmp_path / "out" / "report.html").read_text()


def test_labels_are_given_later_as_well(tmp_path: Path) -> None:
    labels = tmp_path / "labels.json"
    labels.write_text(json.dumps({KEEPER: "Keeper"}))
    mine("auction_house", options=MineOptions(seed=0)).save(tmp_path / "out")
    bare = specminer("report", "out/automaton.json", "--format", "md", cwd=tmp_path)
    assert "Keeper" not in (tmp_path / "out" / "report.md").read_text(), bare.err
    done = specminer(
        "report", "out/automaton.json", "--format", "md", "--labels", "labels.json", cwd=tmp_path
    )
    assert done.code == 0, done.err
    assert f"Keeper ({SHORT})" in (tmp_path / "out" / "report.md").read_text()
    for command in (
        ("check", "out/automaton.json", "auction_house", "--from-block", "1"),
        ("diff", "out/automaton.json", "out/automaton.json"),
    ):
        assert specminer(*command, "--labels", "labels.json", cwd=tmp_path).code in (0, 1)
        wrong = specminer(*command, "--labels", "nothing.json", cwd=tmp_path)
        assert wrong.code == 2
        assert "nothing.json" in wrong.err
