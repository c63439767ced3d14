"""What stands in the way of a certificate whatever was paid: days of the account that no bill
charges, and an account or a deed by which the property went to somebody else.
"""

from datetime import date

from chamberlain.billing.certificates.models import Application, DeedTransfer
from chamberlain.database.rows import rows
from chamberlain.kernel.errors import AlreadyDone, Refused
from chamberlain.registry.models import AccountHolding

# A service that ended is billed up to its end by a read or a bill that reaches it; one that the
# account has under another agreement up to the closing is read or estimated as a whole.
_ENDED = """
    SELECT upper(g.period) FROM billing_serviceagreement g
    WHERE g.account_id = %(account)s AND g.is_metered AND NOT isempty(g.period)
        AND upper(g.period) < %(closing)s
        AND NOT EXISTS (SELECT 1 FROM billing_serviceagreement o
            WHERE o.account_id = g.account_id AND o.service_point_id = g.service_point_id
                AND o.is_metered AND o.period @> (%(closing)s::date - 1))
        AND NOT EXISTS (SELECT 1 FROM metering_read r
            WHERE r.service_point_id = g.service_point_id
                AND r.to_on >= upper(g.period) AND r.to_on <= %(closing)s)
        AND NOT EXISTS (SELECT 1 FROM billing_bill b
            WHERE b.account_id = g.account_id AND b.agreement_id = g.id
                AND b.to_on >= upper(g.period))
    ORDER BY 1 LIMIT 1
"""


def check_ended_services(found: Application) -> None:
    """Raises Refused when a metered service ended before the closing and is not billed to its end.

    A read that reaches the end is enough: the payoff bills it.
    """
    ended = rows(_ENDED, {"account": found.account_id, "closing": found.closing_on})
    if ended:
        raise Refused(
            f"A service of the account ended on {ended[0][0]:%B %-d, %Y} and is not billed up to "
            "that day; make the final bill first, then set the payoff."
        )


_TAKEN_BACK = """
    SELECT b.number FROM certificates_payoffcharge p
    JOIN billing_billline l ON l.charge_id = p.charge_id
    JOIN billing_bill b ON b.id = l.bill_id
    WHERE p.application_id = %s
        AND EXISTS (SELECT 1 FROM ledger_entry e WHERE e.reverses_id = b.entry_id)
        AND NOT EXISTS (SELECT 1 FROM billing_bill n WHERE n.replaces_id = b.id)
    ORDER BY b.id LIMIT 1
"""


def check_payoff_stands(found: Application) -> None:
    """Raises Refused when a bill of the payoff was taken back and none is in its place."""
    taken_back = rows(_TAKEN_BACK, [found.pk])
    if taken_back:
        raise Refused(
            f"Bill {taken_back[0][0]} of the payoff was taken back; bill its days again before "
            "the certificate."
        )


def check_held(account_id: int, closing_on: date) -> None:
    """Raises Refused when the account was given up before the closing."""
    last = AccountHolding.objects.filter(account_id=account_id).order_by("-period").first()
    until = last.period.upper if last else None
    if until and until < closing_on:
        raise Refused(
            f"The account was given up on {until:%B %-d, %Y}, before the closing; use the account "
            "that the property has on the closing day.",
            field="account_number",
        )


def check_no_deed(found: Application) -> None:
    """Raises AlreadyDone when the property was transferred on the application's certificate."""
    if DeedTransfer.objects.filter(application=found).exists():
        raise AlreadyDone(
            f"The deed on application {found.number} was applied, so the property is the buyer's; "
            "take a new application for the buyer's account."
        )
