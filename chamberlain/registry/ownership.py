"""Who owns a property, in which shares, from when to when.

The shares of one property never add up to more than the whole on any day. They change only on
the days on which an ownership starts, so it is enough to add them up on those days.
"""

from collections.abc import Sequence
from datetime import date

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, Refused
from chamberlain.kernel.periods import Period
from chamberlain.registry.models import Customer, Ownership, Property

WHOLE = 10_000


class SharesExceedWhole(Refused):
    """The shares of a property would add up to more than all of it."""


def largest_sum(shares: Sequence[tuple[Period, int]]) -> tuple[int, date | None]:
    """The largest sum of shares on any day, in basis points, and the first day it is reached."""
    largest, reached = 0, None
    for day in sorted({period.start for period, _ in shares}):
        total = sum(share for period, share in shares if day in period)
        if total > largest:
            largest, reached = total, day
    return largest, reached


def record_ownership(
    actor: Actor,
    property_id: int,
    customer_id: int,
    from_on: date,
    to_on: date | None = None,
    share_basis_points: int = WHOLE,
) -> int:
    """Records that a customer owns a share of a property; returns the ownership's id.

    share_basis_points: 1 to 10000, which is all. Raises AlreadyDone when the customer owns it
    in that time already, SharesExceedWhole, Invalid for a share or period that cannot be.
    """
    actor.require("property.change")
    if not 0 < share_basis_points <= WHOLE:
        raise Invalid("A share is more than 0 and at most 100 percent; correct it.", field="share")
    period = Period(from_on, to_on)
    with acting(actor), transaction.atomic():
        if not Property.objects.select_for_update().filter(pk=property_id).exists():
            raise NotFound("There is no such property; look it up by its address or parcel.")
        customer = Customer.objects.filter(pk=customer_id).first()
        if customer is None:
            raise NotFound("There is no such customer; search by name or register the customer.")
        others = list(Ownership.objects.filter(property_id=property_id))
        if any(o.customer_id == customer_id and _period(o).intersect(period) for o in others):
            raise AlreadyDone(
                f"{customer.name} owns this property in that time already; end that ownership "
                "first.",
                field="customer",
            )
        _check_whole([(_period(o), o.share_basis_points) for o in others], period,
                     share_basis_points)  # fmt: skip
        return Ownership.objects.create(
            property_id=property_id,
            customer_id=customer_id,
            share_basis_points=share_basis_points,
            period=DateRange(from_on, to_on),
        ).pk


def end_ownership(actor: Actor, ownership_id: int, on: date) -> None:
    """A customer stops owning a property on a day, which no longer belongs to the ownership."""
    actor.require("property.change")
    with acting(actor), transaction.atomic():
        found = Ownership.objects.select_for_update().filter(pk=ownership_id).first()
        if found is None:
            raise NotFound("There is no such ownership; look at the property again.")
        start, end = found.period.lower, found.period.upper
        if end is not None and end <= on:
            raise AlreadyDone(f"This ownership ended on {end:%B %-d, %Y} already.", field="on")
        found.period = DateRange(start, Period(start, on).end)
        found.save(update_fields=["period"])


def _check_whole(shares: list[tuple[Period, int]], period: Period, share: int) -> None:
    total, day = largest_sum([*shares, (period, share)])
    if total > WHOLE and day is not None:
        raise SharesExceedWhole(
            f"The owners' shares would add up to {total / 100:g} percent on {day:%B %-d, %Y}; "
            "end an earlier ownership or lower the share.",
            field="share",
        )


def _period(ownership: Ownership) -> Period:
    return Period(ownership.period.lower, ownership.period.upper)
