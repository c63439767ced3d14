"""Reading routes in a real browser: a file of routes, a sheet, typing, estimates and true-ups."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from chamberlain.billing.estimating.terms import load_estimate_terms
from chamberlain.billing.models import Bill, Hold
from chamberlain.billing.rebilling.models import Rebill
from chamberlain.billing.running import run
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.calendar import BusinessCalendar
from chamberlain.metering.models import Read
from chamberlain.metering.routes.cycles import CycleTerms, load_cycles
from chamberlain.metering.routes.models import Route
from chamberlain.metering.routes.operations import keep_route_file, read_in_routes
from tests.billing.estimating_scenes import TERMS, meter_of, metered_town, read_on
from tests.billing.test_estimating_true_up import estimated_town
from tests.billing.town import Town, plan
from tests.office import NOW, make_user
from tests.web.conftest import Live, assert_accessible, assert_fits, keep_picture, sign_in

pytestmark = pytest.mark.browser
HEAD = "route,name,cycle,work_day,sequence,service_point,note\n"


def reading_town(houses: int = 3) -> Town:
    """Houses that were read in the months before this one's first work day, on one route."""
    town = metered_town(houses)
    make_user("robin", Role.CLERK)
    load_cycles(
        program_actor(),
        [CycleTerms("monthly", "Every month", 1, 1, 20, 5, "chosen for the test", False)],
        "US", "IL", [],
    )  # fmt: skip
    return town


def route_lines(houses: int) -> str:
    return HEAD + "".join(
        f"N-1,North side,monthly,1,{10 * (i + 1)},SP{i},{'behind the garage' if i == 0 else ''}\n"
        for i in range(houses)
    )


def read_in(houses: int) -> None:
    file_id = keep_route_file(program_actor(), route_lines(houses).encode(), "north.csv", NOW)
    read_in_routes(program_actor(), file_id, NOW)


def first_work_day() -> date:
    return BusinessCalendar("US", "IL").on_or_after(timezone.localdate().replace(day=1))


def with_last_year(town: Town, houses: int = 3) -> None:
    """So many were read a year ago, eleven months ago and a month ago; the others never."""
    due = first_work_day()
    for agreement in town.agreements[:houses]:
        read_on(agreement, due - timedelta(days=396), 50)
        read_on(agreement, due - timedelta(days=365), 61)
        read_on(agreement, due - timedelta(days=31), 180)


def test_a_file_of_routes_is_looked_at_before_it_is_read_in(
    live: Live, page: Page, tmp_path: Path
) -> None:
    reading_town()
    file = tmp_path / "north.csv"
    file.write_text(route_lines(3) + "N-1,North side,monthly,1,40,NOWHERE,\n")
    sign_in(page, "robin", "/routes/")
    expect(page.locator("main")).to_contain_text("No route is on file yet.")
    assert_accessible(page)
    page.get_by_role("link", name="Read in routes").press("Enter")
    page.get_by_label("File").set_input_files(file)
    page.keyboard.press("Control+Enter")
    expect(page.locator("main")).to_contain_text("There is no service point “NOWHERE”")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "route-file-wrong")
    page.get_by_role("button", name="Drop the file").press("Enter")
    file.write_text(route_lines(3))
    page.goto("/routes/read-in/")
    page.get_by_label("File").set_input_files(file)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("button", name="Read it in")).to_be_visible()
    assert not Route.objects.exists()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("link", name="N-1")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "routes")


def test_reads_are_typed_by_keyboard_with_the_refusal_beside_the_field(
    live: Live, page: Page
) -> None:
    town = reading_town()
    with_last_year(town)
    read_in(3)
    sign_in(page, "robin", "/routes/r/N-1/")
    expect(page.locator("main")).to_contain_text("behind the garage")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "route")
    page.get_by_role("link", name="Type reads").press("Enter")
    page.get_by_label("Register at stop 10").fill("190")
    page.keyboard.press("Tab")
    page.keyboard.type("100")
    assert_accessible(page)
    page.keyboard.press("Control+Enter")
    error = page.locator(".field--error")
    expect(error).to_contain_text("100 is too low")
    expect(page.get_by_label("Register at stop 10")).to_have_count(0)
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "route-typing-refused")
    page.get_by_label("Register at stop 20").fill("195")
    page.get_by_label("Register at stop 30").fill("200")
    page.keyboard.press("Control+Enter")
    expect(page.locator("main")).to_contain_text("Nothing is left to type")
    assert Read.objects.filter(to_on__gt=first_work_day() - timedelta(days=31)).count() == 3
    page.goto("/routes/r/N-1/sheet/")
    assert_accessible(page)
    keep_picture(page, "route-sheet")
    with page.expect_download() as download:
        page.goto("/routes/r/N-1/")
        page.get_by_role("link", name="For a handheld").press("Enter")
    text = Path(download.value.path()).read_text("utf-8-sig").splitlines()
    assert text[0].startswith("sequence,service_point,address,note,meter")
    assert len(text) == 4


def test_the_unread_of_a_route_are_estimated_after_a_look(live: Live, page: Page) -> None:
    town = reading_town()
    with_last_year(town, 2)
    load_estimate_terms(program_actor(), [TERMS])
    read_in(3)
    sign_in(page, "robin", "/routes/r/N-1/")
    page.get_by_role("link", name="Estimate the unread").press("Enter")
    main = page.locator("main")
    expect(main).to_contain_text("Estimated from the same days of last year")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "estimates")
    assert not Read.objects.filter(quality="estimate").exists()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Route N-1")
    assert Read.objects.filter(quality="estimate").count() >= 2
    expect(main).to_contain_text("Estimated")


def test_a_runs_unread_are_estimated_from_its_page(live: Live, page: Page) -> None:
    town = metered_town(1)
    make_user("robin", Role.CLERK)
    [agreement] = town.agreements
    read_on(agreement, date(2025, 1, 1), 100)
    read_on(agreement, date(2025, 3, 1), 110)
    read_on(agreement, date(2026, 1, 1), 200)
    run_id = plan(town, reads_after=date(2026, 1, 10))
    run(run_id)
    sign_in(page, "robin", f"/bill-runs/{run_id}/")
    page.get_by_role("link", name="Unread").press("Enter")
    expect(page.locator("main")).to_contain_text("10 thousand gallons in 59 days")
    assert_accessible(page)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("March")
    assert Hold.objects.get(code="no_read").resolved_at is not None
    run(plan(town, "run-2"))
    bill = Bill.objects.get(read__quality="estimate")
    page.goto(f"/bills/{bill.number}/")
    expect(page.locator("main")).to_contain_text("Estimated from the same days of last year")
    assert_accessible(page)
    keep_picture(page, "bill-estimated")
    page.goto(f"/bills/{bill.number}/why/")
    expect(page.locator("main")).to_contain_text("Estimated from the same days of last year")
    assert meter_of(agreement).serial == "M00000"


def test_true_ups_are_looked_at_old_against_new_and_posted(live: Live, page: Page) -> None:
    estimated_town(3, bills_last=True)
    make_user("robin", Role.CLERK)
    sign_in(page, "robin", "/routes/true-ups/")
    expect(page.get_by_role("checkbox")).to_have_count(3)
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "true-ups-due")
    page.get_by_role("checkbox").first.press("Space")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Old against new")
    expect(page.locator("main")).to_contain_text("9.946")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "true-ups-look")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("checkbox")).to_have_count(2)
    assert Rebill.objects.count() == 1
    page.get_by_role("button", name="Look at all 2").press("Enter")
    expect(page.get_by_role("button", name="Post the true-ups")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.locator("main")).to_contain_text("No estimate waits to be trued up.")
    assert Rebill.objects.filter(status="posted").count() == 3
