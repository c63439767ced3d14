"""What if in a real browser and from the command: revenue, distribution, winners and losers."""

from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from chamberlain.identity.models import Role
from tests import office
from tests.cli.office_commands import chamberlain
from tests.kernel.test_tables import sheets_of
from tests.office import DAY
from tests.web import scenes
from tests.web.conftest import Live, assert_accessible, assert_fits, keep_picture, sign_in

pytestmark = pytest.mark.browser
DAYS = ("--since", "2025-01-01", "--until", str(DAY))


@pytest.fixture
def place(live: Live) -> scenes.Office:
    made = scenes.furnished_office()
    office.make_user("sam", Role.ACCOUNTS_SUPERVISOR)
    return made


def test_a_supervisor_imagines_a_dearer_rate_by_keyboard_alone(
    place: scenes.Office, page: Page
) -> None:
    sign_in(page, "sam", "/what-if/")
    expect(page.get_by_role("link", name="What if")).to_have_attribute("aria-current", "page")
    assert_accessible(page)
    page.get_by_label("That end from").fill("2025-01-01")
    page.get_by_label("Up to").fill(str(DAY))
    page.get_by_label("Printed line").select_option(label="Water")
    page.get_by_label("Change its rate by").fill("10")
    page.keyboard.press("Enter")
    main = page.locator("main")
    expect(main).to_contain_text("Revenue by class")
    expect(main).to_contain_text("0 and 1")
    expect(main).to_contain_text("+$29.40")
    expect(main.get_by_role("link", name=place.number)).to_be_visible()
    page.wait_for_load_state("networkidle")
    picture = page.locator("img[alt^='Bars of how many accounts']")
    assert picture.evaluate("image => image.naturalWidth") > 0
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "what-if")
    link = main.get_by_role("link", name="Spreadsheet").get_attribute("href")
    assert link is not None
    sheets = sheets_of(page.request.get(link).body())
    assert list(sheets) == ["Classes", "Changes", "Largest changes"]
    assert sheets["Classes"][1][-1] == Decimal("29.40")
    assert sheets["Largest changes"][1][0] == place.number


def test_an_exemption_for_one_account_makes_it_a_winner(place: scenes.Office, page: Page) -> None:
    sign_in(page, "sam")
    page.goto(
        f"/what-if/?tariff=chicago-metered&since=2025-01-01&until={DAY}"
        f"&account={place.number}&exempt_percent=100&rate_class=residential"
    )
    expect(page.locator("main")).to_contain_text("1 and 0")
    expect(page.locator("main")).to_contain_text("No account pays more.")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("", "Nothing is imagined yet"),
        ("&change_percent=5", "A change of a rate needs the line it is for; choose one."),
        ("&exempt_percent=101", "101 percent is out of range; give 0 to 100."),
        ("&account=12&exempt_percent=5", "There is no account 12; check the number."),
    ],
)
def test_what_makes_no_sense_is_refused_beside_its_field(
    place: scenes.Office, page: Page, query: str, sentence: str
) -> None:
    sign_in(page, "sam")
    page.goto(f"/what-if/?tariff=chicago-metered&since=2025-01-01&until={DAY}{query}")
    expect(page.locator(".usa-error-message", has_text=sentence)).to_be_visible()
    assert_accessible(page)


def test_days_without_bills_and_a_chart_without_a_scenario_are_said(
    place: scenes.Office, page: Page
) -> None:
    sign_in(page, "sam")
    page.goto("/what-if/?tariff=chicago-metered&since=2001-01-01&until=2001-02-01&exempt_percent=5")
    expect(page.locator("main")).to_contain_text("No bill of this tariff ends in these days.")
    assert page.request.get("/what-if/changes.svg").status == 422


def test_a_cashier_has_no_what_if(place: scenes.Office, page: Page) -> None:
    office.make_user("pat", Role.CASHIER)
    sign_in(page, "pat")
    assert page.request.get("/what-if/").status == 403


def test_the_command_shows_the_same_and_a_program_reads_it(own_database: str) -> None:
    scenes.furnished_office()
    words = ("what-if", "--tariff", "chicago-metered", *DAYS, "--component", "water")
    answer = chamberlain(*words, "--change-percent", "10", database=own_database)
    assert answer.code == 0, answer.err
    assert "0 accounts pay less, 1 more, 0 the same. Nothing was posted." in answer.out
    found = chamberlain(*words, "--change-percent", "10", "--json", database=own_database).json
    assert found["total"]["bills"] == 3
    assert found["losers"] == 1
    refused = chamberlain(*words, "--new-rate", "dear", database=own_database)
    assert refused.code == 2
    assert "is not a number" in refused.err
