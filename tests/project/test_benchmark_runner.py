"""The benchmark: one command, results as JSON, a page that is made of them, and one folder for one contract more."""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.corpus_folder import CORPUS, CorpusFolder, FolderError, corpus, read_folder
from benchmarks.corpus_measures import EXERCISED, OWN, exercised
from benchmarks.event_words import Sample
from benchmarks.measures import MEASURES
from benchmarks.page import ROOT, low_scores, page_files, shares
from benchmarks.peers import alergia, edsm, k_tails
from benchmarks.regressions import regressions
from benchmarks.results import RESULTS, Results, Table, read_results, results_text, surroundings
from specminer.automaton import Subsets, equivalent, from_edges
from specminer.contracts.artifact import load
from specminer.contracts.interface import from_artifact
from specminer.decoding import decode
from specminer.history.contract_history import OUTCOMES
from specminer.history.trace import OutcomeKind
from specminer.pipeline.datasets import dataset
from tests.support.extras import require
from tests.support.third_party.followed_lives import FollowedLives
from tests.support.third_party.recording import Recording
from tests.support.third_party.written_states import written_life

LIVES = [folder for folder in corpus() if folder.life is not None]
PLAYED = [folder for folder in corpus() if folder.is_played]
SHIPPED = [folder for folder in corpus() if folder.dataset is not None]


def table(column: str, *values: float) -> Table:
    """Return the table of a measure, with a row for each value."""
    return Table(
        date="2026-12-01",
        quick=False,
        seeds=10,
        seconds=1.0,
        load=0.5,
        run=0,
        columns=["history", "evidence", column],
        rows=[[f"history{place}", "layout", value] for place, value in enumerate(values)],
    )


def results(**tables: Table) -> Results:
    return Results(surroundings=[surroundings()], measures=tables)


# -- the page ---------------------------------------------------------------------------------------


def test_the_page_is_the_one_that_the_results_make() -> None:
    for path, text in page_files(read_results(RESULTS)).items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run `python -m benchmarks --page`"


def test_the_results_are_whole_and_written_as_the_command_writes_them() -> None:
    kept = read_results(RESULTS)
    assert RESULTS.read_text(encoding="utf-8") == results_text(kept)
    assert not [name for name, item in kept.measures.items() if item.quick]
    for item in MEASURES:
        if item.name in kept.measures:
            assert kept.measures[item.name].columns == list(item.columns)


def test_low_scores_are_explained() -> None:
    limits = {folder.name: folder.limit for folder in corpus()}
    assert [name for name in low_scores(read_results(RESULTS)) if not limits[name]] == []


def test_the_results_hold_what_is_aimed_at() -> None:
    """Entities, guards and effects; of automata the page says what stands in the way."""
    found = shares(read_results(RESULTS))
    assert found["entities: pairwise F1, mean"] >= 0.98
    assert found["guards by which somebody was rejected: found"] >= 0.95
    assert found["effects: found"] >= 0.95
    assert found["guards: wrong"] <= 0.01
    assert found["effects: wrong"] <= 0.01


_CLAIM = re.compile(
    r"\d times as (?:fast|long)|times faster"
    r"|\b(?:two|three|four|five|six|eight|ten|twenty|thirty|hundred) times as (?:fast|long)"
    r"|\d [KMG]B of memory|\d bytes in the database|\d (?:transactions|calls|blocks) (?:a|per) second"
    r"|\b(?:F1?|accuracy|precision|recall) (?:of|is) [.0-9]"
)
"""What says how fast, how small or how right specminer is."""


def test_other_pages_claim_no_figures() -> None:
    """What is measured stands in the results, and on the page that is made of them."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    read = [path for path in pages if path.name != "benchmarks.md" and path.parent.name != "adr"]
    assert len(read) > 30
    claims = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in read
        for match in _CLAIM.finditer(" ".join(path.read_text(encoding="utf-8").split()))
    ]
    assert claims == []
    assert _CLAIM.search("takes some twenty times as long")


def test_a_changed_number_changes_the_page() -> None:
    kept = results(splits=table("f1", 1.0, 0.5))
    other = results(splits=table("f1", 1.0, 0.25))
    assert page_files(kept) != page_files(other)


# -- one folder, one command ------------------------------------------------------------------------


@pytest.mark.slow
def test_a_contract_of_somebody_else_is_measured_beside_the_peers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    require("aalpy")
    folder, kept = tmp_path / "deals", tmp_path / "results.json"
    folder.mkdir()
    shutil.copy(dataset("escrow").folder / "traces.jsonl.gz", folder)
    shutil.copy(CORPUS / "escrow" / "protocol.json", folder)
    assert main(["--contract", str(folder), "--quick", "--results", str(kept)]) == 0
    found = read_results(kept).measures["automata"]
    assert found.quick
    assert {row[0] for row in found.rows} == {"deals"}
    f = {row[1]: row[found.columns.index("f")] for row in found.rows}
    assert f[OWN] == 1.0
    assert f[EXERCISED] == 1.0
    assert "Alergia (AALpy)" in f
    assert "specminer" in capsys.readouterr().out
    assert main(["--contract", str(folder), "--quick", "--results", str(kept), "--against", str(kept)]) == 0


def test_a_folder_without_a_history_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--contract", str(tmp_path), "--quick"]) == 2
    assert "expected trace files" in capsys.readouterr().err
    assert main(["--contract", str(tmp_path / "missing"), "--quick"]) == 2


def test_what_a_folder_says_of_itself_is_checked(tmp_path: Path) -> None:
    (tmp_path / "about.toml").write_text('titel = "Deals"\n')
    with pytest.raises(FolderError, match="titel"):
        read_folder(tmp_path)
    (tmp_path / "about.toml").write_text("title = ")
    with pytest.raises(FolderError, match="malformed"):
        read_folder(tmp_path)


def test_measures_are_listed_and_others_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        item.name for item in MEASURES
    ]
    with pytest.raises(SystemExit):
        main(["speed"])


# -- the corpus -------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: str(folder.name))
def test_protocols_speak_of_functions_that_the_contract_has(folder: CorpusFolder) -> None:
    assert folder.dataset is not None
    functions = {"constructor"}
    for path in dataset(folder.dataset).folder.glob("artifact.json"):
        functions |= {each.name for each in from_artifact(load(path)).functions.values()}
    assert folder.protocol().input_symbols <= functions


@pytest.mark.slow
@pytest.mark.parametrize("folder", LIVES, ids=lambda folder: str(folder.name))
def test_written_protocols_take_what_their_histories_do(
    folder: CorpusFolder, third_party: Callable[[str], Recording]
) -> None:
    assert folder.life is not None
    lives = FollowedLives(recording=third_party(folder.life), life=written_life(folder.life))
    words: dict[object, list[str]] = defaultdict(list)
    for call in lives.calls:
        for key in call.keys if call.accepted else ():
            words[key].append(call.function.partition("(")[0])
    judge = Subsets(folder.protocol())
    assert [word for word in words.values() if not judge.accepts(tuple(word))] == []


@pytest.mark.slow
@pytest.mark.usefixtures("tools")
@pytest.mark.parametrize("folder", PLAYED, ids=lambda folder: str(folder.name))
def test_scenarios_take_every_function_of_the_protocol(folder: CorpusFolder) -> None:
    history, artifact = folder.history()
    context = decode(history, artifact)
    accepted = history.invocation_outcome == OUTCOMES.index(OutcomeKind.RETURNED)
    functions = {context.calls.functions[number] for number in context.calls.function[accepted].tolist()}
    assert folder.protocol().input_symbols <= functions
    assert 0.2 < accepted.mean() < 0.95


# -- the peers --------------------------------------------------------------------------------------

DEALS = Sample(
    words=(("open", "pay", "close"), ("open", "cancel"), ("open", "pay", "pay", "close"), ("open",)) * 3,
    refused=frozenset({(("open",), "close"), ((), "pay"), (("open", "cancel"), "pay")}),
)


@pytest.mark.parametrize("k", [1, 2])
def test_k_tails_joins_states_with_the_same_continuations(k: int) -> None:
    require("aalpy")
    found = k_tails(Sample(words=(("a", "b"), ("c", "b")), refused=frozenset()), k)
    assert equivalent(found, from_edges([(0, "a", 1, 1), (0, "c", 1, 1), (1, "b", 2, 1)]))


def test_edsm_keeps_what_was_rejected_apart() -> None:
    require("aalpy")
    found = edsm(DEALS)
    assert found is not None
    judge = Subsets(found)
    assert all(judge.accepts(word) for word in DEALS.words)
    assert not any(judge.accepts((*word, function)) for word, function in DEALS.refused)


def test_alergia_takes_the_words_that_it_learned_from() -> None:
    require("aalpy")
    judge = Subsets(alergia(DEALS))
    assert all(judge.accepts(word) for word in DEALS.words)
    assert not judge.accepts(("close",))


def test_what_no_word_takes_is_not_exercised() -> None:
    truth = from_edges([(0, "a", 1, 1), (0, "a", 2, 1), (1, "b", 3, 1), (2, "c", 3, 1), (3, "d", 3, 1)])
    part = exercised(truth, [("a", "b"), ("z",)])
    assert equivalent(part, from_edges([(0, "a", 1, 1), (1, "b", 2, 1)]))


# -- regressions ------------------------------------------------------------------------------------


def test_a_number_that_falls_by_more_than_chance_is_told() -> None:
    before = results(splits=table("f1", 1.0, 1.0))
    assert regressions(before, results(splits=table("f1", 1.0, 0.995))) == []
    (line,) = regressions(before, results(splits=table("f1", 1.0, 0.9)))
    assert "splits" in line
    assert "0.9500" in line


def test_what_only_one_run_measured_is_not_compared() -> None:
    before = results(splits=table("f1", 1.0, 1.0, 0.1))
    assert regressions(before, results(splits=table("f1", 1.0))) == []
    assert regressions(results(), before) == []
