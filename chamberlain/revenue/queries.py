"""What an account owes beside utilities, and what fees cost."""

from dataclasses import dataclass
from datetime import date

from django.db import connection

from chamberlain.revenue.models import FeePrice, Obligation
from chamberlain.revenue.pricing import prorated


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
    is_taken_back: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be sold on a day. term_months: what the price is for, None when paid once."""

    code: str
    name: str
    kind: str
    term_months: int | None
    cents: int


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
                coalesce(sum(c.cents - coalesce(s.settled_cents, 0)), 0)::bigint,
                o.is_taken_back
            FROM revenue_obligation o
            LEFT JOIN revenue_obligationcharge oc ON oc.obligation_id = o.id
            LEFT JOIN ledger_charge c ON c.id = oc.charge_id
            LEFT JOIN ledger_settlement s ON s.charge_id = c.id
            WHERE o.account_id = %s GROUP BY o.id ORDER BY o.arose_on DESC, o.id DESC
            """,
            [account_id],
        )
        return [ObligationRow(*row) for row in cursor.fetchall()]


def offers(on: date) -> list[Offer]:
    """All that can be sold at a counter on a day with its price then: every fee but citations."""
    found: dict[str, Offer] = {}
    rows = (
        FeePrice.objects.filter(starts_on__lte=on)
        .exclude(fee__kind=Obligation.Kind.CITATION)
        .order_by("fee__kind", "fee__code", "starts_on")
        .values_list("fee__code", "fee__name", "fee__kind", "fee__term_months", "cents")
    )
    for row in rows:
        found[row[0]] = Offer(*row)
    return list(found.values())


def price_of(offer: Offer, months: int, times: int) -> int:
    """What an offer comes to in cents: for so many months, or so many times."""
    if offer.term_months is None:
        return offer.cents * times
    return int(prorated(offer.cents, months, offer.term_months))


@dataclass(frozen=True, slots=True)
class ObligationChargeRow:
    """A charge of an obligation. entry_id, reason: of the entry that raised it."""

    charge_id: int
    kind_id: int
    kind: str
    raised_on: date
    due_on: date
    cents: int
    settled_cents: int
    entry_id: int
    reason: str


def obligation_charges(obligation_id: int) -> list[ObligationChargeRow]:
    """What an obligation raised, the first first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.id, k.id, k.name, c.raised_on, c.due_on, c.cents,
                coalesce(s.settled_cents, 0)::bigint, e.id, e.reason
            FROM revenue_obligationcharge o
            JOIN ledger_charge c ON c.id = o.charge_id
            JOIN ledger_chargekind k ON k.id = c.kind_id
            JOIN ledger_entry e ON e.id = c.entry_id
            LEFT JOIN ledger_settlement s ON s.charge_id = c.id
            WHERE o.obligation_id = %s ORDER BY c.id
            """,
            [obligation_id],
        )
        return [ObligationChargeRow(*row) for row in cursor.fetchall()]


def open_charges_of(obligation_id: int) -> list[tuple[int, int]]:
    """Charge and open cents of what an obligation raised, where something is open."""
    return [
        (charge.charge_id, charge.cents - charge.settled_cents)
        for charge in obligation_charges(obligation_id)
        if charge.cents > charge.settled_cents
    ]


def prices() -> list[PriceRow]:
    """All prices of the city, those that nobody verified marked."""
    rows = FeePrice.objects.order_by("fee__kind", "fee__code", "starts_on").values_list(
        "fee__code", "fee__name", "fee__kind", "fee__term_months", "starts_on", "cents", "source",
        "is_verified",
    )  # fmt: skip
    return [PriceRow(*row) for row in rows]
