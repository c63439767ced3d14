"""The safe in the browser: the fund, the count by two, change for a till, bags, a handover."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from chamberlain.cashiering import operations
from chamberlain.cashiering.safe.operations import count_safe, set_fund
from chamberlain.identity.models import Role
from tests import office as people
from tests.web import counter_office
from tests.web.conftest import (
    PASSWORD,
    Live,
    assert_accessible,
    assert_fits,
    keep_picture,
    sign_in,
)
from tests.web.test_whole_day import change_to

pytestmark = pytest.mark.browser


def fill_second(page: Page, who: str, username: str) -> None:
    page.get_by_label(f"{who}: username").fill(username)
    page.get_by_label(f"{who}: password").fill(PASSWORD)


@pytest.fixture
def office(live: Live) -> counter_office.CounterOffice:
    made = counter_office.set_up()
    for username in ("sol", "casey"):
        counter_office.give_password(username)
    return made


def keep_the_safe(office: counter_office.CounterOffice) -> None:
    """A fund of $500.00, counted this morning."""
    coordinator, center_id = counter_office.actor("ray"), office.day.center_id
    set_fund(coordinator, center_id, 50_000, "As in the cash rules", timezone.now())
    count_safe(
        counter_office.actor("sol"),
        counter_office.actor("casey"),
        office.day.pk,
        "start",
        {5000: 10},
        "",
        timezone.now(),
    )


def test_a_safe_is_kept_from_the_fund_on(office, page: Page) -> None:
    sign_in(page, "ray", "/centers/CH/safe/")
    expect(page.get_by_text("This center keeps no safe yet.")).to_be_visible()
    page.locator("#fund_cents").fill("500")
    page.locator("#fund_reason").fill("As in the cash rules")
    page.get_by_role("button", name="Set the fund").click()
    expect(page.get_by_text("the safe is counted from now on")).to_be_visible()
    change_to(page, "casey", "/tills/")
    page.get_by_label("$20 bills").fill("5")
    page.keyboard.press("F9")
    expect(
        page.get_by_text("counted by two people before the first till opens").first
    ).to_be_visible()
    change_to(page, "sol", "/centers/CH/safe/")
    page.keyboard.press("F9")
    page.get_by_label("$50 bills").fill("9")
    page.get_by_label("$20 bills").fill("2")
    fill_second(page, "Witness", "casey")
    page.keyboard.press("F9")
    expect(page.get_by_text("The count differs from the books").first).to_be_visible()
    keep_picture(page, "safe-count")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_label("$20 bills").fill("")
    page.get_by_label("$50 bills").fill("10")
    fill_second(page, "Witness", "casey")
    page.keyboard.press("F9")
    expect(page.get_by_text("The count was kept.")).to_be_visible()


def test_a_till_orders_change_and_gets_it(office, page: Page) -> None:
    keep_the_safe(office)
    session = counter_office.open_till(office)
    sign_in(page, "casey", f"/tills/{session}/")
    page.get_by_role("link", name="Order change").click()
    page.get_by_label("Quarters").fill("40")
    keep_picture(page, "safe-order")
    assert_accessible(page)
    page.keyboard.press("F9")
    expect(page.get_by_text("The supervisor sees what you need.")).to_be_visible()
    change_to(page, "sol", "/centers/CH/safe/")
    page.get_by_role("link", name=re.compile("Give the change")).click()
    page.get_by_label("$10 bills").fill("1")
    keep_picture(page, "safe-fill")
    assert_accessible(page)
    page.keyboard.press("F9")
    expect(page.get_by_text("has its change.")).to_be_visible()


def test_a_bag_is_sealed_by_two_and_goes_to_the_courier_and_the_bank(office, page: Page) -> None:
    keep_the_safe(office)
    session = counter_office.open_till(office)
    operations.take_payment(
        counter_office.actor("casey"), session, office.maria.account_id,
        [(office.maria.charge_ids[0], 2000)], [operations.TenderLine("cash", 2000)],
        timezone.now(), "paid",
    )  # fmt: skip
    operations.close_till(counter_office.actor("casey"), session, {2000: 6}, 0, timezone.now())
    operations.verify_till(counter_office.actor("sol"), session, timezone.now())
    sign_in(page, "sol", f"/centers/days/{office.day.pk}/")
    page.get_by_role("link", name="Bag and seal it").click()
    page.get_by_label("Bag number").fill("BAG-77")
    fill_second(page, "Sealed with", "casey")
    keep_picture(page, "safe-bag")
    assert_accessible(page)
    assert_fits(page)
    page.keyboard.press("F9")
    expect(page.get_by_text("The bag is sealed by two.")).to_be_visible()
    page.goto("/centers/CH/safe/")
    page.get_by_role("checkbox", name="Bag BAG-77").check()
    page.get_by_label("Courier", exact=True).fill("Carrier One")
    page.get_by_label("Courier's receipt number").fill("4711")
    keep_picture(page, "safe")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("button", name="Hand them over").click()
    expect(page.get_by_text("Carrier One took 1 bag.")).to_be_visible()
    page.goto(f"/centers/days/{office.day.pk}/")
    page.get_by_role("link", name=re.compile("DCH")).click()
    page.get_by_label("Number of the bank's receipt").fill("R9")
    page.get_by_label("Amount that it says").fill("19.00")
    page.get_by_label("Received on").fill(f"{counter_office.today():%Y-%m-%d}")
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_text("Differs")).to_be_visible()
    keep_picture(page, "deposit-with-receipt")
    assert_accessible(page)
    assert_fits(page)


def test_a_till_goes_to_the_next_cashier_in_one_step(office, page: Page) -> None:
    session = counter_office.open_till(office)
    people.make_user("dana", Role.CASHIER, office.day.center)
    counter_office.give_password("dana")
    sign_in(page, "casey", f"/tills/{session}/")
    page.get_by_role("link", name="Hand it over").click()
    page.locator("#count-2000").fill("5")
    page.locator("#stays-2000").fill("6")
    fill_second(page, "Next cashier", "dana")
    page.keyboard.press("F9")
    expect(page.get_by_text("6 pieces stay, but 5 were counted").first).to_be_visible()
    keep_picture(page, "safe-hand-over")
    assert_accessible(page)
    assert_fits(page)
    page.locator("#stays-2000").fill("5")
    fill_second(page, "Next cashier", "dana")
    page.keyboard.press("F9")
    expect(page.get_by_text("Dana has till")).to_be_visible()
    change_to(page, "dana", "/tills/")
    expect(page.get_by_role("heading", name=re.compile("My till"))).to_be_visible()


def test_a_drawer_is_counted_by_surprise_and_its_cashier_does_not_see_it(
    office, page: Page
) -> None:
    session = counter_office.open_till(office)
    sign_in(page, "sol", f"/tills/{session}/")
    page.get_by_role("link", name="Count by surprise").click()
    page.get_by_label("$20 bills").fill("4")
    keep_picture(page, "safe-surprise")
    assert_accessible(page)
    assert_fits(page)
    page.keyboard.press("F9")
    expect(page.get_by_text("The count was kept.")).to_be_visible()
    expect(page.get_by_role("heading", name="Counted by surprise")).to_be_visible()
    assert_accessible(page)
    change_to(page, "casey", f"/tills/{session}/")
    expect(page.get_by_role("heading", name="Counted by surprise")).to_have_count(0)


def test_signals_are_figures_with_their_arithmetic(office, page: Page) -> None:
    session = counter_office.open_till(office)
    operations.take_payment(
        counter_office.actor("casey"), session, office.maria.account_id,
        [(office.maria.charge_ids[0], 2000)], [operations.TenderLine("cash", 2000)],
        timezone.now(), "paid",
    )  # fmt: skip
    sign_in(page, "ray", "/signals/")
    expect(page.get_by_text("For Benford's law at least 500 receipts are needed")).to_be_visible()
    keep_picture(page, "signals")
    assert_accessible(page)
    assert_fits(page)
    page.goto("/signals/?from_on=2026-03-02&to_on=2026-03-01")
    expect(page.get_by_text("The last day is before the first; swap them.")).to_be_visible()
