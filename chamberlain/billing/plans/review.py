"""The night's look at all plans in force: those paid off and those in default, in one pass."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl
from django.db import connection, transaction

from chamberlain.billing.plans.operations import end_in_force
from chamberlain.billing.plans.standing import OBLIGATIONS, PLANS, default_sentences, stand
from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.frames import read_frame


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What the night found: plans looked at, found in default, found paid off."""

    plans: int
    defaulted: int
    kept: int


_PLANS = """
    SELECT p.id, coalesce(k.paid, 0) + coalesce(n.paid, 0), coalesce(k.open, 0), t.grace_days
    FROM plans_plan p
    JOIN plans_planterms t ON t.id = p.terms_id
    LEFT JOIN LATERAL (
        SELECT sum(greatest(0, k.cents - (c.cents - coalesce(s.settled_cents, 0))))::bigint AS paid,
            sum(least(k.cents, c.cents - coalesce(s.settled_cents, 0)))::bigint AS open
        FROM plans_plancharge k JOIN ledger_charge c ON c.id = k.charge_id
        LEFT JOIN ledger_settlement s ON s.charge_id = c.id
        WHERE k.plan_id = p.id) k ON true
    LEFT JOIN LATERAL (
        SELECT sum(coalesce(s.settled_cents, 0))::bigint AS paid {new} ) n ON true
    WHERE {which}
"""

# Charges raised since a plan began, of kinds that its terms are about, outside of the plan.
_NEW = """
    FROM ledger_charge c
    JOIN ledger_chargekind h ON h.id = c.kind_id AND h.code = ANY(t.charge_kinds)
    LEFT JOIN ledger_settlement s ON s.charge_id = c.id
    WHERE t.needs_new_bills_paid AND c.account_id = p.account_id AND c.raised_on >= p.starts_on
        AND NOT EXISTS (SELECT 1 FROM plans_plancharge x
            WHERE x.plan_id = p.id AND x.charge_id = c.id)
"""

_OBLIGATIONS = """
    SELECT o.plan, o.label, CASE WHEN r.from_on > o.due_on
            THEN greatest(o.due_on, r.arrears_due_on) ELSE o.due_on END, o.cents
    FROM (
        SELECT p.id AS plan, CASE i.number WHEN 0 THEN 'The down payment'
            ELSE 'Instalment ' || i.number END AS label, i.due_on, i.cents
        FROM plans_plan p JOIN plans_instalment i ON i.plan_id = p.id WHERE {which}
        UNION ALL
        SELECT p.id, 'The new charge ' || n.document, n.due_on, n.cents
        FROM plans_plan p JOIN plans_planterms t ON t.id = p.terms_id
        CROSS JOIN LATERAL (SELECT c.document, c.due_on, sum(c.cents)::bigint AS cents {new}
            GROUP BY c.document, c.due_on) n
        WHERE {which}) o
    LEFT JOIN LATERAL (
        SELECT r.from_on, r.arrears_due_on FROM plans_reinstatement r
        WHERE r.plan_id = o.plan AND r.approved_at IS NOT NULL
        ORDER BY r.from_on DESC LIMIT 1) r ON true
"""


def standings(today: date, plan_ids: Sequence[int] | None = None) -> pl.DataFrame:
    """How plans stand on a day, as `standing.stand` returns it, with grace_days and paid_cents.

    plan_ids: None looks at all plans in force.
    """
    which = "p.status = 'in_force'" if plan_ids is None else "p.id = ANY(%(plans)s)"
    params = {} if plan_ids is None else {"plans": list(plan_ids)}
    database = connection.connection
    plans = read_frame(database, _PLANS.format(new=_NEW, which=which), PLANS, params)
    obligations = read_frame(
        database, _OBLIGATIONS.format(new=_NEW, which=which), OBLIGATIONS, params
    )
    return stand(plans, obligations, today).join(
        plans.select("plan", "grace_days", "paid_cents"), on="plan", maintain_order="left"
    )


def review_plans(actor: Actor, today: date) -> Reviewed:
    """Ends the plans in force that are paid off or in default today, each with its sentence.

    May be run again at any time: a plan that has ended is not looked at any more.
    """
    actor.require("plan.review")
    with acting(actor), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id FROM plans_plan WHERE status = 'in_force' ORDER BY id FOR UPDATE"
            )
        found = standings(today)
        kept = found.filter("is_paid_off")
        late = found.filter(~pl.col("is_paid_off") & (pl.col("late_cents") > 0))
        _end(kept["plan"].to_list(), "kept", ["All of the plan is paid."] * kept.height, today)
        _end(late["plan"].to_list(), "defaulted", default_sentences(late), today)
    return Reviewed(found.height, late.height, kept.height)


def _end(plan_ids: list[int], status: str, sentences: list[str], today: date) -> None:
    if not plan_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE plans_plan p SET status = %s, ended_on = %s, sentence = e.sentence
               FROM unnest(%s::bigint[], %s::text[]) AS e(plan, sentence) WHERE p.id = e.plan""",
            [status, today, plan_ids, sentences],
        )
        cursor.execute(
            "UPDATE plans_plancharge SET is_held = false WHERE plan_id = ANY(%s)", [plan_ids]
        )
    end_in_force(plan_ids, today)
