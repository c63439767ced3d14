"""A real server and a real browser for the tests of pages.

`live` is the whole program on a database of the test's own, served on loopback; `page` is a tab
of Debian's Chromium. `sign_in` really signs in, with a password, through the form. Every page
test ends with `assert_accessible(page)`.
"""

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.servers.basehttp import ThreadedWSGIServer
from django.core.wsgi import get_wsgi_application
from django.test import override_settings
from playwright.sync_api import Browser, Page, expect, sync_playwright

from chamberlain.identity.models import User
from chamberlain.web import assets

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESK = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
PASSWORD = "seven harbors of the north"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@dataclass(frozen=True)
class Live:
    """The served program: `url` is its address, without a slash at the end."""

    url: str


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """A test's output is its failures."""


class _Static(StaticFilesHandler):
    """Style sheets and scripts straight from their folders."""

    def get_base_url(self) -> str:
        return "/static/"


@pytest.fixture(scope="session")
def design_system() -> None:
    """The design system's files, brought once."""
    assets.build()


@pytest.fixture
def live(own_database: str, design_system: None) -> Iterator[Live]:
    """The program on a database of the test's own. Take it before `page`."""
    server = ThreadedWSGIServer(("127.0.0.1", 0), _Silent, allow_reuse_address=True)
    server.daemon_threads = True
    with override_settings(STORAGES=STORAGES):
        server.set_app(_Static(get_wsgi_application()))
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Live(f"http://127.0.0.1:{server.server_address[1]}")
        server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of a process."""
    # Playwright keeps an event loop on this thread; the tests use the database between its steps.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def page(live: Live, browser: Browser) -> Iterator[Page]:
    """A tab without cookies, as wide as a desk's screen, whose addresses start at the program.

    A fault of a script, or something that the content security policy stopped, fails the test.
    """
    context = browser.new_context(base_url=live.url, viewport=DESK, reduced_motion="reduce")
    tab = context.new_page()
    tab.set_default_timeout(10_000)
    faults: list[str] = []
    tab.on("pageerror", lambda error: faults.append(str(error)))
    tab.on(
        "console",
        lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None,
    )
    yield tab
    context.close()
    assert faults == []


def sign_in(page: Page, username: str, then: str = "/") -> None:
    """Gives the user a password and signs in with it through the form, then stands at `then`."""
    user = User.objects.get(username=username)
    user.set_password(PASSWORD)
    user.save()
    page.goto(f"/sign-in/login/?next={then}")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_have_count(0)


def sign_out(page: Page) -> None:
    """Leaves the office."""
    page.context.clear_cookies()


def assert_accessible(page: Page) -> None:
    """axe finds nothing against WCAG 2.2 A and AA or its best practices."""
    page.wait_for_load_state()
    found = Axe().run(page, options={"runOnly": AXE_RULES})
    assert found.violations_count == 0, found.generate_report()


def assert_fits(page: Page, width: int = PHONE["width"]) -> None:
    """At a phone's width nothing has to be scrolled sideways. Leaves the page at desk width."""
    page.set_viewport_size({"width": width, "height": PHONE["height"]})
    wide = page.evaluate("document.documentElement.scrollWidth")
    page.set_viewport_size(DESK)
    assert wide <= width, f"the page is {wide} px wide on a screen of {width} px"


def keep_picture(page: Page, name: str) -> None:
    """Pictures at both widths, when CHAMBERLAIN_PICTURES names a folder to keep them in."""
    folder = os.environ.get("CHAMBERLAIN_PICTURES")
    if not folder:
        return
    for size in (DESK, PHONE):
        page.set_viewport_size(size)
        path = Path(folder) / f"{name}-{size['width']}.png"
        # Hiding the caret would need a style that the content security policy stops.
        page.screenshot(path=str(path), full_page=True, caret="initial")
    page.set_viewport_size(DESK)
