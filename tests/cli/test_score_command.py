"""``specminer score``: what it prints, its exit codes, and what it says of files that are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from specminer.specification import encode_specification
from tests.support.command import specminer
from tests.support.specifications import HOSTILE_NAMES, auction, edge, specification, states

AUCTION: Final = encode_specification(auction())
TRUTH: Final[dict[str, Any]] = {
    "start": "new",
    "transitions": [
        {"source": "new", "function": "constructor", "target": "open"},
        {"source": "open", "function": "bid", "target": "open", "roles": ["bidder"]},
        {"source": "open", "function": "auctionEnd", "target": "ended"},
        {"source": "ended", "function": "withdraw", "target": "ended"},
    ],
}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Return a folder with the auction as it was mined and as it was declared."""
    (tmp_path / "mined.json").write_bytes(encode_specification(auction()))
    (tmp_path / "truth.json").write_text(json.dumps(TRUTH))
    return tmp_path


def test_the_text_tells_the_score_and_the_shortest_differences(files: Path) -> None:
    done = specminer("score", "mined.json", "truth.json", cwd=files)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["precision", "recall", "F"]
    assert lines[2].endswith("(10 seeds, over bare function names)")
    assert "is one of the truth: no; the shortest that is not:\n  constructor, bid, withdraw" in done.out
    assert (
        "is one of the mined automaton: no; the shortest that is not:\n  constructor, auctionEnd" in done.out
    )
    assert done == specminer("score", "mined.json", "truth.json", cwd=files)


def test_json_has_the_same_numbers(files: Path) -> None:
    done = specminer("score", "mined.json", "truth.json", "--format", "json", "--seeds", "3", cwd=files)
    found = json.loads(done.out)
    assert (found["format"], found["version"], found["labels"]) == ("specminer/score", 1, "functions")
    assert len(found["f"]["values"]) == found["seeds"] == 3
    assert found["mined_in_truth"] == {"holds": False, "counterexample": ["constructor", "bid", "withdraw"]}
    assert found["only_mined"] == found["only_truth"] == []


def test_an_automaton_matches_itself(files: Path) -> None:
    done = specminer("score", "mined.json", "mined.json", "--min", "1", "--labels", "events", cwd=files)
    assert done.code == 0
    assert done.out.count(": yes") == 2
    assert "F          1.000 ± 0.000" in done.out


def test_a_score_under_the_minimum_is_an_exit_code(files: Path) -> None:
    done = specminer("score", "mined.json", "truth.json", "--min", "0.99", cwd=files)
    assert done.code == 1
    assert done.out.startswith("precision")
    assert "below the 0.99 asked for with --min" in done.err
    assert specminer("score", "mined.json", "truth.json", "--min", "0.1", cwd=files).code == 0


def test_a_missing_deployment_is_told(files: Path) -> None:
    (files / "slices.json").write_bytes(
        encode_specification(specification("slices", states(2), (edge(0, "bid", 1, 1),)))
    )
    done = specminer("score", "slices.json", "truth.json", cwd=files)
    assert "only the truth has: auctionEnd, constructor, withdraw" in done.out
    assert "--ignore constructor" in done.out
    done = specminer("score", "slices.json", "truth.json", "--ignore", "constructor", cwd=files)
    assert "constructor" not in done.out
    assert "of the truth: yes" in done.out


def test_roles_count_only_where_asked(files: Path) -> None:
    done = specminer("score", "mined.json", "truth.json", "--labels", "events", cwd=files)
    assert "only the truth has: bid as bidder" in done.out
    assert "over events with roles" in done.out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "bad.json is not JSON"),
        (b"{}", "neither an automaton written by specminer (it has no 'format')"),
        (b"[]", "bad.json: expected a JSON object but got list"),
        (b'{"format": "specminer/traces"}', "bad.json is not an automaton written by specminer"),
        (b'{"start": "a"}', "missing required field `transitions`"),
        (b'{"start": "a", "transitions": [{"source": "a", "function": 1}]}', "transitions[0].function"),
        (b'{"start": "z", "transitions": [{"source":"a","function":"f","target":"b"}]}', "start is 'z'"),
        (AUCTION.replace(b'"initial": 0', b'"initial": 9'), "bad.json: transitions: the initial"),
        (AUCTION.replace(b'"count": 310', b'"count": -1'), "at `$.transitions[3].count`"),
        (AUCTION.replace(b'"count": 310', b'"count": 9223372036854775808'), "at `$.transitions[3].count`"),
        (AUCTION.replace(b'"target": 3', b'"target": 33'), "not one of the states"),
    ],
)
def test_a_broken_file_is_told_by_name_and_place(files: Path, content: bytes, message: str) -> None:
    (files / "bad.json").write_bytes(content)
    for pair in (("bad.json", "truth.json"), ("mined.json", "bad.json")):
        done = specminer("score", *pair, cwd=files)
        assert done.code == 2, done
        assert done.out == ""
        assert "bad.json" in done.err
        assert message in done.err


def test_a_missing_file_is_told(files: Path) -> None:
    done = specminer("score", "mined.json", "nowhere.json", cwd=files)
    assert done.code == 2
    assert "nowhere.json cannot be read: No such file or directory" in done.err


def test_options_out_of_range_are_refused(files: Path) -> None:
    for option, value in (("--seeds", "0"), ("--min", "1.5"), ("--min", "nan"), ("--labels", "all")):
        assert specminer("score", "mined.json", "truth.json", option, value, cwd=files).code == 2


def test_hostile_names_come_out_as_text(files: Path) -> None:
    rows = [edge(0, name, 1, 1) for name in HOSTILE_NAMES if name and "\ud800" not in name]
    (files / "hostile.json").write_bytes(encode_specification(specification("x", states(2), tuple(rows))))
    truth = {"start": "\x1b[2J", "transitions": [{"source": "\x1b[2J", "function": "\x07", "target": "b"}]}
    (files / "odd.json").write_bytes(msgspec.json.encode(truth))
    done = specminer("score", "hostile.json", "odd.json", cwd=files)
    assert done.code == 0
    assert not {"\x1b", "\x07", "\u202e", "\u200b"} & set(done.text)
    assert max(map(len, done.out.splitlines())) < 1_500
