"""Journals made and looked at on their pages."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from chamberlain.cashiering import operations
from chamberlain.identity.actors import program_actor
from chamberlain.ledger.operations import seal_business_day
from chamberlain.reconciliation.general_ledger.operations import load_mapping
from tests.reconciliation.test_general_ledger import MAPPING
from tests.web import counter_office
from tests.web.conftest import Live, assert_accessible, assert_fits, keep_picture, sign_in

pytestmark = pytest.mark.browser


def test_the_journals_of_closed_days_are_made_and_taken(live: Live, page: Page) -> None:
    office = counter_office.set_up()
    session = counter_office.open_till(office)
    operations.take_payment(
        counter_office.actor("casey"), session, office.maria.account_id,
        [(office.maria.charge_ids[0], 6412)], [operations.TenderLine("cash", 6412)],
        timezone.now(), "paid",
    )  # fmt: skip
    seal_business_day(program_actor(), office.day.pk, timezone.now())
    load_mapping(program_actor(), MAPPING)
    sign_in(page, "ray", "/journals/")
    expect(page.get_by_text("Not made yet")).to_be_visible()
    assert_accessible(page)
    page.keyboard.press("F9")
    expect(page.get_by_text("1 journal made.")).to_be_visible()
    keep_picture(page, "general-ledger")
    assert_accessible(page)
    assert_fits(page)
    with page.expect_download() as kept:
        page.get_by_role("link", name="Beancount of J-000001").press("Enter")
    assert "64.12 USD" in kept.value.path().read_text(encoding="utf-8")
    page.get_by_role("link", name="J-000001", exact=True).press("Enter")
    expect(page.get_by_role("heading", name="Journal J-000001")).to_be_visible()
    keep_picture(page, "general-ledger-journal")
    assert_accessible(page)
    assert_fits(page)
