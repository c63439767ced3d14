"""A check that came back, entered from the page of its payment."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from chamberlain.cashiering import operations
from chamberlain.identity.models import Center, Role
from chamberlain.ledger.queries import balance
from tests import office as people
from tests.web import counter_office
from tests.web.conftest import Live, assert_accessible, assert_fits, keep_picture, sign_in

pytestmark = pytest.mark.browser


def test_a_check_comes_back_from_the_page_of_its_payment(live: Live, page: Page) -> None:
    office = counter_office.set_up()
    session = counter_office.open_till(office)
    receipt = operations.take_payment(
        counter_office.actor("casey"), session, office.maria.account_id,
        [(office.maria.charge_ids[0], 6412)], [operations.TenderLine("check", 6412, "1001")],
        timezone.now(), "paid",
    )  # fmt: skip
    operations.close_till(counter_office.actor("casey"), session, {2000: 5}, 6412, timezone.now())
    Center.objects.filter(code="REV").update(kind="revenue_office")
    people.make_user("amir", Role.ACCOUNTS_SUPERVISOR)
    sign_in(page, "amir", f"/trace/{receipt.receipt_id}/")
    page.get_by_role("link", name="Check 1001 came back").press("Enter")
    page.get_by_label("Why it came back").select_option("closed")
    keep_picture(page, "returned-new")
    assert_accessible(page)
    assert_fits(page)
    page.keyboard.press("F9")
    expect(page.get_by_text("It came back: what it had paid is open again.")).to_be_visible()
    expect(page.get_by_text("No letter was written")).to_be_visible()
    expect(page.get_by_text("Account closed or unknown")).to_be_visible()
    keep_picture(page, "returned")
    assert_accessible(page)
    assert_fits(page)
    assert balance(office.maria.account_id).owed_cents == 2 * 6412
    page.goto(f"/trace/{receipt.receipt_id}/")
    expect(page.get_by_text("Check 1001 came back")).to_be_visible()
    expect(page.get_by_role("link", name="Check 1001 came back")).to_have_count(0)
