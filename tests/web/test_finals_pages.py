"""Final bills in a real browser: asked for, read, shown, made, and the balance carried."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from chamberlain.billing.finals import queries
from chamberlain.billing.finals.models import MoveOut
from chamberlain.billing.finals.operations import Leaving, ask_final_bill
from chamberlain.billing.finals.reading import take_final_read
from chamberlain.billing.models import Bill
from chamberlain.identity.actors import program_actor
from chamberlain.ledger.payments import NewPayment, post_payment
from tests.billing.final_office import LEFT, Home, asked, home, register_after
from tests.web.conftest import Live, assert_accessible, assert_fits, keep_picture, sign_in

pytestmark = pytest.mark.browser


@pytest.fixture
def place(live: Live) -> Home:
    return home()


def test_a_clerk_asks_reads_and_makes_the_final_bill_by_keyboard(place: Home, page: Page) -> None:
    sign_in(page, "robin", f"/accounts/{place.number}/move-out/")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("link", name="Final bill", exact=True)).to_be_visible()
    page.get_by_role("link", name="Final bill", exact=True).press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Final bill")
    assert MoveOut.objects.get().left_on == timezone.localdate() + timedelta(days=1)
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "final-to-read")
    page.get_by_label("Read on").fill(timezone.localdate().isoformat())
    page.get_by_label("Register").fill("1")
    page.keyboard.press("Enter")
    expect(page.locator(".field--error")).to_contain_text("read it again")
    assert_accessible(page)
    keep_picture(page, "final-read-refused")


def test_a_final_read_shows_the_bill_before_it_is_made(place: Home, page: Page) -> None:
    move_out_id = asked(place)
    sign_in(page, "robin", "/finals/")
    expect(page.locator("main")).to_contain_text("Maria Kowalski")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "finals")
    page.get_by_role("link", name=place.number).press("Enter")
    page.get_by_label("Read on").fill(LEFT.isoformat())
    page.get_by_label("Register").fill(str(register_after(9)))
    page.get_by_role("button", name="Enter the read").press("Enter")
    expect(page.locator(".total")).to_contain_text("$84.42")
    assert Bill.objects.count() == 3
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "final-to-bill")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("link", name="Open bill")).to_be_visible()
    assert Bill.objects.count() == 4
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "final-billed")
    page.get_by_label("Carry the balance to account").fill(place.number)
    page.get_by_role("button", name="Carry the balance").press("Enter")
    expect(page.locator(".field--error")).to_contain_text("not another account of this holder")
    assert_accessible(page)
    page.get_by_label("Carry the balance to account").fill(place.next_number)
    page.get_by_role("button", name="Carry the balance").press("Enter")
    expect(page.locator("main")).to_contain_text("another person approves it")
    assert queries.move_out_row(move_out_id).next_account == place.next_number
    page.goto("/finals/?list=billed")
    expect(page.locator("main")).to_contain_text(place.number)


def test_a_read_that_cannot_be_had_is_estimated(place: Home, page: Page) -> None:
    move_out_id = asked(place)
    sign_in(page, "robin", f"/finals/{move_out_id}/")
    page.get_by_role("button", name="No read can be had: estimate").press("Enter")
    expect(page.locator("main")).to_contain_text("Estimate")
    expect(page.get_by_role("button", name="Make the final bill")).to_be_visible()


def test_a_bill_beyond_the_move_is_named(place: Home, page: Page) -> None:
    leaving = Leaving(place.number, LEFT - timedelta(days=40))
    move_out_id = ask_final_bill(place.clerk, leaving, LEFT, timezone.now())
    sign_in(page, "robin", f"/finals/{move_out_id}/")
    expect(page.locator("main")).to_contain_text("Bill 88-203412 covers days after the move")
    assert_accessible(page)


def test_an_account_that_is_held_is_first_given_up(place: Home, page: Page) -> None:
    sign_in(page, "robin", f"/accounts/{place.number}/final-bill/")
    expect(page.locator("main")).to_contain_text("The account is still held")
    assert_accessible(page)


def test_a_final_bill_is_asked_for_where_somebody_left_before(place: Home, page: Page) -> None:
    from chamberlain.billing.occupancy import move_out

    move_out(place.clerk, place.account_id, LEFT, LEFT)
    sign_in(page, "robin", f"/accounts/{place.number}/final-bill/")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "final-ask")
    page.get_by_label("Carry the balance to account").fill("NONE-1")
    page.get_by_role("button", name="Ask for the final bill").press("Enter")
    expect(page.locator(".field--error")).to_contain_text("There is no account NONE-1")
    page.get_by_label("Carry the balance to account").fill(place.next_number)
    page.get_by_role("button", name="Ask for the final bill").press("Enter")
    expect(page.locator("main")).to_contain_text("Final read at SP-1")


def test_a_payment_in_the_meantime_is_told_before_the_final_bill(place: Home, page: Page) -> None:
    move_out_id = asked(place)
    order = queries.final_reads(move_out_id)[0].order_id
    take_final_read(place.clerk, order, LEFT, register_after(9), LEFT)
    sign_in(page, "robin", f"/finals/{move_out_id}/")
    payment = NewPayment(place.number, 2_500, "lockbox", "LB-7")
    post_payment(program_actor(), place.office.center.pk, payment, timezone.now(), "meantime")
    page.get_by_role("button", name="Make the final bill").press("Enter")
    said = page.locator(".usa-alert--error").first
    expect(said).to_contain_text("The account changed since you looked")
    expect(said).to_contain_text("payment LB-7 over $25.00 by Chamberlain")
    assert Bill.objects.count() == 3
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "final-changed")
    page.get_by_role("button", name="Make the final bill").press("Enter")
    expect(page.get_by_role("link", name="Open bill")).to_be_visible()
    assert Bill.objects.count() == 4
