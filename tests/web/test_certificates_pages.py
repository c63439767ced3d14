"""Full payment certificates walked through by keyboard, and verified by the public."""

from datetime import date, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from chamberlain.billing.certificates import operations
from chamberlain.billing.certificates.models import Application, Certificate
from chamberlain.identity.models import Role
from tests import office
from tests.billing.certificates_office import Desk, make_desk, without_meter
from tests.web.conftest import Live, assert_accessible, assert_fits, keep_picture, sign_in

pytestmark = pytest.mark.browser


@pytest.fixture
def desk(live: Live) -> Desk:
    made = make_desk()
    office.make_user("alex", Role.AUDITOR)
    return made


def soon() -> date:
    return timezone.localdate() + timedelta(days=20)


def press_until(page: Page, name: str, role: str = "button") -> None:
    """Tabs to a control and presses it, as a person without a mouse does."""
    wanted = page.get_by_role(role, name=name, exact=True)  # type: ignore[arg-type]
    for _ in range(80):
        page.keyboard.press("Tab")
        if wanted.evaluate("control => control === document.activeElement"):
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"{name} cannot be reached by keyboard")


def type_into(page: Page, label: str, text: str) -> None:
    """Goes to a field and types; a date is typed in the order of its parts."""
    field = page.get_by_label(label, exact=True)
    field.focus()
    if field.get_attribute("type") == "date":
        year, month, day = text.split("-")
        text = f"{month}{day}{year}"
    page.keyboard.type(text)


def apply_at_the_desk(page: Page) -> None:
    page.keyboard.press("Alt+n")
    expect(page.get_by_role("heading", level=1)).to_have_text("New application")
    press_until(page, "Take the application")
    summary = page.locator(".error-summary")
    for said in (
        "Give the account number",
        "Give the date of the closing",
        "Give the buyer's name",
    ):
        expect(summary).to_contain_text(said)
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "certificate-missing")
    type_into(page, "Account number", "1004220817")
    type_into(page, "Date of the closing", soon().isoformat())
    type_into(page, "Seller's name", "Maria Kowalski")
    type_into(page, "Buyer's name", "Jan Novak")
    page.get_by_label("Buyer", exact=True).focus()
    page.keyboard.press("Space")
    type_into(page, "Applicant's name", "Jan Novak")
    type_into(page, "Telephone", "312 555 0177")
    press_until(page, "Take the application")
    expect(page.locator("#flash")).to_contain_text("was received")


def test_a_certificate_from_the_application_to_the_document_by_keyboard(
    desk: Desk, page: Page
) -> None:
    sign_in(page, "robin", "/certificates/")
    expect(page.locator("main")).to_contain_text("No application is under way.")
    assert_accessible(page)
    apply_at_the_desk(page)
    press_until(page, "Accept and charge the fee")
    expect(page.locator("main")).to_contain_text("only with a government identity document")
    assert_accessible(page)
    page.get_by_label("I have seen a government identity document").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#flash")).to_contain_text("The fee can be paid at any counter")
    keep_picture(page, "certificate-accepted")
    assert_accessible(page)
    assert_fits(page)
    type_into(page, "Day of the read", timezone.localdate().isoformat())
    type_into(page, "The meter shows", "12")
    press_until(page, "Enter the read")
    expect(page.locator("main")).to_contain_text("so 12 is too low")
    page.get_by_label("The meter shows", exact=True).fill("")
    type_into(page, "The meter shows", "48079")
    press_until(page, "Enter the read")
    expect(page.locator("#flash")).to_contain_text("The final read was taken.")
    expect(page.locator("main")).to_contain_text("estimated")
    keep_picture(page, "certificate-payoff")
    assert_accessible(page)
    assert_fits(page)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#flash")).to_contain_text("payable at any counter")
    expect(page.locator("main")).to_contain_text("can be issued when this is paid")
    desk.pay_all()
    page.reload()
    expect(page.locator("main")).to_contain_text("The supervisor of customer accounts issues")
    page.context.clear_cookies()
    number = Application.objects.get().number
    sign_in(page, "sam", f"/certificates/applications/{number}/")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#flash")).to_contain_text("was issued")
    expect(page.locator(".page-head")).to_contain_text("Issued")
    keep_picture(page, "certificate-issued")
    assert_accessible(page)
    assert_fits(page)
    made = Certificate.objects.get()
    answer = page.request.get(f"/certificates/{made.number}/document.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.body().startswith(b"%PDF-")


def test_the_board_puts_those_that_miss_their_closing_on_top(desk: Desk, page: Page) -> None:
    number = desk.apply()
    Application.objects.update(closing_on=timezone.localdate() + timedelta(days=1))
    sign_in(page, "robin", "/certificates/")
    row = page.get_by_role("row").filter(has_text=number)
    expect(row).to_contain_text("Misses it")
    expect(page.locator(".page-head")).to_contain_text("1 will miss the closing")
    keep_picture(page, "certificates-board")
    assert_accessible(page)
    assert_fits(page)
    press_until(page, number, "link")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Application {number}")
    type_into(page, "New closing date", soon().isoformat())
    press_until(page, "Move the closing")
    expect(page.locator("#flash")).to_contain_text("The closing date was moved.")
    press_until(page, "Withdraw")
    expect(page.locator("main")).to_contain_text("Say why the application is withdrawn.")
    assert_accessible(page)
    type_into(page, "Reason", "The sale fell through")
    press_until(page, "Withdraw")
    expect(page.locator(".page-head")).to_contain_text("Withdrawn")
    assert_accessible(page)


def test_an_account_without_a_meter_is_reviewed(desk: Desk, page: Page) -> None:
    without_meter(desk)
    number = desk.accept(exemption="b")
    Application.objects.update(closing_on=soon())
    sign_in(page, "robin", f"/certificates/applications/{number}/")
    type_into(page, "What the review found", "Two hoses, as billed")
    press_until(page, "Note the review")
    expect(page.locator("main")).to_contain_text("Two hoses, as billed")
    expect(page.locator("main")).to_contain_text("None: Government body")
    assert_accessible(page)


def test_the_accounts_history_tells_applications_and_certificates(desk: Desk, page: Page) -> None:
    number, made = desk.issued()
    sign_in(page, "robin", "/accounts/1004220817/history/?kind=certificate")
    main = page.locator("main")
    expect(main).to_contain_text(f"Application {number} for a full payment certificate")
    expect(main).to_contain_text(f"Full payment certificate {made}")
    assert_accessible(page)


def test_who_may_only_look_is_offered_nothing_to_do(desk: Desk, page: Page) -> None:
    number, made = desk.issued()
    sign_in(page, "alex", f"/certificates/applications/{number}/")
    main = page.locator("main")
    expect(main.get_by_role("button")).to_have_count(0)
    expect(main).not_to_contain_text("312")
    assert_accessible(page)
    refused = page.request.get(f"/certificates/{made}/document.pdf")
    assert refused.status == 403


def test_a_lost_certificate_is_issued_again(desk: Desk, page: Page) -> None:
    number = desk.payable()
    desk.pay_all()
    Application.objects.update(closing_on=soon())
    operations.issue_certificate(desk.supervisor, number, timezone.localdate(), timezone.now())
    sign_in(page, "sam", f"/certificates/applications/{number}/")
    press_until(page, "Issue again")
    expect(page.locator("main")).to_contain_text("Say why it is issued again.")
    assert_accessible(page)
    type_into(page, "Reason", "Lost in the mail")
    press_until(page, "Issue again")
    expect(page.locator("#flash")).to_contain_text("in the place of the one before")
    expect(page.locator("main")).to_contain_text("Replaced")
    keep_picture(page, "certificate-reissued")
    assert_accessible(page)
    assert_fits(page)


def test_the_deed_transfers_the_property_to_the_buyer(desk: Desk, page: Page) -> None:
    number = desk.payable()
    desk.pay_all()
    today = timezone.localdate()
    Application.objects.update(closing_on=today)
    operations.issue_certificate(desk.supervisor, number, today, timezone.now())
    sign_in(page, "robin", f"/certificates/applications/{number}/")
    press_until(page, "Transfer to the buyer")
    expect(page.locator("main")).to_contain_text("Give the recorder's number of the deed.")
    keep_picture(page, "certificate-deed")
    assert_accessible(page)
    assert_fits(page)
    type_into(page, "Recorder's number of the deed", "2608012345")
    press_until(page, "Transfer to the buyer")
    expect(page.locator("#flash")).to_contain_text("The buyer owns the property")
    expect(page.locator("main")).to_contain_text("2608012345")
    assert_accessible(page)


def test_anybody_verifies_a_certificate_and_learns_nothing_else(desk: Desk, page: Page) -> None:
    _, number = desk.issued()
    code = Certificate.objects.get().code
    page.goto("/certificates/verify/")
    assert_accessible(page)
    assert_fits(page)
    type_into(page, "Certificate number", number)
    type_into(page, "Code", "WRONG")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("No certificate has this number and code")
    keep_picture(page, "certificate-verify")
    assert_accessible(page)
    page.get_by_label("Code", exact=True).fill("")
    type_into(page, "Code", code.lower())
    page.keyboard.press("Enter")
    main = page.locator("main")
    expect(main).to_contain_text("This certificate is no longer valid")
    for secret in ("Kowalski", "Novak", "Cortland", "1004220817"):
        expect(main).not_to_contain_text(secret)
    assert "?" not in page.url
    assert number not in page.url


def test_too_many_tries_have_to_wait(desk: Desk, page: Page) -> None:
    page.goto("/certificates/verify/")
    for _ in range(11):
        page.get_by_label("Certificate number").fill("FPC-000000001")
        page.get_by_label("Code").fill("GUESS")
        with page.expect_navigation() as moved:
            page.get_by_role("button", name="Verify").press("Enter")
        if moved.value.status == 429:
            break
    expect(page.get_by_role("heading", level=1)).to_have_text("Too many attempts")
    assert_accessible(page)


def test_the_public_applies_without_a_sign_in(desk: Desk, page: Page) -> None:
    page.goto("/certificates/apply/")
    assert_accessible(page)
    assert_fits(page)
    type_into(page, "Account number", "1004220817")
    type_into(page, "Parcel number (PIN)", "14-31-329-021-9999")
    type_into(page, "Date of the closing", soon().isoformat())
    type_into(page, "Seller's name", "Maria Kowalski")
    type_into(page, "Buyer's name", "Jan Novak")
    page.get_by_label("Seller", exact=True).focus()
    page.keyboard.press("Space")
    type_into(page, "Applicant's name", "Maria Kowalski")
    type_into(page, "Telephone", "312 555 0177")
    press_until(page, "Send the application")
    expect(page.locator("main")).to_contain_text("do not belong together")
    keep_picture(page, "certificate-apply")
    assert_accessible(page)
    page.get_by_label("Parcel number (PIN)", exact=True).fill("14-31-329-021-0000")
    press_until(page, "Send the application")
    expect(page.get_by_role("heading", level=1)).to_have_text("Application received")
    number = Application.objects.get().number
    expect(page.locator("main")).to_contain_text(number)
    assert number not in page.url
    keep_picture(page, "certificate-received")
    assert_accessible(page)
    assert_fits(page)
