"""A property's meters, by keyboard: exchanged, read together, taken out."""

from datetime import date, timedelta

import pytest
from playwright.sync_api import Page, expect

from chamberlain.billing.documents import bill_data
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.metering import operations as metering
from chamberlain.metering.models import Meter, Read, ReadPart
from chamberlain.registry import operations
from tests import office
from tests.web.conftest import Live, assert_accessible, assert_fits, keep_picture, sign_in
from tests.web.scenes import furnished_office

pytestmark = pytest.mark.browser


@pytest.fixture
def house(live: Live) -> int:
    furnished_office()
    office.make_user("robin", Role.CLERK)
    clerk = program_actor()
    made = operations.register_property(clerk, "17-1", "900 W Adams St", "60607", "house", 1)
    point = operations.add_service_point(clerk, made, "SP-2")
    metering.install_meter(
        clerk, "M-100", point, date(2025, 12, 1), size='1"', unit="ccf", register=100
    )
    return made


def test_a_clerk_exchanges_a_meter_and_reads_the_new_one_by_keyboard(
    house: int, page: Page
) -> None:
    sign_in(page, "robin", then=f"/properties/{house}/")
    page.get_by_role("link", name="Meters", exact=True).press("Enter")
    assert_accessible(page)
    page.get_by_role("link", name="Exchange", exact=True).press("Enter")
    page.get_by_label("Exchanged on").fill("2026-01-10")
    page.get_by_label("The old meter shows").fill("90")
    page.get_by_label("Serial number").fill("M-200")
    page.get_by_label("Shows now").fill("5")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("so 90 is too low").first).to_be_visible()
    keep_picture(page, "meter-exchange")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_label("The old meter shows").fill("112")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Waits for the next read")).to_be_visible()
    expect(page.get_by_role("cell", name="100 to 112")).to_be_visible()
    page.get_by_role("link", name="Type a read").press("Enter")
    page.get_by_label("Read on").fill("2026-02-01")
    page.get_by_label("It shows").fill("14")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("M-100: 100 to 112, 12")).to_be_visible()
    assert Read.objects.get(to_on=date(2026, 2, 1)).usage_thousandths == 21_000


def test_a_deduct_meter_is_read_with_the_other_and_both_are_taken_out(
    house: int, page: Page
) -> None:
    sign_in(page, "robin", then=f"/properties/{house}/meters/")
    page.get_by_role("link", name="Read another with it").press("Enter")
    page.get_by_label("It is the").select_option("Deduct meter")
    page.get_by_label("From").fill("2026-01-10")
    page.get_by_label("Serial number").fill("D-7")
    page.get_by_label("Shows now").fill("3")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Deduct meter, subtracted")).to_be_visible()

    page.get_by_role("link", name="Type a read").press("Enter")
    page.get_by_label("Read on").fill("2026-02-01")
    page.get_by_label("It shows").fill("121")
    page.get_by_label("Deduct meter D-7 shows").fill("40")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Deduct meter D-7 counted 37, more than the 21").first).to_be_visible()
    page.get_by_label("Deduct meter D-7 shows").fill("7")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("the next bill run bills it")).to_be_visible()
    assert Read.objects.get(to_on=date(2026, 2, 1)).usage_thousandths == 17_000
    keep_picture(page, "meters")
    assert_accessible(page)
    assert_fits(page)

    page.get_by_role("link", name="Take out meter D-7").press("Enter")
    page.get_by_label("Taken out on").fill("2026-02-10")
    page.get_by_label("It shows").fill("9")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("what it counted is part of the next read")).to_be_visible()
    page.get_by_role("link", name="Take out", exact=True).press("Enter")
    page.get_by_label("Taken out on").fill("2026-02-20")
    page.get_by_label("It shows").fill("125")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("link", name="Put a meter in")).to_be_visible()
    page.get_by_role("link", name="Put a meter in").press("Enter")
    page.get_by_label("Put in on").fill("2026-02-21")
    page.get_by_label("Serial number").fill("M-300")
    page.get_by_label("Size").fill('1"')
    page.get_by_label("Shows now").fill("0")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Meter M-300 is in.")).to_be_visible()


def test_a_cashier_sees_meters_and_changes_none(house: int, page: Page) -> None:
    office.make_user("carl", Role.CASHIER)
    sign_in(page, "carl", then=f"/properties/{house}/meters/")
    expect(page.get_by_text("Nothing was read here yet.")).to_be_visible()
    expect(page.get_by_role("link", name="Exchange", exact=True)).to_have_count(0)
    assert_accessible(page)


def test_a_bill_shows_what_each_meter_counted(live: Live, page: Page) -> None:
    made = furnished_office().bills[0]
    office.make_user("robin", Role.CLERK)
    read = made.read
    assert read is not None
    exchanged = read.from_on + timedelta(days=20)
    old = Meter.objects.create(serial="M-1", size='5/8"', unit="kgal")
    counts = ((old, read.from_on, exchanged, 3), (read.meter, exchanged, read.to_on, 6))
    for meter, since, until, used in counts:
        ReadPart.objects.create(
            read=read,
            service_point_id=read.service_point_id,
            meter=meter,
            role="main",
            from_on=since,
            to_on=until,
            register_before=70,
            register_after=70 + used,
            usage_thousandths=used * 1000,
        )
    sign_in(page, "robin", then=f"/bills/{made.number}/")
    panel = page.get_by_role("region", name="What the meters counted")
    expect(panel.get_by_role("cell", name="70 to 73")).to_be_visible()
    keep_picture(page, "bill-of-two-meters")
    assert_accessible(page)
    assert_fits(page)
    [printed] = bill_data([made.pk])["bills"]
    assert "Meter M-1 from 70 to 73: 3 thousand gallons" in printed["usage"]
