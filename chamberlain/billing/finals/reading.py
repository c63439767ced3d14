"""The final read: taken, or estimated when no read can be had."""

from datetime import date

import polars as pl
from django.db import connection, transaction

from chamberlain.billing.certificates.estimating import estimates
from chamberlain.billing.finals import queries
from chamberlain.billing.finals.models import FinalRead
from chamberlain.billing.finals.terms import terms_on
from chamberlain.billing.finals.unbilled import NotBillable
from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound
from chamberlain.kernel.frames import read_frame
from chamberlain.metering.operations import record_estimate
from chamberlain.metering.routes.low_reads import record_typed


def take_final_read(
    actor: Actor, final_read_id: int, read_on: date, register: int, today: date
) -> int:
    """Records what the meter shows; returns the read's id.

    A read after the day of the move is shared by days with whoever came after; days between a
    read before it and the move are still to be read or estimated. Raises AlreadyDone, and what
    `record_typed` raises. Below an ordinary estimate, the true-up comes before the bill.
    """
    actor.require("final.ask")
    with acting(actor), transaction.atomic():
        row = _wanted_read(final_read_id)
        if not row.serial:
            raise NotFound("No meter is installed at this service point; estimate the usage.")
        return record_typed(actor, row.serial, read_on, register, today)


def estimate_final_read(actor: Actor, final_read_id: int, today: date) -> int:
    """Estimates the usage from the last read to the move, by the account's own usage a day.

    Returns the read's id. Raises AlreadyDone, NotBillable when nothing is known to go by, Invalid
    before the day of the move.
    """
    actor.require("final.ask")
    with acting(actor), transaction.atomic():
        row = _wanted_read(final_read_id)
        if today < row.left_on:
            raise Invalid(
                f"The holder leaves on {row.left_on:%B %-d, %Y}; wait for that day or read the "
                "meter."
            )
        usage = _estimated(row.agreement_id, row.left_on, terms_on(today).usage_days)
        return record_estimate(
            actor,
            row.service_point_id,
            row.last_on,
            row.left_on,
            usage,
            row.unit,
            f"move-out {final_read_id} {row.left_on}",
        )


def _wanted_read(final_read_id: int) -> queries.FinalReadRow:
    order = FinalRead.objects.select_for_update(of=("self",)).filter(pk=final_read_id).first()
    if order is None:
        raise NotFound("There is no such order of a final read; look at the move-out.")
    row = next(each for each in queries.final_reads(order.move_out_id) if each.order_id == order.pk)
    if row.read_on is not None:
        raise AlreadyDone(f"The final read was taken on {row.read_on:%B %-d, %Y} already.")
    return row


_USED_SQL = """
    SELECT a.id, coalesce((SELECT max(r.to_on) FROM metering_read r
            WHERE r.service_point_id = a.service_point_id), lower(a.period)), %(left)s::date,
        coalesce(u.thousandths, 0)::bigint, coalesce(u.days, 0)::bigint,
        a.normal_daily_thousandths, EXISTS (SELECT 1 FROM metering_installation i
            WHERE i.service_point_id = a.service_point_id AND upper_inf(i.period))::int
    FROM billing_serviceagreement a
    LEFT JOIN LATERAL (
        SELECT sum(r.usage_thousandths) AS thousandths, sum(r.to_on - r.from_on) AS days
        FROM metering_read r WHERE r.service_point_id = a.service_point_id
            AND r.to_on > %(left)s::date - %(days)s AND r.usage_thousandths >= 0
            AND NOT EXISTS (SELECT 1 FROM rebilling_correctedread k WHERE k.old_id = r.id)
        ) u ON true
    WHERE a.id = %(agreement)s
"""
_USED_SCHEMA = {
    "agreement_id": pl.Int64,
    "last_on": pl.Date,
    "closing_on": pl.Date,
    "used_thousandths": pl.Int64,
    "used_days": pl.Int64,
    "normal_daily_thousandths": pl.Int64,
    "has_register": pl.Int64,
}


def _estimated(agreement_id: int, left_on: date, usage_days: int) -> int:
    params = {"agreement": agreement_id, "left": left_on, "days": usage_days}
    services = read_frame(connection.connection, _USED_SQL, _USED_SCHEMA, params)
    usage = estimates(services.with_columns(pl.col("has_register") == 1))["usage_thousandths"][0]
    if usage is None:
        raise NotBillable(
            "Nothing is known about the usage of this service; take a read of it instead."
        )
    return int(usage)
