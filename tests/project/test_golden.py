"""The comparison of outputs names what differs, and lets pass what means the same."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.extras import require
from tools.golden import differing_digests, differing_outputs, digests_of
from tools.meaning import same_smtlib
from tools.outputs import ROOT, Subject, made_files, make, subjects

GUARD = "(and (not (= |phase| 0)) (<= |a b| 5) (or |paused| (< |phase| |a b|)))"
SCRIPT = f"""\
; what is asked
(set-logic QF_LIA)
(declare-fun |phase| () Int)
(declare-fun |a b| () Int)
(declare-fun |paused| () Bool)
(define-fun |guard| () Bool {GUARD})
(assert (<= 0 |phase|))
(assert |guard|)
(check-sat)
"""
OUTPUTS = {
    "mine/automaton.json": json.dumps({"name": "House", "guards": [{"smt": GUARD}]}, indent=2),
    "mine/abstraction.toml": 'name = "tuned"\n[state]\nonly = true\nfix = ["a = 0"]\n',
    "export/automaton.smt2": SCRIPT,
    "mine.stdout": "States (5)\n  start\n",
    "steps.json": "[]",
}


def written(folder: Path, outputs: dict[str, str]) -> Path:
    """Write the outputs of one dataset, as the tool lays them out."""
    for name, text in (OUTPUTS | outputs).items():
        path = folder / "datasets" / "house" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture
def before(tmp_path: Path) -> Path:
    return written(tmp_path / "before", {})


def differences(before: Path, tmp_path: Path, **outputs: str) -> list[str]:
    changed = {name.replace("_", "/"): text for name, text in outputs.items()}
    return list(differing_outputs(before, written(tmp_path / "after", changed)))


def test_equal_outputs_have_no_difference(before: Path, tmp_path: Path) -> None:
    assert differences(before, tmp_path) == []


def test_a_changed_byte_is_named_with_its_line(before: Path, tmp_path: Path) -> None:
    after = written(tmp_path / "after", {"mine.stdout": "States (5)\n  Start\n"})
    (line,) = differing_outputs(before, after)
    assert line.startswith("datasets/house/mine.stdout: line 2")
    assert "'  start\\n'" in line
    assert "'  Start\\n'" in line


def test_a_missing_output_and_a_missing_end_of_line_are_named(before: Path, tmp_path: Path) -> None:
    after = written(tmp_path / "after", {"mine.stdout": "States (5)\n  start"})
    (after / "datasets/house/mine/abstraction.toml").unlink()
    assert [line.split("\n")[0] for line in differing_outputs(before, after)] == [
        "datasets/house/mine.stdout: line 2",
        "datasets/house/mine/abstraction.toml: the file",
    ]


def test_a_subject_that_only_one_side_has_differs(before: Path, tmp_path: Path) -> None:
    after = written(tmp_path / "after", {})
    shutil.rmtree(after / "datasets")
    assert len(list(differing_outputs(before, after))) == len(OUTPUTS) - 1
    assert list(differing_outputs(before, after, most=1))[1:] == [
        f"datasets/house: {len(OUTPUTS) - 2} more outputs differ"
    ]


def test_toml_is_compared_by_its_values(before: Path, tmp_path: Path) -> None:
    reordered = '# by a library\nname = "tuned"\nstate = { fix = [\n  "a = 0",\n], only = true }\n'
    assert differences(before, tmp_path, **{"mine_abstraction.toml": reordered}) == []
    other = OUTPUTS["mine/abstraction.toml"].replace("a = 0", "a = 1")
    assert len(differences(before, tmp_path, **{"mine_abstraction.toml": other})) == 1


def test_smtlib_within_json_is_compared_by_meaning_and_the_rest_by_bytes(
    before: Path, tmp_path: Path
) -> None:
    name = "mine_automaton.json"
    respelt = GUARD.replace("(not (= |phase| 0)) (<= |a b| 5)", "(<= |a b| 5) (not (= 0 phase))")
    text = json.dumps({"name": "House", "guards": [{"smt": respelt}]}, indent=2)
    assert differences(before, tmp_path, **{name: text}) == []
    (line,) = differences(before, tmp_path, **{name: text.replace("House", "Mouse")})
    assert ": line 2" in line
    (line,) = differences(before, tmp_path, **{name: text.replace("<=", "<")})
    assert ": SMT-LIB text 1" in line


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("(and a (and b c))", "(and c  b\n a)"),
        ("(= |x| 1)", "(= 1 x)"),
        ("(let ((y (+ x 1))) (< y (* 2 y)))", "(< (+ x 1) (* 2 (+ 1 x)))"),
        ("(declare-const x Int) (assert (< x 1))", "(declare-fun x () Int)\n(assert (< x 1))"),
    ],
)
def test_texts_that_mean_the_same_are_equal(first: str, second: str) -> None:
    assert same_smtlib(first, second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("(not (<= x 3))", "(> x 3)"),
        ("(=> p (< x 3))", "(or (not p) (< x 3))"),
        (SCRIPT, SCRIPT.replace("(<= |a b| 5)", "(< |a b| 6)")),
    ],
)
def test_where_the_form_differs_the_solver_decides(first: str, second: str) -> None:
    require("z3")
    assert same_smtlib(first, second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("(and a b)", "(or a b)"),
        ("(< x 1)", "(< 1 x)"),
        ("(- x 1)", "(- 1 x)"),
        ("(= x 1)", "(= y 1)"),
        ("(= x 1", "(= x 1)"),
        (SCRIPT, SCRIPT.replace("(assert |guard|)", "(assert (not |guard|))")),
        (SCRIPT, SCRIPT.replace("(<= |a b| 5)", "(<= |a b| 6)")),
        (SCRIPT, SCRIPT.replace("|guard|", "|other|")),
        (SCRIPT, SCRIPT.replace("(declare-fun |phase| () Int)", "(declare-fun |phase| () Bool)")),
        (SCRIPT, SCRIPT.replace("what is asked", "what was asked")),
        (SCRIPT, SCRIPT.replace("(check-sat)", "")),
    ],
)
def test_texts_that_mean_something_else_differ(first: str, second: str) -> None:
    assert not same_smtlib(first, second)


def test_digests_tell_the_same(before: Path, tmp_path: Path) -> None:
    name = "datasets/house"
    known = digests_of(before, [name])
    reordered = SCRIPT.replace("(<= |a b| 5) ", "").replace("(or |paused|", "(<= |a b| 5) (or |paused|")
    after = written(tmp_path / "after", {"export/automaton.smt2": reordered, "mine.stdout": "States (6)\n"})
    (after / name / "mine/extra.txt").write_text("new\n")
    assert sorted(differing_digests(known, digests_of(after, [name]))) == [
        f"{name}/mine.stdout: differs",
        f"{name}/mine/extra.txt: has no digest yet",
    ]
    assert list(differing_digests(digests_of(after, [name]), known))[-1] == (
        f"{name}/mine/extra.txt: is no longer written"
    )


def test_what_is_malformed_is_compared_as_text(before: Path, tmp_path: Path) -> None:
    broken = {"mine/abstraction.toml": "name = ", "export/automaton.smt2": "(assert"}
    after = written(tmp_path / "after", broken)
    assert len(list(differing_outputs(before, after))) == len(broken)
    assert len(list(differing_outputs(before, written(tmp_path / "again", broken)))) == len(broken)
    assert digests_of(after, ["datasets/house"]) == digests_of(tmp_path / "again", ["datasets/house"])


def test_every_shipped_dataset_is_a_subject_and_names_choose_some() -> None:
    shipped = {f"datasets/{path.parent.name}" for path in ROOT.glob("datasets/*/about.toml")}
    assert shipped <= {subject.name for subject in subjects(ROOT)}
    assert [subject.name for subject in subjects(ROOT, ["token", "datasets/escrow"])] == [
        "datasets/escrow",
        "datasets/token",
    ]


def test_steps_are_run_by_the_tree_and_again_only_where_they_changed(tmp_path: Path) -> None:
    folder = ROOT / "datasets" / "escrow"
    steps = (("list", ("datasets", "list")), ("wrong", ("mine", "inputs/nothing.json")))
    subject = Subject(name="datasets/escrow", inputs=folder, steps=steps)
    make(ROOT, [subject], tmp_path, fresh=False)
    made = made_files(tmp_path / subject.name)
    assert "escrow" in made["list.stdout"].read_text()
    assert json.loads(made["codes.json"].read_text()) == {"list": 0, "wrong": 2}
    assert made["wrong.stderr"].read_text().startswith("error: 'inputs/nothing.json' is not an address")
    made["list.stdout"].write_text("kept")
    make(ROOT, [subject], tmp_path, fresh=False)
    assert made["list.stdout"].read_text() == "kept"
    make(ROOT, [Subject(name=subject.name, inputs=folder, steps=steps[:1])], tmp_path, fresh=False)
    assert made_files(tmp_path / subject.name).keys() == {"codes.json", "list.stdout", "list.stderr"}
