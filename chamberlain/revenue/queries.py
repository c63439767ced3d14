"""What an account owes beside utilities, and what fees cost."""

from dataclasses import dataclass
from datetime import date

from django.db import connection

from chamberlain.revenue.models import FeePrice


@dataclass(frozen=True, slots=True)
class ObligationRow:
    """A citation, sticker, license or fee with what it costs and what is open on it, in cents."""

    obligation_id: int
    number: str
    kind: str
    subject: str
    description: str
    arose_on: date
    cents: int
    open_cents: int


@dataclass(frozen=True, slots=True)
class PriceRow:
    """A price of the city from a day on, with its source."""

    code: str
    name: str
    kind: str
    term_months: int | None
    starts_on: date
    cents: int
    source: str
    is_verified: bool


def obligations(account_id: int) -> list[ObligationRow]:
    """Obligations of an account, the latest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT o.id, o.number, o.kind, o.subject, o.description, o.arose_on,
                coalesce(sum(c.cents), 0)::bigint,
                coalesce(sum(c.cents - coalesce(s.settled_cents, 0)), 0)::bigint
            FROM revenue_obligation o
            LEFT JOIN revenue_obligationcharge oc ON oc.obligation_id = o.id
            LEFT JOIN ledger_charge c ON c.id = oc.charge_id
            LEFT JOIN ledger_settlement s ON s.charge_id = c.id
            WHERE o.account_id = %s GROUP BY o.id ORDER BY o.arose_on DESC, o.id DESC
            """,
            [account_id],
        )
        return [ObligationRow(*row) for row in cursor.fetchall()]


def prices() -> list[PriceRow]:
    """All prices of the city, those that nobody verified marked."""
    rows = FeePrice.objects.order_by("fee__kind", "fee__code", "starts_on").values_list(
        "fee__code", "fee__name", "fee__kind", "fee__term_months", "starts_on", "cents", "source",
        "is_verified",
    )  # fmt: skip
    return [PriceRow(*row) for row in rows]
