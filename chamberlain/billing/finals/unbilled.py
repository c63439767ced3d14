"""What an account that was given up has not been billed for yet, rated but not posted."""

import polars as pl
from django.db import connection

from chamberlain.billing.candidates import candidates
from chamberlain.billing.finals.models import MoveOut
from chamberlain.billing.holds import implausible
from chamberlain.billing.models import BillRun
from chamberlain.billing.posting import Unbilled
from chamberlain.database.rows import rows
from chamberlain.kernel.errors import Refused
from chamberlain.tariffs import queries as tariffs
from chamberlain.tariffs.rating import rate
from chamberlain.tariffs.shapes import LINES


class NotBillable(Refused):
    """Something must be settled before a final bill can be made."""


_AGREEMENTS = """
    SELECT a.id, a.tariff_id, a.is_metered, a.cycle_months,
        greatest(lower(a.period), coalesce((SELECT max(b.to_on) FROM billing_bill b
            JOIN billing_serviceagreement g ON g.id = b.agreement_id
            WHERE g.service_point_id = a.service_point_id AND g.tariff_id = a.tariff_id
                AND b.read_id IS NULL AND b.from_on < %(left)s), lower(a.period))),
        least(upper(a.period), %(left)s), coalesce((SELECT max(r.to_on) FROM metering_read r
            WHERE r.service_point_id = a.service_point_id), %(left)s)
    FROM billing_serviceagreement a
    WHERE a.account_id = %(account)s AND lower(a.period) < %(left)s ORDER BY a.id
"""


def unbilled(move_out: MoveOut) -> Unbilled:
    """What is to be billed up to the day of a move-out, at the rates in force.

    It is what a bill run would find for the account's agreements: each read that no bill has, of
    which an agreement that ended inside it has its days; a service without a meter from the end
    of the last season that was billed. Raises NotBillable for a usage that a bill run would hold
    back, with its sentence.
    """
    agreed = rows(_AGREEMENTS, {"account": move_out.account_id, "left": move_out.left_on})
    usages, lines, before = [], [pl.DataFrame(schema=LINES)], 0
    for agreement_id, tariff_id, is_metered, cycle, from_on, to_on, read_on in agreed:
        run = BillRun(
            tariff_id=tariff_id,
            is_metered=is_metered,
            cycle_months=cycle,
            reads_up_to=max(read_on, to_on),
            season_from_on=from_on,
            season_to_on=to_on,
        )
        if not is_metered and from_on >= to_on:
            continue
        found = candidates(connection.connection, run, agreement_id, agreement_id)
        found = found.with_columns(row=pl.col("row") + before)
        before += found.height
        held = implausible(found)
        if held.height:
            raise NotBillable(str(held["sentence"][0]))
        rated = rate(tariffs.schedule(tariff_id), found)
        if rated.refusals.height:
            raise NotBillable(str(rated.refusals["sentence"][0]))
        usages.append(found)
        lines.append(rated.lines)
    return Unbilled(
        pl.concat(usages) if usages else pl.DataFrame(),
        pl.concat(lines).sort("row", "position", maintain_order=True),
    )
