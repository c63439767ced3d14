"""A clerk sets bills right in the browser: days, what was wrong, old against new, posted."""

from dataclasses import dataclass
from datetime import date

import pytest
from playwright.sync_api import Page, expect

from chamberlain.billing.models import Bill
from chamberlain.billing.rebilling.operations import RuleTerms
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.ledger.proof import prove
from tests.billing.rebilling_scenes import load_limits
from tests.office import make_user
from tests.web import scenes
from tests.web.conftest import Live, assert_accessible, assert_fits, keep_picture, sign_in

NUMBER = "1004220817"


@dataclass
class Desk:
    """Where a clerk and a supervisor work, and a city whose second person decides from $5 on."""

    office: scenes.Office


@pytest.fixture
def desk(live: Live) -> Desk:
    place = scenes.furnished_office()
    load_limits(RuleTerms(date(2010, 1, 1), 24, 60, 5_000, 24, "chosen", False))
    make_user("clara", Role.CLERK)
    make_user("otto", Role.CLERK)
    make_user("sam", Role.ACCOUNTS_SUPERVISOR)
    return Desk(place)


def ask(page: Page, usage: str) -> None:
    """Types the days and the usage of the first read, and asks what would change."""
    page.goto(f"/accounts/{NUMBER}/rebills/new/?from_on=2025-12-01")
    page.get_by_label("Usage Nov 2, 2025").fill(usage)
    page.get_by_label("Reason").select_option("read_wrong")
    page.get_by_label("What happened").fill("The dial was misread")
    page.get_by_role("button", name="Show what would change").press("Enter")


def test_a_clerk_sees_old_against_new_and_posts_it(desk: Desk, page: Page) -> None:
    sign_in(page, "clara", f"/accounts/{NUMBER}/")
    page.get_by_role("link", name="Rebills", exact=True).last.press("Enter")
    expect(page.get_by_text("No bill of this account was set right yet.")).to_be_visible()
    page.get_by_role("link", name="Rebill days of this account").press("Enter")
    expect(page.get_by_role("heading", name="Which days")).to_be_visible()
    page.get_by_label("First day", exact=True).fill("2025-12-01")
    page.get_by_role("button", name="Show these days").press("Enter")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "rebill-new")
    ask(page, "11.450")
    expect(page.get_by_text("Nothing is posted yet")).to_be_visible()
    expect(page.get_by_role("row", name="Water").first).to_contain_text("$53.70")
    assert Bill.objects.count() == 3
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "rebill-shown")
    page.get_by_role("button", name="Post the rebill").press("Enter")
    expect(
        page.get_by_text("bills were made").or_(page.get_by_text("bill was made"))
    ).to_be_visible()
    expect(page.get_by_role("link", name="New bill").first).to_be_visible()
    assert_accessible(page)
    page.get_by_role("link", name="New bill").first.press("Enter")
    expect(page.get_by_text("In the place of")).to_be_visible()
    page.get_by_role("link", name="Bill 88-203411").press("Enter")
    expect(page.get_by_text("Replaced by")).to_be_visible()
    page.goto(f"/accounts/{NUMBER}/rebills/")
    expect(page.get_by_text("Posted")).to_be_visible()
    keep_picture(page, "rebills-of-account")
    assert prove(program_actor()).holds


def test_a_large_rebill_goes_to_a_second_person(desk: Desk, page: Page) -> None:
    sign_in(page, "clara")
    ask(page, "30")
    expect(page.get_by_role("button", name="Post the rebill")).to_have_count(0)
    page.get_by_role("button", name="Hand it to a second person").press("Enter")
    expect(page.get_by_text("It waits for a second person.")).to_be_visible()
    page.context.clear_cookies()
    sign_in(page, "sam", "/rebills/")
    assert_accessible(page)
    keep_picture(page, "rebills-waiting")
    page.get_by_role("link", name="Rebill 1").press("Enter")
    page.get_by_role("button", name="Post the rebill").press("Enter")
    expect(page.get_by_text("Posted", exact=True)).to_be_visible()
    expect(page.get_by_text("Posted by")).to_be_visible()


def test_the_second_clerk_is_told_what_the_first_posted(desk: Desk, live: Live, page: Page) -> None:
    load_limits()
    sign_in(page, "clara")
    ask(page, "12")
    shown = page.url
    page.context.clear_cookies()
    sign_in(page, "otto")
    ask(page, "11")
    page.get_by_role("button", name="Post the rebill").press("Enter")
    page.context.clear_cookies()
    sign_in(page, "clara", shown.removeprefix(live.url))
    page.get_by_role("button", name="Post the rebill").press("Enter")
    expect(page.get_by_text("changed since you looked").first).to_be_visible()
    expect(page.get_by_text("was replaced by").first).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Set it aside").press("Enter")
    expect(page.get_by_text("Set aside", exact=True)).to_be_visible()


def test_what_cannot_be_is_said_beside_the_field(desk: Desk, page: Page) -> None:
    sign_in(page, "clara")
    ask(page, "-4")
    expect(page.get_by_text("greater than or equal to 0").first).to_be_visible()
    assert_accessible(page)
    page.goto(f"/accounts/{NUMBER}/rebills/new/?from_on=2020-01-01&last_on=2019-01-01")
    page.get_by_label("What happened").fill("The dial was misread")
    page.get_by_role("button", name="Show what would change").press("Enter")
    expect(page.get_by_text("The period ends before it starts").first).to_be_visible()
    page.goto(f"/accounts/{NUMBER}/rebills/new/?from_on=soon")
    expect(page.get_by_text("Enter a valid date").first).to_be_visible()
    assert_accessible(page)


def test_a_bill_is_taken_back_by_two_and_billed_again(desk: Desk, page: Page) -> None:
    number = Bill.objects.latest("from_on").number
    sign_in(page, "clara", f"/bills/{number}/")
    page.get_by_role("link", name="Take back").press("Enter")
    page.get_by_label("What happened").fill("Nobody lived there")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "take-back")
    page.get_by_role("button", name="See what would change").press("Enter")
    expect(page.get_by_text(f"Nothing was due: bill {number}")).to_be_visible()
    page.get_by_role("button", name="Hand it to a second person").press("Enter")
    url = page.url
    page.context.clear_cookies()
    sign_in(page, "sam", url)
    keep_picture(page, "take-back-approval")
    page.get_by_role("button", name="Post the rebill").press("Enter")
    expect(page.get_by_text("0 bills were made, and 1 taken back.")).to_be_visible()
    page.goto(f"/bills/{number}/")
    page.get_by_role("link", name="Bill again").press("Enter")
    expect(page.get_by_role("heading", name=f"Bill the days of {number} again")).to_be_visible()
    page.get_by_label("What happened").fill("Somebody did")
    page.get_by_role("button", name="See what would change").press("Enter")
    expect(page.get_by_text(f"Billed again: the days of bill {number}")).to_be_visible()
    assert_accessible(page)
    assert prove(program_actor()).holds
