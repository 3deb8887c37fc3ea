"""The report's page for everybody: what axe-core finds wrong with it (nothing), and that no control needs a mouse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By

from specminer.presentation.graphviz_layout import renderer
from specminer.presentation.page import to_html
from specminer.presentation.picture_content import Content
from specminer.presentation.picture_options import PictureOptions
from specminer.presentation.report_document import Report
from specminer.specification import SecondView
from tests.support.anvil import tools_dir
from tests.support.driven_browser import chromium
from tests.support.mined import mined, report_of

if renderer() is None:
    pytest.skip("missing part: dot or pygraphviz", allow_module_level=True)

_ASK = """
const done = arguments[0];
axe.run(document, { resultTypes: ["violations"] }).then(
  (found) => done(JSON.stringify(found.violations.map(
    (item) => [item.id, item.help, item.nodes.slice(0, 3).map((node) => node.html.slice(0, 200))]))),
  (error) => done(JSON.stringify([["failed", String(error), []]])));
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with chromium(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture(scope="module")
def axe() -> str:
    script = tools_dir() / "node_modules" / "axe-core" / "axe.min.js"
    if not script.is_file():
        pytest.skip(f"missing part: axe-core: no {script}; run `make tools`")
    return script.read_text(encoding="utf-8")


def opened(
    browser: Chrome, folder: Path, report: Report, *, scheme: str = "light", phone: bool = False
) -> None:
    path = folder / "report.html"
    path.write_text(to_html(report), encoding="utf-8")
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    size = {"width": 390 if phone else 1280, "height": 900, "deviceScaleFactor": 1, "mobile": phone}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(path.as_uri())


def violations(browser: Chrome, axe: str) -> list[Any]:
    """Let axe-core look at the page; the page's own policy lets in no script, so it comes by the debugger."""
    browser.execute_cdp_cmd("Runtime.evaluate", {"expression": axe})
    found: list[Any] = json.loads(browser.execute_async_script(_ASK))
    return found


@pytest.mark.parametrize("phone", [False, True], ids=["laptop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["auction_house", "savings", "single_auction", "tender"])
def test_axe_finds_nothing_wrong(
    browser: Chrome, axe: str, tmp_path: Path, name: str, scheme: str, phone: bool
) -> None:
    opened(browser, tmp_path, report_of(mined(name)), scheme=scheme, phone=phone)
    assert violations(browser, axe) == []
    browser.find_element(By.CSS_SELECTOR, ".picture:not([hidden]) .edge").send_keys(Keys.ENTER)
    browser.find_element(By.ID, "open-all").send_keys(Keys.ENTER)
    browser.find_element(By.CSS_SELECTOR, "#variants button").send_keys(Keys.ENTER)
    browser.find_element(By.ID, "search").send_keys("a")
    browser.find_element(By.ID, "hashes").send_keys(Keys.ENTER)
    assert violations(browser, axe) == [], "with details, a variant and whole hashes shown"


def test_axe_finds_nothing_wrong_without_a_history(browser: Chrome, axe: str, tmp_path: Path) -> None:
    spec = mined("auction_house").specification
    opened(browser, tmp_path, Report(specification=replace(spec, front=()), evidence=None))
    assert violations(browser, axe) == []


def test_axe_finds_nothing_wrong_with_a_second_view(browser: Chrome, axe: str, tmp_path: Path) -> None:
    spec = mined("auction_house").specification
    other = SecondView(
        interactions=replace(spec.interactions, explanation="Second view: one interaction per bidder."),
        abstraction=spec.abstraction,
        states=spec.states,
        transitions=spec.transitions,
    )
    opened(browser, tmp_path, Report(specification=replace(spec, second_view=other), evidence=None))
    assert violations(browser, axe) == []
    browser.find_element(By.ID, "tab-0").send_keys(Keys.ARROW_RIGHT)
    assert browser.find_element(By.ID, "view-note").is_displayed()
    assert violations(browser, axe) == [], "with the second tab shown"


def test_axe_sees_what_is_wrong(browser: Chrome, axe: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.html"
    path.write_text("<!DOCTYPE html><title>x</title><p style='color:#ccc'>pale<img src='data:,'><input>")
    browser.get(path.as_uri())
    assert {"color-contrast", "image-alt", "label"} <= {item[0] for item in violations(browser, axe)}


def test_the_tabulator_reaches_every_control_and_shows_where_it_is(browser: Chrome, tmp_path: Path) -> None:
    opened(browser, tmp_path, report_of(mined("auction_house")))
    wanted = browser.execute_script(
        "return [...document.querySelectorAll('a[href], button, input, select, summary, [tabindex=\"0\"]')]"
        ".filter((item) => item.checkVisibility({ visibilityProperty: true })).length"
    )
    reached = set()
    for _ in range(wanted + 5):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        place, *marks = browser.execute_script(
            "const item = document.activeElement;"
            "if (item === document.body) return [null];"
            "item.dataset.reached = item.dataset.reached || String(Math.random());"
            "const style = getComputedStyle(item);"
            "return [item.dataset.reached, style.outlineStyle, style.filter]"
        )
        if place is not None:
            assert any(mark != "none" for mark in marks)
            reached.add(place)
    assert len(reached) == wanted


def test_what_a_screen_reader_says_of_the_picture_is_what_is_drawn(browser: Chrome, tmp_path: Path) -> None:
    report = report_of(mined("auction_house"))
    opened(browser, tmp_path, report)
    told = [
        str(part.get_attribute("aria-label"))
        for part in browser.find_elements(By.CSS_SELECTOR, ".picture:not([hidden]) [role=button]")
    ]
    for state in report.specification.states:
        if state.id != report.specification.initial:
            assert any(
                text.startswith("state ") and state.name in text and f"{state.visits:,} visits" in text
                for text in told
            )
    lines = Content(spec=report.specification, options=PictureOptions()).selection.lines
    drawn = [edge for line in lines for edge in line.edges]
    assert len(drawn) >= 5
    for edge in drawn:
        assert any(f"{edge.function} {edge.count:,}" in text for text in told if text.startswith("from "))
