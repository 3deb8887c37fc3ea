"""The documentation site: built without a warning, whole, and asking no other host for anything."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import click
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.support.command import COMMANDS
from tests.support.driven_browser import chromium, requests, said
from tests.support.extras import require

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site as ``make docs`` does; a warning is an error."""
    require("sphinx")
    out = tmp_path_factory.mktemp("site")
    options = ["-b", "html", "-W", "--keep-going", "-n", "-q", "-d", str(out / "doctrees")]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, str(ROOT / "docs"), str(out / "html")],
        capture_output=True,
        text=True,
        timeout=1_800,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return out / "html"


class _Page(HTMLParser):
    """What a page has, links to, and loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a":
            self.links.append(given.get("href", ""))
        else:
            self.loads += [given[name] for name in ("src", "href", "data", "action") if name in given]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, _Page]:
    return {path.resolve(): _Page(path.read_text()) for path in sorted(site.rglob("*.html"))}


def test_every_page_of_the_sources_is_a_page(site: Path) -> None:
    for source in (ROOT / "docs").rglob("*.md"):
        assert (site / source.relative_to(ROOT / "docs").with_suffix(".html")).exists(), source


def test_links_lead_somewhere(site: Path, pages: dict[Path, _Page]) -> None:
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or not link:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target.is_relative_to(site.resolve()), f"{path.name} links to {link}"
            assert target.exists(), f"{path.name} links to {link}"
            if parts.fragment and target in pages:
                assert unquote(parts.fragment) in pages[target].ids, f"{path.name} links to {link}"


def test_nothing_is_loaded_from_elsewhere(site: Path, pages: dict[Path, _Page]) -> None:
    for path, page in pages.items():
        for target in page.loads:
            parts = urlsplit(target)
            assert parts.scheme in ("", "data"), f"{path.name} loads {target}"
            assert not parts.netloc, f"{path.name} loads {target}"
    styles = list(site.rglob("*.css"))
    assert styles
    for style in styles:
        text = style.read_text()
        assert "@import" not in text
        for target in re.findall(r"url\(([^)]*)\)", text):
            assert target.strip("\"'").startswith("data:") or "//" not in target, f"{style.name}: {target}"


def test_the_reference_has_all_commands_and_options(site: Path, pages: dict[Path, _Page]) -> None:
    page = pages[(site / "reference" / "commands.html").resolve()]
    text = " ".join("".join(page.words).split()).replace("¶", "¶ ").replace("  ", " ")
    for path, command in COMMANDS.items():
        if not path:
            continue
        assert "-".join(path) in page.ids
        _, _, behind = text.partition(f"specminer {' '.join(path)}¶ ")
        told, _, _ = behind.partition("¶")
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.opts[0] in told, (path, parameter.opts[0])
                assert " ".join((parameter.help or "").split()[:4]) in told


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("profile")) as page:
        yield page


def test_a_browser_asks_for_nothing_but_files(site: Path, browser: webdriver.Chrome) -> None:
    for path in sorted(site.rglob("*.html")):
        browser.get(path.as_uri())
        asked = requests(browser)
        assert asked
        assert [url for url in asked if not url.startswith(site.as_uri())] == []
        assert said(browser) == []


def test_no_page_is_wider_than_a_phone(site: Path, browser: webdriver.Chrome) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True},
    )
    try:
        for path in sorted(site.rglob("*.html")):
            browser.get(path.as_uri())
            width = browser.execute_script("return document.documentElement.scrollWidth")
            assert width <= 390, f"{path.name} is {width} pixels wide"
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_what_is_searched_for_is_found_without_a_server(site: Path, browser: webdriver.Chrome) -> None:
    browser.get((site / "search.html").as_uri() + "?q=fidelity")
    # results come one after another
    WebDriverWait(browser, 20).until(
        lambda page: page.find_elements(By.CSS_SELECTOR, "#search-results li a[href*='trace-file']")
    )
