"""The page where everybody starts."""

import pytest
from playwright.sync_api import Page, expect

from tests import office
from tests.web.conftest import Live, assert_accessible, assert_fits, keep_picture, sign_in

pytestmark = pytest.mark.browser


def test_a_clerk_signs_in_with_a_password(live: Live, page: Page) -> None:
    office.make_user("robin")
    sign_in(page, "robin", then="/sign-in/logout/")
    expect(page).to_have_url(f"{live.url}/sign-in/logout/")


def test_the_sign_in_page_is_accessible_and_fits_a_phone(live: Live, page: Page) -> None:
    page.goto("/sign-in/login/")
    keep_picture(page, "sign-in")
    assert_accessible(page)
    assert_fits(page)
