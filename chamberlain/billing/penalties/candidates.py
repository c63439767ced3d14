"""What the rule of late penalties needs from the database, for a range of accounts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
import psycopg

from chamberlain.billing.penalties.late import CHARGES, DONE, HELD, MOVES, RATES, SPARED
from chamberlain.billing.penalties.policy import Policy
from chamberlain.billing.plans.queries import days_in_plans
from chamberlain.kernel.frames import read_frame


@dataclass(frozen=True, slots=True)
class Night:
    """What a run looks at: days from `since` up to the day before `on`, under the policies.

    day_ids: business days after `since`, whose entries may have settled or opened charges.
    """

    since: date
    on: date
    policies: tuple[Policy, ...]
    day_ids: tuple[int, ...]

    @property
    def rates(self) -> pl.DataFrame:
        """The policies as RATES."""
        return pl.DataFrame(
            [(policy.starts_on, policy.rate_micros) for policy in self.policies],
            schema=RATES,
            orient="row",
        )


# The arms of open accounts and of charges that moved since are each found by an index.
_CHARGES_SQL = """
    WITH policy AS (
        SELECT starts_on,
            coalesce(lead(starts_on) OVER (ORDER BY starts_on), 'infinity') AS until_on, grace_days,
            (SELECT array_agg(k.id) FROM ledger_chargekind k
                WHERE k.code = ANY(p.charge_kinds)) AS kinds
        FROM penalties_latepolicy p
    ), late AS (
        SELECT c.id, c.account_id, c.document, c.raised_on, c.due_on, p.grace_days::bigint,
            c.cents - coalesce(s.settled_cents, 0) AS open_cents
        FROM ledger_balance b
        JOIN ledger_charge c ON c.account_id = b.account_id
        JOIN policy p ON c.raised_on >= p.starts_on AND c.raised_on < p.until_on
            AND c.kind_id = ANY(p.kinds) AND c.raised_on + p.grace_days < %(on)s
        LEFT JOIN ledger_settlement s ON s.charge_id = c.id
        WHERE b.account_id BETWEEN %(first)s AND %(last)s AND b.owed_cents > 0
            AND c.due_on < %(on)s
            AND NOT EXISTS (SELECT 1 FROM ledger_entry r WHERE r.reverses_id = c.entry_id)
    )
    SELECT * FROM late WHERE open_cents > 0
"""
_MOVED_SQL = """
    SELECT c.id, c.account_id, c.document, c.raised_on, c.due_on, p.grace_days::bigint, 0::bigint
    FROM ledger_charge c
    JOIN ledger_chargekind k ON k.id = c.kind_id
    JOIN LATERAL (
        SELECT * FROM penalties_latepolicy p WHERE p.starts_on <= c.raised_on
        ORDER BY p.starts_on DESC LIMIT 1) p ON k.code = ANY(p.charge_kinds)
    JOIN ledger_settlement s ON s.charge_id = c.id AND s.settled_cents = c.cents
    WHERE c.id = ANY(%(charges)s) AND NOT EXISTS (
        SELECT 1 FROM ledger_entry r WHERE r.reverses_id = c.entry_id)
"""
_MOVES_SQL = """
    SELECT t.charge_id, d.day,
        sum(CASE t.effect WHEN 'settle' THEN t.cents ELSE -t.cents END)::bigint
    FROM ledger_entry e
    JOIN ledger_businessday d ON d.id = e.business_day_id
    JOIN ledger_transfer t ON t.entry_id = e.id AND t.effect IN ('settle', 'unsettle')
    WHERE e.business_day_id = ANY(%(days)s) AND t.account_id BETWEEN %(first)s AND %(last)s
    GROUP BY t.charge_id, d.day
"""
_DONE_SQL = """
    SELECT caused_by_id, falls_on FROM penalties_penalty WHERE caused_by_id = ANY(%(charges)s)
"""
_SPARED_SQL = """
    SELECT g.account_id, greatest(lower(g.period), p.starts_on),
        least(upper(g.period), p.until_on)
    FROM billing_serviceagreement g
    JOIN (SELECT starts_on, exempt, lead(starts_on) OVER (ORDER BY starts_on) AS until_on
        FROM penalties_latepolicy) p ON g.exemptions && p.exempt
    WHERE g.account_id BETWEEN %(first)s AND %(last)s
"""
_HOLDS_SQL = """
    SELECT account_id, charge_id, lower(period), upper(period) FROM penalties_penaltyhold
    WHERE account_id BETWEEN %(first)s AND %(last)s
"""
_HOLDS = {"account_id": pl.Int64, "charge_id": pl.Int64, "from_on": pl.Date, "until_on": pl.Date}


@dataclass(frozen=True, slots=True)
class Candidates:
    """Frames as `late.falling_due` and `late.late_penalties` take them."""

    charges: pl.DataFrame
    moves: pl.DataFrame
    spared: pl.DataFrame
    holds: pl.DataFrame


def candidates(
    database: psycopg.Connection[Any], night: Night, first: int, last: int
) -> Candidates:
    """What may draw a penalty among accounts with ids from first to last."""
    values: dict[str, Any] = {"first": first, "last": last, "on": night.on}
    moves = read_frame(database, _MOVES_SQL, MOVES, {**values, "days": list(night.day_ids)})
    charges = read_frame(database, _CHARGES_SQL, CHARGES, values)
    moved = moves["charge_id"].unique().to_list()
    if moved:
        paid = read_frame(database, _MOVED_SQL, CHARGES, {"charges": moved})
        charges = pl.concat([charges, paid])
    return Candidates(
        charges,
        moves,
        read_frame(database, _SPARED_SQL, SPARED, values),
        read_frame(database, _HOLDS_SQL, _HOLDS, values),
    )


def held(charge_ids: Sequence[int], holds: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Days in which charges, and days in which accounts draw none: HELD, SPARED."""
    of_charges = holds.filter(pl.col("charge_id").is_not_null()).select(list(HELD))
    of_accounts = holds.filter(pl.col("charge_id").is_null()).select(list(SPARED))
    planned = days_in_plans(charge_ids).select(list(HELD))
    return pl.concat([of_charges, planned]), of_accounts


def done(database: psycopg.Connection[Any], charge_ids: Sequence[int]) -> pl.DataFrame:
    """Penalties that charges drew before, as DONE."""
    return read_frame(database, _DONE_SQL, DONE, {"charges": list(charge_ids)})
