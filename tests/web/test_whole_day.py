"""A whole day on the pages, from opening the center to the second signature, by its people."""

import re
from datetime import date

import pytest
from django.utils import timezone
from playwright.sync_api import FilePayload, Page, expect

from chamberlain.cashiering.operations import TenderLine, close_till, take_payment, verify_till
from chamberlain.identity.actors import program_actor
from chamberlain.ledger.models import BusinessDay, DayDigest
from chamberlain.ledger.proof import prove
from chamberlain.reconciliation.models import Reconciliation
from chamberlain.reconciliation.operations import (
    ensure_bank_account,
    make_deposit,
    read_bank_file,
)
from tests.web import counter_office
from tests.web.conftest import Live, assert_accessible, assert_fits, keep_picture, sign_in

pytestmark = pytest.mark.browser

ACCOUNT = "0071004455"


def bank_file(as_of: date, *credits: tuple[int, str]) -> bytes:
    """A bank's statement of one day in BAI2: credits with their text, from nothing."""
    day, total = f"{as_of:%y%m%d}", sum(cents for cents, _ in credits)
    moves = [
        f"16,301,{cents},,BANK{place},{place},{text}"
        for place, (cents, text) in enumerate(credits, start=1)
    ]
    records = [
        f"01,BANK,CITY,{day},0600,1,,,2/",
        f"02,CITY,BANK,1,{day},,USD,2/",
        f"03,{ACCOUNT},USD,010,0,,,015,{total},,/",
        *moves,
        f"49,{2 * total},{len(moves) + 2}/",
        f"98,{2 * total},1,{len(moves) + 4}/",
        f"99,{2 * total},1,{len(moves) + 6}/",
    ]
    return "\n".join(records).encode()


def upload(content: bytes, name: str = "statement.bai") -> FilePayload:
    """A file as a person would choose it."""
    return {"name": name, "mimeType": "text/plain", "buffer": content}


def change_to(page: Page, username: str, then: str) -> None:
    """Another person sits down at the screen."""
    page.context.clear_cookies()
    sign_in(page, username, then)


def test_a_day_goes_from_the_counter_to_the_second_signature(live: Live, page: Page) -> None:
    office = counter_office.set_up(opens_day=False)
    ensure_bank_account(ACCOUNT, "City deposits")
    sign_in(page, "sol", "/centers/CH/")
    page.get_by_role("button", name="Open the day").click()
    expect(page.get_by_text("No till was opened on this day.")).to_be_visible()
    day = BusinessDay.objects.get(center=office.center)
    work_at_the_till(page)
    verify_deposit_and_close(page, day)
    read_and_match(page)
    prepare_and_sign(page, day)
    signed = Reconciliation.objects.get()
    assert (str(signed.prepared_by), str(signed.signed_by)) == ("Ray", "Ada")
    assert prove(program_actor()).holds


def work_at_the_till(page: Page) -> None:
    """Casey opens, takes cash and a check, and closes a cent over."""
    change_to(page, "casey", "/tills/")
    page.get_by_label("$20 bills").fill("5")
    page.keyboard.press("F9")
    expect(page.get_by_label("Find a customer")).to_be_visible()
    pay(page, "1004220817", "cash", "140")
    pay(page, "1004220818", "check", "250", "5512")
    page.goto("/tills/")
    page.get_by_role("link", name="Close the till").click()
    page.get_by_label("$100 bills").fill("2")
    page.get_by_label("$20 bills").fill("1")
    page.get_by_label("$5 bills").fill("1")
    page.get_by_label("$1 bills").fill("3")
    page.get_by_label("Quarters").fill("1")
    page.get_by_label("Checks added up").fill("250")
    page.keyboard.press("F9")
    page.keyboard.press("F9")
    expect(page.locator(".total")).to_contain_text("Over")


def verify_deposit_and_close(page: Page, day: BusinessDay) -> None:
    """Sol counts again, bags each tender, and closes the day."""
    change_to(page, "sol", f"/centers/days/{day.pk}/")
    page.get_by_role("link", name="CH-1", exact=True).click()
    page.get_by_role("button", name="Verify the count").click()
    page.get_by_role("link", name="The center's day").click()
    page.get_by_label("Bag number for cash").fill("")
    page.get_by_role("button", name="Deposit").first.click()
    expect(page.get_by_text("A deposit goes in a numbered bag")).to_be_visible()
    keep_picture(page, "center-day-deposit")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_label("Bag number for cash").fill("B77")
    page.get_by_role("button", name="Deposit").first.click()
    page.get_by_label("Bag number for check").fill("B78")
    page.get_by_role("button", name="Deposit").first.click()
    page.get_by_role("button", name="Close and seal the day").click()
    digest = bytes(DayDigest.objects.get(business_day=day).digest).hex()
    expect(page.get_by_text(digest)).to_be_visible()
    keep_picture(page, "center-day-closed")
    assert_accessible(page)
    assert_fits(page)


def read_and_match(page: Page) -> None:
    """Ray takes in the bank's file and has the deposits found on it."""
    change_to(page, "ray", "/reconciliation/bank/")
    keep_picture(page, "reconciliation-bank-before")
    assert_accessible(page)
    content = bank_file(counter_office.today(), (12825, "DEPOSIT BAG B77"), (25000, "DEPOSIT"))
    page.get_by_label("File from the bank").set_input_files(upload(content))
    page.get_by_role("button", name="Read the file").click()
    expect(page.get_by_role("heading", name="statement.bai")).to_be_visible()
    keep_picture(page, "reconciliation-file")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("link", name="Match deposits").click()
    expect(page.get_by_text("can be made without a doubt")).to_be_visible()
    keep_picture(page, "reconciliation-bank")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("button", name="Match what is clear").click()
    expect(page.get_by_text("2 matched.")).to_be_visible()
    expect(page.get_by_text("the bank names bag B77")).to_be_visible()
    keep_picture(page, "reconciliation-matched")
    assert_accessible(page)
    assert_fits(page)


def prepare_and_sign(page: Page, day: BusinessDay) -> None:
    """Ray prepares, with a note since a cent was over; Ada signs."""
    page.goto(f"/reconciliation/days/{day.pk}/")
    expect(page.get_by_text("The tills were $0.01 over.")).to_be_visible()
    page.get_by_role("button", name="Prepare", exact=True).click()
    expect(page.get_by_text("say in the note why")).to_be_visible()
    page.get_by_label("Note").fill("One cent found under the drawer.")
    page.get_by_role("button", name="Prepare", exact=True).click()
    expect(page.get_by_text("You prepared it; another person signs.")).to_be_visible()
    keep_picture(page, "reconciliation-day")
    assert_accessible(page)
    assert_fits(page)

    change_to(page, "ada", f"/reconciliation/days/{day.pk}/")
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_text("Signed.", exact=True)).to_be_visible()
    assert_accessible(page)
    page.goto("/reconciliation/")
    expect(page.get_by_role("row", name=re.compile("City Hall"))).to_contain_text("Signed")
    keep_picture(page, "reconciliation-days")
    assert_accessible(page)


def pay(page: Page, number: str, tender: str, amount: str, reference: str = "") -> None:
    """A payment by keyboard, up to the receipt."""
    page.goto("/counter/")
    page.locator("html.has-script").wait_for(state="attached")
    expect(page.get_by_label("Find a customer")).to_be_focused()
    page.keyboard.type(number)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Cash: amount")).to_be_focused()
    page.keyboard.press("F7" if tender == "cash" else "F8")
    page.keyboard.type(amount)
    if reference:
        page.keyboard.press("Tab")
        page.keyboard.type(reference)
    page.keyboard.press("F9")
    expect(page.get_by_role("heading", name=re.compile("Receipt CH"))).to_be_visible()


def two_bags_of_the_same_amount(office: counter_office.CounterOffice) -> None:
    """A verified day whose cash and checks are both $50.00, bagged."""
    session_id = counter_office.open_till(office)
    now = timezone.now()
    for charge_id, tender in (
        (office.maria.charge_ids[0], TenderLine("cash", 5000)),
        (office.maria.charge_ids[1], TenderLine("check", 5000, "12")),
    ):
        take_payment(
            counter_office.actor("casey"),
            session_id,
            office.maria.account_id,
            [(charge_id, 5000)],
            [tender],
            now,
            tender.kind,
        )
    close_till(counter_office.actor("casey"), session_id, {2000: 7, 1000: 1}, 5000, now)
    verify_till(counter_office.actor("sol"), session_id, now)
    for kind, bag in (("cash", "B77"), ("check", "B78")):
        make_deposit(counter_office.actor("sol"), office.day.pk, kind, bag, now)


def test_what_the_bank_does_not_name_is_decided_by_a_person(live: Live, page: Page) -> None:
    office = counter_office.set_up()
    ensure_bank_account(ACCOUNT, "City deposits")
    two_bags_of_the_same_amount(office)
    content = bank_file(counter_office.today(), (5000, "DEPOSIT"), (5000, "DEPOSIT"))
    read_bank_file(counter_office.actor("ray"), "statement.bai", content, timezone.now())
    sign_in(page, "ray", "/reconciliation/bank/")
    expect(page.get_by_text("Nothing can be matched without a doubt.")).to_be_visible()
    page.locator("details.decide > summary").first.click()
    page.get_by_label("Why?").first.fill("The teller told us on the phone")
    keep_picture(page, "reconciliation-to-decide")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("button", name="Match", exact=True).first.click()
    expect(page.get_by_text("The deposit was matched.")).to_be_visible()
    expect(page.get_by_text("1 match can be made without a doubt.")).to_be_visible()
    page.goto("/reconciliation/matched/")
    expect(page.get_by_text("The teller told us on the phone")).to_be_visible()


def test_every_bad_line_of_a_bank_file_is_listed(live: Live, page: Page) -> None:
    counter_office.set_up()
    ensure_bank_account(ACCOUNT, "City deposits")
    sign_in(page, "ray", "/reconciliation/bank/")
    good = bank_file(counter_office.today(), (12825, "DEPOSIT"), (100, "DEPOSIT")).decode()
    bad = good.replace("16,301,12825", "16,301,12X25").replace("16,301,100", "16,9999,100")
    page.get_by_label("File from the bank").set_input_files(upload(bad.encode()))
    page.get_by_role("button", name="Read the file").click()
    expect(page.get_by_role("heading", name="What is wrong with the file")).to_be_visible()
    rows = page.get_by_role("region", name="Bad records").get_by_role("row")
    expect(rows.filter(has_text="line 4")).to_be_visible()
    expect(rows.filter(has_text="line 5")).to_be_visible()
    keep_picture(page, "reconciliation-bad-file")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_label("File from the bank").set_input_files(upload(b"%PDF-1.7", "letter.pdf"))
    page.get_by_role("button", name="Read the file").click()
    expect(page.get_by_text("This is no BAI2, camt, MT940 or OFX file")).to_be_visible()
    page.goto("/reconciliation/files/")
    expect(page.get_by_text("No bank file was read yet.")).to_be_visible()
    assert_accessible(page)


def test_a_cashier_does_not_reconcile(live: Live, page: Page) -> None:
    counter_office.set_up()
    sign_in(page, "casey", "/reconciliation/")
    expect(page.get_by_text("may not do this")).to_be_visible()
