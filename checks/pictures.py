"""`make pictures`: the pictures of README and docs/office, taken from the demonstration.

Needs the demonstration's database (`make demo`). Each picture is a page as a demonstration user
sees it at the width of a desk's screen, in so few colors that it stays small.
"""

import io
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from chamberlain.billing.access.codes import bill_code
from chamberlain.cli import office, serving
from chamberlain.database import server
from chamberlain.database.rows import rows

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
LARGEST_BYTES = 120_000
CHROMIUM = "/usr/bin/chromium"
_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
_SIZE = {"width": 1280, "height": 860}
_STARTS_WITHIN = 60
_OPENED = 3
_COLORS = (128, 64, 32, 16)

_OWES_MUCH = """
    SELECT a.number, i.id, i.number FROM ledger_account a
    JOIN ledger_balance b ON b.account_id = a.id AND b.owed_cents BETWEEN 150000 AND 600000
    JOIN registry_accountholding h ON h.account_id = a.id AND upper(h.period) IS NULL
    JOIN registry_customer c ON c.id = h.customer_id AND c.kind = 'person'
    JOIN LATERAL (
        SELECT id, number FROM billing_bill
        WHERE account_id = a.id AND read_id IS NOT NULL ORDER BY issued_on DESC, id DESC LIMIT 1
    ) i ON true
    WHERE a.number LIKE 'CH-%%' ORDER BY a.number LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture: its name, whose page, its address. first_link: a pattern of the link to follow
    from there. opens: whether its first figures are opened to their parts."""

    name: str
    username: str
    address: str
    first_link: str = ""
    opens: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """The account and bill that are shown, with the bill's code for the resident."""

    account: str
    bill: str
    code: str


def main() -> int:
    """Takes all pictures; returns 0."""
    os.environ["CHAMBERLAIN_DEMO"] = "1"
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    office.set_up()
    shown = _shown()
    shots = _shots(shown)
    with _served() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        for username in dict.fromkeys(shot.username for shot in shots):
            page = _signed_in(browser, url, username)
            for shot in shots:
                if shot.username == username:
                    _take(page, shot)
        _take_resident(browser, url, shown)
        browser.close()
    return 0


def _shown() -> Shown:
    found = rows(_OWES_MUCH, [])
    if not found:
        sys.exit("There is no demonstration yet; run make demo first.")
    account, bill_id, bill = found[0]
    return Shown(account, bill, bill_code(bill_id, bill))


def _shots(shown: Shown) -> list[Shot]:
    from chamberlain.cities.demonstration import places

    at: Mapping[str, str] = {place.what: place.address for place in places()}
    today = office.today()
    imagined = (
        "/what-if/?tariff=chicago-metered&component=water&change_percent=5"
        f"&since={today - timedelta(days=75)}&until={today}"
    )
    return [
        Shot("account", "amir", f"/accounts/{shown.account}/", opens=True),
        Shot("bill", "amir", f"/bills/{shown.bill}/", opens=True),
        Shot("rebill", "amir", at["A rebill that waits for a second person"]),
        Shot("adjustment", "amir", at["A leak credit that waits"]),
        Shot("what-if", "amir", imagined),
        Shot("plan", "clara", at["A payment plan in force"]),
        Shot("certificates", "clara", at["Certificates under way"]),
        Shot("usage-entry", "clara", at["Usage to look at"], r"^/usage-worklist/\d+/"),
        Shot("route", "clara", at["Reading routes"], r"^/routes/r/[^/]+/$"),
        Shot("letter", "clara", at["A letter as it was sent"]),
        Shot("deposit", "clara", at["A deposit that was asked for"]),
        Shot("property", "clara", at["Owners with shares"]),
        Shot("document", "clara", at["Documents to review"], r"^/documents/\d+/$"),
        Shot("history", "amir", f"/accounts/{shown.account}/history/"),
        Shot("why", "amir", f"/bills/{shown.bill}/why/"),
        Shot("analysis", "amir", f"/accounts/{shown.account}/analysis/"),
        Shot("final", "clara", at["A move with its final bill"]),
        Shot("certificate", "amir", at["A certificate that was issued"]),
        Shot("vehicle", "clara", "/vehicles/KX79612/"),
        Shot("stock", "cole", "/stock/"),
    ]


@contextmanager
def _served() -> Iterator[str]:
    """The demonstration on a free port; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--threads", "4"]
    serving.collect_pages_assets()
    program = subprocess.Popen(
        [*command, "--timeout", "180", "--log-level", "warning", "chamberlain.wsgi"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        program.terminate()
        program.wait()


def _wait_for(port: int) -> None:
    until = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    sys.exit("The program did not start; try chamberlain serve.")


def _page(browser: Browser, url: str) -> Page:
    context = browser.new_context(base_url=url, viewport=_SIZE, reduced_motion="reduce")  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(150_000)
    return page


def _signed_in(browser: Browser, url: str, username: str) -> Page:
    password = (server.data_folder().parent / "demonstration_password").read_text("utf-8")
    page = _page(browser, url)
    page.goto("/sign-in/login/?next=/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"{url}/**")
    return page


def _take(page: Page, shot: Shot) -> None:
    page.goto(shot.address)
    if shot.first_link:
        links = page.locator("main a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
        page.goto(next(link for link in links if re.search(shot.first_link, link or "")))
    if shot.opens:
        for figure in page.locator("main details:not([open]) > summary").all()[:_OPENED]:
            figure.click()
    _keep(page, shot.name)


def _take_resident(browser: Browser, url: str, shown: Shown) -> None:
    page = _page(browser, url)
    page.goto("/my-account/enter/")
    page.get_by_label("Account number").fill(shown.account)
    page.get_by_label("Code").fill(shown.code)
    page.get_by_role("button", name="Open my account").click()
    page.wait_for_url("**/my-account/")
    _keep(page, "resident")


def _keep(page: Page, name: str) -> None:
    """The picture in the most colors in which it is small enough."""
    page.mouse.move(0, 0)
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_load_state("networkidle")
    taken = Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
    for colors in _COLORS:
        small = io.BytesIO()
        taken.quantize(colors, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
        if small.tell() < LARGEST_BYTES:
            break
    (PICTURES / f"{name}.png").write_bytes(small.getvalue())
    office.console.print(f"{name}.png: {small.tell() / 1000:.0f} kB in {colors} colors")


if __name__ == "__main__":
    sys.exit(main())
