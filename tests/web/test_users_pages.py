"""The pages on which an administrator looks after the people of the office."""

import re

import pytest
from playwright.sync_api import Page, expect

from chamberlain.identity import operations, tokens
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import ApiToken, Role, User
from tests import office
from tests.web.conftest import Live, assert_accessible, assert_fits, keep_picture, sign_in

pytestmark = pytest.mark.browser


def test_a_new_cashier_gets_a_role_and_a_password(live: Live, page: Page) -> None:
    office.make_center()
    office.make_user("ada", Role.ADMINISTRATOR)
    sign_in(page, "ada", then="/users/")
    keep_picture(page, "users")
    assert_accessible(page)
    assert_fits(page)

    page.get_by_role("link", name=re.compile("New user")).click()
    assert_accessible(page)
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Name", exact=True).fill("Dana Ortiz")
    page.get_by_role("button", name="Make the user").click()
    expect(page.get_by_text("is taken; choose another").first).to_be_visible()
    page.get_by_label("Username").fill("dana")
    page.get_by_role("button", name="Make the user").click()

    page.get_by_label("Where").select_option("Center CH")
    page.get_by_role("button", name="Give the role").click()
    expect(page.get_by_role("rowheader", name="Cashier at Center CH")).to_be_visible()
    page.get_by_label("First password").fill("12345")
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_text("too short").first).to_be_visible()
    page.get_by_label("First password").fill("given by the office 1")
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_text("Must change the password").first).to_be_visible()
    keep_picture(page, "user")
    assert_accessible(page)
    assert_fits(page)

    page.get_by_role("button", name="End the access").click()
    expect(page.get_by_text("Inactive", exact=True)).to_be_visible()
    assert not User.objects.get(username="dana").is_active


def test_a_token_s_secret_is_shown_this_once(live: Live, page: Page) -> None:
    office.make_user("ada", Role.ADMINISTRATOR)
    program = operations.create_user(program_actor(), "lockbox", "Lockbox", is_program=True)
    sign_in(page, "ada", then=f"/users/{program}/")
    page.get_by_label("Used for").fill("Nightly file")
    page.get_by_label("payment.post").check()
    page.get_by_role("button", name="Issue the token").click()
    expect(page.get_by_label("Used for")).to_have_value("Nightly file")
    page.evaluate(
        "document.querySelector('[name=last_day]').value ="
        " new Date(Date.now() + 9e8).toISOString().slice(0, 10)"
    )
    page.get_by_role("button", name="Issue the token").click()
    secret = page.locator(".reference", has_text=tokens.PREFIX).inner_text()
    assert bytes(ApiToken.objects.get().digest) == tokens.digest_of(secret)
    keep_picture(page, "program")
    assert_accessible(page)
    assert_fits(page)

    page.goto(f"/users/{program}/")
    expect(page.get_by_text(secret)).to_have_count(0)
    page.get_by_role("button", name=re.compile("Revoke")).click()
    expect(page.get_by_text("revoked", exact=True)).to_be_visible()


def test_only_an_administrator_sees_the_users(live: Live, page: Page) -> None:
    office.make_user("robin", Role.CLERK)
    sign_in(page, "robin", then="/users/")
    expect(page.get_by_text("it needs the role of administrator")).to_be_visible()


def test_the_last_administrator_stays(live: Live, page: Page) -> None:
    ada = office.make_user("ada", Role.ADMINISTRATOR)
    sign_in(page, "ada", then=f"/users/{ada.pk}/")
    page.get_by_role("button", name=re.compile("End today")).click()
    expect(page.get_by_text("Nobody would be left")).to_be_visible()


def test_the_api_s_page_obeys_the_content_policy(live: Live, page: Page) -> None:
    page.goto("/api/v1/docs")
    expect(page.get_by_text("Post a payment").first).to_be_visible()
