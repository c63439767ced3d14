"""The proof, the general ledger, tariffs and the components' page in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from chamberlain.identity.models import Role
from chamberlain.tariffs.models import Component
from tests import office
from tests.web import scenes
from tests.web.conftest import Live, assert_accessible, assert_fits, keep_picture, sign_in

pytestmark = pytest.mark.browser


@pytest.fixture
def place(live: Live) -> scenes.Office:
    made = scenes.furnished_office()
    office.make_user("alex", Role.AUDITOR)
    office.make_user("ada", Role.ADMINISTRATOR)
    return made


def test_an_auditor_proves_the_ledger_on_demand(place: scenes.Office, page: Page) -> None:
    sign_in(page, "alex", "/ledger/")
    page.get_by_role("button", name="Prove now").click()
    expect(page.locator("main")).to_contain_text("The ledger proves")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "proof")


def test_a_ledger_account_opens_to_its_transfers_and_their_entry(
    place: scenes.Office, page: Page
) -> None:
    sign_in(page, "alex", "/ledger/accounts/")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "general-ledger")
    page.get_by_role("link", name="Receivable: Water").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Receivable: Water")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "ledger-account")
    page.get_by_role("link", name="Payment LB-1").click()
    expect(page.locator("main")).to_contain_text("Settles charge")


def test_a_rate_is_shown_through_the_years_as_steps_and_as_a_table(
    place: scenes.Office, page: Page
) -> None:
    sign_in(page, "alex", "/tariffs/")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "tariffs")
    page.get_by_role("link", name="Metered water and sewer").click()
    expect(page.locator("main")).to_contain_text("$4.69")
    expect(page.locator("main")).to_contain_text("100 %")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "tariff")
    page.get_by_role("link", name="Water", exact=True).click()
    page.wait_for_load_state("networkidle")
    picture = page.locator(".chart__picture img")
    assert picture.evaluate("image => image.naturalWidth > 100")
    expect(page.locator("main")).to_contain_text("$4.17")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "tariff-component")


def test_an_unverified_figure_is_marked_and_listed_for_administrators(
    place: scenes.Office, page: Page
) -> None:
    sewer = Component.objects.get(code="sewer")
    sign_in(page, "ada", f"/tariffs/chicago-metered/{sewer.pk}/")
    expect(page.locator("main")).to_contain_text("Some of these figures are not verified")
    page.goto("/tariffs/unverified/")
    expect(page.locator("main")).to_contain_text("Read from a newspaper")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "unverified")


def test_the_page_of_components_is_for_administrators(place: scenes.Office, page: Page) -> None:
    sign_in(page, "ada", "/styleguide/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.context.clear_cookies()
    sign_in(page, "alex")
    answer = page.goto("/styleguide/")
    assert answer is not None
    assert answer.status == 403
