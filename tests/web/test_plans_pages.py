"""Payment plans in a real browser: what if, offer, approve, default, reinstate, sign."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from chamberlain.billing.approving import Approval
from chamberlain.billing.plans import operations
from chamberlain.billing.plans.models import Plan
from chamberlain.billing.plans.offers import Wanted, charges_for_plan
from chamberlain.billing.plans.review import review_plans
from chamberlain.billing.plans.terms import terms_on
from chamberlain.identity.actors import actor_named, program_actor
from chamberlain.identity.models import Role
from chamberlain.ledger.payments import NewPayment, post_payment
from tests import office
from tests.billing.plan_office import load_terms
from tests.web import scenes
from tests.web.conftest import Live, assert_accessible, assert_fits, keep_picture, sign_in

pytestmark = pytest.mark.browser


@pytest.fixture
def place(live: Live) -> scenes.Office:
    made = scenes.furnished_office()
    load_terms(charge_kinds=("water", "sewer"))
    office.make_user("robin", Role.CLERK)
    office.make_user("sam", Role.ACCOUNTS_SUPERVISOR)
    return made


def offered(place: scenes.Office, days_ago: int = 0) -> str:
    """A plan over all of the account's bills, begun so many days ago; its number."""
    day = timezone.localdate() - timedelta(days=days_ago)
    charges = charges_for_plan(place.account.pk, terms_on(day))
    wanted = Wanted(place.account.pk, tuple(charge.charge_id for charge in charges), "standard", 6)
    return operations.offer_plan(
        actor_named("robin", timezone.localdate()), wanted, day, timezone.now(), "browser"
    )


def test_a_clerk_tries_plans_by_keyboard_and_puts_one_in_force(
    place: scenes.Office, page: Page
) -> None:
    sign_in(page, "robin", f"/accounts/{place.number}/plans/")
    expect(page.get_by_label("88-203410")).to_be_checked()
    page.get_by_label("Instalments", exact=True).fill("4")
    page.keyboard.press("Tab")
    plan = page.locator("#offer")
    expect(plan.locator("tbody tr")).to_have_count(4)
    assert not Plan.objects.exists()
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "plans-calculator")
    page.get_by_label("88-203410").uncheck()
    expect(plan.locator("tfoot")).to_contain_text("$")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Payment plan PP-")
    expect(page.locator(".page-head")).to_contain_text("In force")
    assert Plan.objects.get().charges.count() == 4
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "plan")
    page.goto(f"/accounts/{place.number}/")
    expect(page.locator("main")).to_contain_text("To pay under plan PP-")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "plan-at-account")
    page.goto(f"/accounts/{place.number}/plans/")
    expect(page.locator("main")).to_contain_text("has to end before another is offered")
    assert_accessible(page)
    keep_picture(page, "plans-of-account")


def test_a_number_that_the_terms_do_not_allow_is_said_beside_the_field(
    place: scenes.Office, page: Page
) -> None:
    sign_in(page, "robin", f"/accounts/{place.number}/plans/")
    page.get_by_label("Instalments", exact=True).fill("37")
    page.keyboard.press("Tab")
    expect(page.locator("#offer")).to_contain_text("1 to 36 instalments")
    page.get_by_role("button", name="Calculate").press("Enter")
    expect(page.locator(".field--error")).to_contain_text("1 to 36 instalments")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "plans-refused")


def test_a_large_plan_waits_for_another_person(place: scenes.Office, page: Page) -> None:
    load_terms(
        charge_kinds=("water", "sewer"), approvals=(Approval(900_000, ("accounts_supervisor",)),)
    )
    number = offered(place)
    sign_in(page, "robin", f"/plans/{number}/")
    expect(page.locator("main")).to_contain_text("Another person has to approve it")
    expect(page.get_by_role("button", name="Approve the plan")).to_have_count(0)
    page.context.clear_cookies()
    sign_in(page, "sam", "/plans/")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "plans-waiting")
    page.get_by_role("link", name=number).press("Enter")
    assert_accessible(page)
    keep_picture(page, "plan-to-approve")
    page.get_by_role("button", name="Approve the plan").press("Enter")
    expect(page.locator(".page-head")).to_contain_text("approved by Sam")


def test_a_default_is_explained_and_the_plan_taken_up_again(
    place: scenes.Office, page: Page
) -> None:
    number = offered(place, days_ago=12)
    review_plans(program_actor(), timezone.localdate())
    sign_in(page, "robin", f"/plans/{number}/")
    expect(page.locator("main")).to_contain_text("was not paid within 10 days of its due date")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "plan-in-default")
    page.get_by_label("Why should it be reinstated?").fill("She was in hospital")
    page.get_by_role("button", name="Ask for reinstatement").press("Enter")
    expect(page.locator("main")).to_contain_text("Another person has to approve it")
    page.context.clear_cookies()
    sign_in(page, "sam", f"/plans/{number}/")
    expect(page.locator("main")).to_contain_text("She was in hospital")
    page.get_by_role("button", name="Reinstate the plan").press("Enter")
    expect(page.locator(".page-head")).to_contain_text("In force")
    page.get_by_label("Why is it withdrawn?").fill("She pays all of it")
    page.get_by_role("button", name="Withdraw the plan").press("Enter")
    expect(page.locator(".page-head")).to_contain_text("Withdrawn")
    assert_accessible(page)


def test_what_cannot_be_done_any_more_is_said_above_the_plan(
    place: scenes.Office, page: Page
) -> None:
    number = offered(place, days_ago=12)
    review_plans(program_actor(), timezone.localdate())
    today, now = timezone.localdate(), timezone.now()
    operations.ask_reinstatement(actor_named("robin", today), number, "Hospital", now)
    sign_in(page, "sam", f"/plans/{number}/")
    operations.refuse_reinstatement(program_actor(), number, now)
    page.get_by_role("button", name="Leave it in default").press("Enter")
    expect(page.locator("main")).to_contain_text("Nobody asked to reinstate")
    assert_accessible(page)


def test_the_page_to_sign_is_a_pdf(place: scenes.Office, page: Page) -> None:
    number = offered(place)
    sign_in(page, "robin", f"/plans/{number}/")
    answer = page.request.get(f"/plans/{number}/document.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.body().startswith(b"%PDF-")


def test_an_account_that_owes_nothing_needs_no_plan(place: scenes.Office, page: Page) -> None:
    office.owe(place.day, "EMPTY1")
    sign_in(page, "robin", "/accounts/EMPTY1/plans/")
    expect(page.locator("main")).to_contain_text("Nothing is owed that could be paid in")
    assert_accessible(page)
    keep_picture(page, "plans-empty")


def test_who_offers_a_plan_is_told_what_was_paid_in_the_meantime(
    place: scenes.Office, page: Page
) -> None:
    sign_in(page, "robin", f"/accounts/{place.number}/plans/")
    page.get_by_role("button", name="Calculate").press("Enter")
    expect(page.locator("#offer tbody tr")).to_have_count(12)
    payment = NewPayment(place.number, 500, "lockbox", "LB-9")
    post_payment(program_actor(), place.center.pk, payment, timezone.now(), "meantime")
    page.keyboard.press("Control+Enter")
    told = page.locator(".usa-alert--error").first
    expect(told).to_contain_text("payment LB-9 over $5.00 by Chamberlain")
    assert not Plan.objects.exists()
    assert_accessible(page)
