"""Takes the pictures of docs/ anew from the demonstration city: `make pictures`.

Needs `make demo` before. A page is shown at 1280 pixels, cut where it gets long, and kept with
few colors, so that a picture stays small.
"""

import io
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from chamberlain.cli import office

ROOT = Path(__file__).parents[1]
INTO = ROOT / "docs" / "pictures"
CHROMIUM = "/usr/bin/chromium"
WIDTH, HEIGHT, COLORS = 1280, 800, 96
_PATIENCE = 60


@dataclass(frozen=True, slots=True)
class Picture:
    """A page as one of the demonstration's people sees it."""

    name: str
    user: str
    page: str
    height: int = HEIGHT


def pictures() -> list[Picture]:
    """What is shown in docs/, with the addresses that the demonstration gave its examples."""
    from chamberlain.billing.adjusting.queries import adjustment
    from chamberlain.cities.demonstration import make_account_work

    pages = [each.page for each in make_account_work(office.today(), office.now())]
    of = {page.split("/")[1]: page for page in reversed(pages)}
    waiting = [page for page in pages if page.startswith("/adjustments/")][-1]
    account = adjustment(waiting.split("/")[2]).account
    return [
        Picture("account", "clara", f"/accounts/{account}/"),
        Picture("bill", "amir", _a_bill(account)),
        Picture("rebill", "amir", of["rebills"]),
        Picture("adjustment", "amir", waiting),
        Picture("plan", "clara", of["plans"]),
        Picture("certificates", "amir", "/certificates/", 620),
        Picture("usage-worklist", "clara", "/usage-worklist/"),
        Picture("routes", "clara", "/routes/", 620),
        Picture("letter", "clara", next(p for p in pages if p.startswith("/letters/LT"))),
        Picture("letters-to-many", "amir", next(p for p in pages if "batches" in p)),
        Picture("history", "clara", f"/accounts/{account}/history/"),
    ]


def _a_bill(account: str) -> str:
    from chamberlain.billing.queries import bills_of_account
    from chamberlain.ledger.queries import account_id_of

    return f"/bills/{bills_of_account(account_id_of(account), 1)[0].number}/"


def main() -> int:
    """Serves the demonstration on a free port, takes every picture, and stops."""
    os.environ["CHAMBERLAIN_DEMO"] = "1"
    office.set_up()
    wanted = pictures()
    password = (ROOT / "var" / "demonstration_password").read_text(encoding="utf-8")
    address = f"127.0.0.1:{_free_port()}"
    command = [str(Path(sys.executable).with_name("chamberlain")), "serve", "--address", address]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        _wait_for(address)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            for user in dict.fromkeys(each.user for each in wanted):
                context = browser.new_context(
                    base_url=f"http://{address}", viewport={"width": WIDTH, "height": HEIGHT}
                )
                tab = context.new_page()
                _sign_in(tab, user, password)
                for picture in (each for each in wanted if each.user == user):
                    _take(tab, picture)
                context.close()
            browser.close()
    finally:
        server.terminate()
        server.wait()
    return 0


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for(address: str) -> None:
    host, port = address.split(":")
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        with socket.socket() as tried:
            if tried.connect_ex((host, int(port))) == 0:
                return
        time.sleep(0.2)
    raise TimeoutError(f"nothing answers at {address}")


def _sign_in(tab: Page, user: str, password: str) -> None:
    tab.goto("/sign-in/login/")
    tab.get_by_label("Username").fill(user)
    tab.get_by_label("Password").fill(password)
    tab.get_by_role("button", name="Sign in", exact=True).click()
    tab.wait_for_url(lambda url: "sign-in" not in url)


def _take(tab: Page, picture: Picture) -> None:
    tab.set_viewport_size({"width": WIDTH, "height": picture.height})
    tab.goto(picture.page)
    shown = Image.open(io.BytesIO(tab.screenshot())).convert("RGB")
    path = INTO / f"{picture.name}.png"
    shown.quantize(COLORS).save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1024} KB")


if __name__ == "__main__":
    sys.exit(main())
