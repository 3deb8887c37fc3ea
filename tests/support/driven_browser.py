"""A real browser, driven by selenium: chromium and its driver as the system has them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,1000",
)


@contextmanager
def chromium(profile: Path) -> Iterator[webdriver.Chrome]:
    """Yield a browser with a fresh profile; skip the test where there is none."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("missing part: chromium and chromedriver; apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in (*_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    page = webdriver.Chrome(options=options, service=Service(driver))
    try:
        page.get("about:blank")
        requests(page)  # what the browser's own first page asked for
        yield page
    finally:
        page.quit()


def requests(page: webdriver.Chrome) -> list[str]:
    """Return what was asked for since the last call, but for the browser's own pages."""
    urls = []
    for entry in _log(page, "performance"):
        message: dict[str, Any] = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            urls.append(str(message["params"]["request"]["url"]))
    return [url for url in urls if not url.startswith(("chrome:", "chrome-untrusted:", "data:"))]


def said(page: webdriver.Chrome) -> list[str]:
    """Return what the console holds since the last call."""
    return [str(entry["message"]) for entry in _log(page, "browser")]


def _log(page: webdriver.Chrome, kind: str) -> list[dict[str, Any]]:
    return list(page.get_log(kind))  # type: ignore[no-untyped-call]
