"""Debian's Chromium, driven by playwright, for tests of what people see and press in a browser."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page, async_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None and "REQUIRE_CHROMIUM" not in os.environ,
    reason="there is no chromium on this machine",
)
"""For whatever opens a browser. Where it must not be skipped, it fails without one."""


@asynccontextmanager
async def phone(width: int = 320) -> AsyncIterator[Page]:
    """A page in a browser that is as wide as a small phone, in CSS pixels."""
    assert CHROMIUM is not None, "there is no chromium on this machine"
    # As root it has no sandbox of its own.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            yield await browser.new_page(viewport={"width": width, "height": 640})
        finally:
            await browser.close()
