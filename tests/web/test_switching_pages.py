"""A clerk switches a house from fixtures to a meter by keyboard, seeing the bill first."""

import pytest
from playwright.sync_api import Page, expect

from chamberlain.billing.models import ServiceAgreement
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.ledger.proof import prove
from chamberlain.metering.models import Installation
from tests import office
from tests.billing.season_office import NUMBER, House, make_house, standing
from tests.web.conftest import Live, assert_accessible, assert_fits, keep_picture, sign_in

pytestmark = pytest.mark.browser


def made(live: Live, approval_cents: int = 50_000, *, is_billed: bool = True) -> House:
    house = make_house(approval_cents)
    if is_billed:
        house.bill_season()
    office.make_user("robin", Role.CLERK)
    return house


def open_form(page: Page, house: House) -> None:
    """From the meters of the property to the form, with the meter typed."""
    sign_in(page, "robin", then=f"/properties/{house.property_id}/meters/")
    page.get_by_role("link", name="Switch to metered").press("Enter")
    page.get_by_label("Metered from").fill("2026-01-20")
    page.get_by_label("Serial number").fill("M-700")
    page.get_by_label("Size").fill('5/8"')
    page.get_by_label("Counts in").select_option("kgal")
    page.get_by_label("Shows now").fill("40")
    page.get_by_label("Why is the season").select_option("A read was wrong")


def test_a_clerk_sees_the_credit_and_switches_by_keyboard(live: Live, page: Page) -> None:
    house = made(live)
    open_form(page, house)
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "switching")
    page.get_by_label("Metered from").fill("2099-05-20")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("May 20, 2099 has not come yet").first).to_be_visible()
    assert_accessible(page)
    page.get_by_label("Metered from").fill("2026-01-20")
    page.keyboard.press("Control+Enter")
    panel = page.get_by_role("region", name="What would change")
    expect(panel.get_by_text("−$133.92")).to_be_visible()
    expect(page.get_by_role("row", name="Total")).to_contain_text("$240.00")
    expect(panel.get_by_text("Metered water and sewer")).to_be_visible()
    assert not Installation.objects.exists()
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "switching-shown")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Meter M-700 is in, and account N00001 is metered.")).to_be_visible()
    expect(page.get_by_text("Posted", exact=True)).to_be_visible()
    assert ServiceAgreement.objects.filter(is_metered=True, account__number=NUMBER).count() == 1
    assert standing(house.account_id)[0].to_on.isoformat() == "2026-01-20"
    assert prove(program_actor()).holds
    page.goto(f"/properties/{house.property_id}/meters/")
    expect(page.get_by_role("cell", name="M-700").or_(page.get_by_text("M-700"))).to_be_visible()
    expect(page.get_by_role("link", name="Switch to metered")).to_have_count(0)


def test_a_large_credit_waits_for_a_second_person(live: Live, page: Page) -> None:
    open_form(page, made(live, approval_cents=1_000))
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("the bill waits for a second person")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("The season’s bill waits for a second person.")).to_be_visible()


def test_without_a_season_billed_ahead_only_the_meter_is_put_in(live: Live, page: Page) -> None:
    house = made(live, is_billed=False)
    open_form(page, house)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("so none changes")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("No season was billed ahead.")).to_be_visible()
    assert Installation.objects.count() == 1


def test_a_cashier_is_not_offered_the_switch(live: Live, page: Page) -> None:
    house = made(live)
    office.make_user("carl", Role.CASHIER)
    sign_in(page, "carl", then=f"/properties/{house.property_id}/meters/")
    expect(page.get_by_role("heading", name="Meters", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Switch to metered")).to_have_count(0)
    here = f"/properties/{house.property_id}/meters/{house.point_id}/switch-to-metered/"
    response = page.goto(here)
    assert response is not None
    assert response.status == 403
