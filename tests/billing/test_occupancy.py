"""Moving in, out, and from one place to another: holders and agreements on the same days."""

from datetime import date, timedelta

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange

from chamberlain.billing import occupancy
from chamberlain.billing.models import ServiceAgreement
from chamberlain.billing.occupancy import BilledOtherwise, Forwarding
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.registry import documents, findings, operations, queries, record
from chamberlain.registry.models import AccountHolding, Customer, PropertyType, ServicePoint
from chamberlain.registry.operations import NewCustomer
from tests.office import DAY, NOW, make_actor
from tests.registry import papers
from tests.web.scenes import furnished_office

pytestmark = pytest.mark.django_db
LATER = DAY + timedelta(days=10)


@pytest.fixture
def clerk():
    return make_actor("clara", Role.CLERK)


@pytest.fixture
def place():
    return furnished_office()


@pytest.fixture
def ida(place, clerk):
    return operations.register_customer(clerk, "person", "Ida Wells")


@pytest.fixture
def flat(place, clerk):
    """Another property, whose service point nobody is billed for any more."""
    made = operations.register_property(clerk, "17-1", "900 W Adams St", "60607", "house", 3)
    point = operations.add_service_point(clerk, made, "SP-2")
    before = operations.open_account(
        clerk, operations.register_customer(clerk, "person", "Before"), made, date(2021, 1, 1)
    )
    old = ServiceAgreement.objects.get(account=place.account)
    for days, tariff_class in (
        (DateRange(date(2021, 1, 1), date(2022, 1, 1)), "old"),
        (DateRange(date(2022, 1, 1), date(2026, 2, 1)), "residential"),
    ):
        ServiceAgreement.objects.create(
            account_id=before, service_point_id=point, tariff=old.tariff, rate_class=tariff_class,
            exemptions=["senior"], period=days,
        )  # fmt: skip
    operations.end_holding(clerk, before, date(2026, 2, 1))
    return made


def house_of(place):
    return queries.account_summary(place.number).property_id


def test_who_moves_out_is_billed_to_that_day_and_gets_mail_elsewhere(place, clerk):
    out = occupancy.move_out(
        clerk, place.account.pk, LATER, DAY, Forwarding("12 Elm St, Gary", "46401")
    )
    assert (out.agreements, out.bills_after) == (1, ())
    assert ServiceAgreement.objects.get(account=place.account).period.upper == LATER
    assert queries.account_summary(place.number).held_until == LATER
    assert record.mailing_on(place.account.pk, LATER).address == "12 Elm St, Gary"
    with pytest.raises(Refused, match="Nobody holds"):
        occupancy.move_out(clerk, place.account.pk, LATER, DAY)


def test_bills_that_cover_later_days_are_named(place, clerk):
    out = occupancy.move_out(clerk, place.account.pk, DAY - timedelta(days=70), DAY)
    assert out.bills_after == ("88-203411", "88-203412")


def test_who_moves_in_is_billed_on_the_terms_that_ended_last_without_exemptions(
    place, clerk, ida, flat
):
    made = occupancy.move_in(clerk, flat, ida, DAY, DAY)
    [agreement] = ServiceAgreement.objects.filter(account_id=made.account_id)
    assert made.agreements == 1
    assert (agreement.rate_class, agreement.exemptions, agreement.dwelling_units) == (
        "residential", [], 3,
    )  # fmt: skip
    assert (agreement.period.lower, agreement.period.upper) == (DAY, None)
    assert queries.account_summary(made.account_number).customer_name == "Ida Wells"
    with pytest.raises(AlreadyDone, match=made.account_number):
        occupancy.move_in(clerk, flat, ida, LATER, DAY)


def test_the_type_s_own_class_holds_for_a_new_agreement(place, clerk, ida, flat):
    PropertyType.objects.filter(pk="house").update(rate_class="single_family")
    made = occupancy.move_in(clerk, flat, ida, DAY, DAY)
    assert ServiceAgreement.objects.get(account_id=made.account_id).rate_class == "single_family"


def test_nobody_moves_in_where_another_is_still_billed(place, clerk, ida):
    with pytest.raises(Refused, match="SP-1 is billed to account 1004220817"):
        occupancy.move_in(clerk, house_of(place), ida, LATER, DAY)
    occupancy.move_out(clerk, place.account.pk, LATER, DAY)
    with pytest.raises(Refused):
        occupancy.move_in(clerk, house_of(place), ida, LATER - timedelta(days=1), DAY)
    assert occupancy.move_in(clerk, house_of(place), ida, LATER, DAY).agreements == 1


def test_somebody_new_is_registered_with_the_move(place, clerk, flat):
    made = occupancy.move_in(clerk, flat, NewCustomer("Bo Diaz", language="es"), DAY, DAY)
    found = queries.account_summary(made.account_number)
    assert (found.customer_name, found.language) == ("Bo Diaz", "es")
    with pytest.raises(Refused):
        occupancy.move_in(clerk, house_of(place), NewCustomer("Cy Diaz"), DAY, DAY)
    assert not Customer.objects.filter(name="Cy Diaz").exists()


def test_a_property_without_terms_gets_an_account_alone(place, clerk, ida):
    bare = operations.register_property(clerk, "17-2", "2 Bare St", "60607", "house", 1)
    assert occupancy.move_in(clerk, bare, ida, DAY, DAY).agreements == 0
    operations.add_service_point(clerk, bare, "SP-9")
    assert ServicePoint.objects.count() == 2


def test_a_transfer_ends_one_place_and_begins_the_other(place, clerk, flat):
    out, into = occupancy.transfer_service(clerk, place.account.pk, flat, LATER, DAY, DAY)
    assert (out.agreements, into.agreements) == (1, 1)
    assert record.mailing_on(place.account.pk, LATER).address == "900 W Adams St"
    now = queries.account_summary(into.account_number)
    assert (now.customer_name, now.address, now.held_from) == (
        "Maria Kowalski", "900 W Adams St", DAY,
    )  # fmt: skip


def test_a_transfer_that_cannot_be_changes_nothing(place, clerk, flat, ida):
    with pytest.raises(Invalid, match="at this property already"):
        occupancy.transfer_service(clerk, place.account.pk, house_of(place), DAY, DAY, DAY)
    occupancy.move_in(clerk, flat, ida, DAY, DAY)
    holdings = AccountHolding.objects.count()
    with pytest.raises(Refused, match="SP-2 is billed"):
        occupancy.transfer_service(clerk, place.account.pk, flat, DAY, LATER, DAY)
    assert AccountHolding.objects.count() == holdings
    assert queries.account_summary(place.number).held_until is None
    occupancy.move_out(clerk, place.account.pk, LATER, DAY)
    with pytest.raises(Refused, match="use move in"):
        occupancy.transfer_service(clerk, place.account.pk, flat, DAY, DAY, DAY)


def test_days_far_away_unknown_properties_and_other_roles_are_refused(place, clerk, ida):
    far = DAY + timedelta(days=400)
    with pytest.raises(Invalid, match="more than a year"):
        occupancy.move_out(clerk, place.account.pk, far, DAY)
    with pytest.raises(NotFound):
        occupancy.move_in(clerk, 0, ida, DAY, DAY)
    cashier = make_actor("carl", Role.CASHIER)
    with pytest.raises(NotPermitted):
        occupancy.move_in(cashier, house_of(place), ida, DAY, DAY)


def test_an_agreement_that_begins_later_must_be_dealt_with_first(place, clerk):
    agreement = ServiceAgreement.objects.get(account=place.account)
    agreement.period = DateRange(LATER, None)
    agreement.save()
    with pytest.raises(Refused, match="begins on March 12, 2026"):
        occupancy.move_out(clerk, place.account.pk, LATER, DAY)
    assert queries.account_summary(place.number).held_until is None


def test_accounts_that_are_billed_otherwise_than_the_record_says_are_named(
    place, clerk, settings, tmp_path
):
    settings.MEDIA_ROOT = tmp_path
    papers.property_types()
    house, sam = house_of(place), make_actor("sam", Role.ACCOUNTS_SUPERVISOR)
    bill = documents.keep_document(clerk, house, "tax_bill", "bill.pdf", papers.pdf(), NOW)
    assert occupancy.billed_otherwise(house) == []
    for kind, units, on in (
        ("apartments", 9, date(2026, 1, 1)),
        ("apartments", 6, date(2026, 1, 1)),
        ("two_flat", 2, date(2026, 2, 1)),
    ):
        found = findings.find_use(clerk, bill, kind, units, on, NOW, DAY)
        findings.decide_use(sam, found, True, NOW)
    assert occupancy.billed_otherwise(house) == [
        BilledOtherwise(place.number, date(2026, 1, 1), 2, "residential", 6, "residential")
    ]
    PropertyType.objects.filter(pk="two_flat").update(rate_class="flats")
    assert [(b.from_on, b.right_class) for b in occupancy.billed_otherwise(house)] == [
        (date(2026, 1, 1), "residential"), (date(2026, 2, 1), "flats"),
    ]  # fmt: skip


def test_a_move_in_that_is_sent_twice_registers_one_customer_and_opens_one_account(place, clerk):
    bare = operations.register_property(clerk, "17-2", "902 W Adams St", "60607", "house", 1)
    somebody = NewCustomer("Ida Wells")
    made = [
        occupancy.move_in(clerk, bare, somebody, DAY, DAY, idempotency_key="form 1")
        for _ in range(2)
    ]
    assert made[0] == made[1]
    assert Customer.objects.filter(name="Ida Wells").count() == 1
    assert AccountHolding.objects.filter(property_id=bare).count() == 1


def test_a_move_in_form_that_was_used_is_of_no_use_elsewhere_or_to_others(place, clerk, flat):
    bare = operations.register_property(clerk, "17-2", "902 W Adams St", "60607", "house", 1)
    occupancy.move_in(clerk, bare, NewCustomer("Ida Wells"), DAY, DAY, idempotency_key="form 1")
    with pytest.raises(AlreadyDone, match="for another property"):
        occupancy.move_in(clerk, flat, NewCustomer("Cy Diaz"), DAY, DAY, idempotency_key="form 1")
    with pytest.raises(AlreadyDone, match="Somebody else sent this form"):
        occupancy.move_in(
            make_actor("otto", Role.CLERK), bare, NewCustomer("Cy Diaz"), DAY, DAY,
            idempotency_key="form 1",
        )  # fmt: skip
    assert not Customer.objects.filter(name="Cy Diaz").exists()
