"""A check scanned at the counter, decided by a supervisor at the till, and held afterwards."""

import re
import threading
from collections.abc import Iterator
from datetime import date

import pytest
from django.conf import settings as office_settings
from playwright.sync_api import Page, expect

from chamberlain.cashiering.checks.models import Check, Hold
from chamberlain.cashiering.checks.terms import Terms, load_check_terms
from chamberlain.cashiering.models import Receipt
from chamberlain.check_service.server import CheckService
from chamberlain.identity.actors import program_actor
from tests.web import counter_office
from tests.web.conftest import (
    PASSWORD,
    Live,
    assert_accessible,
    assert_fits,
    keep_picture,
    sign_in,
    sign_out,
)

pytestmark = pytest.mark.browser


@pytest.fixture
def service(live: Live, monkeypatch: pytest.MonkeyPatch) -> Iterator[CheckService]:
    server = CheckService(0, "known to both")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(office_settings, "CHECK_SERVICE_URL", server.address)
    monkeypatch.setattr(office_settings, "CHECK_SERVICE_SECRET", server.secret)
    terms = Terms(date(2020, 1, 1), 10_000, 50_000, "FOR DEPOSIT ONLY", "for the tests", False)
    load_check_terms(program_actor(), [terms])
    yield server
    server.shutdown()
    server.server_close()


def at_the_counter(page: Page) -> None:
    office = counter_office.set_up()
    counter_office.open_till(office)
    sign_in(page, "casey", "/counter/?account=1004220817")
    page.locator("html.has-script").wait_for(state="attached")
    expect(page.get_by_label("Cash: amount")).to_be_focused()


def scan(page: Page, account: str) -> None:
    page.keyboard.press("F8")
    page.keyboard.type("128.24")
    page.keyboard.press("Tab")
    page.keyboard.type(f"t021000021t{account}o1001")


def test_a_scanned_check_is_verified_and_the_receipt_says_how(
    live: Live, page: Page, service: CheckService
) -> None:
    at_the_counter(page)
    page.keyboard.press("F8")
    page.keyboard.type("128.24")
    page.keyboard.press("Tab")
    page.keyboard.type("1001")
    page.keyboard.press("F9")
    expect(page.get_by_text("is taken with its bottom line")).to_be_visible()
    page.get_by_label("Check: number").fill("t021000022t123456700o1001")
    page.keyboard.press("F9")
    expect(page.get_by_text("021000022 is no routing number of a bank")).to_be_visible()
    assert_accessible(page)
    page.get_by_label("Check: number").fill("t021000021t123456700o1001")
    page.keyboard.press("F9")
    expect(page.get_by_role("heading", name=re.compile("Receipt CH-1"))).to_be_visible()
    expect(page.get_by_text("Accepted by the check service")).to_be_visible()
    keep_picture(page, "receipt-check")
    assert_accessible(page)
    assert_fits(page)
    page.keyboard.press("Alt+e")
    expect(page.get_by_text("has no printer")).to_be_visible()
    assert Receipt.objects.get().total_cents == 12824


def test_a_declined_check_is_given_back(live: Live, page: Page, service: CheckService) -> None:
    at_the_counter(page)
    scan(page, "1234513")
    page.keyboard.press("F9")
    expect(page.get_by_text("declines the check of $128.24 (code 04)")).to_be_visible()
    keep_picture(page, "counter-declined")
    assert_accessible(page)
    assert not Receipt.objects.exists()


def test_a_supervisor_decides_on_a_referred_check_at_the_till(
    live: Live, page: Page, service: CheckService
) -> None:
    at_the_counter(page)
    counter_office.give_password("sol")
    scan(page, "1234577")
    page.keyboard.press("F9")
    expect(page.get_by_role("heading", name="A supervisor decides")).to_be_visible()
    expect(page.get_by_label("Username")).to_be_focused()
    keep_picture(page, "counter-referred")
    assert_accessible(page)
    assert_fits(page)
    page.keyboard.type("sol")
    page.keyboard.press("Tab")
    page.keyboard.type("a wrong guess")
    page.keyboard.press("F9")
    expect(page.get_by_text("The username or the password is not right")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("F9")
    expect(page.get_by_text("Approved by a supervisor")).to_be_visible()
    assert Check.objects.get().approved_by.username == "sol"


def test_checks_are_found_held_and_taken_again(
    live: Live, page: Page, service: CheckService
) -> None:
    at_the_counter(page)
    scan(page, "123456700")
    page.keyboard.press("F9")
    expect(page.get_by_role("heading", name=re.compile("Receipt CH-1"))).to_be_visible()
    counter_office.give_password("sol")
    sign_out(page)
    sign_in(page, "sol", "/checks/?number=1001")
    expect(page.get_by_role("rowheader", name="1001")).to_be_visible()
    page.get_by_text("Hold checks like 1001").press("Enter")
    page.get_by_label("Why, for the cashier to say").fill("The bank sent it back")
    keep_picture(page, "checks")
    assert_accessible(page)
    page.get_by_role("button", name="Take none of them").press("Enter")
    expect(page.get_by_text("No checks are taken of them")).to_be_visible()
    page.goto("/checks/held/")
    expect(page.get_by_role("cell", name="The bank sent it back")).to_be_visible()
    keep_picture(page, "checks-held")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_label("Routing number").fill("021000022")
    page.get_by_label("Bank account", exact=True).fill("1")
    page.get_by_label("Why").fill("x")
    page.keyboard.press("F9")
    expect(page.locator("#routing_problem")).to_contain_text("its check digit is wrong")
    page.get_by_role("link", name="End it").press("Enter")
    page.get_by_label("Why checks are taken again").fill("Paid in cash")
    assert_accessible(page)
    page.keyboard.press("F9")
    expect(page.get_by_text("Checks of them are taken again.")).to_be_visible()
    assert Hold.objects.get().end_note == "Paid in cash"
