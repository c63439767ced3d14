"""Final reads: ordered for each metered service of an account, recorded, found in imports."""

from datetime import date

from django.db import transaction

from chamberlain.billing.certificates.models import Application, FinalRead
from chamberlain.database.rows import rows
from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound
from chamberlain.metering.models import Read
from chamberlain.metering.routes.low_reads import record_typed

_METERED = """
    SELECT g.id FROM billing_serviceagreement g
    WHERE g.account_id = %s AND g.is_metered AND g.period @> %s::date
    ORDER BY g.id
"""


def order_final_reads(application: Application, today: date) -> int:
    """Orders a read of each metered service in force on the closing day; returns how many.

    Orders of an earlier closing date that nobody carried out are taken back.
    """
    closing_on = application.closing_on
    found = rows(_METERED, [application.account_id, closing_on])
    FinalRead.objects.filter(application=application, read=None).exclude(
        wanted_by=closing_on
    ).delete()
    for (agreement_id,) in found:
        FinalRead.objects.get_or_create(
            application=application,
            agreement_id=agreement_id,
            wanted_by=closing_on,
            defaults={"ordered_on": today},
        )
    return len(found)


def record_final_read(
    actor: Actor, order_id: int, read_on: date, register: int, today: date
) -> int:
    """Records what the meter of an order shows; returns the read's id.

    Raises NotFound (order, meter), AlreadyDone, Invalid for a day before the order or after the
    closing, and what `record_typed` raises.
    """
    actor.require("certificate.work")
    with acting(actor), transaction.atomic():
        order = (
            FinalRead.objects.select_for_update(of=("self",))
            .select_related("application", "agreement")
            .filter(pk=order_id)
            .first()
        )
        if order is None:
            raise NotFound("There is no such order of a final read; look at the application.")
        if order.read_id:
            raise AlreadyDone("This final read was taken already; look at the application.")
        if not order.ordered_on <= read_on <= order.wanted_by:
            raise Invalid(
                f"The final read is taken from {order.ordered_on:%B %-d, %Y}, when it was ordered, "
                f"to the closing on {order.wanted_by:%B %-d, %Y}; correct the day.",
                field="read_on",
            )
        serial = _serial(order.agreement.service_point_id, read_on)
        order.read_id = record_typed(actor, serial, read_on, register, today)
        order.save(update_fields=["read"])
        return order.read_id


def _serial(service_point_id: int, on: date) -> str:
    query = """
        SELECT m.serial FROM metering_installation i JOIN metering_meter m ON m.id = i.meter_id
        WHERE i.service_point_id = %s AND i.period @> %s::date
        ORDER BY lower(i.period) DESC LIMIT 1
    """
    found = rows(query, [service_point_id, on])
    if not found:
        raise NotFound("No meter is installed at this service point; install it first.")
    return str(found[0][0])


_FROM_IMPORTS = """
    SELECT o.id, r.id FROM certificates_finalread o
    JOIN billing_serviceagreement g ON g.id = o.agreement_id
    JOIN LATERAL (
        SELECT r.id FROM metering_read r
        WHERE r.service_point_id = g.service_point_id AND r.quality = %s
            AND r.to_on <= o.wanted_by
            AND (r.to_on > o.ordered_on OR r.to_on = o.ordered_on AND o.wanted_by = o.ordered_on)
        ORDER BY r.to_on DESC, r.id DESC LIMIT 1) r ON true
    WHERE o.read_id IS NULL AND o.application_id = ANY(%s)
"""


def take_reads_from_imports(application_ids: list[int]) -> int:
    """Carries out orders by actual reads that came in with a file since; returns how many.

    A read of the order's own day counts when that is the closing too: no later one can be had.
    """
    found = dict(rows(_FROM_IMPORTS, [Read.Quality.ACTUAL, application_ids]))
    orders = list(FinalRead.objects.filter(pk__in=found))
    for order in orders:
        order.read_id = found[order.pk]
        order.save(update_fields=["read"])
    return len(orders)


def waiting_reads(application_id: int) -> int:
    """How many final reads of an application have not been taken."""
    return FinalRead.objects.filter(application_id=application_id, read=None).count()
