"""``specminer prove`` replays obligations; ``specminer export-smt`` writes what a stock solver reads."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import z3

from specminer.predicate.smtlib_document import smtlib
from specminer.specification import (
    Guard,
    GuardKind,
    Obligation,
    Proof,
    SolverAnswer,
    Specification,
    SymbolSort,
    TransitionVerdict,
    encode_specification,
    read_specification,
)
from tests.support.command import specminer
from tests.support.extras import require
from tests.support.mined import mined
from tests.support.specifications import HOSTILE_NAMES, auction

HELD = Obligation(
    scope="bid",
    claim="some call meets the guard",
    script="(set-logic QF_LIA)\n(declare-fun |value| () Int)\n(assert (< 0 |value|))\n(check-sat)\n",
    expected=SolverAnswer.SAT,
    answer=SolverAnswer.SAT,
)


def written(folder: Path, **parts: Any) -> Specification:
    spec = replace(auction(), **parts)
    (folder / "automaton.json").write_bytes(encode_specification(spec))
    return spec


def test_what_is_mined_is_proved_again_and_read_by_z3(tmp_path: Path) -> None:
    assert specminer("mine", "vaults", "--out", "out", cwd=tmp_path).code == 0
    done = specminer("prove", "out/automaton.json", cwd=tmp_path)
    assert done.code == 0, done.text
    assert "0 do not, 0 undecided" in done.out
    assert specminer("export-smt", "out/automaton.json", "--out", "a.smt2", cwd=tmp_path).code == 0
    assert by_z3(tmp_path / "a.smt2") == "sat\n"
    spec = read_specification(tmp_path / "out/automaton.json")
    assert {item.proved for item in spec.guards if item.kind is GuardKind.REQUIRED and item.text} == {
        Proof.YES
    }
    assert {item.proved for item in spec.obligations} == {Proof.YES}


def by_z3(path: Path) -> str:
    """Return all that the solver's own program says of a file."""
    program = Path(sys.executable).with_name("z3")
    done = subprocess.run([program, path], capture_output=True, text=True, timeout=600, check=False)
    return done.stdout + done.stderr


def by_cvc5(path: Path) -> str:
    """Return all that another solver says of a file."""
    cvc5 = require("cvc5")
    manager = cvc5.TermManager()
    solver = cvc5.Solver(manager)
    parser = cvc5.InputParser(solver)
    parser.setFileInput(cvc5.InputLanguage.SMT_LIB_2_6, str(path))
    told = []
    while not (command := parser.nextCommand()).isNull():
        told.append(command.invoke(solver, parser.getSymbolManager()))
    return "".join(told)


@pytest.mark.parametrize("name", ["loans", "names", "token"])
@pytest.mark.parametrize("solver", [by_z3, by_cvc5])
def test_stock_solvers_read_the_export_without_a_word(
    tmp_path: Path, name: str, solver: Callable[[Path], str]
) -> None:
    path = tmp_path / "a.smt2"
    path.write_text(smtlib(mined(name).specification), encoding="utf-8")
    assert solver(path) == "sat\n"


def test_a_step_in_the_export_goes_from_what_holds_to_what_holds(tmp_path: Path) -> None:
    """No step leads from a state's number where something else holds; exclusive siblings need different calls."""
    spec = mined("loans").specification
    text = smtlib(spec).removesuffix("(check-sat)\n")
    pair = next(item for item in spec.siblings if item.verdict is TransitionVerdict.EXCLUSIVE)
    places = [
        place
        for place, edge in enumerate(spec.transitions)
        if edge.source == pair.source and edge.target in pair.targets and edge.function == "repay"
        if edge.outcome == "returned"
    ]
    for asked, answer in (
        (f"(and (= |from| {pair.source}) (not |state {pair.source}|))", "unsat"),
        (f"(and |state {pair.source}| |transition {places[0]}|)", "sat"),
        (f"(and |state {pair.source}| |transition {places[0]}| |transition {places[1]}|)", "unsat"),
    ):
        path = tmp_path / "asked.smt2"
        path.write_text(f"{text}(assert {asked})\n(check-sat)\n", encoding="utf-8")
        assert by_z3(path) == f"{answer}\n"


@pytest.mark.parametrize(
    "term",
    [
        "true) (exit",
        "(and true",
        "(exit)",
        "true true",
        "|y|",
        "(" * 500 + "true" + ")" * 500,
        "",
        "(= 1 #x1)",
    ],
)
def test_a_term_that_is_none_is_refused(tmp_path: Path, term: str) -> None:
    spec = auction()
    states = tuple(replace(state, smt=term) for state in spec.states)
    written(tmp_path, states=states, symbols={"|x|": SymbolSort.WORD})
    done = specminer("export-smt", "automaton.json", cwd=tmp_path)
    assert done.code == 2, done.text
    assert "expected" in done.err
    assert "Traceback" not in done.err


def test_a_claim_that_does_not_hold_is_told_with_exit_code_1(tmp_path: Path) -> None:
    written(tmp_path, obligations=(HELD, replace(HELD, expected=SolverAnswer.UNSAT)))
    done = specminer("prove", "automaton.json", cwd=tmp_path)
    assert done.code == 1
    assert done.out.splitlines() == [
        "does not hold: bid: some call meets the guard",
        "2 obligations: 1 holds, 1 do not, 0 undecided",
    ]
    shown = json.loads(specminer("prove", "automaton.json", "--format", "json", cwd=tmp_path).out)
    assert [item["holds"] for item in shown["obligations"]] == [True, False]


@pytest.mark.parametrize(
    "script",
    [
        "",
        "(",
        ")",
        "(assert x)",
        "(exit",
        "(set-option :x 1)",
        "(get-model)",
        "(assert " + "(not " * 5000 + "true" + ")" * 5000 + ")",
        "x" * 300_000,
        "(declare-fun x () Int)(assert (< x true))",
        '(include "/etc/passwd")',
    ],
)
def test_a_malformed_obligation_is_told_on_one_line(tmp_path: Path, script: str) -> None:
    written(tmp_path, obligations=(replace(HELD, script=script, expected=SolverAnswer.UNSAT),))
    done = specminer("prove", "automaton.json", cwd=tmp_path)
    assert done.code in (1, 2), done.text
    assert "Traceback" not in done.err
    assert "defect" not in done.err


@pytest.mark.parametrize("name", [name for name in HOSTILE_NAMES if name.isascii() or name.isprintable()])
def test_hostile_names_stay_comments(tmp_path: Path, name: str) -> None:
    guard = Guard(scope=name, text=name, kind=GuardKind.REQUIRED, symbols={name: SymbolSort.WORD})
    spec = auction()
    states = tuple(replace(state, name=name) for state in spec.states)
    written(tmp_path, name=name, states=states, guards=(guard,))
    done = specminer("export-smt", "automaton.json", cwd=tmp_path)
    assert done.code == 0, done.text
    solver = z3.Solver()
    solver.from_string(done.out)
    assert solver.check() == z3.sat
