"""What is in payment plans: for pages, for bills, and for whoever raises penalties."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl
from django.db import connection

from chamberlain.billing.plans.models import Plan
from chamberlain.billing.plans.review import standings
from chamberlain.billing.plans.terms import Terms, terms_of
from chamberlain.database.rows import rows as _rows
from chamberlain.kernel.errors import NotFound
from chamberlain.kernel.frames import read_frame


@dataclass(frozen=True, slots=True)
class InstalmentRow:
    """An instalment; paid_cents of it by what settled the plan's charges, the first one first."""

    number: int
    due_on: date
    cents: int
    paid_cents: int

    @property
    def open_cents(self) -> int:
        """What is still to be paid of it."""
        return self.cents - self.paid_cents


@dataclass(frozen=True, slots=True)
class PlanChargeRow:
    """A charge in a plan: the cents that the plan covers, and what is open of them now."""

    charge_id: int
    kind_name: str
    document: str
    due_on: date
    cents: int
    open_cents: int


@dataclass(frozen=True, slots=True)
class ReinstatementRow:
    """That a plan in default be taken up again."""

    reason: str
    asked_by: str
    asked_by_id: int
    asked_at: datetime
    approved_by: str
    approved_at: datetime | None
    refused_at: datetime | None
    arrears_due_on: date | None

    @property
    def is_waiting(self) -> bool:
        """Whether nobody decided on it yet."""
        return self.approved_at is None and self.refused_at is None


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A plan as lists show it; paid_cents is what settled its charges since it was offered."""

    plan_id: int
    number: str
    account_id: int
    account_number: str
    holder: str
    terms_name: str
    status: str
    status_name: str
    total_cents: int
    paid_cents: int
    starts_on: date
    ended_on: date | None
    sentence: str
    offered_by: str
    offered_by_id: int
    approved_by: str
    asks_reinstatement: bool

    @property
    def open_cents(self) -> int:
        """What is left of the plan."""
        return self.total_cents - self.paid_cents


@dataclass(frozen=True, slots=True)
class PlanView:
    """A plan with all that belongs to it, and how it stands today.

    due_cents: due by today, on instalments and new bills; late_cents of it past the grace.
    """

    plan: PlanRow
    terms: Terms
    instalments: tuple[InstalmentRow, ...]
    charges: tuple[PlanChargeRow, ...]
    reinstatements: tuple[ReinstatementRow, ...]
    due_cents: int
    late_cents: int
    next_due_on: date | None
    next_cents: int | None


@dataclass(frozen=True, slots=True)
class Due:
    """What an account with a plan in force has to pay now and next, in cents.

    instalment_cents: due by today on the plan and on new bills; other_cents: open charges that
    the plan does not know of and that are due by today.
    """

    plan_number: str
    plan_open_cents: int
    instalment_cents: int
    other_cents: int
    next_due_on: date | None
    next_cents: int | None

    @property
    def due_cents(self) -> int:
        """All that is due by today."""
        return self.instalment_cents + self.other_cents


_PLAN_ROWS = """
    SELECT p.id, p.number, p.account_id, a.number, coalesce(h.name, ''), t.name, p.status,
        p.total_cents,
        (SELECT coalesce(sum(greatest(0, k.cents - (c.cents - coalesce(s.settled_cents, 0)))), 0)
            FROM plans_plancharge k JOIN ledger_charge c ON c.id = k.charge_id
            LEFT JOIN ledger_settlement s ON s.charge_id = c.id WHERE k.plan_id = p.id)::bigint,
        p.starts_on, p.ended_on, p.sentence, coalesce(nullif(u.display_name, ''), u.username),
        p.offered_by_id, coalesce(nullif(v.display_name, ''), v.username, ''),
        EXISTS (SELECT 1 FROM plans_reinstatement r WHERE r.plan_id = p.id
            AND r.approved_at IS NULL AND r.refused_at IS NULL)
    FROM plans_plan p
    JOIN ledger_account a ON a.id = p.account_id
    JOIN plans_planterms t ON t.id = p.terms_id
    JOIN identity_user u ON u.id = p.offered_by_id
    LEFT JOIN identity_user v ON v.id = p.approved_by_id
    LEFT JOIN LATERAL (
        SELECT c.name FROM registry_accountholding k JOIN registry_customer c
            ON c.id = k.customer_id
        WHERE k.account_id = p.account_id ORDER BY lower(k.period) DESC LIMIT 1) h ON true
"""

_LISTED = {
    "waiting": """WHERE p.status = 'offered' OR EXISTS (SELECT 1 FROM plans_reinstatement r
        WHERE r.plan_id = p.id AND r.approved_at IS NULL AND r.refused_at IS NULL)""",
    "in_force": "WHERE p.status = 'in_force'",
    "defaulted": "WHERE p.status = 'defaulted'",
    "ended": "WHERE p.status IN ('kept', 'withdrawn')",
}
LISTS = {
    "waiting": "Wait for approval",
    "in_force": "In force",
    "defaulted": "In default",
    "ended": "Ended",
}


def plans_of_account(account_id: int) -> list[PlanRow]:
    """Plans of an account, the newest first."""
    return _plan_rows("WHERE p.account_id = %s ORDER BY p.id DESC", [account_id])


def plans_listed(which: str, limit: int = 50, offset: int = 0) -> list[PlanRow]:
    """Plans of the whole city in one of LISTS, the newest first."""
    return _plan_rows(_LISTED[which] + " ORDER BY p.id DESC LIMIT %s OFFSET %s", [limit, offset])


def count_plans(which: str) -> int:
    """How many plans `plans_listed` has."""
    return int(_rows(f"SELECT count(*) FROM plans_plan p {_LISTED[which]}", [])[0][0])


def _plan_rows(where: str, params: list[object]) -> list[PlanRow]:
    found = []
    for row in _rows(_PLAN_ROWS + where, params):
        fields = list(row)
        fields.insert(7, Plan.Status(fields[6]).label)
        found.append(PlanRow(*fields))
    return found


def plan_view(number: str, today: date) -> PlanView:
    """One plan. Raises NotFound."""
    rows = _plan_rows("WHERE p.number = %s", [number])
    if not rows:
        raise NotFound(f"There is no plan {number[:16]}; look at the account's plans.")
    row = rows[0]
    standing = standings(today, [row.plan_id]).row(0, named=True)
    is_running = row.status in ("in_force", "offered", "defaulted")
    return PlanView(
        plan=row,
        terms=terms_of(Plan.objects.select_related("terms").get(pk=row.plan_id).terms),
        instalments=tuple(_instalments(row)),
        charges=tuple(_charges(row.plan_id)),
        reinstatements=tuple(_reinstatements(row.plan_id)),
        due_cents=standing["due_cents"] if is_running else 0,
        late_cents=standing["late_cents"] if is_running else 0,
        next_due_on=standing["next_due_on"] if is_running else None,
        next_cents=standing["next_cents"] if is_running else None,
    )


def _instalments(row: PlanRow) -> list[InstalmentRow]:
    query = """
        SELECT number, due_on, cents,
            least(cents, greatest(0, %s - (sum(cents) OVER (ORDER BY number) - cents)))::bigint
        FROM plans_instalment WHERE plan_id = %s ORDER BY number
    """
    return [InstalmentRow(*each) for each in _rows(query, [row.paid_cents, row.plan_id])]


def _charges(plan_id: int) -> list[PlanChargeRow]:
    query = """
        SELECT c.id, h.name, c.document, c.due_on, k.cents,
            least(k.cents, c.cents - coalesce(s.settled_cents, 0))
        FROM plans_plancharge k JOIN ledger_charge c ON c.id = k.charge_id
        JOIN ledger_chargekind h ON h.id = c.kind_id
        LEFT JOIN ledger_settlement s ON s.charge_id = c.id
        WHERE k.plan_id = %s ORDER BY c.due_on, c.document, h.priority, c.id
    """
    return [PlanChargeRow(*row) for row in _rows(query, [plan_id])]


def _reinstatements(plan_id: int) -> list[ReinstatementRow]:
    query = """
        SELECT r.reason, coalesce(nullif(u.display_name, ''), u.username), r.asked_by_id,
            r.asked_at, coalesce(nullif(v.display_name, ''), v.username, ''), r.approved_at,
            r.refused_at, r.arrears_due_on
        FROM plans_reinstatement r JOIN identity_user u ON u.id = r.asked_by_id
        LEFT JOIN identity_user v ON v.id = r.approved_by_id
        WHERE r.plan_id = %s ORDER BY r.asked_at DESC
    """
    return [ReinstatementRow(*row) for row in _rows(query, [plan_id])]


def due_with_plan(account_id: int, today: date) -> Due | None:
    """What an account pays now and next under its plan; None when no plan is in force.

    Due charges that the plan covers count by its instalments, not by their own due dates.
    """
    plans = _plan_rows("WHERE p.account_id = %s AND p.status = 'in_force'", [account_id])
    if not plans:
        return None
    plan = plans[0]
    standing = standings(today, [plan.plan_id]).row(0, named=True)
    other = """
        SELECT coalesce(sum(c.cents - coalesce(s.settled_cents, 0)), 0)::bigint
        FROM ledger_charge c JOIN ledger_chargekind h ON h.id = c.kind_id
        JOIN plans_plan p ON p.id = %s JOIN plans_planterms t ON t.id = p.terms_id
        LEFT JOIN ledger_settlement s ON s.charge_id = c.id
        WHERE c.account_id = p.account_id AND c.due_on <= %s
            AND NOT EXISTS (SELECT 1 FROM plans_plancharge k
                WHERE k.plan_id = p.id AND k.charge_id = c.id)
            AND NOT (t.needs_new_bills_paid AND h.code = ANY(t.charge_kinds)
                AND c.raised_on >= p.starts_on)
    """
    return Due(
        plan_number=plan.number,
        plan_open_cents=plan.open_cents,
        instalment_cents=standing["due_cents"],
        other_cents=int(_rows(other, [plan.plan_id, today])[0][0]),
        next_due_on=standing["next_due_on"],
        next_cents=standing["next_cents"],
    )


@dataclass(frozen=True, slots=True)
class BilledInstalment:
    """An instalment that is to be paid along with a bill."""

    plan_number: str
    due_on: date
    cents: int


def instalments_with_bills(bill_ids: Sequence[int]) -> dict[int, list[BilledInstalment]]:
    """Instalments that fall due from each bill until the next one, by bill id.

    Of plans that were in force on the bill's day, by what was agreed, so that a bill reads the
    same whenever it is printed. Bills without any are left out.
    """
    query = """
        SELECT b.id, p.number, i.due_on, i.cents FROM billing_bill b
        JOIN billing_serviceagreement g ON g.id = b.agreement_id
        JOIN plans_plan p ON p.account_id = b.account_id
        JOIN plans_inforce f ON f.plan_id = p.id AND f.period @> b.issued_on
        JOIN plans_instalment i ON i.plan_id = p.id AND i.due_on > b.issued_on
            AND i.due_on <= b.issued_on + make_interval(months => g.cycle_months::int)
        WHERE b.id = ANY(%s) ORDER BY b.id, i.due_on
    """
    found: dict[int, list[BilledInstalment]] = {}
    for bill_id, *fields in _rows(query, [list(bill_ids)]):
        found.setdefault(bill_id, []).append(BilledInstalment(*fields))
    return found


def charges_in_kept_plans(
    on: date | None = None, charge_ids: Sequence[int] | None = None
) -> pl.DataFrame:
    """Charges that draw no penalty because they are in a plan that is kept.

    on: in a plan in force on that day; None: now, as far as the night's review has seen.
    charge_ids: None for the whole city. Returns charge_id (Int64), each once.
    """
    query = """
        SELECT DISTINCT k.charge_id FROM plans_plancharge k
        JOIN plans_inforce f ON f.plan_id = k.plan_id
        WHERE CASE WHEN %(on)s::date IS NULL THEN upper_inf(f.period)
                ELSE f.period @> %(on)s::date END
            AND (%(ids)s::bigint[] IS NULL OR k.charge_id = ANY(%(ids)s::bigint[]))
        ORDER BY 1
    """
    ids = None if charge_ids is None else list(charge_ids)
    return read_frame(connection.connection, query, {"charge_id": pl.Int64}, {"on": on, "ids": ids})


def days_in_plans(charge_ids: Sequence[int]) -> pl.DataFrame:
    """The ranges of days in which charges were in a plan in force, for penalties of the past.

    Returns charge_id (Int64), from_on (Date), until_on (Date, the first day after; null while it
    lasts).
    """
    query = """
        SELECT k.charge_id, lower(f.period), upper(f.period) FROM plans_plancharge k
        JOIN plans_inforce f ON f.plan_id = k.plan_id
        WHERE k.charge_id = ANY(%s) ORDER BY 1, 2
    """
    schema = {"charge_id": pl.Int64, "from_on": pl.Date, "until_on": pl.Date}
    return read_frame(connection.connection, query, schema, [list(charge_ids)])
