"""Explaining an account in a real browser: a bill's reasons, a past balance, an analysis."""

import csv
import io
from datetime import date, timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from chamberlain.identity.models import Role
from tests import office
from tests.kernel.test_tables import sheets_of
from tests.office import DAY
from tests.web import scenes
from tests.web.conftest import Live, assert_accessible, assert_fits, keep_picture, sign_in

pytestmark = pytest.mark.browser


@pytest.fixture
def place(live: Live) -> scenes.Office:
    made = scenes.furnished_office(bills=8)
    office.make_user("robin", Role.CLERK)
    return made


def test_a_clerk_reads_out_why_a_bill_is_this_much(place: scenes.Office, page: Page) -> None:
    sign_in(page, "robin", "/bills/88-203417/")
    page.get_by_role("link", name="Why this much?").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Why is this bill $171.74?")
    main = page.locator("main")
    expect(main).to_contain_text("This bill is $12.28 more than bill 88-203416")
    expect(main).to_contain_text("Both bills are for 60 days.")
    expect(main).to_contain_text("18.31 thousand gallons were used in 60 days, 0.305 a day")
    expect(page.get_by_role("heading", name="The same time last year")).to_be_visible()
    expect(main).to_contain_text("Rates changed.")
    page.get_by_text("The same for each printed line").first.press("Enter")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "why")


def test_the_letter_says_the_same_in_plain_words(place: scenes.Office, page: Page) -> None:
    sign_in(page, "robin", "/bills/88-203417/why/")
    answer = page.request.get("/bills/88-203417/why/letter.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    reader = PdfReader(io.BytesIO(answer.body()))
    text = " ".join(sheet.extract_text() for sheet in reader.pages)
    assert "Maria Kowalski" in text
    assert "Why bill 88-203417 is" in text
    assert "Both bills are for 60 days." in " ".join(text.split())
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]


def test_the_first_bill_has_nothing_to_be_compared_with(place: scenes.Office, page: Page) -> None:
    sign_in(page, "robin", "/bills/88-203410/why/")
    expect(page.locator("main")).to_contain_text("This is the first bill of this service")
    assert_accessible(page)
    answer = page.request.get("/bills/88-203410/why/letter.pdf")
    assert answer.ok


def test_the_balance_of_a_past_day_is_one_click_from_the_history(
    place: scenes.Office, page: Page
) -> None:
    sign_in(page, "robin", f"/accounts/{place.number}/history/?kind=payment")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "history")
    page.get_by_role("link", name="Balance on Mar 2, 2026").first.press("Enter")
    main = page.locator("main")
    expect(main).to_contain_text("What made it")
    expect(main.get_by_role("link", name="Payment LB-1").first).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "balance")
    page.get_by_role("link", name="The day before").press("Enter")
    expect(main).to_contain_text("Nothing had happened on this account by then.")
    assert_accessible(page)


def test_a_day_that_has_not_come_is_refused_beside_its_field(
    place: scenes.Office, page: Page
) -> None:
    sign_in(page, "robin", f"/accounts/{place.number}/balance/?on=2999-01-01")
    expect(page.locator("main")).to_contain_text("2999-01-01 has not come yet")
    assert_accessible(page)


def test_the_history_is_narrowed_by_days_and_kept_as_a_file(
    place: scenes.Office, page: Page
) -> None:
    sign_in(page, "robin", f"/accounts/{place.number}/history/")
    page.get_by_label("From").fill(str(DAY))
    page.get_by_label("Up to").fill(str(DAY + timedelta(days=1)))
    page.get_by_role("button", name="Show").press("Enter")
    expect(page.locator(".timeline")).to_contain_text("Payment LB-1")
    expect(page.locator(".timeline")).not_to_contain_text("Bill 88-203416")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").press("Enter")
    text = download.value.path().read_text("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["What"]: row["Amount"] for row in rows}["Payment LB-1"] == "-30.00"
    assert all(row["Day"] >= str(DAY) for row in rows)


def test_a_citation_stands_in_the_history_and_a_bill_stands_there_once(
    place: scenes.Office, page: Page
) -> None:
    sign_in(page, "robin", f"/accounts/{place.number}/history/?kind=adjustment")
    history = page.locator(".timeline")
    expect(history).to_contain_text("Citation 70119245")
    expect(history).not_to_contain_text("Bill 88")
    page.goto(f"/accounts/{place.number}/history/")
    expect(history.get_by_text("Bill 88-203417", exact=True)).to_have_count(1)
    page.goto(f"/accounts/{place.number}/history/?kind=penalty")
    expect(page.locator("main")).to_contain_text("Nothing of this kind happened")
    assert_accessible(page)


def test_days_in_the_wrong_order_are_refused_beside_the_field(
    place: scenes.Office, page: Page
) -> None:
    days = "?since=2026-02-01&until=2026-01-01"
    sign_in(page, "robin")
    page.goto(f"/accounts/{place.number}/history/{days}")
    expect(page.locator("main")).to_contain_text("The last day, 2026-01-01, is before the first")
    page.goto(f"/accounts/{place.number}/analysis/{days}")
    expect(page.locator("main")).to_contain_text("The last day, 2026-01-01, is before the first")
    assert page.request.get(f"/accounts/{place.number}/analysis.csv{days}").status == 422


def test_an_analysis_marks_the_bills_that_their_reads_and_rates_do_not_give(
    place: scenes.Office, page: Page
) -> None:
    since = date(2024, 1, 1)
    sign_in(page, "robin")
    page.goto(f"/accounts/{place.number}/analysis/?since={since}&until={DAY}")
    main = page.locator("main")
    expect(main).to_contain_text("8 bills of")
    # The scene's bills were all made at one rate, also before June 2025.
    expect(main.get_by_role("listitem").filter(has_text="Bill 88-203410: Water")).to_be_visible()
    expect(main.get_by_role("listitem").filter(has_text="Bill 88-203417")).to_have_count(0)
    page.wait_for_load_state("networkidle")
    assert page.locator("img[alt^='Bars of usage a day']").evaluate("i => i.naturalWidth") > 0
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "analysis")
    query = f"?since={since}&until={DAY}"
    text = page.request.get(f"/accounts/{place.number}/analysis.csv{query}").text()
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert len(rows) == 16
    assert rows[-1]["Variance"] == "0.00"
    book = page.request.get(f"/accounts/{place.number}/analysis.xlsx{query}")
    [sheet] = sheets_of(book.body()).values()
    assert len(sheet) == 17
    billed = [line[sheet[0].index("Billed")] for line in sheet[1:]]
    assert billed == [Decimal(row["Billed"]) for row in rows]
    report = page.request.get(f"/accounts/{place.number}/analysis.pdf{query}")
    reader = PdfReader(io.BytesIO(report.body()))
    assert "Billing analysis of account" in reader.pages[0].extract_text()


def test_the_analysis_is_one_click_from_the_bills(place: scenes.Office, page: Page) -> None:
    sign_in(page, "robin", f"/accounts/{place.number}/bills/")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("link", name="Analyze bills").press("Enter")
    expect(page.get_by_role("heading", name="Billing analysis")).to_be_visible()


def test_an_account_without_bills_in_the_days_has_an_empty_analysis(
    place: scenes.Office, page: Page
) -> None:
    query = "?since=2001-01-01&until=2001-02-01"
    sign_in(page, "robin")
    page.goto(f"/accounts/{place.number}/analysis/{query}")
    expect(page.locator("main")).to_contain_text("No bill of this account ends in these days.")
    assert_accessible(page)
    assert page.request.get(f"/accounts/{place.number}/analysis.pdf{query}").ok


def test_who_may_not_see_contacts_gets_no_letter(place: scenes.Office, page: Page) -> None:
    office.make_user("avery", Role.AUDITOR)
    sign_in(page, "avery", "/bills/88-203417/why/")
    expect(page.get_by_role("link", name="Letter (PDF)")).to_have_count(0)
    assert page.request.get("/bills/88-203417/why/letter.pdf").status == 403
