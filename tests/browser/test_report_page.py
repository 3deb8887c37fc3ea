"""The report's page in a real browser: it opens from disk, asks for nothing, and its controls do what they say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from specminer.presentation.brief import brief_sentences
from specminer.presentation.graphviz_layout import renderer
from specminer.presentation.page import FOLDED_ROWS, to_html
from specminer.presentation.readable_report import readable_report
from specminer.presentation.report_document import Report
from specminer.specification import (
    Guard,
    GuardKind,
    Surprise,
    SurpriseUnit,
    SurprisingEvent,
    SurprisingInteraction,
)
from tests.support.driven_browser import chromium, requests, said
from tests.support.mined import mined, report_of
from tests.support.specifications import hostile

if renderer() is None:
    pytest.skip("missing part: dot or pygraphviz", allow_module_level=True)

EVIL = "</script><img src=x onerror=\"document.title='run'\">"


@pytest.fixture(scope="module")
def report() -> Report:
    return report_of(mined("auction_house"))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with chromium(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def page(browser: Chrome, report: Report, tmp_path: Path) -> Chrome:
    opened(browser, tmp_path, report)
    return browser


def opened(browser: Chrome, folder: Path, report: Report) -> str:
    path = folder / "report.html"
    path.write_text(to_html(report), encoding="utf-8")
    requests(browser)
    browser.get(path.as_uri())
    return path.as_uri()


def shown(page: Chrome, css: str) -> list[WebElement]:
    return [item for item in page.find_elements(By.CSS_SELECTOR, css) if item.is_displayed()]


def parts(page: Chrome, css: str) -> list[WebElement]:
    """Return parts of the picture that is shown."""
    return page.find_elements(By.CSS_SELECTOR, f".picture:not([hidden]) {css}")


def slide(page: Chrome, css: str, value: int) -> None:
    """Move a slider with the keyboard, as far as it takes."""
    slider = page.find_element(By.CSS_SELECTOR, css)
    slider.send_keys(Keys.HOME)
    for _ in range(value):
        slider.send_keys(Keys.ARROW_RIGHT)
    assert slider.get_attribute("value") == str(value)


def view(page: Chrome) -> list[float]:
    svg = parts(page, "svg")[0]
    return [float(number) for number in (svg.get_dom_attribute("viewBox") or "").split()]


def text(page: Chrome, css: str) -> str:
    return str(page.find_element(By.CSS_SELECTOR, css).text)


def text_of(item: WebElement, css: str | None = None) -> str:
    """Return the text of an element, or of the first part of it, whether it is shown or not."""
    part = item if css is None else item.find_element(By.CSS_SELECTOR, css)
    return str(part.get_property("textContent")).strip()


def test_it_opens_from_disk_without_a_word_and_asks_for_nothing(
    browser: Chrome, report: Report, tmp_path: Path
) -> None:
    place = opened(browser, tmp_path, report)
    assert said(browser) == []
    assert requests(browser) == [place]
    assert text(browser, "h1") == report.specification.name


def test_what_the_policy_does_not_name_does_not_run(page: Chrome) -> None:
    page.execute_script(
        "const made = document.createElement('script'); made.textContent = 'window.ran = 1';"
        "const image = document.createElement('img'); image.src = 'http://127.0.0.1:9/x.png';"
        "document.body.append(made, image);"
    )
    assert page.execute_script("return window.ran") is None
    refused = said(page)
    assert len(refused) == 2
    assert all("Content Security Policy" in message for message in refused)


def test_zoom_and_fit_by_buttons_and_keys(page: Chrome) -> None:
    whole = view(page)
    page.find_element(By.ID, "zoom-in").click()
    assert view(page)[2] == pytest.approx(whole[2] / 1.25, abs=0.1)
    page.find_element(By.ID, "zoom-out").click()
    assert view(page) == pytest.approx(whole, abs=0.1)
    frame = page.find_element(By.ID, "frame")
    frame.send_keys("+")
    frame.send_keys(Keys.ARROW_RIGHT)
    assert view(page)[0] > whole[0]
    assert view(page)[2] < whole[2]
    frame.send_keys("0")
    assert view(page) == pytest.approx(whole, abs=0.1)
    frame.send_keys("-")
    assert view(page)[2] > whole[2]
    page.find_element(By.ID, "zoom-fit").click()
    assert view(page) == pytest.approx(whole, abs=0.1)


def test_dragging_moves_the_picture_and_chooses_nothing(page: Chrome) -> None:
    before = view(page)
    node = parts(page, ".node[data-state='1']")[0]
    ActionChains(page).move_to_element(node).click_and_hold().move_by_offset(60, 25).release().perform()
    after = view(page)
    assert after[0] < before[0]
    assert after[1] < before[1]
    assert after[2:] == before[2:]
    assert "Choose a state" in text(page, "#details")


def test_an_arrow_tells_all_of_its_transitions(page: Chrome, report: Report) -> None:
    spec = report.specification
    arrow = parts(page, ".edge")[0]
    pair = int(arrow.get_attribute("data-from") or -1), int(arrow.get_attribute("data-to") or -1)
    arrow.send_keys(Keys.ENTER)
    told = text(page, "#details")
    own = [edge for edge in spec.transitions if (edge.source, edge.target) == pair]
    assert own
    for edge in own:
        assert edge.event in told
        assert f"Count\n{edge.count:,}" in told
        assert f"Senders\n{edge.senders:,}" in told
        assert f"block {edge.first.block:,}" in told
        assert all(witness in told for witness in edge.witnesses)


def test_a_state_tells_what_holds_and_leads_on(page: Chrome, report: Report) -> None:
    spec = report.specification
    state = max(spec.states, key=lambda item: item.visits)
    parts(page, f".node[data-state='{state.id}']")[0].click()
    told = text(page, "#details")
    assert state.name in told
    assert all(predicate in told for predicate in state.predicates)
    assert f"Visits\n{state.visits:,}" in told
    leaving = [edge for edge in spec.transitions if edge.source == state.id]
    buttons = shown(page, "#details button")
    assert len(buttons) == len(leaving)
    assert any(edge.outcome != "returned" for edge in leaving)
    buttons[0].click()
    busiest = max(leaving, key=lambda edge: edge.count)
    assert f"Count\n{busiest.count:,}" in text(page, "#details")


def test_the_rare_are_hidden_in_picture_and_table(page: Chrome, report: Report) -> None:
    edges = report.specification.transitions
    total = sum(edge.count for edge in edges)
    page.find_element(By.ID, "open-all").send_keys(Keys.ENTER)
    rows = len(shown(page, "#transitions tbody tr"))
    assert rows == len(edges)
    slide(page, "#rare-slider", 6)  # 5 %
    rare = [edge for edge in edges if edge.count < 0.05 * total]
    assert rare
    assert f"below 5 %: hides {len(rare)} of {len(edges)} transitions" == text(page, "#rare-value")
    assert len(shown(page, "#transitions tbody tr")) == len(edges) - len(rare)
    kept = {(edge.source, edge.target) for edge in edges if edge not in rare}
    drawn = {
        (int(arrow.get_attribute("data-from") or -1), int(arrow.get_attribute("data-to") or -1))
        for arrow in parts(page, ".edge:not(.gone)")
    }
    assert drawn <= kept
    assert parts(page, ".edge.gone")
    slide(page, "#rare-slider", 0)
    assert len(shown(page, "#transitions tbody tr")) == len(edges)


def test_the_front_is_walked_from_readable_to_precise(page: Chrome, report: Report) -> None:
    sizes = [point.states for point in report.specification.front]
    assert len(sizes) > 1
    for place, size in enumerate(sizes):
        slide(page, "#front-slider", place)
        assert text(page, "#front-value").startswith(f"{size} states")
        assert len(shown(page, "#frame .picture")) == 1
        assert len(parts(page, ".node")) == size


def test_a_variant_is_highlighted_and_its_life_is_told(page: Chrome, report: Report) -> None:
    assert report.evidence is not None
    variant = report.evidence.variants.items[0]
    edges = report.specification.transitions
    row = page.find_element(By.CSS_SELECTOR, "#variants tr[data-place='0']")
    show, life = row.find_elements(By.TAG_NAME, "button")
    show.click()
    on = {
        (int(arrow.get_attribute("data-from") or -1), int(arrow.get_attribute("data-to") or -1))
        for arrow in parts(page, ".edge.on")
    }
    assert on
    assert on <= {(edges[place].source, edges[place].target) for place in variant.steps}
    assert show.get_attribute("aria-pressed") == "true"
    assert parts(page, ".edge.faint")
    page.find_element(By.ID, "clear-variant").click()
    assert not page.find_elements(By.CSS_SELECTOR, ".edge.on, .edge.faint, .node.faint")
    life.click()
    selected = page.execute_script(
        "return document.getElementById('timeline-select').selectedOptions[0].text"
    )
    assert str(selected).startswith(variant.example)
    assert variant.least <= len(shown(page, "#timeline tbody tr")) <= variant.most


def test_each_timeline_can_be_chosen(page: Chrome, report: Report) -> None:
    assert report.evidence is not None
    select = Select(page.find_element(By.ID, "timeline-select"))
    select.select_by_index(2)
    life = report.evidence.timelines.items[2]
    rows = shown(page, "#timeline tbody tr")
    assert len(rows) == len(life["events"])
    for row, event in zip(rows, life["events"], strict=True):
        assert f"{event['block']:,}" in row.text
        assert event["transaction"] in row.text


PAPER = 700
"""CSS pixels between the margins of a page of A4."""


@pytest.mark.parametrize("name", ["auction_house", "savings", "loans"])
def test_nothing_is_cut_and_nothing_to_press_is_left_on_paper(
    browser: Chrome, tmp_path: Path, name: str
) -> None:
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    size = {"width": PAPER, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
    try:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": dark})
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        opened(browser, tmp_path, report_of(mined(name)))
        browser.execute_script("window.dispatchEvent(new Event('beforeprint'))")
        assert not shown(browser, "button, input, select, nav, summary, #details")
        assert browser.execute_script("return document.documentElement.scrollWidth") <= PAPER
        cut = browser.execute_script(
            "return [...document.querySelectorAll('.scroll, table, .frame')].filter((item) =>"
            " item.scrollWidth > item.clientWidth + 1 || item.scrollHeight > item.clientHeight + 1)"
            ".map((item) => item.closest('section').id)"
        )
        assert cut == []
        hashes = shown(browser, "#transitions td code")
        assert hashes
        assert {item.value_of_css_property("white-space") for item in hashes} == {"normal"}, "they are whole"
        assert browser.execute_script("return getComputedStyle(document.body).color") == "rgb(26, 26, 26)"
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})


def test_long_tables_are_folded_until_somebody_looks(page: Chrome) -> None:
    folds = page.find_elements(By.CSS_SELECTOR, "details.rows")
    assert folds
    for fold in folds:
        rows = len(fold.find_elements(By.CSS_SELECTOR, "tbody tr"))
        assert rows > FOLDED_ROWS
        assert text_of(fold, "summary").startswith(f"{rows} rows")
        assert not fold.get_property("open")
    page.execute_script("location.hash = '#transitions'")
    WebDriverWait(page, 5).until(
        lambda _: page.find_element(By.CSS_SELECTOR, "#transitions details.rows[open]")
    )
    assert [fold.get_property("open") for fold in folds].count(True) == 1
    button = page.find_element(By.ID, "open-all")
    button.send_keys(Keys.ENTER)
    assert all(fold.get_property("open") for fold in folds)
    button.send_keys(Keys.ENTER)
    assert not any(fold.get_property("open") for fold in folds)


def test_the_first_page_is_sentences_then_picture_then_findings(page: Chrome, report: Report) -> None:
    order = [text_of(item) for item in page.find_elements(By.CSS_SELECTOR, "main h2, main h3")][:3]
    assert order == ["Automaton", "What to look at", "Findings"]
    told = [text_of(item, ".sentence") for item in page.find_elements(By.CSS_SELECTOR, "#brief > div")]
    assert told == list(brief_sentences(readable_report(report).specification))
    links = page.find_elements(By.CSS_SELECTOR, "#brief dt a")
    assert len(links) == len(told)
    assert all(page.find_elements(By.CSS_SELECTOR, (link.get_dom_attribute("href") or "")) for link in links)
    weights = [text_of(row, "td") for row in page.find_elements(By.CSS_SELECTOR, "#findings tbody tr")]
    assert weights == sorted(weights, key=["alarm", "worth a look", "limit"].index)


def test_search_shows_what_holds_a_text_and_gives_all_back(page: Chrome) -> None:
    box = page.find_element(By.ID, "search")
    box.send_keys("WITHDRAW")
    rows = shown(page, "main tbody tr")
    assert rows
    assert all("withdraw" in text_of(row).lower() for row in rows)
    assert re.fullmatch(r"[\d,]+ rows? in [\d,]+ sections?", text(page, "#search-count"))
    box.clear()
    box.send_keys("no such text <b>")
    assert text(page, "#search-count") == "Nothing found"
    assert not shown(page, "main section")
    box.send_keys(Keys.ESCAPE)
    assert text(page, "#search-count") == ""
    assert len(shown(page, "main > section")) == len(page.find_elements(By.CSS_SELECTOR, "main > section"))
    assert not page.find_elements(By.CSS_SELECTOR, "details.rows[open]"), "what was folded is again"


def test_a_sentence_is_copied_with_its_evidence(page: Chrome, report: Report) -> None:
    page.execute_script(
        "window.copied = []; Object.defineProperty(navigator, 'clipboard',"
        " { value: { writeText: async (text) => { window.copied.push(text) } } })"
    )
    sentences = brief_sentences(readable_report(report).specification)
    buttons = shown(page, "#brief .copy") + shown(page, "#findings .copy")
    assert len(buttons) == len(sentences) + len(page.find_elements(By.CSS_SELECTOR, "#findings tbody tr"))
    for button in buttons:
        button.send_keys(Keys.ENTER)
    WebDriverWait(page, 5).until(lambda _: page.execute_script("return window.copied.length") == len(buttons))
    copied = page.execute_script("return window.copied")
    ranked = report.specification.surprise.transactions
    assert ranked is not None
    assert copied[0].startswith(f"{sentences[0]} [{report.specification.contracts[0]} on chain ")
    assert copied[len(sentences) - 1].startswith(
        f"{sentences[-1]} [transaction {ranked.ranked[0].transaction}"
    )
    assert copied[len(sentences)].endswith(f"[{ranked.ranked[0].transaction}]")
    assert buttons[0].text.startswith("Copied")


def test_amounts_tell_on_hover_what_they_are_exactly(page: Chrome) -> None:
    marked = page.find_elements(By.CSS_SELECTOR, "main .exact, .numbers .exact")
    assert marked
    for item in marked:
        shown_text, exact = item.get_property("textContent"), item.get_dom_attribute("title") or ""
        assert isinstance(shown_text, str)
        number = re.fullmatch(r"(-?[\d,]+) wei", exact)
        amount = re.fullmatch(r"(≈ )?(-?[\d,.]+) (ETH|gwei)", shown_text)
        if number and amount:
            wei = Decimal(amount[2].replace(",", "")) * 10 ** (18 if amount[3] == "ETH" else 9)
            exactly = Decimal(number[1].replace(",", ""))
            assert wei == exactly if amount[1] is None else abs(wei - exactly) <= abs(exactly) / 10**5


def test_every_table_has_titles_of_its_columns(page: Chrome) -> None:
    tables = page.find_elements(By.CSS_SELECTOR, "main section table")
    assert all(table.find_elements(By.CSS_SELECTOR, "th[scope=col]") for table in tables)
    assert len(page.print_page()) > 10_000


def test_hashes_are_short_until_they_are_asked_for(page: Chrome) -> None:
    page.find_element(By.ID, "open-all").send_keys(Keys.ENTER)
    codes = [item for item in shown(page, "#transitions td code") if len(item.text) == 66]
    assert codes, "the whole hash is there to be copied and read out"
    short = [item.size["height"] for item in codes]
    button = page.find_element(By.ID, "hashes")
    button.send_keys(Keys.ENTER)
    assert button.get_attribute("aria-pressed") == "true"
    assert all(item.size["height"] > height for item, height in zip(codes, short, strict=True))
    button.click()
    assert [item.size["height"] for item in codes] == short


def test_states_can_be_chosen_from_a_list(page: Chrome, report: Report) -> None:
    buttons = shown(page, "#details button")
    assert len(buttons) == len(report.specification.states)
    buttons[1].send_keys(Keys.ENTER)
    state = report.specification.states[1]
    assert text(page, "#details h3") == state.name
    assert parts(page, f".node.chosen[data-state='{state.id}']")


def test_a_narrow_screen_tells_rows_as_lists_with_their_titles(
    browser: Chrome, report: Report, tmp_path: Path
) -> None:
    size = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        opened(browser, tmp_path, report)
        row = browser.find_element(By.CSS_SELECTOR, "#states tbody tr")
        cells = row.find_elements(By.TAG_NAME, "td")
        assert cells[0].get_attribute("data-label") == "State"
        assert [cell.get_attribute("role") for cell in cells] == ["cell"] * len(cells)
        assert len({cell.location["x"] for cell in cells}) == 1
        assert not shown(browser, "#contents a"), "the contents are folded"
        outside = browser.execute_script("return document.documentElement.scrollWidth")
        assert outside <= 390
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("width", [1440, 800, 390])
def test_nothing_is_wider_than_the_window(page: Chrome, width: int) -> None:
    page.set_window_size(width, 900)
    inside, outside = page.execute_script(
        "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    page.set_window_size(1280, 1000)
    assert inside <= outside


def _poisoned(value: Any) -> Any:
    """Put hostile texts wherever a document holds one."""
    if isinstance(value, str):
        return EVIL + value
    if isinstance(value, dict):
        return {key: _poisoned(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_poisoned(item) for item in value)
    return value


def test_hostile_names_are_texts(browser: Chrome, report: Report, tmp_path: Path) -> None:
    spec, evidence = report.specification, report.evidence
    assert evidence is not None
    bad = replace(
        spec,
        name=EVIL + "\n\u202e\x1b[31m'\"`" + "z" * 100_000,
        states=tuple(replace(state, name=EVIL + state.name) for state in spec.states),
        transitions=tuple(
            replace(edge, event=EVIL + edge.event, guard=EVIL, witnesses=(EVIL, "javascript:alert(1)"))
            for edge in spec.transitions
        ),
        history=replace(spec.history, limits=(EVIL,), names=EVIL, source=EVIL),
        interactions=replace(spec.interactions, explanation=EVIL, outside={EVIL: 3}),
        guards=(Guard(scope=EVIL, text=EVIL, kind=GuardKind.REQUIRED, explained=1, rejected=2),),
        surprise=Surprise(
            unit=SurpriseUnit.INTERACTION,
            interactions=(
                SurprisingInteraction(
                    interaction=EVIL,
                    text=EVIL,
                    flagged=True,
                    events=(SurprisingEvent(event=EVIL, transaction=EVIL),),
                ),
            ),
            events=(SurprisingEvent(event=EVIL, text=EVIL, interaction=EVIL, transaction=EVIL),),
        ),
    )
    lives = tuple(
        life | {"name": EVIL + life["name"], "events": _poisoned(life["events"])}
        for life in evidence.timelines.items
    )
    worse = replace(
        evidence,
        timelines=replace(evidence.timelines, items=lives),
        rejections=replace(
            evidence.rejections,
            items=tuple(
                replace(item, reason=EVIL + "\u202e\n" + "r" * 100_000) for item in evidence.rejections.items
            ),
        ),
        unseen=(EVIL,),
        money=replace(
            evidence.money,
            payouts=tuple(replace(item, function=EVIL) for item in evidence.money.payouts),
            receivers=replace(
                evidence.money.receivers,
                items=tuple(
                    replace(item, address=EVIL, functions=(EVIL,) * 20)
                    for item in evidence.money.receivers.items
                ),
            ),
        ),
    )
    for document in (
        Report(specification=bad, evidence=worse),
        Report(specification=hostile(), evidence=None),
    ):
        place = opened(browser, tmp_path, document)
        assert said(browser) == []
        assert requests(browser) == [place]
        assert browser.title != "run"
        assert not browser.find_elements(By.TAG_NAME, "img")
        assert len(browser.find_elements(By.TAG_NAME, "script")) == 2
        links = [item.get_attribute("href") or "" for item in browser.find_elements(By.TAG_NAME, "a")]
        assert not [link for link in links if not link.startswith(("file:", "https://"))]
        assert len(to_html(document)) < 3_000_000
    opened(browser, tmp_path, Report(specification=bad, evidence=worse))
    assert text(browser, "h1").startswith(EVIL)
