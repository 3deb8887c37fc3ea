"""How fast the report of a large history is in a browser.

    python -m benchmarks.report [SIZE ...]

Makes histories of 10,000 and 100,000 calls (see ``benchmarks.market``), mines each, writes its report, opens it from
disk in chromium and prints: the size of the page; the milliseconds until its controls can be used and until all is
loaded, the median of five loads; the milliseconds from a click on a state, and from a move of each slider, until the
next frame is drawn, the slowest of ten. These are wall-clock times of a real browser: other work disturbs them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Final

from selenium.webdriver import Chrome

from benchmarks.market import CHAIN, CONTRACT, make
from benchmarks.steps import scratch
from specminer.pipeline import MineOptions, mine
from specminer.pipeline.reporting import report_from
from specminer.presentation.page import to_html
from specminer.store import TraceStore
from tests.support.driven_browser import chromium

SIZES: Final = (10_000, 100_000)
LOADS: Final = 5
TRIES: Final = 10

_LOADED: Final = """
const done = arguments[arguments.length - 1];
const told = () => {
  const entry = performance.getEntriesByType('navigation')[0];
  if (entry.loadEventEnd > 0) done([entry.domInteractive, entry.loadEventEnd]); else setTimeout(told, 10);
};
told();
"""
_FRAME: Final = """
const [css, value, done] = arguments;
const target = document.querySelector(css);
const begun = performance.now();
if (value === null) {
  target.dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true, view: window}));
} else {
  target.value = value;
  target.dispatchEvent(new Event('input', {bubbles: true}));
  target.dispatchEvent(new Event('change', {bubbles: true}));
}
requestAnimationFrame(() => setTimeout(() => done(performance.now() - begun), 0));
"""
STATE: Final = ".picture:not([hidden]) .node[data-state='1']"
SLIDERS: Final = ("#front-slider", "#rare-slider")


def page_of(database: Path) -> str:
    """Mine a database and return its report as a page."""
    with TraceStore(str(database)) as store:
        history = store.history(CHAIN, [CONTRACT])
    run = mine(history, MineOptions())
    return to_html(report_from(run.specification, run))


def loads(browser: Chrome, address: str) -> Iterator[tuple[float, float]]:
    """Open a page again and again; yield the milliseconds until it can be used and until all of it is there."""
    for _ in range(LOADS):
        browser.get(address)
        usable, loaded = browser.execute_async_script(_LOADED)
        yield float(usable), float(loaded)


def reactions(browser: Chrome, css: str, values: list[int | None]) -> list[float]:
    """Return the milliseconds from an action on the page until the next frame; ``None`` stands for a click."""
    return [float(browser.execute_async_script(_FRAME, css, value)) for value in values]


def moves(browser: Chrome, css: str) -> list[int | None]:
    """Return places for a slider: from end to end."""
    last = int(browser.find_element("css selector", css).get_attribute("max") or 0)
    return [(last if number % 2 == 0 else 0) for number in range(TRIES)]


def run(sizes: tuple[int, ...]) -> None:
    """Measure all sizes and print a table."""
    print("calls      page MB  usable ms  loaded ms  click on a state ms  front slider ms  rare slider ms")
    for size in sizes:
        with scratch("market.db") as database:
            make(database, size)
            page = database.with_name("report.html")
            page.write_text(page_of(database), encoding="utf-8")
            with chromium(database.with_name("profile")) as browser:
                browser.set_script_timeout(60)
                opened = list(loads(browser, page.as_uri()))
                click = max(reactions(browser, STATE, [None] * TRIES))
                slides = [max(reactions(browser, css, moves(browser, css))) for css in SLIDERS]
            print(
                f"{size:<9}  {page.stat().st_size / 1e6:7.2f}  {median(item[0] for item in opened):9.0f}  "
                f"{median(item[1] for item in opened):9.0f}  {click:19.0f}  {slides[0]:15.0f}  {slides[1]:14.0f}",
                flush=True,
            )


if __name__ == "__main__":
    run(tuple(map(int, sys.argv[1:])) or SIZES)
