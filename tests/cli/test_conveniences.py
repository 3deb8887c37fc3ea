"""Small things that help at the terminal: what to run next, the page of the last run, names instead of addresses."""

from __future__ import annotations

import os
import webbrowser
from pathlib import Path

import pytest

from specminer._support.errors import UsageError
from specminer.cli import main
from specminer.cli.app import next_command
from specminer.cli.open_command import find_page
from specminer.pipeline.inputs import parse_address
from specminer.presentation.overloads import short_overloads
from specminer.presentation.picture_options import PictureOptions
from tests.support.command import cold, environment, specminer


def test_the_command_alone_suggests_the_next_one(tmp_path: Path) -> None:
    assert specminer(cwd=tmp_path).out == next_command(tmp_path) + "\n"
    assert next_command(tmp_path).startswith("Next: specminer demo")
    (tmp_path / "specminer.db").touch()
    assert next_command(tmp_path).startswith("Next: specminer db stats")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "report.html").touch()
    assert next_command(tmp_path).startswith("Next: specminer open")


def test_the_newest_report_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for place, name in enumerate(("new", "old")):
        (tmp_path / name).mkdir()
        page = tmp_path / name / "report.html"
        page.touch()
        os.utime(page, (1_000 - place, 1_000 - place))
    (tmp_path / "new" / "automaton.json").touch()
    assert find_page(tmp_path) == tmp_path / "new" / "report.html"
    assert find_page(tmp_path / "old") == tmp_path / "old" / "report.html"
    assert find_page(tmp_path / "new" / "automaton.json") == tmp_path / "new" / "report.html"
    opened: list[str] = []

    def show(url: str) -> bool:
        opened.append(url)
        return True

    monkeypatch.setattr(webbrowser, "open", show)
    assert main(["open", str(tmp_path)]) == 0
    assert opened == [(tmp_path / "new" / "report.html").resolve().as_uri()]
    monkeypatch.setattr(webbrowser, "open", lambda url: False)
    assert main(["open", str(tmp_path)]) == 2
    assert "open it yourself" in capsys.readouterr().err.replace(str(find_page(tmp_path)), "it")


def test_where_no_report_is_it_is_said_what_writes_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="`specminer mine` writes one"):
        find_page(tmp_path)
    (tmp_path / "automaton.json").touch()
    with pytest.raises(UsageError, match=r"`specminer report .*automaton\.json` writes one"):
        find_page(tmp_path / "automaton.json")


@pytest.mark.parametrize("name", ["vitalik.eth", "pay.shop.ETH", "größe.eth"])
def test_a_name_of_ens_gets_a_sentence_that_helps(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError, match="give the address that a block explorer"):
        parse_address(name)
    assert main(["mine", name, "--out", str(tmp_path / "out")]) == 2
    assert "is a name of ENS" in capsys.readouterr().err


def test_commands_are_completed(tmp_path: Path) -> None:
    asked = {"_SPECMINER_COMPLETE": "bash_complete", "COMP_WORDS": "specminer op", "COMP_CWORD": "1"}
    done = cold(cwd=tmp_path, env=environment(**asked))
    assert done.out.split() == ["plain,open"]


def test_overloads_have_short_names_of_their_own() -> None:
    shown = short_overloads(
        [
            "transfer",
            "safeTransferFrom(address,address,uint256)",
            "safeTransferFrom(address,address,uint256,bytes)",
            "add(address)",
            "add(uint256)",
            "put((uint256,address))",
            "put((uint256,address),uint8)",
            "(",
            ")(",
        ]
    )
    assert shown == {
        "safeTransferFrom(address,address,uint256)": "safeTransferFrom(…)",
        "safeTransferFrom(address,address,uint256,bytes)": "safeTransferFrom(…, bytes)",
        "add(address)": "add(address)",
        "add(uint256)": "add(uint256)",
        "put((uint256,address))": "put(…)",
        "put((uint256,address),uint8)": "put(…, uint8)",
    }


def test_a_compact_picture_has_no_guards_and_fewer_events() -> None:
    from specminer.presentation.dot import to_dot
    from tests.support.mined import mined

    spec = mined("escrow").specification
    whole, compact = to_dot(spec), to_dot(spec, PictureOptions(theme="dark").compact())
    assert "needs" in whole
    assert "needs" not in compact
    assert "more guard" not in compact
    assert "usual path" not in compact
    assert PictureOptions(theme="dark").compact().theme == "dark"
