"""Stickers sold at the counter and numbered stock followed through the city, by keyboard."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from chamberlain.cashiering.models import Receipt, TillSession
from chamberlain.cashiering.stock import handing, selling
from chamberlain.cashiering.stock.models import Count, Handover, Place, Sale
from chamberlain.cashiering.stock.selling import Order
from chamberlain.identity.models import Role
from chamberlain.registry.models import Customer
from tests import office as people
from tests.cashiering import stock_office
from tests.web import counter_office
from tests.web.conftest import (
    PASSWORD,
    Live,
    assert_accessible,
    assert_fits,
    keep_picture,
    sign_in,
    sign_out,
)
from tests.web.counter_office import CounterOffice, actor

pytestmark = pytest.mark.browser


def stocked(numbers: str = "1-20") -> CounterOffice:
    """An office whose till is open and has stickers."""
    office = counter_office.set_up()
    people.make_user("dean", Role.COORDINATOR)
    stock_office.load()
    counter_office.open_till(office)
    safe = Place.objects.get(center=office.center).pk
    till = Place.objects.get(till_id=office.till_id).pk
    for sender, receiver, source, target in (
        ("ray", "sol", None, safe),
        ("sol", "casey", safe, till),
    ):
        made = handing.send(
            actor(sender), stock_office.STICKER, numbers, source, target, "DN-7", timezone.now(),
            f"key-{sender}",
        )  # fmt: skip
        handing.accept(actor(receiver), made, numbers, timezone.now())
    return office


def at_the_counter(page: Page, address: str = "/counter/?account=1004220817") -> None:
    sign_in(page, "casey", address)
    page.locator("html.has-script").wait_for(state="attached")


def sell(office: CounterOffice, key: str = "sold") -> None:
    session_id = TillSession.objects.get(till_id=office.till_id).pk
    order = Order(office.maria.account_id, "sticker.P", "AB 12 345")
    selling.sell(actor("casey"), session_id, order, timezone.now(), key)


def test_a_sticker_is_sold_and_paid_without_a_mouse(live: Live, page: Page) -> None:
    stocked()
    at_the_counter(page)
    expect(page.get_by_role("heading", name="Sell a sticker")).to_be_visible()
    page.keyboard.press("F6")
    expect(page.get_by_label("What is sold")).to_be_focused()
    page.keyboard.type("City s")
    expect(page.locator("#sell_price")).to_contain_text("S000001")
    page.keyboard.press("Tab")
    page.keyboard.type("AB 12 345")
    page.keyboard.press("Tab")
    page.keyboard.type("7")
    expect(page.locator("#sell_price")).to_contain_text("$58.43")
    keep_picture(page, "counter-selling")
    assert_accessible(page)
    assert_fits(page)
    page.keyboard.press("Alt+s")
    expect(page.get_by_text("City sticker S000001 is in the basket: $58.43.")).to_be_visible()
    expect(page.get_by_label("Sticker S000001: amount to pay")).to_have_value("58.43")
    keep_picture(page, "counter-sold")
    page.keyboard.press("F7")
    page.keyboard.press("Alt+e")
    expect(page.get_by_label("Cash: amount")).to_have_value(re.compile(r"186\.67"))
    page.keyboard.press("F9")
    expect(page.get_by_role("heading", name=re.compile("Receipt CH-1"))).to_be_visible()
    expect(page.get_by_role("cell", name="S000001")).to_be_visible()
    assert Receipt.objects.get().total_cents == 6412 * 2 + 5843


def test_what_is_missing_for_a_sale_is_said_beside_its_field(live: Live, page: Page) -> None:
    stocked()
    at_the_counter(page)
    page.get_by_label("What is sold").select_option("sticker.P")
    page.keyboard.press("Alt+s")
    expect(page.get_by_text("Type what it is for: the plate")).to_be_visible()
    page.get_by_label("Plate, animal, name").fill("AB 12 345")
    page.get_by_label("Number on the item").fill("S000099")
    page.keyboard.press("Alt+s")
    expect(page.get_by_text("S000099 was never received")).to_be_visible()
    expect(page.get_by_label("Plate, animal, name")).to_have_value("AB 12 345")
    assert_accessible(page)
    assert not Sale.objects.exists()


def test_an_unpaid_sale_stands_on_the_counter_and_is_taken_back(live: Live, page: Page) -> None:
    office = stocked()
    sell(office)
    at_the_counter(page, "/counter/")
    expect(page.get_by_role("heading", name="Sold and not paid")).to_be_visible()
    keep_picture(page, "counter-unpaid")
    assert_accessible(page)
    page.get_by_role("link", name="Take back S000001").press("Enter")
    page.get_by_label("Why is the sale taken back?").fill("wrong class")
    keep_picture(page, "sale-undo")
    assert_accessible(page)
    assert_fits(page)
    page.keyboard.press("F9")
    expect(page.get_by_text("The sale of City sticker S000001 is taken back.")).to_be_visible()
    assert Sale.objects.get().undone_at


def test_a_spoiled_item_needs_the_supervisors_name_at_the_till(live: Live, page: Page) -> None:
    office = stocked()
    sell(office)
    counter_office.give_password("sol")
    at_the_counter(page, f"/counter/sales/{Sale.objects.get().pk}/undo/")
    page.get_by_label("Why is the sale taken back?").fill("torn")
    page.get_by_label("The item cannot be sold any more").press("Space")
    page.keyboard.press("F9")
    expect(page.get_by_text("This field is required.").first).to_be_visible()
    page.get_by_label("Supervisor: username").fill("sol")
    page.get_by_label("Supervisor: password").fill(PASSWORD)
    page.keyboard.press("F9")
    expect(page.get_by_text("is taken back.")).to_be_visible()
    assert Place.objects.get(role="spoiled").held.count() == 1


def test_a_new_customer_is_registered_at_the_counter(live: Live, page: Page) -> None:
    stocked()
    at_the_counter(page, "/counter/")
    page.keyboard.press("F3")
    expect(page.get_by_role("heading", name="New customer")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("Rosa Novak")
    page.get_by_label("Telephone").fill("312")
    keep_picture(page, "new-payer")
    assert_accessible(page)
    assert_fits(page)
    page.keyboard.press("F9")
    expect(page.get_by_text("A phone number has ten digits").first).to_be_visible()
    page.get_by_label("Telephone").fill("(312) 555-0142")
    page.keyboard.press("F9")
    expect(page.get_by_role("heading", name="Rosa Novak")).to_be_visible()
    page.goto("/counter/new-payer/")
    page.get_by_label("Name", exact=True).fill("rosa novak")
    page.get_by_label("Telephone").fill("312 555 0142")
    page.keyboard.press("F9")
    expect(page.get_by_role("heading", name="Rosa Novak")).to_be_visible()
    assert Customer.objects.filter(name__iexact="Rosa Novak").count() == 1


def test_a_delivery_is_sent_accepted_and_found_again(live: Live, page: Page) -> None:
    stocked()
    counter_office.give_password("dean")
    sign_in(page, "ray", "/stock/")
    expect(page.get_by_role("heading", name="In stock")).to_be_visible()
    keep_picture(page, "stock-board")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("link", name="Send or receive").press("Enter")
    page.get_by_label("From", exact=True).select_option(label="The vendor")
    page.get_by_label("To", exact=True).select_option(label="The city's store")
    page.get_by_label("Numbers").fill("15-30")
    page.get_by_label("Delivery note").fill("DN-8")
    page.keyboard.press("F9")
    expect(page.locator("#numbers_problem")).to_contain_text("S000015 to S000020 of City")
    keep_picture(page, "stock-send")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_label("Numbers").fill("21-30")
    page.keyboard.press("F9")
    expect(page.get_by_text("Another person counts what arrives").first).to_be_visible()
    assert_accessible(page)
    sign_out(page)
    sign_in(page, "dean", f"/stock/handovers/{Handover.objects.latest('pk').pk}/")
    expect(page.get_by_text("S000021 to S000030")).to_have_count(0)
    page.get_by_label("Numbers in the box").fill("21-29")
    keep_picture(page, "stock-accept")
    assert_accessible(page)
    assert_fits(page)
    page.keyboard.press("F9")
    expect(page.get_by_text("Some did not arrive").first).to_be_visible()
    expect(page.get_by_text("S000030", exact=True)).to_be_visible()
    page.goto("/stock/number/?kind=city_sticker&number=30")
    expect(page.get_by_role("cell", name="Under way")).to_be_visible()
    keep_picture(page, "stock-number")
    assert_accessible(page)
    assert_fits(page)


def test_a_cashier_counts_and_a_supervisor_settles(live: Live, page: Page) -> None:
    office = stocked()
    counter_office.give_password("sol")
    at_the_counter(page, "/tills/")
    expect(page.get_by_text("Count the stock before closing")).to_be_visible()
    page.get_by_role("link", name="Count City sticker").press("Enter")
    expect(page.get_by_label("Where")).to_have_value(
        str(Place.objects.get(till_id=office.till_id).pk)
    )
    page.get_by_label("Numbers").fill("1-19")
    keep_picture(page, "stock-count")
    assert_accessible(page)
    assert_fits(page)
    page.keyboard.press("F9")
    expect(page.get_by_text("In the books and not there")).to_be_visible()
    expect(page.get_by_text("S000020", exact=True)).to_be_visible()
    assert_accessible(page)
    sign_out(page)
    sign_in(page, "sol", "/stock/")
    expect(page.get_by_role("heading", name="Counts that differ")).to_be_visible()
    page.get_by_role("link", name="Till CH-1").first.press("Enter")
    page.get_by_label("What was looked at").fill("Not in the drawer, nor under it")
    keep_picture(page, "stock-settle")
    assert_accessible(page)
    assert_fits(page)
    page.keyboard.press("F9")
    expect(page.get_by_text("Settled.")).to_be_visible()
    assert Count.objects.get().settled_by.username == "sol"
    page.goto(f"/stock/places/{Place.objects.get(till_id=office.till_id).pk}/")
    expect(page.get_by_role("cell", name="Not in the drawer, nor under it")).to_be_visible()
    keep_picture(page, "stock-place")
    assert_accessible(page)
    assert_fits(page)


def test_the_sheet_of_a_day_names_what_was_sold_and_not_paid(live: Live, page: Page) -> None:
    office = stocked()
    sell(office)
    sign_in(page, "sol", "/stock/sheet/")
    expect(page.get_by_text("1 of 1 numbers sold on this day are not paid.")).to_be_visible()
    keep_picture(page, "stock-sheet")
    assert_accessible(page)
    assert_fits(page)
    with page.expect_download() as kept:
        page.get_by_role("link", name="CSV").press("Enter")
    text = kept.value.path().read_text(encoding="utf-8-sig")
    assert "till CH-1,City sticker,0,20,1,0,0,0,0,19" in text


def test_spoiled_items_are_seen_by_a_second_person(live: Live, page: Page) -> None:
    stocked()
    counter_office.give_password("sol")
    at_the_counter(page, "/stock/spoiled/")
    page.get_by_label("Numbers").fill("3")
    page.get_by_label("What happened").fill("Coffee")
    page.get_by_label("Username").fill("sol")
    page.get_by_label("Password").fill(PASSWORD)
    keep_picture(page, "stock-spoil")
    assert_accessible(page)
    assert_fits(page)
    page.keyboard.press("F9")
    expect(page.get_by_text("1 taken out of use.")).to_be_visible()


def test_an_auditor_looks_and_changes_nothing(live: Live, page: Page) -> None:
    stocked()
    sign_in(page, "ada", "/stock/")
    expect(page.get_by_role("heading", name="In stock")).to_be_visible()
    expect(page.get_by_role("link", name="Send or receive")).to_have_count(0)
    page.goto("/stock/count/")
    expect(page.get_by_text("There is no stock of yours to count.")).to_be_visible()
    page.goto("/counter/new-payer/")
    expect(page.get_by_text(re.compile("may not do this"))).to_be_visible()
