"""The usage worklist in a real browser: look, verify, ask, close one and many, by keyboard."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from chamberlain.identity.actors import actor_named, program_actor
from chamberlain.identity.models import Role
from chamberlain.metering.importing import import_reads
from chamberlain.metering.models import Read
from chamberlain.metering.watching import operations, watches
from chamberlain.metering.watching.models import Finding, Watch
from tests import office
from tests.metering import watching_office as street
from tests.web.conftest import Live, assert_accessible, assert_fits, keep_picture, sign_in

pytestmark = pytest.mark.browser


@pytest.fixture
def entries(live: Live) -> list[Finding]:
    """Three houses with high usage, found by a watch that ended."""
    street.load_rules()
    office.make_user("robin", Role.CLERK)
    office.make_user("sam", Role.ACCOUNTS_SUPERVISOR)
    today = timezone.localdate()
    for i in range(3):
        house = street.make_house(f"10{i}")
        for n in range(14):
            start = today - timedelta(days=30 * (14 - n) + 2)
            daily = 200 + 40 * i if n == 13 else 38 + (n * 7 + i) % 9
            house.read(
                daily,
                from_on=start,
                to_on=start + timedelta(days=30),
                quality="estimate" if n == 6 else "actual",
            )
    watches.run_watch(watches.plan_watch(program_actor(), today, timezone.now(), "scene"))
    return list(Finding.objects.order_by("pk"))


def test_a_clerk_looks_at_an_entry_verifies_the_read_and_closes_it_by_keyboard(
    entries: list[Finding], page: Page
) -> None:
    sign_in(page, "robin", "/usage-worklist/")
    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page.get_by_text("Holds its bill")).to_have_count(3)
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "usage-worklist")
    page.get_by_role("link", name="High usage").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("200 gallons a day against")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "usage-entry")
    page.get_by_label("Note").fill("Garden watered")
    page.get_by_role("button", name="Verify the read").focus()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("The read is verified")
    expect(page.get_by_text("Holds its bill")).to_have_count(0)
    assert Read.objects.filter(is_verified=True).count() == 1
    page.get_by_role("button", name="Close the entry").press("Enter")
    expect(page.locator(".field--error, .error-summary").first).to_be_visible()
    assert_accessible(page)
    page.get_by_label("How it is resolved").select_option("usage_right")
    page.get_by_role("button", name="Close the entry").focus()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("The entry is closed")
    assert Finding.objects.filter(state="closed").count() == 1
    page.goto("/accounts/100/history/?kind=finding")
    expect(page.locator("main")).to_contain_text("200 gallons a day against")


def test_a_field_check_is_asked_for_and_the_second_clerk_is_told_what_changed(
    entries: list[Finding], page: Page
) -> None:
    sign_in(page, "robin", f"/usage-worklist/{entries[0].pk}/")
    sam = actor_named("sam", timezone.localdate())
    operations.note(sam, street.seen(entries[0]), "Called the owner", timezone.now(), "sam")
    day = timezone.localdate() + timedelta(days=5)
    page.get_by_label("To be done by").fill(day.isoformat())
    page.get_by_role("button", name="Ask for the field check").press("Enter")
    expect(page.locator(".error-summary")).to_contain_text("Sam was here")
    expect(page.locator(".error-summary")).to_contain_text("Called the owner")
    assert_accessible(page)
    keep_picture(page, "usage-entry-changed")
    page.get_by_role("button", name="Ask for the field check").press("Enter")
    expect(page.locator(".page-head")).to_contain_text("Read the meter again by")
    page.get_by_label("Works on it").select_option("sam")
    page.get_by_role("button", name="Give it on").press("Enter")
    expect(page.locator(".page-head")).to_contain_text("Given to Sam")
    page.goto("/usage-worklist/?state=field_check")
    expect(page.locator("tbody tr")).to_have_count(1)
    assert_accessible(page)


def test_many_entries_are_closed_at_once_and_filters_keep_what_is_asked_for(
    entries: list[Finding], page: Page
) -> None:
    sign_in(page, "robin", "/usage-worklist/")
    page.get_by_label("What", exact=True).select_option("low")
    page.get_by_role("button", name="Show", exact=True).press("Enter")
    expect(page.locator("main")).to_contain_text("No entry fits")
    assert_accessible(page)
    page.goto("/usage-worklist/?rule=high&kind=house&severity=1")
    for found in entries[:2]:
        page.locator(f"#entry-{found.pk}").check()
    page.get_by_label("How it is resolved").select_option("meter_exchanged")
    page.keyboard.press("Control+Enter")
    expect(page.locator("main")).to_contain_text("2 entries closed")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_label("How it is resolved").select_option("meter_exchanged")
    page.get_by_role("button", name="Close the chosen").press("Enter")
    expect(page.locator(".error-summary")).to_contain_text("Choose at least one entry")
    assert_accessible(page)


def test_a_supervisor_looks_at_new_reads_and_lines_of_imports_stand_beside(
    entries: list[Finding], page: Page
) -> None:
    import_reads(
        program_actor(),
        b"meter,read_on,register\nM-999,2026-01-05,12\n",
        "csv",
        "reads.csv",
        timezone.now(),
        today=timezone.localdate(),
    )
    sign_in(page, "sam", "/usage-worklist/")
    page.get_by_role("button", name="Look at new reads now").press("Enter")
    expect(page.locator("#watch-progress")).to_be_visible()
    assert_accessible(page)
    assert Watch.objects.filter(finished_at=None).count() == 1
    watches.run_watch(Watch.objects.get(finished_at=None).pk)
    expect(page.locator("#watch-progress")).to_have_count(0)
    page.get_by_role("link", name="Lines of imports").press("Enter")
    page.get_by_label("What was done about meter M-999, line 2").fill("No such meter")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "usage-import-lines")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("Every line became a read")
