"""The page where everybody starts."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests import office
from tests.identity.test_signing_in import code_now
from tests.web.conftest import (
    PASSWORD,
    Live,
    assert_accessible,
    assert_fits,
    keep_picture,
    sign_in,
)

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


def test_a_person_sets_up_a_second_factor_and_signs_in_with_it(live: Live, page: Page) -> None:
    office.make_user("robin")
    sign_in(page, "robin", then="/sign-in/2fa/")
    look_at(page, "second-factor")
    page.goto("/sign-in/2fa/totp/activate/")
    expect(page.get_by_text("An administrator gives you a new one.")).to_be_visible()
    look_at(page, "second-factor-password-again")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    secret = page.get_by_label("Key", exact=True)
    expect(secret).to_be_visible()
    look_at(page, "second-factor-activate")
    code = code_now(secret.input_value())
    page.get_by_label("Six digits").fill(code)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("recovery-codes"))
    look_at(page, "second-factor-recovery-codes")
    one = page.locator("textarea, pre").first
    codes = one.input_value() if one.evaluate("e => 'value' in e") else one.inner_text()
    page.context.clear_cookies()
    page.goto("/sign-in/login/")
    page.locator("[name=login]").fill("robin")
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("2fa/authenticate"))
    look_at(page, "second-factor-asked")
    page.locator("[name=code]").fill(codes.split()[0])
    page.keyboard.press("Enter")
    expect(page).not_to_have_url(re.compile("sign-in"))


def look_at(page: Page, name: str) -> None:
    keep_picture(page, name)
    assert_accessible(page)
    assert_fits(page)
