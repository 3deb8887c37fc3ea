"""A large automaton on the page: folded at first, and whole at the press of a button, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from specminer.presentation.graphviz_layout import renderer
from specminer.presentation.page import to_html
from tests.support.driven_browser import chromium, said
from tests.support.mined import mined, report_of

pytestmark = pytest.mark.skipif(renderer() is None, reason="missing part: dot or pygraphviz")
STATES = 10
"""Of the dataset's automaton."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with chromium(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def page(browser: Chrome, tmp_path: Path) -> Chrome:
    path = tmp_path / "report.html"
    path.write_text(to_html(report_of(mined("tender"))), encoding="utf-8")
    browser.get(path.as_uri())
    return browser


def parts(page: Chrome, css: str) -> list[WebElement]:
    """Return parts of the picture that is shown."""
    return page.find_elements(By.CSS_SELECTOR, f".picture:not([hidden]) {css}")


def text(page: Chrome, css: str) -> str:
    return str(page.find_element(By.CSS_SELECTOR, css).text)


def test_a_button_unfolds_and_folds_again(page: Chrome) -> None:
    assert len(mined("tender").specification.states) == STATES
    button = page.find_element(By.ID, "unfold")
    assert button.text == f"Show all {STATES} states and lines"
    for pressed, count in ((False, 8), (True, STATES), (False, 8)):
        assert button.get_attribute("aria-pressed") == str(pressed).lower()
        assert len(page.find_elements(By.CSS_SELECTOR, ".picture:not([hidden])")) == 1
        assert len(parts(page, ".node")) == count
        told = "".join(parts(page, "svg")[0].text.split())
        assert ("statesfoldedinto" in told) is not pressed
        button.send_keys(Keys.ENTER)
    assert said(page) == []


def test_a_box_names_its_states_and_they_tell_what_they_are(page: Chrome) -> None:
    boxes = [node for node in parts(page, ".node") if int(node.get_attribute("data-state") or 0) >= STATES]
    assert len(boxes) == 2
    boxes[0].send_keys(Keys.ENTER)
    assert text(page, "#details h3") == "One of 2 states"
    inner = page.find_elements(By.CSS_SELECTOR, "#details button")
    name = inner[0].text
    assert name in {state.name for state in mined("tender").specification.states}
    inner[0].send_keys(Keys.ENTER)
    assert text(page, "#details h3") == name
    assert "What happens here" in text(page, "#details")


def test_a_line_between_boxes_tells_all_of_its_transitions(page: Chrome) -> None:
    spec = mined("tender").specification
    line = next(
        part
        for part in parts(page, ".edge:not(.label)")
        if part.get_attribute("data-from") != part.get_attribute("data-to")
        and min(int(part.get_attribute(f"data-{end}") or 0) for end in ("from", "to")) >= STATES
    )
    line.send_keys(Keys.ENTER)
    told = text(page, "#details")
    events = {edge.event for edge in spec.transitions if edge.kind.value == "time"}
    assert all(event in told for event in events)


def test_states_in_boxes_are_found_by_the_list_and_by_ways(page: Chrome) -> None:
    folded = next(
        button
        for button in page.find_elements(By.CSS_SELECTOR, "#details button")
        if button.text.startswith("bids > 0, bid until not reached")
    )
    folded.send_keys(Keys.ENTER)
    assert text(page, "#details h3") == "bids > 0, bid until not reached"
    assert len(parts(page, ".node.chosen")) == 1
    page.find_element(By.ID, "open-all").send_keys(Keys.ENTER)
    page.find_element(By.CSS_SELECTOR, "#variants button").send_keys(Keys.ENTER)
    assert parts(page, ".edge.on")
    bright = [node for node in parts(page, ".node") if "faint" not in (node.get_attribute("class") or "")]
    assert any(int(node.get_attribute("data-state") or 0) >= STATES for node in bright)
