"""Adjustments in a real browser: asked for at the account, decided by another, many from a file."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from chamberlain.billing.adjusting.models import AdjustmentReason
from chamberlain.billing.adjusting.operations import (
    Wanted,
    approve_adjustment,
    ask_adjustment,
)
from chamberlain.billing.adjusting.reasons import load_reasons
from chamberlain.billing.penalties.operations import raise_penalties
from chamberlain.billing.penalties.policy import load_late_policies
from chamberlain.identity.actors import actor_of, program_actor
from chamberlain.identity.models import Role, User
from chamberlain.ledger import chart
from chamberlain.ledger.payments import NewPayment, post_payment
from tests import office
from tests.billing.adjust_scenes import REASONS
from tests.billing.rebilling_scenes import take_back
from tests.billing.test_penalties import policy
from tests.office import DAY, NOW
from tests.web import scenes
from tests.web.conftest import (
    Live,
    assert_accessible,
    assert_fits,
    keep_picture,
    sign_in,
    sign_out,
)

pytestmark = pytest.mark.browser


@pytest.fixture
def place(live: Live) -> scenes.Office:
    made = scenes.furnished_office()
    chart.ensure_charge_kind("penalty", "Late payment penalty", 30)
    load_reasons(program_actor(), REASONS)
    office.owe(made.day, "1004220825", 2500)
    office.make_user("robin", Role.CLERK)
    office.make_user("sam", Role.ACCOUNTS_SUPERVISOR)
    return made


def seen(page: Page, name: str) -> None:
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, name)


def test_a_clerk_asks_and_the_supervisor_posts(place: scenes.Office, page: Page) -> None:
    sign_in(page, "robin", f"/accounts/{place.number}/adjustments/")
    expect(page.locator("main")).to_contain_text("Nothing was adjusted")
    page.get_by_role("link", name="Ask for an adjustment").press("Enter")
    seen(page, "adjust-reasons")
    page.get_by_role("link", name="Leak").press("Enter")
    page.get_by_label("Amount").fill("2500")
    page.get_by_label("Why, in your words").fill("Toilet ran for a month, plumber's bill seen")
    page.get_by_role("button", name="Ask for it").press("Enter")
    error = page.locator(".field--error")
    expect(error).to_contain_text("at most $1,000.00, and this is $2,500.00")
    seen(page, "adjust-refused")
    page.get_by_label("Amount").fill("60.00")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Leak credit")
    expect(page.locator("main")).to_contain_text("never by the person who asked")
    expect(page.get_by_role("button", name="Approve and post")).to_have_count(0)
    address = page.url
    sign_out(page)
    sign_in(page, "sam", "/adjustments/")
    expect(page.locator("main")).to_contain_text("Toilet ran for a month")
    seen(page, "adjustments")
    page.goto(address)
    seen(page, "adjustment-waiting")
    page.get_by_role("button", name="Refuse").press("Enter")
    expect(page.locator(".field--error")).to_contain_text("Say why")
    page.keyboard.press("Control+Enter")
    expect(page.locator("main")).to_contain_text("Adjustments: Leak credit")
    expect(page.locator("main")).to_contain_text("Posted")
    seen(page, "adjustment-posted")
    page.goto(f"/accounts/{place.number}/adjustments/")
    seen(page, "adjustments-of-account")
    page.goto("/adjustments/?part=decided")
    seen(page, "adjustments-decided")


def test_a_misapplied_payment_is_chosen_and_moved(place: scenes.Office, page: Page) -> None:
    sign_in(page, "robin", f"/accounts/{place.number}/adjust/?reason=wrong_account")
    page.get_by_label("Which payment was posted wrongly?").select_option(index=1)
    page.get_by_label("Amount").fill("30")
    page.get_by_label("Account to move it to").fill("999")
    page.get_by_label("Why, in your words").fill("Stub of the neighbor")
    page.get_by_role("button", name="Ask for it").press("Enter")
    expect(page.locator(".field--error")).to_contain_text("There is no account 999")
    seen(page, "adjust-misapplied")
    page.get_by_label("Account to move it to").fill("1004220825")
    page.get_by_role("button", name="Ask for it").press("Enter")
    expect(page.locator("main")).to_contain_text("1004220825")
    page.get_by_role("button", name="Withdraw").press("Enter")
    expect(page.locator("main")).to_contain_text("Withdrawn")


def test_charges_to_move_are_chosen_one_by_one(place: scenes.Office, page: Page) -> None:
    sign_in(page, "robin", f"/accounts/{place.number}/adjust/?reason=holders_charges")
    page.get_by_label("Account to move it to").fill("1004220825")
    page.get_by_label("Why, in your words").fill("Same holder")
    page.get_by_role("button", name="Ask for it").press("Enter")
    expect(page.locator(".field--error")).to_contain_text("Choose the charges")
    page.get_by_role("checkbox").first.check()
    seen(page, "adjust-charges")
    page.get_by_role("button", name="Ask for it").press("Enter")
    expect(page.locator("main")).to_contain_text("Charges it is for")


def test_a_file_is_looked_at_before_it_is_asked_for(
    place: scenes.Office, page: Page, tmp_path: Path
) -> None:
    bad, good = tmp_path / "bad.csv", tmp_path / "storm.csv"
    bad.write_text(f"account,amount,note\n{place.number},10.00,\n777,1.00,\n1004220825,x,\n")
    good.write_text(f"account,amount\n{place.number},10.00\n1004220825,30.00\n")
    sign_in(page, "robin", "/adjustments/")
    expect(page.locator("main")).to_contain_text("Nothing waits for approval")
    page.get_by_role("link", name="Adjust many accounts").press("Enter")
    expect(page.get_by_label("File")).to_be_visible()
    seen(page, "adjust-many")
    for path in (bad, good):
        page.goto("/adjustments/files/")
        page.get_by_label("Reason").select_option("sorry")
        page.get_by_label("Why, in your words").fill("The storm of February")
        page.get_by_label("File").set_input_files(path)
        page.get_by_role("button", name="Look at the file").press("Enter")
        if path == bad:
            expect(page.locator("main")).to_contain_text("There is no account 777")
            expect(page.get_by_role("button", name="Ask for all of it")).to_have_count(0)
            seen(page, "adjust-file-bad")
            page.get_by_role("button", name="Drop the file").press("Enter")
            expect(page.locator("main")).to_contain_text("The file was dropped")
    expect(page.get_by_role("button", name="Ask for all of it")).to_be_visible()
    seen(page, "adjust-file")
    page.get_by_role("button", name="Ask for all of it").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Goodwill credit")
    address = page.url
    sign_out(page)
    sign_in(page, "sam", address.split("/", 3)[3].join(("/", "")))
    seen(page, "adjust-batch")
    page.get_by_role("button", name="Approve and post").press("Enter")
    expect(page.locator("main")).to_contain_text("2 adjustments")
    page.get_by_role("link", name="ADJ-").first.press("Enter")
    expect(page.locator("main")).to_contain_text("What moved")


def test_a_cashier_sees_an_adjustment_but_may_not_ask(place: scenes.Office, page: Page) -> None:
    office.make_user("casey", Role.CASHIER)
    sign_in(page, "casey", f"/accounts/{place.number}/adjustments/")
    expect(page.get_by_role("link", name="Ask for an adjustment")).to_have_count(0)
    assert page.goto(f"/accounts/{place.number}/adjust/").status == 403


def test_penalties_are_shown_held_and_go_with_their_bill(place: scenes.Office, page: Page) -> None:
    load_late_policies(program_actor(), [policy(charge_kinds=("water", "sewer"), exempt=())])
    raise_penalties(program_actor(), DAY, place.day.pk, NOW, DAY - timedelta(days=60))
    sign_in(page, "sam", f"/accounts/{place.number}/adjustments/")
    expect(page.get_by_role("region", name="Late penalties", exact=True)).to_contain_text(
        "88-203410"
    )
    seen(page, "penalties-of-account")
    page.get_by_label("Why are penalties held?").fill("Disputes the read of February")
    page.get_by_label("From", exact=True).fill("2026-03-02")
    page.get_by_role("button", name="Hold penalties").press("Enter")
    expect(page.locator("main")).to_contain_text("Goes on")
    seen(page, "penalties-held")
    page.get_by_label("Bill sent again on").fill("2026-03-10")
    page.get_by_role("button", name="End the hold").press("Enter")
    expect(page.locator("body")).to_contain_text("Penalties count again from March 21, 2026 on")
    take_back("88-203410", place.day.pk)
    page.goto(f"/accounts/{place.number}/adjustments/")
    expect(page.get_by_role("region", name="Late penalties", exact=True)).to_contain_text(
        "Reversed"
    )


def test_a_refund_is_paid_out_and_a_mistake_is_reversed(place: scenes.Office, page: Page) -> None:
    new = NewPayment("1004220825", 4000, "lockbox", "LB-7")
    post_payment(program_actor(), place.center.pk, new, NOW, "LB-7")
    clerk = actor_of(User.objects.get(username="robin"), timezone.localdate())
    supervisor = actor_of(User.objects.get(username="sam"), timezone.localdate())
    numbers = []
    for code, account, cents in (("asked_back", "1004220825", 1500), ("sorry", place.number, 1000)):
        wanted = Wanted(account, code, cents, "As the customer asked")
        numbers.append(ask_adjustment(clerk, wanted, timezone.localdate(), NOW, code))
        approve_adjustment(supervisor, numbers[-1], place.day.pk, NOW)
    sign_in(page, "sam", "/adjustments/?part=refunds")
    seen(page, "refunds-to-pay")
    page.get_by_role("link", name=numbers[0]).press("Enter")
    seen(page, "refund")
    page.get_by_label("Number of the check or transfer").fill("Check 20117")
    page.get_by_role("button", name="It was paid out").press("Enter")
    expect(page.locator("main")).to_contain_text("Check 20117")
    expect(page.get_by_role("button", name="Reverse it")).to_have_count(0)
    page.goto(f"/adjustments/{numbers[1]}/")
    page.get_by_role("button", name="Reverse it").press("Enter")
    expect(page.locator(".field--error")).to_contain_text("Say why")
    page.get_by_label("Why is it reversed?").fill("Wrong customer")
    page.get_by_role("button", name="Reverse it").press("Enter")
    expect(page.locator(".page-head")).to_contain_text("Reversed")
    seen(page, "adjustment-reversed")


def test_unclaimed_credits_become_one_batch(place: scenes.Office, page: Page) -> None:
    sign_in(page, "robin", "/adjustments/unclaimed/")
    expect(page.locator("main")).to_contain_text("No credit is past the city's term")
    AdjustmentReason.objects.filter(code="unclaimed").update(untouched_months=1)
    new = NewPayment("1004220825", 4000, "lockbox", "LB-7")
    post_payment(program_actor(), place.center.pk, new, NOW, "LB-7")
    page.reload()
    seen(page, "unclaimed-credits")
    page.get_by_role("button", name="Ask to hand all of them over").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Unclaimed credit handed over")


def test_who_asks_or_approves_is_told_what_was_paid_in_the_meantime(
    place: scenes.Office, page: Page
) -> None:
    def pay(key: str) -> None:
        payment = NewPayment(place.number, 500, "lockbox", f"LB-{key}")
        post_payment(program_actor(), place.center.pk, payment, NOW, key)

    sign_in(page, "robin", f"/accounts/{place.number}/adjust/")
    page.get_by_role("link", name="Leak").press("Enter")
    pay("first")
    page.get_by_label("Amount").fill("60.00")
    page.get_by_label("Why, in your words").fill("Toilet ran for a month")
    page.keyboard.press("Control+Enter")
    told = page.locator(".usa-alert--error").first
    expect(told).to_contain_text("payment LB-first over $5.00 by Chamberlain")
    seen(page, "adjust-changed")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Leak credit")
    address = page.url
    sign_out(page)
    sign_in(page, "sam", "/adjustments/")
    page.goto(address)
    pay("second")
    page.get_by_role("button", name="Approve and post").press("Enter")
    expect(told).to_contain_text("payment LB-second over $5.00 by Chamberlain")
    page.get_by_role("button", name="Approve and post").press("Enter")
    expect(page.locator("main")).to_contain_text("was posted")
