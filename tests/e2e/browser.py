"""Chromium for the tests that look at a page as somebody else would."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page


@contextmanager
def watched_page() -> Iterator["Page"]:
    """A page that fails the test if it logs an error or asks anybody but its own server; skips where it can't."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="the page in a browser was left out: it needs playwright and Chromium"
    )
    if chromium is None:
        pytest.skip("the page in a browser was left out: it needs playwright and Chromium")
    complaints: list[str] = []
    asked: set[str] = set()
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
        yield page
        own = urlsplit(page.url).netloc
        browser.close()
    assert complaints == []
    assert asked <= {own, ""}  # data: URLs have no host
