"""Accounts in a real browser: finding one, what is owed and why, its history, the keyboard."""

import pytest
from playwright.sync_api import Page, expect

from chamberlain.identity.models import Role
from tests import office
from tests.web import scenes
from tests.web.conftest import Live, assert_accessible, assert_fits, keep_picture, sign_in

pytestmark = pytest.mark.browser


@pytest.fixture
def place(live: Live) -> scenes.Office:
    made = scenes.furnished_office()
    office.make_user("robin", Role.CLERK)
    return made


def test_a_clerk_finds_an_account_by_a_mistyped_name_with_the_keyboard(
    place: scenes.Office, page: Page
) -> None:
    sign_in(page, "robin", "/accounts/")
    page.keyboard.press("/")
    page.keyboard.type("kowalsky")
    results = page.locator("#search-results")
    expect(results).to_contain_text("Maria Kowalski")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Maria Kowalski")
    assert page.url.endswith(f"/accounts/{place.number}/")


def test_search_without_script_gives_a_page_and_keeps_the_name_out_of_the_address(
    place: scenes.Office, page: Page
) -> None:
    sign_in(page, "robin", "/accounts/")
    page.get_by_label("Number, name, address, phone or parcel", exact=True).fill("Cortland")
    page.get_by_role("button", name="Find", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("1 account found")
    assert page.url.endswith("/search")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "search")
    page.get_by_role("link", name=place.number).click()
    page.goto("/accounts/")
    expect(page.get_by_role("link", name=place.number)).to_be_visible()
    assert_accessible(page)
    keep_picture(page, "accounts")


def test_what_is_owed_opens_down_to_the_read_and_the_transfers(
    place: scenes.Office, page: Page
) -> None:
    sign_in(page, "robin", f"/accounts/{place.number}/")
    figures = page.locator(".key-figures")
    expect(figures).to_contain_text("Past due")
    oldest = page.locator("details.explained").first
    expect(oldest).to_contain_text("Bill 88-203410")
    expect(oldest).to_contain_text("9.14 thousand gallons at $4.69 = $42.8666")
    expect(oldest).to_contain_text("settled $30.00")
    expect(oldest).to_contain_text("register 48,009")
    expect(page.get_by_text("Parking citation 70119245")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "account")
    oldest.get_by_role("link", name="Payment LB-1").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Payment LB-1")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "entry")


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("bills", "88-203412"),
        ("payments", "LB-1"),
        ("usage", "48,009"),
        ("other", "Plate AB 1234"),
        ("history", "Meter M-77120 read"),
        ("file", "Single-family house"),
    ],
)
def test_each_part_of_the_account_shows_what_is_on_file(
    place: scenes.Office, page: Page, part: str, text: str
) -> None:
    sign_in(page, "robin", f"/accounts/{place.number}/{part}/")
    expect(page.locator("main")).to_contain_text(text)
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, f"account-{part}")


def test_the_chart_of_usage_is_a_picture_beside_its_table(place: scenes.Office, page: Page) -> None:
    sign_in(page, "robin", f"/accounts/{place.number}/usage/")
    picture = page.locator(".chart__picture img")
    page.wait_for_load_state("networkidle")
    assert picture.evaluate("image => image.naturalWidth > 100")
    assert "10.45 thousand gallons" in (picture.get_attribute("alt") or "")


def test_the_timeline_shows_one_kind_when_asked(place: scenes.Office, page: Page) -> None:
    sign_in(page, "robin", f"/accounts/{place.number}/history/")
    page.get_by_role("link", name="Payments", exact=True).last.click()
    expect(page.locator(".timeline__item")).to_have_count(1)
    expect(page.locator(".timeline")).to_contain_text("LB-1")


def test_an_auditor_sees_only_the_end_of_a_phone_number(place: scenes.Office, page: Page) -> None:
    office.make_user("alex", Role.AUDITOR)
    sign_in(page, "alex", f"/accounts/{place.number}/")
    expect(page.locator("main")).to_contain_text("•••-•••-0142")
    assert "3125550142" not in page.content()


def test_an_account_that_is_not_there_is_said_in_a_sentence(
    place: scenes.Office, page: Page
) -> None:
    sign_in(page, "robin")
    answer = page.goto("/accounts/999/")
    assert answer is not None
    assert answer.status == 404
    expect(page.locator("main")).to_contain_text("There is no account 999; search for it by name.")


def test_who_is_not_signed_in_is_sent_to_the_sign_in(place: scenes.Office, page: Page) -> None:
    page.goto(f"/accounts/{place.number}/")
    assert "/sign-in/login/?next=" in page.url
