"""Where another split is nearly as good, it is mined as well: document, summary, picture, a tab in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By

from specminer import MineOptions, read
from specminer.interaction import Interactions, second_view, split
from specminer.interaction.split_choice import NEAR
from specminer.pipeline import division, following, import_traces, mining
from specminer.pipeline.mined import MinedSpecification
from specminer.presentation.graphviz_layout import renderer
from specminer.presentation.page import to_html
from specminer.presentation.report_document import Report
from specminer.presentation.summary import summary
from specminer.specification import Mode, SecondView, decode_specification, encode_specification
from specminer.store import TraceStore
from tests.support.driven_browser import chromium, said
from tests.support.mined import mined
from tests.support.third_party.recording import Recording

drawn = pytest.mark.skipif(renderer() is None, reason="missing part: dot or pygraphviz")


@pytest.fixture(scope="module")
def recording(third_party: Callable[[str], Recording]) -> Recording:
    """Return the history of a timelock that was driven on a node: operations, and accounts that are granted roles."""
    return third_party("timelock")


@pytest.fixture(scope="module")
def timelock(recording: Recording) -> mining.MiningResult:
    with TraceStore("sqlite://") as store:
        record = import_traces(store, recording.trace_file)
        history = store.history(record.chain_id, [record.address])
    return mining.mine(history, MineOptions(), artifact=recording.artifact())


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with chromium(tmp_path_factory.mktemp("profile")) as page:
        yield page


def test_a_timelock_is_seen_by_operation_and_by_account(timelock: mining.MiningResult) -> None:
    spec = timelock.specification
    view = spec.second_view
    assert spec.interactions.sort is not None
    assert view is not None
    assert view.interactions.sort is not None
    assert (spec.interactions.sort.name, view.interactions.sort.name) == ("id", "account")
    assert "most of the calls that are about no id are about one" in view.interactions.explanation
    assert len(view.states) >= 3
    own = sum(edge.count for edge in spec.transitions if edge.function == "grantRole")
    assert sum(edge.count for edge in view.transitions if edge.function == "grantRole") > own


def test_what_is_written_is_read_again(timelock: mining.MiningResult) -> None:
    text = encode_specification(timelock.specification)
    assert decode_specification(text) == timelock.specification
    plain = replace(timelock.specification, second_view=None)
    assert b"second_view" not in encode_specification(plain)
    assert plain.seen_otherwise() is None


def test_asked_for_a_split_there_is_no_other(timelock: mining.MiningResult, recording: Recording) -> None:
    artifact = recording.artifact()
    run = mining.mine(timelock.history, MineOptions(interactions="id"), artifact=artifact)
    assert run.specification.second_view is None
    other = mining.mine(timelock.history, MineOptions(interactions="account"), artifact=artifact)
    assert other.specification.second_view is None
    assert other.specification.interactions.sort is not None
    assert other.specification.interactions.sort.name == "account"


def test_the_pieces_of_the_history_are_read_once(
    timelock: mining.MiningResult, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    for module, name in (
        (division, "decode"),
        (division, "access_facts"),
        (division, "analyse"),
        (following, "execute"),
    ):
        monkeypatch.setattr(module, name, _counted(getattr(module, name), name, calls))
    run = mining.mine(timelock.history, MineOptions(), artifact=recording.artifact())
    assert run.specification.second_view is not None
    assert sorted(calls) == ["access_facts", "analyse", "decode", "execute"]


def _counted(function: Callable[..., Any], name: str, calls: list[str]) -> Callable[..., Any]:
    def counted(*arguments: Any, **named: Any) -> Any:
        calls.append(name)
        return function(*arguments, **named)

    return counted


@pytest.mark.parametrize("name", ["escrow", "nft_market", "governance"])
def test_a_split_that_is_far_worse_is_no_second_view(name: str) -> None:
    run = mined(name)
    assert run.specification.second_view is None
    best, *others = run.analysis.assessments
    assert all(
        item.score.value < NEAR * best.score.value or item.score.trivial or item.score.derived
        for item in others
    )


def test_by_score_alone_the_second_best_is_near_or_not() -> None:
    analysis = mined("governance").analysis
    chosen = split(analysis)
    assert second_view(analysis, chosen) is None
    best, rival, *_ = analysis.assessments

    def with_value(value: float) -> Interactions | None:
        near = replace(rival, score=replace(rival.score, value=value))
        return second_view(replace(analysis, assessments=(best, near)), chosen)

    assert with_value(0.5 * best.score.value) is None
    other = with_value(0.9 * best.score.value)
    assert other is not None
    assert "nearly as much speaks for it as for proposalId" in other.explanation
    assert other.mode in (Mode.PARTITION, Mode.PROJECTION)


def test_the_summary_tells_the_reason(timelock: mining.MiningResult) -> None:
    text = " ".join(summary(timelock.specification).split())
    assert "Second view: One interaction per account" in text
    assert "`--interactions account` makes it the first." in text
    view = timelock.specification.second_view
    assert isinstance(view, SecondView)
    assert re.search(rf"It has {len(view.states)} states, {len(view.transitions)} transitions", text)


@drawn
def test_a_second_picture_is_written_and_removed_again(timelock: mining.MiningResult, tmp_path: Path) -> None:
    whole = MinedSpecification(specification=timelock.specification)
    written = whole.write(tmp_path, report=False)
    assert written.second == tmp_path / "second-view.svg"
    assert written.second.read_bytes() != written.picture.read_bytes() if written.picture else False
    read_again = read(tmp_path / "automaton.json").seen_otherwise()
    assert read_again is not None
    assert read_again.draw("svg") == written.second.read_bytes()
    plain = MinedSpecification(specification=replace(timelock.specification, second_view=None))
    assert plain.write(tmp_path, report=False).second is None
    assert not (tmp_path / "second-view.svg").exists()


@drawn
def test_the_page_has_a_tab_for_either(
    browser: Chrome, timelock: mining.MiningResult, tmp_path: Path
) -> None:
    spec = timelock.specification
    path = tmp_path / "report.html"
    path.write_text(to_html(Report(specification=spec, evidence=None)), encoding="utf-8")
    browser.get(path.as_uri())
    tabs = browser.find_elements(By.CSS_SELECTOR, "#tabs [role=tab]")
    assert [tab.text for tab in tabs] == ["By id", "By account"]
    note = browser.find_element(By.ID, "view-note")
    first = _nodes(browser)
    assert not note.is_displayed()
    assert tabs[0].get_attribute("aria-selected") == "true"
    tabs[0].send_keys(Keys.ARROW_RIGHT)
    assert tabs[1].get_attribute("aria-selected") == "true"
    assert browser.switch_to.active_element == tabs[1]
    assert note.is_displayed()
    assert not browser.find_element(By.ID, "front").is_displayed(), "the second view has no front"
    assert _nodes(browser) != first
    assert browser.find_element(By.ID, "view").get_attribute("aria-labelledby") == "tab-1"
    browser.find_element(By.CSS_SELECTOR, ".picture:not([hidden]) .edge").send_keys(Keys.ENTER)
    assert "Count" in browser.find_element(By.ID, "details").text
    tabs[0].click()
    assert _nodes(browser) == first
    assert said(browser) == []


def _nodes(browser: Chrome) -> list[str | None]:
    parts = browser.find_elements(By.CSS_SELECTOR, ".picture:not([hidden]) .node")
    return [part.get_attribute("aria-label") for part in parts]
