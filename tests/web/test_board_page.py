"""The first page shows each role what it needs first."""

import pytest
from playwright.sync_api import Page, expect

from chamberlain.identity.models import Role
from tests import office
from tests.web import scenes
from tests.web.conftest import Live, assert_accessible, assert_fits, keep_picture, sign_in

pytestmark = pytest.mark.browser

FIRST = {
    Role.CASHIER: "You have no till open.",
    Role.CLERK: "Bi-monthly water, March 2026",
    Role.ACCOUNTS_SUPERVISOR: "Waiting on the worklist",
    Role.CENTER_SUPERVISOR: "Centers open",
    Role.COORDINATOR: "Owed to the city",
    Role.AUDITOR: "Days sealed last",
    Role.ADMINISTRATOR: "Unverified figures",
}


@pytest.mark.parametrize("role", list(Role))
def test_the_board_shows_what_the_role_needs_first(live: Live, page: Page, role: Role) -> None:
    place = scenes.furnished_office()
    scenes.hold_two(place)
    office.make_user("robin", role)
    sign_in(page, "robin")
    expect(page.locator("main")).to_contain_text(FIRST[role])
    page.wait_for_load_state("networkidle")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, f"board-{role.value}")


def test_who_holds_no_role_is_told_whom_to_ask(live: Live, page: Page) -> None:
    office.make_user("robin")
    sign_in(page, "robin")
    expect(page.locator("main")).to_contain_text("Ask an administrator for the role")
    assert_accessible(page)


def test_every_place_of_the_navigation_opens(live: Live, page: Page) -> None:
    scenes.furnished_office()
    for role in Role:
        office.make_user(role.value, role)
        sign_in(page, role.value)
        links = page.locator(".sidebar a").evaluate_all("all => all.map(a => a.href)")
        for link in links:
            answer = page.goto(link)
            assert answer is not None
            assert answer.status == 200, link
        page.context.clear_cookies()
