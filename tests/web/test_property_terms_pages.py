"""Types and terms in a real browser: what differs, agreed anew, rebilled, as a spreadsheet."""

from datetime import date, timedelta

import pytest
from playwright.sync_api import Page, expect

from chamberlain.billing.models import ServiceAgreement
from chamberlain.billing.property_terms.terms import load_property_terms
from chamberlain.billing.rebilling.models import Rebill
from chamberlain.billing.rebilling.operations import ReasonTerms, RuleTerms, load_rules
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.registry import documents, findings
from chamberlain.registry.models import PropertyType
from chamberlain.registry.queries import account_summary
from tests import office
from tests.billing.test_property_terms import HOUSE, SHOP
from tests.office import DAY, NOW
from tests.registry import papers
from tests.web import scenes
from tests.web.conftest import Live, assert_accessible, assert_fits, keep_picture, sign_in

pytestmark = pytest.mark.browser


@pytest.fixture
def place(live: Live) -> scenes.Office:
    made = scenes.furnished_office()
    PropertyType.objects.create(code="shop", name="Shop")
    load_property_terms(program_actor(), [HOUSE, SHOP])
    chosen = ("chosen for the tests", False)
    load_rules(
        program_actor(),
        [RuleTerms(date(2010, 1, 1), 24, 60, 50_000, 24, *chosen)],
        [ReasonTerms("class_wrong", "Class was wrong", False, *chosen)],
    )
    clerk = office.make_actor("robin", Role.CLERK)
    supervisor = office.make_actor("sam", Role.ACCOUNTS_SUPERVISOR)
    home = account_summary(made.number).property_id
    assert home is not None
    document = documents.keep_document(clerk, home, "tax_bill", "bill.pdf", papers.pdf(), NOW)
    on = DAY - timedelta(days=50)
    finding = findings.find_use(clerk, document, "shop", 3, on, NOW, DAY)
    findings.decide_use(supervisor, finding, True, NOW)
    return made


def home_of(place: scenes.Office) -> int:
    found = account_summary(place.number).property_id
    assert found is not None
    return found


def test_the_city_sees_which_agreements_say_otherwise(place: scenes.Office, page: Page) -> None:
    sign_in(page, "robin", "/property-terms/")
    expect(page.locator("main")).to_contain_text("residential → commercial")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "property-terms-city")
    with page.expect_download() as download:
        page.get_by_role("link", name="Spreadsheet").press("Enter")
    text = download.value.path().read_text(encoding="utf-8-sig")
    assert f"{place.number},2214 W Cortland St,SP-1,Shop,3" in text
    assert text.count("\n") == 5
    page.get_by_role("link", name="2214 W Cortland St").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Terms of billing")


def test_a_clerk_is_shown_the_rebill_by_keyboard(place: scenes.Office, page: Page) -> None:
    sign_in(page, "robin", f"/properties/{home_of(place)}/terms/")
    expect(page.locator("main")).to_contain_text("commercial")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "property-terms")
    page.get_by_role("button", name="Show the rebill").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Rebill")
    assert Rebill.objects.get().corrections["rate_class"] == "commercial"


def test_a_supervisor_agrees_anew_from_a_day_without_bills(
    place: scenes.Office, page: Page
) -> None:
    sign_in(page, "sam", f"/properties/{home_of(place)}/terms/")
    page.get_by_role("button", name="Agree anew").press("Enter")
    expect(page.locator(".field--error")).to_contain_text("rebill account")
    assert ServiceAgreement.objects.count() == 1
    assert_accessible(page)
    keep_picture(page, "property-terms-refused")
    page.get_by_label("From").fill(DAY.isoformat())
    page.get_by_role("button", name="Agree anew").press("Enter")
    expect(page.locator("main")).to_contain_text("is billed as the property's type says")
    assert ServiceAgreement.objects.count() == 2
