"""What a clerk does to customers, properties, owners, accounts and their holders."""

from datetime import date, timedelta

import pytest

from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.registry import operations, ownership, queries
from chamberlain.registry.models import PropertyType
from tests.office import DAY, make_actor

pytestmark = pytest.mark.django_db
LATER = DAY + timedelta(days=90)


@pytest.fixture
def clerk():
    PropertyType.objects.create(code="two_flat", name="Two-flat")
    return make_actor("clara", Role.CLERK)


@pytest.fixture
def rosa(clerk):
    return operations.register_customer(clerk, "person", "Rosa Muñoz")


@pytest.fixture
def house(clerk):
    return operations.register_property(clerk, "14-20-100-001-0000", "4415 N Kedzie Ave", "60625",
                                        "two_flat", 2)  # fmt: skip


def test_a_customer_is_registered_with_an_account_and_found_by_its_number(clerk, rosa, house):
    account = operations.open_account(clerk, rosa, house, DAY, "ch-1001")
    found = queries.account_summary("CH-1001")
    assert (found.account_id, found.customer_name, found.address) == (
        account, "Rosa Muñoz", "4415 N Kedzie Ave",
    )  # fmt: skip
    assert (found.owed_cents, found.dwelling_units, found.property_type) == (0, 2, "Two-flat")


def test_an_account_without_a_number_of_its_own_gets_the_next(clerk, rosa):
    operations.open_account(clerk, rosa, None, DAY)
    operations.open_account(clerk, rosa, None, DAY)
    numbers = [f.account_number for f in queries.search("Rosa Munoz")]
    assert len(set(numbers)) == 2
    assert all(len(n) == 8 for n in numbers)


def test_an_auditor_may_look_but_not_register(rosa):
    auditor = make_actor("audrey", Role.AUDITOR)
    with pytest.raises(NotPermitted):
        operations.register_customer(auditor, "person", "Somebody")


@pytest.mark.parametrize(
    ("kind", "name"), [("robot", "R2"), ("person", "  "), ("person", "x" * 121)]
)
def test_a_customer_needs_a_kind_and_a_name(clerk, kind, name):
    with pytest.raises(Invalid):
        operations.register_customer(clerk, kind, name)


def test_a_new_name_is_seen_and_the_old_one_stays_in_the_history(clerk, rosa, house):
    account = operations.open_account(clerk, rosa, house, DAY)
    operations.rename_customer(clerk, rosa, "Rosa  Reyes")
    change = next(c for c in queries.changes(account) if c.field == "name" and c.old)
    assert (change.old, change.new, change.who) == ("Rosa Muñoz", "Rosa Reyes", "Clara")


def test_a_customer_who_is_not_there_is_refused(clerk):
    with pytest.raises(NotFound):
        operations.rename_customer(clerk, 0, "Nobody")


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [
        ("phone", "+1 (312) 555-0143", "3125550143"),
        ("email", " Rosa@Example.org ", "rosa@example.org"),
        ("mail", "PO Box 12, Chicago", "PO Box 12, Chicago"),
    ],
)
def test_a_contact_is_kept_in_one_form(clerk, rosa, kind, typed, kept):
    operations.add_contact(clerk, rosa, kind, typed)
    [contact] = queries.contacts(rosa, unmasked=True)
    assert contact.value == kept
    with pytest.raises(AlreadyDone):
        operations.add_contact(clerk, rosa, kind, typed)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("phone", "555-0143"), ("phone", "312555014x"), ("email", "rosa"), ("mail", ""), ("fax", "1")],
)
def test_a_malformed_contact_is_refused(clerk, rosa, kind, value):
    with pytest.raises(Invalid):
        operations.add_contact(clerk, rosa, kind, value)
    assert queries.contacts(rosa, unmasked=True) == []


def test_those_who_may_not_see_contacts_see_a_mask(clerk, rosa):
    for kind, value in (("phone", "3125550143"), ("email", "rosa@example.org"), ("mail", "Box 1")):
        operations.add_contact(clerk, rosa, kind, value)
    shown = {c.kind: c.value for c in queries.contacts(rosa, unmasked=False)}
    assert shown == {"phone": "•••-•••-0143", "email": "r•••@example.org", "mail": "•••"}


def test_a_removed_contact_stays_in_the_history_masked(clerk, rosa, house):
    account = operations.open_account(clerk, rosa, house, DAY)
    contact = operations.add_contact(clerk, rosa, "phone", "3125550143")
    operations.remove_contact(clerk, contact)
    removed = [c for c in queries.changes(account) if c.what == "contact" and c.done == "delete"]
    assert ("value", "•••", "") in [(c.field, c.old, c.new) for c in removed]
    open_history = queries.changes(account, unmasked=True)
    assert any(c.old == "3125550143" and c.new == "" for c in open_history)
    with pytest.raises(NotFound):
        operations.remove_contact(clerk, contact)


def test_a_parcel_is_registered_once(clerk, house):
    with pytest.raises(AlreadyDone):
        operations.register_property(clerk, "14-20-100-001-0000", "Elsewhere", "60625", "two_flat")


@pytest.mark.parametrize(
    ("address", "property_type", "units", "field"),
    [
        ("1 N State St", "castle", 1, "property_type"),
        ("1 N State St", "two_flat", -1, "dwelling_units"),
        (" ", "two_flat", 1, "address"),
    ],
)
def test_a_property_needs_what_the_city_knows(clerk, address, property_type, units, field):
    with pytest.raises(Invalid) as refused:
        operations.register_property(clerk, "P1", address, "60601", property_type, units)
    assert refused.value.field == field


def test_a_service_point_belongs_to_a_property_and_has_one_code(clerk, house):
    operations.add_service_point(clerk, house, "SP-1")
    assert [p.code for p in queries.service_points(house)] == ["SP-1"]
    with pytest.raises(AlreadyDone):
        operations.add_service_point(clerk, house, "SP-1")
    with pytest.raises(NotFound):
        operations.add_service_point(clerk, 0, "SP-2")


@pytest.mark.parametrize("number", ["x", "A_1", "A" * 25])
def test_a_malformed_account_number_is_refused(clerk, rosa, number):
    with pytest.raises(Invalid):
        operations.open_account(clerk, rosa, None, DAY, number)


def test_an_account_needs_a_known_property_and_a_free_number(clerk, rosa):
    operations.open_account(clerk, rosa, None, DAY, "CH-1")
    with pytest.raises(AlreadyDone):
        operations.open_account(clerk, rosa, None, DAY, "ch-1")
    with pytest.raises(NotFound):
        operations.open_account(clerk, rosa, 0, DAY, "CH-2")


def test_an_account_passes_to_another_holder_on_a_day(clerk, rosa, house):
    account = operations.open_account(clerk, rosa, house, DAY)
    piotr = operations.register_customer(clerk, "person", "Piotr Nowak")
    operations.change_holder(clerk, account, piotr, LATER)
    assert [(h.name, h.since, h.until) for h in queries.holders(account)] == [
        ("Piotr Nowak", LATER, None),
        ("Rosa Muñoz", DAY, LATER),
    ]
    with pytest.raises(AlreadyDone):
        operations.change_holder(clerk, account, piotr, LATER + timedelta(days=1))
    with pytest.raises(Invalid):
        operations.change_holder(clerk, account, rosa, LATER)


def test_an_account_that_was_given_up_has_no_holder_to_follow(clerk, rosa, house):
    account = operations.open_account(clerk, rosa, house, DAY)
    operations.end_holding(clerk, account, LATER)
    with pytest.raises(Refused, match="Nobody holds"):
        operations.change_holder(clerk, account, rosa, LATER)


def test_an_owner_is_recorded_and_seen_from_both_sides(clerk, rosa, house):
    ownership.record_ownership(clerk, house, rosa, DAY)
    assert [o.name for o in queries.owners(house, DAY)] == ["Rosa Muñoz"]
    assert queries.owners(house, DAY - timedelta(days=1)) == []
    assert [p.parcel_number for p in queries.properties_of(rosa)] == ["14-20-100-001-0000"]


def test_shares_never_add_up_to_more_than_the_whole(clerk, rosa, house):
    wei = operations.register_customer(clerk, "person", "Wei Chen")
    ownership.record_ownership(clerk, house, rosa, DAY, share_basis_points=6_000)
    with pytest.raises(ownership.SharesExceedWhole, match="110 percent on April"):
        ownership.record_ownership(clerk, house, wei, date(2026, 4, 1), share_basis_points=5_000)
    ownership.record_ownership(clerk, house, wei, DAY, share_basis_points=4_000)
    assert len(queries.owners(house)) == 2


def test_an_owner_sells_and_another_buys_on_the_same_day(clerk, rosa, house):
    wei = operations.register_customer(clerk, "person", "Wei Chen")
    first = ownership.record_ownership(clerk, house, rosa, DAY)
    ownership.end_ownership(clerk, first, LATER)
    ownership.record_ownership(clerk, house, wei, LATER)
    assert [o.name for o in queries.owners(house, LATER)] == ["Wei Chen"]
    with pytest.raises(AlreadyDone):
        ownership.end_ownership(clerk, first, LATER + timedelta(days=5))
    with pytest.raises(NotFound):
        ownership.end_ownership(clerk, 0, LATER)


@pytest.mark.parametrize("share", [0, 10_001])
def test_a_share_is_more_than_nothing_and_at_most_all(clerk, rosa, house, share):
    with pytest.raises(Invalid):
        ownership.record_ownership(clerk, house, rosa, DAY, share_basis_points=share)


def test_one_owner_owns_a_property_once_at_a_time(clerk, rosa, house):
    ownership.record_ownership(clerk, house, rosa, DAY, LATER, 1_000)
    with pytest.raises(AlreadyDone):
        ownership.record_ownership(clerk, house, rosa, LATER - timedelta(days=1), None, 1_000)
    ownership.record_ownership(clerk, house, rosa, LATER, None, 1_000)


def test_an_ownership_needs_a_property_and_a_customer_on_file(clerk, rosa, house):
    with pytest.raises(NotFound, match="property"):
        ownership.record_ownership(clerk, 0, rosa, DAY)
    with pytest.raises(NotFound, match="customer"):
        ownership.record_ownership(clerk, house, 0, DAY)


def test_an_account_that_is_not_there_is_said_so():
    program_actor()
    with pytest.raises(NotFound):
        queries.account_summary("CH-404")
