"""The page that describes the API to whoever writes a program for it."""

import pytest
from playwright.sync_api import Page, expect

from tests import office
from tests.web.conftest import Live, assert_accessible, assert_fits, keep_picture, sign_in

pytestmark = pytest.mark.browser


def test_a_payment_is_described_with_all_that_is_sent_and_answered(live: Live, page: Page) -> None:
    office.make_user("robin")
    sign_in(page, "robin", then="/api/v1/docs")
    call = page.locator("details", has_text="POST /api/v1/payments")
    call.locator("summary").click()
    sent = call.get_by_role("table", name="Sent with POST /api/v1/payments")
    expect(sent.get_by_role("row", name="Idempotency-Key")).to_contain_text("header, needed")
    expect(sent.get_by_role("row", name="items[].charge_id")).to_contain_text("integer")
    expect(sent.get_by_role("row", name="channel body")).to_contain_text(
        "one of lockbox, processor"
    )
    answer = call.get_by_role("table", name="Answer of POST /api/v1/payments")
    expect(answer.get_by_role("row", name="cents").first).to_be_visible()
    keep_picture(page, "api-reference")
    assert_accessible(page)
    assert_fits(page)


def test_it_is_open_to_whoever_has_no_account(live: Live, page: Page) -> None:
    page.goto("/api/v1/docs")
    expect(page.get_by_role("heading", name="API", exact=True)).to_be_visible()
    expect(page.get_by_role("cell", name="The request cannot be read")).to_be_visible()
    assert_accessible(page)
