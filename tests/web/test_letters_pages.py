"""Letters on pages: written at the account, sent, found again; a wording proposed and approved."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from chamberlain.casework.letters.operations import load_templates
from chamberlain.cities.loading import city_folder
from chamberlain.cities.schema import read_city
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from tests.office import make_user
from tests.web.conftest import assert_accessible, assert_fits, keep_picture, sign_in
from tests.web.scenes import furnished_office

pytestmark = pytest.mark.browser


@pytest.fixture
def number(live, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    made = furnished_office().number
    wordings = read_city(city_folder("chicago")).letters.templates()
    load_templates(program_actor(), wordings, datetime.now(UTC))
    make_user("cleo", Role.CLERK)
    make_user("sam", Role.ACCOUNTS_SUPERVISOR)
    return made


def test_a_clerk_writes_a_letter_and_finds_it_again(number: str, page: Page):
    sign_in(page, "cleo", f"/accounts/{number}/letters/")
    expect(page.get_by_text("No letter was written yet.")).to_be_visible()
    page.get_by_label("Letter", exact=True).select_option("balance_statement")
    page.get_by_label("Your own paragraph").fill("Thank you for your call.")
    page.get_by_role("button", name="Look at it").press("Enter")
    expect(page.get_by_text("Dear Maria Kowalski")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "letters-write")
    page.get_by_role("button", name="Send and keep it").press("Enter")
    expect(page.get_by_text("is kept as sent.")).to_be_visible()
    expect(page.get_by_text("Thank you for your call.")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "letters-letter")
    link = page.get_by_role("link", name="The file as sent (PDF)").get_attribute("href")
    assert link is not None
    assert page.request.get(link).body().startswith(b"%PDF")
    page.goto(f"/accounts/{number}/history/?kind=letter")
    expect(page.get_by_role("link", name="Letter LT-")).to_be_visible()


def test_a_letter_that_does_not_fit_the_account_says_why(number: str, page: Page):
    sign_in(page, "cleo", f"/accounts/{number}/letters/")
    page.get_by_label("Letter", exact=True).select_option("plan_ended")
    page.get_by_role("button", name="Look at it").press("Enter")
    expect(page.get_by_text("has nothing for “plan_number”").first).to_be_visible()
    assert_accessible(page)


def test_a_wording_is_proposed_by_one_and_approved_by_another(number: str, page: Page):
    sign_in(page, "cleo", "/letters/")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "letters-templates")
    page.get_by_role("link", name="Statement of the balance").first.press("Enter")
    page.get_by_role("textbox", name="Wording").fill("Dear {{ holdr }}")
    page.get_by_role("button", name="Propose it").press("Enter")
    expect(page.get_by_text("the nearest that there is is “holder”").first).to_be_visible()
    page.get_by_role("textbox", name="Wording").fill("Dear {{ holder }}, all is well.")
    page.get_by_role("button", name="Propose it").press("Enter")
    expect(page.get_by_text("Waits for approval").first).to_be_visible()
    page.get_by_label("See it with account").fill(number)
    page.get_by_role("button", name="Look at it").press("Enter")
    expect(page.get_by_text("Dear Maria Kowalski, all is well.")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "letters-template")
    here = page.url.removeprefix(page.url.split("/letters")[0])
    page.context.clear_cookies()
    sign_in(page, "sam", here)
    page.get_by_role("button", name="Approve").press("Enter")
    expect(page.get_by_text("Approved").first).to_be_visible()
