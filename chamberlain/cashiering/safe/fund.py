"""The change fund, and how much loose cash a safe should hold.

The fund is a fixed sum. In the morning all of it is in the safe; a till takes its float out, and
puts it back when it was verified; what was dropped, and the takings of verified tills, lie in the
safe until they are bagged:

    what was counted last night - missing since - floats of drawers that are not verified
        + drops and verified takings that are not bagged
"""

from datetime import datetime

from django.db import transaction

from chamberlain.cashiering.closing import in_tills
from chamberlain.cashiering.receipts import rows
from chamberlain.cashiering.safe.models import ChangeFund, SafeCount
from chamberlain.identity.actors import Actor, acting
from chamberlain.identity.models import Center
from chamberlain.kernel.errors import Invalid, NotFound, Refused
from chamberlain.kernel.money import LARGEST_CENTS
from chamberlain.ledger import chart
from chamberlain.ledger.models import BusinessDay

REASON_MAX = 200

_SINCE_MORNING = """
    SELECT coalesce(sum(CASE WHEN t.debit_id = %(fund)s THEN t.cents ELSE -t.cents END), 0)
    FROM ledger_entry e JOIN ledger_transfer t ON t.entry_id = e.id
    WHERE e.business_day_id = %(day)s AND %(fund)s IN (t.debit_id, t.credit_id)
"""
_OUT = """
    SELECT coalesce(sum(s.float_cents), 0) FROM cashiering_tillsession s
    JOIN ledger_businessday d ON d.id = s.business_day_id
    WHERE d.center_id = %(center)s AND s.verified_at IS NULL AND d.closed_at IS NULL
"""
_IN_DRAWERS = """
    SELECT coalesce(sum(CASE WHEN s.closed_at IS NULL THEN s.drawer_cents - s.float_cents
        ELSE greatest(s.counted_cash_cents - s.float_cents, 0) END), 0)
    FROM cashiering_tillsession s WHERE s.business_day_id = %(day)s AND s.verified_at IS NULL
"""


def set_fund(actor: Actor, center_id: int, cents: int, reason: str, now: datetime) -> None:
    """Sets a center's change fund; from then on its safe is counted at start and end of each day.

    Raises NotPermitted, NotFound, Invalid, Refused while a till of the center is not verified.
    """
    actor.require("safe.set_fund", center_id)
    reason = reason.strip()
    if not isinstance(cents, int) or not 0 < cents <= LARGEST_CENTS:
        raise Invalid("The fund is more than nothing; type its amount.", field="cents")
    if not 0 < len(reason) <= REASON_MAX:
        raise Invalid(f"Say why, in at most {REASON_MAX} characters.", field="reason")
    with transaction.atomic(), acting(actor):
        center = Center.objects.filter(pk=center_id).first()
        if center is None:
            raise NotFound("There is no such center.")
        if int(rows(_OUT, {"center": center_id})[0][0]):
            raise Refused(
                "A till of the center has its float out; set the fund when every till is verified."
            )
        ChangeFund.objects.update_or_create(
            center=center,
            defaults={
                "cents": cents,
                "reason": reason,
                "set_by_id": actor.user_id,
                "set_at": now,
            },
        )


def expected_cents(fund: ChangeFund, day: BusinessDay) -> int:
    """The loose cash that should be in the safe now, on its center's open day.

    The morning begins with what was counted at the end of the last day that was counted.
    """
    center = fund.center
    values = {
        "center": center.pk,
        "day": day.pk,
        "fund": chart.ledger_account_id(chart.change_fund_code(center.code)),
    }
    since, out, in_drawers = (
        int(rows(query, values)[0][0]) for query in (_SINCE_MORNING, _OUT, _IN_DRAWERS)
    )
    return _morning(fund, day) + since - out + in_tills(day)["cash"] - in_drawers


def _morning(fund: ChangeFund, day: BusinessDay) -> int:
    last = (
        SafeCount.objects.filter(
            business_day__center=fund.center,
            business_day__day__lt=day.day,
            moment=SafeCount.Moment.END,
            counted_at__gte=fund.set_at,
        )
        .order_by("-business_day__day")
        .first()
    )
    return last.counted_cents if last else fund.cents
