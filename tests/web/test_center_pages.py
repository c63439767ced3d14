"""A center's day on its pages: opened, counted, deposited, closed and sealed."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from chamberlain.cashiering import operations
from tests.web import counter_office
from tests.web.conftest import Live, assert_accessible, assert_fits, keep_picture, sign_in

pytestmark = pytest.mark.browser


def test_a_supervisor_opens_the_day_of_the_center(live: Live, page: Page) -> None:
    counter_office.set_up(opens_day=False)
    sign_in(page, "sol", "/centers/")
    keep_picture(page, "centers")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("link", name="City Hall").click()
    expect(page.get_by_text("This center has had no business day yet.")).to_be_visible()
    keep_picture(page, "center-without-days")
    assert_accessible(page)
    page.get_by_role("button", name="Open the day").click()
    expect(page.get_by_text("No till was opened on this day.")).to_be_visible()
    keep_picture(page, "center-day-empty")
    assert_accessible(page)


def test_a_day_with_an_open_till_is_not_closed(live: Live, page: Page) -> None:
    office = counter_office.set_up()
    counter_office.open_till(office)
    sign_in(page, "sol", f"/centers/days/{office.day.pk}/")
    page.get_by_role("button", name="Close and seal").click()
    expect(page.get_by_role("alert")).to_contain_text("Till CH-1 of Casey is still open")
    assert_accessible(page)
    assert_fits(page)


def test_a_cashier_sees_no_sums_of_the_day_before_the_drawer_is_counted(
    live: Live, page: Page
) -> None:
    office = counter_office.set_up()
    session_id = counter_office.open_till(office)
    operations.take_payment(
        counter_office.actor("casey"),
        session_id,
        office.maria.account_id,
        [(office.maria.charge_ids[0], 6412)],
        [operations.TenderLine("cash", 10000)],
        timezone.now(),
        "paid",
    )
    sign_in(page, "casey", f"/centers/days/{office.day.pk}/")
    expect(page.get_by_text("amounts are shown when every till is counted")).to_be_visible()
    expect(page.get_by_role("heading", name="By tender")).to_have_count(0)
    assert_accessible(page)


def test_many_receipts_come_a_page_at_a_time(live: Live, page: Page) -> None:
    office = counter_office.set_up()
    session_id = counter_office.open_till(office)
    for number in range(60):
        operations.take_payment(
            counter_office.actor("casey"),
            session_id,
            office.maria.account_id,
            [(office.maria.charge_ids[0], 100)],
            [operations.TenderLine("cash", 100)],
            timezone.now(),
            f"payment {number}",
        )
    sign_in(page, "sol", f"/centers/days/{office.day.pk}/")
    expect(page.get_by_text("1–50 of 60")).to_be_visible()
    keep_picture(page, "center-day")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text("51–60 of 60")).to_be_visible()
