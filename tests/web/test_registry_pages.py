"""Customers, properties and moves, by keyboard."""

import re
from datetime import date

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from playwright.sync_api import Page, expect

from chamberlain.billing.models import ServiceAgreement
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.registry import operations, preferences, queries, record
from tests import office
from tests.web.conftest import Live, assert_accessible, assert_fits, keep_picture, sign_in
from tests.web.scenes import Office, furnished_office

pytestmark = pytest.mark.browser


@pytest.fixture
def scene(live: Live) -> Office:
    made = furnished_office()
    office.make_user("robin", Role.CLERK)
    return made


def customer(scene: Office) -> int:
    found = queries.account_summary(scene.number).customer_id
    assert found is not None
    return found


def empty_house() -> int:
    """A house whose last holder left."""
    clerk = program_actor()
    made = operations.register_property(clerk, "17-1", "900 W Adams St", "60607", "house", 1)
    point = operations.add_service_point(clerk, made, "SP-2")
    old = ServiceAgreement.objects.get()
    ServiceAgreement.objects.create(
        account=old.account, service_point_id=point, tariff=old.tariff, rate_class="residential",
        period=DateRange(date(2021, 1, 1), date(2022, 1, 1)),
    )  # fmt: skip
    return made


def test_a_customer_s_wishes_contacts_and_marks_are_changed_with_history(
    scene: Office, page: Page
) -> None:
    sign_in(page, "robin", then=f"/accounts/{scene.number}/file/")
    assert_accessible(page)
    page.get_by_role("link", name="Customer", exact=True).press("Enter")
    page.get_by_label("Language of letters").select_option("Polish")
    page.get_by_label("Bills by e-mail, without paper").check()
    page.get_by_role("button", name="Save the wishes").press("Enter")
    expect(page.get_by_text("has no e-mail on file").first).to_be_visible()
    assert_accessible(page)
    contact = page.get_by_role("region", name="Add a contact")
    contact.get_by_label("Kind").select_option("E-mail")
    contact.get_by_label("Number or address").fill("maria@example.org")
    contact.get_by_role("button").press("Enter")
    expect(page.get_by_role("cell", name="maria@example.org").first).to_be_visible()
    page.get_by_label("Language of letters").select_option("Polish")
    page.get_by_label("Bills by e-mail, without paper").check()
    page.get_by_role("button", name="Save the wishes").press("Enter")
    expect(page.get_by_text("Letters in Polish")).to_be_visible()
    page.get_by_label("The customer", exact=True).select_option("Is bankrupt")
    page.get_by_label("Number of the case or certificate").fill("26-01234")
    page.get_by_role("button", name="Mark the customer").press("Enter")
    expect(page.locator(".tag", has_text="Bankrupt since")).to_be_visible()
    page.get_by_label("Kind of number").select_option("Driver's license")
    page.get_by_label("Number", exact=True).fill("K123-4567-8901")
    page.get_by_role("button", name="Keep the number").press("Enter")
    expect(page.get_by_role("cell", name="K12345678901")).to_be_visible()
    keep_picture(page, "customer")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("button", name=re.compile("Remove.*maria@example.org")).press("Enter")
    expect(page.get_by_text("bills go to this e-mail without paper")).to_be_visible()


def test_a_cashier_sees_a_masked_number_and_changes_nothing(scene: Office, page: Page) -> None:
    clerk = program_actor()
    preferences.keep_personal_number(clerk, customer(scene), "passport", "C01234567")
    office.make_user("carl", Role.CASHIER)
    sign_in(page, "carl", then=f"/customers/{customer(scene)}/")
    expect(page.get_by_text("•••4567")).to_be_visible()
    expect(page.get_by_text("C01234567")).to_have_count(0)
    expect(page.get_by_role("button", name="Change the name")).to_have_count(0)
    assert_accessible(page)


def test_somebody_moves_out_and_somebody_new_moves_in(scene: Office, page: Page) -> None:
    house = queries.account_summary(scene.number).property_id
    sign_in(page, "robin", then=f"/properties/{house}/move-in/")
    page.get_by_label("Name (optional)").fill("Ida Wells")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("enter when its holder moves out first").first).to_be_visible()
    keep_picture(page, "move-in")
    assert_accessible(page)
    assert_fits(page)

    page.get_by_role("link", name="enter their move out").press("Enter")
    page.get_by_label("Last day").fill("2026-03-31")
    page.get_by_label("Forwarding address").fill("12 Elm St, Gary")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Give both the address and its ZIP code").first).to_be_visible()
    assert_accessible(page)
    page.get_by_label("ZIP code").fill("46401")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("gives account 1004220817 up")).to_be_visible()
    assert queries.account_summary(scene.number).held_until == date(2026, 4, 1)

    page.goto(f"/properties/{house}/move-in/")
    page.get_by_label("First day").fill("2026-04-01")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("or the name of a new one").first).to_be_visible()
    page.get_by_label("Name (optional)").fill("Ida Wells")
    page.get_by_label("Language of letters").select_option("Spanish")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("one agreement bills to it")).to_be_visible()
    expect(page.get_by_role("heading", name="Ida Wells")).to_be_visible()
    page.goto(f"/properties/{house}/")
    expect(page.get_by_role("link", name="Ida Wells")).to_be_visible()


def test_a_holder_takes_the_service_to_another_place(scene: Office, page: Page) -> None:
    empty_house()
    sign_in(page, "robin", then=f"/accounts/{scene.number}/transfer/")
    page.get_by_label("New place", exact=True).fill("99-99")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("No property has this parcel number").first).to_be_visible()
    keep_picture(page, "transfer")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_label("New place", exact=True).fill("17-1")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("one agreement bills to it")).to_be_visible()
    expect(page.get_by_text("900 W Adams St, 60607").first).to_be_visible()
    assert len(record.accounts_of_customer(customer(scene), 9, 0)) == 2


def test_mail_goes_to_another_address_and_back(scene: Office, page: Page) -> None:
    sign_in(page, "robin", then=f"/accounts/{scene.number}/mailing/")
    page.get_by_label("Addressee").fill("Lakeside Management")
    page.get_by_label("Address", exact=True).fill("1 W Lake St")
    page.get_by_label("ZIP code").fill("60601")
    page.get_by_label("From").fill("2026-01-01")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Lakeside Management")).to_be_visible()
    keep_picture(page, "mailing")
    assert_accessible(page)
    assert_fits(page)
    page.goto(f"/accounts/{scene.number}/file/")
    expect(page.get_by_text("Lakeside Management, 1 W Lake St, 60601")).to_be_visible()
    keep_picture(page, "on-file")
    assert_accessible(page)
    assert_fits(page)
    page.goto(f"/accounts/{scene.number}/mailing/")
    page.get_by_role("button", name="To the property again").press("Enter")
    expect(page.get_by_text("2214 W Cortland St").first).to_be_visible()
    assert_accessible(page)
