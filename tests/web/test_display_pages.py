"""Parking a basket, opening the drawer without a payment, and what the customer sees."""

import re

import pytest
from playwright.sync_api import Page, expect

from chamberlain.cashiering.models import NoSale, ParkedBasket
from tests.web import counter_office
from tests.web.conftest import Live, assert_accessible, assert_fits, keep_picture, sign_in

pytestmark = pytest.mark.browser


def at_the_counter(page: Page) -> None:
    office = counter_office.set_up()
    counter_office.open_till(office)
    sign_in(page, "casey", "/counter/?account=1004220817")
    page.locator("html.has-script").wait_for(state="attached")
    expect(page.get_by_label("Cash: amount")).to_be_focused()


def test_a_basket_is_parked_and_picked_up_with_its_amounts(live: Live, page: Page) -> None:
    at_the_counter(page)
    page.get_by_label("Water 1004220817-1: amount to pay").fill("10.00")
    page.get_by_label("Note for the parked basket").fill("red hat")
    keep_picture(page, "counter-parking")
    page.keyboard.press("Alt+k")
    expect(page.get_by_text("The basket is parked")).to_be_visible()
    expect(page.get_by_role("rowheader", name="red hat")).to_be_visible()
    keep_picture(page, "counter-parked")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("button", name="Pick up red hat").press("Enter")
    expect(page.get_by_role("heading", name="Maria Kowalski")).to_be_visible()
    expect(page.get_by_label("Water 1004220817-1: amount to pay")).to_have_value("10.00")
    assert ParkedBasket.objects.get().picked_up_by.username == "casey"


def test_a_no_sale_says_why(live: Live, page: Page) -> None:
    at_the_counter(page)
    page.goto("/tills/")
    page.get_by_label("Why is the drawer opened?").fill("Coins for the meter")
    page.get_by_label("Why is the drawer opened?").press("Enter")
    expect(page.get_by_text("Open the drawer by its key")).to_be_visible()
    expect(page.get_by_role("cell", name="Coins for the meter")).to_be_visible()
    keep_picture(page, "till-no-sale")
    assert_accessible(page)
    assert_fits(page)
    assert NoSale.objects.count() == 1


def test_the_customer_sees_the_basket_and_the_change(live: Live, page: Page) -> None:
    at_the_counter(page)
    display = page.context.new_page()
    display.goto(f"{live.url}/counter/display/")
    expect(display.get_by_text("Welcome")).to_be_visible()
    assert_accessible(display)
    page.bring_to_front()
    page.get_by_label("Cash: amount").fill("140")
    expect(page.locator("#figures")).to_contain_text("$11.76")
    expect(display.get_by_text("$128.24")).to_be_visible()
    expect(display.get_by_text("$11.76")).to_be_visible()
    expect(display.get_by_text("Maria")).to_have_count(0)
    keep_picture(display, "display-basket")
    assert_accessible(display)
    assert_fits(display)
    page.bring_to_front()
    page.keyboard.press("F9")
    expect(page.get_by_role("heading", name=re.compile("Receipt CH-1"))).to_be_visible()
    expect(display.get_by_text("Thank you")).to_be_visible()
    keep_picture(display, "display-paid")
    assert_accessible(display)
