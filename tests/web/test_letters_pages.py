"""Letters in a real browser: written at an account, sent to many, printed."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from chamberlain.casework.letters.batches import run_batch
from chamberlain.casework.letters.models import Batch, Letter
from chamberlain.casework.letters.operations import load_templates
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from tests import office
from tests.casework.test_letters import debtors, template
from tests.web import scenes
from tests.web.conftest import Live, assert_accessible, assert_fits, keep_picture, sign_in

pytestmark = pytest.mark.browser


@pytest.fixture
def place(live: Live) -> scenes.Office:
    made = scenes.furnished_office()
    load_templates(
        program_actor(),
        [
            template(
                "past_due",
                "Our books show {past_due} past due for {service_address}.\n\nPlease pay it.",
                name="Past due reminder",
                subject="{past_due} is past due on account {account}",
            ),
            template("plan_next", "Plan {plan}.", name="Next instalment", takes_note=False),
        ],
    )
    office.make_user("clara", Role.CLERK)
    office.make_user("sam", Role.ACCOUNTS_SUPERVISOR)
    return made


def seen(page: Page, name: str) -> None:
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, name)


def test_a_clerk_writes_a_letter_by_keyboard_and_prints_it(
    place: scenes.Office, page: Page
) -> None:
    sign_in(page, "clara", f"/accounts/{place.number}/letters/")
    expect(page.get_by_text("No letter was written to this account yet.")).to_be_visible()
    seen(page, "letters-none")
    page.keyboard.press("Alt+l")
    page.get_by_label("Letter", exact=True).focus()
    page.keyboard.press("Tab")
    page.keyboard.type("Ask for me.")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".letter")).to_contain_text("past due for 2214 W Cortland St")
    expect(page.locator(".letter")).to_contain_text("Ask for me.")
    assert not Letter.objects.exists()
    seen(page, "letter-looked-at")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="As it was sent")).to_be_visible()
    letter = Letter.objects.get()
    seen(page, "letter")
    answer = page.request.get(f"{page.url}letter.pdf")
    assert answer.body().startswith(b"%PDF-")
    page.goto(f"/accounts/{place.number}/history/?kind=letter")
    expect(page.locator("main")).to_contain_text(f"Letter {letter.number}")


def test_what_cannot_be_written_is_said_above_the_form(place: scenes.Office, page: Page) -> None:
    sign_in(page, "clara", f"/accounts/{place.number}/letters/new/")
    page.get_by_label("Letter", exact=True).select_option("plan_next")
    page.get_by_role("button", name="Look at it").click()
    expect(page.locator("main")).to_contain_text("has nothing for “the number of the payment plan")
    assert_accessible(page)


def test_a_letter_goes_to_many_after_it_was_looked_at(
    place: scenes.Office, page: Page, tmp_path: Path
) -> None:
    numbers = debtors(place, 3)
    sign_in(page, "sam", "/letters/")
    seen(page, "letters-of-the-city")
    page.keyboard.press("Alt+n")
    page.get_by_label("Past due for more than").fill("30")
    page.get_by_label("At least").fill("100")
    seen(page, "letters-to-many")
    page.get_by_role("button", name="Look at it").click()
    expect(page.locator("main")).to_contain_text("As they would be sent".lower()[3:])
    seen(page, "letters-batch-planned")
    batch = Batch.objects.get()
    page.get_by_role("button", name="Write them").click()
    expect(page.locator("main")).to_contain_text("Being written")
    run_batch(program_actor(), batch.pk)
    page.reload()
    expect(page.locator("main")).to_contain_text("Written")
    seen(page, "letters-batch-written")
    assert set(numbers) <= set(Letter.objects.values_list("account__number", flat=True))
    printed = page.request.get(f"/letters/batches/{batch.pk}/print/0.pdf")
    assert printed.body().startswith(b"%PDF-")
    listed = page.request.get(f"/letters/batches/{batch.pk}/mailing.csv").text()
    assert all(number in listed for number in numbers)


def test_a_file_of_accounts_with_a_wrong_line_is_refused_and_a_batch_dropped(
    place: scenes.Office, page: Page, tmp_path: Path
) -> None:
    sign_in(page, "sam", "/letters/batches/new/")
    file = tmp_path / "accounts.csv"
    file.write_text(f"account\n{place.number}\nNOBODY\n")
    page.get_by_label("Or a file of accounts").set_input_files(file)
    page.get_by_role("button", name="Look at it").click()
    expect(page.locator("main")).to_contain_text("there is no account “NOBODY”")
    seen(page, "letters-bad-file")
    file.write_text(f"account\n{place.number}\n")
    page.get_by_label("Or a file of accounts").set_input_files(file)
    page.get_by_role("button", name="Look at it").click()
    page.get_by_role("button", name="Drop the batch").click()
    expect(page.locator("body")).to_contain_text("nothing was written")
    assert not Batch.objects.exists()
