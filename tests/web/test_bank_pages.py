"""The bank beside the deposits: several at once, lines that are no deposit, questions, layouts."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from chamberlain.cashiering.operations import close_center_day
from chamberlain.reconciliation.operations import (
    ensure_bank_account,
    prepare_reconciliation,
    read_bank_file,
    sign_reconciliation,
)
from tests.web import counter_office
from tests.web.conftest import (
    PASSWORD,
    Live,
    assert_accessible,
    assert_fits,
    keep_picture,
    sign_in,
)
from tests.web.test_whole_day import (
    ACCOUNT,
    bank_file,
    change_to,
    two_bags_of_the_same_amount,
    upload,
)

pytestmark = pytest.mark.browser


@pytest.fixture
def office(live: Live) -> counter_office.CounterOffice:
    made = counter_office.set_up()
    ensure_bank_account(ACCOUNT, "City deposits")
    two_bags_of_the_same_amount(made)
    for username in ("sol", "ray"):
        counter_office.give_password(username)
    return made


def told(*movements: tuple[int, str]) -> None:
    content = bank_file(counter_office.today(), *movements)
    read_bank_file(counter_office.actor("ray"), "statement.bai", content, timezone.now())


def test_two_bags_that_the_bank_puts_together_are_one_match(office, page: Page) -> None:
    told((10000, "BAGS B77 B78"), (4500, "MISC"))
    sign_in(page, "ray", "/reconciliation/bank/")
    expect(page.get_by_text("1 match can be made without a doubt.")).to_be_visible()
    keep_picture(page, "reconciliation-bank")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("button", name="Match what is clear").click()
    expect(page.get_by_text("1 matched.")).to_be_visible()
    expect(
        page.get_by_text(re.compile("the bank names B77, B78, and both sides add up"))
    ).to_be_visible()
    expect(page.get_by_text("95 of 100 sure")).to_be_visible()
    keep_picture(page, "reconciliation-matched")
    assert_accessible(page)
    assert_fits(page)


def test_a_difference_is_matched_by_two(office, page: Page) -> None:
    told((9990, "DEPOSIT"))
    sign_in(page, "ray", "/reconciliation/bank/")
    page.get_by_role("checkbox", name=re.compile("Deposit DCH")).first.check()
    page.get_by_role("checkbox", name=re.compile("Deposit DCH")).last.check()
    page.get_by_role("checkbox", name=re.compile("Line of")).check()
    page.get_by_label("Why are they the same money?").fill("The bank counted a ten less")
    page.get_by_role("button", name="Match what is ticked").click()
    expect(page.get_by_text("needs a second person's approval").first).to_be_visible()
    expect(page.get_by_role("checkbox", name=re.compile("Deposit DCH")).first).to_be_checked()
    keep_picture(page, "reconciliation-by-hand")
    assert_accessible(page)
    page.get_by_label("Approving person: username").fill("sol")
    page.get_by_label("Approving person: password").fill(PASSWORD)
    page.get_by_role("button", name="Match what is ticked").click()
    expect(page.get_by_text("The deposits were matched.")).to_be_visible()
    page.goto("/reconciliation/matched/")
    expect(page.get_by_text("approved by Sol")).to_be_visible()
    expect(page.get_by_text("−$0.10").or_(page.get_by_text("-$0.10"))).to_be_visible()


def test_a_line_is_split_asked_about_and_booked(office, page: Page) -> None:
    told((5000, "DEPOSIT"), (5012, "COUNTER CREDIT"))
    sign_in(page, "ray", "/reconciliation/bank/")
    page.get_by_role("link", name=re.compile(r"50\.12")).click()
    expect(page.get_by_role("heading", name=re.compile(r"\$50\.12 on"))).to_be_visible()
    keep_picture(page, "reconciliation-line")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_label("Amounts of the parts, one in each row").fill("50.00\n0.13")
    page.get_by_role("button", name="Split it").click()
    expect(
        page.get_by_text("The parts add up to $50.13, and the line is $50.12").first
    ).to_be_visible()
    page.get_by_label("Amounts of the parts, one in each row").fill("50.00\n0.12")
    page.get_by_role("button", name="Split it").click()
    expect(page.get_by_text("each part waits on its own")).to_be_visible()
    page.get_by_role("link", name=re.compile(r"\$0\.12")).click()
    page.get_by_label("Ask", exact=True).select_option("City Hall")
    page.get_by_label("Question", exact=True).fill("Did you find twelve cents?")
    page.get_by_role("button", name="Ask the center").click()
    expect(page.get_by_text("The question was sent to the center.")).to_be_visible()
    change_to(page, "sol", "/")
    page.get_by_role("link", name=re.compile("Questions to answer")).click()
    page.get_by_label("Answer").fill("No; it is interest.")
    keep_picture(page, "reconciliation-questions")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("button", name="Answer").click()
    expect(page.get_by_text("The answer was kept with the question.")).to_be_visible()
    page.goto("/reconciliation/bank/")
    page.get_by_role("link", name=re.compile(r"\$0\.12")).click()
    expect(page.get_by_text("No; it is interest.")).to_be_visible()
    page.get_by_label("What it is", exact=True).select_option("interest")
    page.get_by_label("How do you know?").fill("City Hall says so")
    page.locator("summary", has_text="A second person approves").click()
    page.get_by_label("Approving person: username").fill("ray")
    page.get_by_label("Approving person: password").fill(PASSWORD)
    page.get_by_role("button", name="Book it").click()
    expect(page.get_by_text("The line was booked.")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile(r"\$0\.12"))).to_have_count(0)


def test_a_layout_is_tried_and_then_reads_the_banks_csv(office, page: Page) -> None:
    today = counter_office.today()
    csv = (
        "Date,Details,Amount,Balance\n"
        f"{today:%m/%d/%Y},BAG B77,50.00,50.00\n{today:%m/%d/%Y},BAG B78,50.00,100.00\n"
    ).encode()
    sign_in(page, "ray", "/reconciliation/layouts/")
    expect(page.get_by_text("No layout is kept.")).to_be_visible()
    page.get_by_role("link", name="New layout").click()
    for label, value in (
        ("Name of the bank or account", "First Bank"),
        ("Day", "Datum"),
        ("Amount, with its sign", "Amount"),
        ("Balance after it", "Balance"),
        ("Or: the account's number", ACCOUNT),
        ("Text (optional)", "Details"),
    ):
        page.get_by_label(label, exact=label == "Day").first.fill(value)
    page.get_by_label("A file to try it on").set_input_files(upload(csv, "bank.csv"))
    page.get_by_role("button", name="Try the layout").click()
    expect(page.get_by_text("The file has no column Datum").first).to_be_visible()
    assert_accessible(page)
    page.get_by_label("Day", exact=True).fill("Date")
    page.get_by_label("A file to try it on").set_input_files(upload(csv, "bank.csv"))
    page.get_by_role("button", name="Try the layout").click()
    expect(page.get_by_text("2 movements; the first:")).to_be_visible()
    keep_picture(page, "reconciliation-layout")
    assert_accessible(page)
    assert_fits(page)
    page.keyboard.press("F9")
    expect(page.get_by_text("The layout was kept.")).to_be_visible()
    keep_picture(page, "reconciliation-layouts")
    assert_accessible(page)
    page.goto("/reconciliation/files/read/")
    page.get_by_label("File from the bank").set_input_files(upload(csv, "bank.csv"))
    page.get_by_label("Layout, for a CSV").select_option("First Bank")
    page.get_by_role("button", name="Read the file").click()
    expect(page.get_by_role("heading", name="bank.csv")).to_be_visible()
    page.goto("/reconciliation/bank/")
    expect(page.get_by_text("2 matches can be made without a doubt.")).to_be_visible()


def test_a_signed_day_is_opened_again_with_a_reason_and_the_city_is_one_page(
    office, page: Page
) -> None:
    close_center_day(counter_office.actor("sol"), office.day.pk, timezone.now())
    note = "The bank has not told yet"
    prepare_reconciliation(counter_office.actor("sol"), office.day.pk, note, timezone.now())
    sign_reconciliation(counter_office.actor("ray"), office.day.pk, timezone.now())
    sign_in(page, "ray", f"/reconciliation/days/{office.day.pk}/")
    page.locator("summary", has_text="Open it again").click()
    page.get_by_label("Why is it opened again?").fill("The bank has told now")
    assert_accessible(page)
    page.get_by_role("button", name="Open it again").click()
    expect(page.get_by_text("what had been signed is kept")).to_be_visible()
    expect(page.get_by_text("The bank has told now")).to_be_visible()
    keep_picture(page, "reconciliation-reopened")
    assert_accessible(page)
    page.get_by_role("link", name="All centers").click()
    expect(page.get_by_text("Reconciliation of all centers").first).to_be_visible()
    keep_picture(page, "reconciliation-city")
    assert_accessible(page)
    assert_fits(page)
    answer = page.request.get(page.url + "pdf")
    assert answer.body().startswith(b"%PDF")
    assert page.request.get("/reconciliation/city/yesterday/").status == 404
