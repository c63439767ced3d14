"""Letters to many in a real browser: chosen, looked at, written, printed, dropped."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from chamberlain.casework.letters.batches import run_batch
from chamberlain.casework.letters.models import Batch, Letter
from chamberlain.casework.letters.operations import load_templates
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from tests import office
from tests.casework.test_letter_batches import WORDINGS, debtors
from tests.office import NOW
from tests.web import scenes
from tests.web.conftest import Live, assert_accessible, assert_fits, keep_picture, sign_in

pytestmark = pytest.mark.browser


@pytest.fixture
def place(live: Live) -> scenes.Office:
    made = scenes.furnished_office()
    load_templates(program_actor(), WORDINGS, NOW)
    office.make_user("sam", Role.ACCOUNTS_SUPERVISOR)
    return made


def seen(page: Page, name: str) -> None:
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, name)


def test_a_letter_goes_to_many_after_it_was_looked_at(
    place: scenes.Office, page: Page, tmp_path: Path
) -> None:
    numbers = debtors(place, 3)
    sign_in(page, "sam", "/letters/batches/")
    seen(page, "letters-of-the-city")
    page.keyboard.press("Alt+n")
    page.get_by_label("Past due for more than").fill("30")
    page.get_by_label("At least").fill("100")
    seen(page, "letters-to-many")
    page.get_by_role("button", name="Look at it").press("Enter")
    expect(page.locator("main")).to_contain_text("As they would be sent".lower()[3:])
    seen(page, "letters-batch-planned")
    batch = Batch.objects.get()
    page.get_by_role("button", name="Write them").press("Enter")
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
    page.get_by_role("button", name="Look at it").press("Enter")
    expect(page.locator("main")).to_contain_text("there is no account “NOBODY”")
    seen(page, "letters-bad-file")
    file.write_text(f"account\n{place.number}\n")
    page.get_by_label("Or a file of accounts").set_input_files(file)
    page.get_by_role("button", name="Look at it").press("Enter")
    page.get_by_role("button", name="Drop the batch").press("Enter")
    expect(page.locator("body")).to_contain_text("nothing was written")
    assert not Batch.objects.exists()
