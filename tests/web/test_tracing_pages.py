"""A payment traced on its pages."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from chamberlain.cashiering import operations
from tests.web import counter_office
from tests.web.conftest import Live, assert_accessible, assert_fits, keep_picture, sign_in

pytestmark = pytest.mark.browser


def test_a_payment_is_found_by_its_amount_and_its_way_shown(live: Live, page: Page) -> None:
    office = counter_office.set_up()
    session_id = counter_office.open_till(office)
    receipt = operations.take_payment(
        counter_office.actor("casey"),
        session_id,
        office.maria.account_id,
        [(office.maria.charge_ids[0], 6412)],
        [operations.TenderLine("check", 6000, "1001"), operations.TenderLine("cash", 500)],
        timezone.now(),
        "paid",
    )
    sign_in(page, "ray", "/trace/")
    page.get_by_label("What the customer has").fill("64.12")
    page.keyboard.press("F9")
    expect(page.get_by_role("cell", name="the amount")).to_be_visible()
    keep_picture(page, "trace-found")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("link", name=receipt.number).press("Enter")
    expect(page.get_by_text("Not all at the bank")).to_be_visible()
    expect(page.get_by_role("cell", name="Not deposited yet").first).to_be_visible()
    keep_picture(page, "trace-way")
    assert_accessible(page)
    assert_fits(page)
    pdf = page.request.get(f"{live.url}/trace/{receipt.receipt_id}/pdf")
    assert pdf.body().startswith(b"%PDF")


def test_what_is_not_found_says_what_to_try(live: Live, page: Page) -> None:
    counter_office.set_up()
    sign_in(page, "ada", "/trace/?q=nobody")
    expect(page.get_by_text("No payment at a counter fits.")).to_be_visible()
    page.goto("/trace/?q=1001&from_on=2026-05-02&to_on=2026-05-01")
    expect(page.locator("#id_to_on_problem")).to_contain_text("The last day is before the first")
    assert_accessible(page)
