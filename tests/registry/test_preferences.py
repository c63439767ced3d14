"""How customers want to be written to, and what the office must know about them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.registry import operations, preferences, queries, record
from chamberlain.registry.models import CustomerMark
from tests.office import DAY, make_actor
from tests.registry import papers

pytestmark = pytest.mark.django_db
LATER = DAY + timedelta(days=30)


@pytest.fixture
def clerk():
    return make_actor("clara", Role.CLERK)


@pytest.fixture
def rosa(clerk):
    return operations.register_customer(clerk, "person", "Rosa Muñoz")


@pytest.fixture
def firm(clerk):
    return operations.register_customer(clerk, "organization", "Lakeside Management")


@pytest.fixture
def account(clerk, rosa):
    return operations.open_account(clerk, rosa, papers.two_flat(), DAY, "CH-1")


def test_a_customer_chooses_a_language_and_paper(clerk, rosa):
    preferences.choose_mail(clerk, rosa, "zh-hans", False)
    assert record.customer_record(rosa).language == "zh-hans"
    with pytest.raises(Invalid, match="has no e-mail"):
        preferences.choose_mail(clerk, rosa, "es", True)
    email = operations.add_contact(clerk, rosa, "email", "rosa@example.org")
    preferences.choose_mail(clerk, rosa, "es", True)
    found = record.customer_record(rosa)
    assert (found.language, found.is_paperless) == ("es", True)
    with pytest.raises(Refused, match="without paper"):
        operations.remove_contact(clerk, email)
    operations.add_contact(clerk, rosa, "email", "rosa@example.com")
    operations.remove_contact(clerk, email)
    with pytest.raises(Invalid):
        preferences.choose_mail(clerk, rosa, "xx", False)
    changed = [(c.field, c.old, c.new) for c in record.changes_of_customer(rosa)]
    assert ("language", "English", "Simplified Chinese") in changed
    assert ("bills without paper", "no", "yes") in changed


def test_a_customer_is_marked_once_and_the_mark_ends(clerk, rosa):
    made = preferences.mark_customer(clerk, rosa, "bankrupt", DAY, DAY, "26-01234")
    with pytest.raises(AlreadyDone):
        preferences.mark_customer(clerk, rosa, "bankrupt", DAY, LATER)
    preferences.end_mark(clerk, made, LATER)
    assert [(m.kind, m.reference, m.since, m.until) for m in record.marks(rosa)] == [
        ("bankrupt", "26-01234", DAY, LATER)
    ]
    with pytest.raises(AlreadyDone):
        preferences.end_mark(clerk, made, LATER)
    preferences.mark_customer(clerk, rosa, "bankrupt", LATER, LATER)
    assert CustomerMark.objects.count() == 2


def test_a_mark_that_cannot_be_is_refused(clerk, rosa, firm):
    for customer, kind, on in (
        (rosa, "gone", DAY), (rosa, "deceased", LATER), (firm, "deceased", DAY),
    ):  # fmt: skip
        with pytest.raises(Invalid):
            preferences.mark_customer(clerk, customer, kind, on, DAY)
    with pytest.raises(NotFound):
        preferences.mark_customer(clerk, 0, "bankrupt", DAY, DAY)
    with pytest.raises(NotFound):
        preferences.end_mark(clerk, 0, DAY)
    made = preferences.mark_customer(clerk, rosa, "deceased", DAY, DAY)
    with pytest.raises(Invalid):
        preferences.end_mark(clerk, made, DAY)


def test_a_personal_number_is_masked_and_leaves_no_trace_in_the_history(clerk, rosa):
    made = preferences.keep_personal_number(clerk, rosa, "drivers_license", "m123-4567 8901")
    [shown] = record.personal_numbers(rosa, unmasked=False)
    assert shown.number == "•••8901"
    assert record.personal_numbers(rosa, unmasked=True)[0].number == "M12345678901"
    with pytest.raises(AlreadyDone):
        preferences.keep_personal_number(clerk, rosa, "drivers_license", "M9999")
    preferences.remove_personal_number(clerk, made)
    with pytest.raises(NotFound):
        preferences.remove_personal_number(clerk, made)
    trail = record.changes_of_customer(rosa, unmasked=True)
    numbers = [c for c in trail if c.what == "personal number"]
    assert {c.done for c in numbers} == {"insert", "delete"}
    assert all("8901" not in c.old + c.new for c in trail)


@given(st.text("ABC0123", min_size=4, max_size=32))
def test_a_mask_never_shows_more_than_half_of_a_number(number):
    shown = record.masked_number(number).removeprefix("•••")
    assert number.endswith(shown)
    assert 0 < len(shown) <= min(4, len(number) / 2)


def test_a_personal_number_must_be_one(clerk, rosa, firm):
    for customer, kind, number in (
        (rosa, "shoe_size", "1234"), (rosa, "passport", "1"), (firm, "passport", "12345"),
    ):  # fmt: skip
        with pytest.raises(Invalid):
            preferences.keep_personal_number(clerk, customer, kind, number)
    preferences.keep_personal_number(clerk, firm, "taxpayer", "36-1234567")
    with pytest.raises(NotPermitted):
        preferences.keep_personal_number(make_actor("c", Role.CASHIER), rosa, "passport", "12345")


def test_mail_goes_elsewhere_from_a_day_and_back(clerk, rosa, account):
    assert record.mailing_on(account, DAY).address == "4415 N Kedzie Ave"
    operations.add_contact(clerk, rosa, "mail", "PO Box 12, Chicago 60610")
    assert record.mailing_on(account, DAY).address == "PO Box 12, Chicago 60610"
    preferences.mail_elsewhere(clerk, account, "Lakeside Management", "1 W Lake St", "60601", DAY)
    found = record.mailing_on(account, LATER)
    assert (found.addressee, found.address, found.since) == (
        "Lakeside Management", "1 W Lake St", DAY,
    )  # fmt: skip
    with pytest.raises(Invalid, match="give a later day"):
        preferences.mail_elsewhere(clerk, account, "", "2 W Lake St", "60601", DAY)
    preferences.mail_elsewhere(clerk, account, "", "2 W Lake St", "60601", LATER)
    assert record.mailing_on(account, LATER).address == "2 W Lake St"
    assert record.mailing_on(account, DAY).address == "1 W Lake St"
    preferences.mail_to_property(clerk, account, LATER + timedelta(days=1))
    with pytest.raises(AlreadyDone):
        preferences.mail_to_property(clerk, account, LATER + timedelta(days=2))
    masked = [c for c in queries.changes(account) if c.what == "mailing address"]
    assert {c.new for c in masked if c.field == "address"} == {"•••"}


def test_mail_needs_an_account_and_an_address(clerk, account):
    with pytest.raises(NotFound):
        preferences.mail_elsewhere(clerk, 0, "", "1 W Lake St", "60601", DAY)
    with pytest.raises(Invalid):
        preferences.mail_elsewhere(clerk, account, "", " ", "60601", DAY)
    assert record.mailing_on(account, DAY - timedelta(days=1)) is None


def test_a_management_company_sees_all_of_its_accounts(clerk, firm):
    for i in range(3):
        operations.open_account(clerk, firm, None, DAY, f"MC-{i}")
    assert record.count_accounts_of_customer(firm) == 3
    assert [a.account_number for a in record.accounts_of_customer(firm, 2, 1)] == ["MC-1", "MC-2"]


def test_accounts_of_a_property_show_who_holds_them(clerk, account):
    house = queries.account_summary("CH-1").property_id
    assert [(a.account_number, a.customer_name) for a in record.accounts_at(house)] == [
        ("CH-1", "Rosa Muñoz")
    ]


def test_what_is_not_on_file_is_not_found():
    for asked in (record.property_record, record.customer_record):
        with pytest.raises(NotFound):
            asked(0)


def test_a_property_is_named_by_its_parcel_or_by_an_account(account):
    found = record.property_named(" ch-1 ")
    assert found == record.property_named("14 20 100 001 0000")
    for nothing in ("", "14-20", "CH-2"):
        with pytest.raises(NotFound):
            record.property_named(nothing)
