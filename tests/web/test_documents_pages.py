"""Documents: brought in, reviewed beside the property's record, decided by a second person."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.registry import documents, findings, queries, record
from chamberlain.registry.models import Document, DocumentView, Finding, PropertyType
from tests import office
from tests.office import DAY, NOW
from tests.registry import papers
from tests.web.conftest import (
    Live,
    assert_accessible,
    assert_fits,
    keep_picture,
    sign_in,
    sign_out,
)
from tests.web.scenes import Office, furnished_office

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def place(settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "documents"


@pytest.fixture
def scene(live: Live) -> Office:
    made = furnished_office()
    papers.property_types()
    office.make_user("robin", Role.CLERK)
    office.make_user("sam", Role.ACCOUNTS_SUPERVISOR)
    return made


def house(scene: Office) -> int:
    found = queries.account_summary(scene.number).property_id
    assert found is not None
    return found


def test_a_deed_is_kept_reviewed_and_makes_an_owner(
    scene: Office, page: Page, tmp_path: Path
) -> None:
    sign_in(page, "robin", then="/documents/")
    expect(page.get_by_text("Every document was reviewed.")).to_be_visible()
    assert_accessible(page)
    page.goto(f"/properties/{house(scene)}/")
    page.get_by_role("link", name="Add a document").press("Enter")
    page.get_by_label("What is it?").select_option("Deed")
    wrong = tmp_path / "deed.pdf"
    wrong.write_bytes(papers.picture())
    page.get_by_label("File").set_input_files(wrong)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("its content is PNG picture").first).to_be_visible()
    keep_picture(page, "document-wrong")
    assert_accessible(page)
    assert_fits(page)
    right = tmp_path / "deed.png"
    right.write_bytes(papers.picture(size=(1000, 1300)))
    page.get_by_label("File").set_input_files(right)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="The document")).to_be_visible()
    expect(page.get_by_role("img", name="Deed as it came in")).to_be_visible()

    owner = page.get_by_role("region", name="It proves an owner")
    owner.get_by_label("Name").focus()
    page.keyboard.type("Ida Wells")
    owner.get_by_label("Owner from").fill("2026-02-01")
    owner.get_by_role("button", name="Record the owner").press("Enter")
    found = page.get_by_role("region", name="What was found")
    expect(found.get_by_text("Ida Wells")).to_be_visible()
    expect(found.get_by_text("Applied")).to_be_visible()
    keep_picture(page, "document")
    assert_accessible(page)
    assert_fits(page)
    [now] = queries.owners(house(scene))
    assert (now.name, now.percent) == ("Ida Wells", "100")

    owner.get_by_label("Name").fill("Bo Diaz")
    owner.get_by_label("Owner from").fill("2026-02-10")
    owner.get_by_label("The owners until then").select_option("Own it together with this one")
    owner.get_by_role("button", name="Record the owner").press("Enter")
    expect(page.get_by_text("would add up to 200 percent").first).to_be_visible()
    assert_accessible(page)

    page.get_by_role("button", name="Finish the review").press("Enter")
    expect(page.get_by_text("The review is done.")).to_be_visible()
    assert DocumentView.objects.count() > 0


def test_a_change_of_type_waits_for_a_second_person(scene: Office, page: Page) -> None:
    clerk = program_actor()
    made = documents.keep_document(clerk, house(scene), "tax_bill", "bill.pdf", papers.pdf(2), NOW)
    PropertyType.objects.filter(pk="apartments").update(least_units=4)
    sign_in(page, "robin", then=f"/documents/{made}/")
    use = page.get_by_role("region", name="It proves a type or dwelling units")
    use.get_by_label("Type").select_option("Apartment building")
    use.get_by_label("Dwelling units").fill("2")
    use.get_by_label("From").fill("2026-01-01")
    use.get_by_role("button", name="Ask for the change").press("Enter")
    expect(page.get_by_text("has 4 or more dwelling units, not 2").first).to_be_visible()
    use.get_by_label("Dwelling units").fill("6")
    use.get_by_role("button", name="Ask for the change").press("Enter")
    expect(page.get_by_text("Waits for a second person", exact=True).last).to_be_visible()
    expect(page.get_by_role("button", name="Apply the change")).to_have_count(0)
    assert record.property_record(house(scene)).type_name != "Apartment building"

    page.goto("/documents/")
    page.context.clear_cookies()
    sign_in(page, "sam", then="/documents/decisions/")
    keep_picture(page, "decisions")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("link", name="2214 W Cortland St").press("Enter")
    page.get_by_role("button", name="It is not right").press("Enter")
    expect(page.get_by_text("Say why the change is not applied.").first).to_be_visible()
    page.get_by_role("button", name="Apply the change").press("Enter")
    expect(page.get_by_text("The property is changed from that day on")).to_be_visible()
    expect(page.get_by_text("is billed otherwise")).to_be_visible()
    keep_picture(page, "document-decided")
    assert_accessible(page)
    assert_fits(page)
    assert record.property_record(house(scene)).dwelling_units == 6
    page.goto(f"/properties/{house(scene)}/")
    expect(page.get_by_role("link", name="Robin, Sam")).to_be_visible()
    keep_picture(page, "property")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("link", name="Rebill it from that day").press("Enter")
    expect(page).to_have_url(re.compile(r"1004220817/rebills/new/\?from_on=2026-01-01"))


def test_a_change_may_be_refused_with_its_reason(scene: Office, page: Page) -> None:
    clerk = program_actor()
    made = documents.keep_document(clerk, house(scene), "lease", "lease.pdf", papers.pdf(), NOW)
    findings.find_use(clerk, made, "vacant", 0, DAY, NOW, DAY)
    sign_in(page, "sam", then=f"/documents/{made}/")
    page.get_by_role("region", name="What was found").get_by_label("Note").fill("Another parcel")
    page.get_by_role("button", name="It is not right").press("Enter")
    expect(page.get_by_text("Not applied", exact=True)).to_be_visible()
    assert Finding.objects.get().note == "Another parcel"


def test_the_file_is_handed_out_only_to_those_allowed_and_never_kept_by_a_browser(
    scene: Office, page: Page
) -> None:
    clerk = program_actor()
    made = documents.keep_document(
        clerk, house(scene), "identification", "id.png", papers.picture(), NOW
    )
    office.make_user("audrey", Role.AUDITOR)
    sign_in(page, "robin", then=f"/documents/{made}/")
    answer = page.request.get(f"/documents/{made}/content")
    assert answer.body() == papers.picture()
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
    assert page.request.get(f"/documents/{Document.objects.get().digest}").status == 404
    page.context.clear_cookies()
    outside = page.request.get(f"/documents/{made}/content")
    assert "/sign-in/" in outside.url
    sign_in(page, "audrey", then=f"/documents/{made}/content")
    expect(page.get_by_text("it needs the role of")).to_be_visible()
    page.goto("/documents/")
    expect(page.get_by_role("link", name=re.compile("Identification"))).to_be_visible()
    assert {view.user.username for view in DocumentView.objects.all()} == {"robin"}


def test_a_change_without_a_document_is_asked_for_and_decided_by_another(
    scene: Office, page: Page
) -> None:
    sign_in(page, "robin", then=f"/properties/{house(scene)}/")
    page.get_by_role("link", name="Change", exact=True).press("Enter")
    form = page.get_by_role("region", name="Ask for a change")
    form.get_by_label("Type").select_option("Apartment building")
    form.get_by_label("Dwelling units").fill("3")
    form.get_by_label("From").fill("2026-02-01")
    form.get_by_label("How is it known?").fill("Counted the bells on a visit")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("has 4 or more dwelling units").first).to_be_visible()
    assert_accessible(page)
    form.get_by_label("Dwelling units").fill("6")
    page.keyboard.press("Control+Enter")
    expect(page.locator("main")).to_contain_text("so another person decides")
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, "property-change-waits")
    sign_out(page)
    sign_in(page, "sam", then="/documents/decisions/")
    page.locator("main").get_by_role("link", name="2214 W Cortland St").press("Enter")
    expect(page.locator("main")).to_contain_text("Counted the bells on a visit")
    keep_picture(page, "property-change-decide")
    page.get_by_role("button", name="It is not right").press("Enter")
    expect(page.get_by_text("Say why the change is not applied").first).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Apply the change").press("Enter")
    expect(page.locator("main")).to_contain_text("The property is changed from that day on.")
    page.goto(f"/properties/{house(scene)}/")
    expect(page.get_by_role("region", name="Type and dwelling units")).to_contain_text(
        "Counted the bells on a visit"
    )
    assert_fits(page)
    assert record.property_record(house(scene)).dwelling_units == 6
