"""The counter, as a cashier works it: with the keyboard, and with mistakes."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from chamberlain.cashiering import operations
from chamberlain.cashiering.models import Receipt
from tests.web import counter_office
from tests.web.conftest import Live, assert_accessible, assert_fits, keep_picture, sign_in

pytestmark = pytest.mark.browser


def at_the_counter(page: Page) -> counter_office.CounterOffice:
    """A cashier with an open till, at the counter."""
    office = counter_office.set_up()
    counter_office.open_till(office)
    sign_in(page, "casey", "/counter/")
    page.locator("html.has-script").wait_for(state="attached")
    expect(page.get_by_label("Find a customer")).to_be_focused()
    return office


def test_a_payment_needs_no_mouse(live: Live, page: Page) -> None:
    at_the_counter(page)
    expect(page.get_by_label("Find a customer")).to_be_focused()
    keep_picture(page, "counter-empty")
    assert_accessible(page)
    page.keyboard.type("kowalsky")
    expect(page.get_by_role("button", name="Maria Kowalski")).to_be_visible()
    keep_picture(page, "counter-found")
    assert_accessible(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Maria Kowalski")).to_be_visible()
    expect(page.get_by_label("Cash: amount")).to_be_focused()
    page.keyboard.type("140")
    expect(page.locator("#figures")).to_contain_text("Change due $11.76")
    keep_picture(page, "counter-basket")
    assert_accessible(page)
    assert_fits(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Take payment")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=re.compile("Receipt CH-1"))).to_be_visible()
    expect(page.locator(".change")).to_contain_text("$11.76")
    keep_picture(page, "receipt")
    assert_accessible(page)
    assert_fits(page)
    page.keyboard.press("F2")
    expect(page.get_by_label("Find a customer")).to_be_focused()
    assert Receipt.objects.get().total_cents == 12824


def test_a_scanned_bill_number_goes_straight_to_what_is_owed(live: Live, page: Page) -> None:
    at_the_counter(page)
    page.keyboard.type("1004220817")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Maria Kowalski")).to_be_visible()
    expect(page.get_by_label("Find a customer")).to_have_value("")


def test_the_account_page_leads_to_the_counter_with_its_account(live: Live, page: Page) -> None:
    at_the_counter(page)
    page.goto("/counter/?account=1004220818")
    expect(page.get_by_role("heading", name="Night Owl")).to_be_visible()
    page.get_by_role("button", name="Take out account").click()
    expect(page.get_by_text("No customer yet.")).to_be_visible()


def test_two_accounts_are_paid_at_once_with_a_check_and_cash(live: Live, page: Page) -> None:
    at_the_counter(page)
    for text in ("1004220817", "1004220818"):
        page.keyboard.press("F2")
        page.keyboard.type(text)
        page.keyboard.press("Enter")
        expect(page.get_by_label("Find a customer")).to_have_value("")
    page.keyboard.press("F8")
    page.keyboard.type("300")
    page.keyboard.press("Enter")
    wrong = page.get_by_text("a check is taken only with the check's number; type it.")
    expect(wrong).to_be_visible()
    expect(page.get_by_label("Check: number")).to_be_focused()
    keep_picture(page, "counter-check-without-number")
    assert_accessible(page)
    page.keyboard.type("5512")
    page.keyboard.press("Alt+e")
    expect(page.get_by_label("Cash: amount")).to_have_value("78.24")
    page.keyboard.press("F9")
    expect(page.get_by_role("heading", name=re.compile("Receipt CH"))).to_be_visible()
    receipt = Receipt.objects.get()
    assert receipt.total_cents == 37824
    assert list(receipt.tenders.order_by("kind").values_list("kind", "cents", "reference")) == [
        ("cash", 7824, ""),
        ("check", 30000, "5512"),
    ]


def test_money_on_account_is_shown_charge_by_charge_before_it_is_taken(
    live: Live, page: Page
) -> None:
    at_the_counter(page)
    page.keyboard.type("1004220817")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Cash: amount")).to_be_focused()
    page.keyboard.press("F4")
    page.keyboard.type("150")
    expect(page.locator("#figures")).to_contain_text("Kept as credit")
    expect(page.locator("#figures")).to_contain_text("$21.76")
    keep_picture(page, "counter-on-account")
    assert_accessible(page)
    page.keyboard.press("F7")
    page.keyboard.type("150")
    page.keyboard.press("F9")
    expect(page.get_by_text("Credit kept on the account")).to_be_visible()
    assert Receipt.objects.get().total_cents == 15000


def test_more_than_is_open_is_refused_beside_its_field_and_nothing_is_lost(
    live: Live, page: Page
) -> None:
    at_the_counter(page)
    page.keyboard.type("1004220817")
    page.keyboard.press("Enter")
    first = page.get_by_label(re.compile("Water 1004220817-0: amount"))
    first.fill("70")
    page.get_by_label("Cash: amount").fill("200")
    page.keyboard.press("F9")
    expect(page.get_by_text("Only $64.12 is open.")).to_be_visible()
    expect(first).to_be_focused()
    expect(first).to_have_value("70")
    expect(page.get_by_label("Cash: amount")).to_have_value("200")
    assert not Receipt.objects.exists()


def test_a_charge_paid_at_another_till_meanwhile_is_named(live: Live, page: Page) -> None:
    office = at_the_counter(page)
    page.keyboard.type("1004220817")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Cash: amount")).to_be_focused()
    counter_office.pay_elsewhere(office, office.maria.charge_ids[0], 6412)
    page.keyboard.type("128.24")
    page.keyboard.press("F9")
    expect(page.get_by_role("alert")).to_contain_text("paid in the meantime")
    expect(page.locator("#figures")).to_contain_text("Change due $64.12")
    page.keyboard.press("F9")
    expect(page.locator(".change")).to_contain_text("$64.12")
    assert Receipt.objects.count() == 2


def test_the_same_form_sent_twice_yields_one_receipt(live: Live, page: Page) -> None:
    at_the_counter(page)
    page.keyboard.type("1004220817")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Cash: amount")).to_be_focused()
    page.keyboard.type("128.24")
    answers = page.evaluate(
        """async () => {
            const send = () => {
                const body = new FormData(document.getElementById("counter"));
                body.append("do", "post");
                return fetch("/counter/", {method: "POST", body: new URLSearchParams(body)});
            };
            return (await Promise.all([send(), send(), send()])).map((answer) => answer.url);
        }"""
    )
    assert len(set(answers)) == 1
    assert "/counter/receipts/" in answers[0]
    assert Receipt.objects.count() == 1


def test_without_script_everything_is_done_by_sending_the_form(live: Live, page: Page) -> None:
    office = counter_office.set_up()
    counter_office.open_till(office)
    sign_in(page, "casey", "/counter/")
    browser = page.context.browser
    assert browser is not None
    context = browser.new_context(
        base_url=live.url, java_script_enabled=False, storage_state=page.context.storage_state()
    )
    plain = context.new_page()
    plain.goto("/counter/")
    plain.get_by_label("Find a customer").fill("kowalski")
    plain.get_by_role("button", name="Find").click()
    plain.get_by_role("button", name="Maria Kowalski").click()
    plain.get_by_role("button", name="Exact").click()
    assert plain.get_by_label("Cash: amount").input_value() == "128.24"
    plain.get_by_role("button", name="Take payment").click()
    assert "Change due" in plain.inner_text("main")
    context.close()
    assert Receipt.objects.get().total_cents == 12824


def test_a_receipt_is_printed_at_the_till_and_as_pdf(
    live: Live, page: Page, tmp_path: Path
) -> None:
    office = at_the_counter(page)
    paper = tmp_path / "printer"
    operations.ensure_till(office.center, "CH-1", printer_address=f"file:{paper}")
    page.keyboard.type("1004220817")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Exact").click()
    expect(page.get_by_label("Cash: amount")).to_have_value("128.24")
    page.keyboard.press("F9")
    page.get_by_role("link", name="Next customer").wait_for()
    page.keyboard.press("F8")
    expect(page.get_by_text("The receipt was printed.")).to_be_visible()
    assert b"TOTAL PAID" in paper.read_bytes()
    page.keyboard.press("F8")
    expect(page.get_by_text("A copy was printed.")).to_be_visible()
    operations.ensure_till(office.center, "CH-1", printer_address="")
    page.keyboard.press("F8")
    expect(page.get_by_text("has no printer; give the customer the PDF")).to_be_visible()
    assert_accessible(page)
    link = page.get_by_role("link", name="PDF").get_attribute("href")
    pdf = page.request.get(f"{live.url}{link}")
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.body().startswith(b"%PDF")


def test_a_cashier_without_a_till_is_sent_to_open_one(live: Live, page: Page) -> None:
    counter_office.set_up()
    sign_in(page, "casey", "/counter/")
    expect(page.get_by_text("You have no till open.")).to_be_visible()
    keep_picture(page, "counter-no-till")
    assert_accessible(page)
    page.locator("html.has-script").wait_for(state="attached")
    page.keyboard.press("F9")
    expect(page.get_by_role("heading", name="Open a till")).to_be_visible()


def test_a_session_that_ended_leads_to_the_sign_in_and_back(live: Live, page: Page) -> None:
    at_the_counter(page)
    page.context.clear_cookies(name="sessionid")
    page.keyboard.type("kowalski")
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    assert page.url.endswith("?next=/counter/")


def test_a_clerk_may_not_work_at_the_counter(live: Live, page: Page) -> None:
    counter_office.set_up()
    sign_in(page, "ada", "/counter/")
    expect(page.get_by_text("may not do this")).to_be_visible()
