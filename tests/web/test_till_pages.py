"""A till's day on its pages: the float, the blind count, the verifying, and voids at the till."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from chamberlain.cashiering import operations
from chamberlain.cashiering.models import Drop, Receipt, TillSession
from tests.web import counter_office
from tests.web.conftest import (
    PASSWORD,
    Live,
    assert_accessible,
    assert_fits,
    keep_picture,
    sign_in,
)
from tests.web.counter_office import CounterOffice

pytestmark = pytest.mark.browser


def pay(office: CounterOffice, session_id: int, cents: int = 6412) -> int:
    """A payment in cash on Maria's first charge; returns the receipt's id."""
    return operations.take_payment(
        counter_office.actor("casey"),
        session_id,
        office.maria.account_id,
        [(office.maria.charge_ids[0], cents)],
        [operations.TenderLine("cash", cents)],
        timezone.now(),
        "paid",
    ).receipt_id


def test_a_float_is_counted_and_the_till_opens(live: Live, page: Page) -> None:
    office = counter_office.set_up()
    sign_in(page, "casey", "/tills/")
    page.get_by_label("$20 bills").fill("4")
    page.get_by_label("$20 bills").press("Enter")
    page.keyboard.type("2")
    expect(page.locator("[data-total]")).to_have_text("$100.00")
    keep_picture(page, "till-open")
    assert_accessible(page)
    assert_fits(page)
    page.keyboard.press("F9")
    expect(page.get_by_label("Find a customer")).to_be_focused()
    session = TillSession.objects.get(till_id=office.till_id)
    assert session.float_cents == 10000


def test_half_a_bill_is_refused_and_the_rest_of_the_count_stays(live: Live, page: Page) -> None:
    counter_office.set_up()
    sign_in(page, "casey", "/tills/")
    page.get_by_label("$20 bills").fill("4")
    page.get_by_label("Quarters").evaluate("field => field.removeAttribute('pattern')")
    page.get_by_label("Quarters").fill("2.5")
    page.keyboard.press("F9")
    expect(page.get_by_role("alert")).to_contain_text("Quarters: Type a whole number of pieces.")
    expect(page.get_by_label("$20 bills")).to_have_value("4")
    assert_accessible(page)
    assert not TillSession.objects.exists()


def test_the_day_must_be_open_before_a_till(live: Live, page: Page) -> None:
    counter_office.set_up(opens_day=False)
    sign_in(page, "casey", "/tills/")
    page.get_by_label("$20 bills").fill("4")
    page.keyboard.press("F9")
    expect(page.get_by_role("alert")).to_contain_text("has no open business day")


def test_a_drawer_is_closed_blind_and_verified_by_another(live: Live, page: Page) -> None:
    office = counter_office.set_up()
    session_id = counter_office.open_till(office)
    pay(office, session_id)
    sign_in(page, "casey", f"/tills/{session_id}/")
    keep_picture(page, "till-mine")
    assert_accessible(page)
    assert "164.12" not in page.content()
    page.get_by_role("link", name="Close the till").click()
    page.get_by_label("$20 bills").fill("8")
    page.get_by_label("$1 bills").fill("4")
    keep_picture(page, "till-close")
    assert_accessible(page)
    assert_fits(page)
    assert "164.12" not in page.content()
    page.keyboard.press("F9")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert_accessible(page)
    page.keyboard.press("F9")
    expect(page.locator(".total")).to_contain_text("Short")
    expect(page.locator(".total")).to_contain_text("$0.12")
    keep_picture(page, "till-closed")
    assert_accessible(page)
    assert_fits(page)
    expect(page.get_by_role("button", name="Verify")).to_have_count(0)
    page.context.clear_cookies()
    sign_in(page, "sol", f"/tills/{session_id}/")
    page.get_by_role("button", name="Verify the count").click()
    expect(page.locator("main").get_by_text("Verified").first).to_be_visible()
    assert TillSession.objects.get().verified_at is not None


def test_a_supervisor_takes_cash_of_a_full_drawer_to_the_safe(live: Live, page: Page) -> None:
    office = counter_office.set_up()
    session_id = counter_office.open_till(office)
    pay(office, session_id)
    sign_in(page, "sol", f"/tills/{session_id}/")
    page.get_by_label("Cash taken out").fill("500")
    page.get_by_label("Bag number").fill("S-1")
    page.get_by_role("button", name="Take out").click()
    expect(page.get_by_role("alert")).to_contain_text("holds less than $500.00")
    keep_picture(page, "till-drop-refused")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_label("Cash taken out").fill("60")
    page.get_by_role("button", name="Take out").click()
    expect(page.get_by_text("Bag S-1 goes into the safe.")).to_be_visible()
    assert Drop.objects.get().cents == 6000


def test_a_void_is_approved_at_the_till_with_another_persons_password(
    live: Live, page: Page
) -> None:
    office = counter_office.set_up()
    receipt_id = pay(office, counter_office.open_till(office))
    counter_office.give_password("sol")
    sign_in(page, "casey", f"/counter/receipts/{receipt_id}/")
    page.get_by_role("link", name="Void this receipt").click()
    page.get_by_label("Why is it voided?").fill("Paid on the wrong account")
    page.get_by_label("Username").fill("casey")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Void the receipt").click()
    expect(page.get_by_role("alert")).to_contain_text("may not do this")
    expect(page.get_by_label("Why is it voided?")).to_have_value("Paid on the wrong account")
    page.get_by_label("Username").fill("sol")
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Void the receipt").click()
    expect(page.get_by_role("alert")).to_contain_text("the password is not right")
    keep_picture(page, "void-refused")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Void the receipt").click()
    expect(page.get_by_text("This receipt was voided")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Casey"))).to_have_count(0)
    keep_picture(page, "receipt-voided")
    assert_accessible(page)
    receipt = Receipt.objects.get()
    assert receipt.void_approved_by is not None
    assert receipt.void_approved_by.username == "sol"


def test_after_five_wrong_passwords_an_approval_is_locked_out(live: Live, page: Page) -> None:
    office = counter_office.set_up()
    receipt_id = pay(office, counter_office.open_till(office))
    counter_office.give_password("sol")
    sign_in(page, "casey", f"/tills/receipts/{receipt_id}/void/")
    page.get_by_label("Why is it voided?").fill("Wrong account")
    for password in ["wrong"] * 5 + [PASSWORD]:
        page.get_by_label("Username").fill("sol")
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Void the receipt").click()
        expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("too many failed attempts")
    assert Receipt.objects.get().void_entry_id is None


def test_a_supervisor_decides_a_void_that_was_asked_for(live: Live, page: Page) -> None:
    office = counter_office.set_up()
    receipt_id = pay(office, counter_office.open_till(office))
    sign_in(page, "casey", f"/tills/receipts/{receipt_id}/void/")
    page.get_by_label("Why is it voided?").fill("Wrong account")
    page.get_by_role("button", name="Only ask").click()
    expect(page.get_by_text("Void asked for")).to_be_visible()
    page.context.clear_cookies()
    sign_in(page, "sol", f"/centers/days/{office.day.pk}/")
    page.get_by_role("row", name=re.compile("Wrong account")).get_by_role("link").click()
    expect(page.get_by_text("“Wrong account”")).to_be_visible()
    keep_picture(page, "void-to-decide")
    assert_accessible(page)
    page.get_by_role("button", name="Approve the void").click()
    expect(page.get_by_text("This receipt was voided")).to_be_visible()
