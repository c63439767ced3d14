"""What reviewers find in documents: owners at once, types and units by two people."""

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.registry import document_queries, documents, findings, operations, queries, record
from chamberlain.registry.findings import FoundOwner
from chamberlain.registry.models import Customer, Finding, Ownership, PropertyChange
from chamberlain.registry.operations import NewCustomer
from chamberlain.registry.ownership import SharesExceedWhole, record_ownership
from tests.office import DAY, NOW, make_actor
from tests.registry import papers

pytestmark = pytest.mark.django_db
SOLD = DAY - timedelta(days=40)
BOUGHT = date(2015, 5, 1)


@pytest.fixture(autouse=True)
def place(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def clerk():
    return make_actor("clara", Role.CLERK)


@pytest.fixture
def chief():
    return make_actor("sam", Role.ACCOUNTS_SUPERVISOR)


@pytest.fixture
def house():
    return papers.two_flat()


@pytest.fixture
def deed(clerk, house):
    return documents.keep_document(clerk, house, "deed", "deed.pdf", papers.pdf(), NOW)


@pytest.fixture
def rosa(clerk, house):
    made = operations.register_customer(clerk, "person", "Rosa Muñoz")
    record_ownership(clerk, house, made, BOUGHT)
    return made


def find_use(clerk, deed, kind="apartments", units=6, on=SOLD):
    return findings.find_use(clerk, deed, kind, units, on, NOW, DAY)


def test_a_deed_makes_the_buyer_the_owner_from_its_day(clerk, house, deed, rosa):
    made = findings.find_owner(clerk, deed, FoundOwner(NewCustomer("Ida Wells")), SOLD, NOW, DAY)
    owners = queries.owners(house)
    assert [(o.name, o.since, o.until) for o in owners] == [
        ("Ida Wells", SOLD, None), ("Rosa Muñoz", BOUGHT, SOLD),
    ]  # fmt: skip
    [found] = document_queries.findings_of_document(deed)
    assert (found.finding_id, found.state, found.owner) == (made, "applied", "Ida Wells")
    assert Finding.objects.get().decided_by_id == clerk.user_id


def test_joint_owners_hold_shares_that_never_exceed_the_whole(clerk, house, deed):
    for name, share in (("Ida Wells", 6000), ("Ann Lee", 4000)):
        owner = FoundOwner(NewCustomer(name), share_basis_points=share, replaces=False)
        findings.find_owner(clerk, deed, owner, SOLD, NOW, DAY)
    third = FoundOwner(NewCustomer("Bo Diaz"), share_basis_points=1, replaces=False)
    with pytest.raises(SharesExceedWhole, match=r"100\.01 percent"):
        findings.find_owner(clerk, deed, third, SOLD, NOW, DAY)
    assert Customer.objects.filter(name="Bo Diaz").count() == 0
    assert len(queries.owners(house, DAY)) == 2


@pytest.mark.parametrize("replaces", [True, False])
def test_overlapping_ownership_is_refused_and_changes_nothing(clerk, house, deed, rosa, replaces):
    owner = FoundOwner(rosa, replaces=replaces)
    with pytest.raises(AlreadyDone, match="Rosa Muñoz owns this property"):
        findings.find_owner(clerk, deed, owner, SOLD, NOW, DAY)
    early = FoundOwner(NewCustomer("Ida Wells"), replaces=replaces)
    with pytest.raises(Refused):
        findings.find_owner(clerk, deed, early, BOUGHT, NOW, DAY)
    assert [(o.name, o.until) for o in queries.owners(house)] == [("Rosa Muñoz", None)]
    assert Finding.objects.count() == 0


def test_an_owner_of_long_ago_is_no_obstacle(clerk, house, deed):
    first = operations.register_customer(clerk, "person", "Old Owner")
    record_ownership(clerk, house, first, BOUGHT, BOUGHT + timedelta(days=9))
    findings.find_owner(clerk, deed, FoundOwner(first), SOLD, NOW, DAY)
    assert len(queries.owners(house)) == 2


def test_nothing_is_found_for_a_day_to_come(clerk, deed):
    later = DAY + timedelta(days=1)
    with pytest.raises(Invalid, match="after today"):
        findings.find_owner(clerk, deed, FoundOwner(NewCustomer("Ida")), later, NOW, DAY)
    with pytest.raises(Invalid, match="after today"):
        find_use(clerk, deed, on=later)


def test_a_found_type_changes_nothing_until_another_person_applies_it(clerk, chief, house, deed):
    made = find_use(clerk, deed)
    assert record.property_record(house).type_name == "Two-flat"
    [waiting] = document_queries.waiting_findings(9, 0)
    assert (waiting.finding_id, waiting.type_name, waiting.dwelling_units) == (
        made, "Apartment building", 6,
    )  # fmt: skip
    findings.decide_use(chief, made, True, NOW)
    assert document_queries.count_waiting_findings() == 0
    now = record.property_record(house)
    assert (now.type_name, now.dwelling_units) == ("Apartment building", 6)
    assert findings.use_on(house, SOLD) == ("apartments", 6)
    assert findings.use_on(house, SOLD - timedelta(days=1)) == ("two_flat", 2)
    assert [(u.from_on, u.found_by, u.decided_by) for u in record.uses(house)] == [
        (SOLD, "Clara", "Sam"), (None, "", ""),
    ]  # fmt: skip
    changed = [c for c in record.changes_of_property(house) if c.what == "type of property"]
    assert {(c.field, c.new) for c in changed} >= {("dwelling_units", "6")}


def test_nobody_decides_on_their_own_finding(chief, house):
    deed = documents.keep_document(chief, house, "deed", "deed.pdf", papers.pdf(), NOW)
    made = find_use(chief, deed)
    with pytest.raises(NotPermitted, match="another person"):
        findings.decide_use(chief, made, True, NOW)
    own = Finding.objects.filter(pk=made)
    with pytest.raises(IntegrityError), transaction.atomic():
        own.update(state="applied", decided_by_id=chief.user_id, decided_at=NOW)


def test_a_clerk_may_find_but_not_decide(clerk, deed):
    made = find_use(clerk, deed)
    with pytest.raises(NotPermitted):
        findings.decide_use(make_actor("carla", Role.CLERK), made, True, NOW)


def test_a_refused_finding_says_why_and_is_decided_once(clerk, chief, house, deed):
    made = find_use(clerk, deed)
    with pytest.raises(Invalid, match="Say why"):
        findings.decide_use(chief, made, False, NOW)
    findings.decide_use(chief, made, False, NOW, "The deed is of another parcel")
    assert record.property_record(house).type_name == "Two-flat"
    with pytest.raises(AlreadyDone):
        findings.decide_use(chief, made, True, NOW)
    with pytest.raises(NotFound):
        findings.decide_use(chief, 0, True, NOW)


@pytest.mark.parametrize(
    ("kind", "units", "says"),
    [
        ("castle", 1, "no property type"),
        ("two_flat", 3, "has 2 dwelling units, not 3"),
        ("four_or_less", 5, "has 2 to 4 dwelling units"),
        ("apartments", 3, "has 4 or more dwelling units"),
        ("vacant", -1, "has 0 dwelling units"),
    ],
)
def test_a_type_has_the_units_that_the_city_allows(clerk, deed, kind, units, says):
    with pytest.raises(Invalid, match=says):
        find_use(clerk, deed, kind, units)


def test_what_is_so_already_or_waits_already_is_refused(clerk, deed):
    with pytest.raises(AlreadyDone, match="these units on"):
        find_use(clerk, deed, "two_flat", 2)
    find_use(clerk, deed)
    with pytest.raises(AlreadyDone, match="waits for a second person"):
        find_use(clerk, deed, "vacant", 0)


def test_the_later_word_for_a_day_holds_and_the_earlier_stays_readable(clerk, chief, house, deed):
    for kind, units in (("apartments", 6), ("vacant", 0)):
        findings.decide_use(chief, find_use(clerk, deed, kind, units), True, NOW)
    assert findings.use_on(house, DAY) == ("vacant", 0)
    assert [(u.type_name, u.superseded) for u in record.uses(house)] == [
        ("Vacant land", False), ("Apartment building", True), ("Two-flat", False),
    ]  # fmt: skip


def test_the_database_refuses_a_change_that_nobody_decided(clerk, chief, house, deed):
    made = find_use(clerk, deed)
    with pytest.raises(DatabaseError, match="another person decided"), transaction.atomic():
        PropertyChange.objects.create(property_id=house, from_on=SOLD, finding_id=made,
                                      property_type_id="apartments", dwelling_units=6)  # fmt: skip
    findings.decide_use(chief, made, True, NOW)
    for refused in (
        lambda: PropertyChange.objects.update(dwelling_units=1),
        lambda: PropertyChange.objects.all().delete(),
        lambda: Finding.objects.update(dwelling_units=1),
        lambda: Finding.objects.update(note="Changed"),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            refused()


USES = [("two_flat", 2), ("vacant", 0), ("apartments", 4), ("apartments", 9)]
CHANGES = st.lists(st.tuples(st.integers(0, 30), st.sampled_from(USES)), max_size=6)


@given(CHANGES)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_on_each_day_a_property_is_what_was_said_last_for_that_day(clerk, chief, house, changes):
    """Against a plain list of days that each change paints from its day to the next one's."""
    with transaction.atomic():
        deed = documents.keep_document(clerk, house, "deed", "deed.pdf", papers.pdf(), NOW)
        said: dict[int, tuple[str, int]] = {}

        def plain(day: int) -> tuple[str, int]:
            before = [d for d in said if d <= day]
            return said[max(before)] if before else ("two_flat", 2)

        for day, use in changes:
            on = SOLD + timedelta(days=day)
            if plain(day) == use:
                with pytest.raises(AlreadyDone):
                    find_use(clerk, deed, *use, on=on)
                continue
            findings.decide_use(chief, find_use(clerk, deed, *use, on=on), True, NOW)
            said[day] = use
        for day in range(32):
            assert findings.use_on(house, SOLD + timedelta(days=day)) == plain(day)
        transaction.set_rollback(True)


def test_only_who_reviews_may_find(deed):
    auditor = make_actor("audrey", Role.AUDITOR)
    with pytest.raises(NotPermitted):
        findings.find_owner(auditor, deed, FoundOwner(NewCustomer("Ida")), SOLD, NOW, DAY)
    assert Ownership.objects.count() == 0


def test_an_owner_form_that_is_sent_twice_registers_one_customer(clerk, deed):
    half = FoundOwner(NewCustomer("Ida Wells"), 5_000, replaces=False)
    made = [
        findings.find_owner(clerk, deed, half, SOLD, NOW, DAY, idempotency_key="form 1")
        for _ in range(2)
    ]
    assert made[0] == made[1]
    assert Customer.objects.filter(name="Ida Wells").count() == 1
    assert Ownership.objects.count() == 1


def propose(actor, house, kind="apartments", units=6, reason="Counted the bells on a visit"):
    use = findings.Use(kind, units, DAY)
    return findings.propose_use(actor, house, use, reason, NOW, DAY)


def test_a_change_without_a_document_says_how_it_is_known(clerk, chief, house):
    made = propose(clerk, house)
    [waiting] = document_queries.changes_asked(house)
    assert (waiting.finding_id, waiting.document_id) == (made, None)
    assert waiting.reason == "Counted the bells on a visit"
    with pytest.raises(AlreadyDone, match="waits for a second person"):
        propose(clerk, house, units=7)
    findings.decide_use(chief, made, True, NOW)
    assert findings.use_on(house, DAY) == ("apartments", 6)
    use = record.uses(house)[0]
    assert (use.document_id, use.reason) == (None, "Counted the bells on a visit")
    assert document_queries.changes_asked(house) == []


def test_a_change_without_a_document_needs_a_reason_and_another_person(chief, house):
    with pytest.raises(Invalid, match="reason is empty"):
        propose(chief, house, reason="  ")
    with pytest.raises(Invalid, match="cannot begin after today"):
        findings.propose_use(
            chief, house, findings.Use("apartments", 6, DAY + timedelta(days=1)), "x", NOW, DAY
        )
    with pytest.raises(NotFound):
        propose(chief, 0)
    made = propose(chief, house)
    with pytest.raises(NotPermitted, match="another person"):
        findings.decide_use(chief, made, True, NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        Finding.objects.create(
            property_id=house, kind="use", from_on=DAY, property_type_id="apartments",
            dwelling_units=6, found_by_id=chief.user_id, found_at=NOW,
        )  # fmt: skip
