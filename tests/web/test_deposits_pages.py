"""Customer deposits in a real browser: asked for, taken back, released, listed; two clerks."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from chamberlain.billing.deposits.models import Deposit
from tests.billing.deposit_office import asked_of, deposit_home, next_day, pay, pay_bills
from tests.billing.final_office import Home
from tests.office import DAY
from tests.web.conftest import Live, assert_accessible, assert_fits, keep_picture, sign_in

pytestmark = pytest.mark.browser


@pytest.fixture
def place(live: Live) -> Home:
    return deposit_home()


def test_a_clerk_asks_for_a_deposit_by_keyboard_and_takes_the_rest_back(
    place: Home, page: Page
) -> None:
    sign_in(page, "robin", f"/accounts/{place.number}/deposits/")
    expect(page.locator(".total")).to_contain_text("$150.00")
    expect(page.locator("main")).to_contain_text("held by somebody who does not own it")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "deposit-required")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Deposit DEP-")
    deposit = Deposit.objects.get()
    pay(place, deposit, 4_000)
    page.reload()
    page.get_by_label("Why is it not asked for any more?").fill("Bought the house")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "deposit-to-be-paid")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("$110.00 of the deposit is not asked for")
    expect(page.locator("main")).to_contain_text("Not released yet")
    page.goto("/customer-deposits/")
    expect(page.get_by_role("link", name=deposit.number)).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "deposits")


def test_the_second_clerk_is_told_what_changed(place: Home, page: Page) -> None:
    deposit = asked_of(place)
    sign_in(page, "robin", f"/customer-deposits/{deposit.number}/")
    pay(place, deposit, 15_000)
    page.get_by_label("Why is it not asked for any more?").fill("Bought the house")
    page.get_by_role("button", name="Take back what is not paid").press("Enter")
    said = page.locator(".usa-alert--error").first
    expect(said).to_contain_text("The account changed since you looked: it owed")
    expect(said).to_contain_text("payment LB-pay over $150.00 by")
    assert Deposit.objects.get().closed_on is None
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "deposit-changed")


def test_a_supervisor_releases_a_deposit_after_its_term(place: Home, page: Page) -> None:
    deposit = asked_of(place)
    pay(place, deposit, 15_000)
    pay_bills(place)
    next_day(place, DAY + timedelta(days=400))
    sign_in(page, "sam", f"/customer-deposits/{deposit.number}/")
    expect(page.get_by_role("button", name="Release the deposit")).to_be_visible()
    assert_accessible(page)
    keep_picture(page, "deposit-to-release")
    page.keyboard.press("Control+Enter")
    expect(page.locator("main")).to_contain_text("it is credit of the account now")
    page.goto("/customer-deposits/?list=closed")
    expect(page.get_by_role("link", name=deposit.number)).to_be_visible()
    assert_accessible(page)
    assert_fits(page)


def test_accounts_that_nobody_asked_are_listed(place: Home, page: Page) -> None:
    sign_in(page, "robin", "/customer-deposits/?list=missing")
    expect(page.locator("main")).to_contain_text("Every account that began within a year")
    assert_accessible(page)
    assert_fits(page)
