"""Bills, bill runs and worklists in a real browser."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from chamberlain.billing.models import BillRun, Chunk, Hold
from chamberlain.identity.models import Role
from tests import office
from tests.billing.rebilling_scenes import load_limits
from tests.office import DAY
from tests.web import scenes
from tests.web.conftest import Live, assert_accessible, assert_fits, keep_picture, sign_in

pytestmark = pytest.mark.browser


@pytest.fixture
def place(live: Live) -> scenes.Office:
    made = scenes.furnished_office()
    office.make_user("sam", Role.ACCOUNTS_SUPERVISOR)
    office.make_user("robin", Role.CLERK)
    return made


def test_a_bill_explains_each_line_and_the_change_since_the_bill_before(
    place: scenes.Office, page: Page
) -> None:
    sign_in(page, "sam", "/bills/88-203412/")
    main = page.locator("main")
    expect(main).to_contain_text("11.76 thousand gallons at $4.69 = $55.1544")
    expect(main).to_contain_text("This bill is $12.28 more than bill 88-203411")
    expect(main).to_contain_text("Bill 88-203411")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "bill")


def test_the_document_of_a_bill_is_a_pdf(place: scenes.Office, page: Page) -> None:
    sign_in(page, "sam", "/bills/88-203412/")
    answer = page.request.get("/bills/88-203412/document.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.body().startswith(b"%PDF-")


def test_taking_a_bill_back_needs_what_happened(place: scenes.Office, page: Page) -> None:
    load_limits()
    sign_in(page, "sam", "/bills/88-203412/take-back/")
    page.evaluate("document.querySelector('form.narrow').noValidate = true")
    page.get_by_role("button", name="See what would change").click()
    expect(page.locator(".field--error")).to_be_visible()
    assert_accessible(page)


def test_a_cashier_may_not_take_a_bill_back(place: scenes.Office, page: Page) -> None:
    office.make_user("casey", Role.CASHIER, place.center)
    sign_in(page, "casey", "/bills/88-203412/")
    expect(page.get_by_role("link", name="Take back")).to_have_count(0)
    answer = page.goto("/bills/88-203412/take-back/")
    assert answer is not None
    assert answer.status == 403
    expect(page.locator("main")).to_contain_text("Casey may not do this")


def test_a_run_shows_its_classes_and_its_worklist(place: scenes.Office, page: Page) -> None:
    scenes.hold_two(place)
    sign_in(page, "sam", "/bill-runs/")
    expect(page.locator("main")).to_contain_text("Worklist (2)")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "bill-runs")
    page.get_by_role("link", name=place.run.name).click()
    expect(page.locator("main")).to_contain_text("Residential")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "bill-run")


def test_a_running_run_shows_its_progress_until_it_is_done(
    place: scenes.Office, page: Page
) -> None:
    run = place.run
    BillRun.objects.filter(pk=run.pk).update(status="running")
    Chunk.objects.filter(run=run).update(posted_at=None)
    sign_in(page, "sam", f"/bill-runs/{run.pk}/")
    expect(page.locator(".progress")).to_contain_text("0 of 1 parts")
    assert_accessible(page)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#flash")).to_contain_text("The run stops after")
    assert BillRun.objects.get(pk=run.pk).stop_requested
    BillRun.objects.filter(pk=run.pk).update(status="stopped")
    expect(page.get_by_role("button", name="Go on with the run")).to_be_visible()
    keep_picture(page, "bill-run-stopped")


def test_an_item_leaves_the_worklist_with_what_was_done(place: scenes.Office, page: Page) -> None:
    scenes.hold_two(place)
    sign_in(page, "robin", "/bill-runs/worklist/")
    page.get_by_role("button", name="Resolve account").first.click()
    expect(page.locator("main")).to_contain_text("Say what was done about it.")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "worklist")
    page.get_by_label("What was done about account").first.fill("Read estimated")
    page.get_by_role("button", name="Resolve account").first.click()
    expect(page.locator("#flash")).to_contain_text("Taken off the worklist.")
    assert Hold.objects.filter(resolved_at=None).count() == 1


def test_a_run_is_planned_from_the_form_and_handed_to_the_workers(
    place: scenes.Office, page: Page
) -> None:
    sign_in(page, "sam", "/bill-runs/plan/")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "plan-run")
    page.get_by_label("Name", exact=True).fill("Water, March")
    page.get_by_label("Reads up to").fill(DAY.isoformat())
    page.get_by_label("Due on").fill((DAY - timedelta(days=9)).isoformat())
    page.get_by_role("button", name="Start the run").click()
    expect(page.locator("main")).to_contain_text("The due date is before the day of the run")
    page.get_by_label("Due on").fill((DAY + timedelta(days=21)).isoformat())
    page.get_by_role("button", name="Start the run").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Water, March")
    expect(page.locator(".page-head")).to_contain_text("Waiting for a worker")
    assert BillRun.objects.latest("pk").status == "planned"
