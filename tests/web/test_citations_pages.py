"""Citations on their pages: found, contested, decided by another; a vehicle booted and released."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from chamberlain.identity.models import Role
from chamberlain.ledger.models import BusinessDay
from chamberlain.ledger.operations import open_accounts
from chamberlain.revenue.citations.models import Boot, Citation
from chamberlain.revenue.citations.nightly import work_on_citations
from chamberlain.revenue.operations import Posting, issue_citation
from tests import office as people
from tests.revenue import citation_office
from tests.web.conftest import (
    Live,
    assert_accessible,
    assert_fits,
    keep_picture,
    sign_in,
    sign_out,
)

pytestmark = pytest.mark.browser


def set_up(*days: int) -> BusinessDay:
    """A revenue office with people and citations of so many days ago on one plate."""
    citation_office.load()
    today = timezone.localdate()
    center = people.make_center("REV")
    type(center).objects.filter(pk=center.pk).update(kind="revenue_office")
    day = people.open_day(center, today)
    people.make_user("clara", Role.CLERK)
    people.make_user("amir", Role.ACCOUNTS_SUPERVISOR)
    clara = people.make_actor("carl", Role.CLERK)
    [account_id] = open_accounts(["1004220817"], today)
    for n, ago in enumerate(days):
        issue_citation(
            clara, account_id, f"C{n:06d}", "citation.meter", "AB 12 345",
            today - timedelta(days=ago), Posting(day.pk, timezone.now()),
        )  # fmt: skip
    return day


def after_a_night(day: BusinessDay) -> None:
    amir = people.make_actor("boss", Role.ACCOUNTS_SUPERVISOR)
    work_on_citations(amir, timezone.localdate(), day.pk, timezone.now())


def test_a_citation_is_contested_by_one_and_decided_by_another(live: Live, page: Page) -> None:
    set_up(3)
    sign_in(page, "clara", "/citations/")
    keep_picture(page, "citations")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_label("Citation or plate").fill("c000000")
    page.keyboard.press("F9")
    expect(page.get_by_role("heading", name="Citation C000000")).to_be_visible()
    page.get_by_label("What the customer says").fill("The meter was broken")
    keep_picture(page, "citation-contest")
    assert_accessible(page)
    assert_fits(page)
    page.keyboard.press("F9")
    expect(page.get_by_text("It is contested; until it is decided")).to_be_visible()
    page.get_by_label("Hearing on").fill(f"{timezone.localdate():%Y-%m-%d}")
    page.keyboard.press("F9")
    expect(page.get_by_text("The hearing is set.")).to_be_visible()
    sign_out(page)
    sign_in(page, "amir", "/citations/C000000/")
    page.get_by_label("Not liable: dismissed").press("Space")
    page.get_by_label("Because").fill("The meter was out of order")
    keep_picture(page, "citation-decide")
    assert_accessible(page)
    page.keyboard.press("F9")
    expect(page.get_by_text("The decision is entered.")).to_be_visible()
    expect(page.get_by_role("rowheader", name="Dismissed")).to_be_visible()
    assert_accessible(page)
    assert Citation.objects.get().stage == "dismissed"


def test_a_vehicle_is_booted_towed_and_not_released_before_it_is_paid(
    live: Live, page: Page
) -> None:
    after_a_night(set_up(30, 40, 50))
    sign_in(page, "clara", "/citations/")
    expect(page.get_by_text("3 are enough")).to_be_visible()
    page.get_by_role("link", name="AB12345").press("Enter")
    expect(page.get_by_role("heading", name="May be booted")).to_be_visible()
    page.get_by_label("Where it stands").fill("1200 W Lake St")
    keep_picture(page, "vehicle")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("button", name="It was booted").press("Enter")
    expect(page.get_by_text("AB12345 is booted, and the fee is charged.")).to_be_visible()
    page.get_by_role("button", name="It was towed").press("Enter")
    expect(page.get_by_text("It was towed, and the fee is charged.")).to_be_visible()
    page.get_by_role("button", name="Release").press("Enter")
    expect(page.get_by_text("$550.00 is open on AB12345")).to_be_visible()
    keep_picture(page, "vehicle-pound")
    assert_accessible(page)
    assert_fits(page)
    assert Boot.objects.get().released_on is None


def test_an_unknown_plate_says_so(live: Live, page: Page) -> None:
    set_up(1)
    sign_in(page, "clara", "/citations/?q=zz+99")
    expect(page.get_by_text("No citation names this plate.")).to_be_visible()
    assert_accessible(page)
