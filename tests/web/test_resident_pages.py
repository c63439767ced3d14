"""A resident opens their account by the code from a bill, and pays by card, by keyboard alone."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.test import override_settings
from playwright.sync_api import Page, expect

from chamberlain.billing.access.codes import bill_code
from chamberlain.billing.access.terms import load_resident_terms
from chamberlain.card_provider.server import CardProvider
from chamberlain.card_provider.sessions import CARDS
from chamberlain.cashiering.hosted.models import Intent, Notice
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.ledger.queries import balance
from tests import office
from tests.billing import plan_office
from tests.cashiering.hosted_office import SECRET, TERMS
from tests.web.conftest import Live, assert_accessible, assert_fits, keep_picture, sign_in
from tests.web.scenes import Office, furnished_office
from tests.web.test_certificates_pages import press_until, type_into

pytestmark = pytest.mark.browser


@pytest.fixture
def place(live: Live) -> Office:
    load_resident_terms(program_actor(), [replace(TERMS, code_months=1200)])
    plan_office.load_terms()
    office.make_user("robin", Role.CLERK)
    office.make_user("kim", Role.COORDINATOR)
    return furnished_office()


@pytest.fixture
def provider() -> Iterator[CardProvider]:
    server = CardProvider(0, SECRET)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with override_settings(CARD_PROVIDER_URL=server.address, CARD_PROVIDER_SECRET=SECRET):
        yield server
    server.shutdown()
    server.server_close()
    thread.join()


def enter(page: Page, place: Office) -> None:
    last = place.bills[-1]
    page.goto("/my-account/enter/")
    type_into(page, "Account number", place.number)
    type_into(page, "Code", bill_code(last.pk, last.number))
    press_until(page, "Open my account")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your account")


def looks_right(page: Page, name: str) -> None:
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, name)


def pay_with(page: Page, card: str) -> None:
    type_into(page, "Card number", card)
    page.keyboard.press("Enter")


def test_from_the_code_on_the_bill_to_the_receipt_by_keyboard(
    place: Office, provider: CardProvider, page: Page
):
    page.goto("/my-account/enter/")
    looks_right(page, "resident-enter")
    press_until(page, "Open my account")
    expect(page.locator(".error-summary")).to_contain_text("Account number")
    enter(page, place)
    looks_right(page, "resident-overview")
    before = balance(place.account.pk).owed_cents

    press_until(page, "Pay by card", role="link")
    expect(page.get_by_role("heading", level=1)).to_have_text("Pay by card")
    looks_right(page, "resident-pay")
    page.get_by_label("Another amount").focus()
    page.keyboard.press("Space")
    type_into(page, "Other amount", "50.00")
    press_until(page, "Go on to pay")
    expect(page.get_by_label("Card number")).to_be_visible()
    assert place.number not in page.url
    assert_accessible(page)
    pay_with(page, "1234")
    expect(page.get_by_role("alert")).to_contain_text("no card of the demonstration")
    pay_with(page, "4000 0000 0000 0002")
    expect(page.get_by_text("Nothing was paid")).to_be_visible()
    looks_right(page, "resident-declined")
    assert balance(place.account.pk).owed_cents == before

    press_until(page, "Try again", role="link")
    page.get_by_label("Another amount").focus()
    page.keyboard.press("Space")
    type_into(page, "Other amount", "50.00")
    press_until(page, "Go on to pay")
    pay_with(page, "4242 4242 4242 4242")
    expect(page.get_by_text("Thank you, your payment was made")).to_be_visible()
    looks_right(page, "resident-paid")
    assert balance(place.account.pk).owed_cents == before - 5_000
    posted = Intent.objects.get(status="posted")
    page.goto("/my-account/payments/")
    expect(page.get_by_text(posted.provider_payment)).to_be_visible()
    looks_right(page, "resident-payments")
    press_until(page, "Sign out")
    expect(page.get_by_label("Code", exact=True)).to_be_visible()


def test_a_payment_with_a_delay_waits_on_the_page_until_the_notice_comes(
    place: Office, provider: CardProvider, page: Page, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(CARDS, "4000000000000077", ("paid", 4.0))
    enter(page, place)
    page.goto("/my-account/pay/")
    press_until(page, "Go on to pay")
    pay_with(page, "4000 0000 0000 0077")
    expect(page.get_by_text("We wait for the payment provider")).to_be_visible()
    looks_right(page, "resident-waiting")
    expect(page.get_by_text("Thank you, your payment was made")).to_be_visible(timeout=20_000)
    assert Notice.objects.filter(outcome__in=["posted", "nothing_new"]).count() <= 1
    assert balance(place.account.pk).owed_cents == 0


def test_bills_usage_and_why_in_both_languages(place: Office, page: Page):
    enter(page, place)
    for part, name in (
        ("bills/", "bills"),
        (f"bills/{place.bills[-1].number}/", "why"),
        ("usage/", "usage"),
        ("plan/", "plan"),
    ):
        page.goto(f"/my-account/{part}")
        looks_right(page, f"resident-{name}")
    press_until(page, "Español")
    expect(page.get_by_role("link", name="Resumen")).to_be_visible()
    for part, name in (("", "overview"), (f"bills/{place.bills[-1].number}/", "why")):
        page.goto(f"/my-account/{part}")
        looks_right(page, f"resident-{name}-es")
    page.goto("/certificates/progress/")
    looks_right(page, "resident-progress-es")


def test_a_plan_is_asked_for_and_a_clerk_answers(place: Office, page: Page):
    enter(page, place)
    page.goto("/my-account/plan/")
    page.get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    type_into(page, "Telephone", "312 555 0142")
    press_until(page, "Ask for this plan")
    expect(page.get_by_text("Your application is with us")).to_be_visible()
    looks_right(page, "resident-plan-asked")
    sign_in(page, "robin", "/plans/asked/")
    looks_right(page, "plans-asked")
    type_into(page, "Answer to the resident", "Call us first.")
    press_until(page, "Answer without a plan")
    expect(page.get_by_text("No resident waits for an answer.")).to_be_visible()


def test_card_payments_that_posted_nothing_have_a_list(place: Office, page: Page):
    sign_in(page, "kim", "/card-payments/")
    expect(page.get_by_text("Every card payment that the provider told of")).to_be_visible()
    looks_right(page, "card-payments")
