"""``specminer check``: what it prints, its exit codes, and what it says of what cannot be checked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from specminer.pipeline.datasets import dataset
from specminer.presentation.check_result import MAX_SHOWN, check_json, check_sarif, check_text
from specminer.specification import Occurrence, encode_specification
from specminer.specification.deviation import Basis, CheckResult, Deviation, Severity
from tests.support.command import specminer
from tests.support.cut_datasets import specification
from tests.support.specifications import HOSTILE_NAMES, auction


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the specification of a dataset's first part."""
    path = tmp_path_factory.mktemp("check")
    (path / "automaton.json").write_bytes(encode_specification(specification("savings")))
    return path


def test_an_attack_is_told_and_ends_with_1(folder: Path) -> None:
    done = specminer("check", "automaton.json", "savings", cwd=folder)
    assert (done.code, done.err) == (1, "")
    first, worst, sentence = done.out.splitlines()[:3]
    assert "calls in" in first
    assert "broken" in first or "unknown" in first
    assert (
        worst == "block 292, transaction 0xfa5be2548fb86b94c02499969e80aef2373fc3b4abc3ad2a5a82d5302c2373cf"
    )
    assert sentence.startswith("  broken   close broke what held in")


def test_what_fits_ends_with_0(folder: Path) -> None:
    done = specminer(
        "check", "automaton.json", "savings", "--to-block", "291", "--from-block", "280", cwd=folder
    )
    assert (done.code, done.err) == (0, "")
    assert "all fit the specification" in done.out


def test_nothing_new_is_said(folder: Path) -> None:
    done = specminer("check", "automaton.json", "savings", "--from-block", "9000000", cwd=folder)
    assert done.code == 0
    assert "there is no transaction to check" in done.out


def test_how_bad_it_has_to_be_can_be_chosen(folder: Path) -> None:
    only = ("--from-block", "300")
    assert specminer("check", "automaton.json", "savings", *only, cwd=folder).code == 0
    assert specminer("check", "automaton.json", "savings", *only, "--at", "unusual", cwd=folder).code == 1


def test_json_and_sarif_hold_all(folder: Path) -> None:
    told = json.loads(specminer("check", "automaton.json", "savings", "--format", "json", cwd=folder).out)
    assert (told["format"], told["version"]) == ("specminer/check", 1)
    assert {item["severity"] for item in told["findings"]} <= {"unusual", "unknown", "broken"}
    log = json.loads(specminer("check", "automaton.json", "savings", "--format", "sarif", cwd=folder).out)
    (run,) = log["runs"]
    assert log["version"] == "2.1.0"
    assert len(run["results"]) == len(told["findings"])
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {item["ruleId"] for item in run["results"]} == rules
    assert {item["level"] for item in run["results"]} <= {"note", "warning", "error"}


def test_one_transaction(folder: Path) -> None:
    attack = "0xfa5be2548fb86b94c02499969e80aef2373fc3b4abc3ad2a5a82d5302c2373cf"
    done = specminer("check", "automaton.json", "savings", "--transaction", attack, cwd=folder)
    assert done.code == 1
    assert "in 1 transaction," in done.out


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("missing.json",), 2, "missing.json cannot be read"),
        (("automaton.json", "0x12"), 2, "0x12"),
        (("automaton.json", "savings", "--transaction", "0x12"), 2, "64 hexadecimal digits"),
        (
            ("automaton.json", "savings", "--transaction", "0x" + "11" * 32),
            3,
            "the history does not hold 0x1111",
        ),
        (
            ("automaton.json", "savings", "--from-block", "9", "--to-block", "8"),
            2,
            "the range of blocks is empty",
        ),
        (("automaton.json", "savings", "--at", "bad"), 2, "broken"),
        (("automaton.json", "auction_house"), 2, "is it of another contract?"),
        (("automaton.json", "--db", "none.db"), 3, "there is no database none.db"),
    ],
)
def test_what_cannot_be_checked(folder: Path, arguments: tuple[str, ...], code: int, told: str) -> None:
    done = specminer("check", *arguments, cwd=folder)
    assert (done.code, done.out) == (code, "")
    assert told in done.err
    assert "Traceback" not in done.err


def test_the_specifications_contract_is_taken_from_the_database(folder: Path) -> None:
    assert specminer("import", str(dataset("savings").traces), "--db", "h.db", cwd=folder).code == 0
    done = specminer("check", "automaton.json", "--db", "h.db", cwd=folder)
    assert (done.code, done.err) == (1, "")
    assert done.out == specminer("check", "automaton.json", "savings", cwd=folder).out
    (folder / "made.json").write_bytes(encode_specification(auction()))
    other = specminer("check", "made.json", "--db", "h.db", cwd=folder)
    assert other.code == 3
    assert "holds nothing of" in other.err


def _deviation(text: str, severity: Severity = Severity.BROKEN) -> Deviation:
    return Deviation(
        severity=severity,
        basis=Basis.GUARD,
        function=text,
        interaction=text,
        where=Occurrence(transaction="0x" + "ab" * 32, block=7, timestamp=None),
        invocation=0,
        sentence=text,
        claim=text,
        values={text: text},
    )


def _result(*found: Deviation, name: str = "made") -> CheckResult:
    return CheckResult(
        name=name, first_block=1, last_block=9, transactions=2, events=3, findings=found, unjudged={name: 1}
    )


@pytest.mark.parametrize("name", [name for name in HOSTILE_NAMES if "\ud800" not in name])
def test_hostile_texts_stay_texts(name: str) -> None:
    result = _result(_deviation(name), name=name)
    shown = check_text(result)
    assert shown.replace("\n", "").isprintable()
    assert len(shown) < 3_000
    (run,) = json.loads(check_sarif(result, "1"))["runs"]
    assert run["results"][0]["message"]["text"].isprintable()
    assert json.loads(check_json(result))["findings"][0]["sentence"] == name


def test_the_worst_come_first_and_many_are_counted() -> None:
    many = [_deviation(f"odd {number}", Severity.UNUSUAL) for number in range(MAX_SHOWN + 9)]
    shown = check_text(_result(*many, _deviation("bad")))
    assert shown.splitlines()[2] == "  broken   bad: bad"
    assert "… and 10 more" in shown
