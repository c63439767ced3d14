"""Who lives there is who is billed: moving in, moving out, and moving from one place to another.

The registry keeps who holds an account from when to when; the agreements that bill the service
points begin and end on the same days, in the same transaction.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from chamberlain.billing.models import Bill, ServiceAgreement
from chamberlain.billing.property_terms.operations import terms_for_new
from chamberlain.database.rows import rows
from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, Refused
from chamberlain.ledger.models import Account
from chamberlain.registry.findings import use_on
from chamberlain.registry.models import (
    AccountHolding,
    Property,
    PropertyType,
    SentForm,
    ServicePoint,
)
from chamberlain.registry.operations import NewCustomer, end_holding, known_customer, open_account
from chamberlain.registry.preferences import mail_elsewhere
from chamberlain.registry.sending import keep_sent, made_before

_FARTHEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class MovedIn:
    """The new account, and how many agreements bill to it.

    from_type: what they took from the property's type rather than from who was there before.
    """

    account_id: int
    account_number: str
    agreements: int
    from_type: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Forwarding:
    """Where the mail of an account that was given up goes; addressee "" is its last holder."""

    address: str
    postal_code: str
    addressee: str = ""


@dataclass(frozen=True, slots=True)
class MovedOut:
    """How many agreements ended, and the bills that cover days after them."""

    agreements: int
    bills_after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BilledOtherwise:
    """An account whose agreement does not say what its property's record says from a day on."""

    account_number: str
    from_on: date
    dwelling_units: int
    rate_class: str
    right_units: int
    right_class: str


_OTHERWISE_SQL = """
    WITH change AS (
        SELECT DISTINCT ON (c.from_on) c.from_on, c.dwelling_units, c.property_type_id
        FROM registry_propertychange c WHERE c.property_id = %(id)s
        ORDER BY c.from_on, c.id DESC),
    use AS (
        SELECT dwelling_units, property_type_id,
            daterange(from_on, lead(from_on) OVER (ORDER BY from_on)) AS days FROM change)
    SELECT a.number, lower(g.period * use.days), g.dwelling_units, g.rate_class,
        use.dwelling_units, coalesce(nullif(t.rate_class, ''), g.rate_class)
    FROM use JOIN registry_propertytype t ON t.code = use.property_type_id
    JOIN registry_servicepoint s ON s.property_id = %(id)s
    JOIN billing_serviceagreement g ON g.service_point_id = s.id AND g.period && use.days
    JOIN ledger_account a ON a.id = g.account_id
    WHERE g.dwelling_units <> use.dwelling_units
        OR (t.rate_class <> '' AND g.rate_class <> t.rate_class)
    ORDER BY a.number, 2, g.id
"""


def billed_otherwise(property_id: int) -> list[BilledOtherwise]:
    """Accounts at a property that are billed for another class or number of dwelling units than
    its changes say, with the first day of it. They are set right by rebilling from that day on.
    """
    return [BilledOtherwise(*row) for row in rows(_OTHERWISE_SQL, {"id": property_id})]


def move_in(
    actor: Actor,
    property_id: int,
    customer: int | NewCustomer,
    on: date,
    today: date,
    *,
    idempotency_key: str | None = None,
) -> MovedIn:
    """A customer moves in on a day: an account is opened, and the property's service points are
    billed to it on the terms of those who were there last.

    customer: the id of one on file, or somebody who is registered with this.

    Units are the property's on that day, and tariff, class, cycle and exemptions are those that
    the city's terms give its type; exemptions of a person are not taken over. The same key moves
    in, and registers somebody new, once, and returns the same account. Raises Refused while a
    service point is billed to another account on that day or later, AlreadyDone when the customer
    holds an account for the property then, Invalid for a day more than a year away.
    """
    actor.require("customer.change")
    _check_day(on, today)
    with acting(actor), transaction.atomic():
        if not Property.objects.select_for_update().filter(pk=property_id).exists():
            raise NotFound("There is no such property; look it up by its address or parcel.")
        sent = (actor, idempotency_key, SentForm.Kind.MOVE_IN, property_id)
        if (before := made_before(*sent)) is not None:
            return _moved_in(before)
        customer_id = known_customer(actor, customer)
        days = DateRange(on, None)
        held = AccountHolding.objects.filter(
            property_id=property_id, customer_id=customer_id, period__overlap=days
        ).select_related("account")
        if (present := held.first()) is not None:
            raise AlreadyDone(
                f"This customer holds account {present.account.number} for the property already."
            )
        _refuse_billed(property_id, days)
        account_id = open_account(actor, customer_id, property_id, on)
        made = _agree(property_id, account_id, on)
        from_type = terms_for_new(account_id, property_id, on)
        keep_sent(*sent, account_id)
        return MovedIn(account_id, _number_of(account_id), made, from_type)


def _moved_in(account_id: int) -> MovedIn:
    agreed = ServiceAgreement.objects.filter(account_id=account_id)
    return MovedIn(account_id, _number_of(account_id), agreed.count())


def _number_of(account_id: int) -> str:
    return Account.objects.values_list("number", flat=True).get(pk=account_id)


def move_out(
    actor: Actor, account_id: int, on: date, today: date, forwarding: Forwarding | None = None
) -> MovedOut:
    """The holder of an account moves out; the day is the first that is not billed to it.

    Raises Refused when nobody holds the account now or an agreement begins on that day or later,
    Invalid for a day more than a year away or not after the holder's first.
    """
    actor.require("customer.change")
    _check_day(on, today)
    with acting(actor), transaction.atomic():
        end_holding(actor, account_id, on)
        agreed = ServiceAgreement.objects.select_for_update().filter(
            account_id=account_id, period__overlap=DateRange(on, None)
        )
        later = [a for a in agreed if a.period.lower >= on]
        if later:
            raise Refused(
                f"An agreement of this account begins on {later[0].period.lower:%B %-d, %Y}, "
                "which is not before the move; give a later day.",
                field="on",
            )
        for agreement in agreed:
            agreement.period = DateRange(agreement.period.lower, on)
            agreement.save(update_fields=["period"])
        if forwarding is not None:
            mail_elsewhere(
                actor,
                account_id,
                forwarding.addressee,
                forwarding.address,
                forwarding.postal_code,
                on,
            )
        after = Bill.objects.filter(
            account_id=account_id, to_on__gt=on, replaced_by=None, entry__reversed_by=None
        )
        return MovedOut(len(agreed), tuple(after.order_by("pk").values_list("number", flat=True)))


def transfer_service(
    actor: Actor, account_id: int, to_property_id: int, out_on: date, in_on: date, today: date
) -> tuple[MovedOut, MovedIn]:
    """The holder of an account moves to another property: out on one day, in on another.

    The mail of the old account goes to the new property. Raises what moving out and in raise, and
    Invalid when the new property is the old one; then neither happens.
    """
    actor.require("customer.change")
    with acting(actor), transaction.atomic():
        holding = AccountHolding.objects.filter(
            account_id=account_id, period__endswith=None
        ).first()
        if holding is None:
            raise Refused("Nobody holds this account now; use move in for a new customer.")
        if holding.property_id == to_property_id:
            raise Invalid("The service is at this property already; choose the new one.",
                          field="to_property")  # fmt: skip
        moved_in = move_in(actor, to_property_id, holding.customer_id, in_on, today)
        to = Property.objects.get(pk=to_property_id)
        moved_out = move_out(
            actor, account_id, out_on, today, Forwarding(to.address, to.postal_code)
        )
        return moved_out, moved_in


def _check_day(on: date, today: date) -> None:
    if abs(on - today) > _FARTHEST:
        raise Invalid("The day is more than a year away; correct it.", field="on")


def _refuse_billed(property_id: int, days: DateRange) -> None:
    billed = (
        ServiceAgreement.objects.filter(
            service_point__property_id=property_id, period__overlap=days
        )
        .select_related("account", "service_point")
        .order_by("pk")
        .first()
    )
    if billed is not None:
        raise Refused(
            f"Service point {billed.service_point.code} is billed to account "
            f"{billed.account.number} on that day; enter when its holder moves out first.",
            field="on",
        )


_AGREE_SQL = """
    INSERT INTO billing_serviceagreement (account_id, service_point_id, tariff_id, rate_class,
        is_metered, meter_size, dwelling_units, exemptions, attributes, normal_daily_thousandths,
        cycle_months, period)
    SELECT %(account)s, service_point_id, tariff_id, coalesce(nullif(%(class)s, ''), rate_class),
        is_metered, meter_size, %(units)s, '{}', attributes, normal_daily_thousandths,
        cycle_months, daterange(%(on)s, NULL)
    FROM (
        SELECT a.*, rank() OVER (
            PARTITION BY service_point_id ORDER BY upper(period) DESC) AS place
        FROM billing_serviceagreement a WHERE service_point_id = ANY(%(points)s)) latest
    WHERE place = 1 AND upper(period) <= %(on)s
"""


def _agree(property_id: int, account_id: int, on: date) -> int:
    """Bills the service points to the account on the terms that ended last; how many agreements."""
    code, units = use_on(property_id, on)
    points = ServicePoint.objects.filter(property_id=property_id).values_list("pk", flat=True)
    with connection.cursor() as cursor:
        cursor.execute(
            _AGREE_SQL,
            {
                "account": account_id,
                "class": PropertyType.objects.get(pk=code).rate_class,
                "units": units,
                "on": on,
                "points": list(points),
            },
        )
        return int(cursor.rowcount)
