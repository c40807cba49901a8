"""A real browser: headless Chromium, which may reach this machine alone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Skips the test where there is none, but fails it where CI says that there has to be one."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("there is no Chromium, and in CI there has to be one: .ci/run installs it")
        pytest.skip("there is no Chromium here")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=QUIET)
        try:
            yield browser
        finally:
            browser.close()


def guard(page: Page, root: str) -> list[str]:
    """What a page asked for elsewhere, and what went wrong in it; filled as it happens."""
    wrong: list[str] = []

    def note(url: str) -> None:
        if not url.startswith((f"{root}/", "data:")):
            wrong.append(f"asked for {url}")

    page.on("request", lambda request: note(request.url))
    page.on("console", lambda message: wrong.append(message.text) if _is_wrong(message.type, message.text) else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    return wrong


def _is_wrong(kind: str, text: str) -> bool:
    """That somebody has not signed in, or asked for what is not there, is said in the console too."""
    return kind in {"error", "warning"} and "status of 40" not in text
